//! How far each conversation is read: what changes with every message.
//!
//! | key | by | what |
//! |---|---|---|
//! | `1` | 33-byte account id | conversations of two |
//! | `g` | 33-byte group id (`03`) | groups |
//! | `C` | 33-byte id (`05`) | legacy groups |
//! | `b` | 33-byte blinded id (`15`, `25`) | people of communities |
//! | `o` | base url, then `R`, then room | communities; `#` beside `R` is the server's key |
//!
//! | key of an entry | what |
//! |---|---|
//! | `r` | until when messages are read (ms); always there, and 0 where none is |
//! | `u` | 1 where the owner marked it unread |
//! | `e`, `g` | of two: until when their proof of Session Pro holds (ms), and its generation |
//! | `y` | blinded: 1 where the id is of the old kind |
//!
//! What was last read a month ago, and is not marked unread, is kept on this device alone (the dump's
//! extra data has the same layout): so the configuration does not grow with every conversation ever had.

use std::collections::BTreeSet;

use warren_wire::limits::DAY;
use warren_wire::{AccountId, AccountKind, Millis};

use crate::base::bt::{Bt, read_tree, write_tree};
use crate::base::tree::{self, Dict, Value};
use crate::base::{Config, ConfigError, Push};
use crate::blinded::is_old;
use crate::community::{Room, rooms};
use crate::entry::Entry;
use crate::synced::{Synced, account_config};
use crate::values::{bytes, flag, integer};

/// How long ago a conversation was last read that other devices need not know of.
const ARCHIVE_AFTER: Millis = 30 * DAY;

/// How far conversations are read: namespace 4.
pub struct ConvoInfoVolatile {
    config: Config,
    /// Conversations that are kept here alone, laid out as the configuration.
    archive: Dict,
}

account_config!(ConvoInfoVolatile, 4, "ConvoInfoVolatile");

/// Which conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConversationId {
    /// With a person.
    Person(AccountId),
    /// In a group.
    Group(AccountId),
    /// In a legacy group.
    LegacyGroup(AccountId),
    /// With a person of a community.
    Blinded(AccountId),
    /// In a room of a community.
    Room(Room),
}

/// That somebody pays, as they last proved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProState {
    /// The hash of the proof's generation.
    pub generation: [u8; 32],
    /// Until when it holds.
    pub expiry: Millis,
}

/// How far a conversation is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Which one.
    pub id: ConversationId,
    /// Until when messages are read; 0 for none.
    pub last_read: Millis,
    /// Whether the owner marked it unread.
    pub unread: bool,
    /// Of conversations of two: the other's proof.
    pub pro: Option<ProState>,
    /// Of rooms: the server's key, which all rooms of a server share.
    pub server_key: Option<[u8; 32]>,
}

impl Conversation {
    /// A conversation of which nothing is read.
    pub const fn new(id: ConversationId) -> Self {
        Self { id, last_read: 0, unread: false, pro: None, server_key: None }
    }

    fn read(id: ConversationId, entry: &Dict, server_key: Option<[u8; 32]>) -> Self {
        let millis = |key| Millis::try_from(integer(entry, key)).unwrap_or(0);
        let generation = bytes(entry, b"g").and_then(|bytes| bytes.try_into().ok());
        let pro = generation.map(|generation| ProState { generation, expiry: millis(b"e") });
        Self {
            id,
            last_read: millis(b"r"),
            unread: flag(entry, b"u"),
            pro: pro.filter(|pro| pro.expiry > 0),
            server_key,
        }
    }

    /// Whether other devices need not know of it.
    fn is_stale(&self, now: Millis) -> bool {
        let cutoff = now.saturating_sub(ARCHIVE_AFTER);
        !self.unread && self.last_read < cutoff && self.pro.is_none_or(|pro| pro.expiry < cutoff)
    }
}

