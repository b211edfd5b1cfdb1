//! Deleting, and what is remembered of it so that nothing comes back from the mailbox.
//!
//! The swarm keeps a message after it was deleted here, and a member that is read from its
//! beginning brings it again. A tombstone holds what such a message is known by and nothing of
//! what it says. What other messages quote of a deleted one goes with it.

use rusqlite::params;
use warren_wire::{AccountId, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{Content, Direction, Message, MessageId};
use super::recording::Fetched;

/// How long a tombstone is kept: thirty days, the longest that a node keeps a message.
pub const TOMBSTONE_LIFE: Millis = 30 * 24 * 60 * 60 * 1000;

impl AccountDb {
    /// Deletes messages on this device at `now`, with what still waits to be done for them. Fetched
    /// again within [`TOMBSTONE_LIFE`], they stay deleted.
    ///
    /// # Errors
    /// Where the database fails; then none is deleted.
    pub fn delete_messages_at(
        &mut self,
        ids: &[MessageId],
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.delete_here(ids, now))
    }

    /// As [`AccountDb::delete_messages_at`] at the time the newest message came, for a caller
    /// without a clock.
    ///
    /// # Errors
    /// Where the database fails; then none is deleted.
    pub fn delete_messages(&mut self, ids: &[MessageId]) -> Result<(), DatabaseError> {
        let query = "SELECT coalesce(max(received_at), 0) FROM messages";
        let Col(newest) = self.connection.query_row(query, [], |row| row.get(0))?;
        self.delete_messages_at(ids, newest)
    }

    /// Deletes a conversation with all its messages; they stay deleted as single ones do.
    ///
    /// # Errors
    /// Where the database fails; then nothing is deleted.
    pub fn delete_conversation(
        &mut self,
        id: &AccountId,
        now: Millis,
    ) -> Result<(), DatabaseError> {
        self.transact(|tx| tx.delete_conversation(id, now))
    }

    /// Forgets tombstones older than [`TOMBSTONE_LIFE`] and gives their number.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn sweep_tombstones(&self, now: Millis) -> Result<usize, DatabaseError> {
        let oldest = now.saturating_sub(TOMBSTONE_LIFE);
        let sweep = "DELETE FROM tombstones WHERE deleted_at < ?1";
        Ok(self.connection.execute(sweep, [Col(oldest)])?)
    }
}

impl Tx<'_> {
    /// Deletes messages on this device; those that are gone are passed over.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn delete_here(&self, ids: &[MessageId], now: Millis) -> Result<(), DatabaseError> {
        for id in ids {
            match self.message(*id) {
                Err(DatabaseError::Gone) => {}
                found => self.bury(&found?, now)?,
            }
        }
        Ok(())
    }

    /// Deletes a message for everyone, as far as this device goes: of an own or another's message
    /// the row stays and says that it was deleted. False where that was done before.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where there is no such message, or where the database fails.
    pub fn delete_for_everyone(&self, id: MessageId) -> Result<bool, DatabaseError> {
        self.erase(&self.message(id)?)
    }

    /// Deletes a conversation with all its messages.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn delete_conversation(&self, id: &AccountId, now: Millis) -> Result<(), DatabaseError> {
        let values = params![Col(id), Col(now)];
        self.connection
            .prepare_cached(
                "INSERT INTO tombstones (hash, fingerprint, peer, author, timestamp, deleted_at)
                 SELECT hash, fingerprint, iif(outgoing, conversation, NULL), author,
                     iif(outgoing, timestamp, NULL), ?2
                 FROM messages WHERE conversation = ?1",
            )?
            .execute(values)?;
        for delete in [
            "DELETE FROM conversations WHERE id = ?1",
            "DELETE FROM early WHERE conversation = ?1",
            "DELETE FROM messages WHERE conversation = ?1",
        ] {
            self.connection.prepare_cached(delete)?.execute([Col(id)])?;
        }
        Ok(())
    }

    /// Deletes one message and leaves its tombstone.
    pub(super) fn bury(&self, message: &Message, now: Millis) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT INTO tombstones (hash, fingerprint, peer, author, timestamp, deleted_at)
                 SELECT hash, fingerprint, iif(outgoing, conversation, NULL), author,
                     iif(outgoing, timestamp, NULL), ?2
                 FROM messages WHERE id = ?1",
            )?
            .execute(params![message.id, Col(now)])?;
        self.forget_quotes(message)?;
        let delete = "DELETE FROM messages WHERE id = ?1";
        self.connection.prepare_cached(delete)?.execute([message.id])?;
        Ok(())
    }

    /// Leaves nothing of a message but that it was there; false where that was done before.
    pub(super) fn erase(&self, message: &Message) -> Result<bool, DatabaseError> {
        if message.content == Content::Deleted {
            return Ok(false);
        }
        self.connection
            .prepare_cached(
                "UPDATE messages SET kind = 3, body = NULL, files = NULL, control = NULL,
                     content_raw = NULL, quote_author = NULL, quote_timestamp = NULL,
                     quote_text = NULL, preview_url = NULL, preview_title = NULL, failure = NULL,
                     edited_at = NULL, mentions_me = 0, read = 1, state = iif(state = 0, 2, state)
                 WHERE id = ?1",
            )?
            .execute([message.id])?;
        for delete in [
            "DELETE FROM attachments WHERE message_id = ?1",
            "DELETE FROM reactions WHERE message_id = ?1",
            "DELETE FROM jobs WHERE message_id = ?1",
        ] {
            self.connection.prepare_cached(delete)?.execute([message.id])?;
        }
        self.forget_quotes(message)?;
        Ok(true)
    }

    /// Remembers a message that was never kept, so that it is not kept when it comes again.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn bury_unseen(&self, message: &Fetched) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached(
                "INSERT INTO tombstones (hash, fingerprint, author, deleted_at)
                 SELECT ?1, ?2, ?3, ?4
                 WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE hash = ?1)",
            )?
            .execute(params![
                Col(&message.hash),
                message.fingerprint,
                Col(&message.author),
                Col(message.received_at),
            ])?;
        Ok(())
    }

    /// Whether a fetched message was deleted on this device.
    pub(super) fn is_buried(&self, message: &Fetched) -> Result<bool, DatabaseError> {
        let own = message.direction == Direction::Outgoing;
        let found = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM tombstones WHERE hash = ?1)
                     OR EXISTS (SELECT 1 FROM tombstones WHERE fingerprint = ?2
                         AND (author IS NULL OR author = ?5))
                     OR ?6 AND EXISTS (SELECT 1 FROM tombstones
                         WHERE peer = ?3 AND timestamp = ?4)",
            )?
            .query_row(
                params![
                    Col(&message.hash),
                    message.fingerprint,
                    Col(&message.conversation),
                    Col(message.timestamp),
                    Col(&message.author),
                    own,
                ],
                |row| row.get(0),
            )?;
        Ok(found)
    }
}
