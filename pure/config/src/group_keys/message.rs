//! The signed form of messages of keys: a bencoded dictionary that ends with the group's signature.
//!
//! ```text
//! rekey       { "#": nonce, "G": generation, "K": admins' copy, "k": [members' copies], "~": signature }
//! supplement  { "#": nonce, "+": [members' copies], "G": newest generation, "~": signature }
//! ```

use warren_account::Group;
use warren_crypto::aead::{TAG_BYTES, XCHACHA_NONCE_BYTES};
use warren_crypto::ed25519::{SIGNATURE_BYTES, VerifyingKey};
use warren_wire::bencode;
use warren_wire::value::{Dict, Value};

use super::KeysError;

/// The bytes of a sealed key.
pub(super) const KEY_COPY_BYTES: usize = 32 + TAG_BYTES;
/// No list of keys is shorter than this when sealed: `ld1:gi0e1:k32:...1:ti0eee` has 52 at least.
const MIN_LIST_COPY_BYTES: usize = 52 + TAG_BYTES;
/// What stands between the signed part and the signature.
const SIGNATURE_HEAD: &[u8] = b"1:~64:";

/// A message whose signature was checked.
pub(super) struct KeysMessage {
    pub(super) nonce: [u8; XCHACHA_NONCE_BYTES],
    pub(super) generation: i64,
    pub(super) body: Body,
}

/// What a message of keys carries.
pub(super) enum Body {
    /// One new key.
    Full { admin: Vec<u8>, copies: Vec<Vec<u8>> },
    /// All keys, for some members.
    Supplement { copies: Vec<Vec<u8>> },
}

/// Signs a message and writes it.
pub(super) fn write(admin: &Group, message: Dict) -> Result<Vec<u8>, KeysError> {
    let mut bytes = bencode::encode(&Value::Dict(message)).map_err(|_| KeysError::Malformed)?;
    bytes.pop();
    let signature = admin.signing_key().sign(&bytes)?;
    bytes.extend_from_slice(SIGNATURE_HEAD);
    bytes.extend_from_slice(&signature);
    bytes.push(b'e');
    Ok(bytes)
}

/// Reads a message that `owner` signed.
///
/// Any number of members' copies is taken; libsession writes and wants multiples of 45.
pub(super) fn read(owner: &VerifyingKey, bytes: &[u8]) -> Result<KeysMessage, KeysError> {
    let Value::Dict(dict) = bencode::decode(bytes).map_err(|_| KeysError::Malformed)? else {
        return Err(KeysError::Malformed);
    };
    check_signature(owner, &dict, bytes)?;
    parse(&Value::Dict(dict)).ok_or(KeysError::Malformed)
}

/// The signature stands last, over all that precedes its key.
fn check_signature(owner: &VerifyingKey, dict: &Dict, bytes: &[u8]) -> Result<(), KeysError> {
    let Some(("~", Value::Bytes(signature))) =
        dict.last_key_value().map(|(key, value)| (key.as_str(), value))
    else {
        return Err(KeysError::Malformed);
    };
    let tail = SIGNATURE_HEAD.len() + SIGNATURE_BYTES + 1;
    let signed = bytes.len().checked_sub(tail).and_then(|end| bytes.get(..end));
    let signed = signed.filter(|_| signature.len() == SIGNATURE_BYTES);
    owner.verify(signed.ok_or(KeysError::Malformed)?, signature).map_err(|_| KeysError::Signature)
}

fn parse(message: &Value) -> Option<KeysMessage> {
    let bytes = |name| match message.get(name) {
        Some(Value::Bytes(bytes)) => Some(bytes),
        _ => None,
    };
    let Some(Value::Integer(generation)) = message.get("G") else { return None };
    let generation = i64::try_from(*generation).ok()?;
    let body = match message.get("+") {
        Some(list) => Body::Supplement { copies: copies(list, |n| n >= MIN_LIST_COPY_BYTES)? },
        None if generation < 0 => return None,
        None => Body::Full {
            admin: bytes("K").filter(|copy| copy.len() == KEY_COPY_BYTES)?.clone(),
            copies: copies(message.get("k")?, |n| n == KEY_COPY_BYTES)?,
        },
    };
    Some(KeysMessage { nonce: bytes("#")?.as_slice().try_into().ok()?, generation, body })
}

fn copies(list: &Value, fits: impl Fn(usize) -> bool) -> Option<Vec<Vec<u8>>> {
    let Value::List(list) = list else { return None };
    let copy = |value: &Value| match value {
        Value::Bytes(bytes) if fits(bytes.len()) => Some(bytes.clone()),
        _ => None,
    };
    list.iter().map(copy).collect()
}
