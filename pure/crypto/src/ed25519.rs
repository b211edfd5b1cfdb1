//! Ed25519 signatures (RFC 8032) and the map from an Ed25519 key to an X25519 key.

use std::fmt;

use libsodium_rs::crypto_sign;

use crate::x25519;
use crate::{CryptoError, Secret};

/// Bytes of a signature, `R || S`.
pub const SIGNATURE_BYTES: usize = 64;

/// A public Ed25519 key that has not been checked to lie on the curve; verification does so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyingKey([u8; 32]);

impl VerifyingKey {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks `signature = Ed25519(message)` as libsodium does: canonical `S`, no small-order key.
    ///
    /// # Errors
    /// Where the signature is not of 64 bytes or does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let signature: &[u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| CryptoError)?;
        let key = crypto_sign::PublicKey::from_bytes(&self.0).map_err(|_| CryptoError)?;
        if crypto_sign::verify_detached(signature, message, &key) {
            Ok(())
        } else {
            Err(CryptoError)
        }
    }

    /// `u = (1 + y) / (1 - y)`: the X25519 key of the same person (RFC 7748, section 4.1).
    ///
    /// The sign of `x` is lost: two Ed25519 keys map to one X25519 key.
    ///
    /// # Errors
    /// Where the bytes are no point of the prime-order group.
    pub fn to_x25519(&self) -> Result<x25519::PublicKey, CryptoError> {
        let key = crypto_sign::PublicKey::from_bytes(&self.0).map_err(|_| CryptoError)?;
        let bytes = crypto_sign::ed25519_pk_to_curve25519(&key).map_err(|_| CryptoError)?;
        Ok(x25519::PublicKey::from_bytes(bytes))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey(..)")
    }
}

/// A private Ed25519 key, kept as its 32-byte seed and libsodium's expanded form.
pub struct SigningKey {
    seed: Secret<32>,
    /// On the heap, so that a move leaves no copy on the stack.
    expanded: Box<crypto_sign::SecretKey>,
    public: VerifyingKey,
}

impl SigningKey {
    /// `crypto_sign_seed_keypair(seed)`.
    ///
    /// # Errors
    /// Never for a 32-byte seed; libsodium's result is passed on.
    pub fn from_seed(seed: Secret<32>) -> Result<Self, CryptoError> {
        let pair = crypto_sign::KeyPair::from_seed(seed.expose()).map_err(|_| CryptoError)?;
        let (public, expanded) = pair.into_tuple();
        let key =
            Self { seed, expanded: Box::new(expanded), public: VerifyingKey(*public.as_bytes()) };
        crate::secret::clean_stack();
        Ok(key)
    }

    /// The seed this key was made from.
    pub fn seed(&self) -> &Secret<32> {
        &self.seed
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.public
    }

    /// A deterministic, detached signature (RFC 8032, section 5.1.6).
    ///
    /// # Errors
    /// Never for a key made by [`SigningKey::from_seed`]; libsodium's result is passed on.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], CryptoError> {
        crypto_sign::sign_detached(message, &self.expanded).map_err(|_| CryptoError)
    }

    /// `SHA-512(seed)[0..32]`, clamped: the X25519 secret of the same person.
    ///
    /// # Errors
    /// Never for a key made by [`SigningKey::from_seed`]; libsodium's result is passed on.
    pub fn to_x25519(&self) -> Result<x25519::SecretKey, CryptoError> {
        let mut bytes =
            crypto_sign::ed25519_sk_to_curve25519(&self.expanded).map_err(|_| CryptoError)?;
        x25519::SecretKey::from_secret(Secret::take(&mut bytes))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: &str) -> SigningKey {
        SigningKey::from_seed(Secret::from_slice(&hex::decode(seed).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn signatures_match_rfc_8032_test_2() {
        let key = key("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        assert_eq!(
            hex::encode(key.verifying_key().as_bytes()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let signature = key.sign(&[0x72]).unwrap();
        assert_eq!(
            hex::encode(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(key.verifying_key().verify(&[0x72], &signature), Ok(()));
        assert_eq!(key.verifying_key().verify(&[0x73], &signature), Err(CryptoError));
        assert_eq!(key.verifying_key().verify(&[0x72], &signature[..63]), Err(CryptoError));
    }

    #[test]
    fn both_halves_map_to_the_same_x25519_key() {
        let key = key("39038c8988db02c1af44e8c847bd971300000000000000000000000000000000");
        let secret = key.to_x25519().unwrap();
        assert_eq!(secret.public_key(), key.verifying_key().to_x25519().unwrap());
        assert_eq!(
            hex::encode(secret.public_key().as_bytes()),
            "4830367d369d94605247999a375dbd0a0f65fdec5de1535612bcb6d4de452c69"
        );
    }

    #[test]
    fn a_small_order_key_is_neither_mapped_nor_believed() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let key = VerifyingKey::from_bytes(identity);
        assert!(key.to_x25519().is_err());
        assert!(key.verify(b"", &[0; 64]).is_err());
    }
}
