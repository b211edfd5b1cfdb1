//! Who has to prove work, and whether a proof holds.
//!
//! A challenge costs the node nothing to keep: its salt is a MAC over its time, a random draw and
//! what it is for, so that it is known again. A proof is checked from cheap to dear: freshness,
//! whether it was used, the claimed guess and its fee, and last, by the caller's leave, the guess
//! itself.

use std::collections::HashMap;

use warren_crypto::hash::hmac_sha256;
use warren_crypto::password::{Cost, SALT_BYTES};
use warren_crypto::{CryptoError, Entropy, Secret, entropy};
use warren_wire::limits::SECOND;
use warren_wire::work::{Terms, WorkProof};
use warren_wire::{AccountId, Millis};

/// How many used challenges are remembered; more are not accepted within one lifetime.
const MOST_USED: usize = 20_000;
/// How far a challenge may lie ahead: a clock that was set back.
const AHEAD: Millis = 10 * SECOND;

/// What a challenge is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A mailbox that gets more than its share.
    Mailbox(&'a AccountId),
    /// A client that asks more than its share, by the bytes of its network.
    Client(&'a [u8]),
}

/// Why a proof does not admit its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The challenge is too old, or from the future.
    #[error("the challenge has expired")]
    Stale,
    /// It was answered before.
    #[error("the challenge was used")]
    Used,
    /// The work was not done, or for something else.
    #[error("the proof of work does not hold")]
    Wrong,
    /// Too many were answered of late.
    #[error("too many proofs of work, try again later")]
    Crowded,
}

impl From<CryptoError> for ProofError {
    fn from(_: CryptoError) -> Self {
        Self::Wrong
    }
}

/// What a proof costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// One guess.
    pub cost: Cost,
    /// 2^bits guesses are needed on average.
    pub bits: u8,
    /// How long a challenge may be answered.
    pub life: Millis,
}

/// Makes challenges and checks what is answered.
pub struct Challenger {
    secret: Secret<32>,
    price: Price,
    used: HashMap<[u8; SALT_BYTES], Millis>,
}

/// A proof that passed every cheap check.
#[derive(Debug, PartialEq, Eq)]
pub struct Plausible {
    proof: WorkProof,
    salt: [u8; SALT_BYTES],
    cost: Cost,
    target: Vec<u8>,
}

impl Challenger {
    /// A challenger with a secret of its own: what another one asked for does not count here.
    pub fn new(price: Price, entropy: &mut dyn Entropy) -> Self {
        Self { secret: Secret::random(entropy), price, used: HashMap::new() }
    }

    /// Asks for work.
    pub fn challenge(
        &self,
        subject: &Subject<'_>,
        now: Millis,
        entropy: &mut dyn Entropy,
    ) -> Terms {
        let draw = entropy::random(entropy);
        Terms {
            issued: now,
            expires: now.saturating_add(self.price.life),
            draw,
            salt: self.salt(subject, now, draw),
            cost: self.price.cost,
            bits: self.price.bits,
        }
    }

    /// The cheap checks. A challenge is used up by passing them.
    ///
    /// # Errors
    /// Where the proof is stale, used or wrong.
    pub fn admit(
        &mut self,
        proof: WorkProof,
        subject: &Subject<'_>,
        target: &[u8],
        now: Millis,
    ) -> Result<Plausible, ProofError> {
        let expires = proof.issued.saturating_add(self.price.life);
        if expires <= now || proof.issued > now.saturating_add(AHEAD) {
            return Err(ProofError::Stale);
        }
        let salt = self.salt(subject, proof.issued, proof.draw);
        if self.used.contains_key(&salt) {
            return Err(ProofError::Used);
        }
        if !proof.is_plausible(&salt, self.price.bits, target)? {
            return Err(ProofError::Wrong);
        }
        if self.used.len() >= MOST_USED {
            self.used.retain(|_, expires| *expires > now);
            if self.used.len() >= MOST_USED {
                return Err(ProofError::Crowded);
            }
        }
        self.used.insert(salt, expires);
        Ok(Plausible { proof, salt, cost: self.price.cost, target: target.to_vec() })
    }

    fn salt(&self, subject: &Subject<'_>, issued: Millis, draw: [u8; 8]) -> [u8; SALT_BYTES] {
        let (kind, name) = match subject {
            Subject::Mailbox(account) => (b"mailbox", account.as_bytes().as_slice()),
            Subject::Client(network) => (b"client ", *network),
        };
        let text = [kind.as_slice(), &issued.to_le_bytes(), &draw, name].concat();
        let mac = hmac_sha256(self.secret.expose(), &text);
        let mut salt = [0; SALT_BYTES];
        salt.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
        salt
    }
}

