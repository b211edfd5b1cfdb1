//! What is still to be delivered: saved with its message before anything is sent.
//!
//! ```text
//! queue_message --> Pending --last recipient copy delivered--> Sent
//!                      |
//!                      +------recipient copy given up--------> Failed
//! ```
//!
//! A copy's bytes never change, so a store that is repeated, after a crash or by two processes,
//! has the same hash and is kept once.

use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, Transaction, params};
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::account::AccountDb;
use super::column::Col;
use super::error::{DatabaseError, is_duplicate};
use super::messages::{MessageId, MessageState};

/// A sealed copy's number in the outbox. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutboxId(i64);

impl ToSql for OutboxId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for OutboxId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// Whom a copy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The recipient.
    Recipient,
    /// The owner's other devices, through the account's own mailbox.
    Sync,
}

impl Purpose {
    const fn number(self) -> i64 {
        match self {
            Self::Recipient => 0,
            Self::Sync => 1,
        }
    }
}

/// A sealed message on its way to one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A message the owner sends.
#[derive(Debug, Clone)]
pub struct NewOutgoing<'a> {
    /// To whom.
    pub peer: AccountId,
    /// The text.
    pub body: &'a str,
    /// The timestamp sealed inside, which with `peer` names the message; see
    /// [`AccountDb::free_timestamp`].
    pub timestamp: Millis,
    /// The time on this device.
    pub now: Millis,
    /// Its sealed copies: the recipient's, and one for the owner's other devices. A note to self
    /// has the latter alone.
    pub copies: &'a [SealedCopy],
}

