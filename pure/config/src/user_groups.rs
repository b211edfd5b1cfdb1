//! The groups and communities that an account is in, and how it got in.
//!
//! | key | by | what |
//! |---|---|---|
//! | `g` | 33-byte group id (`03`) | groups |
//! | `o` | base url: `#` is the server's key, `R` the rooms by lower-case token | communities |
//! | `C` | 33-byte id (`05`) | legacy groups |
//!
//! | key of any entry | what |
//! |---|---|
//! | `+`, `@`, `!` | priority, notifications (1 all, 2 none, 3 mentions), muted until (s) |
//! | `j`, `i` | joined at (s); 1 where it is an invitation not yet accepted |
//! | `n` | name; of a group as the invitation had it, of a room the token as people write it |
//!
//! | key | of | what |
//! |---|---|---|
//! | `K` | group | the group's seed where the owner is an admin, else empty; always there |
//! | `s` | group | what lets a member who is no admin act: 100 bytes |
//! | `r` | group | 1 removed from it, 2 it was destroyed |
//! | `k`, `K` | legacy | public and secret encryption key |
//! | `m`, `a` | legacy | sets of members and admins |
//! | `E` | legacy | timer of disappearing messages, counted from reading (s) |

use std::collections::BTreeMap;

use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_wire::{AccountId, AccountKind};

use crate::base::tree::{Dict, Scalar, Set, Value};
use crate::base::{Config, ConfigError};
use crate::community::{Room, rooms};
use crate::entry::Entry;
use crate::synced::{Synced, account_config};
use crate::values::{
    MAX_NAME_BYTES, Notify, Seconds, bytes, flag, integer, seconds, small, tame_seconds, text,
    truncated,
};

/// Bytes that let a member act for a group.
pub const MEMBER_AUTH_BYTES: usize = 100;

/// The groups an account is in: namespace 5.
pub struct UserGroups {
    config: Config,
}

account_config!(UserGroups, 5, "UserGroups");

impl Synced for UserGroups {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

/// What groups of all kinds have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Membership {
    /// Where the conversation stands: higher first, 0 unpinned, -1 hidden.
    pub priority: i32,
    /// When it was joined; 0 where that is not known.
    pub joined_at: Seconds,
    /// Of what to notify.
    pub notify: Notify,
    /// Until when to notify of nothing.
    pub mute_until: Seconds,
    /// Whether it is an invitation that is not accepted yet.
    pub invited: bool,
}

impl Membership {
    fn read(dict: &Dict) -> Self {
        Self {
            priority: small(dict, b"+"),
            joined_at: tame_seconds(seconds(dict, b"j")),
            notify: Notify::from_number(integer(dict, b"@")),
            mute_until: tame_seconds(seconds(dict, b"!")),
            invited: flag(dict, b"i"),
        }
    }

    fn write(self, entry: &mut Entry<'_>) -> Result<(), ConfigError> {
        entry.number(b"+", self.priority.into())?;
        entry.seconds(b"j", tame_seconds(self.joined_at))?;
        entry.number(b"@", self.notify.number())?;
        entry.seconds(b"!", tame_seconds(self.mute_until))?;
        entry.flag(b"i", self.invited)
    }
}

/// How the owner lost a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// An admin removed the owner.
    Removed,
    /// An admin destroyed the group, for good.
    Destroyed,
    /// Something that a newer client wrote.
    Unknown(i64),
}

/// A group.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id, prefix `03`.
    pub id: AccountId,
    /// Its name as the invitation had it.
    pub name: String,
    /// Its Ed25519 seed, which makes the owner an admin.
    pub seed: Option<Secret<32>>,
    /// What lets a member act who is no admin: [`MEMBER_AUTH_BYTES`] bytes.
    pub member_auth: Option<Secret<MEMBER_AUTH_BYTES>>,
    /// Whether and how the owner lost it.
    pub lost: Option<Lost>,
    /// Place, notifications, invitation.
    pub membership: Membership,
}

impl Group {
    /// A group of which nothing is known yet.
    pub fn new(id: AccountId) -> Self {
        Self {
            id,
            name: String::new(),
            seed: None,
            member_auth: None,
            lost: None,
            membership: Membership::default(),
        }
    }

    /// Notes that the owner was removed. What is destroyed stays destroyed.
    pub fn mark_removed(&mut self) {
        (self.seed, self.member_auth) = (None, None);
        if self.lost != Some(Lost::Destroyed) {
            self.lost = Some(Lost::Removed);
        }
    }

    /// Notes that the owner, once removed, was invited again.
    pub fn mark_invited(&mut self) {
        if self.lost == Some(Lost::Removed) {
            self.lost = None;
        }
    }

    /// Notes that the group is gone for good.
    pub fn mark_destroyed(&mut self) {
        (self.seed, self.member_auth) = (None, None);
        self.lost = Some(Lost::Destroyed);
    }

