//! Anonymous public-key encryption: libsodium's `crypto_box_seal`, with the ephemeral key handed in.

use libsodium_rs::crypto_box;

use crate::hash::blake2b;
use crate::x25519::{PublicKey, SecretKey};
use crate::{CryptoError, Secret};

/// What a sealed box adds: an ephemeral public key (32) and a Poly1305 tag (16).
pub const OVERHEAD_BYTES: usize = 48;

/// `E || XSalsa20-Poly1305(X25519(e, recipient), BLAKE2b-24(E || recipient), plaintext)`.
///
/// The bytes are those of libsodium's `crypto_box_seal`, whose ephemeral secret `e` is here an
/// argument: a fresh random one for every message, or one derived from the message where the
/// protocol wants the same bytes twice.
///
/// # Errors
/// Where `recipient` is a point of low order.
pub fn seal(
    plaintext: &[u8],
    recipient: &PublicKey,
    ephemeral: Secret<32>,
) -> Result<Vec<u8>, CryptoError> {
    let secret = crypto_box::SecretKey::from_bytes(ephemeral.expose()).map_err(|_| CryptoError)?;
    let public = SecretKey::from_secret(ephemeral)?.public_key();
    let nonce: [u8; 24] = blake2b(&[public.as_bytes(), recipient.as_bytes()])?;
    let recipient =
        crypto_box::PublicKey::from_bytes(recipient.as_bytes()).map_err(|_| CryptoError)?;
    let boxed = crypto_box::seal(
        plaintext,
        &crypto_box::Nonce::try_from(nonce.as_slice()).map_err(|_| CryptoError)?,
        &recipient,
        &secret,
    )
    .map_err(|_| CryptoError)?;
    Ok([public.as_bytes().as_slice(), &boxed].concat())
}

/// Opens a sealed box with libsodium's `crypto_box_seal_open`.
///
/// # Errors
/// Where the box is too short, is for another key or was altered.
pub fn open(sealed: &[u8], recipient: &SecretKey) -> Result<Vec<u8>, CryptoError> {
    let public = crypto_box::PublicKey::from_bytes(recipient.public_key().as_bytes())
        .map_err(|_| CryptoError)?;
    let secret =
        crypto_box::SecretKey::from_bytes(recipient.secret().expose()).map_err(|_| CryptoError)?;
    if sealed.len() < OVERHEAD_BYTES {
        return Err(CryptoError);
    }
    crypto_box::open_sealed_box(sealed, &public, &secret).map_err(|_| CryptoError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SystemEntropy;

    proptest! {
        #[test]
        fn libsodium_opens_what_is_sealed_and_refuses_an_altered_box(
            plaintext: Vec<u8>,
            ephemeral: [u8; 32],
            at: proptest::sample::Index,
        ) {
            let recipient = SecretKey::random(&mut SystemEntropy).unwrap();
            let ephemeral = Secret::from_slice(&ephemeral).unwrap();
            let mut sealed = seal(&plaintext, &recipient.public_key(), ephemeral).unwrap();
            prop_assert_eq!(sealed.len(), plaintext.len() + OVERHEAD_BYTES);
            prop_assert_eq!(open(&sealed, &recipient).unwrap(), plaintext);
            let flipped = at.index(sealed.len());
            // X25519 ignores the top bit of a coordinate, but the nonce covers it.
            sealed[flipped] ^= 1;
            prop_assert!(open(&sealed, &recipient).is_err());
        }

        #[test]
        fn any_bytes_open_to_an_error(bytes: Vec<u8>) {
            let recipient = SecretKey::random(&mut SystemEntropy).unwrap();
            prop_assert!(open(&bytes, &recipient).is_err());
        }
    }
}
