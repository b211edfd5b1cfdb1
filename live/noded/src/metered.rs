//! A storage engine whose work is timed, whose failures are counted and told in the log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use warren_store::{Applied, Counts, MailStore, Merged, Page, Query, StoreError, Stored};
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

use crate::telemetry;

/// A storage engine behind a meter.
pub struct Metered {
    inner: Arc<dyn MailStore>,
    writable: AtomicBool,
    full: AtomicBool,
}

impl Metered {
    /// Puts a meter before an engine.
    pub fn new(inner: Arc<dyn MailStore>) -> Arc<Self> {
        Arc::new(Self { inner, writable: AtomicBool::new(true), full: AtomicBool::new(false) })
    }

    /// Whether the last attempt to keep something succeeded.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Whether the last attempt to keep something failed for want of room.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    async fn read<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let result = work.await;
        telemetry::store(operation, begun.elapsed());
        if let Err(error) = &result {
            let kind = kind_of(error);
            telemetry::store_failed(kind);
            if !matches!(error, StoreError::Closed | StoreError::TooManyOrders) {
                tracing::error!(operation, %error, "storage failed");
            }
        }
        result
    }

    async fn write<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let result = self.read(operation, work).await;
        let writes = matches!(result, Ok(_) | Err(StoreError::TooManyOrders));
        self.writable.store(writes, Ordering::Relaxed);
        self.full.store(matches!(result, Err(StoreError::Full)), Ordering::Relaxed);
        result
    }
}

const fn kind_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full => "full",
        StoreError::Closed => "closed",
        StoreError::TooManyOrders => "too_many_orders",
        StoreError::Corrupt(_) => "corrupt",
        StoreError::Unavailable(_) => "unavailable",
        _ => "engine",
    }
}

#[async_trait]
impl MailStore for Metered {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        self.write("store", self.inner.store(message, now)).await
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.read("retrieve", self.inner.retrieve(query, now)).await
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        self.write("apply", self.inner.apply(order, now)).await
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.read("expiries", self.inner.expiries(owner, hashes, now)).await
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.read("revoked", self.inner.revoked(owner)).await
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        self.read("items", self.inner.some_items(positions, limit, now)).await
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.read("records", self.inner.records(items)).await
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.read("mailbox", self.inner.mailbox(owner, now)).await
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        self.write("merge", self.inner.merge(records, now)).await
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        self.read("drop_positions", self.inner.drop_positions(positions)).await
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        self.write("note_missed", self.inner.note_missed(peer, items)).await
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.read("missed", self.inner.missed(peer, limit)).await
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        self.read("forget_missed", self.inner.forget_missed(peer, through)).await
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        let expired = self.read("expire", self.inner.expire(now)).await?;
        if expired > 0 {
            // Room was made: the next store shows whether it is enough.
            self.writable.store(true, Ordering::Relaxed);
        }
        Ok(expired)
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read("counts", self.inner.counts()).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
