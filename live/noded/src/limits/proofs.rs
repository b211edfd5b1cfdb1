//! Checking proofs of work: one at a time, with few that wait, so that false ones cost little.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use warren_crypto::SystemEntropy;
use warren_crypto::password::Cost;
use warren_node::challenge::{Challenger, Price, ProofError, Subject};
use warren_wire::Millis;
use warren_wire::limits::SECOND;
use warren_wire::work::{Terms, WorkProof};

use crate::config::ProofConfig;
use crate::telemetry;

/// How many proofs are being checked or wait for it; those beyond are told to come back.
const MOST_WAITING: usize = 3;

/// Asks for work and checks it.
pub struct Proofs {
    challenger: Mutex<Challenger>,
    places: Semaphore,
    turn: Arc<Semaphore>,
}

impl Proofs {
    /// With a secret of its own, at the configured price.
    pub fn new(config: &ProofConfig) -> Self {
        let cost = Cost { passes: config.passes.get(), memory_kib: config.memory_kib.get() };
        let life = Millis::from(config.seconds.get()).saturating_mul(SECOND);
        let price = Price { cost, bits: config.bits, life };
        Self {
            challenger: Mutex::new(Challenger::new(price, &mut SystemEntropy)),
            places: Semaphore::new(MOST_WAITING),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Asks for work.
    pub fn ask(&self, subject: &Subject<'_>, now: Millis) -> Terms {
        let challenger = self.challenger.lock().unwrap_or_else(PoisonError::into_inner);
        challenger.challenge(subject, now, &mut SystemEntropy)
    }

    /// Whether the work was done.
    ///
    /// # Errors
    /// Where it was not, or where too many wait for the answer.
    pub async fn check(
        &self,
        proof: WorkProof,
        subject: &Subject<'_>,
        target: &[u8],
        now: Millis,
    ) -> Result<(), ProofError> {
        let checked = self.check_in_turn(proof, subject, target, now).await;
        telemetry::proof(match checked {
            Ok(()) => "holds",
            Err(ProofError::Stale) => "stale",
            Err(ProofError::Used) => "used",
            Err(ProofError::Wrong) => "wrong",
            Err(ProofError::Crowded) => "crowded",
        });
        checked
    }

    async fn check_in_turn(
        &self,
        proof: WorkProof,
        subject: &Subject<'_>,
        target: &[u8],
        now: Millis,
    ) -> Result<(), ProofError> {
        let _place = self.places.try_acquire().map_err(|_| ProofError::Crowded)?;
        let plausible = {
            let mut challenger = self.challenger.lock().unwrap_or_else(PoisonError::into_inner);
            challenger.admit(proof, subject, target, now)?
        };
        // The turn goes with the check, which ends even where its client does not wait for it.
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            plausible.verify()
        });
        checked.await.unwrap_or(Err(ProofError::Crowded))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    fn proofs() -> Proofs {
        let memory_kib = 8.try_into().unwrap();
        Proofs::new(&ProofConfig { memory_kib, bits: 1, ..ProofConfig::default() })
    }

    #[tokio::test]
    async fn work_that_was_done_admits_and_false_work_does_not() {
        let (proofs, subject, now) = (proofs(), Subject::Client(b"x"), 1_000_000);
        let done = proofs.ask(&subject, now).solve(b"a", &mut SystemEntropy).unwrap();
        assert_eq!(proofs.check(done.clone(), &subject, b"b", now).await, Err(ProofError::Wrong));
        assert_eq!(proofs.check(done.clone(), &subject, b"a", now).await, Ok(()));
        assert_eq!(proofs.check(done, &subject, b"a", now).await, Err(ProofError::Used));
    }

    #[tokio::test]
    async fn no_more_than_a_few_proofs_wait_at_once() {
        let (proofs, subject, now) = (proofs(), Subject::Client(b"x"), 1_000_000);
        let solve = |_| proofs.ask(&subject, now).solve(b"a", &mut SystemEntropy).unwrap();
        let done: Vec<_> = (0..10).map(solve).collect();
        let checks = done.into_iter().map(|proof| proofs.check(proof, &subject, b"a", now));
        let results = join_all(checks).await;
        assert_eq!(results.iter().filter(|it| it.is_ok()).count(), MOST_WAITING);
        let crowded = results.iter().filter(|it| **it == Err(ProofError::Crowded)).count();
        assert_eq!(crowded, 10 - MOST_WAITING);
    }
}
