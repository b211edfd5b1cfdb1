//! The keys of a group: which there are, who gets new ones, which are too old (namespace 12).
//!
//! ```text
//! rekey       a new key for all present members; whoever is removed before it reads no further
//! supplement  all known keys for added members, so that they read what was said before them
//! ```
//!
//! Unlike the other configurations this one does not merge. A device keeps every key it is given,
//! sorted by generation, time and value, and writes with the last: so all devices choose the same
//! one of two that were made at once, and an admin who sees two keys of the newest generation makes
//! a third. A generation is forgotten once its successor has been superseded for 60 days.
//!
//! The formats are libsession's (`src/config/groups/keys.cpp`); `spec/vectors/group-keys.json` was
//! computed by an independent implementation.
//!
//! | module | what |
//! |---|---|
//! | [`copies`] | a text sealed once for each of several people |
//! | `dump` | the state on this device's disk |
//! | `key` | the sorted keys, and which of them have expired |
//! | [`kicked`] | telling members that they were removed (namespace -11) |
//! | `message` | the signed form of a rekey and of a supplement |
//! | `rekey` | making both |

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use warren_account::{Account, Group, group};
use warren_crypto::{CryptoError, Secret, aead, multi_recipient};
use warren_wire::{AccountId, Millis};

use self::key::{GroupKey, KeyList};
use self::message::{Body, KeysMessage};
use crate::base::ConfigError;
use crate::synced::Synced;

pub mod copies;
mod dump;
mod key;
pub mod kicked;
mod message;
mod rekey;

pub use self::key::KEY_EXPIRY;
pub use self::rekey::COPIES_MULTIPLE;

/// What sets the admins' copy of a key apart from other secrets of theirs.
const ADMIN_DOMAIN: &[u8] = b"SessionGroupKeyAdminKey";
/// What sets the members' copies of a key apart from other messages to them.
const MEMBER_DOMAIN: &[u8] = b"SessionGroupKeyMemberKey";

/// Why keys were not read or made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// No message or dump of keys.
    #[error("malformed group keys")]
    Malformed,
    /// No admin of the group signed the message.
    #[error("the keys message was not signed by an admin of the group")]
    Signature,
    /// The message is of this group, and its admins' copy does not open.
    #[error("the admins' copy of the new group key does not open")]
    AdminCopy,
    /// The given keys are another group's.
    #[error("the admin's key is not that of this group")]
    OtherGroup,
    /// A supplement needs keys to hand on; load the group's key messages first.
    #[error("this device has no key of the group")]
    NoKeys,
    /// None of the given ids is a person's.
    #[error("none of the members can be given a key")]
    NoMembers,
    /// The newest generation is the highest possible one, which no honest admin reaches.
    #[error("the group has no further generation of keys")]
    NoGeneration,
    /// The cryptographic library refused, which it does for no such input.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// As whom a device reads a group's keys.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// Whoever has the group's own keys.
    Admin(&'a Group),
    /// Everyone else.
    Member(&'a Account),
}

/// What loading a message of keys led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// It holds keys for this device, perhaps known ones.
    Keys,
    /// It holds none for this device.
    Nothing,
}

/// A new key that has not yet come back from the swarm.
struct Pending {
    generation: i64,
    key: Secret<32>,
    message: Vec<u8>,
}

/// All that a device knows of a group's keys.
pub struct GroupKeys {
    group: AccountId,
    keys: KeyList,
    /// Which messages in the swarm hold the keys, by generation: these are to be kept alive.
    active: BTreeMap<i64, BTreeSet<String>>,
    pending: Option<Pending>,
    needs_dump: bool,
}

impl GroupKeys {
    /// No keys yet, of a group that was just made or joined.
    ///
    /// # Errors
    /// [`KeysError::OtherGroup`] where the id is no group's.
    pub fn new(group: AccountId) -> Result<Self, KeysError> {
        group::verifying_key(&group).map_err(|_| KeysError::OtherGroup)?;
        Ok(Self {
            group,
            keys: KeyList::default(),
            active: BTreeMap::new(),
            pending: None,
            needs_dump: false,
        })
    }

    /// Whose keys these are.
    pub fn group(&self) -> AccountId {
        self.group
    }

    /// Every usable key, the newest first: a pending one, then the others by descending order.
    pub fn keys(&self) -> impl Iterator<Item = &Secret<32>> {
        let pending = self.pending.iter().map(|pending| &pending.key);
        pending.chain(self.keys.newest_first().map(|key| &key.key))
    }

    /// As [`GroupKeys::keys`], without those that this device had before `time` together with a
    /// successor: members write with none of them.
    pub fn keys_not_superseded_before(&self, time: Millis) -> impl Iterator<Item = &Secret<32>> {
        let pending = self.pending.iter().map(|pending| &pending.key);
        pending.chain(self.keys.not_superseded_before(time).map(|key| &key.key))
    }

    /// The key to write with.
    pub fn current(&self) -> Option<&Secret<32>> {
        self.keys().next()
    }

    /// Gives information or members of the group all keys, to read with and to write with the newest.
    ///
    /// To be called whenever the keys have changed; with `repush` after [`GroupKeys::rekey`], so that
    /// the configuration is pushed again under the new key.
    ///
    /// # Errors
    /// As [`crate::Config::replace_keys`].
    pub fn hand_to(&self, config: &mut impl Synced, repush: bool) -> Result<(), ConfigError> {
        let keys = self.keys().map(Secret::duplicate).collect();
        config.config_mut().replace_keys(keys, repush)
    }

    /// The newest generation that came from the swarm, 0 before the first.
    pub fn generation(&self) -> i64 {
        self.keys.newest().map_or(0, |key| key.generation)
    }

