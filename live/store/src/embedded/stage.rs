//! A batch of writes in the making: each sees those before it, and all become durable at once.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fjall::{OwnedWriteBatch, PersistMode};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::keys::{ExpiryKey, HashEntry, HashKey, MessageKey, Record, STATE_KEY, State};
use super::tables::{Tables, drawer};
use crate::StoreError;
use crate::shapes::Stored;

/// Writes that lie over what the database holds. Every operation reads all it needs before it
/// changes anything, so one that fails leaves the others of the batch as they are.
pub(super) struct Stage<'a> {
    tables: &'a Tables,
    state: State,
    messages: BTreeMap<MessageKey, Option<Vec<u8>>>,
    names: HashMap<HashKey, Option<HashEntry>>,
    expiries: HashMap<ExpiryKey, bool>,
    earliest: Millis,
}

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Swept {
    /// How many messages are gone.
    pub(super) removed: usize,
    /// Whether expired ones may be left.
    pub(super) more: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn new(tables: &'a Tables, state: State) -> Self {
        Self {
            tables,
            state,
            messages: BTreeMap::new(),
            names: HashMap::new(),
            expiries: HashMap::new(),
            earliest: Millis::MAX,
        }
    }

    /// The earliest expiry among the messages that the batch adds.
    pub(super) const fn earliest(&self) -> Millis {
        self.earliest
    }

    /// See [`crate::MailStore::store`].
    pub(super) fn store(
        &mut self,
        message: &MessageRecord,
        now: Millis,
    ) -> Result<Stored, StoreError> {
        let name = HashKey { owner: message.owner, hash: message.hash };
        let mut gone = BTreeMap::new();
        if let Some(entry) = self.entry(&name)? {
            if entry.expiry > now {
                return self.renew(name, entry, message.expiry);
            }
            gone.insert(name, entry);
        }
        if message.namespace.access() == warren_wire::Access::PublicOutbox {
            for (other, entry, timestamp) in self.residents(message.owner, message.namespace)? {
                let newer = (timestamp, other.hash) > (message.timestamp, message.hash);
                if newer && entry.expiry > now {
                    return Ok(Stored { expiry: entry.expiry, already: true, overruled: None });
                }
                gone.insert(other, entry);
            }
        }
        for (name, entry) in gone {
            self.remove(name, entry);
        }
        self.add(name, message);
        Ok(Stored { expiry: message.expiry, already: false, overruled: None })
    }

    /// See [`crate::MailStore::delete`].
    pub(super) fn delete(
        &mut self,
        owner: AccountId,
        hashes: &[MessageHash],
    ) -> Result<Vec<(Namespace, MessageHash)>, StoreError> {
        let mut seen = BTreeSet::new();
        let mut gone = Vec::new();
        for hash in hashes.iter().copied().filter(|hash| seen.insert(*hash)) {
            let name = HashKey { owner, hash };
            if let Some(entry) = self.entry(&name)? {
                gone.push((name, entry));
            }
        }
        for (name, entry) in &gone {
            self.remove(*name, *entry);
        }
        let mut gone: Vec<_> =
            gone.into_iter().map(|(name, entry)| (entry.namespace, name.hash)).collect();
        gone.sort_unstable();
        Ok(gone)
    }

    /// Removes at most `limit` messages that expire from `from` to `now`, except those that the
    /// batch itself added.
    pub(super) fn sweep(
        &mut self,
        from: Millis,
        now: Millis,
        limit: usize,
    ) -> Result<Swept, StoreError> {
        let mut due = Vec::new();
        let mut more = false;
        let (from, past) = (from.to_be_bytes(), now.saturating_add(1).to_be_bytes());
        for item in self.tables.expiries.range(from..past) {
            let key = ExpiryKey::decode(&item.key()?)?;
            if self.expiries.get(&key) == Some(&false) {
                continue;
            }
            if due.len() == limit {
                more = true;
                break;
            }
            due.push((key, self.entry(&key.name)?));
        }
        let mut removed = 0;
        for (key, entry) in due {
            self.expiries.insert(key, false);
            if let Some(entry) = entry.filter(|entry| entry.expiry == key.expiry) {
                self.remove(key.name, entry);
                removed += 1;
            }
        }
        Ok(Swept { removed, more })
    }

    /// Makes the writes durable, all or none; returns where they leave off.
    pub(super) fn commit(self) -> Result<State, StoreError> {
        if self.names.is_empty() && self.expiries.is_empty() {
            return Ok(self.state);
        }
        let tables = self.tables;
        let items = self.messages.len() + self.names.len() + self.expiries.len() + 1;
        let mut batch = OwnedWriteBatch::with_capacity(tables.database.clone(), items)
            .durability(Some(PersistMode::SyncAll));
        for (key, record) in self.messages {
            match record {
                Some(record) => batch.insert(&tables.messages, key.encode(), record),
                None => batch.remove(&tables.messages, key.encode()),
            }
        }
        for (name, entry) in self.names {
            match entry {
                Some(entry) => batch.insert(&tables.hashes, name.encode(), entry.encode()),
                None => batch.remove(&tables.hashes, name.encode()),
            }
        }
        for (key, present) in self.expiries {
            if present {
                batch.insert(&tables.expiries, key.encode(), []);
            } else {
                batch.remove(&tables.expiries, key.encode());
            }
        }
        batch.insert(&tables.meta, STATE_KEY, self.state.encode());
        batch.commit()?;
        Ok(self.state)
    }

    fn entry(&self, name: &HashKey) -> Result<Option<HashEntry>, StoreError> {
        match self.names.get(name) {
            Some(staged) => Ok(*staged),
            None => self.tables.entry(name),
        }
    }

    /// Hands the value of a message to `read`.
    fn with_record<T>(
        &self,
        key: &MessageKey,
        read: impl FnOnce(Record<'_>) -> T,
    ) -> Result<T, StoreError> {
        let missing = || StoreError::Corrupt("a hash names a message that is not there".into());
        match self.messages.get(key) {
            Some(staged) => {
                let bytes = staged.as_deref().ok_or_else(missing)?;
                Ok(read(Record::decode(bytes)?))
            }
            None => {
                let bytes = self.tables.record(key)?.ok_or_else(missing)?;
                Ok(read(Record::decode(&bytes)?))
            }
        }
    }

    /// The messages of a drawer: name, entry, timestamp.
    fn residents(
        &self,
        owner: AccountId,
        namespace: Namespace,
    ) -> Result<Vec<(HashKey, HashEntry, Millis)>, StoreError> {
        let (first, last) = drawer(owner, namespace);
        let mut keys = BTreeSet::new();
        for item in self.tables.messages.range(first.encode()..=last.encode()) {
            keys.insert(MessageKey::decode(&item.key()?)?);
        }
        for (key, record) in self.messages.range(first..=last) {
            if record.is_some() {
                keys.insert(*key);
            } else {
                keys.remove(key);
            }
        }
        let resident = |key: MessageKey| {
            self.with_record(&key, |record| {
                let name = HashKey { owner, hash: record.hash };
                let MessageKey { namespace, sequence, .. } = key;
                (name, HashEntry { namespace, sequence, expiry: record.expiry }, record.timestamp)
            })
        };
        keys.into_iter().map(resident).collect()
    }

    fn renew(
        &mut self,
        name: HashKey,
        entry: HashEntry,
        expiry: Millis,
    ) -> Result<Stored, StoreError> {
        if expiry <= entry.expiry {
            return Ok(Stored { expiry: entry.expiry, already: true, overruled: None });
        }
        let key = message_key(name, entry);
        let record = self.with_record(&key, |record| Record { expiry, ..record }.encode())?;
        self.messages.insert(key, Some(record));
        self.names.insert(name, Some(HashEntry { expiry, ..entry }));
        self.expiries.insert(ExpiryKey { expiry: entry.expiry, name }, false);
        self.expiries.insert(ExpiryKey { expiry, name }, true);
        self.earliest = self.earliest.min(expiry);
        Ok(Stored { expiry, already: true, overruled: None })
    }

    fn add(&mut self, name: HashKey, message: &MessageRecord) {
        let sequence = self.state.next_sequence;
        let entry = HashEntry { namespace: message.namespace, sequence, expiry: message.expiry };
        let record = Record {
            hash: message.hash,
            timestamp: message.timestamp,
            expiry: message.expiry,
            data: &message.data,
        };
        self.messages.insert(message_key(name, entry), Some(record.encode()));
        self.names.insert(name, Some(entry));
        self.expiries.insert(ExpiryKey { expiry: message.expiry, name }, true);
        self.earliest = self.earliest.min(message.expiry);
        self.state.next_sequence = sequence.saturating_add(1);
        self.state.messages = self.state.messages.saturating_add(1);
    }

    fn remove(&mut self, name: HashKey, entry: HashEntry) {
        self.messages.insert(message_key(name, entry), None);
        self.names.insert(name, None);
        self.expiries.insert(ExpiryKey { expiry: entry.expiry, name }, false);
        self.state.messages = self.state.messages.saturating_sub(1);
    }
}

const fn message_key(name: HashKey, entry: HashEntry) -> MessageKey {
    let HashEntry { namespace, sequence, .. } = entry;
    MessageKey { owner: name.owner, namespace, sequence }
}
