//! The trait every storage engine has, and the shapes that go in and out of it.

use std::fmt;

use async_trait::async_trait;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use crate::StoreError;

/// A message to be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Whose mailbox.
    pub owner: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The message's name, unique in the mailbox (it covers namespace and data).
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// From when on it is no longer served.
    pub expiry: Millis,
    /// The bytes.
    pub data: Vec<u8>,
    /// Whether the drawer holds one message and a newer one replaces it (public outboxes).
    pub replaces_all: bool,
}

impl fmt::Debug for NewMessage {
    /// Says how much data there is, and not which.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewMessage")
            .field("owner", &self.owner)
            .field("namespace", &self.namespace)
            .field("hash", &self.hash)
            .field("timestamp", &self.timestamp)
            .field("expiry", &self.expiry)
            .field("data_len", &self.data.len())
            .field("replaces_all", &self.replaces_all)
            .finish()
    }
}

/// What became of a message to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// When the message expires that is kept: never earlier than asked for, except where a newer
    /// message of a public outbox stays in place.
    pub expiry: Millis,
    /// Whether nothing new was kept: the message was there, or a newer one in its stead.
    pub already: bool,
}

/// Which messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Whose mailbox.
    pub owner: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The last message the reader has. Where the drawer does not hold it, reading starts at the
    /// beginning.
    pub after: Option<MessageHash>,
    /// The most messages to return.
    pub max_count: Option<usize>,
    /// The most bytes to return, as [`StoredMessage::wire_size`] counts them. The first message
    /// is returned whatever its size.
    pub max_size: usize,
}

/// A message as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its name.
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// From when on it is no longer served.
    pub expiry: Millis,
    /// The bytes.
    pub data: Vec<u8>,
}

impl StoredMessage {
    /// What the message counts for in a reply: see [`wire_size`].
    pub const fn wire_size(&self) -> usize {
        wire_size(self.data.len())
    }
}

/// What a message with so many bytes of data counts for in a reply: 100 for its frame, 43 for its
/// hash, and the data as base64 without padding (wire spec, section 4).
pub const fn wire_size(data_len: usize) -> usize {
    data_len.saturating_mul(4).saturating_div(3).saturating_add(100 + 43)
}

/// Some of the messages of a drawer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// In the order in which they arrived.
    pub messages: Vec<StoredMessage>,
    /// Whether more follow the last one.
    pub more: bool,
}

/// How much an engine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages, among them those past their expiry that were not swept yet.
    pub messages: u64,
}

/// An engine that keeps mail.
///
/// "Expired" is what has `expiry <= now`. Engines have no clock of their own: `now` is the
/// caller's.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Keeps a message; returns when it would survive a power cut.
    ///
    /// A message whose hash the mailbox holds keeps its position and timestamp, and its expiry is
    /// only ever raised; a copy that has expired counts as absent. In a drawer of one message
    /// (`replaces_all`) the greater of (timestamp, hash) stays, in whatever order they arrive.
    ///
    /// # Errors
    /// Where the message may not be durable: it may or may not be there.
    async fn store(&self, message: NewMessage, now: Millis) -> Result<Stored, StoreError>;

    /// Reads messages of one drawer in the order in which they arrived, none of them expired.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError>;

    /// Deletes messages from whichever drawers they lie in; returns, in the order asked and each
    /// once, those that were there, when their absence would survive a power cut.
    ///
    /// # Errors
    /// Where the deletion may not be durable: all of them may or may not be there.
    async fn delete(
        &self,
        owner: AccountId,
        hashes: Vec<MessageHash>,
    ) -> Result<Vec<MessageHash>, StoreError>;

    /// Deletes what has expired and returns how many messages that were.
    ///
    /// # Errors
    /// Where the engine fails; what was deleted until then stays deleted.
    async fn expire(&self, now: Millis) -> Result<usize, StoreError>;

    /// Says how much the engine holds.
    ///
    /// # Errors
    /// Where the engine fails or is closed.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Finishes what was accepted and stops. Everything asked afterwards is
    /// [`StoreError::Closed`].
    async fn close(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_counted_without_padding() {
        assert_eq!(wire_size(0), 143);
        assert_eq!(wire_size(1), 144);
        assert_eq!(wire_size(2), 145);
        assert_eq!(wire_size(3), 147);
        assert_eq!(wire_size(70_000), 143 + 93_333);
    }
}
