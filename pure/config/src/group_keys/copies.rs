//! A text sealed once for each of several people, in one message: `{ "#": nonce, "e": [copies] }`.
//!
//! Source: libsession `src/multi_encrypt.cpp`, the "simple" functions.

use warren_crypto::aead::XCHACHA_NONCE_BYTES;
use warren_crypto::entropy::random;
use warren_crypto::{CryptoError, Entropy, multi_recipient, x25519};
use warren_wire::bencode;
use warren_wire::value::Value;

/// Seals each text to the recipient beside it, then adds junk of the first copy's length until the
/// number of copies is a multiple of `multiple`; 0 and 1 add none.
///
/// # Errors
/// Where a recipient's key is of low order.
pub fn seal(
    sender: &x25519::SecretKey,
    domain: &[u8],
    texts: &[(x25519::PublicKey, Vec<u8>)],
    multiple: usize,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, CryptoError> {
    let nonce: [u8; XCHACHA_NONCE_BYTES] = random(entropy);
    let mut copies = Vec::with_capacity(texts.len());
    for (recipient, text) in texts {
        copies.push(multi_recipient::seal(sender, recipient, domain, &nonce, text)?);
    }
    let length = copies.first().map_or(0, Vec::len);
    while multiple > 1 && !copies.len().is_multiple_of(multiple) {
        let mut junk = vec![0; length];
        entropy.fill(&mut junk);
        copies.push(junk);
    }
    let message = Value::dict([
        ("#", Value::Bytes(nonce.to_vec())),
        ("e", Value::List(copies.into_iter().map(Value::Bytes).collect())),
    ]);
    bencode::encode(&message).map_err(|_| CryptoError)
}

/// Opens the first copy that was sealed to `recipient`.
///
/// Who sealed it is not shown by a signature: only `sender` and the recipient could have.
///
/// # Errors
/// Where there is none, or the bytes are no such message.
pub fn open(
    recipient: &x25519::SecretKey,
    sender: &x25519::PublicKey,
    domain: &[u8],
    message: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let message = bencode::decode(message).map_err(|_| CryptoError)?;
    let (Some(Value::Bytes(nonce)), Some(Value::List(copies))) =
        (message.get("#"), message.get("e"))
    else {
        return Err(CryptoError);
    };
    let nonce = nonce.as_slice().try_into().map_err(|_| CryptoError)?;
    let copies = copies.iter().filter_map(|copy| match copy {
        Value::Bytes(copy) => Some(copy.as_slice()),
        _ => None,
    });
    multi_recipient::open_any(recipient, sender, domain, nonce, copies)
}
