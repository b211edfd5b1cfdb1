//! Messages that disappear.
//!
//! A message's time runs from its sending or from its reading, as it says; from then on its row
//! holds when it goes. Nothing here has a clock: whoever opens the database asks for what is due
//! before anything is shown.

use rusqlite::{OptionalExtension, params};
use warren_wire::{AccountId, AccountKind, MessageHash, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{Content, Direction, Message, MessageId};

/// The most messages removed in one transaction.
const AT_ONCE: usize = 500;

/// What disappeared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// The messages, each with its conversation.
    pub messages: Vec<(AccountId, MessageId)>,
    /// Their names in mailboxes, to delete them from the swarms.
    pub hashes: Vec<(AccountId, MessageHash)>,
    /// When the next one goes; `None` where no message's time runs.
    pub next: Option<Millis>,
}

impl AccountDb {
    /// Removes every message whose time is over at `now`, for good: none comes back from a mailbox.
    /// The names of their files are in [`AccountDb::doomed_files`].
    ///
    /// # Errors
    /// Where the database fails; what was removed before stays removed.
    pub fn due_expired(&mut self, now: Millis) -> Result<Expired, DatabaseError> {
        let mut expired = Expired::default();
        loop {
            let some = self.transact(|tx| tx.remove_due(now))?;
            expired.messages.extend(some.messages);
            expired.hashes.extend(some.hashes);
            expired.next = some.next;
            if expired.next.is_none_or(|next| next > now) {
                return Ok(expired);
            }
        }
    }

    /// Shows nothing of what is due at `now`, where it could not be removed; 0 shows all there is.
    pub fn hide_due(&self, now: Millis) {
        self.hidden_from.set(now);
    }

    /// A message as it is shown.
    pub(super) fn shown(&self, message: Message) -> Message {
        if message.expires_at.is_none_or(|end| end > self.hidden_from.get()) {
            return message;
        }
        Message { content: Content::Deleted, quote: None, preview: None, ..message }
    }

    /// When the next message disappears; `None` where no message's time runs.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn next_expiry(&self) -> Result<Option<Millis>, DatabaseError> {
        let query = "SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL";
        let next: Option<Col<Millis>> =
            self.connection.prepare_cached(query)?.query_row([], |row| row.get(0))?;
        Ok(next.map(|next| next.0))
    }

    fn due_messages(&self, now: Millis) -> Result<Vec<MessageId>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM messages WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2",
        )?;
        let limit = i64::try_from(AT_ONCE).unwrap_or(i64::MAX);
        let due = statement.query_map(params![Col(now), limit], |row| row.get(0))?;
        Ok(due.collect::<Result<_, _>>()?)
    }
}

impl Tx<'_> {
    /// As [`AccountDb::due_expired`], a bounded number of them: there are more where the next one is
    /// due.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn remove_due(&self, now: Millis) -> Result<Expired, DatabaseError> {
        let mut expired = Expired::default();
        for id in self.due_messages(now)? {
            let message = self.message(id)?;
            let is_own = message.direction == Direction::Outgoing;
            // Others' messages to a group are theirs to delete, and go from its swarm by themselves.
            if is_own || message.conversation.kind() != AccountKind::Group {
                expired.hashes.extend(self.message_hashes(id)?);
            }
            self.bury(&message, now)?;
            expired.messages.push((message.conversation, id));
        }
        expired.next = self.next_expiry()?;
        Ok(expired)
    }

    /// Has everything whose time runs disappear so much earlier by the clock, as it was set back.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn bring_expiries_forward(&self, back: Millis) -> Result<(), DatabaseError> {
        let update = "UPDATE messages SET expires_at = max(expires_at - ?1, 0)
                      WHERE expires_at IS NOT NULL";
        self.connection.prepare_cached(update)?.execute([Col(back)])?;
        Ok(())
    }

    /// What in a conversation, up to a timestamp, begins to disappear when it is read, with its
    /// timer in seconds.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn starts_when_read(
        &self,
        conversation: &AccountId,
        timestamp: Millis,
    ) -> Result<Vec<(MessageId, u32)>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, expiry_timer FROM messages WHERE conversation = ?1 AND read = 0
                 AND timestamp <= ?2 AND expiry_mode = 1 AND expires_at IS NULL",
        )?;
        let found = statement.query_map(params![Col(conversation), Col(timestamp)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The message that has a name in a mailbox.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn message_by_hash(&self, hash: &MessageHash) -> Result<Option<MessageId>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT id FROM messages WHERE hash = ?1
                 UNION ALL SELECT message_id FROM message_hashes WHERE hash = ?1 LIMIT 1",
            )?
            .query_row([Col(hash)], |row| row.get(0));
        Ok(found.optional()?)
    }

    /// Changes when a message goes, as a swarm or another device said; never to a later time than
    /// it had. Passed over where the message is gone.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn expire_earlier(&self, id: MessageId, at: Millis) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "UPDATE messages SET expires_at = min(coalesce(expires_at, ?2), ?2)
                 WHERE id = ?1 AND expiry_mode <> 0",
            )?
            .execute(params![id, Col(at)])?;
        Ok(())
    }
}
