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
//! After a failed write fjall refuses all others: reads go on, and the store must be opened anew.
//!
//! | module | what |
//! |---|---|
//! | `keys` | the bytes of keys and values |
//! | `folder` | creating, locking and opening |
//! | `journal_tail` | dropping a batch torn by a power cut |
//! | `tables` | the keyspaces |
//! | `stage` | a batch in the making |
//! | `writer` | the thread that commits batches |
//! | `reader` | pages of a drawer |

mod folder;
mod journal_tail;
mod keys;
mod reader;
mod stage;
mod tables;
mod writer;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task;
use warren_wire::record::{Change, Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId};

use self::tables::Tables;
use self::writer::{Answer, Command, Reserve, Writer};
use crate::StoreError;
use crate::mail::MailStore;
use crate::shapes::{Applied, Counts, Merged, Page, Query, Stored};

/// How many commands may wait for the writer before those who ask have to.
const QUEUE: usize = 1_024;
/// How many expired messages go in one batch, so that stores need not wait long.
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
    commands: mpsc::Sender<Command>,
    tables: Arc<Tables>,
    writer: JoinHandle<()>,
}

impl EmbeddedStore {
    /// Opens the store in a folder, or makes both. Blocks the thread while a journal is replayed.
    ///
    /// # Errors
    /// Where another process has it open, its format is newer, it is damaged, or the disk fails.
    pub fn open(folder: &Path, options: Options) -> Result<Self, StoreError> {
        let tables = Arc::new(folder::open(folder)?);
        let reserve = Reserve { folder: folder.to_path_buf(), bytes: options.reserve };
        let writer = Writer::new(Arc::clone(&tables), reserve)?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let writer =
            thread::Builder::new().name("store-writer".into()).spawn(|| writer.run(queue))?;
        Ok(Self { open: RwLock::new(Some(Open { commands, tables, writer })) })
    }

    /// Hands a command to the writer and waits until what it did is durable.
    async fn write<T>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let commands = self.with_open(|open| open.commands.clone())?;
        commands.send(command(answer)).await.map_err(|_| StoreError::Closed)?;
        drop(commands);
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tables = self.with_open(|open| Arc::clone(&open.tables))?;
        let outcome = task::spawn_blocking(move || read(&tables)).await;
        outcome.map_err(|error| StoreError::Engine(error.to_string()))?
    }

    fn with_open<T>(&self, take: impl FnOnce(&Open) -> T) -> Result<T, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map(take).ok_or(StoreError::Closed)
    }

    /// Lets nothing more in; what is returned ends the writer.
    fn shut(&self) -> Option<impl FnOnce() + Send + 'static> {
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(move || {
            drop(open.commands);
            if open.writer.join().is_err() {
                tracing::error!("the store's writer panicked");
            }
            drop(open.tables);
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
        self.write(|answer| Command::Store { message, now, answer }).await
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.read(move |tables| reader::retrieve(tables, &query, now)).await
    }

    async fn apply(&self, order: Order, _now: Millis) -> Result<Applied, StoreError> {
        let owner = order.owner;
        let Change::Delete(hashes) = order.change else {
            return Err(absent("orders of that kind"));
        };
        let deleted = self.write(|answer| Command::Delete { owner, hashes, answer }).await?;
        Ok(Applied { deleted, ..Applied::default() })
    }

    async fn expiries(
        &self,
        _owner: AccountId,
        _hashes: Option<Vec<MessageHash>>,
        _now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        Err(absent("expiries"))
    }

    async fn revoked(&self, _owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        Ok(Vec::new())
    }

    async fn items(&self, _positions: Positions, _now: Millis) -> Result<Vec<Item>, StoreError> {
        Err(absent("items"))
    }

    async fn records(&self, _items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        Err(absent("items"))
    }

    async fn mailbox(&self, _owner: AccountId, _now: Millis) -> Result<Vec<Record>, StoreError> {
        Err(absent("items"))
    }

    async fn merge(&self, _records: Vec<Record>, _now: Millis) -> Result<Vec<Merged>, StoreError> {
        Err(absent("merging"))
    }

    async fn drop_positions(&self, _positions: Positions) -> Result<u64, StoreError> {
        Err(absent("positions"))
    }

    async fn note_missed(&self, _peer: NodeId, _items: Vec<Item>) -> Result<(), StoreError> {
        Err(absent("notes"))
    }

    async fn missed(&self, _peer: NodeId, _limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        Ok(Vec::new())
    }

    async fn forget_missed(&self, _peer: NodeId, _through: u64) -> Result<(), StoreError> {
        Ok(())
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            let sweep = |answer| Command::Sweep { now, limit: SWEEP, answer };
            let swept = self.write(sweep).await?;
            removed += swept.removed;
            if !swept.more {
                return Ok(removed);
            }
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        let state = self.read(Tables::state).await?;
        Ok(Counts { messages: state.messages, orders: 0 })
    }

    async fn close(&self) {
        if let Some(finish) = self.shut() {
            // Fails only where the runtime itself is being stopped.
            let _ = task::spawn_blocking(finish).await;
        }
    }
}

/// What this format of the disk has no place for.
fn absent(what: &str) -> StoreError {
    StoreError::Engine(format!("the format of this store has no place for {what}"))
}

#[cfg(test)]
mod tests;
