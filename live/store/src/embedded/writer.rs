//! The one thread that writes: it gathers what waits into a batch and syncs the disk once for all.
//!
//! While a batch is being synced the next one gathers, so the more callers there are, the more
//! share one fsync. Nobody is answered before the fsync of their batch returned.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::keys::State;
use super::stage::{Stage, Swept};
use super::tables::Tables;
use crate::StoreError;
use crate::shapes::Stored;

/// The most commands in one batch.
const BATCH_COMMANDS: usize = 256;
/// The size of data from which on a batch takes no more commands.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Where the answer to a command goes.
pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Something to be written.
pub(super) enum Command {
    Store {
        message: MessageRecord,
        now: Millis,
        answer: Answer<Stored>,
    },
    Delete {
        owner: AccountId,
        hashes: Vec<MessageHash>,
        answer: Answer<Vec<(Namespace, MessageHash)>>,
    },
    Sweep {
        now: Millis,
        limit: usize,
        answer: Answer<Swept>,
    },
}

impl Command {
    const fn size(&self) -> usize {
        match self {
            Self::Store { message, .. } => message.data.len(),
            Self::Delete { .. } | Self::Sweep { .. } => 0,
        }
    }
}

/// An answer that waits for the batch to become durable.
enum Pending {
    Stored(Answer<Stored>, Stored),
    Deleted(Answer<Vec<(Namespace, MessageHash)>>, Vec<(Namespace, MessageHash)>),
    Swept(Answer<Swept>, Swept, Millis),
}

impl Pending {
    fn settle(self, outcome: &Result<(), StoreError>) {
        fn send<T>(answer: Answer<T>, value: T, outcome: &Result<(), StoreError>) {
            // Whoever asked may have gone away.
            let _ = answer.send(outcome.clone().map(|()| value));
        }
        match self {
            Self::Stored(answer, stored) => send(answer, stored, outcome),
            Self::Deleted(answer, hashes) => send(answer, hashes, outcome),
            Self::Swept(answer, swept, _) => send(answer, swept, outcome),
        }
    }
}

/// The free space below which nothing more is stored, so that the engine itself never meets a
/// full disk and room can still be made by deleting.
pub(super) struct Reserve {
    pub(super) folder: PathBuf,
    pub(super) bytes: u64,
}

impl Reserve {
    fn is_left(&self) -> bool {
        #[cfg(unix)]
        if let Ok(found) = rustix::fs::statvfs(&self.folder) {
            return found.f_bavail.saturating_mul(found.f_frsize) >= self.bytes;
        }
        true
    }
}

/// The thread's own state.
pub(super) struct Writer {
    tables: Arc<Tables>,
    state: State,
    reserve: Reserve,
    /// No message expires before this.
    swept_to: Millis,
    /// Why the engine stopped writing, if it did: it then refuses until it is opened anew.
    failure: Option<StoreError>,
}

impl Writer {
    pub(super) fn new(tables: Arc<Tables>, reserve: Reserve) -> Result<Self, StoreError> {
        let state = tables.state()?;
        Ok(Self { tables, state, reserve, swept_to: 0, failure: None })
    }

    /// Writes until no one is left who could ask.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(BATCH_COMMANDS);
        while let Some(command) = commands.blocking_recv() {
            let mut size = command.size();
            batch.push(command);
            while batch.len() < BATCH_COMMANDS && size < BATCH_BYTES {
                let Ok(command) = commands.try_recv() else { break };
                size = size.saturating_add(command.size());
                batch.push(command);
            }
            self.write(batch.drain(..));
        }
    }

    fn write(&mut self, batch: impl Iterator<Item = Command>) {
        let tables = Arc::clone(&self.tables);
        let mut stage = Stage::new(&tables, self.state);
        let mut room = None;
        let mut pending = Vec::with_capacity(BATCH_COMMANDS);
        for command in batch {
            pending.extend(self.apply(&mut stage, &mut room, command));
        }
        let earliest = stage.earliest();
        let outcome = stage.commit().map_err(|error| self.failed(error));
        if let Ok(state) = &outcome {
            self.state = *state;
            self.note_swept(&pending, earliest);
        }
        let outcome = outcome.map(|_| ());
        for answer in pending {
            answer.settle(&outcome);
        }
    }

    /// Stages a command. One that cannot be staged is answered at once and changes nothing.
    fn apply(
        &self,
        stage: &mut Stage<'_>,
        room: &mut Option<bool>,
        command: Command,
    ) -> Option<Pending> {
        match command {
            Command::Store { message, now, answer } => {
                let room = *room.get_or_insert_with(|| self.reserve.is_left());
                let stored = if room { stage.store(&message, now) } else { Err(StoreError::Full) };
                staged(stored, answer, Pending::Stored)
            }
            Command::Delete { owner, hashes, answer } => {
                staged(stage.delete(owner, &hashes), answer, Pending::Deleted)
            }
            Command::Sweep { now, limit, answer } => {
                let swept = stage.sweep(self.swept_to, now, limit);
                staged(swept, answer, |answer, swept| Pending::Swept(answer, swept, now))
            }
        }
    }

    /// Remembers what a sweep need not look at again, minding what the same batch added.
    fn note_swept(&mut self, pending: &[Pending], earliest: Millis) {
        for answer in pending {
            if let Pending::Swept(_, Swept { more: false, .. }, now) = answer {
                self.swept_to = self.swept_to.max(*now);
            }
        }
        self.swept_to = self.swept_to.min(earliest);
    }

    /// After one failed write the engine answers all others with its own refusal: the first cause
    /// says more.
    fn failed(&mut self, error: StoreError) -> StoreError {
        if self.failure.is_none() {
            tracing::error!(%error, "the store cannot write and must be opened anew");
        }
        self.failure.get_or_insert(error).clone()
    }
}

fn staged<T>(
    outcome: Result<T, StoreError>,
    answer: Answer<T>,
    pend: impl FnOnce(Answer<T>, T) -> Pending,
) -> Option<Pending> {
    match outcome {
        Ok(value) => Some(pend(answer, value)),
        Err(error) => {
            let _ = answer.send(Err(error));
            None
        }
    }
}
