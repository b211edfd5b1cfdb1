//! The engine that keeps mail in PostgreSQL, or in what speaks like it: several node processes share
//! one replicated store, which outgrows a machine and survives the loss of one.
//!
//! What is acknowledged is as durable as the server makes a commit: see `docs/operating`. A request
//! that meets a failover waits for the next primary as long as [`Options::patience`] says.
//!
//! | module | what |
//! |---|---|
//! | `address` | the URL, TLS |
//! | `pool` | connections to the server that takes writes |
//! | `trouble` | which failures pass, and for how long to try again |
//! | `schema` | tables and their version |
//! | `batch`, `load`, `save` | writes, many in one transaction |
//! | `mailbox` | what writes do, in memory |
//! | `read`, `sweep` | reads; removal of what is past its time |
//! | `change`, `number` | orders and numbers as columns |

mod address;
mod batch;
mod change;
mod load;
mod mailbox;
mod number;
mod pool;
mod read;
mod save;
mod schema;
mod sweep;
mod trouble;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use warren_crypto::SystemEntropy;
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId, swarm};

use self::address::Address;
use self::batch::{Done, Job, Work, Writer};
use self::pool::Pool;
use self::trouble::{Patience, Trouble, persist};
use crate::StoreError;
use crate::mail::MailStore;
use crate::shapes::{Applied, Counts, Merged, Page, Query, Stored};

/// How many jobs may wait for one writer before those who ask have to wait.
const QUEUE: usize = 1024;
/// How long a statement may take that goes through many mailboxes.
const LONG: Duration = Duration::from_secs(120);

/// How the engine deals with its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The most connections.
    pub connections: usize,
    /// How many transactions write at once. A mailbox always has the same writer.
    pub writers: usize,
    /// How long a request waits for a database that takes writes.
    pub patience: Duration,
    /// How long one attempt may take before its connection is given up.
    pub attempt: Duration,
}

impl Default for Options {
    /// 16 connections, 4 writers, 30 seconds, 5 seconds.
    fn default() -> Self {
        Self {
            connections: 16,
            writers: 4,
            patience: Duration::from_secs(30),
            attempt: Duration::from_secs(5),
        }
    }
}

impl Options {
    fn patience(&self) -> Patience {
        Patience::new(self.patience, self.attempt)
    }

    fn long_patience(&self) -> Patience {
        Patience::new(LONG + self.patience, LONG)
    }
}

/// A store in a PostgreSQL database that other processes may share.
pub struct PostgresStore {
    pool: Pool,
    options: Options,
    writers: Mutex<Option<Vec<mpsc::Sender<Job>>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl PostgresStore {
    /// Connects, and makes the tables where they are not there.
    ///
    /// `url` is `postgres://user:password@host:port,host:port/database`, with `sslmode=require` and
    /// perhaps `sslrootcert=file.pem` for TLS. Of several hosts, the one that takes writes is used.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where no server takes writes within [`Options::patience`];
    /// [`StoreError::Newer`] where a newer version made the tables.
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let pool = Pool::new(Address::read(url)?, options.connections.max(2))?;
        persist!(options.patience(), schema::migrate(&pool))?;
        let (mut writers, mut tasks) = (Vec::new(), Vec::new());
        for _ in 0..options.writers.max(1) {
            let (sender, jobs) = mpsc::channel(QUEUE);
            let id = warren_crypto::entropy::random(&mut SystemEntropy);
            let writer = Writer { pool: pool.clone(), options, id, batch: 0 };
            writers.push(sender);
            tasks.push(tokio::spawn(writer.run(jobs)));
        }
        Ok(Self { pool, options, writers: Mutex::new(Some(writers)), tasks: Mutex::new(tasks) })
    }

