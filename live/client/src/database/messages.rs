//! What was said, page by page, and what is unread.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, params_from_iter};
use warren_wire::{AccountId, MessageHash, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;

const COLUMNS: &str = "SELECT id, peer, outgoing, body, content_raw, timestamp, received_at, \
                       state, read, hash FROM messages";

/// A message's number in this database. Never used twice, so a greater one arrived later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(i64);

impl MessageId {
    /// Before every message: where [`AccountDb::arrived_after`] starts.
    pub const START: Self = Self(0);

    /// Wraps a number, as a person or a program hands it in.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0))
    }
}

impl FromSql for MessageId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(Self)
    }
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The peer.
    Incoming,
    /// The account's owner, on this device or another.
    Outgoing,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// In the outbox.
    Pending,
    /// Stored in the recipient's swarm.
    Sent,
    /// Given up.
    Failed,
    /// Fetched from the account's mailbox.
    Received,
}

impl MessageState {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::Pending => 0,
            Self::Sent => 1,
            Self::Failed => 2,
            Self::Received => 3,
        }
    }
}

impl FromSql for MessageState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Pending),
            1 => Ok(Self::Sent),
            2 => Ok(Self::Failed),
            3 => Ok(Self::Received),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

/// What a message holds. `Debug` shows its size alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// A kind this version does not know: the whole decrypted Content, for a later one.
    Unknown(Vec<u8>),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Unknown(bytes) => write!(f, "Unknown({} bytes)", bytes.len()),
        }
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number here.
    pub id: MessageId,
    /// Whom the conversation is with.
    pub peer: AccountId,
    /// Who said it.
    pub direction: Direction,
    /// What it holds.
    pub content: Content,
    /// When its author says it was written.
    pub timestamp: Millis,
    /// When it came into this database.
    pub received_at: Millis,
    /// How far it got.
    pub state: MessageState,
    /// Whether the owner has seen it; always true of their own.
    pub read: bool,
    /// Its name in the account's own mailbox, once known.
    pub hash: Option<MessageHash>,
}

/// Which messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one conversation, or of all.
    pub peer: Option<AccountId>,
    /// Those the owner has not seen alone.
    pub unread: bool,
}

/// A place between messages, in the order of their timestamps and then of their arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The timestamp of the message at this place.
    pub timestamp: Millis,
    /// The message at this place.
    pub id: MessageId,
}

/// Some messages, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The messages, newest first.
    pub messages: Vec<Message>,
    /// Where the next, older page starts; `None` where this was the last.
    pub older: Option<Position>,
}

impl AccountDb {
    /// A page of at most `limit` messages, newest first, all of them older than `before`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn messages(
        &self,
        filter: &Filter,
        before: Option<Position>,
        limit: usize,
    ) -> Result<Page, DatabaseError> {
        let (conditions, mut values) = filter.conditions(before);
        values.push(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX).into());
        let mut statement = self.connection.prepare_cached(&format!(
            "{COLUMNS} {conditions} ORDER BY timestamp DESC, id DESC LIMIT ?"
        ))?;
        let mut messages: Vec<Message> =
            statement.query_map(params_from_iter(values), message)?.collect::<Result<_, _>>()?;
        let more = messages.len() > limit;
        messages.truncate(limit);
        let older = messages.last().filter(|_| more).map(Message::position);
        Ok(Page { messages, older })
    }

    /// One message.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where there is none.
    pub fn message(&self, id: MessageId) -> Result<Message, DatabaseError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], message)
            .optional()?
            .ok_or(DatabaseError::Gone)
    }

    /// At most `limit` messages that came into the database after `id`, oldest first, by
    /// whichever process.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn arrived_after(
        &self,
        id: MessageId,
        limit: usize,
    ) -> Result<Vec<Message>, DatabaseError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
        let messages = statement.query_map([id.0, limit], message)?.collect::<Result<_, _>>()?;
        Ok(messages)
    }

    /// The number of the message that came last; [`MessageId::START`] where there is none.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn last_arrived(&self) -> Result<MessageId, DatabaseError> {
        let query = "SELECT coalesce(max(id), 0) FROM messages";
        Ok(self.connection.prepare_cached(query)?.query_row([], |row| row.get(0))?)
    }

    /// How many messages the owner has not seen, over all conversations.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn unread(&self) -> Result<u64, DatabaseError> {
        let query = "SELECT coalesce(sum(unread), 0) FROM conversations";
        let unread: i64 = self.connection.prepare_cached(query)?.query_row([], |row| row.get(0))?;
        u64::try_from(unread).map_err(|_| DatabaseError::Damaged)
    }

    /// Marks messages as seen; ids that do not exist or were seen before make no difference.
    ///
    /// # Errors
    /// Where the database fails; then none is marked.
    pub fn mark_read(&mut self, ids: &[MessageId]) -> Result<(), DatabaseError> {
        let transaction = self.write()?;
        {
            let mut statement = transaction
                .prepare_cached("UPDATE messages SET read = 1 WHERE id = ?1 AND read = 0")?;
            for id in ids {
                statement.execute([id])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

impl Filter {
    /// `WHERE ...` with positional values. Conditions that are not asked for are left out, so
    /// that SQLite can walk the index that fits.
    fn conditions(&self, before: Option<Position>) -> (String, Vec<rusqlite::types::Value>) {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        if let Some(peer) = &self.peer {
            conditions.push("peer = ?");
            values.push(peer.as_bytes().to_vec().into());
        }
        if self.unread {
            conditions.push("read = 0");
        }
        if let Some(Position { timestamp, id }) = before {
            conditions.push("(timestamp, id) < (?, ?)");
            values.push(i64::try_from(timestamp).unwrap_or(i64::MAX).into());
            values.push(id.0.into());
        }
        if conditions.is_empty() {
            return (String::new(), values);
        }
        (format!("WHERE {}", conditions.join(" AND ")), values)
    }
}

impl Message {
    /// Its place among the others.
    pub fn position(&self) -> Position {
        Position { timestamp: self.timestamp, id: self.id }
    }
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let outgoing: bool = row.get(2)?;
    let content = match row.get::<_, Option<String>>(3)? {
        Some(text) => Content::Text(text),
        None => Content::Unknown(row.get(4)?),
    };
    Ok(Message {
        id: row.get(0)?,
        peer: row.get::<_, Col<AccountId>>(1)?.0,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        content,
        timestamp: row.get::<_, Col<Millis>>(5)?.0,
        received_at: row.get::<_, Col<Millis>>(6)?.0,
        state: row.get(7)?,
        read: row.get(8)?,
        hash: row.get::<_, Option<Col<MessageHash>>>(9)?.map(|hash| hash.0),
    })
}