    fn read(id: AccountId, dict: &Dict) -> Self {
        let seed = bytes(dict, b"K").and_then(Secret::from_slice);
        Self {
            id,
            name: text(dict, b"n"),
            seed: seed.filter(|seed| belongs(seed, &id)),
            member_auth: bytes(dict, b"s").and_then(Secret::from_slice),
            lost: match integer(dict, b"r") {
                0 => None,
                1 => Some(Lost::Removed),
                2 => Some(Lost::Destroyed),
                other => Some(Lost::Unknown(other)),
            },
            membership: Membership::read(dict),
        }
    }
}

/// Whether a seed is a group's.
fn belongs(seed: &Secret<32>, id: &AccountId) -> bool {
    SigningKey::from_seed(seed.duplicate())
        .is_ok_and(|key| *key.verifying_key().as_bytes() == id.key_bytes())
}

/// A room of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Community {
    /// Which room.
    pub room: Room,
    /// The server's key, which all its rooms share.
    pub server_key: [u8; 32],
    /// Place, notifications.
    pub membership: Membership,
}

/// A group of the old kind, which can be read about and no longer written to.
#[derive(Debug, PartialEq, Eq)]
pub struct LegacyGroup {
    /// Its id, prefix `05`.
    pub id: AccountId,
    /// Its name; cut to 100 bytes when stored.
    pub name: String,
    /// Its encryption key: public, secret.
    pub keys: Option<([u8; 32], Secret<32>)>,
    /// Its members; true for admins.
    pub members: BTreeMap<AccountId, bool>,
    /// After how many seconds messages disappear, counted from reading; 0 for never.
    pub timer: Seconds,
    /// Place, notifications.
    pub membership: Membership,
}

impl LegacyGroup {
    /// A group of which nothing is known yet.
    pub fn new(id: AccountId) -> Self {
        let (name, members) = (String::new(), BTreeMap::new());
        Self { id, name, keys: None, members, timer: 0, membership: Membership::default() }
    }

    fn read(id: AccountId, dict: &Dict) -> Self {
        let public = bytes(dict, b"k").and_then(|key| key.try_into().ok());
        let secret = bytes(dict, b"K").and_then(Secret::from_slice);
        let ids = |key: &[u8]| {
            let set = dict.get(key).and_then(Value::as_set).into_iter().flatten();
            set.filter_map(|member| match member {
                Scalar::Bytes(bytes) => AccountId::from_bytes(bytes).ok(),
                Scalar::Integer(_) => None,
            })
            .filter(|id| id.kind() == AccountKind::Person)
            .collect::<Vec<_>>()
        };
        let admins = ids(b"a").into_iter().map(|id| (id, true));
        let members = ids(b"m").into_iter().map(|id| (id, false));
        Self {
            id,
            name: text(dict, b"n"),
            keys: public.zip(secret),
            members: admins.chain(members).collect(),
            timer: seconds(dict, b"E"),
            membership: Membership::read(dict),
        }
    }
}

impl UserGroups {
    const fn from_config(config: Config) -> Self {
        Self { config }
    }

