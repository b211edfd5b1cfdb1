//! X25519 Diffie-Hellman (RFC 7748) through AWS-LC, the fastest of the libraries at hand.

use std::fmt;

use aws_lc_rs::agreement;

use crate::entropy::Entropy;
use crate::{CryptoError, Secret};

/// A public X25519 key, the little-endian `u` coordinate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

/// A private X25519 key with its public half.
pub struct SecretKey {
    secret: Secret<32>,
    key: agreement::PrivateKey,
    public: PublicKey,
}

impl SecretKey {
    /// Wraps a 32-byte scalar; clamping happens inside the library.
    ///
    /// # Errors
    /// Never for 32 bytes; the library's result is passed on.
    pub fn from_secret(secret: Secret<32>) -> Result<Self, CryptoError> {
        let key = agreement::PrivateKey::from_private_key(&agreement::X25519, secret.expose())
            .map_err(|_| CryptoError)?;
        let public = key.compute_public_key().map_err(|_| CryptoError)?;
        let public = PublicKey(public.as_ref().try_into().map_err(|_| CryptoError)?);
        Ok(Self { secret, key, public })
    }

    /// A fresh key.
    ///
    /// # Errors
    /// Never for 32 random bytes; the library's result is passed on.
    pub fn random(entropy: &mut dyn Entropy) -> Result<Self, CryptoError> {
        Self::from_secret(Secret::random(entropy))
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The scalar, for writing it to a sealed file.
    pub fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// `shared = X25519(self, peer)`, 32 bytes, not yet hashed.
    ///
    /// # Errors
    /// Where `peer` is of low order, so that the result would be all zero (RFC 7748, section 6.1).
    pub fn agree(&self, peer: &PublicKey) -> Result<Secret<32>, CryptoError> {
        let peer = agreement::UnparsedPublicKey::new(&agreement::X25519, peer.as_bytes());
        agreement::agree(&self.key, peer, CryptoError, |shared| {
            Secret::from_slice(shared).ok_or(CryptoError)
        })
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretKey {
        SecretKey::from_secret(Secret::from_slice(&hex::decode(text).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn agreement_matches_rfc_7748_section_6_1() {
        let alice: [u8; 32] =
            hex::decode("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
                .unwrap()
                .try_into()
                .unwrap();
        let bob = secret("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        assert_eq!(
            hex::encode(bob.public_key().as_bytes()),
            "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
        );
        assert_eq!(
            hex::encode(bob.agree(&PublicKey::from_bytes(alice)).unwrap().expose()),
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
        );
    }

    #[test]
    fn low_order_points_are_refused() {
        let key = secret("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        for low in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let bytes: [u8; 32] = hex::decode(low).unwrap().try_into().unwrap();
            assert_eq!(key.agree(&PublicKey::from_bytes(bytes)).unwrap_err(), CryptoError);
        }
    }
}
