//! When a swarm took something in: a hybrid logical clock's reading, which orders what members do.

use crate::limits::Millis;

/// How many bits of a stamp count within one millisecond.
const COUNTER_BITS: u32 = 16;

/// Milliseconds since the Unix epoch, and a counter of 16 bits behind them.
///
/// The member of a swarm that takes a request from a client gives it a stamp greater than all it has
/// seen; every member carries the request out under that stamp. So all agree on which of two came
/// later, whatever order they arrive in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The first stamp of a millisecond.
    pub const fn at(time: Millis) -> Self {
        Self(time << COUNTER_BITS)
    }

    /// The time in it.
    pub const fn time(self) -> Millis {
        self.0 >> COUNTER_BITS
    }

    /// The next greater stamp; the greatest stays as it is.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_sort_by_time_and_then_by_count() {
        let stamp = Stamp::at(1_700_000_000_000);
        assert_eq!(stamp.time(), 1_700_000_000_000);
        assert!(stamp.next() > stamp && stamp.next() < Stamp::at(1_700_000_000_001));
        assert_eq!(stamp.next().time(), stamp.time());
    }
}
