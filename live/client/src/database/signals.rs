//! What people do to messages that exist: reactions, receipts, edits, deletions.
//!
//! Such a signal names its message by author and timestamp. One that comes before its message waits
//! for it, for [`EARLY_LIFE`]. Whoever sends it was verified before; whether they may do what they
//! ask is decided here:
//!
//! | signal | who may send it |
//! |---|---|
//! | reaction, and taking it back | anybody |
//! | receipt | anybody but the author, about a message of the owner |
//! | edit | the author |
//! | deletion | the author, for everyone; the owner, of any message on this device |
//! | deletion by an admin | whoever was verified to be one, in a group |

use rusqlite::{OptionalExtension, Row, params};
use warren_wire::limits::DAY;
use warren_wire::{AccountId, AccountKind, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{Message, MessageId};
use super::recording::Fetched;

/// How long a signal waits for its message: as long as nodes keep one.
pub const EARLY_LIFE: Millis = 14 * DAY;
/// The most signals that wait; the oldest go.
const MOST_EARLY: i64 = 4_000;
/// The most of somebody else than the owner that wait; their oldest go.
const MOST_EARLY_OF_ONE: i64 = 100;
/// The longest text of an edit that waits, in bytes: what people may write, and not all that fits.
const LONGEST_EARLY: usize = 40_000;
/// The most bytes of a reaction.
const LONGEST_EMOJI: usize = 64;

/// Somebody does something to a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Signal {
    /// Where the message is; `None` where the signal does not tell.
    pub conversation: Option<AccountId>,
    /// Whose message.
    pub author: AccountId,
    /// Its timestamp.
    pub timestamp: Millis,
    /// Who does it.
    pub sender: AccountId,
    /// When they did. Of two reactions or edits the later counts, whatever the order they come in.
    pub sent_at: Millis,
    /// What they do.
    pub change: Change,
}

/// What is done to a message. `Debug` of it holds no words.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// A reaction: one emoji.
    React(String),
    /// A reaction is taken back.
    Unreact(String),
    /// They have read it.
    Read,
    /// It says something else.
    Edit(String),
    /// It is deleted: by its author for everyone, by the owner on this device.
    Delete,
    /// It is deleted for everyone by an admin of the group, who was verified to be one.
    DeleteByAdmin,
}

/// What became of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was done to this message.
    Done(MessageId),
    /// Its message is not here; it waits.
    Early,
    /// It says nothing new, or something older than what is known.
    Stale,
    /// Its sender may not do that, or it is malformed.
    Refused,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Whose.
    pub author: AccountId,
    /// Which.
    pub emoji: String,
    /// When.
    pub timestamp: Millis,
}

/// Somebody has read a message of the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Who.
    pub reader: AccountId,
    /// When.
    pub read_at: Millis,
}

impl AccountDb {
    /// Does what a signal says. `now` is when it came.
    ///
    /// # Errors
    /// Where the database fails; then nothing is done.
    pub fn apply_signal(&mut self, signal: &Signal, now: Millis) -> Result<Applied, DatabaseError> {
        self.transact(|tx| tx.apply_signal(signal, now))
    }

    /// The reactions to a message, the first one first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn reactions(&self, id: MessageId) -> Result<Vec<Reaction>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT author, emoji, timestamp FROM reactions WHERE message_id = ?1 AND removed = 0
             ORDER BY timestamp, author, emoji",
        )?;
        let found = statement.query_map([id], |row| {
            let Col(author) = row.get(0)?;
            Ok(Reaction { author, emoji: row.get(1)?, timestamp: row.get::<_, Col<_>>(2)?.0 })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Who has read a message of the owner, the first one first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn receipts(&self, id: MessageId) -> Result<Vec<Receipt>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT reader, read_at FROM receipts WHERE message_id = ?1 ORDER BY read_at, reader",
        )?;
        let found = statement.query_map([id], |row| {
            let Col(reader) = row.get(0)?;
            Ok(Receipt { reader, read_at: row.get::<_, Col<_>>(1)?.0 })
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The message of an author at a time, in one conversation or in whichever it is.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn find_message(
        &self,
        conversation: Option<&AccountId>,
        author: &AccountId,
        timestamp: Millis,
    ) -> Result<Option<MessageId>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id FROM messages WHERE timestamp = ?1 AND author = ?2
                     AND (?3 IS NULL OR conversation = ?3) ORDER BY id LIMIT 1",
            )?
            .query_row(params![Col(timestamp), Col(author), conversation.map(Col)], |row| {
                row.get(0)
            });
        Ok(found.optional()?)
    }

    /// Forgets signals whose message never came, and gives their number.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn sweep_early(&self, now: Millis) -> Result<usize, DatabaseError> {
        let oldest = now.saturating_sub(EARLY_LIFE);
        let sweep = "DELETE FROM early WHERE received_at < ?1";
        Ok(self.connection.prepare_cached(sweep)?.execute([Col(oldest)])?)
    }
}