impl Plausible {
    /// The dear check: one guess of the price.
    ///
    /// # Errors
    /// Where the guess is not what it claims to be.
    pub fn verify(&self) -> Result<(), ProofError> {
        let holds = self.proof.is_true(&self.salt, self.cost, &self.target)?;
        if holds { Ok(()) } else { Err(ProofError::Wrong) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICE: Price = Price { cost: Cost::LEAST, bits: 2, life: 60 * SECOND };
    const NOW: Millis = 1_700_000_000_000;

    /// Numbers that are the same at every run.
    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            for byte in buffer {
                self.0 = self.0.wrapping_mul(5).wrapping_add(1);
                *byte = self.0;
            }
        }
    }

    fn owner(last: u8) -> AccountId {
        format!("05{}{last:02x}", "ab".repeat(31)).parse().unwrap()
    }

    fn solved(challenger: &Challenger, subject: &Subject<'_>, entropy: &mut Counting) -> WorkProof {
        challenger.challenge(subject, NOW, entropy).solve(b"hash", entropy).unwrap()
    }

    #[test]
    fn a_proof_admits_one_message_to_one_mailbox_once() {
        let entropy = &mut Counting(1);
        let mut challenger = Challenger::new(PRICE, entropy);
        let (owner, other) = (owner(1), owner(2));
        let subject = Subject::Mailbox(&owner);
        let proof = solved(&challenger, &subject, entropy);
        let wrong = Err(ProofError::Wrong);
        assert_eq!(challenger.admit(proof.clone(), &subject, b"else", NOW), wrong);
        let elsewhere = Subject::Mailbox(&other);
        assert_eq!(challenger.admit(proof.clone(), &elsewhere, b"hash", NOW), wrong);
        let client = Subject::Client(owner.as_bytes());
        assert_eq!(challenger.admit(proof.clone(), &client, b"hash", NOW), wrong);
        let plausible = challenger.admit(proof.clone(), &subject, b"hash", NOW + 59 * SECOND);
        assert_eq!(plausible.unwrap().verify(), Ok(()));
        let again = challenger.admit(proof, &subject, b"hash", NOW);
        assert_eq!(again, Err(ProofError::Used));
    }

    #[test]
    fn a_proof_is_good_for_as_long_as_its_challenge_and_for_its_maker_alone() {
        let entropy = &mut Counting(1);
        let mut challenger = Challenger::new(PRICE, entropy);
        let owner = owner(1);
        let subject = Subject::Mailbox(&owner);
        let proof = solved(&challenger, &subject, entropy);
        let mut at = |now| challenger.admit(proof.clone(), &subject, b"hash", now).map(|_| ());
        assert_eq!(at(NOW + 60 * SECOND), Err(ProofError::Stale));
        assert_eq!(at(NOW - AHEAD - 1), Err(ProofError::Stale));
        let mut other = Challenger::new(PRICE, entropy);
        let refused = other.admit(proof.clone(), &subject, b"hash", NOW);
        assert_eq!(refused, Err(ProofError::Wrong));
        let mut dated = proof;
        dated.issued += 1;
        assert_eq!(challenger.admit(dated, &subject, b"hash", NOW), Err(ProofError::Wrong));
    }

    #[test]
    fn proofs_for_challenges_that_nobody_asked_for_cost_no_guess() {
        let entropy = &mut Counting(1);
        let mut challenger = Challenger::new(PRICE, entropy);
        let owner = owner(1);
        let refused = (0..1_000).filter(|number| {
            let proof = WorkProof {
                issued: NOW,
                draw: entropy::random(entropy),
                nonce: *number,
                guess: [0; 32],
                fee: *number,
            };
            challenger.admit(proof, &Subject::Mailbox(&owner), b"hash", NOW).is_err()
        });
        // One in 2^14 passes by luck.
        assert!(refused.count() > 990);
    }

    #[test]
    fn used_challenges_are_remembered_within_bounds() {
        let entropy = &mut Counting(1);
        let mut challenger = Challenger::new(PRICE, entropy);
        let owner = owner(1);
        let subject = Subject::Mailbox(&owner);
        let proof = solved(&challenger, &subject, entropy);
        for number in 0..MOST_USED {
            let mut salt = [0; SALT_BYTES];
            salt[..8].copy_from_slice(&number.to_le_bytes());
            challenger.used.insert(salt, NOW + 1);
        }
        let mut admit = |now| challenger.admit(proof.clone(), &subject, b"hash", now).map(|_| ());
        assert_eq!(admit(NOW), Err(ProofError::Crowded));
        assert_eq!(admit(NOW + 1), Ok(()));
        assert_eq!(challenger.used.len(), 1);
    }
}