    /// Connects once to a server that takes writes, and changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where there is none; it tries no second time.
    pub async fn reach(url: &str) -> Result<(), StoreError> {
        let pool = Pool::new(Address::read(url)?, 1)?;
        let lease = pool.lend().await.map_err(|trouble| match trouble {
            Trouble::Final(error) => error,
            Trouble::Passing(text) | Trouble::Lost(text) => StoreError::Unavailable(text),
        })?;
        lease.give_back();
        pool.close();
        Ok(())
    }

    /// The writer for a place on the ring.
    fn writer(&self, position: u64) -> Result<mpsc::Sender<Job>, StoreError> {
        let writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        let writers = writers.as_ref().ok_or(StoreError::Closed)?;
        let count = u64::try_from(writers.len()).unwrap_or(1);
        let at = usize::try_from(position.checked_rem(count).unwrap_or(0)).unwrap_or(0);
        writers.get(at).cloned().ok_or(StoreError::Closed)
    }

    fn is_open(&self) -> Result<(), StoreError> {
        self.writer(0).map(drop)
    }

    async fn write(&self, position: u64, work: Work) -> Result<Done, StoreError> {
        let writer = self.writer(position)?;
        let (reply, answer) = oneshot::channel();
        writer.send(Job { work, reply }).await.map_err(|_| StoreError::Closed)?;
        drop(writer);
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

fn mixed_up<T>(_: Done) -> Result<T, StoreError> {
    Err(StoreError::Engine("a writer answered another question".into()))
}

#[async_trait]
impl MailStore for PostgresStore {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        let position = swarm::position(&message.owner);
        match self.write(position, Work::Store(message, now)).await? {
            Done::Store(stored) => Ok(stored),
            other => mixed_up(other),
        }
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.is_open()?;
        persist!(self.options.patience(), read::page(&self.pool, &query, now))
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        let position = swarm::position(&order.owner);
        match self.write(position, Work::Apply(order, now)).await? {
            Done::Apply(applied) => Ok(applied),
            Done::TooMany => Err(StoreError::TooManyOrders),
            other => mixed_up(other),
        }
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.is_open()?;
        let hashes = hashes.as_deref();
        persist!(self.options.patience(), read::expiries(&self.pool, &owner, hashes, now))
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.is_open()?;
        persist!(self.options.patience(), read::revoked(&self.pool, &owner))
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        self.is_open()?;
        persist!(self.options.long_patience(), read::items(&self.pool, positions, limit, now))
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.is_open()?;
        persist!(self.options.patience(), read::records(&self.pool, &items))
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.is_open()?;
        persist!(self.options.patience(), read::mailbox(&self.pool, &owner, now))
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        let Some(first) = records.first() else { return self.is_open().map(|()| Vec::new()) };
        let position = swarm::position(first.owner());
        match self.write(position, Work::Merge(records, now)).await? {
            Done::Merge(merged) => Ok(merged),
            other => mixed_up(other),
        }
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        let mut dropped = 0;
        loop {
            self.is_open()?;
            let patience = self.options.long_patience();
            let step = persist!(patience, sweep::drop_positions(&self.pool, positions))?;
            dropped += step.removed;
            if !step.more {
                return Ok(dropped);
            }
        }
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        let [.., low] = *peer.as_bytes();
        self.write(u64::from(low), Work::Note(peer, items)).await.map(drop)
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.is_open()?;
        persist!(self.options.patience(), read::missed(&self.pool, &peer, limit))
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        self.is_open()?;
        persist!(self.options.long_patience(), sweep::forget(&self.pool, &peer, through))
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            self.is_open()?;
            let step = persist!(self.options.long_patience(), sweep::expire(&self.pool, now))?;
            removed += usize::try_from(step.removed).unwrap_or(usize::MAX);
            if !step.more {
                return Ok(removed);
            }
        }
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.is_open()?;
        persist!(self.options.long_patience(), read::counts(&self.pool))
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn close(&self) {
        drop(self.writers.lock().unwrap_or_else(PoisonError::into_inner).take());
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A writer that ended early has nothing left to finish.
            let _ = task.await;
        }
        self.pool.close();
    }
}
