//! Messages the owner sends: saved with their sealed copies before anything is stored.

use std::fmt;

use rusqlite::params;
use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::details::Details;
use super::error::{DatabaseError, is_duplicate};
use super::jobs::{Job, JobId, Task};
use super::messages::{Content, Direction, MessageId, MessageState};
use super::recording::NewRow;

/// A sealed copy's number.
pub type OutboxId = JobId;

/// Whom a copy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The recipient.
    Recipient,
    /// The owner's other devices, through the account's own mailbox.
    Sync,
}

impl Purpose {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Recipient => 0,
            Self::Sync => 1,
        }
    }
}

impl FromSql for Purpose {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(if value.as_i64()? == Self::Sync.number() { Self::Sync } else { Self::Recipient })
    }
}

/// A sealed message on its way to one mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCopy {
    /// Whom it is for.
    pub purpose: Purpose,
    /// Whose mailbox it goes to.
    pub target: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The bytes to store.
    pub data: Vec<u8>,
    /// The store's timestamp. Its data is discarded by nodes at `timestamp + ttl`.
    pub timestamp: Millis,
    /// How long the nodes keep it.
    pub ttl: Millis,
}

impl fmt::Debug for SealedCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedCopy({:?}, {} bytes)", self.purpose, self.data.len())
    }
}

/// A message the owner sends.
#[derive(Debug, Clone)]
pub struct NewOutgoing<'a> {
    /// To whom.
    pub conversation: AccountId,
    /// What it holds.
    pub content: &'a Content,
    /// What it carries beside.
    pub details: &'a Details,
    /// The timestamp sealed inside, which with `conversation` names the message; see
    /// [`AccountDb::free_timestamp`].
    pub timestamp: Millis,
    /// The time on this device.
    pub now: Millis,
    /// Its sealed copies: the recipient's, and one for the owner's other devices. A note to self
    /// has the latter alone, a message to a group the former alone. One whose files are still to be
    /// uploaded has none: its jobs are added in the same transaction.
    pub copies: &'a [SealedCopy],
}

/// A copy of a message whose time to be tried has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCopy {
    /// Its number.
    pub id: OutboxId,
    /// The message it is a copy of.
    pub message: MessageId,
    /// What to store where.
    pub copy: SealedCopy,
    /// How often it was tried.
    pub attempts: u32,
}

impl AccountDb {
    /// The first timestamp from `now` on that no own message in `conversation` has.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn free_timestamp(
        &self,
        conversation: &AccountId,
        now: Millis,
    ) -> Result<Millis, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT timestamp FROM messages
             WHERE outgoing = 1 AND conversation = ?1 AND timestamp >= ?2 ORDER BY timestamp",
        )?;
        let mut free = now;
        for taken in statement.query_map(params![Col(conversation), Col(now)], |row| row.get(0))? {
            let Col(taken): Col<Millis> = taken?;
            if taken != free {
                break;
            }
            free = free.saturating_add(1);
        }
        Ok(free)
    }

    /// Saves a message and its sealed copies. When this returns they survive a crash.
    ///
    /// # Errors
    /// As [`Tx::queue_message`]. Nothing is saved then.
    pub fn queue_message(&mut self, message: &NewOutgoing<'_>) -> Result<MessageId, DatabaseError> {
        self.transact(|tx| tx.queue_message(message))
    }

    /// The copies of messages to try at `now`, the longest waiting first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn due_outbox(&self, now: Millis) -> Result<Vec<DueCopy>, DatabaseError> {
        let due = self.due_jobs(now, usize::MAX)?.into_iter().filter_map(|job| match job {
            Job { id, task: Task::Store { message: Some(message), copy }, attempts, .. } => {
                Some(DueCopy { id, message, copy, attempts })
            }
            _ => None,
        });
        Ok(due.collect())
    }

    /// Takes a copy out that a swarm has acknowledged under `hash`, at `now`: see
    /// [`Tx::job_done`].
    ///
    /// # Errors
    /// Where the database fails.
    pub fn outbox_delivered(
        &mut self,
        id: OutboxId,
        hash: &MessageHash,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.job_done(id, Some(hash), now)
    }

    /// Notes that a copy was tried in vain: see [`Tx::job_failed`].
    ///
    /// # Errors
    /// Where the database fails.
    pub fn outbox_failed(
        &mut self,
        id: OutboxId,
        next_attempt: Option<Millis>,
    ) -> Result<(), DatabaseError> {
        self.job_failed(id, next_attempt, None)
    }
}

impl Tx<'_> {
    /// Saves a message and its sealed copies.
    ///
    /// # Errors
    /// [`DatabaseError::TimestampTaken`] where an own message in the conversation has the timestamp
    /// already: take a later one and seal again.
    pub fn queue_message(&self, message: &NewOutgoing<'_>) -> Result<MessageId, DatabaseError> {
        let inserted = self.insert_message(&NewRow {
            conversation: &message.conversation,
            author: self.account(),
            direction: Direction::Outgoing,
            content: message.content,
            details: message.details,
            timestamp: message.timestamp,
            received_at: message.now,
            state: MessageState::Pending,
            read: true,
            expires_at: None,
            hash: None,
            fingerprint: None,
        });
        let id = match inserted {
            Err(error) if is_duplicate(&error) => return Err(DatabaseError::TimestampTaken),
            inserted => inserted?,
        };
        self.add_attachments(id, &message.details.attachments)?;
        for copy in message.copies {
            let task = Task::Store { message: Some(id), copy: copy.clone() };
            self.add_job(&task, &[], message.now)?;
        }
        Ok(id)
    }
}
