//! The list of chats.
//!
//! A row for each peer there is a message with, kept right by triggers in the transaction that
//! changes a message, so that showing the list reads as many rows as it shows.

use rusqlite::{Row, params};
use warren_wire::{AccountId, Millis};

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;
use super::messages::MessageId;

/// A chat, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// With whom.
    pub peer: AccountId,
    /// The newest message: greatest timestamp, then last arrived.
    pub last_message: MessageId,
    /// Its timestamp.
    pub last_timestamp: Millis,
    /// How many messages of the peer the owner has not seen.
    pub unread: u64,
}

impl AccountDb {
    /// At most `limit` chats, the one with the newest message first.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn conversations(&self, limit: usize) -> Result<Vec<Conversation>, DatabaseError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT peer, last_message, last_timestamp, unread FROM conversations
             ORDER BY last_timestamp DESC, last_message DESC LIMIT ?1",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let chats = statement.query_map([limit], conversation)?.collect::<Result<_, _>>()?;
        Ok(chats)
    }

    /// Marks everything a peer said as seen.
    ///
    /// # Errors
    /// Where the database fails; then nothing is marked.
    pub fn mark_conversation_read(&mut self, peer: &AccountId) -> Result<(), DatabaseError> {
        self.connection
            .prepare_cached("UPDATE messages SET read = 1 WHERE peer = ?1 AND read = 0")?
            .execute(params![Col(peer)])?;
        Ok(())
    }
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        peer: row.get::<_, Col<AccountId>>(0)?.0,
        last_message: row.get(1)?,
        last_timestamp: row.get::<_, Col<Millis>>(2)?.0,
        unread: row.get::<_, Col<u64>>(3)?.0,
    })
}
