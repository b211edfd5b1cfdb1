//! Messages that were fetched, each kept once.
//!
//! A message is fetched more than once: from several nodes of the swarm, after a crash before the
//! cursor moved, by two processes, and after a restore. It is the same when its hash is, and also
//! when conversation, author and fingerprint are: the hash covers what nobody signed, so a node can
//! store an old message again under a new one. One of our own is the same too when conversation and
//! timestamp are: its row may stem from this device, which knew neither hash nor fingerprint when
//! it queued it.

use rusqlite::{OptionalExtension, params};
use warren_wire::{AccountId, AccountKind, MessageHash, Millis};

use super::account::{AccountDb, Tx};
use super::attachments::searchable_names;
use super::column::Col;
use super::contacts;
use super::details::{Details, Expiry, ExpiryMode};
use super::error::DatabaseError;
use super::messages::{Content, Direction, MessageId, MessageState};
use super::network_state::Cursor;

/// A message from a mailbox, opened and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its name in the mailbox, computed from its bytes and not believed from a node.
    pub hash: MessageHash,
    /// What its author signed: `BLAKE2b-32(sender id || content)`, of the opened letter.
    pub fingerprint: [u8; 32],
    /// With whom the conversation is: the author or the recipient of our own message, or the group.
    pub conversation: AccountId,
    /// Who wrote it.
    pub author: AccountId,
    /// Whether it is the owner's, written on another device or come back.
    pub direction: Direction,
    /// What it holds.
    pub content: Content,
    /// What it carries beside.
    pub details: Details,
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
    /// Its author is blocked; nothing of it is kept.
    Blocked,
    /// Its time was over when it came; nothing of it is kept.
    Expired,
}

impl AccountDb {
    /// Keeps one message.
    ///
    /// # Errors
    /// Where the database fails; then nothing is kept.
    pub fn record_incoming(&mut self, message: &Fetched) -> Result<Recorded, DatabaseError> {
        self.transact(|tx| tx.record(message))
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
        self.transact(|tx| {
            let recorded = messages.iter().map(|message| tx.record(message)).collect();
            cursor.map_or(Ok(()), |cursor| tx.put_cursor(cursor))?;
            recorded
        })
    }

    /// Every name a message has in a mailbox, to delete it from its swarm.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn message_hashes(
        &self,
        id: MessageId,
    ) -> Result<Vec<(AccountId, MessageHash)>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT conversation, hash FROM messages WHERE id = ?1 AND hash IS NOT NULL
             UNION ALL SELECT mailbox, hash FROM message_hashes WHERE message_id = ?1",
        )?;
        let found = statement.query_map([id], |row| {
            Ok((row.get::<_, Col<AccountId>>(0)?.0, row.get::<_, Col<MessageHash>>(1)?.0))
        })?;
        let mut hashes: Vec<(AccountId, MessageHash)> = found.collect::<Result<_, _>>()?;
        for (mailbox, _) in &mut hashes {
            *mailbox = self.mailbox_of(mailbox);
        }
        Ok(hashes)
    }

    /// Where a conversation's messages are fetched from: the group's mailbox, or the own one.
    pub(super) fn mailbox_of(&self, conversation: &AccountId) -> AccountId {
        match conversation.kind() {
            AccountKind::Group => *conversation,
            _ => *self.account(),
        }
    }
}