    fn by_id<'a, T: 'a>(
        &'a self,
        key: &[u8],
        kind: AccountKind,
        read: fn(AccountId, &Dict) -> T,
    ) -> impl Iterator<Item = T> + 'a {
        let entries = self.config.get(&[key]).and_then(Value::as_dict).into_iter().flatten();
        entries.filter_map(move |(key, entry)| {
            let id = AccountId::from_bytes(key).ok()?;
            let entry = entry.as_dict()?;
            (id.kind() == kind).then(|| read(id, entry))
        })
    }

    fn erase_id(&mut self, key: &[u8], id: &AccountId) -> Result<bool, ConfigError> {
        let path: [&[u8]; 2] = [key, id.as_bytes()];
        let known = self.config.get(&path).is_some();
        self.config.erase(&path)?;
        Ok(known)
    }

    // ---- Groups ---------------------------------------------------------------------------------

    /// A group, where the account has to do with it.
    pub fn group(&self, id: &AccountId) -> Option<Group> {
        let entry = self.config.get(&[b"g", id.as_bytes()])?.as_dict()?;
        Some(Group::read(*id, entry))
    }

    /// A group as stored, or as one of which nothing is known.
    pub fn group_or_new(&self, id: &AccountId) -> Group {
        self.group(id).unwrap_or_else(|| Group::new(*id))
    }

    /// All groups by id.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.by_id(b"g", AccountKind::Group, Group::read)
    }

    /// Stores a group. A seed that is not the group's is left out; with one that is, the member's
    /// right is not written.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an id that is no group's.
    pub fn set_group(&mut self, group: &Group) -> Result<(), ConfigError> {
        if group.id.kind() != AccountKind::Group {
            return Err(ConfigError::Value);
        }
        let mut entry = Entry::new(&mut self.config, &[b"g", group.id.as_bytes()]);
        group.membership.write(&mut entry)?;
        entry.text(b"n", truncated(&group.name, MAX_NAME_BYTES))?;
        entry.number(
            b"r",
            match group.lost {
                None => 0,
                Some(Lost::Removed) => 1,
                Some(Lost::Destroyed) => 2,
                Some(Lost::Unknown(other)) => other,
            },
        )?;
        match group.seed.as_ref().filter(|seed| belongs(seed, &group.id)) {
            Some(seed) => entry.put(b"K", Some(seed.expose().as_slice().into())),
            None => {
                entry.put(b"K", Some("".into()))?;
                let auth = group.member_auth.as_ref();
                entry.put(b"s", auth.map(|auth| auth.expose().as_slice().into()))
            }
        }
    }

    /// Forgets a group; whether anything was known of it.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn erase_group(&mut self, id: &AccountId) -> Result<bool, ConfigError> {
        self.erase_id(b"g", id)
    }

    // ---- Communities ----------------------------------------------------------------------------

    /// A room that the account is in, its token as people write it.
    pub fn community(&self, room: &Room) -> Option<Community> {
        self.communities().find(|community| {
            community.room.base_url() == room.base_url() && community.room.key() == room.key()
        })
    }

    /// All rooms by server and token.
    pub fn communities(&self) -> impl Iterator<Item = Community> {
        rooms(self.config.get(&[b"o"])).filter_map(|(server, token, entry)| {
            let written = text(entry, b"n");
            let token = if written.is_empty() { token } else { &written };
            Some(Community {
                room: Room::new(server.url, token).ok()?,
                server_key: server.key,
                membership: Membership::read(entry),
            })
        })
    }

    /// Stores a room.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn set_community(&mut self, community: &Community) -> Result<(), ConfigError> {
        let (url, key) = (community.room.base_url().as_bytes(), community.room.key());
        self.config.set(&[b"o", url, b"#"], community.server_key.as_slice().into())?;
        let mut entry = Entry::new(&mut self.config, &[b"o", url, b"R", key.as_bytes()]);
        community.membership.write(&mut entry)?;
        entry.put(b"n", Some(community.room.token().into()))
    }

    /// Forgets a room, and with its last one the server; whether anything was known of it.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn erase_community(&mut self, room: &Room) -> Result<bool, ConfigError> {
        let (url, key) = (room.base_url().as_bytes(), room.key());
        let path: [&[u8]; 4] = [b"o", url, b"R", key.as_bytes()];
        let known = self.config.get(&path).is_some();
        self.config.erase(&path)?;
        let rooms = self.config.get(&[b"o", url, b"R"]).and_then(Value::as_dict);
        if known && rooms.is_none_or(Dict::is_empty) {
            self.config.erase(&[b"o", url])?;
        }
        Ok(known)
    }

    // ---- Legacy groups --------------------------------------------------------------------------

    /// A legacy group, where the account is in it.
    pub fn legacy_group(&self, id: &AccountId) -> Option<LegacyGroup> {
        let entry = self.config.get(&[b"C", id.as_bytes()])?.as_dict()?;
        Some(LegacyGroup::read(*id, entry))
    }

    /// All legacy groups by id.
    pub fn legacy_groups(&self) -> impl Iterator<Item = LegacyGroup> {
        self.by_id(b"C", AccountKind::Person, LegacyGroup::read)
    }

    /// Stores a legacy group.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an id that is not of its kind.
    pub fn set_legacy_group(&mut self, group: &LegacyGroup) -> Result<(), ConfigError> {
        if group.id.kind() != AccountKind::Person {
            return Err(ConfigError::Value);
        }
        let ids = |admin: bool| {
            let ids = group.members.iter().filter(|(_, is_admin)| **is_admin == admin);
            Value::Set(ids.map(|(id, _)| id.as_bytes().as_slice().into()).collect::<Set>())
        };
        let mut entry = Entry::new(&mut self.config, &[b"C", group.id.as_bytes()]);
        group.membership.write(&mut entry)?;
        entry.put(b"n", Some(truncated(&group.name, MAX_NAME_BYTES).into()))?;
        let keys = group.keys.as_ref();
        entry.put(b"k", keys.map(|(public, _)| public.as_slice().into()))?;
        entry.put(b"K", keys.map(|(_, secret)| secret.expose().as_slice().into()))?;
        entry.put(b"m", Some(ids(false)))?;
        entry.put(b"a", Some(ids(true)))?;
        entry.seconds(b"E", group.timer)
    }

    /// Forgets a legacy group; whether anything was known of it.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn erase_legacy_group(&mut self, id: &AccountId) -> Result<bool, ConfigError> {
        self.erase_id(b"C", id)
    }
}
