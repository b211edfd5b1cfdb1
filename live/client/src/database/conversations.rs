//! The list of chats, and what the owner set for each.
//!
//! A row for each person or group there is a message with, or a setting for. What it says of
//! messages is kept right by triggers in the transaction that changes a message, so that showing
//! the list reads as many rows as it shows. A message brings a hidden conversation back, and an
//! archived one unless it is muted; one of the owner accepts a request.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, Value, ValueRef};
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use warren_wire::{AccountId, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::details::Expiry;
use super::error::DatabaseError;
use super::messages::MessageId;

const COLUMNS: &str = "SELECT id, priority, archived, is_request, muted_until, notify, \
                       marked_unread, draft, last_read, unread, mentioned, last_message, \
                       last_timestamp, expiry_mode, expiry_timer, created FROM conversations";

/// Which messages of a conversation the owner is told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Notify {
    /// All.
    #[default]
    All,
    /// Those that name them.
    Mentions,
    /// None.
    Nothing,
}

/// A chat, as the list shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Conversation {
    /// With whom: a person, a group, or the account itself for notes to oneself.
    pub id: AccountId,
    /// Above 0 where it is pinned, the greatest first; below 0 where it is hidden.
    pub priority: i64,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether it comes from somebody the owner has not accepted.
    pub is_request: bool,
    /// Until when nothing of it is told; [`u64::MAX`] cut to a column's range for ever.
    pub muted_until: Millis,
    /// What is told of it otherwise.
    pub notify: Notify,
    /// Whether the owner marked it as unread.
    pub marked_unread: bool,
    /// What the owner began to write.
    pub draft: String,
    /// The timestamp of the newest message the owner has seen, on whichever device.
    pub last_read: Millis,
    /// How many messages of others the owner has not seen.
    pub unread: u64,
    /// How many of these name the owner.
    pub mentioned: u64,
    /// The newest message: greatest timestamp, then last arrived. `None` where there is none.
    pub last_message: Option<MessageId>,
    /// Its timestamp; where there is none, that of the last one there was, or `created`.
    pub last_timestamp: Millis,
    /// How long its messages live.
    pub expiry: Option<Expiry>,
    /// When it came to be on this device.
    pub created: Millis,
}

/// Which part of the conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// What is shown first: all but requests, archived and hidden ones. Pinned ones lead.
    Inbox,
    /// What was put away.
    Archived,
    /// From people the owner has neither accepted nor blocked.
    Requests,
    /// What was hidden.
    Hidden,
    /// Everything.
    All,
}

/// A place in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPosition {
    /// The priority of the conversation at this place.
    pub priority: i64,
    /// Its `last_timestamp`.
    pub timestamp: Millis,
    /// Which it is.
    pub id: AccountId,
}

/// Something the owner sets for a conversation.
#[derive(Clone, PartialEq, Eq)]
pub enum Setting {
    /// Above 0 pins it, below 0 hides it.
    Priority(i64),
    /// Puts it away, or back.
    Archived(bool),
    /// Nothing is told of it until then.
    MutedUntil(Millis),
    /// What is told of it otherwise.
    Notify(Notify),
    /// Marks it as unread, whatever was read.
    MarkedUnread(bool),
    /// What the owner began to write.
    Draft(String),
    /// How long messages written from now on live.
    Expiry(Option<Expiry>),
    /// Whether it waits to be accepted.
    Request(bool),
}

impl AccountDb {
    /// At most `limit` chats: pinned ones, then the one with the newest message first; behind
    /// `after` where it is given.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn conversations(
        &self,
        listing: Listing,
        after: Option<ListPosition>,
        limit: usize,
    ) -> Result<Vec<Conversation>, DatabaseError> {
        let (query, values) = listing_query(listing, after, limit);
        let mut statement = self.connection.prepare_cached(&query)?;
        let chats = statement.query_map(params_from_iter(values), conversation)?;
        Ok(chats.collect::<Result<_, _>>()?)
    }

    /// One chat, or `None`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn conversation(&self, id: &AccountId) -> Result<Option<Conversation>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?
            .query_row([Col(id)], conversation);
        Ok(found.optional()?)
    }

    /// Makes sure that a conversation has a row; one that has none is made at `now`, and is no
    /// request.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn ensure_conversation(&self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT OR IGNORE INTO conversations (id, last_timestamp, created)
                 VALUES (?1, ?2, ?2)",
            )?
            .execute(params![Col(id), Col(now)])?;
        Ok(())
    }

    /// Sets something for a conversation.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where it has no row: see [`AccountDb::ensure_conversation`].
    pub fn set_conversation(&self, id: &AccountId, setting: &Setting) -> Result<(), DatabaseError> {
        let set = |column: &str, value: Value| {
            let update = format!("UPDATE conversations SET {column} = ?2 WHERE id = ?1");
            self.connection.prepare_cached(&update)?.execute(params![Col(id), value])
        };
        let rows = match setting {
            Setting::Priority(priority) => set("priority", (*priority).into())?,
            Setting::Archived(archived) => set("archived", (*archived).into())?,
            Setting::MutedUntil(until) => {
                set("muted_until", i64::try_from(*until).unwrap_or(i64::MAX).into())?
            }
            Setting::Notify(notify) => set("notify", notify.number().into())?,
            Setting::MarkedUnread(marked) => set("marked_unread", (*marked).into())?,
            Setting::Draft(draft) => set("draft", draft.clone().into())?,
            Setting::Request(request) => set("is_request", (*request).into())?,
            Setting::Expiry(expiry) => {
                let (mode, seconds) = Expiry::columns(*expiry);
                set("expiry_mode", mode.into())?;
                set("expiry_timer", i64::from(seconds).into())?
            }
        };
        if rows == 0 { Err(DatabaseError::Gone) } else { Ok(()) }
    }
}

