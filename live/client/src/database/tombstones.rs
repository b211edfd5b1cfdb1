//! What was deleted on this device, remembered so that it does not come back from the mailbox.
//!
//! The swarm keeps a message after it was deleted here, and a member that is read from its
//! beginning brings it again. A tombstone holds what such a message is known by and nothing of
//! what it says.

use rusqlite::{Transaction, params};
use warren_wire::Millis;

use super::account::AccountDb;
use super::column::Col;
use super::error::DatabaseError;
use super::messages::{Direction, MessageId};
use super::recording::Fetched;

/// How long a tombstone is kept: thirty days, the longest that a node keeps a message.
pub const TOMBSTONE_LIFE: Millis = 30 * 24 * 60 * 60 * 1000;

impl AccountDb {
    /// Deletes messages on this device at `now`, with what the outbox still holds of them. Fetched
    /// again within [`TOMBSTONE_LIFE`], they stay deleted.
    ///
    /// # Errors
    /// Where the database fails; then none is deleted.
    pub fn delete_messages_at(
        &mut self,
        ids: &[MessageId],
        now: Millis,
    ) -> Result<(), DatabaseError> {
        let transaction = self.write()?;
        for id in ids {
            bury(&transaction, *id, now)?;
        }
        Ok(transaction.commit()?)
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

/// Deletes one message and leaves its tombstone; one that is gone is passed over.
fn bury(transaction: &Transaction<'_>, id: MessageId, now: Millis) -> Result<(), DatabaseError> {
    transaction
        .prepare_cached(
            "INSERT INTO tombstones (hash, fingerprint, peer, timestamp, deleted_at)
             SELECT hash, fingerprint, iif(outgoing, peer, NULL), iif(outgoing, timestamp, NULL), ?2
             FROM messages WHERE id = ?1",
        )?
        .execute(params![id, Col(now)])?;
    transaction.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Whether a fetched message was deleted on this device.
pub(super) fn is_buried(
    transaction: &Transaction<'_>,
    message: &Fetched,
) -> Result<bool, DatabaseError> {
    let own = (message.direction == Direction::Outgoing).then_some(Col(&message.peer));
    let found = transaction
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM tombstones
             WHERE hash = ?1 OR fingerprint = ?2 OR (peer = ?3 AND timestamp = ?4))",
        )?
        .query_row(
            params![Col(&message.hash), message.fingerprint, own, Col(message.timestamp)],
            |row| row.get(0),
        )?;
    Ok(found)
}
