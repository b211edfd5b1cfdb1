//! A text and the signature over it, bound to one purpose by a domain in front.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};

use super::ListError;

/// `base64(Ed25519(key, domain || text))`.
pub(super) fn sign(domain: &[u8], text: &str, key: &SigningKey) -> Result<String, CryptoError> {
    key.sign(&signed_bytes(domain, text)).map(|signature| STANDARD.encode(signature))
}

/// Checks what [`sign`] made.
pub(super) fn verify(
    domain: &[u8],
    text: &str,
    key: &VerifyingKey,
    signature: &str,
) -> Result<(), ListError> {
    let signature = STANDARD.decode(signature).map_err(|_| ListError::BadSignature)?;
    key.verify(&signed_bytes(domain, text), &signature).map_err(|_| ListError::BadSignature)
}

fn signed_bytes(domain: &[u8], text: &str) -> Vec<u8> {
    [domain, text.as_bytes()].concat()
}
