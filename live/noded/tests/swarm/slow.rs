//! A storage engine that takes its time over messages and looks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use warren_store::{
    Applied, Counts, MailStore, MemoryStore, Merged, Page, Query, StoreError, Stored,
};
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

/// Keeps a message only after so long, and looks for so long.
pub(crate) struct Slow {
    pub(crate) inner: Arc<MemoryStore>,
    pub(crate) takes: Duration,
    /// How long it takes to look at what there is to compare.
    pub(crate) looks: Duration,
}

#[async_trait]
impl MailStore for Slow {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        tokio::time::sleep(self.takes).await;
        self.inner.store(message, now).await
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.inner.retrieve(query, now).await
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        self.inner.apply(order, now).await
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.inner.expiries(owner, hashes, now).await
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.inner.revoked(owner).await
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        tokio::time::sleep(self.looks).await;
        self.inner.some_items(positions, limit, now).await
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.inner.records(items).await
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.inner.mailbox(owner, now).await
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        self.inner.merge(records, now).await
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        self.inner.drop_positions(positions).await
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        self.inner.note_missed(peer, items).await
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.inner.missed(peer, limit).await
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        self.inner.forget_missed(peer, through).await
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        self.inner.expire(now).await
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.inner.counts().await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
