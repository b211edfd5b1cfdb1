//! A member's store in a run: memory that outlives the member's process, behind a disk that is slow,
//! fails or is full when the run says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use warren_store::{
    Applied, Counts, MailStore, MemoryStore, Merged, Page, Query, StoreError, Stored,
};
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

use crate::chance::Chance;

/// What is wrong with a disk.
#[derive(Default)]
pub(crate) struct Ailment {
    /// Every write takes up to so many milliseconds longer.
    pub(crate) slow: AtomicU64,
    /// Writes fail.
    pub(crate) full: AtomicBool,
    /// Messages are signed for and not kept: a liar's disk.
    keeps_nothing: AtomicBool,
}

/// The store of one member.
///
/// A process that is killed between the two waits of a write leaves it done and unanswered, as a
/// kill between fsync and reply does.
pub(crate) struct Disk {
    kept: MemoryStore,
    ailment: Arc<Ailment>,
    chance: Chance,
}

impl Disk {
    pub(crate) fn new(ailment: Arc<Ailment>, chance: Chance) -> Self {
        Self { kept: MemoryStore::default(), ailment, chance }
    }

    /// Whether messages are signed for without being kept.
    pub(crate) fn keep_nothing(&self, nothing: bool) {
        self.ailment.keeps_nothing.store(nothing, Ordering::Relaxed);
    }

    fn keeps_nothing(&self) -> bool {
        self.ailment.keeps_nothing.load(Ordering::Relaxed)
    }

    async fn pause(&self) {
        let slow = self.ailment.slow.load(Ordering::Relaxed);
        let longest = Duration::from_millis(1 + slow);
        tokio::time::sleep(self.chance.time(longest)).await;
    }

    /// A write: a wait, the deed, a wait.
    async fn write<T>(
        &self,
        deed: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.pause().await;
        if self.ailment.full.load(Ordering::Relaxed) {
            return Err(StoreError::Full);
        }
        let done = deed.await;
        self.pause().await;
        done
    }
}

#[async_trait]
impl MailStore for Disk {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        if self.keeps_nothing() {
            return Ok(Stored { expiry: message.expiry, already: false, overruled: None });
        }
        self.write(self.kept.store(message, now)).await
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.kept.retrieve(query, now).await
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        if self.keeps_nothing() {
            return Ok(Applied::default());
        }
        self.write(self.kept.apply(order, now)).await
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.kept.expiries(owner, hashes, now).await
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.kept.revoked(owner).await
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        self.kept.some_items(positions, limit, now).await
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.kept.records(items).await
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.kept.mailbox(owner, now).await
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        if self.keeps_nothing() {
            return Ok(vec![Merged::Known; records.len()]);
        }
        self.write(self.kept.merge(records, now)).await
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        self.write(self.kept.drop_positions(positions)).await
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        self.write(self.kept.note_missed(peer, items)).await
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.kept.missed(peer, limit).await
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        self.write(self.kept.forget_missed(peer, through)).await
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        self.kept.expire(now).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.kept.counts().await
    }

    /// The memory outlives the process that used it.
    async fn close(&self) {}
}
