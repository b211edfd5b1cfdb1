//! A hybrid logical clock: stamps that follow the time and never go back.

use warren_wire::limits::CLOCK_TOLERANCE;
use warren_wire::{Millis, Stamp};

/// A stamp that is further ahead of this node's clock than the clocks of two members may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stamp too far ahead of current time")]
pub struct TooFarAhead;

/// How far ahead of this node's clock a stamp may be to move it. Half of what is let pass: one member
/// that stamps as far ahead as it may would otherwise have all others stamp what those among them
/// refuse whose clocks are behind.
pub const FOLLOWED: Millis = CLOCK_TOLERANCE / 2;

/// Gives stamps greater than all it gave or was shown, those aside that are far ahead.
#[derive(Debug, Clone, Default)]
pub struct HybridClock {
    last: Stamp,
}

impl HybridClock {
    /// The next stamp: the time, or what follows the greatest stamp seen where that is later.
    pub fn next(&mut self, now: Millis) -> Stamp {
        self.last = Stamp::at(now).max(self.last.next());
        self.last
    }

    /// Takes note of a stamp of another member, unless it is further ahead than [`FOLLOWED`].
    ///
    /// # Errors
    /// Where it is too far ahead to be let pass; the clock then stays as it is.
    pub fn observe(&mut self, seen: Stamp, now: Millis) -> Result<(), TooFarAhead> {
        admit(seen, now)?;
        if seen.time() <= now.saturating_add(FOLLOWED) {
            self.last = self.last.max(seen);
        }
        Ok(())
    }
}

/// Lets a stamp pass that may come from a member's clock.
///
/// # Errors
/// Where it is too far ahead of `now`.
pub const fn admit(stamp: Stamp, now: Millis) -> Result<(), TooFarAhead> {
    if stamp.time() > now.saturating_add(CLOCK_TOLERANCE) { Err(TooFarAhead) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    proptest! {
        #[test]
        fn stamps_only_ever_grow_whatever_the_clock_does(
            steps in prop::collection::vec((NOW - 5_000..NOW + 5_000, prop::option::of(any::<u32>())), 1..50),
        ) {
            let mut clock = HybridClock::default();
            let mut greatest = Stamp::default();
            for (now, seen) in steps {
                if let Some(offset) = seen {
                    let seen = Stamp::at(NOW - 2_000_000_000 + u64::from(offset));
                    match clock.observe(seen, now) {
                        Ok(()) if seen.time() <= now + FOLLOWED => greatest = greatest.max(seen),
                        Ok(()) => {}
                        Err(TooFarAhead) => prop_assert!(seen.time() > now + CLOCK_TOLERANCE),
                    }
                }
                let next = clock.next(now);
                prop_assert!(next > greatest && next >= Stamp::at(now));
                greatest = next;
            }
        }
    }

    #[test]
    fn a_stamp_far_ahead_moves_nothing() {
        let mut clock = HybridClock::default();
        let far = Stamp::at(NOW + CLOCK_TOLERANCE + 1);
        assert_eq!(clock.observe(far, NOW), Err(TooFarAhead));
        assert_eq!(clock.next(NOW), Stamp::at(NOW));
    }

    #[test]
    fn a_stamp_that_others_may_refuse_passes_and_moves_nothing() {
        let mut clock = HybridClock::default();
        assert_eq!(clock.observe(Stamp::at(NOW + CLOCK_TOLERANCE), NOW), Ok(()));
        assert_eq!(clock.next(NOW), Stamp::at(NOW));
        let near = Stamp::at(NOW + FOLLOWED);
        assert_eq!(clock.observe(near, NOW), Ok(()));
        assert_eq!(clock.next(NOW), near.next());
    }
}
