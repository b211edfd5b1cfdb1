//! Messages that disappear.
//!
//! A message's time runs from its sending or from its reading, as it says; from then on its row
//! holds when it goes. Nothing here has a clock: whoever opens the database asks for what is due
//! before anything is shown.

use rusqlite::params;
use warren_wire::{AccountId, MessageHash, Millis};

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;
use super::messages::MessageId;

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
            let due = self.due_messages(now)?;
            for id in &due {
                expired.hashes.extend(self.message_hashes(*id)?);
            }
            let removed = self.transact(|tx| tx.remove_expired(&due, now))?;
            expired.messages.extend(removed);
            if due.len() < AT_ONCE {
                break;
            }
        }
        expired.next = self.next_expiry()?;
        Ok(expired)
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
    fn remove_expired(
        &self,
        due: &[MessageId],
        now: Millis,
    ) -> Result<Vec<(AccountId, MessageId)>, DatabaseError> {
        let mut removed = Vec::new();
        for id in due {
            match self.message(*id) {
                Err(DatabaseError::Gone) => {}
                found => {
                    let message = found?;
                    self.bury(&message, now)?;
                    removed.push((message.conversation, message.id));
                }
            }
        }
        Ok(removed)
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
