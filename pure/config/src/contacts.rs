//! The people an account knows, and what it thinks of each.
//!
//! `c` holds a dictionary by 33-byte account id:
//!
//! | key | what |
//! |---|---|
//! | `n` | the name they gave themselves; always there, so that an empty entry is not pruned |
//! | `N` | the name the owner gave them |
//! | `p`, `q`, `t` | picture, its key, when they last changed their profile (s) |
//! | `a`, `A`, `b` | 1: approved by the owner, approved the owner, blocked |
//! | `+` | priority in the list; -1 hides the conversation |
//! | `@`, `!` | notifications (1 all, 2 none), muted until (s) |
//! | `e`, `E` | disappearing messages: 1 after sending, 2 after reading; timer (s) |
//! | `j` | when they became a contact (s) |
//! | `f` | set of feature numbers |
//!
//! `b` holds the same for people known from a community alone: see [`blinded`](crate::blinded).

use warren_wire::{AccountId, AccountKind};

use crate::base::tree::{Dict, Value};
use crate::base::{Config, ConfigError};
use crate::entry::Entry;
use crate::synced::{Synced, account_config};
use crate::values::{
    Expiration, MAX_NAME_BYTES, Notify, ProfilePicture, Seconds, bits, check_length, flag, integer,
    seconds, small, tame_seconds, text, truncated,
};

/// The account's contacts: namespace 3.
pub struct Contacts {
    config: Config,
}

account_config!(Contacts, 3, "Contacts");

impl Synced for Contacts {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }
}

/// A person.
#[derive(Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who they are.
    pub id: AccountId,
    /// What they call themselves; cut to 100 bytes when stored.
    pub name: String,
    /// What the owner calls them; at most 100 bytes, empty for nothing.
    pub nickname: String,
    /// Their picture.
    pub picture: Option<ProfilePicture>,
    /// When they last changed name or picture.
    pub profile_updated: Seconds,
    /// Whether the owner wants messages from them.
    pub approved: bool,
    /// Whether they want messages from the owner.
    pub approved_me: bool,
    /// Whether the owner wants nothing from them.
    pub blocked: bool,
    /// Where the conversation stands: higher first, 0 unpinned, -1 hidden.
    pub priority: i32,
    /// Of what to notify.
    pub notify: Notify,
    /// Until when to notify of nothing.
    pub mute_until: Seconds,
    /// When messages disappear.
    pub expiration: Expiration,
    /// Since when they are a contact.
    pub created: Seconds,
    /// Bits of the features that their profile shows.
    pub features: u64,
}

impl Contact {
    /// A person of whom nothing is known yet.
    pub const fn new(id: AccountId) -> Self {
        Self {
            id,
            name: String::new(),
            nickname: String::new(),
            picture: None,
            profile_updated: 0,
            approved: false,
            approved_me: false,
            blocked: false,
            priority: 0,
            notify: Notify::Default,
            mute_until: 0,
            expiration: Expiration::Off,
            created: 0,
            features: 0,
        }
    }

    fn read(id: AccountId, dict: &Dict) -> Self {
        Self {
            id,
            name: text(dict, b"n"),
            nickname: text(dict, b"N"),
            picture: ProfilePicture::read(dict),
            profile_updated: seconds(dict, b"t"),
            approved: flag(dict, b"a"),
            approved_me: flag(dict, b"A"),
            blocked: flag(dict, b"b"),
            priority: small(dict, b"+"),
            notify: Notify::from_number(integer(dict, b"@")).of_two(),
            mute_until: tame_seconds(seconds(dict, b"!")),
            expiration: Expiration::read(dict),
            created: tame_seconds(seconds(dict, b"j")),
            features: bits(dict, b"f"),
        }
    }
}

impl Contacts {
    const fn from_config(config: Config) -> Self {
        Self { config }
    }

    fn entries(&self) -> impl Iterator<Item = (&Vec<u8>, &Dict)> {
        let entries = self.config.get(&[b"c"]).and_then(Value::as_dict).into_iter().flatten();
        entries.filter_map(|(key, value)| Some((key, value.as_dict()?)))
    }

    /// A person, where they are among the contacts.
    pub fn get(&self, id: &AccountId) -> Option<Contact> {
        let entry = self.config.get(&[b"c", id.as_bytes()])?.as_dict()?;
        Some(Contact::read(*id, entry))
    }

    /// A person as stored, or as one of whom nothing is known.
    pub fn get_or_new(&self, id: &AccountId) -> Contact {
        self.get(id).unwrap_or_else(|| Contact::new(*id))
    }

    /// All contacts by account id.
    pub fn iter(&self) -> impl Iterator<Item = Contact> {
        self.entries().filter_map(|(key, entry)| {
            let id = AccountId::from_bytes(key).ok()?;
            (id.kind() == AccountKind::Person).then(|| Contact::read(id, entry))
        })
    }

    /// How many contacts there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Stores a person; fields that this program does not know stay as they are.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for a nickname of more than 100 bytes, an address of a picture that is
    /// too long, or an id that is no person's.
    pub fn set(&mut self, contact: &Contact) -> Result<(), ConfigError> {
        check_length(&contact.nickname, MAX_NAME_BYTES)?;
        ProfilePicture::check(contact.picture.as_ref())?;
        if contact.id.kind() != AccountKind::Person {
            return Err(ConfigError::Value);
        }
        let mut entry = Entry::new(&mut self.config, &[b"c", contact.id.as_bytes()]);
        entry.put(b"n", Some(truncated(&contact.name, MAX_NAME_BYTES).into()))?;
        entry.text(b"N", &contact.nickname)?;
        entry.picture(contact.picture.as_ref())?;
        entry.seconds(b"t", contact.profile_updated)?;
        entry.flag(b"a", contact.approved)?;
        entry.flag(b"A", contact.approved_me)?;
        entry.flag(b"b", contact.blocked)?;
        entry.number(b"+", contact.priority.into())?;
        entry.number(b"@", contact.notify.of_two().number())?;
        entry.seconds(b"!", tame_seconds(contact.mute_until))?;
        let (mode, timer) = contact.expiration.numbers().unwrap_or((0, 0));
        entry.number(b"e", mode)?;
        entry.seconds(b"E", timer)?;
        entry.seconds(b"j", tame_seconds(contact.created))?;
        entry.bits(b"f", contact.features)
    }

    /// Forgets a person, with all that is stored of them; whether there was anything.
    ///
    /// # Errors
    /// Where the library refuses to hash.
    pub fn erase(&mut self, id: &AccountId) -> Result<bool, ConfigError> {
        let path: [&[u8]; 2] = [b"c", id.as_bytes()];
        let known = self.config.get(&path).is_some();
        self.config.erase(&path)?;
        Ok(known)
    }
}
