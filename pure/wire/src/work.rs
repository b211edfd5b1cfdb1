//! Proofs of work: what a flooded node asks of a sender, and what the sender answers.
//!
//! One guess is `Argon2id(password = label || salt || target || nonce, salt)`; a proof is a guess
//! that begins with enough zero bits. A fee on top, `BLAKE2b-32(label || salt || target || nonce ||
//! guess || fee)` with [`FEE_BITS`] leading zero bits, makes a false guess cost its maker about what
//! refuting it costs the node, and is checked first. No part of Session's wire: its clients see
//! status 429 and come back later.

use warren_crypto::hash::blake2b;
use warren_crypto::password::{Cost, SALT_BYTES, derive_key};
use warren_crypto::{CryptoError, Entropy, entropy};

use crate::limits::Millis;
use crate::value::{Dict, Value, decode_base64};

/// Leading zero bits of the fee.
pub const FEE_BITS: u32 = 14;
/// What a sender agrees to at most: a node that asks for more is passed over.
pub const MOST: (Cost, u8) = (Cost { passes: 4, memory_kib: 64 * 1024 }, 8);

const LABEL: &[u8] = b"warren work 1";
const VERSION: i128 = 1;

/// What a node asks for. `salt` is known to whoever got the terms alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// When they were made, by the node's clock.
    pub issued: Millis,
    /// Until when they hold.
    pub expires: Millis,
    /// What tells terms of the same time apart.
    pub draw: [u8; 8],
    /// What the work is bound to.
    pub salt: [u8; SALT_BYTES],
    /// The price of one guess.
    pub cost: Cost,
    /// Leading zero bits of a guess that is a proof.
    pub bits: u8,
}

/// What a sender answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkProof {
    /// The terms' time.
    pub issued: Millis,
    /// The terms' draw.
    pub draw: [u8; 8],
    /// The nonce of the guess.
    pub nonce: u64,
    /// The guess.
    pub guess: [u8; 32],
    /// The nonce of the fee.
    pub fee: u64,
}

impl Terms {
    /// As they go on the wire.
    pub fn to_value(&self) -> Value {
        Value::dict([
            ("version", Value::Integer(VERSION)),
            ("issued", self.issued.into()),
            ("expires", self.expires.into()),
            ("draw", Value::Bytes(self.draw.to_vec())),
            ("salt", Value::Bytes(self.salt.to_vec())),
            ("passes", u64::from(self.cost.passes).into()),
            ("memory_kib", u64::from(self.cost.memory_kib).into()),
            ("bits", u64::from(self.bits).into()),
        ])
    }

    /// Reads what a node asks for; `None` where it is malformed or more than [`MOST`].
    pub fn read(value: &Value) -> Option<Self> {
        let dict = versioned(value)?;
        let cost =
            Cost { passes: number(dict, "passes")?, memory_kib: number(dict, "memory_kib")? };
        let bits = number(dict, "bits")?;
        let (most, most_bits) = MOST;
        let fair = cost.passes <= most.passes
            && cost.memory_kib <= most.memory_kib
            && bits <= most_bits
            && cost.passes >= Cost::LEAST.passes
            && cost.memory_kib >= Cost::LEAST.memory_kib;
        fair.then_some(Self {
            issued: number(dict, "issued")?,
            expires: number(dict, "expires")?,
            draw: bytes(dict, "draw")?,
            salt: bytes(dict, "salt")?,
            cost,
            bits,
        })
    }

    /// Does the work for a target, the hash of the message to be stored. Takes about `2^bits`
    /// guesses, each at the terms' cost.
    ///
    /// # Errors
    /// Where the memory for a guess is not to be had.
    pub fn solve(
        &self,
        target: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<WorkProof, CryptoError> {
        let mut nonce = u64::from_le_bytes(entropy::random(entropy));
        loop {
            let guess = guess(&self.salt, self.cost, target, nonce)?;
            if zero_bits(&guess) >= self.bits.into() {
                let mut proof =
                    WorkProof { issued: self.issued, draw: self.draw, nonce, guess, fee: 0 };
                while !proof.pays_fee(&self.salt, target)? {
                    proof.fee = proof.fee.wrapping_add(1);
                }
                return Ok(proof);
            }
            nonce = nonce.wrapping_add(1);
        }
    }
}

impl WorkProof {
    /// As it goes on the wire.
    pub fn to_value(&self) -> Value {
        Value::dict([
            ("version", Value::Integer(VERSION)),
            ("issued", self.issued.into()),
            ("draw", Value::Bytes(self.draw.to_vec())),
            ("nonce", self.nonce.into()),
            ("guess", Value::Bytes(self.guess.to_vec())),
            ("fee", self.fee.into()),
        ])
    }

    /// Reads what a sender answers; `None` where it is malformed.
    pub fn read(value: &Value) -> Option<Self> {
        let dict = versioned(value)?;
        Some(Self {
            issued: number(dict, "issued")?,
            draw: bytes(dict, "draw")?,
            nonce: number(dict, "nonce")?,
            guess: bytes(dict, "guess")?,
            fee: number(dict, "fee")?,
        })
    }

