//! Authenticated encryption with associated data: XChaCha20-Poly1305 and AES-256-GCM.

use aws_lc_rs::aead::{self, LessSafeKey, UnboundKey};
use libsodium_rs::crypto_aead::xchacha20poly1305;

use crate::{CryptoError, Secret};

/// Bytes of an XChaCha20-Poly1305 nonce.
pub const XCHACHA_NONCE_BYTES: usize = 24;
/// Bytes of an AES-GCM nonce.
pub const GCM_NONCE_BYTES: usize = 12;
/// Bytes of either cipher's tag.
pub const TAG_BYTES: usize = 16;

/// `XChaCha20-Poly1305(key, nonce, plaintext)`, returning ciphertext then tag
/// (draft-irtf-cfrg-xchacha-03).
///
/// A random 24-byte nonce may be used for any number of messages under one key.
///
/// # Errors
/// Never for inputs below libsodium's limit of about 256 GiB.
pub fn xchacha_seal(
    key: &Secret<32>,
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    plaintext: &[u8],
    associated: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = xchacha20poly1305::Key::from_bytes(key.expose()).map_err(|_| CryptoError)?;
    let nonce = xchacha20poly1305::Nonce::from_bytes(*nonce);
    xchacha20poly1305::encrypt(plaintext, Some(associated), &nonce, &key).map_err(|_| CryptoError)
}

/// Opens what [`xchacha_seal`] made.
///
/// # Errors
/// Where the tag does not fit.
pub fn xchacha_open(
    key: &Secret<32>,
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    ciphertext: &[u8],
    associated: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = xchacha20poly1305::Key::from_bytes(key.expose()).map_err(|_| CryptoError)?;
    let nonce = xchacha20poly1305::Nonce::from_bytes(*nonce);
    xchacha20poly1305::decrypt(ciphertext, Some(associated), &nonce, &key).map_err(|_| CryptoError)
}

/// `AES-256-GCM(key, nonce, plaintext)`, returning ciphertext then tag (NIST SP 800-38D).
///
/// A nonce must never repeat under one key; callers here derive a fresh key for each message.
///
/// # Errors
/// Never for inputs below AES-GCM's limit of about 64 GiB.
pub fn gcm_seal(
    key: &Secret<32>,
    nonce: &[u8; GCM_NONCE_BYTES],
    plaintext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    let mut buffer = Vec::with_capacity(plaintext.len() + TAG_BYTES);
    buffer.extend_from_slice(plaintext);
    gcm_key(key)?
        .seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut buffer)
        .map_err(|_| CryptoError)?;
    Ok(buffer)
}

/// Opens what [`gcm_seal`] made.
///
/// # Errors
/// Where the tag does not fit.
pub fn gcm_open(
    key: &Secret<32>,
    nonce: &[u8; GCM_NONCE_BYTES],
    ciphertext: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    let mut buffer = ciphertext.to_vec();
    let length = gcm_key(key)?
        .open_in_place(nonce, aead::Aad::empty(), &mut buffer)
        .map_err(|_| CryptoError)?
        .len();
    buffer.truncate(length);
    Ok(buffer)
}

fn gcm_key(key: &Secret<32>) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&aead::AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| CryptoError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ciphers_open_what_they_seal_and_refuse_one_flipped_bit(
            key: [u8; 32],
            nonce: [u8; 24],
            plaintext: Vec<u8>,
            at: proptest::sample::Index,
        ) {
            let key = Secret::from_slice(&key).unwrap();
            let gcm_nonce: [u8; 12] = nonce[..12].try_into().unwrap();

            let mut sealed = xchacha_seal(&key, &nonce, &plaintext, b"ad").unwrap();
            prop_assert_eq!(&xchacha_open(&key, &nonce, &sealed, b"ad").unwrap(), &plaintext);
            prop_assert!(xchacha_open(&key, &nonce, &sealed, b"da").is_err());
            let flipped = at.index(sealed.len());
            sealed[flipped] ^= 1;
            prop_assert!(xchacha_open(&key, &nonce, &sealed, b"ad").is_err());

            let mut sealed = gcm_seal(&key, &gcm_nonce, &plaintext).unwrap();
            prop_assert_eq!(&gcm_open(&key, &gcm_nonce, &sealed).unwrap(), &plaintext);
            let flipped = at.index(sealed.len());
            sealed[flipped] ^= 1;
            prop_assert!(gcm_open(&key, &gcm_nonce, &sealed).is_err());
        }
    }
}
