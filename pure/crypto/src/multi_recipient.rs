//! One sender's message sealed once for each of several recipients, who know the sender.

use crate::aead::{self, XCHACHA_NONCE_BYTES};
use crate::{CryptoError, Secret, hash, x25519};

/// What each sealed copy is longer than its message.
pub const OVERHEAD_BYTES: usize = aead::TAG_BYTES;
/// BLAKE2b takes no longer key; the rest of a longer domain is left out.
const MAX_DOMAIN_BYTES: usize = 64;

/// Seals `message` to one recipient: `XChaCha20-Poly1305(k, nonce, message)` with
/// `k = BLAKE2b-32(X25519(a, B) || A || B, key = domain)`.
///
/// One nonce serves all recipients of a message, for each has a key of their own; under one pair of
/// keys and one domain it must never serve two messages. Source: libsession `multi_encrypt.cpp`.
/// Nothing shows who sealed it but that the recipient computes the same key.
///
/// # Errors
/// Where the recipient's key is of low order.
pub fn seal(
    sender: &x25519::SecretKey,
    recipient: &x25519::PublicKey,
    domain: &[u8],
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    message: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let key = pair_key(sender, recipient, &sender.public_key(), recipient, domain)?;
    aead::xchacha_seal(&key, nonce, message, &[])
}

/// The first copy of `copies` that was sealed to this recipient, opened.
///
/// # Errors
/// Where none was, or the sender's key is of low order.
pub fn open_any<'a>(
    recipient: &x25519::SecretKey,
    sender: &x25519::PublicKey,
    domain: &[u8],
    nonce: &[u8; XCHACHA_NONCE_BYTES],
    copies: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, CryptoError> {
    let key = pair_key(recipient, sender, sender, &recipient.public_key(), domain)?;
    copies
        .into_iter()
        .find_map(|copy| aead::xchacha_open(&key, nonce, copy, &[]).ok())
        .ok_or(CryptoError)
}

fn pair_key(
    own: &x25519::SecretKey,
    peer: &x25519::PublicKey,
    sender: &x25519::PublicKey,
    recipient: &x25519::PublicKey,
    domain: &[u8],
) -> Result<Secret<32>, CryptoError> {
    let domain = domain.get(..MAX_DOMAIN_BYTES).unwrap_or(domain);
    let shared = own.agree(peer)?;
    let parts: [&[u8]; 3] = [shared.expose(), sender.as_bytes(), recipient.as_bytes()];
    let mut key = if domain.is_empty() {
        hash::blake2b(&parts)?
    } else {
        hash::blake2b_keyed(domain, &parts)?
    };
    Ok(Secret::take(&mut key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ed25519::SigningKey;

    fn person(middle: &str) -> x25519::SecretKey {
        let seed = format!("0123456789abcdef{middle}00000000000000000000000000000000");
        let seed = Secret::from_slice(&hex::decode(seed).unwrap()).unwrap();
        SigningKey::from_seed(seed).unwrap().to_x25519().unwrap()
    }

    fn people() -> [x25519::SecretKey; 5] {
        [
            "0123456789abcdef",
            "0000000000000000",
            "1111111111111111",
            "2222222222222222",
            "3333333333333333",
        ]
        .map(person)
    }

    fn nonce() -> [u8; 24] {
        hex::decode("32ab4bb45d6df5cc14e1c330fb1a8b68ea3826a8c2213a49").unwrap().try_into().unwrap()
    }

    /// libsession `tests/test_multi_encrypt.cpp`.
    #[test]
    fn copies_are_those_of_the_published_vector_and_only_recipients_open_one() {
        let people = people();
        let copy = |to: usize, message: &[u8]| {
            seal(&people[0], &people[to].public_key(), b"test suite", &nonce(), message).unwrap()
        };
        for (to, message, expected) in [
            (1, "hello", "e64937e5ea201b84f4e88a976dad900d91caaf6a17"),
            (2, "hello", "b7a15bcd9f7b09445defcae2f1dc5085dd75cb085b"),
            (3, "hello", "01c4fc2156327735f3fb5063b11ea95f6ebcc5b6cc"),
            (2, "cruel", "bcb642c49c6da03f70cdaab2ed6666721318afd631"),
            (3, "world", "1ecee2215d226817edfdb097f05037eb799309103a"),
        ] {
            assert_eq!(hex::encode(copy(to, message.as_bytes())), expected);
        }
        let copies = [copy(1, b"hello"), copy(2, b"cruel"), copy(3, b"world")];
        let open = |who: usize, domain: &[u8]| {
            let copies = copies.iter().map(Vec::as_slice);
            open_any(&people[who], &people[0].public_key(), domain, &nonce(), copies)
        };
        assert_eq!(open(1, b"test suite").unwrap(), b"hello");
        assert_eq!(open(2, b"test suite").unwrap(), b"cruel");
        assert_eq!(open(3, b"test suite").unwrap(), b"world");
        assert_eq!(open(3, b"not test suite"), Err(CryptoError));
        assert_eq!(open(4, b"test suite"), Err(CryptoError));
    }

    #[test]
    fn a_recipient_of_low_order_gets_no_copy() {
        let nobody = x25519::PublicKey::from_bytes([0; 32]);
        assert_eq!(
            seal(&person("0000000000000000"), &nobody, b"", &nonce(), b"x"),
            Err(CryptoError)
        );
    }
}
