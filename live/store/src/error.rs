//! What a storage engine reports when it cannot do as asked.

use std::io;

/// Why an engine did not answer. A caller may repeat any request: storing and deleting twice does
/// no harm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The engine was closed, or is being closed.
    #[error("the store is closed")]
    Closed,
    /// No room is left on the disk, or too little to stay safe: make room. Deleting and expiring
    /// still work where the engine itself noticed in time.
    #[error("the disk of the store is full")]
    Full,
    /// The owner has as many orders as may be kept ([`crate::quota`]): those of the last month have to
    /// pass first.
    #[error("the mailbox has too many orders that are still in force")]
    TooManyOrders,
    /// What was read contradicts itself: restore from a replica.
    #[error("the store is damaged: {0}")]
    Corrupt(String),
    /// The data was written by a newer version: start that version.
    #[error("the store has format {found}, this version knows up to {known}: use a newer version")]
    Newer {
        /// The format found.
        found: u32,
        /// The newest format this version reads.
        known: u32,
    },
    /// Another process has the store open.
    #[error("the store is in use by another process")]
    InUse,
    /// The database cannot be reached, or none of its servers takes writes: ask again later, and
    /// look at the database.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The engine or the operating system failed.
    #[error("the storage engine failed: {0}")]
    Engine(String),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Engine(error.to_string()),
        }
    }
}

impl From<fjall::Error> for StoreError {
    fn from(error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => {
                error.into()
            }
            fjall::Error::Locked => Self::InUse,
            fjall::Error::JournalRecovery(cause) => Self::Corrupt(format!("journal: {cause}")),
            fjall::Error::Storage(fjall::LsmError::ChecksumMismatch { .. }) => {
                Self::Corrupt("a table's checksum".into())
            }
            other => Self::Engine(other.to_string()),
        }
    }
}

impl From<warren_crypto::CryptoError> for StoreError {
    fn from(error: warren_crypto::CryptoError) -> Self {
        Self::Engine(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(StoreError::from(full()), StoreError::Full);
        assert_eq!(StoreError::from(fjall::Error::Io(full())), StoreError::Full);
        let table = fjall::Error::Storage(fjall::LsmError::Io(full()));
        assert_eq!(StoreError::from(table), StoreError::Full);
        let other = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(StoreError::from(other), StoreError::Engine(_)));
    }
}