    /// The messages whose lives a device with the right to write extends.
    pub fn active_hashes(&self) -> BTreeSet<&str> {
        self.active.values().flatten().map(String::as_str).collect()
    }

    /// The messages that hold the newest generation that came from the swarm.
    pub fn newest_hashes(&self) -> impl Iterator<Item = &str> {
        let newest = self.active.get(&self.generation());
        newest.into_iter().flatten().map(String::as_str)
    }

    /// What to store in namespace 12, until [`GroupKeys::load`] has met it there.
    pub fn pending_message(&self) -> Option<&[u8]> {
        self.pending.as_ref().map(|pending| pending.message.as_slice())
    }

    /// Whether two admins made a key at once, so that an admin has to make the next one.
    pub fn needs_rekey(&self) -> bool {
        self.keys.collided()
    }

    /// Reads a message of namespace 12, stored at `timestamp` under the name `hash`.
    ///
    /// Any order and any repetition of messages lead to the same keys.
    ///
    /// # Errors
    /// Where the message is malformed or not signed by the group, or the reader is of another one.
    /// Nothing has changed then.
    pub fn load(
        &mut self,
        reader: Reader<'_>,
        hash: &str,
        stored: &[u8],
        timestamp: Millis,
    ) -> Result<Loaded, KeysError> {
        self.load_seen(reader, hash, stored, timestamp, None)
    }

    /// As [`GroupKeys::load`], where a node alone says when it was stored: `seen` is when it came to
    /// this device, which decides as well how long keys are kept.
    ///
    /// # Errors
    /// As [`GroupKeys::load`].
    pub fn load_seen(
        &mut self,
        reader: Reader<'_>,
        hash: &str,
        stored: &[u8],
        timestamp: Millis,
        seen: Option<Millis>,
    ) -> Result<Loaded, KeysError> {
        let owner = group::verifying_key(&self.group).map_err(|_| KeysError::OtherGroup)?;
        if matches!(reader, Reader::Admin(admin) if admin.id() != self.group) {
            return Err(KeysError::OtherGroup);
        }
        let message = message::read(&owner, stored)?;
        let keys = match &message.body {
            Body::Full { admin, copies } => {
                let key = self.open_full(reader, &message, admin, copies)?;
                let generation = message.generation;
                let seen = timestamp;
                key.map(|key| GroupKey { generation, timestamp, seen, key }).into_iter().collect()
            }
            Body::Supplement { copies } => self.open_supplement(reader, &message, copies)?,
        };
        self.drop_superseded_pending(reader, &keys);
        if keys.is_empty() {
            self.active.entry(message.generation).or_default().insert(hash.to_owned());
            self.remove_expired();
            self.needs_dump = true;
            return Ok(Loaded::Nothing);
        }
        for key in keys {
            let seen = seen.unwrap_or(key.seen);
            self.insert(hash, GroupKey { seen, ..key });
        }
        Ok(Loaded::Keys)
    }

    fn open_full(
        &self,
        reader: Reader<'_>,
        message: &KeysMessage,
        admin_copy: &[u8],
        copies: &[Vec<u8>],
    ) -> Result<Option<Secret<32>>, KeysError> {
        let opened = match reader {
            Reader::Admin(admin) => {
                let key = admin.derive(ADMIN_DOMAIN)?;
                let opened = aead::xchacha_open(&key, &message.nonce, admin_copy, &[]);
                Some(opened.map_err(|_| KeysError::AdminCopy)?)
            }
            Reader::Member(member) => self.open_copy(member, message, copies)?,
        };
        Ok(opened.and_then(|key| Secret::from_slice(&key)))
    }

    fn open_supplement(
        &self,
        reader: Reader<'_>,
        message: &KeysMessage,
        copies: &[Vec<u8>],
    ) -> Result<Vec<GroupKey>, KeysError> {
        let Reader::Member(member) = reader else { return Ok(Vec::new()) };
        match self.open_copy(member, message, copies)? {
            Some(list) => key::read_list(&list).ok_or(KeysError::Malformed),
            None => Ok(Vec::new()),
        }
    }

    fn open_copy(
        &self,
        member: &Account,
        message: &KeysMessage,
        copies: &[Vec<u8>],
    ) -> Result<Option<Vec<u8>>, KeysError> {
        let group = group::verifying_key(&self.group)?.to_x25519()?;
        let copies = copies.iter().map(Vec::as_slice);
        let nonce = &message.nonce;
        Ok(multi_recipient::open_any(member.x25519(), &group, MEMBER_DOMAIN, nonce, copies).ok())
    }

    /// Forgets a pending key once it came back, or a later generation did.
    fn drop_superseded_pending(&mut self, reader: Reader<'_>, keys: &[GroupKey]) {
        let (Reader::Admin(_), Some(first)) = (reader, keys.first()) else { return };
        let superseded = self.pending.as_ref().is_some_and(|pending| {
            first.generation > pending.generation || first.key == pending.key
        });
        if superseded {
            self.pending = None;
            self.needs_dump = true;
        }
    }

    fn insert(&mut self, hash: &str, key: GroupKey) {
        let generation = key.generation;
        let inserted = self.keys.insert(key);
        if inserted == key::Inserted::Stale {
            return;
        }
        self.active.entry(generation).or_default().insert(hash.to_owned());
        self.needs_dump = true;
        if inserted == key::Inserted::New {
            self.remove_expired();
        }
    }

    /// Forgets old keys, and the messages of generations that no key is left of.
    fn remove_expired(&mut self) {
        self.keys.remove_expired();
        match self.keys.oldest() {
            Some(oldest) => self.active = self.active.split_off(&oldest.generation),
            None => self.active.clear(),
        }
    }
}

impl fmt::Debug for GroupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupKeys")
            .field("generation", &self.generation())
            .field("keys", &self.keys().count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