impl ConversationId {
    fn path(&self) -> Vec<Vec<u8>> {
        let by_id = |kind: &[u8], id: &AccountId| vec![kind.to_vec(), id.as_bytes().to_vec()];
        match self {
            Self::Person(id) => by_id(b"1", id),
            Self::Group(id) => by_id(b"g", id),
            Self::LegacyGroup(id) => by_id(b"C", id),
            Self::Blinded(id) => by_id(b"b", id),
            Self::Room(room) => {
                let url = room.base_url().as_bytes().to_vec();
                vec![b"o".to_vec(), url, b"R".to_vec(), room.key().into_bytes()]
            }
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let fits = match self {
            Self::Person(id) | Self::LegacyGroup(id) => id.kind() == AccountKind::Person,
            Self::Group(id) => id.kind() == AccountKind::Group,
            Self::Blinded(id) => is_old(id).is_ok(),
            Self::Room(_) => true,
        };
        if fits { Ok(()) } else { Err(ConfigError::Value) }
    }
}

fn slices(path: &[Vec<u8>]) -> Vec<&[u8]> {
    path.iter().map(Vec::as_slice).collect()
}

/// The path of the server whose room is at the end of `path`.
fn server_path<'a>(path: &[&'a [u8]]) -> Option<[&'a [u8]; 2]> {
    match path {
        [kind @ b"o", url, ..] => Some([*kind, *url]),
        _ => None,
    }
}

impl Synced for ConvoInfoVolatile {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    fn push(&mut self, now: Millis) -> Result<Push, ConfigError> {
        self.archive_stale(now)?;
        self.config.push(now)
    }

    fn merge(
        &mut self,
        messages: &[(String, Vec<u8>)],
        now: Millis,
    ) -> Result<BTreeSet<String>, ConfigError> {
        let good = self.config.merge(messages, now)?;
        for id in conversations(self.config.data()).map(|conversation| conversation.id) {
            remove(&mut self.archive, &id);
        }
        self.archive_stale(now)?;
        Ok(good)
    }

    fn dump(&mut self, now: Millis) -> Result<Vec<u8>, ConfigError> {
        self.config.extra.clear();
        write_tree(&mut self.config.extra, &self.archive);
        self.config.dump(now)
    }
}

impl ConvoInfoVolatile {
    fn from_config(config: Config) -> Self {
        let archive = Bt::read(&config.extra).and_then(|extra| read_tree(extra.dict()?));
        let mut archive = archive.unwrap_or_default();
        for conversation in conversations(config.data()) {
            remove(&mut archive, &conversation.id);
        }
        Self { config, archive }
    }

    /// A conversation, known to all devices or to this one alone.
    pub fn get(&self, id: &ConversationId) -> Option<Conversation> {
        let path = id.path();
        let find = |tree| {
            let entry = tree::at(tree, &slices(&path))?.as_dict()?;
            Some(Conversation::read(id.clone(), entry, server_key(tree, &slices(&path))))
        };
        find(self.config.data()).or_else(|| find(&self.archive))
    }

    /// A conversation as stored, or as one of which nothing is read.
    pub fn get_or_new(&self, id: &ConversationId) -> Conversation {
        self.get(id).unwrap_or_else(|| Conversation::new(id.clone()))
    }

    /// The conversations that all devices know of: people, groups, rooms, legacy groups, people of
    /// communities.
    pub fn iter(&self) -> impl Iterator<Item = Conversation> {
        conversations(self.config.data())
    }

    /// Those that this device alone knows of.
    pub fn archived(&self) -> impl Iterator<Item = Conversation> {
        conversations(&self.archive)
    }

    /// Stores how far a conversation is read: for all devices, or here alone where that is long ago.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where the id is not of its kind, or a room has no server's key.
    pub fn set(&mut self, conversation: &Conversation, now: Millis) -> Result<(), ConfigError> {
        conversation.id.check()?;
        let path = conversation.id.path();
        let path = slices(&path);
        if conversation.is_stale(now) {
            self.erase_active(&path)?;
            let entry = Value::Dict(entry_of(conversation)?);
            return self.keep_here(&path, entry, conversation.server_key);
        }
        if let Some([kind, url]) = server_path(&path) {
            let key = conversation.server_key.ok_or(ConfigError::Value)?;
            self.config.set(&[kind, url, b"#"], key.as_slice().into())?;
        }
        let fields = entry_of(conversation)?;
        let mut entry = Entry::new(&mut self.config, &path);
        for key in [&b"r"[..], b"u", b"e", b"g", b"y"] {
            entry.put(key, fields.get(key).cloned())?;
        }
        remove(&mut self.archive, &conversation.id);
        Ok(())
    }

