//! The sealed form of a group message: signed by one member, readable by all (wire spec, section 2).
//!
//! ```text
//! signed = { "": 1, "a": SenderEd(32), "d": plaintext, "s": Sig(64) }   or "z": zstd(plaintext) for "d"
//! sealed = nonce(24) || XChaCha20-Poly1305(group key, nonce, signed || 00*)   of 256 * n bytes
//! Sig    = Ed25519(sender, d or z || GroupEd(32))
//! ```
//!
//! The group's key is signed and not sent, so that a member cannot carry a message over to another
//! group as if the sender had written there.

use std::io::Read;

use warren_account::{Account, group};
use warren_crypto::aead::{self, TAG_BYTES, XCHACHA_NONCE_BYTES};
use warren_crypto::ed25519::VerifyingKey;
use warren_crypto::entropy::random;
use warren_crypto::{CryptoError, Entropy, Secret};
use warren_wire::AccountId;
use warren_wire::bencode;
use warren_wire::value::Value;

/// How long a plaintext may be, before compression.
pub const MAX_PLAINTEXT_BYTES: usize = 1_000_000;
/// Sealed messages are as long as a multiple of this.
pub const PADDING_BYTES: usize = 256;
/// The version of the signed form.
const VERSION: i128 = 1;
/// What libsession compresses with; a reader takes any level.
const COMPRESSION_LEVEL: i32 = 1;
/// The largest window a reader has to provide for, as a power of two (RFC 8878, section 3.1.1.1.2).
const MAX_WINDOW_LOG: u32 = 23;

/// Why a message was not sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupSealError {
    /// The author can shorten it.
    #[error("the message is longer than {MAX_PLAINTEXT_BYTES} bytes")]
    TooLong,
    /// A message to what is no group.
    #[error("the id is not that of a group")]
    NoGroup,
    /// The cryptographic library refused, which it does for no message.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why stored bytes are no message of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GroupOpenError {
    /// Not of this group, or under a key that this device has not.
    #[error("no key of the group opens the message")]
    Key,
    /// Made by somebody with a key of the group, and of no form that is known.
    #[error("the message is malformed")]
    Malformed,
    /// Of a newer version, which this one cannot read.
    #[error("the message is of version {0}, which this program cannot read")]
    Version(i128),
    /// The named sender did not sign it for this group.
    #[error("the message was not signed by its sender")]
    Signature,
    /// Longer than any client sends, once it is unpacked.
    #[error("the message is longer than {MAX_PLAINTEXT_BYTES} bytes")]
    TooLong,
}

/// What a sealed message held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPayload {
    /// Who signed it.
    pub sender: AccountId,
    /// What they signed, unpacked.
    pub plaintext: Vec<u8>,
}

/// Signs `plaintext` as `sender` and seals it under a group's key.
///
/// # Errors
/// Where the plaintext is too long, or the id is no group's.
pub fn seal(
    sender: &Account,
    group: &AccountId,
    key: &Secret<32>,
    plaintext: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, GroupSealError> {
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(GroupSealError::TooLong);
    }
    let owner = group::verifying_key(group).map_err(|_| GroupSealError::NoGroup)?;
    let mut signed = sign(sender, &owner, plaintext)?;
    let length = (XCHACHA_NONCE_BYTES + signed.len() + TAG_BYTES).next_multiple_of(PADDING_BYTES);
    signed.resize(length - XCHACHA_NONCE_BYTES - TAG_BYTES, 0);
    let nonce: [u8; XCHACHA_NONCE_BYTES] = random(entropy);
    let sealed = aead::xchacha_seal(key, &nonce, &signed, &[])?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// The signed form: compressed where that is shorter.
fn sign(sender: &Account, owner: &VerifyingKey, plaintext: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let packed = zstd::bulk::compress(plaintext, COMPRESSION_LEVEL)
        .ok()
        .filter(|packed| packed.len() < plaintext.len());
    let (name, data) = match packed {
        Some(packed) => ("z", packed),
        None => ("d", plaintext.to_vec()),
    };
    let signature = sender.signing_key().sign(&[&data, &owner.as_bytes()[..]].concat())?;
    let key = sender.signing_key().verifying_key();
    let signed = Value::dict([
        ("", Value::Integer(VERSION)),
        ("a", Value::Bytes(key.as_bytes().to_vec())),
        (name, Value::Bytes(data)),
        ("s", Value::Bytes(signature.to_vec())),
    ]);
    bencode::encode(&signed).map_err(|_| CryptoError)
}

/// Opens a sealed message with the first of `keys` that fits.
///
/// # Errors
/// What does not fit.
pub fn open<'a>(
    group: &AccountId,
    keys: impl IntoIterator<Item = &'a Secret<32>>,
    sealed: &[u8],
) -> Result<OpenedPayload, GroupOpenError> {
    let owner = group::verifying_key(group).map_err(|_| GroupOpenError::Key)?;
    let (nonce, sealed) = sealed.split_first_chunk().ok_or(GroupOpenError::Key)?;
    let signed = keys
        .into_iter()
        .find_map(|key| aead::xchacha_open(key, nonce, sealed, &[]).ok())
        .ok_or(GroupOpenError::Key)?;
    check(&owner, strip_padding(&signed))
}

fn strip_padding(padded: &[u8]) -> &[u8] {
    let length = padded.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    padded.get(..length).unwrap_or(padded)
}

/// Reads the signed form and checks who signed it.
fn check(owner: &VerifyingKey, signed: &[u8]) -> Result<OpenedPayload, GroupOpenError> {
    let signed = bencode::decode(signed).map_err(|_| GroupOpenError::Malformed)?;
    match signed.get("") {
        Some(Value::Integer(VERSION)) => {}
        Some(Value::Integer(other)) => return Err(GroupOpenError::Version(*other)),
        _ => return Err(GroupOpenError::Malformed),
    }
    let bytes = |name: &str| match signed.get(name) {
        None => Ok(None),
        Some(Value::Bytes(bytes)) => Ok(Some(bytes.as_slice())),
        Some(_) => Err(GroupOpenError::Malformed),
    };
    let key = bytes("a")?.and_then(|key| key.try_into().ok()).ok_or(GroupOpenError::Malformed)?;
    let key = VerifyingKey::from_bytes(key);
    let signature = bytes("s")?.ok_or(GroupOpenError::Malformed)?;
    let (data, packed) = match (bytes("d")?, bytes("z")?) {
        (Some(data), None) if !data.is_empty() => (data, false),
        (None, Some(data)) if !data.is_empty() => (data, true),
        _ => return Err(GroupOpenError::Malformed),
    };
    let sender = key.to_x25519().map_err(|_| GroupOpenError::Signature)?;
    key.verify(&[data, owner.as_bytes()].concat(), signature)
        .map_err(|_| GroupOpenError::Signature)?;
    let plaintext = if packed { unpack(data)? } else { data.to_vec() };
    if plaintext.len() > MAX_PLAINTEXT_BYTES {
        return Err(GroupOpenError::TooLong);
    }
    Ok(OpenedPayload { sender: AccountId::person(&sender), plaintext })
}

/// Decompresses no more than the longest plaintext and one byte.
fn unpack(packed: &[u8]) -> Result<Vec<u8>, GroupOpenError> {
    let malformed = |_| GroupOpenError::Malformed;
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(malformed)?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(malformed)?;
    let limit = u64::try_from(MAX_PLAINTEXT_BYTES + 1).map_err(|_| GroupOpenError::TooLong)?;
    let mut plaintext = Vec::new();
    decoder.take(limit).read_to_end(&mut plaintext).map_err(malformed)?;
    Ok(plaintext)
}