impl Tx<'_> {
    /// Keeps one message, and does to it what came before it was here.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn record(&self, message: &Fetched) -> Result<Recorded, DatabaseError> {
        if let Some(id) = self.known(message)? {
            self.learn(id, message)?;
            return Ok(Recorded::Duplicate(id));
        }
        if self.is_buried(message)? {
            return Ok(Recorded::Deleted);
        }
        if message.conversation == message.author
            && message.direction == Direction::Incoming
            && self.is_blocked(&message.author)?
        {
            return Ok(Recorded::Blocked);
        }
        let read = self.is_read_on_arrival(message)?;
        let expires_at = message.details.expiry.and_then(|expiry| end(expiry, message, read));
        if expires_at.is_some_and(|end| end <= message.received_at) {
            return Ok(Recorded::Expired);
        }
        let id = self.insert_fetched(message, read, expires_at)?;
        self.add_attachments(id, &message.details.attachments)?;
        if let (Direction::Incoming, Some(name)) = (message.direction, &message.sender_name) {
            let Fetched { author, timestamp, received_at, .. } = message;
            contacts::note_sender_name(&self.connection, author, name, *timestamp, *received_at)?;
        }
        if self.apply_early(id, message)? { Ok(Recorded::New(id)) } else { Ok(Recorded::Deleted) }
    }

    fn is_read_on_arrival(&self, message: &Fetched) -> Result<bool, DatabaseError> {
        if message.direction == Direction::Outgoing
            || matches!(message.content, Content::Control(_))
        {
            return Ok(true);
        }
        let read: Option<bool> = self
            .connection
            .prepare_cached("SELECT read_elsewhere >= ?2 FROM conversations WHERE id = ?1")?
            .query_row(params![Col(&message.conversation), Col(message.timestamp)], |row| {
                row.get(0)
            })
            .optional()?;
        Ok(read.unwrap_or(false))
    }

    fn insert_fetched(
        &self,
        message: &Fetched,
        read: bool,
        expires_at: Option<Millis>,
    ) -> Result<MessageId, DatabaseError> {
        let state = match message.direction {
            Direction::Incoming => MessageState::Received,
            Direction::Outgoing => MessageState::Sent,
        };
        self.insert_message(&NewRow {
            conversation: &message.conversation,
            author: &message.author,
            direction: message.direction,
            content: &message.content,
            details: &message.details,
            timestamp: message.timestamp,
            received_at: message.received_at,
            state,
            read,
            expires_at,
            hash: Some(&message.hash),
            fingerprint: Some(&message.fingerprint),
        })
        .map_err(DatabaseError::from)
    }

    /// Inserts a row without its files; [`Tx::add_attachments`] adds them.
    pub(super) fn insert_message(&self, row: &NewRow<'_>) -> rusqlite::Result<MessageId> {
        let (body, control, raw) = row.content.columns();
        let (mode, seconds) = Expiry::columns(row.details.expiry);
        let quote = row.details.quote.as_ref();
        let preview = row.details.preview.as_ref();
        self.connection
            .prepare_cached(
                "INSERT INTO messages (conversation, author, outgoing, kind, timestamp,
                     received_at, state, read, mentions_me, expiry_mode, expiry_timer, expires_at,
                     hash, fingerprint, body, files, control, content_raw, quote_author,
                     quote_timestamp, quote_text, preview_url, preview_title)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                     ?17, ?18, ?19, ?20, ?21, ?22, ?23) RETURNING id",
            )?
            .query_row(
                params![
                    Col(row.conversation),
                    Col(row.author),
                    row.direction == Direction::Outgoing,
                    row.content.kind(),
                    Col(row.timestamp),
                    Col(row.received_at),
                    row.state.number(),
                    row.read,
                    row.details.mentions_me && row.direction == Direction::Incoming,
                    mode,
                    seconds,
                    row.expires_at.map(Col),
                    row.hash.map(Col),
                    row.fingerprint,
                    body,
                    searchable_names(&row.details.attachments),
                    control,
                    raw,
                    quote.map(|quote| Col(&quote.author)),
                    quote.map(|quote| Col(quote.timestamp)),
                    quote.and_then(|quote| quote.text.as_ref()),
                    preview.map(|preview| &preview.url),
                    preview.map(|preview| &preview.title),
                ],
                |row| row.get(0),
            )
    }

    /// The row that a fetched message is the same as. The plus keeps SQLite from walking the whole
    /// conversation.
    fn known(&self, message: &Fetched) -> Result<Option<MessageId>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id FROM messages WHERE hash = ?1
                 UNION ALL SELECT message_id FROM message_hashes WHERE hash = ?1
                 UNION ALL SELECT id FROM messages
                     WHERE fingerprint = ?2 AND +conversation = ?3 AND author = ?4
                 UNION ALL SELECT id FROM messages
                     WHERE outgoing = 1 AND conversation = ?3 AND timestamp = ?5 AND ?6
                 LIMIT 1",
            )?
            .query_row(
                params![
                    Col(&message.hash),
                    message.fingerprint,
                    Col(&message.conversation),
                    Col(&message.author),
                    Col(message.timestamp),
                    message.direction == Direction::Outgoing,
                ],
                |row| row.get(0),
            );
        Ok(found.optional()?)
    }

    /// Notes a further name of a message that is here, and its fingerprint where none is known.
    fn learn(&self, id: MessageId, message: &Fetched) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "UPDATE messages
                 SET hash = coalesce(hash, ?2), fingerprint = coalesce(fingerprint, ?3)
                 WHERE id = ?1 AND (hash IS NULL OR fingerprint IS NULL) AND NOT EXISTS
                     (SELECT 1 FROM messages WHERE hash = ?2 AND id <> ?1)",
            )?
            .execute(params![id, Col(&message.hash), message.fingerprint])?;
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO message_hashes (message_id, mailbox, hash)
                 SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM messages WHERE hash = ?3)",
            )?
            .execute(params![
                id,
                Col(&self.mailbox_of(&message.conversation)),
                Col(&message.hash)
            ])?;
        Ok(())
    }
}

/// A row of `messages` to be.
pub(super) struct NewRow<'a> {
    pub(super) conversation: &'a AccountId,
    pub(super) author: &'a AccountId,
    pub(super) direction: Direction,
    pub(super) content: &'a Content,
    pub(super) details: &'a Details,
    pub(super) timestamp: Millis,
    pub(super) received_at: Millis,
    pub(super) state: MessageState,
    pub(super) read: bool,
    pub(super) expires_at: Option<Millis>,
    pub(super) hash: Option<&'a MessageHash>,
    pub(super) fingerprint: Option<&'a [u8; 32]>,
}

/// When a fetched message disappears; `None` where its time does not run yet. A time from the
/// future makes it live no longer than one from today.
fn end(expiry: Expiry, message: &Fetched, read: bool) -> Option<Millis> {
    let sent = message.timestamp.min(message.received_at);
    match (expiry.mode, message.direction) {
        (ExpiryMode::AfterSend, _) | (_, Direction::Outgoing) => Some(expiry.end(sent)),
        (ExpiryMode::AfterRead, Direction::Incoming) => {
            read.then(|| expiry.end(message.received_at))
        }
    }
}