    /// Forgets a conversation; whether anything was known of it.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn erase(&mut self, id: &ConversationId) -> Result<bool, ConfigError> {
        let path = id.path();
        let known_here = remove(&mut self.archive, id);
        self.config.needs_dump |= known_here;
        Ok(self.erase_active(&slices(&path))? || known_here)
    }

    fn erase_active(&mut self, path: &[&[u8]]) -> Result<bool, ConfigError> {
        let known = self.config.get(path).is_some();
        self.config.erase(path)?;
        if let Some([kind, url]) = server_path(path) {
            let rooms = self.config.get(&[kind, url, b"R"]).and_then(Value::as_dict);
            if rooms.is_none_or(Dict::is_empty) {
                self.config.erase(&[kind, url])?;
            }
        }
        Ok(known)
    }

    fn keep_here(
        &mut self,
        path: &[&[u8]],
        entry: Value,
        server_key: Option<[u8; 32]>,
    ) -> Result<(), ConfigError> {
        if let Some([kind, url]) = server_path(path) {
            let key = server_key.ok_or(ConfigError::Value)?;
            let place = tree::make_place(&mut self.archive, &[kind, url, b"#"]);
            *place.ok_or(ConfigError::Value)? = key.as_slice().into();
        }
        *tree::make_place(&mut self.archive, path).ok_or(ConfigError::Value)? = entry;
        self.config.needs_dump = true;
        Ok(())
    }

    /// Keeps here alone what was last read long ago; [`Synced::push`] and [`Synced::merge`] do so.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn archive_stale(&mut self, now: Millis) -> Result<(), ConfigError> {
        let stale: Vec<Conversation> =
            self.iter().filter(|conversation| conversation.is_stale(now)).collect();
        for conversation in stale {
            let path = conversation.id.path();
            let path = slices(&path);
            let Some(entry) = self.config.get(&path).cloned() else { continue };
            self.keep_here(&path, entry, conversation.server_key)?;
            self.erase_active(&path)?;
        }
        Ok(())
    }
}

/// The fields of an entry.
fn entry_of(conversation: &Conversation) -> Result<Dict, ConfigError> {
    let number = |time: Millis| i64::try_from(time).map_err(|_| ConfigError::Value);
    let mut entry = Dict::from([(b"r".to_vec(), number(conversation.last_read)?.into())]);
    if conversation.unread {
        entry.insert(b"u".to_vec(), 1.into());
    }
    match conversation.id {
        ConversationId::Person(_) | ConversationId::Blinded(_) => {
            if let Some(pro) = conversation.pro {
                entry.insert(b"e".to_vec(), number(pro.expiry)?.into());
                entry.insert(b"g".to_vec(), pro.generation.as_slice().into());
            }
        }
        _ => {}
    }
    if let ConversationId::Blinded(id) = &conversation.id
        && is_old(id)?
    {
        entry.insert(b"y".to_vec(), 1.into());
    }
    Ok(entry)
}

fn server_key(tree: &Dict, path: &[&[u8]]) -> Option<[u8; 32]> {
    let [kind, url] = server_path(path)?;
    tree::at(tree, &[kind, url, b"#"])?.as_bytes()?.try_into().ok()
}

/// Removes a conversation from a tree, and its server where that was the last room.
fn remove(tree: &mut Dict, id: &ConversationId) -> bool {
    let path = id.path();
    let path = slices(&path);
    let known = tree::at(tree, &path).is_some();
    tree::remove(tree, &path);
    if let Some([kind, url]) = server_path(&path) {
        let rooms = tree::at(tree, &[kind, url, b"R"]).and_then(Value::as_dict);
        if rooms.is_none_or(Dict::is_empty) {
            tree::remove(tree, &[kind, url]);
        }
    }
    if known {
        tree::prune(tree);
    }
    known
}

/// All conversations of a tree.
fn conversations(tree: &Dict) -> impl Iterator<Item = Conversation> {
    let by_id = |kind: &[u8], of: fn(AccountId) -> ConversationId| {
        let entries = tree.get(kind).and_then(Value::as_dict).into_iter().flatten();
        entries.filter_map(move |(key, entry)| {
            let id = of(AccountId::from_bytes(key).ok()?);
            id.check().ok()?;
            Some(Conversation::read(id, entry.as_dict()?, None))
        })
    };
    let in_rooms = rooms(tree.get(b"o".as_slice())).filter_map(|(server, token, entry)| {
        let id = ConversationId::Room(Room::new(server.url, token).ok()?);
        Some(Conversation::read(id, entry, Some(server.key)))
    });
    by_id(b"1", ConversationId::Person)
        .chain(by_id(b"g", ConversationId::Group))
        .chain(in_rooms)
        .chain(by_id(b"C", ConversationId::LegacyGroup))
        .chain(by_id(b"b", ConversationId::Blinded))
}
