//! The bytes that are shared: as many as a seed has, encrypted as SLIP-0039 demands.

use std::num::NonZeroU32;

use warren_crypto::password::pbkdf2_sha256;
use warren_crypto::{Entropy, Secret};

use super::share::Set;
use crate::mnemonic::Seed;

/// Bytes of half a long seed.
const HALF_BYTES: usize = 16;
/// Rounds of the cipher (SLIP-0039, "Encryption of the master secret").
const ROUNDS: u8 = 4;
/// Iterations of PBKDF2 in one round, before the exponent: 10,000 over four rounds.
const ROUND_ITERATIONS: u32 = 2_500;

/// 16 or 32 secret bytes.
pub(super) struct Material {
    bytes: Secret<32>,
    length: usize,
}

impl Material {
    /// Takes the first `length` bytes over and wipes all.
    pub(super) fn take(bytes: &mut [u8; 32], length: usize) -> Self {
        Self { bytes: Secret::take(bytes), length }
    }

    /// Random ones.
    pub(super) fn random(length: usize, entropy: &mut dyn Entropy) -> Self {
        Self { bytes: Secret::random(entropy), length }
    }

    /// Those of a seed.
    pub(super) fn of_seed(seed: &Seed) -> Self {
        let length = match seed {
            Seed::Short(_) => 16,
            Seed::Long(_) => 32,
        };
        Self { bytes: seed.to_seed32(), length }
    }

    /// The seed that they are.
    pub(super) fn to_seed(&self) -> Seed {
        match Secret::from_slice(self.expose()) {
            Some(short) => Seed::Short(short),
            None => Seed::Long(self.bytes.duplicate()),
        }
    }

    pub(super) fn duplicate(&self) -> Self {
        Self { bytes: self.bytes.duplicate(), length: self.length }
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.bytes.expose().get(..self.length).unwrap_or_default()
    }

    pub(super) const fn length(&self) -> usize {
        self.length
    }

    /// Encrypts a master secret.
    pub(super) fn encrypt(&self, set: &Set, passphrase: &[u8]) -> Self {
        self.feistel(0..ROUNDS, set, passphrase)
    }

    /// The inverse of [`Material::encrypt`]. Any passphrase gives something.
    pub(super) fn decrypt(&self, set: &Set, passphrase: &[u8]) -> Self {
        self.feistel((0..ROUNDS).rev(), set, passphrase)
    }

    /// `(L, R) = (R, L xor PBKDF2(round || passphrase, salt || R))` for each round; then `R || L`.
    fn feistel(&self, rounds: impl Iterator<Item = u8>, set: &Set, passphrase: &[u8]) -> Self {
        let half = self.length / 2;
        let (first, second) = self.expose().split_at(half);
        let mut left = [0; HALF_BYTES];
        let mut right = [0; HALF_BYTES];
        copy(&mut left, first);
        copy(&mut right, second);
        for round in rounds {
            let mut key = [0; HALF_BYTES];
            let used = key.get_mut(..half).unwrap_or_default();
            round_key(round, set, passphrase, right.get(..half).unwrap_or_default(), used);
            for (left, key) in left.iter_mut().zip(Secret::take(&mut key).expose()) {
                *left ^= key;
            }
            std::mem::swap(&mut left, &mut right);
        }
        let (left, right) = (Secret::take(&mut left), Secret::take(&mut right));
        let mut bytes = [0; 32];
        let (start, end) = bytes.split_at_mut(half);
        copy(start, right.expose().get(..half).unwrap_or_default());
        copy(end, left.expose().get(..half).unwrap_or_default());
        Self::take(&mut bytes, self.length)
    }
}

fn round_key(round: u8, set: &Set, passphrase: &[u8], right: &[u8], key: &mut [u8]) {
    let iterations = NonZeroU32::MIN.saturating_add((ROUND_ITERATIONS << set.exponent) - 1);
    let mut salt = set.salt();
    salt.extend_from_slice(right);
    pbkdf2_sha256(iterations, &salt, &[&[round], passphrase].concat(), key);
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}
