//! When messages disappear: on the sender's devices, on the recipient's, and at the nodes.
//!
//! | | sender's devices | recipient's devices | nodes |
//! |---|---|---|---|
//! | after send | timer after it was sent | timer after it was sent | timer, within what nodes allow |
//! | after read | timer after it was sent | timer after it was read there | 14 days; shortened once read |
//!
//! Source: session-desktop `ts/session/disappearing_messages/`. Time is an argument everywhere, and a
//! clock that runs ahead gives nothing a longer life: no count begins later than it is noticed.

use std::num::NonZeroU32;

use warren_wire::Millis;
use warren_wire::limits::{MESSAGE_TTL, MIN_TTL, SECOND};

use crate::proto;
use proto::content::ExpirationType;

/// How long a node keeps a typing indicator.
pub const TYPING_TTL: Millis = 20 * SECOND;
/// How long a node keeps a step of a call.
pub const CALL_TTL: Millis = 5 * 60 * SECOND;
/// How long a node keeps a configuration message.
pub const CONFIG_TTL: Millis = warren_wire::limits::MAX_PRIVATE_TTL;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// The timers that Session's clients offer after reading.
pub const AFTER_READ: [Timer; 6] = [
    Timer::of(5 * MINUTE),
    Timer::of(HOUR),
    Timer::of(12 * HOUR),
    Timer::of(DAY),
    Timer::of(WEEK),
    Timer::of(2 * WEEK),
];
/// The timers that Session's clients offer after sending.
pub const AFTER_SEND: [Timer; 4] =
    [Timer::of(12 * HOUR), Timer::of(DAY), Timer::of(WEEK), Timer::of(2 * WEEK)];

/// From when on the timer of a message runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// From when the recipient read it.
    AfterRead,
    /// From when it was sent.
    AfterSend,
}

/// How long a message stays once its timer runs: at least one second. Any other than those offered
/// is read by Session's clients as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer(NonZeroU32);

impl Timer {
    /// A timer of so many seconds; `None` for 0, which stands for no timer.
    pub const fn seconds(seconds: u32) -> Option<Self> {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Some(Self(seconds)),
            None => None,
        }
    }

    /// A timer of the lists above.
    const fn of(seconds: u32) -> Self {
        match NonZeroU32::new(seconds) {
            Some(seconds) => Self(seconds),
            None => Self(NonZeroU32::MIN),
        }
    }

    /// The seconds, as they are sent.
    pub const fn as_seconds(self) -> u32 {
        self.0.get()
    }

    /// The milliseconds.
    pub fn as_millis(self) -> Millis {
        Millis::from(self.0.get()) * SECOND
    }
}

/// That a message disappears, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiration {
    /// From when on the timer runs.
    pub mode: Mode,
    /// How long it runs.
    pub timer: Timer,
}

/// What kind of conversation messages disappear from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversation {
    /// Of two people.
    Direct,
    /// With oneself.
    NoteToSelf,
    /// Of a group.
    Group,
}

/// When a message that another device of the account has read disappears here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadElsewhere {
    /// When it disappears.
    pub expires: Millis,
    /// Whether the nodes are still to be told to shorten the life of their copy.
    pub shorten: bool,
}

impl Expiration {
    /// What a setting comes to in a conversation: with oneself and in groups nobody can tell when a
    /// message was read, so the timer runs from sending.
    #[must_use]
    pub fn within(self, conversation: Conversation) -> Self {
        match conversation {
            Conversation::Direct => self,
            Conversation::NoteToSelf | Conversation::Group => {
                Self { mode: Mode::AfterSend, ..self }
            }
        }
    }

    /// What a setting comes to for a notice of a direct conversation (a call, a screenshot) at the
    /// one who is told: it stays until it was seen.
    #[must_use]
    pub fn of_notice(self) -> Self {
        Self { mode: Mode::AfterRead, ..self }
    }

    /// When a message disappears from the devices of its sender: the timer runs from sending in
    /// both modes, as the sender has read it. `seen` is when this device first had it.
    pub fn at_sender(self, sent: Millis, seen: Millis) -> Millis {
        sent.min(seen).saturating_add(self.timer.as_millis())
    }

    /// When a message disappears from a device of its recipient, which has it since `received` and
    /// on which it was read at `read`. `None` while nothing counts down: a message to disappear
    /// after reading, not read.
    pub fn at_recipient(
        self,
        sent: Millis,
        received: Millis,
        read: Option<Millis>,
    ) -> Option<Millis> {
        let start = match self.mode {
            Mode::AfterSend => sent.min(received),
            Mode::AfterRead => read?,
        };
        Some(start.saturating_add(self.timer.as_millis()))
    }

    /// When a message disappears that another device of the recipient has read, and that the nodes
    /// keep until `node_expiry`: the device that read it shortens that to when it disappears. Where
    /// it has not, the count begins `now`.
    pub fn read_elsewhere(self, node_expiry: Millis, now: Millis) -> ReadElsewhere {
        let latest = now.saturating_add(self.timer.as_millis());
        ReadElsewhere { expires: node_expiry.min(latest), shorten: node_expiry > latest }
    }

    /// Writes a setting, or that there is none: other clients spell that out in whatever could
    /// disappear.
    pub(crate) fn write(setting: Option<Self>, content: &mut proto::Content) {
        let kind = match setting.map(|setting| setting.mode) {
            Some(Mode::AfterRead) => ExpirationType::DeleteAfterRead,
            Some(Mode::AfterSend) => ExpirationType::DeleteAfterSend,
            None => ExpirationType::Unknown,
        };
        content.expiration_type = Some(kind.into());
        content.expiration_timer = Some(setting.map_or(0, |setting| setting.timer.as_seconds()));
    }

    /// `None` where no timer is set, or one without a mode, as clients of before 2024 did: other
    /// clients do not heed it either.
    pub(crate) fn read(content: &proto::Content) -> Option<Self> {
        let mode = match ExpirationType::try_from(content.expiration_type?).ok()? {
            ExpirationType::Unknown => return None,
            ExpirationType::DeleteAfterRead => Mode::AfterRead,
            ExpirationType::DeleteAfterSend => Mode::AfterSend,
        };
        Some(Self { mode, timer: Timer::seconds(content.expiration_timer?)? })
    }
}

/// How long nodes are asked to keep a message: as long as its timer where that runs from sending,
/// within what they allow, and else as long as they may, for whoever has not fetched it.
pub fn ttl(expiration: Option<Expiration>) -> Millis {
    match expiration {
        Some(Expiration { mode: Mode::AfterSend, timer }) => {
            timer.as_millis().clamp(MIN_TTL, MESSAGE_TTL)
        }
        _ => MESSAGE_TTL,
    }
}

#[cfg(test)]
mod tests;