    /// The cheap half of a check: the claimed guess is good enough, and its fee is paid.
    ///
    /// # Errors
    /// Where the hash is not to be had.
    pub fn is_plausible(
        &self,
        salt: &[u8; SALT_BYTES],
        bits: u8,
        target: &[u8],
    ) -> Result<bool, CryptoError> {
        Ok(zero_bits(&self.guess) >= bits.into() && self.pays_fee(salt, target)?)
    }

    /// The dear half: the guess is what it claims to be. Costs one guess.
    ///
    /// # Errors
    /// Where the memory for a guess is not to be had.
    pub fn is_true(
        &self,
        salt: &[u8; SALT_BYTES],
        cost: Cost,
        target: &[u8],
    ) -> Result<bool, CryptoError> {
        Ok(guess(salt, cost, target, self.nonce)? == self.guess)
    }

    fn pays_fee(&self, salt: &[u8; SALT_BYTES], target: &[u8]) -> Result<bool, CryptoError> {
        let (nonce, fee) = (self.nonce.to_le_bytes(), self.fee.to_le_bytes());
        let digest = blake2b::<32>(&[LABEL, salt, target, &nonce, &self.guess, &fee])?;
        Ok(zero_bits(&digest) >= FEE_BITS)
    }
}

fn guess(
    salt: &[u8; SALT_BYTES],
    cost: Cost,
    target: &[u8],
    nonce: u64,
) -> Result<[u8; 32], CryptoError> {
    let password = [LABEL, salt, target, &nonce.to_le_bytes()].concat();
    Ok(*derive_key(&password, salt, cost)?.expose())
}

fn zero_bits(digest: &[u8; 32]) -> u32 {
    let (zeros, rest) = digest.split_at(digest.iter().take_while(|byte| **byte == 0).count());
    let whole = u32::try_from(zeros.len()).unwrap_or(u32::MAX).saturating_mul(8);
    whole.saturating_add(rest.first().map_or(0, |byte| byte.leading_zeros()))
}

fn versioned(value: &Value) -> Option<&Dict> {
    let dict = value.as_dict()?;
    (dict.get("version")?.as_integer()? == VERSION).then_some(dict)
}

fn number<T: TryFrom<i128>>(dict: &Dict, name: &str) -> Option<T> {
    T::try_from(dict.get(name)?.as_integer()?).ok()
}

fn bytes<const N: usize>(dict: &Dict, name: &str) -> Option<[u8; N]> {
    match dict.get(name)? {
        Value::Bytes(bytes) => bytes.as_slice().try_into().ok(),
        Value::Text(text) => decode_base64(text)?.try_into().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    #[expect(clippy::disallowed_types, reason = "a test needs no replay of its randomness")]
    use warren_crypto::SystemEntropy;

    use super::*;

    fn terms(bits: u8) -> Terms {
        Terms { issued: 5, expires: 9, draw: [1; 8], salt: [2; 16], cost: Cost::LEAST, bits }
    }

    #[test]
    fn a_solution_holds_for_its_target_and_salt_alone() {
        let terms = terms(3);
        let proof = terms.solve(b"message", &mut SystemEntropy).unwrap();
        let plausible = |salt, target| proof.is_plausible(salt, 3, target).unwrap();
        assert!(plausible(&terms.salt, b"message"));
        assert!(proof.is_true(&terms.salt, terms.cost, b"message").unwrap());
        assert!(!plausible(&terms.salt, b"another"));
        assert!(!plausible(&[3; 16], b"message"));
        assert!(!proof.is_true(&terms.salt, terms.cost, b"another").unwrap());
    }

    #[test]
    fn an_invented_guess_pays_the_fee_and_is_still_found_out() {
        let terms = terms(8);
        let mut proof = terms.solve(b"message", &mut SystemEntropy).unwrap();
        proof.nonce ^= 1;
        while !proof.pays_fee(&terms.salt, b"message").unwrap() {
            proof.fee += 1;
        }
        assert!(proof.is_plausible(&terms.salt, 8, b"message").unwrap());
        assert!(!proof.is_true(&terms.salt, terms.cost, b"message").unwrap());
    }

    #[test]
    fn terms_beyond_what_a_sender_agrees_to_are_none() {
        assert_eq!(Terms::read(&terms(8).to_value()), Some(terms(8)));
        assert_eq!(Terms::read(&terms(9).to_value()), None);
        let cost = Cost { passes: 1, memory_kib: 64 * 1024 + 1 };
        assert_eq!(Terms::read(&Terms { cost, ..terms(1) }.to_value()), None);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_json(nonce: u64, fee: u64, issued: u64, guess: [u8; 32], draw: [u8; 8]) {
            let proof = WorkProof { issued, draw, nonce, guess, fee };
            let json = proof.to_value().to_json().to_string();
            let value = Value::from_json(json.as_bytes()).unwrap();
            prop_assert_eq!(WorkProof::read(&value), Some(proof));
        }

        #[test]
        fn any_json_is_read_or_is_none(text in r#"\{("(version|issued|draw|nonce|guess|fee|salt|bits)":(1|-1|"AAAA"|\[\]|null|1e9),?){0,8}"version":1\}"#) {
            if let Ok(value) = Value::from_json(text.as_bytes()) {
                let _ = (WorkProof::read(&value), Terms::read(&value));
            }
        }
    }
}