impl Tx<'_> {
    /// Does what a signal says. `now` is when it came.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn apply_signal(&self, signal: &Signal, now: Millis) -> Result<Applied, DatabaseError> {
        if !signal.is_permitted(self.account()) {
            return Ok(Applied::Refused);
        }
        let Signal { conversation, author, timestamp, .. } = signal;
        match self.find_message(conversation.as_ref(), author, *timestamp)? {
            Some(id) => self.apply_to(id, signal, now),
            None => self.keep_early(signal, now).map(|()| Applied::Early),
        }
    }

    fn apply_to(
        &self,
        id: MessageId,
        signal: &Signal,
        now: Millis,
    ) -> Result<Applied, DatabaseError> {
        let message = self.message(id)?;
        let changed = match &signal.change {
            Change::React(emoji) => self.put_reaction(id, signal, emoji, false)?,
            Change::Unreact(emoji) => self.put_reaction(id, signal, emoji, true)?,
            Change::Read => self.put_receipt(id, signal)?,
            Change::Edit(text) => self.edit(id, text, signal.sent_at)?,
            Change::Delete if signal.sender != signal.author => {
                self.delete_here(&[id], now)?;
                true
            }
            Change::DeleteByAdmin if !in_group(&message) => return Ok(Applied::Refused),
            Change::Delete | Change::DeleteByAdmin => self.erase(&message)?,
        };
        Ok(if changed { Applied::Done(id) } else { Applied::Stale })
    }

    fn put_reaction(
        &self,
        id: MessageId,
        signal: &Signal,
        emoji: &str,
        removed: bool,
    ) -> Result<bool, DatabaseError> {
        let rows = self
            .connection
            .prepare_cached(
                "INSERT INTO reactions (message_id, author, emoji, timestamp, removed)
                 SELECT id, ?2, ?3, ?4, ?5 FROM messages WHERE id = ?1 AND kind <> 3
                 ON CONFLICT (message_id, author, emoji) DO UPDATE SET
                     timestamp = excluded.timestamp, removed = excluded.removed
                 WHERE excluded.timestamp > timestamp",
            )?
            .execute(params![id, Col(&signal.sender), emoji, Col(signal.sent_at), removed])?;
        Ok(rows > 0)
    }

    fn put_receipt(&self, id: MessageId, signal: &Signal) -> Result<bool, DatabaseError> {
        let rows = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO receipts (message_id, reader, read_at)
                 SELECT id, ?2, ?3 FROM messages WHERE id = ?1 AND outgoing = 1",
            )?
            .execute(params![id, Col(&signal.sender), Col(signal.sent_at)])?;
        Ok(rows > 0)
    }

    /// Gives a text message other words, where they are newer than those it has.
    fn edit(&self, id: MessageId, text: &str, at: Millis) -> Result<bool, DatabaseError> {
        let rows = self
            .connection
            .prepare_cached(
                "UPDATE messages SET body = ?2, edited_at = ?3
                 WHERE id = ?1 AND kind = 0 AND coalesce(edited_at, 0) < ?3",
            )?
            .execute(params![id, text, Col(at)])?;
        Ok(rows > 0)
    }

    fn keep_early(&self, signal: &Signal, now: Millis) -> Result<(), DatabaseError> {
        let (kind, text) = signal.change.columns();
        if text.is_some_and(|text| text.len() > LONGEST_EARLY) {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO early
                     (conversation, author, timestamp, sender, sent_at, kind, text, received_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                signal.conversation.as_ref().map(Col),
                Col(&signal.author),
                Col(signal.timestamp),
                Col(&signal.sender),
                Col(signal.sent_at),
                kind,
                text,
                Col(now),
            ])?;
        let is_owner = signal.sender == *self.account();
        self.connection
            .prepare_cached(
                "DELETE FROM early WHERE id <= coalesce(
                     (SELECT id FROM early ORDER BY id DESC LIMIT 1 OFFSET ?1), 0)
                 OR sender = ?2 AND NOT ?3 AND id <= coalesce((SELECT id FROM early
                     WHERE sender = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?4), 0)",
            )?
            .execute(params![MOST_EARLY, Col(&signal.sender), is_owner, MOST_EARLY_OF_ONE])?;
        self.sweep_early(now)?;
        Ok(())
    }

    /// Does to a message that came what waited for it; false where it is gone after that.
    pub(super) fn apply_early(
        &self,
        id: MessageId,
        message: &Fetched,
    ) -> Result<bool, DatabaseError> {
        let waiting: Vec<Signal> = self
            .connection
            .prepare_cached(
                "DELETE FROM early WHERE timestamp = ?1 AND author = ?2
                     AND (conversation IS NULL OR conversation = ?3)
                 RETURNING conversation, author, timestamp, sender, sent_at, kind, text",
            )?
            .query_map(
                params![Col(message.timestamp), Col(&message.author), Col(&message.conversation)],
                early,
            )?
            .collect::<Result<_, _>>()?;
        if waiting.is_empty() {
            return Ok(true);
        }
        for signal in waiting {
            match self.apply_to(id, &signal, message.received_at) {
                Err(DatabaseError::Gone) => return Ok(false),
                applied => applied.map(drop)?,
            }
        }
        match self.message(id) {
            Err(DatabaseError::Gone) => Ok(false),
            here => here.map(|_| true),
        }
    }
}

