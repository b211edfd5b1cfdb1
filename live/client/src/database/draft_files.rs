//! Files that were handed in for a message, until one takes them.
//!
//! What is known of each is the caller's own JSON, which names the sealed files under `file.name` and
//! `thumbnail.name`.

use rusqlite::{OptionalExtension, params};
use warren_wire::Millis;

use super::account::{AccountDb, Tx};
use super::column::Col;
use super::error::DatabaseError;

/// How many files wait at most; the oldest goes first.
const MOST: i64 = 256;

/// The number of a file that waits. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DraftFileId(i64);

impl DraftFileId {
    /// Wraps a number, as a program hands it in.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl AccountDb {
    /// What is known of a file that waits.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where none does under this number.
    pub fn draft_file(&self, id: DraftFileId) -> Result<String, DatabaseError> {
        self.connection
            .prepare_cached("SELECT draft FROM draft_files WHERE id = ?1")?
            .query_row([id.0], |row| row.get(0))
            .optional()?
            .ok_or(DatabaseError::Gone)
    }

    /// Keeps what is known of a file; its number. Where many wait, the oldest is given up.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn add_draft_file(
        &mut self,
        draft: &str,
        now: Millis,
    ) -> Result<DraftFileId, DatabaseError> {
        self.transact(|tx| {
            let insert = "INSERT INTO draft_files (draft, created) VALUES (?1, ?2)";
            tx.connection.prepare_cached(insert)?.execute(params![draft, Col(now)])?;
            let id = tx.connection.last_insert_rowid();
            let spare = "DELETE FROM draft_files WHERE id NOT IN
                             (SELECT id FROM draft_files ORDER BY id DESC LIMIT ?1)";
            tx.connection.prepare_cached(spare)?.execute([MOST])?;
            Ok(DraftFileId(id))
        })
    }

    /// Gives a file up that no message is to have.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where none waits under this number.
    pub fn give_up_draft_file(&self, id: DraftFileId) -> Result<(), DatabaseError> {
        let delete = "DELETE FROM draft_files WHERE id = ?1";
        match self.connection.prepare_cached(delete)?.execute([id.0])? {
            0 => Err(DatabaseError::Gone),
            _ => Ok(()),
        }
    }

    /// Gives up what waits since before a time.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn sweep_draft_files(&self, before: Millis) -> Result<(), DatabaseError> {
        let delete = "DELETE FROM draft_files WHERE created < ?1";
        self.connection.prepare_cached(delete)?.execute([Col(before)])?;
        Ok(())
    }
}

impl Tx<'_> {
    /// Notes that a message has taken a file, which lies where it did.
    ///
    /// # Errors
    /// [`DatabaseError::Gone`] where none waits under this number, so that no two messages take it.
    pub fn draft_file_taken(&self, id: DraftFileId) -> Result<(), DatabaseError> {
        // One that names no files leaves none to be deleted.
        let forget = "UPDATE draft_files SET draft = '{}' WHERE id = ?1";
        self.connection.prepare_cached(forget)?.execute([id.0])?;
        self.give_up_draft_file(id)
    }
}
