//! The dead man's switch: a device that nobody has unlocked for too long is wiped, and a clock that
//! jumped wipes nothing.

use warren_wire::Millis;

use crate::attempts::Moment;

/// The longest term, in hours: ten years.
pub const LONGEST_HOURS: u32 = 10 * 366 * 24;

/// The 1st of November 2026, in milliseconds since 1970: no clock that was right ever said less to this
/// program.
const EARLIEST: Millis = 1_793_491_200_000;

const HOUR: Millis = 60 * 60 * 1_000;

/// When the device was last unlocked, and after how long without that it is wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeadMan {
    /// The term in hours; 0 where there is none.
    pub hours: u32,
    /// The last time it was unlocked, by the device's clock, in milliseconds since 1970.
    pub unlocked: Millis,
    /// The same by the clock that counts from the machine's start.
    pub moment: Moment,
}

/// What the time is, by sources that do not follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources {
    /// The device's clock, in milliseconds since 1970. Anybody who has the device can set it.
    pub clock: Millis,
    /// The clock that counts from the machine's start and cannot be set.
    pub moment: Moment,
    /// What the network says, in milliseconds since 1970; `None` where it was not reached.
    pub network: Option<Millis>,
}

impl DeadMan {
    /// Whether the term is over by the device's clock and by one more source: the network, or the
    /// clock of this run of the machine. Where the machine has run on since, that clock has the last
    /// word: the time of unlocking may have come from a clock that was wrong. A device that was started anew and never reaches the network
    /// is not wiped, as a clock that was set would otherwise be enough.
    pub fn is_due(&self, now: Sources) -> bool {
        if self.hours == 0 {
            return false;
        }
        let term = Millis::from(self.hours).saturating_mul(HOUR);
        let is_over = |time: Millis| time.saturating_sub(self.unlocked) >= term;
        let same_run = now.moment.boot == self.moment.boot && now.moment.boot != [0; 16];
        let ran = same_run.then(|| now.moment.since.saturating_sub(self.moment.since) >= term);
        let agrees = ran.unwrap_or_else(|| now.network.is_some_and(is_over));
        self.unlocked >= EARLIEST && is_over(now.clock) && agrees
    }

    /// When the device was unlocked at the earliest, by what the network said at some moment of the same
    /// run of the machine; `None` where that is not later than what is kept. So a clock that was behind
    /// when somebody unlocked is made up for.
    pub fn corrected(&self, now: Moment, network: Millis) -> Option<Self> {
        if now.boot != self.moment.boot || now.boot == [0; 16] {
            return None;
        }
        let unlocked = network.checked_sub(now.since.checked_sub(self.moment.since)?)?;
        (unlocked > self.unlocked.saturating_add(HOUR)).then_some(Self { unlocked, ..*self })
    }
}
