//! The embedded engine's keyspaces, read by key.

use std::fs::File;

use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode,
    Slice,
};
use warren_wire::{AccountId, Namespace};

use super::keys::{BadBytes, FORMAT, FORMAT_KEY, HashEntry, HashKey, MessageKey, STATE_KEY, State};
use crate::StoreError;

/// An open database.
pub(super) struct Tables {
    pub(super) messages: Keyspace,
    pub(super) hashes: Keyspace,
    pub(super) expiries: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) database: Database,
    /// Held as long as the database is open, so released last.
    _lock: Option<File>,
}

impl From<BadBytes> for StoreError {
    fn from(error: BadBytes) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl Tables {
    /// Makes the keyspaces of an empty database and notes the format in it, durably.
    pub(super) fn create(database: &Database) -> Result<(), StoreError> {
        let tables = Self::keyspaces(database.clone(), None)?;
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&tables.meta, FORMAT_KEY, FORMAT.to_be_bytes());
        batch.insert(&tables.meta, STATE_KEY, State::default().encode());
        Ok(batch.commit()?)
    }

    /// Takes up the keyspaces of a database that was created before.
    pub(super) fn open(database: Database, lock: File) -> Result<Self, StoreError> {
        let meta = database.keyspace("meta", KeyspaceCreateOptions::default)?;
        let format = meta.get(FORMAT_KEY)?;
        let format = format.ok_or_else(|| StoreError::Corrupt("no format is noted".into()))?;
        let format = <[u8; 4]>::try_from(&*format).map_err(|_| BadBytes("the format"))?;
        match u32::from_be_bytes(format) {
            FORMAT => Self::keyspaces(database, Some(lock)),
            found if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
            found => Err(StoreError::Corrupt(format!("no version had format {found}"))),
        }
    }

    fn keyspaces(database: Database, lock: Option<File>) -> Result<Self, StoreError> {
        // Messages are sealed: compressing them would cost time and save nothing.
        let blobs = KvSeparationOptions::default().compression(CompressionType::None);
        let messages = || KeyspaceCreateOptions::default().with_kv_separation(Some(blobs.clone()));
        Ok(Self {
            messages: database.keyspace("messages", messages)?,
            hashes: database.keyspace("hashes", KeyspaceCreateOptions::default)?,
            expiries: database.keyspace("expiries", KeyspaceCreateOptions::default)?,
            meta: database.keyspace("meta", KeyspaceCreateOptions::default)?,
            database,
            _lock: lock,
        })
    }

    /// Where the writer left off.
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let bytes = self.meta.get(STATE_KEY)?;
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt("no state is noted".into()))?;
        Ok(State::decode(&bytes)?)
    }

    pub(super) fn entry(&self, name: &HashKey) -> Result<Option<HashEntry>, StoreError> {
        let bytes = self.hashes.get(name.encode())?;
        Ok(bytes.map(|bytes| HashEntry::decode(&bytes)).transpose()?)
    }

    pub(super) fn record(&self, key: &MessageKey) -> Result<Option<Slice>, StoreError> {
        Ok(self.messages.get(key.encode())?)
    }
}

/// The first and the last key a message in this drawer can have.
pub(super) const fn drawer(owner: AccountId, namespace: Namespace) -> (MessageKey, MessageKey) {
    let first = MessageKey { owner, namespace, sequence: 0 };
    (first, MessageKey { sequence: u64::MAX, ..first })
}
