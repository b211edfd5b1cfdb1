//! What was said, page by page.

use std::fmt;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Row, ToSql, params_from_iter};
use warren_wire::{AccountId, MessageHash, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::details::{Expiry, Preview, Quote, preview_from, quote_from};
use super::error::DatabaseError;

pub(super) const COLUMNS: &str = "SELECT id, conversation, author, outgoing, kind, body, control, content_raw, timestamp, \
     received_at, state, failure, read, hash, edited_at, mentions_me, expiry_mode, expiry_timer, \
     expires_at, quote_author, quote_timestamp, quote_text, preview_url, preview_title \
     FROM messages";

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
    /// Somebody else.
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
    /// Text; empty where the message is its files alone.
    Text(String),
    /// Something that changed and is shown among the messages, as JSON: a timer, a group's name, a
    /// screenshot, a call.
    Control(String),
    /// A kind this version does not know: the whole decrypted Content, for a later one.
    Unknown(Vec<u8>),
    /// Nothing: its author deleted it for everyone.
    Deleted,
}

impl Content {
    /// `messages.kind`.
    pub(super) const fn kind(&self) -> i64 {
        match self {
            Self::Text(_) => 0,
            Self::Control(_) => 1,
            Self::Unknown(_) => 2,
            Self::Deleted => 3,
        }
    }

    /// The columns `body`, `control` and `content_raw`.
    pub(super) fn columns(&self) -> (Option<&str>, Option<&str>, Option<&[u8]>) {
        match self {
            Self::Text(text) => (Some(text), None, None),
            Self::Control(json) => (None, Some(json), None),
            Self::Unknown(raw) => (None, None, Some(raw)),
            Self::Deleted => (None, None, None),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Control(json) => write!(f, "Control({} bytes)", json.len()),
            Self::Deleted => f.write_str("Deleted"),
            Self::Unknown(bytes) => write!(f, "Unknown({} bytes)", bytes.len()),
        }
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its number here.
    pub id: MessageId,
    /// With whom: a person, a group, or the account itself for notes to oneself.
    pub conversation: AccountId,
    /// Who wrote it.
    pub author: AccountId,
    /// Whether it is the owner's.
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
    /// Its name in the mailbox it is fetched from, the account's own or the group's, once known.
    pub hash: Option<MessageHash>,
    /// Why it was given up.
    pub failure: Option<String>,
    /// When its author changed it last.
    pub edited_at: Option<Millis>,
    /// Whether it names the owner.
    pub mentions_me: bool,
    /// How long it lives.
    pub expiry: Option<Expiry>,
    /// When it goes, once its time runs.
    pub expires_at: Option<Millis>,
    /// What it answers.
    pub quote: Option<Quote>,
    /// What a link in it leads to.
    pub preview: Option<Preview>,
}

/// Which messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of one conversation, or of all.
    pub conversation: Option<AccountId>,
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
        let (conditions, mut values) = filter.conditions(before.map(|before| ("<", before)));
        values.push(i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX).into());
        let mut statement = self.connection.prepare_cached(&format!(
            "{COLUMNS} {conditions} ORDER BY timestamp DESC, id DESC LIMIT ?"
        ))?;
        let mut messages: Vec<Message> = statement
            .query_map(params_from_iter(values), |row| message(row).map(|it| self.shown(it)))?
            .collect::<Result<_, _>>()?;
        let more = messages.len() > limit;
        messages.truncate(limit);
        let older = messages.last().filter(|_| more).map(Message::position);
        Ok(Page { messages, older })
    }

    /// A page of at most `limit` messages, newest first, all of them newer than `after` and next to
    /// it; [`Page::older`] is where the page before them starts.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn newer_messages(
        &self,
        filter: &Filter,
        after: Position,
        limit: usize,
    ) -> Result<Page, DatabaseError> {
        let (conditions, mut values) = filter.conditions(Some((">", after)));
        values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
        let mut statement = self
            .connection
            .prepare_cached(&format!("{COLUMNS} {conditions} ORDER BY timestamp, id LIMIT ?"))?;
        let mut messages: Vec<Message> = statement
            .query_map(params_from_iter(values), |row| message(row).map(|it| self.shown(it)))?
            .collect::<Result<_, _>>()?;
        messages.reverse();
        let older = Some(messages.last().map_or(after.next(), Message::position));
        Ok(Page { messages, older })
    }

    /// A page around a message: it, at most `limit` older ones and at most `limit` newer ones of
    /// its conversation, newest first.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where there is no such message.
    pub fn messages_around(&self, id: MessageId, limit: usize) -> Result<Page, DatabaseError> {
        let middle = self.message(id)?;
        let filter = Filter { conversation: Some(middle.conversation), unread: false };
        let older = self.messages(&filter, Some(middle.position()), limit)?;
        let mut page = self.newer_messages(&filter, middle.position(), limit)?;
        page.older = older.older;
        page.messages.push(middle);
        page.messages.extend(older.messages);
        Ok(page)
    }

    /// One message.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where there is none.
    pub fn message(&self, id: MessageId) -> Result<Message, DatabaseError> {
        self.connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([id], |row| message(row).map(|it| self.shown(it)))
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
        let messages = statement
            .query_map([id.0, limit], |row| message(row).map(|it| self.shown(it)))?
            .collect::<Result<_, _>>()?;
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
}

