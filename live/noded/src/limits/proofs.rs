//! Checking proofs of work: one at a time of each kind, with few that wait, so that false ones cost
//! little and keep no honest one out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use warren_crypto::SystemEntropy;
use warren_crypto::password::Cost;
use warren_node::challenge::{Challenger, Price, ProofError, Subject};
use warren_wire::Millis;
use warren_wire::limits::SECOND;
use warren_wire::work::{Terms, WorkProof};

use super::network::Network;
use crate::config::ProofConfig;
use crate::telemetry;

/// How many proofs of one kind are being checked or wait for their turn to be; further ones wait
/// for a place.
const PLACES: usize = 3;
/// How long a proof waits for a place before its sender is told to come back.
const PATIENCE: Duration = Duration::from_secs(3);
/// For so long nothing is checked for an address that sent a false proof.
const PENALTY: Millis = 30 * SECOND;
/// How many such addresses are remembered.
const MOST_PENALTIES: usize = 10_000;

/// Asks for work and checks it.
pub struct Proofs {
    challenger: Mutex<Challenger>,
    clients: Line,
    mailboxes: Line,
    penalties: Mutex<HashMap<Network, Millis>>,
}

/// Those who wait for a check of one kind. The kinds do not wait for each other.
struct Line {
    places: Semaphore,
    turn: Arc<Semaphore>,
    /// Whose proof is there: one of each address, and one of each mailbox for those without.
    inside: Mutex<HashSet<Whose>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Whose {
    Address(Network),
    Mailbox(Vec<u8>),
}

/// A stay in a line, until it is dropped.
struct Stay<'a> {
    line: &'a Line,
    whose: Whose,
}

impl Proofs {
    /// With a secret of its own, at the configured price.
    pub fn new(config: &ProofConfig) -> Self {
        let cost = Cost { passes: config.passes.get(), memory_kib: config.memory_kib.get() };
        let life = Millis::from(config.seconds.get()).saturating_mul(SECOND);
        let price = Price { cost, bits: config.bits, life };
        Self {
            challenger: Mutex::new(Challenger::new(price, &mut SystemEntropy)),
            clients: Line::new(),
            mailboxes: Line::new(),
            penalties: Mutex::default(),
        }
    }

    /// Asks for work.
    pub fn ask(&self, subject: &Subject<'_>, now: Millis) -> Terms {
        let challenger = self.challenger.lock().unwrap_or_else(PoisonError::into_inner);
        challenger.challenge(subject, now, &mut SystemEntropy)
    }

    /// Whether the work was done. `sender` is who says so, where it has an address.
    ///
    /// # Errors
    /// Where it was not, or where too many wait for the answer.
    pub async fn check(
        &self,
        proof: WorkProof,
        subject: &Subject<'_>,
        sender: Option<Network>,
        target: &[u8],
        now: Millis,
    ) -> Result<(), ProofError> {
        let checked = self.check_in_turn(proof, subject, sender, target, now).await;
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
        sender: Option<Network>,
        target: &[u8],
        now: Millis,
    ) -> Result<(), ProofError> {
        if sender.is_some_and(|sender| self.is_penalised(sender, now)) {
            return Err(ProofError::Crowded);
        }
        let (line, name) = match subject {
            Subject::Client(network) => (&self.clients, *network),
            Subject::Mailbox(owner) => (&self.mailboxes, owner.as_bytes().as_slice()),
        };
        let whose = sender.map_or_else(|| Whose::Mailbox(name.to_vec()), Whose::Address);
        let _stay = line.enter(whose).ok_or(ProofError::Crowded)?;
        let place = timeout(PATIENCE, line.places.acquire()).await;
        let Ok(Ok(_place)) = place else { return Err(ProofError::Crowded) };
        let plausible = {
            let mut challenger = self.challenger.lock().unwrap_or_else(PoisonError::into_inner);
            challenger.admit(proof, subject, target, now)?
        };
        // The turn goes with the check, which ends even where its client does not wait for it.
        let turn = Arc::clone(&line.turn).acquire_owned().await;
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            plausible.verify()
        });
        let checked = checked.await.unwrap_or(Err(ProofError::Crowded));
        if let (Err(ProofError::Wrong), Some(sender)) = (checked, sender) {
            self.penalise(sender, now);
        }
        checked
    }

    fn is_penalised(&self, sender: Network, now: Millis) -> bool {
        let penalties = self.penalties.lock().unwrap_or_else(PoisonError::into_inner);
        penalties.get(&sender).is_some_and(|until| *until > now)
    }

    fn penalise(&self, sender: Network, now: Millis) {
        let mut penalties = self.penalties.lock().unwrap_or_else(PoisonError::into_inner);
        if penalties.len() >= MOST_PENALTIES {
            penalties.retain(|_, until| *until > now);
        }
        if penalties.len() < MOST_PENALTIES {
            penalties.insert(sender, now.saturating_add(PENALTY));
        }
    }
}

