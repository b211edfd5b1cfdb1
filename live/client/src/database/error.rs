//! Why a database refuses, and what the caller can do.

use std::io;

use rusqlite::ErrorCode;

/// Why a database refuses. No text holds content, a key, an id or a path.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file does not decrypt with its key, or is no longer a database.
    #[error(
        "a database cannot be read: it is damaged or belongs to another home; put it back from a \
         copy, or restore the account from its recovery words"
    )]
    Damaged,
    /// Written by a newer Warren.
    #[error(
        "the {database} database has schema {found}, this program knows {known}: update Warren"
    )]
    NewerSchema {
        /// Which one: "index" or "account".
        database: &'static str,
        /// The schema in the file.
        found: usize,
        /// The newest schema known here.
        known: usize,
    },
    /// Another process held the database for longer than five seconds.
    #[error("another Warren process is busy with the database: try again")]
    Busy,
    /// No room.
    #[error("the disk is full: nothing was saved")]
    DiskFull,
    /// The account is on this device already.
    #[error("this account is on this device already")]
    AccountExists,
    /// No such account on this device.
    #[error("there is no such account on this device")]
    UnknownAccount,
    /// No contact of that name, and it is no account id.
    #[error("there is no such contact: add it first, or give the whole account id")]
    UnknownContact,
    /// A name that fits several.
    #[error("the name fits {count} entries: give the account id")]
    AmbiguousName {
        /// How many it fits.
        count: usize,
    },
    /// Another contact has this petname.
    #[error("another contact has this name already: choose another")]
    PetnameTaken,
    /// A message to the same peer has the same timestamp: seal again with a later one.
    #[error("another message to this contact has the same timestamp: use a later one")]
    TimestampTaken,
    /// No such row: deleted since, by this process or another.
    #[error("the entry does not exist any more")]
    Gone,
    /// A primitive refused.
    #[error(transparent)]
    Crypto(#[from] warren_crypto::CryptoError),
    /// A file cannot be made or removed.
    #[error("the home directory cannot be used: {0}")]
    Io(#[from] io::Error),
    /// Anything else that SQLite says; a mistake of this program.
    #[error("the database refused a statement: {0}")]
    Engine(rusqlite::Error),
}

impl From<rusqlite::Error> for DatabaseError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Engine(error),
        }
    }
}

/// Whether SQLite refused a row because another has the same key.
pub(super) fn is_duplicate(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    error.sqlite_error().is_some_and(|error| {
        [SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY].contains(&error.extended_code)
    })
}
