//! Wrong codes in a row: how they are kept, and how long the next attempt must wait.
//!
//! Time is counted from the machine's start, in which no clock can be set. After another start it is
//! counted from that start: a wait is made longer by it, never shorter.

use warren_crypto::hash::blake2b;
use warren_wire::Millis;

/// Bytes of the file.
pub const FILE_BYTES: usize = 64;
/// So many wrong codes cost no wait: people mistype.
pub const FREE: u32 = 3;

const MAGIC: [u8; 8] = *b"WRNTRIES";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 16;
const FIRST_WAIT: Millis = 5_000;
const LONGEST_WAIT: Millis = 60 * 60 * 1_000;

/// A point of time within one run of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Which run; all zero where the machine does not say.
    pub boot: [u8; 16],
    /// How long it has run, sleep included.
    pub since: Millis,
}

/// What is kept of wrong codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// How many in a row.
    pub wrong: u32,
    /// After how many all is wiped; 0 for never.
    pub wipe_after: u32,
    /// When the last was.
    pub last: Moment,
}

impl Attempts {
    /// Counts an attempt as wrong, before it is known whether it is: what ends in between counts.
    pub fn begin(&mut self, now: Moment) {
        self.wrong = self.wrong.saturating_add(1);
        self.last = now;
    }

    /// The code was right.
    pub fn succeed(&mut self) {
        self.wrong = 0;
        self.last = Moment::default();
    }

    /// How long the next attempt must wait; 0 for not at all. A time that was set back lets the wait
    /// begin anew.
    pub fn wait(&mut self, now: Moment) -> Millis {
        let elapsed = if now.boot == self.last.boot {
            let elapsed = now.since.checked_sub(self.last.since);
            if elapsed.is_none() {
                self.last = now;
            }
            elapsed.unwrap_or(0)
        } else {
            now.since
        };
        wait_after(self.wrong).saturating_sub(elapsed)
    }

    /// Whether so many wrong codes wipe everything.
    pub const fn wipes(&self) -> bool {
        self.wipe_after > 0 && self.wrong >= self.wipe_after
    }

    /// `magic[8] || version[1] || zero[3] || wrong[4] || wipe after[4] || boot[16] || since[8] ||
    /// zero[4] || BLAKE2b-16`, numbers little-endian.
    pub fn encode(&self) -> [u8; FILE_BYTES] {
        let parts: [&[u8]; 7] = [
            &MAGIC,
            &[VERSION, 0, 0, 0],
            &self.wrong.to_le_bytes(),
            &self.wipe_after.to_le_bytes(),
            &self.last.boot,
            &self.last.since.to_le_bytes(),
            &[0; 4],
        ];
        let covered = parts.concat();
        let whole = [covered.as_slice(), &checksum(&covered)].concat();
        whole.try_into().unwrap_or([0; FILE_BYTES])
    }

    /// Reads what [`Attempts::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; FILE_BYTES] = bytes.try_into().ok()?;
        let mut rest = bytes.strip_prefix(&MAGIC)?.strip_prefix(&[VERSION, 0, 0, 0])?;
        let attempts = Self {
            wrong: u32::from_le_bytes(take(&mut rest)?),
            wipe_after: u32::from_le_bytes(take(&mut rest)?),
            last: Moment { boot: take(&mut rest)?, since: Millis::from_le_bytes(take(&mut rest)?) },
        };
        (attempts.encode() == *bytes).then_some(attempts)
    }

    /// What is taken for kept where the file is gone or damaged: that wrong codes were typed.
    pub const fn unknown(now: Moment) -> Self {
        Self { wrong: FREE, wipe_after: 0, last: now }
    }
}

/// How long to wait after so many wrong codes in a row: nothing for the first few, then 5 seconds,
/// doubling up to an hour.
pub fn wait_after(wrong: u32) -> Millis {
    let Some(doublings) = wrong.checked_sub(FREE) else { return 0 };
    let wait = 1_u64.checked_shl(doublings).and_then(|times| FIRST_WAIT.checked_mul(times));
    wait.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

fn checksum(covered: &[u8]) -> [u8; CHECKSUM_BYTES] {
    // 16 is a length BLAKE2b has, so there is no error to tell.
    blake2b(&[covered]).unwrap_or_default()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(boot: u8, since: Millis) -> Moment {
        Moment { boot: [boot; 16], since }
    }

    fn after(wrong: u32, last: Moment) -> Attempts {
        Attempts { wrong, wipe_after: 0, last }
    }

    #[test]
    fn the_first_codes_are_free_and_then_waits_double_up_to_an_hour() {
        let waits: Vec<_> = (0..7).map(wait_after).collect();
        assert_eq!(waits, [0, 0, 0, 5_000, 10_000, 20_000, 40_000]);
        assert_eq!((wait_after(12), wait_after(13)), (2_560_000, 3_600_000));
        assert_eq!((wait_after(70), wait_after(u32::MAX)), (3_600_000, 3_600_000));
    }

    #[test]
    fn a_wait_runs_off_within_a_run_of_the_machine() {
        let mut attempts = after(4, at(1, 1_000_000));
        assert_eq!(attempts.wait(at(1, 1_000_000)), 10_000);
        assert_eq!(attempts.wait(at(1, 1_009_999)), 1);
        assert_eq!(attempts.wait(at(1, 1_010_000)), 0);
    }

    #[test]
    fn starting_the_machine_anew_never_shortens_a_wait() {
        let mut attempts = after(4, at(1, 1_000_000));
        assert_eq!(attempts.wait(at(2, 3_000)), 7_000);
        assert_eq!(attempts.wait(at(2, 10_000)), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_begins_the_wait_anew_and_ends_it_once() {
        let mut attempts = after(4, at(0, 1_000_000));
        assert_eq!(attempts.wait(at(0, 5_000)), 10_000);
        assert_eq!(attempts.wait(at(0, 15_000)), 0);
    }

    #[test]
    fn an_attempt_counts_from_its_beginning_and_a_right_one_ends_the_row() {
        let mut attempts = Attempts { wipe_after: 2, ..Attempts::default() };
        attempts.begin(at(1, 5));
        assert_eq!((attempts.wrong, attempts.wipes()), (1, false));
        attempts.begin(at(1, 6));
        assert!(attempts.wipes());
        attempts.succeed();
        assert_eq!(attempts, Attempts { wipe_after: 2, ..Attempts::default() });
        assert!(!after(u32::MAX, at(1, 1)).wipes(), "never unless asked for");
    }

    proptest! {
        #[test]
        fn attempts_survive_being_written_and_read_and_damage_is_seen(
            wrong: u32,
            wipe_after: u32,
            boot: [u8; 16],
            since: u64,
            flipped in 0_usize..FILE_BYTES,
            bit in 0_u32..8,
        ) {
            let attempts = Attempts { wrong, wipe_after, last: Moment { boot, since } };
            let mut bytes = attempts.encode();
            prop_assert_eq!(Attempts::decode(&bytes), Some(attempts));
            bytes[flipped] ^= 1 << bit;
            prop_assert_eq!(Attempts::decode(&bytes), None);
        }

        #[test]
        fn any_bytes_read_as_attempts_or_as_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Attempts::decode(&bytes);
            let _ = Attempts::decode(&[&MAGIC[..], &[VERSION, 0, 0, 0], &bytes].concat());
        }

        #[test]
        fn no_wait_is_longer_than_its_kind(wrong: u32, last: u64, now: u64, same: bool) {
            let mut attempts = after(wrong, at(1, last));
            prop_assert!(attempts.wait(at(u8::from(same), now)) <= wait_after(wrong));
        }
    }
}
