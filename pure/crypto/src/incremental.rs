//! Hashes and message authentication codes over data that comes piece by piece.

use aws_lc_rs::{digest, hmac};
use libsodium_rs::crypto_generichash::blake2b;

use crate::{CryptoError, Secret};

/// `BLAKE2b-N` with a key and a personalisation (BLAKE2 paper, section 2.8), for deriving keys.
pub struct PersonalBlake2b<const N: usize>(blake2b::State);

impl<const N: usize> PersonalBlake2b<N> {
    /// Starts a hash.
    ///
    /// # Errors
    /// Where `N` lies outside 16..=64.
    pub fn new(key: &Secret<32>, personal: &[u8; 16]) -> Result<Self, CryptoError> {
        blake2b::State::new_with_salt_and_personal(Some(key.expose()), N, None, Some(personal))
            .map(Self)
            .map_err(|_| CryptoError)
    }

    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn finish(mut self) -> Result<Secret<N>, CryptoError> {
        Secret::from_slice(&self.0.finalize()).ok_or(CryptoError)
    }
}

/// `SHA-256`, FIPS 180-4.
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    ///
    /// # Errors
    /// Never; the library gives 32 bytes.
    pub fn finish(self) -> Result<[u8; 32], CryptoError> {
        self.0.finish().as_ref().try_into().map_err(|_| CryptoError)
    }
}

/// `HMAC-SHA-256`, RFC 2104.
pub struct HmacSha256(hmac::Context);

impl HmacSha256 {
    /// Starts a code under `key`.
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// Takes the next piece in.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The code of all pieces.
    ///
    /// # Errors
    /// Never; the library gives 32 bytes.
    pub fn finish(self) -> Result<[u8; 32], CryptoError> {
        self.0.sign().as_ref().try_into().map_err(|_| CryptoError)
    }
}

/// Whether two codes are equal, in a time that does not depend on where they differ.
///
/// # Errors
/// Where they are not.
pub fn require_equal(left: &[u8; 32], right: &[u8; 32]) -> Result<(), CryptoError> {
    aws_lc_rs::constant_time::verify_slices_are_equal(left, right).map_err(|_| CryptoError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash;

    /// Computed by Python's hashlib.
    #[test]
    fn a_personal_hash_is_that_of_another_implementation() {
        let key = Secret::take(&mut [7; 32]);
        let mut hash = PersonalBlake2b::<56>::new(&key, b"SessionAttachmnt").unwrap();
        hash.update(b"ab");
        hash.update(b"c");
        assert_eq!(
            hex::encode(hash.finish().unwrap().expose()),
            "9e5741df8dbd6e0fb5a5872a93c7f3bfebb5864075b8a134ec327abbb1de2d14\
             4609239e07c7b5fb59f7626e19c112d08028df68456f756c"
        );
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(data: Vec<u8>, at: proptest::sample::Index) {
            let (head, tail) = data.split_at(at.index(data.len() + 1));
            let (mut sha, mut mac) = (Sha256::default(), HmacSha256::new(b"key"));
            for piece in [head, tail] {
                sha.update(piece);
                mac.update(piece);
            }
            let (sha, mac) = (sha.finish().unwrap(), mac.finish().unwrap());
            prop_assert_eq!(sha, hash::sha256(&data));
            prop_assert_eq!(mac, hash::hmac_sha256(b"key", &data));
            prop_assert!(require_equal(&sha, &sha).is_ok() && require_equal(&sha, &mac).is_err());
        }
    }
}
