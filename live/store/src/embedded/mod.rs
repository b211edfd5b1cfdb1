//! The engine inside the node's own process: fjall, a log-structured store with values kept apart
//! from keys.
//!
//! # What "stored" means
//! Every batch is one fjall batch with `PersistMode::SyncAll`: its bytes go to the journal, then
//! `fsync` of the journal file returns, then the memory tables change and the callers are
//! answered (fjall 3.1.13, `batch/mod.rs`, `journal/writer.rs`). A batch that a power cut tears is
//! dropped as a whole when the store is opened; see `journal_tail` for the case that fjall does
//! not handle itself, and `folder` for how a fresh database becomes durable.
//!
//! After a failed write fjall refuses all others. Those who wait are told, reads go on, and the
//! engine opens itself anew as soon as the disk takes writes again: see `engine`.
//!
//! | module | what |
//! |---|---|
//! | `bytes`, `keys`, `values` | the bytes of keys and values |
//! | `folder` | creating, locking and opening |
//! | `journal_tail` | dropping a batch torn by a power cut |
//! | `upgrade` | reading the older format |
//! | `tables` | the keyspaces |
//! | `engine` | the open database, and opening it anew |
//! | `stage` | a batch in the making |
//! | `writer` | the thread that commits batches |
//! | `reader` | reading from one view of the database |

mod bytes;
mod engine;
mod folder;
mod journal_tail;
mod keys;
mod reader;
mod stage;
mod tables;
mod upgrade;
mod values;
mod writer;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task;
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

use self::engine::{Engine, Reserve};
use self::reader::View;
use self::stage::Stage;
use self::tables::Tables;
use self::writer::{Job, Writer};
use crate::StoreError;
use crate::mail::MailStore;
use crate::quota::order_bytes;
use crate::shapes::{Applied, Counts, Merged, Page, Query, Stored};
use crate::union::orders_first;

/// How many jobs may wait for the writer before those who ask have to.
const QUEUE: usize = 1_024;
/// How many entries go in one batch of a long removal, so that stores need not wait long.
const SWEEP: usize = 256;

/// What may be chosen of an embedded store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Bytes of the file system that must be free for anything to be stored. They are what the
    /// engine needs to write out its memory and to compact.
    pub reserve: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { reserve: 256 * 1024 * 1024 }
    }
}

/// A store in a folder of this machine.
///
/// Dropping it waits until what was accepted is written, as [`MailStore::close`] does, but blocks
/// the thread meanwhile.
pub struct EmbeddedStore {
    open: RwLock<Option<Open>>,
}

struct Open {
    jobs: mpsc::Sender<Job>,
    engine: Arc<Engine>,
    writer: JoinHandle<()>,
}

impl EmbeddedStore {
    /// Opens the store in a folder, or makes both; a store of an older format is upgraded. Blocks
    /// the thread while a journal is replayed.
    ///
    /// # Errors
    /// Where another process has it open, its format is newer, it is damaged, or the disk fails.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let reserve = Reserve { folder: folder.to_path_buf(), bytes: options.reserve };
        let engine = Arc::new(Engine::open(reserve)?);
        let writer = Writer::new(Arc::clone(&engine))?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer =
            thread::Builder::new().name("store-writer".into()).spawn(|| writer.run(queue))?;
        Ok(Self { open: RwLock::new(Some(Open { jobs, engine, writer })) })
    }

    /// Has the writer do something and waits until it is durable.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Stage<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Job::new(answer, work)).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Self::write`], for what brings data and so needs room on the disk.
    async fn grow<T: Send + 'static>(
        &self,
        size: usize,
        work: impl FnOnce(&mut Stage<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Job::new(answer, work).growing(size)).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Self::write`], for orders with so many bytes, which may use some of the reserve.
    async fn order<T: Send + 'static>(
        &self,
        bytes: u64,
        work: impl FnOnce(&mut Stage<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.hand_in(Job::new(answer, work).ordering(bytes)).await?;
        answered.await.map_err(|_| StoreError::Closed)?
    }

    async fn hand_in(&self, job: Job) -> Result<(), StoreError> {
        let jobs = self.with_open(|open| open.jobs.clone())?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)
    }

    /// Reads on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let engine = self.with_open(|open| Arc::clone(&open.engine))?;
        let outcome = task::spawn_blocking(move || {
            let tables = engine.tables()?;
            read(&tables)
        });
        outcome.await.map_err(|error| StoreError::Engine(error.to_string()))?
    }

    fn with_open<T>(&self, take: impl FnOnce(&Open) -> T) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(take).ok_or(StoreError::Closed)
    }

    /// Lets nothing more in; what is returned ends the writer.
    fn shut(&self) -> Option<impl FnOnce() + Send + 'static> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(move || {
            drop(open.jobs);
            if open.writer.join().is_err() {
                tracing::error!("the store's writer panicked");
            }
            drop(open.engine);
        })
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        if let Some(finish) = self.shut() {
            finish();
        }
    }
}

#[async_trait]
impl MailStore for EmbeddedStore {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        self.grow(message.data.len(), move |stage| stage.store(&message, now)).await
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.read(move |tables| View::of(tables).retrieve(&query, now)).await
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        let bytes = order_bytes(&order);
        self.order(bytes, move |stage| stage.apply(order, now)).await
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.read(move |tables| View::of(tables).expiries(owner, hashes, now)).await
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.read(move |tables| View::of(tables).revoked(&owner)).await
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        self.read(move |tables| View::of(tables).items(positions, limit, now)).await
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.read(move |tables| View::of(tables).records(&items)).await
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.read(move |tables| View::of(tables).mailbox(owner, now)).await
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        let size = records.iter().map(|record| match record {
            Record::Message(message) => message.data.len(),
            Record::Order(_) => 0,
        });
        let size: usize = size.sum();
        let orders = records.iter().map(|record| match record {
            Record::Message(_) => 0,
            Record::Order(order) => order_bytes(order),
        });
        let orders: u64 = orders.sum();
        let merge = move |stage: &mut Stage<'_>| {
            orders_first(records, |record| match record {
                Record::Message(message) => stage.merge_message(&message, now),
                Record::Order(order) => stage.merge_order(order, now),
            })
        };
        if size == 0 { self.order(orders, merge).await } else { self.grow(size, merge).await }
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        let mut dropped = 0_u64;
        loop {
            let swept = self.write(move |stage| stage.drop_positions(positions, SWEEP)).await?;
            let gone = u64::try_from(swept.messages.saturating_add(swept.orders));
            dropped = dropped.saturating_add(gone.unwrap_or(u64::MAX));
            if !swept.more {
                return Ok(dropped);
            }
        }
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        self.write(move |stage| {
            stage.note_missed(&peer, &items);
            Ok(())
        })
        .await
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.read(move |tables| View::of(tables).missed(&peer, limit)).await
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        while self.write(move |stage| stage.forget_missed(&peer, through, SWEEP)).await? {}
        Ok(())
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        let mut removed = 0_usize;
        loop {
            let swept = self.write(move |stage| stage.sweep(now, SWEEP)).await?;
            removed = removed.saturating_add(swept.messages);
            if !swept.more {
                return Ok(removed);
            }
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let state = self.read(Tables::state).await?;
        Ok(Counts { messages: state.messages, orders: state.orders })
    }

    async fn close(&self) {
        if let Some(finish) = self.shut() {
            // Fails only where the runtime itself is being stopped.
            let _ = task::spawn_blocking(finish).await;
        }
    }
}

#[cfg(test)]
mod tests;