impl Line {
    fn new() -> Self {
        let turn = Arc::new(Semaphore::new(1));
        Self { places: Semaphore::new(PLACES), turn, inside: Mutex::default() }
    }

    /// Lets somebody wait who does not wait already.
    fn enter(&self, whose: Whose) -> Option<Stay<'_>> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.insert(whose.clone()).then(|| Stay { line: self, whose })
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        let mut inside = self.line.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.remove(&self.whose);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::future::join_all;

    use super::*;

    const NOW: Millis = 1_000_000;

    fn proofs() -> Proofs {
        let memory_kib = 8.try_into().unwrap();
        Proofs::new(&ProofConfig { memory_kib, bits: 1, ..ProofConfig::default() })
    }

    fn sender(last: u8) -> Option<Network> {
        Some(IpAddr::from(Ipv4Addr::new(192, 0, 2, last)).into())
    }

    fn solved(proofs: &Proofs, subject: &Subject<'_>) -> WorkProof {
        proofs.ask(subject, NOW).solve(b"a", &mut SystemEntropy).unwrap()
    }

    #[tokio::test]
    async fn work_that_was_done_admits_and_false_work_does_not() {
        let (proofs, subject) = (proofs(), Subject::Client(b"x"));
        let done = solved(&proofs, &subject);
        let wrong = proofs.check(done.clone(), &subject, None, b"b", NOW).await;
        assert_eq!(wrong, Err(ProofError::Wrong));
        assert_eq!(proofs.check(done.clone(), &subject, None, b"a", NOW).await, Ok(()));
        let again = proofs.check(done, &subject, None, b"a", NOW).await;
        assert_eq!(again, Err(ProofError::Used));
    }

    #[tokio::test]
    async fn many_senders_wait_for_their_turn_and_one_has_one_check_at_a_time() {
        let (proofs, subject) = (proofs(), Subject::Client(b"x"));
        let done: Vec<_> = (0..20).map(|_| solved(&proofs, &subject)).collect();
        let checks = done.into_iter().zip(0_u8..).map(|(proof, number)| {
            // Ten from addresses of their own, ten from one.
            proofs.check(proof, &subject, sender(number.min(10)), b"a", NOW)
        });
        let results = join_all(checks).await;
        assert_eq!(results.iter().filter(|it| it.is_ok()).count(), 11);
        let crowded = results.iter().filter(|it| **it == Err(ProofError::Crowded)).count();
        assert_eq!(crowded, 9);
    }

    #[tokio::test]
    async fn those_who_wait_for_one_kind_do_not_keep_the_other_out() {
        let (proofs, subject) = (proofs(), Subject::Client(b"x"));
        let places = u32::try_from(PLACES).unwrap();
        let _taken = proofs.mailboxes.places.acquire_many(places).await.unwrap();
        let done = solved(&proofs, &subject);
        assert_eq!(proofs.check(done, &subject, sender(1), b"a", NOW).await, Ok(()));
    }

    #[tokio::test]
    async fn an_address_that_sent_a_false_proof_waits() {
        let (proofs, subject) = (proofs(), Subject::Client(b"x"));
        proofs.penalise(Network::from(IpAddr::from([192, 0, 2, 1])), NOW);
        let done = solved(&proofs, &subject);
        let crowded = proofs.check(done.clone(), &subject, sender(1), b"a", NOW).await;
        assert_eq!(crowded, Err(ProofError::Crowded));
        assert_eq!(proofs.check(done, &subject, sender(2), b"a", NOW).await, Ok(()));
        let later = NOW + PENALTY;
        let done = proofs.ask(&subject, later).solve(b"a", &mut SystemEntropy).unwrap();
        assert_eq!(proofs.check(done, &subject, sender(1), b"a", later).await, Ok(()));
    }
}
