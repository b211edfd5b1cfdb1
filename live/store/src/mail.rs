//! The trait every storage engine has.
//!
//! A mailbox is the *union* of the messages and orders that any member of its swarm took in. What
//! is served follows from them by the rules in [`crate::union`], whatever order they arrive in.

use async_trait::async_trait;
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

use crate::StoreError;
use crate::shapes::{Applied, Counts, Merged, Page, Query, Stored};

/// About how many bytes of records [`MailStore::records`] returns at most.
pub const RECORDS_BYTES: usize = 4 * 1024 * 1024;
/// How many items [`MailStore::records`] looks at, at most.
pub const RECORDS_ITEMS: usize = 4_096;

/// An engine that keeps mail.
///
/// "Expired" is what has `expiry <= now`, all orders considered. Engines have no clock of their
/// own: `now` is the caller's. Whoever calls has checked signatures and limits: no message expires,
/// and no order moves an expiry to, more than 30 days after its stamp.
#[async_trait]
pub trait MailStore: Send + Sync {
    /// Keeps a message; returns when it would survive a power cut.
    ///
    /// A message that is there and has not expired keeps its place and timestamp; its expiry is only
    /// ever raised, and the later stamp counts. A drawer that is a public outbox
    /// ([`warren_wire::Access::PublicOutbox`]) holds one message: the greater (timestamp, hash)
    /// stays, in whatever order they arrive.
    ///
    /// # Errors
    /// Where the message may not be durable: it may or may not be there.
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError>;

    /// Reads messages of one drawer in the order in which they arrived here, none of them expired.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError>;

    /// Carries out an owner's order and keeps it; durable on return.
    ///
    /// What it is for and has expired by `now` is removed, so that no order brings it back.
    ///
    /// The same order (same owner and proof) may come again: of `DeleteAll` the earlier stamp
    /// counts, so that a replay removes nothing that was stored since; of all others the later one,
    /// and they are carried out anew.
    ///
    /// # Errors
    /// [`StoreError::TooManyOrders`] where the owner has no room for one more
    /// ([`crate::quota`]): nothing is done. Else where the order may not be durable: it may or may
    /// not be carried out.
    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError>;

    /// When messages expire: of those named, each once in the order asked, those that are there; or
    /// of the whole mailbox, ordered by hash.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError>;

    /// The subaccounts that have no rights, in order of revocation: the last
    /// [`crate::revocations::KEPT`].
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError>;

    /// The items of all messages served and orders kept whose owners lie on this stretch, ordered
    /// by (stamp, id).
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn items(&self, positions: Positions, now: Millis) -> Result<Vec<Item>, StoreError> {
        self.some_items(positions, usize::MAX, now).await
    }

    /// As [`Self::items`], where there are at most `limit`; else `limit` of them, whichever.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError>;

    /// The records of items, those left out that are not there any more, and how many of the items
    /// were looked at: it ends after [`RECORDS_ITEMS`], or about [`RECORDS_BYTES`] of data.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError>;

    /// Everything of one mailbox: the messages served in the order in which they arrived here, then
    /// the orders by stamp.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError>;

    /// Takes over records from other members, all of them durable on return; says of each, in
    /// order, what became of it. Whatever their sequence, orders are taken over before messages. An
    /// order is refused whose owner has no room for it ([`crate::quota`]).
    ///
    /// # Errors
    /// Where the records may not be durable: each may or may not be there.
    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError>;

    /// Drops all messages and orders on this stretch, which other nodes keep; says how many they
    /// were.
    ///
    /// # Errors
    /// Where the engine fails; what was dropped until then stays dropped.
    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError>;

    /// Notes durably that a member missed these.
    ///
    /// # Errors
    /// Where the notes may not be durable.
    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError>;

    /// The oldest notes for a member, with their numbers, which only ever grow.
    ///
    /// # Errors
    /// Where the disk cannot be read, or holds what contradicts itself.
    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError>;

    /// Forgets the notes for a member up to and with this number: all of them where it is
    /// `u64::MAX`.
    ///
    /// # Errors
    /// Where the engine fails; some notes may be left.
    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError>;

    /// Deletes messages that have expired and orders past their time
    /// ([`crate::union::ORDER_LIFE`]); says how many messages that were.
    ///
    /// # Errors
    /// Where the engine fails; what was deleted until then stays deleted.
    async fn expire(&self, now: Millis) -> Result<usize, StoreError>;

    /// Says how much the engine holds.
    ///
    /// # Errors
    /// Where the engine fails or is closed.
    async fn counts(&self) -> Result<Counts, StoreError>;

    /// Whether other processes write to the same store: whoever waits for a message then has to look
    /// again from time to time.
    fn is_shared(&self) -> bool {
        false
    }

    /// Finishes what was accepted and stops. Everything asked afterwards is
    /// [`StoreError::Closed`].
    async fn close(&self);
}
