//! A passphrase made into a key, at a price: Argon2id (RFC 9106), and PBKDF2 where a format demands it.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use libsodium_rs::crypto_pwhash::argon2id;
use zeroize::Zeroize;

use crate::{CryptoError, Secret};

/// Bytes of the salt.
pub const SALT_BYTES: usize = 16;

/// What one guess costs. Stored beside the salt, so that it can be raised later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Passes over the memory.
    pub passes: u32,
    /// Memory in KiB.
    pub memory_kib: u32,
}

impl Cost {
    /// 64 MiB and 3 passes: RFC 9106's second recommendation, a third of a second on a laptop.
    pub const DEFAULT: Self = Self { passes: 3, memory_kib: 64 * 1024 };
    /// The least the library accepts; for tests alone.
    pub const LEAST: Self = Self { passes: 1, memory_kib: 8 };
    /// The most a stored header may ask for: 1 GiB and 16 passes.
    pub const MOST: Self = Self { passes: 16, memory_kib: 1024 * 1024 };
}

/// `Argon2id(passphrase, salt, cost) -> 32 bytes`, one lane.
///
/// # Errors
/// Where the cost lies outside [`Cost::LEAST`]..=[`Cost::MOST`] or memory is short.
pub fn derive_key(
    passphrase: &[u8],
    salt: &[u8; SALT_BYTES],
    cost: Cost,
) -> Result<Secret<32>, CryptoError> {
    let in_range = (Cost::LEAST.passes..=Cost::MOST.passes).contains(&cost.passes)
        && (Cost::LEAST.memory_kib..=Cost::MOST.memory_kib).contains(&cost.memory_kib);
    if !in_range {
        return Err(CryptoError);
    }
    let memory = usize::try_from(u64::from(cost.memory_kib) * 1024).map_err(|_| CryptoError)?;
    let mut key = argon2id::pwhash(32, passphrase, salt, u64::from(cost.passes), memory)
        .map_err(|_| CryptoError)?;
    let secret = Secret::from_slice(&key).ok_or(CryptoError);
    key.zeroize();
    secret
}

/// `PBKDF2-HMAC-SHA-256(passphrase, salt, iterations)`, as many bytes as `key` has (RFC 8018, section 5.2).
///
/// For formats of others that are defined by it. Graphics cards guess passphrases behind it fast.
pub fn pbkdf2_sha256(iterations: NonZeroU32, salt: &[u8], passphrase: &[u8], key: &mut [u8]) {
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase, key);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7914, section 11.
    #[test]
    fn pbkdf2_matches_the_published_vector() {
        let mut key = [0; 64];
        pbkdf2_sha256(NonZeroU32::MIN, b"salt", b"passwd", &mut key);
        assert_eq!(
            hex::encode(key),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc\
             49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
        );
    }

    #[test]
    fn a_cost_outside_the_range_is_refused() {
        for cost in [
            Cost { passes: 0, ..Cost::DEFAULT },
            Cost { memory_kib: u32::MAX, ..Cost::DEFAULT },
            Cost { passes: u32::MAX, ..Cost::DEFAULT },
        ] {
            assert_eq!(derive_key(b"x", &[0; 16], cost).unwrap_err(), CryptoError);
        }
    }

    #[test]
    fn passphrase_and_salt_both_decide_the_key() {
        let key = derive_key(b"one", &[1; 16], Cost::LEAST).unwrap();
        assert_eq!(key, derive_key(b"one", &[1; 16], Cost::LEAST).unwrap());
        assert_ne!(key, derive_key(b"two", &[1; 16], Cost::LEAST).unwrap());
        assert_ne!(key, derive_key(b"one", &[2; 16], Cost::LEAST).unwrap());
    }
}