impl Signal {
    /// Whether its sender may do this at all, as far as the signal itself tells.
    fn is_permitted(&self, owner: &AccountId) -> bool {
        match &self.change {
            Change::React(emoji) | Change::Unreact(emoji) => {
                !emoji.is_empty()
                    && emoji.len() <= LONGEST_EMOJI
                    && !emoji.chars().any(char::is_control)
            }
            Change::Read => self.author == *owner && self.sender != *owner,
            Change::Edit(_) => self.sender == self.author,
            Change::Delete => self.sender == self.author || self.sender == *owner,
            Change::DeleteByAdmin => {
                self.conversation.is_some_and(|id| id.kind() == AccountKind::Group)
            }
        }
    }
}

impl Change {
    fn columns(&self) -> (i64, Option<&str>) {
        match self {
            Self::React(emoji) => (0, Some(emoji)),
            Self::Unreact(emoji) => (1, Some(emoji)),
            Self::Read => (2, None),
            Self::Edit(text) => (3, Some(text)),
            Self::Delete => (4, None),
            Self::DeleteByAdmin => (5, None),
        }
    }
}

impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::React(_) => "React",
            Self::Unreact(_) => "Unreact",
            Self::Read => "Read",
            Self::Edit(_) => "Edit",
            Self::Delete => "Delete",
            Self::DeleteByAdmin => "DeleteByAdmin",
        })
    }
}

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signal({:?} of {})", self.change, self.timestamp)
    }
}

fn in_group(message: &Message) -> bool {
    message.conversation.kind() == AccountKind::Group
}

fn early(row: &Row<'_>) -> rusqlite::Result<Signal> {
    let text = row.get::<_, Option<String>>(6)?.unwrap_or_default();
    let change = match row.get(5)? {
        0 => Change::React(text),
        1 => Change::Unreact(text),
        2 => Change::Read,
        3 => Change::Edit(text),
        4 => Change::Delete,
        _ => Change::DeleteByAdmin,
    };
    Ok(Signal {
        conversation: row.get::<_, Option<Col<AccountId>>>(0)?.map(|id| id.0),
        author: row.get::<_, Col<AccountId>>(1)?.0,
        timestamp: row.get::<_, Col<Millis>>(2)?.0,
        sender: row.get::<_, Col<AccountId>>(3)?.0,
        sent_at: row.get::<_, Col<Millis>>(4)?.0,
        change,
    })
}
