//! The one thread that writes: it gathers what waits into a batch and syncs the disk once for all.
//!
//! While a batch is being synced the next one gathers, so the more callers there are, the more
//! share one fsync. Nobody is answered before the fsync of their batch returned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::engine::Engine;
use super::stage::{Progress, Stage};
use crate::StoreError;

/// The most jobs in one batch.
const BATCH_JOBS: usize = 256;
/// The size of data from which on a batch takes no more jobs.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of orders go into the reserve of the disk, so that room can be made by deleting.
const ORDERS_BEYOND: u64 = 32 * 1024 * 1024;
/// How long the engine rests between two attempts to write again after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// Says how the batch ended to whoever waits for it.
type Settle = Box<dyn FnOnce(&Result<(), StoreError>) + Send>;
/// What a caller wants done; given what keeps it from being done, it says so to the caller.
type Work = Box<dyn FnOnce(Result<&mut Stage<'_>, StoreError>) -> Option<Settle> + Send>;

/// Something to be written.
pub(super) struct Job {
    work: Work,
    /// Bytes of data that it brings.
    size: usize,
    /// Whether it needs the reserve of the disk to be there.
    grows: bool,
    /// Bytes of orders that it brings, of which some may go into the reserve.
    orders: u64,
}

impl Job {
    /// A job that answers on this channel what it did, once that is durable.
    pub(super) fn new<T: Send + 'static>(
        answer: oneshot::Sender<Result<T, StoreError>>,
        work: impl FnOnce(&mut Stage<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Self {
        let work: Work = Box::new(move |stage| {
            match stage.and_then(|stage| stage.attempt(work)) {
                Ok(value) => Some(Box::new(move |outcome| {
                    // Whoever asked may have gone away.
                    let _ = answer.send(outcome.clone().map(|()| value));
                })),
                Err(error) => {
                    let _ = answer.send(Err(error));
                    None
                }
            }
        });
        Self { work, size: 0, grows: false, orders: 0 }
    }

    /// How many bytes it brings of anything.
    fn bytes(&self) -> usize {
        self.size.saturating_add(usize::try_from(self.orders).unwrap_or(usize::MAX))
    }

    /// It brings so many bytes of orders.
    pub(super) fn ordering(self, bytes: u64) -> Self {
        Self { orders: bytes, ..self }
    }

    /// It brings so many bytes of data, for which there must be room.
    pub(super) fn growing(self, size: usize) -> Self {
        Self { size, grows: true, ..self }
    }
}

/// The thread's own state.
pub(super) struct Writer {
    engine: Arc<Engine>,
    progress: Progress,
    /// Bytes of orders written since the reserve was last there.
    beyond: u64,
    /// Why the last write failed, and when the engine may be tried again.
    failure: Option<(StoreError, Instant)>,
}

impl Writer {
    pub(super) fn new(engine: Arc<Engine>) -> Result<Self, StoreError> {
        let state = engine.tables()?.state()?;
        Ok(Self { engine, progress: Progress { state, swept_to: 0 }, beyond: 0, failure: None })
    }

    /// Writes until no one is left who could ask.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH_JOBS);
        while let Some(job) = jobs.blocking_recv() {
            let mut size = job.bytes();
            batch.push(job);
            while batch.len() < BATCH_JOBS && size < BATCH_BYTES {
                let Ok(job) = jobs.try_recv() else { break };
                size = size.saturating_add(job.bytes());
                batch.push(job);
            }
            match self.ready() {
                Ok(()) => self.write(batch.drain(..)),
                Err(error) => {
                    for job in batch.drain(..) {
                        (job.work)(Err(error.clone()));
                    }
                }
            }
        }
    }

    /// Opens the engine anew after a failure, if it is time to; it refuses all writes after one that
    /// failed.
    fn ready(&mut self) -> Result<(), StoreError> {
        let Some((error, retry)) = &self.failure else { return Ok(()) };
        if Instant::now() < *retry {
            return Err(error.clone());
        }
        match self.engine.reopen() {
            Ok(state) => {
                tracing::info!("the store writes again");
                self.progress = Progress { state, swept_to: 0 };
                self.failure = None;
                Ok(())
            }
            Err(error) => {
                self.failure = Some((error.clone(), Instant::now() + RETRY));
                Err(error)
            }
        }
    }

    fn write(&mut self, batch: impl Iterator<Item = Job>) {
        let tables = match self.engine.tables() {
            Ok(tables) => tables,
            Err(error) => return batch.for_each(|job| drop((job.work)(Err(error.clone())))),
        };
        let mut stage = Stage::new(&tables, self.progress);
        let mut room = None;
        let mut pending = Vec::with_capacity(BATCH_JOBS);
        for job in batch {
            let mut is_left = || *room.get_or_insert_with(|| self.engine.reserve().is_left());
            let has_room = if job.grows {
                is_left()
            } else if job.orders == 0 {
                true
            } else if is_left() {
                self.beyond = 0;
                true
            } else {
                self.beyond = self.beyond.saturating_add(job.orders);
                self.beyond <= ORDERS_BEYOND
            };
            let stage = if has_room { Ok(&mut stage) } else { Err(StoreError::Full) };
            pending.extend((job.work)(stage));
        }
        let outcome = stage.commit().map_err(|error| {
            tracing::error!(%error, "the store cannot write and is opened anew");
            self.failure = Some((error.clone(), Instant::now() + RETRY));
            error
        });
        drop(tables);
        if let Ok(progress) = &outcome {
            self.progress = *progress;
        }
        let outcome = outcome.map(|_| ());
        for settle in pending {
            settle(&outcome);
        }
    }
}
