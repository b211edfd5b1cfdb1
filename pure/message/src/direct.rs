//! A direct message from end to end: content to stored bytes, and back.

use std::fmt;

use warren_account::Account;
use warren_crypto::{CryptoError, Entropy, Secret};
use warren_wire::limits::MAX_DATA_BYTES;
use warren_wire::{AccountId, AccountKind, Millis};

use crate::content::config::SharedConfig;
use crate::content::{Content, ContentError, Kind};
use crate::envelope::{self, EnvelopeError};
use crate::padding;
use crate::sealed_v1::{self, UncheckedLetter};

/// The time on the envelope of a configuration message.
const CONFIG_TIME: Millis = 1;

/// Why a message cannot be sealed. The sender can mend the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's id is not that of a person (`05`).
    #[error("a direct message is written to a person, and this id belongs to none")]
    NotAPerson,
    /// The sealed message would be larger than a node accepts.
    #[error("the message is too long by about {} bytes: shorten it", size.saturating_sub(*limit))]
    TooLong {
        /// Bytes to be stored.
        size: usize,
        /// The most bytes that can be stored.
        limit: usize,
    },
    /// The recipient's key is a point of low order: nobody has its secret.
    #[error("the recipient's Account ID belongs to nobody: check it for a typing mistake")]
    Crypto(#[from] CryptoError),
}

/// Why stored bytes are no message to this account. There is nothing to show: drop them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Whoever stored the bytes framed them wrongly.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Altered, sealed to someone else, or not signed by who is named as the sender.
    #[error("the message was altered, is for another account, or is forged")]
    Seal(#[from] CryptoError),
    /// The sender's client padded with zeros alone.
    #[error("the message has no end")]
    Padding,
    /// The sender's client wrote something else than content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Neither the content nor the envelope says when it was sent.
    #[error("the message says no time")]
    NoTimestamp,
    /// Someone else asks to file a text as if this account had written it.
    #[error("the message claims to be this account's own and is not")]
    ForeignSyncTarget,
}

/// A message whose sender is known.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedMessage {
    /// Who signed it.
    pub sender: AccountId,
    /// When the sender says it was written. Signed, unless the content says no time and the
    /// envelope does, as with receipts of older clients.
    pub timestamp: Millis,
    /// In a copy that an account sealed to itself: whom the message was written to, of whatever
    /// kind it is.
    pub sync_target: Option<AccountId>,
    /// What this version understands of it.
    pub content: Content,
    /// The content as signed, so that a later version can read what this one does not.
    pub raw: Vec<u8>,
}

impl fmt::Debug for OpenedMessage {
    /// A log holds nothing of what people say, nor when or to whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedMessage({:?})", self.content)
    }
}

/// Signs and seals `content` to `recipient`: the bytes to store in their namespace 0.
///
/// `timestamp` goes under the seal. `outer_time` stands on the envelope, where nodes can read it.
///
/// # Errors
/// [`SealError::NotAPerson`] and [`SealError::TooLong`] are the sender's to mend.
pub fn seal_direct(
    sender: &Account,
    recipient: &AccountId,
    content: &Content,
    timestamp: Millis,
    outer_time: Millis,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    if recipient.kind() != AccountKind::Person {
        return Err(SealError::NotAPerson);
    }
    let padded = padding::pad(content.encode(timestamp));
    let sealed = sealed_v1::seal(sender, recipient, &padded, Secret::random(entropy))?;
    within_limit(envelope::wrap(sealed, outer_time))
}

/// Signs and seals `content` to the account's own devices, so that equal arguments give equal
/// bytes: what two devices store twice, a node keeps once.
///
/// # Errors
/// [`SealError::TooLong`] is the sender's to mend.
pub fn seal_to_self_deterministic(
    account: &Account,
    content: &Content,
    timestamp: Millis,
) -> Result<Vec<u8>, SealError> {
    let padded = padding::pad(content.encode(timestamp));
    let sealed = sealed_v1::seal_deterministic(account, &account.id(), &padded)?;
    within_limit(envelope::wrap(sealed, timestamp))
}

/// Wraps a configuration message for the account's own devices, as libsession does, byte for byte.
///
/// The configuration inside is padded and encrypted already, so no padding but its mark is added;
/// the time on the envelope is 1, as every device must write the same bytes.
///
/// # Errors
/// [`SealError::TooLong`] where a node would not take it.
pub fn seal_config(account: &Account, config: SharedConfig) -> Result<Vec<u8>, SealError> {
    let mut padded = Content::from(Kind::Config(config)).encode(CONFIG_TIME);
    padded.push(padding::MARK);
    let sealed = sealed_v1::seal_deterministic(account, &account.id(), &padded)?;
    within_limit(envelope::wrap_config(sealed, CONFIG_TIME))
}

/// Opens stored bytes as `recipient`, by any of the two ways of sealing.
///
/// The time is the signed one: the content's `sigTimestamp`, else that of its data message. Only
/// where both are missing is the envelope's taken, which anyone on the way could have changed.
///
/// # Errors
/// Where the bytes are no message to this account, or no honest one.
pub fn open_direct(recipient: &Account, stored: &[u8]) -> Result<OpenedMessage, OpenError> {
    let envelope = envelope::unwrap(stored)?;
    let letter = UncheckedLetter::open(recipient, &envelope.sealed)?.check(&recipient.id())?;
    let raw = padding::strip(&letter.padded).ok_or(OpenError::Padding)?;
    let (content, signed_timestamp) = Content::decode(raw)?;
    let content = content.seen_from(&letter.sender);
    let timestamp = signed_timestamp.or(envelope.timestamp).ok_or(OpenError::NoTimestamp)?;
    let sync_target = content.sync_target();
    if sync_target.is_some() && letter.sender != recipient.id() {
        return Err(OpenError::ForeignSyncTarget);
    }
    let raw = raw.to_vec();
    Ok(OpenedMessage { sender: letter.sender, timestamp, sync_target, content, raw })
}

fn within_limit(stored: Vec<u8>) -> Result<Vec<u8>, SealError> {
    match stored.len() {
        size if size > MAX_DATA_BYTES => Err(SealError::TooLong { size, limit: MAX_DATA_BYTES }),
        _ => Ok(stored),
    }
}

#[cfg(test)]
mod tests;
