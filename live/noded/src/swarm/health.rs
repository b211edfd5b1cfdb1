//! Which members answer, and when to try those again that do not.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use warren_wire::NodeId;

/// How long after the first failure a member is tried again.
const FIRST: Duration = Duration::from_secs(1);
/// The longest time between two tries.
const LONGEST: Duration = Duration::from_secs(60);

/// What is remembered of members that did not answer.
#[derive(Debug, Default)]
pub struct Health {
    failing: BTreeMap<NodeId, Failing>,
}

#[derive(Debug)]
struct Failing {
    failures: u32,
    next_try: Instant,
}

impl Health {
    /// Whether the last call was answered, or none was made.
    pub fn is_healthy(&self, peer: &NodeId) -> bool {
        !self.failing.contains_key(peer)
    }

    /// Whether a call is due that nobody waits for.
    pub fn may_try(&self, peer: &NodeId, now: Instant) -> bool {
        self.failing.get(peer).is_none_or(|failing| failing.next_try <= now)
    }

    /// A call was answered; whether earlier ones were not.
    pub fn answered(&mut self, peer: &NodeId) -> bool {
        self.failing.remove(peer).is_some()
    }

    /// A call was not answered, or not as it should be. `spread` from 0 to 1 keeps members from
    /// trying in step.
    pub fn failed(&mut self, peer: NodeId, now: Instant, spread: f64) {
        let entry = self.failing.entry(peer).or_insert(Failing { failures: 0, next_try: now });
        if entry.failures > 0 && entry.next_try > now {
            // Calls that were under way together count once.
            return;
        }
        let wait = FIRST.saturating_mul(1 << entry.failures.min(10)).min(LONGEST);
        entry.failures = entry.failures.saturating_add(1);
        entry.next_try = now + wait.mul_f64(0.75 + 0.5 * spread.clamp(0.0, 1.0));
    }

    /// It called here, so it may answer again; whether its next try was still ahead.
    pub fn called(&mut self, peer: &NodeId, now: Instant) -> bool {
        match self.failing.get_mut(peer) {
            Some(failing) if failing.next_try > now => {
                failing.next_try = now;
                true
            }
            _ => false,
        }
    }

    /// Forgets members that are none any more.
    pub fn retain(&mut self, is_member: impl Fn(&NodeId) -> bool) {
        self.failing.retain(|peer, _| is_member(peer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_member_is_tried_ever_more_rarely_until_it_answers() {
        let (peer, mut health) = (NodeId::from_bytes([1; 32]), Health::default());
        let mut now = Instant::now();
        assert!(health.is_healthy(&peer) && health.may_try(&peer, now));
        let mut waits = Vec::new();
        for _ in 0..10 {
            health.failed(peer, now, 0.5);
            // Those under way at the same time.
            health.failed(peer, now, 0.5);
            assert!(!health.is_healthy(&peer) && !health.may_try(&peer, now));
            let begun = now;
            while !health.may_try(&peer, now) {
                now += Duration::from_millis(500);
            }
            waits.push(now.duration_since(begun).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        health.failed(peer, now, 0.5);
        assert!(health.called(&peer, now) && !health.called(&peer, now));
        assert!(health.may_try(&peer, now) && !health.is_healthy(&peer));
        assert!(health.answered(&peer) && !health.answered(&peer));
        assert!(health.may_try(&peer, now));
    }
}
