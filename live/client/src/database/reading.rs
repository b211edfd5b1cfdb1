//! What the owner has seen: message by message, conversation by conversation, and over all.

use rusqlite::{OptionalExtension, params};
use warren_wire::{AccountId, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{MessageId, Position};

/// Marks as read, and starts the time of what disappears after reading: `?1` is now.
const READ: &str = "UPDATE messages SET read = 1, expires_at = iif(expiry_mode = 1 AND expires_at
                    IS NULL, ?1 + expiry_timer * 1000, expires_at) WHERE read = 0";

/// What waits for the owner's eyes, outside requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Messages.
    pub messages: u64,
    /// Messages that name the owner.
    pub mentions: u64,
    /// Conversations with unread messages, and those marked as unread.
    pub conversations: u64,
    /// Requests of people the owner has not accepted, whether seen or not.
    pub requests: u64,
}

impl AccountDb {
    /// How many messages the owner has not seen, over all conversations.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn unread(&self) -> Result<u64, DatabaseError> {
        let query = "SELECT coalesce(sum(unread), 0) FROM conversations";
        let Col(unread) = self.connection.prepare_cached(query)?.query_row([], |row| row.get(0))?;
        Ok(unread)
    }

    /// What waits for the owner's eyes, in conversations that are neither muted at `now`, hidden
    /// nor archived; for the number on an icon.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn unread_counts(&self, now: Millis) -> Result<Unread, DatabaseError> {
        let counted = self
            .connection
            .prepare_cached(
                "SELECT coalesce(sum(unread), 0), coalesce(sum(mentioned), 0),
                     count(*) FILTER (WHERE unread > 0 OR marked_unread),
                     (SELECT count(*) FROM conversations r WHERE r.is_request = 1 AND NOT EXISTS
                         (SELECT 1 FROM contacts WHERE account_id = r.id AND blocked = 1))
                 FROM conversations
                 WHERE is_request = 0 AND archived = 0 AND priority >= 0 AND muted_until <= ?1",
            )?
            .query_row([Col(now)], |row| {
                Ok(Unread {
                    messages: row.get::<_, Col<u64>>(0)?.0,
                    mentions: row.get::<_, Col<u64>>(1)?.0,
                    conversations: row.get::<_, Col<u64>>(2)?.0,
                    requests: row.get::<_, Col<u64>>(3)?.0,
                })
            })?;
        Ok(counted)
    }

    /// The oldest message of a conversation that the owner has not seen.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn first_unread(
        &self,
        conversation: &AccountId,
    ) -> Result<Option<Position>, DatabaseError> {
        let found = self
            .connection
            .prepare_cached(
                "SELECT timestamp, id FROM messages WHERE conversation = ?1 AND read = 0
                 ORDER BY timestamp, id LIMIT 1",
            )?
            .query_row([Col(conversation)], |row| {
                Ok(Position { timestamp: row.get::<_, Col<_>>(0)?.0, id: row.get(1)? })
            });
        Ok(found.optional()?)
    }

    /// The timestamps of what others wrote in a conversation up to a timestamp and the owner has not
    /// seen, the oldest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn unread_up_to(
        &self,
        conversation: &AccountId,
        timestamp: Millis,
    ) -> Result<Vec<Millis>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT timestamp FROM messages
             WHERE conversation = ?1 AND read = 0 AND timestamp <= ?2 ORDER BY timestamp, id",
        )?;
        let found = statement.query_map(params![Col(conversation), Col(timestamp)], |row| {
            Ok(row.get::<_, Col<Millis>>(0)?.0)
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Marks messages as seen at `now`; ids that do not exist or were seen before make no
    /// difference. What disappears after reading begins to.
    ///
    /// # Errors
    /// Where the database fails; then none is marked.
    pub fn mark_read(&mut self, ids: &[MessageId], now: Millis) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.mark_read(ids, now))
    }

    /// Marks everything in a conversation as seen at `now`, and the conversation as read.
    ///
    /// # Errors
    /// Where the database fails; then nothing is marked.
    pub fn mark_conversation_read(
        &mut self,
        conversation: &AccountId,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| {
            tx.mark_read_up_to(conversation, Millis::MAX, now)?;
            tx.clear_marked_unread(conversation)
        })
    }

    /// Notes that another device has read a conversation up to a timestamp: what came is seen, and
    /// what comes later from before it too. The mark only moves forward.
    ///
    /// # Errors
    /// Where the database fails; then nothing is marked.
    pub fn mark_read_elsewhere(
        &mut self,
        conversation: &AccountId,
        timestamp: Millis,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.mark_read_elsewhere(conversation, timestamp, now))
    }
}

impl Tx<'_> {
    /// As [`AccountDb::mark_read`].
    ///
    /// # Errors
    /// Where the database fails.
    pub fn mark_read(&self, ids: &[MessageId], now: Millis) -> Result<(), DatabaseError> {
        let mut mark = self.connection.prepare_cached(&format!("{READ} AND id = ?2"))?;
        let mut note = self.connection.prepare_cached(
            "UPDATE conversations SET last_read = max(last_read, message.timestamp)
             FROM (SELECT conversation, timestamp FROM messages WHERE id = ?1) AS message
             WHERE conversations.id = message.conversation",
        )?;
        for id in ids {
            if mark.execute(params![Col(now), id])? > 0 {
                note.execute([id])?;
            }
        }
        Ok(())
    }

    /// Marks what a conversation holds up to a timestamp as seen at `now`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn mark_read_up_to(
        &self,
        conversation: &AccountId,
        timestamp: Millis,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "UPDATE conversations SET last_read = max(last_read, coalesce(
                     (SELECT max(timestamp) FROM messages
                      WHERE conversation = ?1 AND read = 0 AND timestamp <= ?2), 0))
                 WHERE id = ?1",
            )?
            .execute(params![Col(conversation), Col(timestamp)])?;
        self.connection
            .prepare_cached(&format!("{READ} AND conversation = ?2 AND timestamp <= ?3"))?
            .execute(params![Col(now), Col(conversation), Col(timestamp)])?;
        Ok(())
    }

    /// As [`AccountDb::mark_read_elsewhere`].
    ///
    /// # Errors
    /// Where the database fails.
    pub fn mark_read_elsewhere(
        &self,
        conversation: &AccountId,
        timestamp: Millis,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.ensure_conversation(conversation, now)?;
        self.connection
            .prepare_cached(
                "UPDATE conversations SET read_elsewhere = max(read_elsewhere, ?2),
                     last_read = max(last_read, ?2) WHERE id = ?1",
            )?
            .execute(params![Col(conversation), Col(timestamp)])?;
        self.mark_read_up_to(conversation, timestamp, now)
    }

    fn clear_marked_unread(&self, conversation: &AccountId) -> Result<(), DatabaseError> {
        let clear = "UPDATE conversations SET marked_unread = 0 WHERE id = ?1 AND marked_unread";
        self.connection.prepare_cached(clear)?.execute([Col(conversation)])?;
        Ok(())
    }
}
