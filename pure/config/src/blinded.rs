//! People whom the account wrote to from a community, before it learnt who they are.
//!
//! They stand among the [`Contacts`], under `b`, by server and blinded id:
//! `b -> base url -> { # key32, R -> { 64 hex digits -> entry } }`.
//!
//! | key | what |
//! |---|---|
//! | `n`, `p`, `q`, `t`, `+`, `j`, `f` | as of a contact |
//! | `y` | 1 where the id is of the old kind, `15`; the hex digits lack the prefix |

use warren_wire::AccountId;

use crate::base::ConfigError;
use crate::community::{canonical_url, rooms};
use crate::contacts::Contacts;
use crate::entry::Entry;
use crate::synced::Synced;
use crate::values::{
    MAX_NAME_BYTES, ProfilePicture, Seconds, bits, flag, seconds, small, tame_seconds, text,
    truncated,
};

/// The prefix of blinded ids as communities first had them.
pub(crate) const OLD_PREFIX: u8 = 0x15;

/// The prefix of blinded ids.
pub(crate) const PREFIX: u8 = 0x25;

/// A person known from a community alone.
#[derive(Debug, PartialEq, Eq)]
pub struct BlindedContact {
    /// Their id on this server: prefix `15` or `25`.
    pub id: AccountId,
    /// The server's address.
    pub base_url: String,
    /// The server's key.
    pub server_key: [u8; 32],
    /// What they call themselves.
    pub name: String,
    /// Their picture.
    pub picture: Option<ProfilePicture>,
    /// When they last changed name or picture.
    pub profile_updated: Seconds,
    /// Where the conversation stands: higher first, 0 unpinned, -1 hidden.
    pub priority: i32,
    /// Since when they are known.
    pub created: Seconds,
    /// Bits of the features that their profile shows.
    pub features: u64,
}

impl BlindedContact {
    /// A person of whom nothing is known yet.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where the id is not blinded or the address malformed.
    pub fn new(id: AccountId, base_url: &str, server_key: [u8; 32]) -> Result<Self, ConfigError> {
        is_old(&id)?;
        Ok(Self {
            id,
            base_url: canonical_url(base_url)?,
            server_key,
            name: String::new(),
            picture: None,
            profile_updated: 0,
            priority: 0,
            created: 0,
            features: 0,
        })
    }
}

/// Whether a blinded id is of the old kind.
pub(crate) const fn is_old(id: &AccountId) -> Result<bool, ConfigError> {
    match id.as_bytes() {
        [OLD_PREFIX, ..] => Ok(true),
        [PREFIX, ..] => Ok(false),
        _ => Err(ConfigError::Value),
    }
}

/// The hexadecimal digits of an id without its prefix.
fn digits(id: &AccountId) -> String {
    id.to_string().split_off(2)
}

impl Contacts {
    /// All people known from communities alone.
    pub fn blinded(&self) -> impl Iterator<Item = BlindedContact> {
        rooms(self.config().get(&[b"b"])).filter_map(|(server, digits, entry)| {
            let prefix = if flag(entry, b"y") { OLD_PREFIX } else { PREFIX };
            let id: AccountId = format!("{prefix:02x}{digits}").parse().ok()?;
            Some(BlindedContact {
                name: text(entry, b"n"),
                picture: ProfilePicture::read(entry),
                profile_updated: seconds(entry, b"t"),
                priority: small(entry, b"+"),
                created: seconds(entry, b"j"),
                features: bits(entry, b"f"),
                ..BlindedContact::new(id, server.url, server.key).ok()?
            })
        })
    }

    /// One of them, on whichever server.
    pub fn get_blinded(&self, id: &AccountId) -> Option<BlindedContact> {
        self.blinded().find(|contact| contact.id == *id)
    }

    /// Stores one; fields that this program does not know stay as they are.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where the id is not blinded, the address malformed or a picture's too
    /// long.
    pub fn set_blinded(&mut self, contact: &BlindedContact) -> Result<(), ConfigError> {
        let old = is_old(&contact.id)?;
        ProfilePicture::check(contact.picture.as_ref())?;
        let url = canonical_url(&contact.base_url)?;
        let digits = digits(&contact.id);
        let config = self.config_mut();
        let key = contact.server_key.as_slice().into();
        config.set(&[b"b", url.as_bytes(), b"#"], key)?;
        let mut entry = Entry::new(config, &[b"b", url.as_bytes(), b"R", digits.as_bytes()]);
        entry.put(b"n", Some(truncated(&contact.name, MAX_NAME_BYTES).into()))?;
        entry.picture(contact.picture.as_ref())?;
        entry.seconds(b"t", contact.profile_updated)?;
        entry.number(b"+", contact.priority.into())?;
        entry.flag(b"y", old)?;
        entry.seconds(b"j", tame_seconds(contact.created))?;
        entry.bits(b"f", contact.features)
    }

    /// Forgets one; whether there was anything. The server's key stays.
    ///
    /// # Errors
    /// [`ConfigError::Value`] where the address is malformed.
    pub fn erase_blinded(&mut self, base_url: &str, id: &AccountId) -> Result<bool, ConfigError> {
        let (url, digits) = (canonical_url(base_url)?, digits(id));
        let path: [&[u8]; 4] = [b"b", url.as_bytes(), b"R", digits.as_bytes()];
        let known = self.config().get(&path).is_some();
        self.config_mut().erase(&path)?;
        Ok(known)
    }
}
