//! A message to a group: from content to stored bytes and back (wire spec, section 2).
//!
//! ```text
//! seal   content > envelope > sealed (compressed, signed, padded, encrypted) > stored bytes
//! open   stored bytes > sealed > envelope > content
//! ```
//!
//! Not here: which keys a group has (`warren-config`), who is a member. Whoever has a group's key can
//! write to it, so the caller compares the sender with the list of members.
//!
//! | module | what |
//! |---|---|
//! | [`sealed`] | who said it, and that only holders of a key of the group read it |
//! | [`signed`] | what admins sign, that members believe it of the group |

use prost::Message;
use warren_account::Account;
use warren_crypto::entropy::random;
use warren_crypto::scalar::Scalar;
use warren_crypto::{Entropy, Secret};
use warren_wire::{AccountId, Millis};

pub use self::sealed::{GroupOpenError, GroupSealError, MAX_PLAINTEXT_BYTES};
use crate::proto;

pub mod sealed;
pub mod signed;

/// What every client of Session names as the sending device.
const SOURCE_DEVICE: u32 = 1;

/// What a member of a group said, under their signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedGroupMessage {
    /// Whose signature the message bears.
    pub sender: AccountId,
    /// When the sender says it was sent.
    pub timestamp: Option<Millis>,
    /// The `Content` protobuf, not yet read.
    pub content: Vec<u8>,
}

/// Seals `content` (a `Content` protobuf) to a group under its current `key`.
///
/// # Errors
/// Where the content is too long, or the id is no group's.
pub fn seal_group(
    sender: &Account,
    group: &AccountId,
    key: &Secret<32>,
    content: Vec<u8>,
    timestamp: Millis,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, GroupSealError> {
    let envelope = proto::Envelope {
        r#type: Some(proto::envelope::Type::ClosedGroupMessage.into()),
        source_device: Some(SOURCE_DEVICE),
        timestamp: Some(timestamp),
        content: Some(content),
        pro_sig: Some(decoy_signature(entropy)),
        ..Default::default()
    };
    sealed::seal(sender, group, key, &envelope.encode_to_vec(), entropy)
}

/// Opens stored bytes with the first of `keys` that fits; the newest is best tried first.
///
/// The kind, the source and the device of the envelope may be anything: the sender is who signed.
///
/// # Errors
/// What does not fit. A message without a fitting key may become readable with keys yet to come.
pub fn open_group<'a>(
    group: &AccountId,
    keys: impl IntoIterator<Item = &'a Secret<32>>,
    stored: &[u8],
) -> Result<OpenedGroupMessage, GroupOpenError> {
    let opened = sealed::open(group, keys, stored)?;
    let envelope = proto::Envelope::decode(opened.plaintext.as_slice())
        .map_err(|_| GroupOpenError::Malformed)?;
    let content = envelope.content.ok_or(GroupOpenError::Malformed)?;
    Ok(OpenedGroupMessage { sender: opened.sender, timestamp: envelope.timestamp, content })
}

/// `rB || s` with random `r` and `s`: what stands where a paying user's client signs, so that nobody
/// who opens the envelope without reading the content sees who pays. It verifies under no key.
fn decoy_signature(entropy: &mut dyn Entropy) -> Vec<u8> {
    let [point, response] = [random(entropy), random(entropy)].map(|wide| Scalar::reduce(&wide));
    [*point.public_key().as_bytes(), *response.to_bytes().expose()].concat()
}

#[cfg(test)]
mod tests;