/// A copy whose time to be tried has come.
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
    /// The first timestamp from `now` on that no own message to `peer` has.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn free_timestamp(&self, peer: &AccountId, now: Millis) -> Result<Millis, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT timestamp FROM messages
             WHERE outgoing = 1 AND peer = ?1 AND timestamp >= ?2 ORDER BY timestamp",
        )?;
        let mut free = now;
        for taken in statement.query_map(params![Col(peer), Col(now)], |row| row.get(0))? {
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
    /// [`DatabaseError::TimestampTaken`] where an own message to the peer has the timestamp
    /// already: take a later one and seal again. Nothing is saved then.
    pub fn queue_message(&mut self, message: &NewOutgoing<'_>) -> Result<MessageId, DatabaseError> {
        let transaction = self.write()?;
        let id = match insert_message(&transaction, message) {
            Err(error) if is_duplicate(&error) => return Err(DatabaseError::TimestampTaken),
            inserted => inserted?,
        };
        for copy in message.copies {
            insert_copy(&transaction, id, copy, message.now)?;
        }
        transaction.commit()?;
        Ok(id)
    }

    /// The copies to try at `now`, the longest waiting first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn due_outbox(&self, now: Millis) -> Result<Vec<DueCopy>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, message_id, purpose, target, namespace, data, timestamp, ttl, attempts
             FROM outbox WHERE next_attempt <= ?1 ORDER BY next_attempt, id",
        )?;
        let due = statement.query_map([Col(now)], due_copy)?.collect::<Result<_, _>>()?;
        Ok(due)
    }

    /// When the next copy is to be tried; `None` where the outbox is empty.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn next_attempt(&self) -> Result<Option<Millis>, DatabaseError> {
        let next: Option<Col<Millis>> = self
            .connection
            .prepare_cached("SELECT min(next_attempt) FROM outbox")?
            .query_row([], |row| row.get(0))?;
        Ok(next.map(|next| next.0))
    }

    /// Takes a copy out of the outbox that a swarm has acknowledged under `hash`.
    ///
    /// The message is sent once none of its copies for a recipient waits. The hash of a sync copy
    /// is kept: it is the message's name in the account's own mailbox. A copy that another process
    /// delivered first is passed over.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn outbox_delivered(
        &mut self,
        id: OutboxId,
        hash: &MessageHash,
    ) -> Result<(), DatabaseError> {
        let transaction = self.write()?;
        let Some((message, purpose)) = take_copy(&transaction, id)? else { return Ok(()) };
        if purpose == Purpose::Sync {
            // A row that was fetched before this one was queued cannot have this hash: its
            // timestamp would have been taken. OR IGNORE is for a node that answers nonsense.
            transaction.execute(
                "UPDATE OR IGNORE messages SET hash = ?2 WHERE id = ?1 AND hash IS NULL",
                params![message, Col(hash)],
            )?;
        }
        transaction.execute(
            "UPDATE messages SET state = ?2 WHERE id = ?1 AND state = ?3 AND NOT EXISTS
                 (SELECT 1 FROM outbox WHERE message_id = ?1 AND purpose = ?4)",
            params![
                message,
                MessageState::Sent.number(),
                MessageState::Pending.number(),
                Purpose::Recipient.number(),
            ],
        )?;
        Ok(transaction.commit()?)
    }

    /// Notes that a copy was tried in vain: it is tried again at `next_attempt`, or never.
    ///
    /// With `None` the copy leaves the outbox, and its message is failed where the copy was a
    /// recipient's, or the last of a note to self. A copy that is gone is passed over.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn outbox_failed(
        &mut self,
        id: OutboxId,
        next_attempt: Option<Millis>,
    ) -> Result<(), DatabaseError> {
        let transaction = self.write()?;
        if let Some(next) = next_attempt {
            transaction.execute(
                "UPDATE outbox SET attempts = attempts + 1, next_attempt = ?2 WHERE id = ?1",
                params![id, Col(next)],
            )?;
        } else if let Some((message, purpose)) = take_copy(&transaction, id)? {
            transaction.execute(
                "UPDATE messages SET state = ?2 WHERE id = ?1 AND state = ?3 AND (?4 OR NOT EXISTS
                     (SELECT 1 FROM outbox WHERE message_id = ?1))",
                params![
                    message,
                    MessageState::Failed.number(),
                    MessageState::Pending.number(),
                    purpose == Purpose::Recipient,
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }
}

fn insert_message(
    transaction: &Transaction<'_>,
    message: &NewOutgoing<'_>,
) -> rusqlite::Result<MessageId> {
    transaction
        .prepare_cached(
            "INSERT INTO messages (peer, outgoing, body, timestamp, received_at, state, read)
             VALUES (?1, 1, ?2, ?3, ?4, ?5, 1) RETURNING id",
        )?
        .query_row(
            params![
                Col(&message.peer),
                message.body,
                Col(message.timestamp),
                Col(message.now),
                MessageState::Pending.number(),
            ],
            |row| row.get(0),
        )
}

fn insert_copy(
    transaction: &Transaction<'_>,
    message: MessageId,
    copy: &SealedCopy,
    now: Millis,
) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "INSERT INTO outbox
                 (message_id, purpose, target, namespace, data, timestamp, ttl, next_attempt)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            message,
            copy.purpose.number(),
            Col(&copy.target),
            copy.namespace.number(),
            copy.data,
            Col(copy.timestamp),
            Col(copy.ttl),
            Col(now),
        ])?;
    Ok(())
}

/// Takes a copy out; `None` where it is gone already.
fn take_copy(
    transaction: &Transaction<'_>,
    id: OutboxId,
) -> Result<Option<(MessageId, Purpose)>, DatabaseError> {
    let taken = transaction
        .prepare_cached("DELETE FROM outbox WHERE id = ?1 RETURNING message_id, purpose")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(taken.optional()?)
}

impl FromSql for Purpose {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(if value.as_i64()? == Self::Sync.number() { Self::Sync } else { Self::Recipient })
    }
}

fn due_copy(row: &Row<'_>) -> rusqlite::Result<DueCopy> {
    Ok(DueCopy {
        id: row.get(0)?,
        message: row.get(1)?,
        copy: SealedCopy {
            purpose: row.get(2)?,
            target: row.get::<_, Col<AccountId>>(3)?.0,
            namespace: Namespace::new(row.get(4)?),
            data: row.get(5)?,
            timestamp: row.get::<_, Col<Millis>>(6)?.0,
            ttl: row.get::<_, Col<Millis>>(7)?.0,
        },
        attempts: row.get(8)?,
    })
}
