//! What must not happen again when a database comes back from a backup: it is of an older time, and
//! what was still to be done then may have been done since, or been thought better of.
//!
//! | what waited | what becomes of it |
//! |---|---|
//! | a message to be sent | it failed, *unsure*: its owner sends it again, the same bytes, or does not |
//! | a file to be uploaded | the same, with its message |
//! | reactions, receipts, configurations to be stored | dropped: newer ones may be out, and what the devices of the account agree on is merged from the swarm |
//! | named messages to be deleted, or to disappear sooner | still done: it was wanted, and doing it twice does no more |
//! | a whole mailbox to be emptied | dropped: it would take newer messages with it |
//! | an order to wipe a friend's device | repeated no more |
//! | a file to be downloaded | offered again, from the beginning |
//!
//! Cursors are forgotten, so that everything the swarms still keep is fetched; what is here already is
//! known by its hash and its fingerprint, and what was deleted by its tombstone. The path in use is the
//! other device's and is forgotten; the guard stays, so that no further node learns the owner's address.

use super::account::Tx;
use super::error::DatabaseError;

/// What a message says that was not sent when the backup was made.
const UNSURE: &str = "it waited when the backup was made and may have been sent since: send it again \
                      if it was not";

impl Tx<'_> {
    /// Settles a database that was just loaded.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn settle_restored(&self) -> Result<(), DatabaseError> {
        // 3 are deletions by hash; `jobs` numbers the kinds.
        self.connection.execute(
            "DELETE FROM jobs WHERE message_id IS NULL AND kind <> 3
                 AND NOT (kind = 5 AND name = ?1)",
            [crate::disappearing::SHORTEN],
        )?;
        self.connection.execute_batch(
            "UPDATE jobs SET next_attempt = NULL WHERE message_id IS NOT NULL;
             DELETE FROM job_needs WHERE needs NOT IN (SELECT id FROM jobs)
                 OR job NOT IN (SELECT id FROM jobs);
             UPDATE attachments SET state = 0, transfer = NULL, progress = 0 WHERE state = 1;
             UPDATE attachments SET state = 3, transfer = NULL, progress = 0 WHERE state = 4;
             UPDATE attachments SET transfer = NULL WHERE transfer IS NOT NULL;
             DELETE FROM path;",
        )?;
        self.connection
            .execute("UPDATE messages SET state = 2, failure = ?1 WHERE state = 0", [UNSURE])?;
        self.settle_tripwires()?;
        self.forget_cursors()
    }
}