impl Tx<'_> {
    /// Accepts a request: its author's messages are wanted from now on.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn accept_request(&self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT INTO contacts (account_id, name, approved, created) VALUES (?1, '', 1, ?2)
                 ON CONFLICT (account_id) DO UPDATE SET approved = 1, blocked = 0",
            )?
            .execute(params![Col(id), Col(now)])?;
        self.ensure_conversation(id, now)?;
        self.set_conversation(id, &Setting::Request(false))
    }

    /// Declines a request: the conversation goes, its author may ask again.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn decline_request(&self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.delete_conversation(id, now)?;
        let delete = "DELETE FROM contacts WHERE account_id = ?1 AND approved = 0
                      AND blocked = 0 AND petname IS NULL";
        self.connection.prepare_cached(delete)?.execute([Col(id)])?;
        Ok(())
    }
}

impl AccountDb {
    /// Accepts a request: its author's messages are wanted from now on.
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn accept_request(&mut self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.accept_request(id, now))
    }

    /// As [`Tx::decline_request`].
    ///
    /// # Errors
    /// Where the database fails; then nothing changes.
    pub fn decline_request(&mut self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.decline_request(id, now))
    }
}

/// The query of a page of a listing. It walks `conversations_listed` where the listing is one part.
pub(super) fn listing_query(
    listing: Listing,
    after: Option<ListPosition>,
    limit: usize,
) -> (String, Vec<Value>) {
    let mut query = COLUMNS.to_owned();
    query.push_str(match listing {
        Listing::Inbox => " WHERE is_request = 0 AND archived = 0 AND priority >= 0",
        Listing::Archived => " WHERE is_request = 0 AND archived = 1",
        Listing::Requests => {
            " WHERE is_request = 1 AND archived = 0 AND NOT EXISTS
              (SELECT 1 FROM contacts WHERE account_id = conversations.id AND blocked = 1)"
        }
        Listing::Hidden => " WHERE is_request = 0 AND archived = 0 AND priority < 0",
        Listing::All => " WHERE 1",
    });
    let mut values = Vec::new();
    if let Some(after) = after {
        query.push_str(" AND (priority, last_timestamp, id) < (?, ?, ?)");
        values.push(after.priority.into());
        values.push(i64::try_from(after.timestamp).unwrap_or(i64::MAX).into());
        values.push(after.id.as_bytes().to_vec().into());
    }
    query.push_str(" ORDER BY priority DESC, last_timestamp DESC, id DESC LIMIT ?");
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    (query, values)
}

impl Conversation {
    /// Its place in a listing.
    pub fn position(&self) -> ListPosition {
        ListPosition { priority: self.priority, timestamp: self.last_timestamp, id: self.id }
    }
}

impl std::fmt::Debug for Conversation {
    /// No draft and no person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conversation")
            .field("priority", &self.priority)
            .field("last_message", &self.last_message)
            .field("last_timestamp", &self.last_timestamp)
            .field("unread", &self.unread)
            .field("mentioned", &self.mentioned)
            .finish_non_exhaustive()
    }
}

impl Notify {
    const fn number(self) -> i64 {
        match self {
            Self::All => 0,
            Self::Mentions => 1,
            Self::Nothing => 2,
        }
    }
}

impl FromSql for Notify {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::All),
            1 => Ok(Self::Mentions),
            2 => Ok(Self::Nothing),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: row.get::<_, Col<AccountId>>(0)?.0,
        priority: row.get(1)?,
        archived: row.get(2)?,
        is_request: row.get(3)?,
        muted_until: row.get::<_, Col<Millis>>(4)?.0,
        notify: row.get(5)?,
        marked_unread: row.get(6)?,
        draft: row.get(7)?,
        last_read: row.get::<_, Col<Millis>>(8)?.0,
        unread: row.get::<_, Col<u64>>(9)?.0,
        mentioned: row.get::<_, Col<u64>>(10)?.0,
        last_message: row.get(11)?,
        last_timestamp: row.get::<_, Col<Millis>>(12)?.0,
        expiry: Expiry::from_row(row, 13)?,
        created: row.get::<_, Col<Millis>>(15)?.0,
    })
}
