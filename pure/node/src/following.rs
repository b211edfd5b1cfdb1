//! How a node goes by what authorities say of the newest list, though some of them may lie.

use warren_wire::Millis;
use warren_wire::directory::Announced;
use warren_wire::limits::SECOND;

/// In a network that others reach, no list is made more often than this.
const SHORTEST_INTERVAL: Millis = 60 * SECOND;
/// So long after a fetch that brought nothing too few authorities are not believed again.
const DOUBT: Millis = 5 * 60 * SECOND;

/// From one list to the next, as the middle one of the authorities has it: fewer than half of them can
/// neither hurry a node nor hold it back. `None` where nobody answered.
pub fn interval(answers: &[Announced], is_local: bool) -> Option<Millis> {
    let mut claimed: Vec<Millis> = answers.iter().map(|answer| answer.interval).collect();
    claimed.sort_unstable();
    let middle = *claimed.get(claimed.len() / 2)?;
    Some(if is_local { middle } else { middle.max(SHORTEST_INTERVAL) })
}

/// When a node fetches a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fetches {
    in_vain: Option<Millis>,
}

impl Fetches {
    /// Whether to fetch: where as many authorities as must sign a list say that there is a newer one
    /// than `known`, or any says so and was not wrong of late.
    pub fn is_due(&self, answers: &[Announced], known: u64, threshold: usize, now: Millis) -> bool {
        let newer = answers.iter().filter(|answer| answer.sequence > known).count();
        let in_doubt = self.in_vain.is_some_and(|at| now.abs_diff(at) < DOUBT);
        newer >= threshold || (newer > 0 && !in_doubt)
    }

    /// Notes whether a fetch brought a newer list.
    pub fn note(&mut self, found: bool, now: Millis) {
        self.in_vain = (!found).then_some(now);
    }
}

#[cfg(test)]
mod tests {
    use warren_wire::directory::Standing;

    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    fn answers(claims: &[(Millis, u64)]) -> Vec<Announced> {
        let answer = |&(interval, sequence): &(Millis, u64)| Announced {
            standing: Standing::Reachable,
            listed: true,
            interval,
            sequence,
        };
        claims.iter().map(answer).collect()
    }

    #[test]
    fn one_authority_of_three_does_not_set_the_pace() {
        let of_three = |lie| interval(&answers(&[(600_000, 1), (lie, 1), (600_000, 1)]), false);
        assert_eq!((of_three(0), of_three(Millis::MAX)), (Some(600_000), Some(600_000)));
        let alone = answers(&[(0, 1)]);
        assert_eq!((interval(&alone, false), interval(&alone, true)), (Some(60_000), Some(0)));
        assert_eq!(interval(&[], false), None);
    }

    #[test]
    fn a_list_that_one_authority_invents_is_looked_for_once_in_a_while() {
        let mut fetches = Fetches::default();
        let lie = answers(&[(1, 9), (1, 7), (1, 7)]);
        assert!(fetches.is_due(&lie, 7, 2, NOW), "it may be the only one that is up to date");
        fetches.note(false, NOW);
        assert!(!fetches.is_due(&lie, 7, 2, NOW + DOUBT - 1));
        assert!(fetches.is_due(&lie, 7, 2, NOW + DOUBT));
        let more = answers(&[(1, 9), (1, 9), (1, 7)]);
        assert!(fetches.is_due(&more, 7, 2, NOW + 1), "as many as sign a list");
        assert!(!fetches.is_due(&more, 9, 2, NOW + DOUBT), "nothing newer");
        fetches.note(true, NOW);
        assert!(fetches.is_due(&lie, 7, 2, NOW + 1));
    }
}
