//! One sealed layer: its cipher, the key both ends derive, and how it is sealed and opened.

use warren_crypto::aead::{self, GCM_NONCE_BYTES, TAG_BYTES, XCHACHA_NONCE_BYTES};
use warren_crypto::entropy::random;
use warren_crypto::hash::{blake2b, hmac_sha256};
use warren_crypto::x25519::{PublicKey, SecretKey};
use warren_crypto::{CryptoError, Entropy, Secret};

/// The HMAC key that turns a shared secret into an AES-GCM key.
const GCM_KEY_LABEL: &[u8] = b"LOKI";

/// How a layer is sealed (wire spec, section 5, "Layer ciphers").
///
/// `aes-cbc`, which older nodes knew, has no authentication and is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Cipher {
    /// `nonce(24) || XChaCha20-Poly1305`, under `BLAKE2b-32(shared || client key || node key)`.
    /// What this project sends.
    XChaCha20,
    /// `nonce(12) || AES-256-GCM`, under `HMAC-SHA-256("LOKI", shared)`.
    /// The default of the protocol where a header names no cipher.
    #[default]
    AesGcm,
}

impl Cipher {
    /// The name headers carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XChaCha20 => "xchacha20",
            Self::AesGcm => "aes-gcm",
        }
    }

    /// Reads a header's name; `None` for one that is unknown or refused.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "xchacha20" | "xchacha20-poly1305" => Some(Self::XChaCha20),
            "aes-gcm" | "gcm" => Some(Self::AesGcm),
            _ => None,
        }
    }

    /// Bytes that sealing adds: nonce and tag.
    pub const fn overhead(self) -> usize {
        match self {
            Self::XChaCha20 => XCHACHA_NONCE_BYTES + TAG_BYTES,
            Self::AesGcm => GCM_NONCE_BYTES + TAG_BYTES,
        }
    }
}

/// The key of one layer, the same at the client that seals it and the node that opens it.
pub struct LayerKey {
    cipher: Cipher,
    key: Secret<32>,
}

impl LayerKey {
    /// The client's side: its one-time key, the node's public key.
    ///
    /// # Errors
    /// Where the node's key is of low order.
    pub fn for_client(
        cipher: Cipher,
        ephemeral: &SecretKey,
        node: &PublicKey,
    ) -> Result<Self, CryptoError> {
        let shared = ephemeral.agree(node)?;
        Self::derive(cipher, &shared, &ephemeral.public_key(), node)
    }

    /// The node's side: its own key, the client's one-time public key.
    ///
    /// # Errors
    /// Where the one-time key is of low order.
    pub fn for_node(
        cipher: Cipher,
        node: &SecretKey,
        ephemeral: &PublicKey,
    ) -> Result<Self, CryptoError> {
        let shared = node.agree(ephemeral)?;
        Self::derive(cipher, &shared, ephemeral, &node.public_key())
    }

    /// The order of the two public keys is client, node, whoever derives and whoever sends.
    fn derive(
        cipher: Cipher,
        shared: &Secret<32>,
        client: &PublicKey,
        node: &PublicKey,
    ) -> Result<Self, CryptoError> {
        let mut key = match cipher {
            Cipher::XChaCha20 => blake2b(&[shared.expose(), client.as_bytes(), node.as_bytes()])?,
            Cipher::AesGcm => hmac_sha256(GCM_KEY_LABEL, shared.expose()),
        };
        Ok(Self { cipher, key: Secret::take(&mut key) })
    }

    /// Seals with a fresh random nonce: `nonce || ciphertext || tag`.
    ///
    /// One key seals one request and one reply, so random nonces of 12 bytes do not collide.
    ///
    /// # Errors
    /// Never for less than 64 GiB; the library's result is passed on.
    pub fn seal(
        &self,
        plaintext: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, CryptoError> {
        match self.cipher {
            Cipher::XChaCha20 => {
                let nonce: [u8; XCHACHA_NONCE_BYTES] = random(entropy);
                let sealed = aead::xchacha_seal(&self.key, &nonce, plaintext, &[])?;
                Ok([nonce.as_slice(), &sealed].concat())
            }
            Cipher::AesGcm => {
                let nonce: [u8; GCM_NONCE_BYTES] = random(entropy);
                let sealed = aead::gcm_seal(&self.key, &nonce, plaintext)?;
                Ok([nonce.as_slice(), &sealed].concat())
            }
        }
    }

    /// Opens what [`LayerKey::seal`] made.
    ///
    /// # Errors
    /// Where it is too short, was altered or is sealed under another key.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if sealed.len() < self.cipher.overhead() {
            return Err(CryptoError);
        }
        match self.cipher {
            Cipher::XChaCha20 => {
                let (nonce, sealed) = sealed.split_first_chunk().ok_or(CryptoError)?;
                aead::xchacha_open(&self.key, nonce, sealed, &[])
            }
            Cipher::AesGcm => {
                let (nonce, sealed) = sealed.split_first_chunk().ok_or(CryptoError)?;
                aead::gcm_open(&self.key, nonce, sealed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{BOTH, Replay};

    #[test]
    fn both_ends_derive_one_key_and_a_layer_grows_by_its_overhead() {
        let mut entropy = Replay::new("layer");
        let client = SecretKey::random(&mut entropy).unwrap();
        let node = SecretKey::random(&mut entropy).unwrap();
        for cipher in BOTH {
            let sealer = LayerKey::for_client(cipher, &client, &node.public_key()).unwrap();
            let opener = LayerKey::for_node(cipher, &node, &client.public_key()).unwrap();
            let sealed = sealer.seal(b"mail", &mut entropy).unwrap();
            assert_eq!(sealed.len(), 4 + cipher.overhead());
            assert_eq!(opener.open(&sealed).unwrap(), b"mail");
            assert_ne!(sealed, sealer.seal(b"mail", &mut entropy).unwrap());
            for length in 0..sealed.len() {
                assert!(opener.open(&sealed[..length]).is_err());
            }
        }
    }

    #[test]
    fn the_xchacha_key_depends_on_who_is_the_client() {
        let mut entropy = Replay::new("direction");
        let client = SecretKey::random(&mut entropy).unwrap();
        let node = SecretKey::random(&mut entropy).unwrap();
        let cipher = Cipher::XChaCha20;
        let sealer = LayerKey::for_client(cipher, &client, &node.public_key()).unwrap();
        let reversed = LayerKey::for_client(cipher, &node, &client.public_key()).unwrap();
        let sealed = sealer.seal(b"mail", &mut entropy).unwrap();
        assert!(reversed.open(&sealed).is_err());
    }

    #[test]
    fn a_low_order_key_makes_no_layer() {
        let own = SecretKey::random(&mut Replay::new("low order")).unwrap();
        let low = PublicKey::from_bytes([0; 32]);
        for cipher in BOTH {
            assert!(LayerKey::for_node(cipher, &own, &low).is_err());
            assert!(LayerKey::for_client(cipher, &own, &low).is_err());
        }
    }
}