impl Filter {
    /// `WHERE ...` with positional values. Conditions that are not asked for are left out, so
    /// that SQLite can walk the index that fits.
    pub(super) fn conditions(
        &self,
        bound: Option<(&str, Position)>,
    ) -> (String, Vec<rusqlite::types::Value>) {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        if let Some(conversation) = &self.conversation {
            conditions.push("conversation = ?".to_owned());
            values.push(conversation.as_bytes().to_vec().into());
        }
        if self.unread {
            conditions.push("read = 0".to_owned());
        }
        if let Some((relation, Position { timestamp, id })) = bound {
            conditions.push(format!("(timestamp, id) {relation} (?, ?)"));
            values.push(i64::try_from(timestamp).unwrap_or(i64::MAX).into());
            values.push(id.0.into());
        }
        if conditions.is_empty() {
            return (String::new(), values);
        }
        (format!("WHERE {}", conditions.join(" AND ")), values)
    }
}

impl Position {
    /// The place right behind: a page before it holds the message at this place.
    const fn next(self) -> Self {
        Self { timestamp: self.timestamp, id: MessageId(self.id.0.saturating_add(1)) }
    }
}

impl Message {
    /// Its place among the others.
    pub fn position(&self) -> Position {
        Position { timestamp: self.timestamp, id: self.id }
    }
}

/// Reads a row of [`COLUMNS`].
pub(super) fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let outgoing: bool = row.get(3)?;
    let content = match row.get(4)? {
        0 => Content::Text(row.get(5)?),
        1 => Content::Control(row.get(6)?),
        2 => Content::Unknown(row.get(7)?),
        _ => Content::Deleted,
    };
    Ok(Message {
        id: row.get(0)?,
        conversation: row.get::<_, Col<AccountId>>(1)?.0,
        author: row.get::<_, Col<AccountId>>(2)?.0,
        direction: if outgoing { Direction::Outgoing } else { Direction::Incoming },
        content,
        timestamp: row.get::<_, Col<Millis>>(8)?.0,
        received_at: row.get::<_, Col<Millis>>(9)?.0,
        state: row.get(10)?,
        failure: row.get(11)?,
        read: row.get(12)?,
        hash: row.get::<_, Option<Col<MessageHash>>>(13)?.map(|hash| hash.0),
        edited_at: row.get::<_, Option<Col<Millis>>>(14)?.map(|time| time.0),
        mentions_me: row.get(15)?,
        expiry: Expiry::from_row(row, 16)?,
        expires_at: row.get::<_, Option<Col<Millis>>>(18)?.map(|time| time.0),
        quote: quote_from(row, 19)?,
        preview: preview_from(row, 22)?,
    })
}
