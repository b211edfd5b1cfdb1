//! The embedded engine's keyspaces.

use std::fs::File;
use std::sync::Arc;

use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode,
};

use super::bytes::BadBytes;
use super::keys::{FORMAT, FORMAT_KEY, STATE_KEY};
use super::values::State;
use crate::StoreError;

/// One of the keyspaces of mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Space {
    Messages,
    Names,
    Expiries,
    Orders,
    Effects,
    Owners,
    Missed,
}

impl Space {
    /// All of them, in the order of their values.
    pub(super) const ALL: [Self; 7] = [
        Self::Messages,
        Self::Names,
        Self::Expiries,
        Self::Orders,
        Self::Effects,
        Self::Owners,
        Self::Missed,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Names => "names",
            Self::Expiries => "expiries",
            Self::Orders => "orders",
            Self::Effects => "effects",
            Self::Owners => "owners",
            Self::Missed => "missed",
        }
    }
}

/// An open database.
pub(super) struct Tables {
    messages: Keyspace,
    names: Keyspace,
    expiries: Keyspace,
    orders: Keyspace,
    effects: Keyspace,
    owners: Keyspace,
    missed: Keyspace,
    pub(super) meta: Keyspace,
    pub(super) database: Database,
    /// Held as long as the database is open, so released last.
    _lock: Option<Arc<File>>,
}

/// The format that is noted in a database.
pub(super) fn format(database: &Database) -> Result<u32, StoreError> {
    let meta = database.keyspace("meta", KeyspaceCreateOptions::default)?;
    let format = meta.get(FORMAT_KEY)?;
    let format = format.ok_or_else(|| StoreError::Corrupt("no format is noted".into()))?;
    let format = <[u8; 4]>::try_from(&*format).map_err(|_| BadBytes("the format"))?;
    match u32::from_be_bytes(format) {
        0 => Err(StoreError::Corrupt("no version had format 0".into())),
        found if found > FORMAT => Err(StoreError::Newer { found, known: FORMAT }),
        found => Ok(found),
    }
}

impl Tables {
    /// Makes the keyspaces of an empty database and notes format and state in it, durably.
    pub(super) fn create(database: &Database, state: State) -> Result<Self, StoreError> {
        let tables = Self::keyspaces(database.clone(), None)?;
        let mut batch = database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&tables.meta, FORMAT_KEY, FORMAT.to_be_bytes());
        batch.insert(&tables.meta, STATE_KEY, state.encode());
        batch.commit()?;
        Ok(tables)
    }

    /// Notes the present format, durably, in a database of one that is read as it is.
    pub(super) fn note_format(&self) -> Result<(), StoreError> {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        batch.insert(&self.meta, FORMAT_KEY, FORMAT.to_be_bytes());
        Ok(batch.commit()?)
    }

    /// Takes up the keyspaces of a database of this format that was created before.
    pub(super) fn open(database: Database, lock: Arc<File>) -> Result<Self, StoreError> {
        Self::keyspaces(database, Some(lock))
    }

    fn keyspaces(database: Database, lock: Option<Arc<File>>) -> Result<Self, StoreError> {
        let small = |space: Space| database.keyspace(space.name(), KeyspaceCreateOptions::default);
        // Messages are sealed: compressing them would cost time and save nothing.
        let blobs = KvSeparationOptions::default().compression(CompressionType::None);
        let messages = || KeyspaceCreateOptions::default().with_kv_separation(Some(blobs.clone()));
        Ok(Self {
            messages: database.keyspace(Space::Messages.name(), messages)?,
            names: small(Space::Names)?,
            expiries: small(Space::Expiries)?,
            orders: small(Space::Orders)?,
            effects: small(Space::Effects)?,
            owners: small(Space::Owners)?,
            missed: small(Space::Missed)?,
            meta: database.keyspace("meta", KeyspaceCreateOptions::default)?,
            database,
            _lock: lock,
        })
    }

    /// The keyspace itself.
    pub(super) const fn space(&self, space: Space) -> &Keyspace {
        match space {
            Space::Messages => &self.messages,
            Space::Names => &self.names,
            Space::Expiries => &self.expiries,
            Space::Orders => &self.orders,
            Space::Effects => &self.effects,
            Space::Owners => &self.owners,
            Space::Missed => &self.missed,
        }
    }

    /// Where the writer left off.
    pub(super) fn state(&self) -> Result<State, StoreError> {
        let bytes = self.meta.get(STATE_KEY)?;
        let bytes = bytes.ok_or_else(|| StoreError::Corrupt("no state is noted".into()))?;
        Ok(State::decode(&bytes)?)
    }
}
