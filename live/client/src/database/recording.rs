//! Messages that were fetched from the account's mailbox, each kept once.
//!
//! A message is fetched more than once: from several nodes of the swarm, after a crash before the
//! cursor moved, by two processes, and after a restore. It is the same when its hash is, and also
//! when its fingerprint is: the hash covers what nobody signed, so a node can store an old message
//! again under a new one. One of our own is the same too when peer and timestamp are: its row may
//! stem from this device, which knew neither hash nor fingerprint when it queued it.

use rusqlite::{OptionalExtension, Transaction, params};
use warren_wire::{AccountId, MessageHash, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::contacts;
use super::error::DatabaseError;
use super::messages::{Content, Direction, MessageId, MessageState};
use super::network_state::{self, Cursor};
use super::tombstones;

/// A message from the account's mailbox, opened and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its name in the account's mailbox, computed from its bytes and not believed from a node.
    pub hash: MessageHash,
    /// What its author signed: `BLAKE2b-32(sender id || content)`, of the opened letter.
    pub fingerprint: [u8; 32],
    /// Whom the conversation is with: the author, or the recipient of our own message.
    pub peer: AccountId,
    /// Who said it.
    pub direction: Direction,
    /// What it holds.
    pub content: Content,
    /// What its author calls themselves, where it came along. Noted of a new incoming message
    /// alone, in at most 64 characters and without control characters, and only where no newer
    /// message set the name.
    pub sender_name: Option<String>,
    /// When its author says it was written.
    pub timestamp: Millis,
    /// When it was fetched.
    pub received_at: Millis,
}

/// What became of a fetched message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// It is kept under this number.
    New(MessageId),
    /// It was here before, under this number.
    Duplicate(MessageId),
    /// It was deleted on this device, and is not kept again.
    Deleted,
}

impl AccountDb {
    /// Keeps one message.
    ///
    /// # Errors
    /// Where the database fails; then nothing is kept.
    pub fn record_incoming(&mut self, message: &Fetched) -> Result<Recorded, DatabaseError> {
        let transaction = self.write()?;
        let recorded = record(&transaction, message)?;
        transaction.commit()?;
        Ok(recorded)
    }

    /// Keeps what one retrieve brought and moves the cursor behind it, both or neither.
    ///
    /// `cursor` is `None` where the node's answer ends where the last one did. The answers stand
    /// in the order of `messages`.
    ///
    /// # Errors
    /// Where the database fails; then nothing is kept and the cursor stays.
    pub fn record_fetched_batch(
        &mut self,
        messages: &[Fetched],
        cursor: Option<&Cursor>,
    ) -> Result<Vec<Recorded>, DatabaseError> {
        let transaction = self.write()?;
        let recorded = messages
            .iter()
            .map(|message| record(&transaction, message))
            .collect::<Result<_, _>>()?;
        if let Some(cursor) = cursor {
            network_state::put_cursor(&transaction, cursor)?;
        }
        transaction.commit()?;
        Ok(recorded)
    }
}

fn record(transaction: &Transaction<'_>, message: &Fetched) -> Result<Recorded, DatabaseError> {
    if let Some(id) = known(transaction, message)? {
        return Ok(Recorded::Duplicate(id));
    }
    if message.direction == Direction::Outgoing
        && let Some(id) = own(transaction, &message.peer, message.timestamp)?
    {
        transaction
            .prepare_cached(
                "UPDATE messages
                 SET hash = coalesce(hash, ?2), fingerprint = coalesce(fingerprint, ?3)
                 WHERE id = ?1 AND (hash IS NULL OR fingerprint IS NULL)",
            )?
            .execute(params![id, Col(&message.hash), message.fingerprint])?;
        return Ok(Recorded::Duplicate(id));
    }
    if tombstones::is_buried(transaction, message)? {
        return Ok(Recorded::Deleted);
    }
    let id = insert(transaction, message)?;
    if message.direction == Direction::Incoming
        && let Some(name) = &message.sender_name
    {
        let Fetched { peer, timestamp, received_at, .. } = message;
        contacts::note_sender_name(transaction, peer, name, *timestamp, *received_at)?;
    }
    Ok(Recorded::New(id))
}

fn insert(transaction: &Transaction<'_>, message: &Fetched) -> Result<MessageId, DatabaseError> {
    let (body, raw) = match &message.content {
        Content::Text(text) => (Some(text), None),
        Content::Unknown(bytes) => (None, Some(bytes)),
    };
    let (outgoing, state) = match message.direction {
        Direction::Incoming => (false, MessageState::Received),
        Direction::Outgoing => (true, MessageState::Sent),
    };
    let id = transaction
        .prepare_cached(
            "INSERT INTO messages
                 (hash, fingerprint, peer, outgoing, body, content_raw, timestamp, received_at,
                  state, read)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?4) RETURNING id",
        )?
        .query_row(
            params![
                Col(&message.hash),
                message.fingerprint,
                Col(&message.peer),
                outgoing,
                body,
                raw,
                Col(message.timestamp),
                Col(message.received_at),
                state.number(),
            ],
            |row| row.get(0),
        )?;
    Ok(id)
}

/// The row with the message's hash or fingerprint.
fn known(
    transaction: &Transaction<'_>,
    message: &Fetched,
) -> Result<Option<MessageId>, DatabaseError> {
    let found = transaction
        .prepare_cached("SELECT id FROM messages WHERE hash = ?1 OR fingerprint = ?2")?
        .query_row(params![Col(&message.hash), message.fingerprint], |row| row.get(0));
    Ok(found.optional()?)
}

fn own(
    transaction: &Transaction<'_>,
    peer: &AccountId,
    timestamp: Millis,
) -> Result<Option<MessageId>, DatabaseError> {
    let found = transaction
        .prepare_cached(
            "SELECT id FROM messages WHERE outgoing = 1 AND peer = ?1 AND timestamp = ?2",
        )?
        .query_row(params![Col(peer), Col(timestamp)], |row| row.get(0));
    Ok(found.optional()?)
}
