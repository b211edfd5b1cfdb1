//! A configuration as one device holds it: changed, pushed, confirmed, merged.
//!
//! ```text
//!           change                 push                 confirm_pushed
//!  Clean ------------> Dirty ---------------> Waiting ------------------> Clean
//!    ^                  ^ |                     |
//!    |   merge: another | | merge: ours with    | change, or a merge that joins: Dirty
//!    |   has all        | | others joined       |
//!    +------------------+-+---------------------+
//! ```

use std::collections::BTreeSet;

use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::{CryptoError, Secret};
use warren_wire::limits::MAX_DATA_BYTES;
use warren_wire::{Millis, Namespace};

use super::message::{Message, MessageError, Trust};
use super::parts::Parts;
use super::seal;
use super::tree::{self, Dict, Scalar, Set, Value};

/// The most bytes of padded body that are pushed, in however many parts.
const MAX_BODY_BYTES: usize = 5_000_000;

/// Why a configuration cannot do what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Only the group's admins may change it.
    #[error("only an admin can change this configuration")]
    ReadOnly,
    /// No encryption key was given: add one first.
    #[error("the configuration has no encryption key yet")]
    NoKey,
    /// More than five million bytes: remove entries.
    #[error("the configuration is too large to be stored")]
    TooLarge,
    /// A name, text or address is longer than clients accept, or not of its form.
    #[error("a value is too long or malformed")]
    Value,
    /// The cryptographic library refused.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// What is kept here cannot be read again.
    #[error("the stored state is damaged: {0}")]
    Damaged(MessageError),
}

impl From<MessageError> for ConfigError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Crypto(error) => Self::Crypto(error),
            other => Self::Damaged(other),
        }
    }
}

/// Where a configuration is stored, and under which name it is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The drawer of the account's mailbox.
    pub namespace: Namespace,
    /// What separates its key and nonce from those of other kinds.
    pub domain: &'static str,
    /// Whether what [`Push`] holds is wrapped in protobuf once more (see the crate's page).
    pub wrapped: bool,
}

/// What the swarm and this device know of the current state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The swarm has it.
    Clean,
    /// It changed since it was last pushed.
    Dirty,
    /// It was pushed and is not confirmed.
    Waiting,
}

/// Who vouches for messages.
pub enum Signing {
    /// Nobody need: whoever can decrypt them made them.
    None,
    /// The group does, and this device cannot: it reads.
    Verify(VerifyingKey),
    /// The group does, with this key.
    Sign(SigningKey),
}

/// What to store: all messages first, then the obsolete ones are deleted, in one `sequence`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// To be handed back to [`Config::confirm_pushed`].
    pub seqno: i64,
    /// Encrypted messages of at most 76,800 bytes; more than one only for large configurations.
    pub messages: Vec<Vec<u8>>,
    /// The storage hashes of messages that these replace.
    pub obsolete: Vec<String>,
}

/// One synchronised configuration.
pub struct Config {
    pub(crate) kind: Kind,
    pub(crate) signing: Signing,
    pub(crate) message: Message,
    pub(crate) state: State,
    pub(crate) keys: Vec<Secret<32>>,
    pub(crate) current: BTreeSet<String>,
    pub(crate) old: BTreeSet<String>,
    pub(crate) parts: Parts,
    pub(crate) needs_dump: bool,
    /// What a kind keeps on this device alone: an encoded dictionary.
    pub(crate) extra: Vec<u8>,
}

impl Config {
    /// An empty configuration.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn new(kind: Kind, signing: Signing) -> Result<Self, ConfigError> {
        Ok(Self {
            kind,
            signing,
            message: Message::empty()?,
            state: State::Clean,
            keys: Vec::new(),
            current: BTreeSet::new(),
            old: BTreeSet::new(),
            parts: Parts::default(),
            needs_dump: false,
            extra: b"de".to_vec(),
        })
    }

    /// Namespace, domain and wrapping.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Clean, dirty or waiting.
    pub const fn state(&self) -> State {
        self.state
    }

    /// The number of the current message; 0 before the first.
    pub const fn seqno(&self) -> i64 {
        self.message.seqno
    }

    /// All that the configuration holds, known to this program or not.
    pub const fn data(&self) -> &Dict {
        &self.message.data
    }

    /// Whether this device may not change it.
    pub const fn is_read_only(&self) -> bool {
        matches!(self.signing, Signing::Verify(_))
    }

    /// Whether there is something that the swarm has not confirmed.
    pub fn needs_push(&self) -> bool {
        self.state != State::Clean
    }

    /// Whether [`Config::dump`] would give something new.
    pub const fn needs_dump(&self) -> bool {
        self.needs_dump
    }

    /// The storage hashes of the current message; empty while it is not confirmed.
    pub const fn current_hashes(&self) -> &BTreeSet<String> {
        &self.current
    }

    /// The storage hashes whose life must be prolonged: the current message, and parts that wait.
    pub fn active_hashes(&self, now: Millis) -> BTreeSet<String> {
        self.current.iter().chain(self.parts.waiting(now)).cloned().collect()
    }

    /// Takes the storage hashes that may be deleted though nothing is pushed; none while dirty, for
    /// then [`Config::push`] tells.
    pub fn take_obsolete(&mut self) -> Vec<String> {
        match self.state {
            State::Dirty => Vec::new(),
            _ => std::mem::take(&mut self.old).into_iter().collect(),
        }
    }

    // ---- Keys -----------------------------------------------------------------------------------

    /// Adds a key: in front, to encrypt with from now on, or behind, to decrypt with.
    pub fn add_key(&mut self, key: Secret<32>, in_front: bool) {
        let known = self.keys.contains(&key);
        if self.keys.first() == Some(&key) || (known && !in_front) {
            return;
        }
        self.keys.retain(|other| *other != key);
        let at = if in_front { 0 } else { self.keys.len() };
        self.keys.insert(at, key);
    }

    /// Replaces all keys; the first encrypts. With `repush`, another first key makes the
    /// configuration dirty where it may be changed.
    ///
    /// # Errors
    /// Where the library refuses to hash or sign.
    pub fn replace_keys(&mut self, keys: Vec<Secret<32>>, repush: bool) -> Result<(), ConfigError> {
        let changed = self.keys.first() != keys.first();
        self.keys.clear();
        for key in keys {
            self.add_key(key, false);
        }
        if repush && changed && !self.is_read_only() {
            self.changing()?;
        }
        Ok(())
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    // ---- Changes --------------------------------------------------------------------------------

    /// What lies at the end of a path.
    pub fn get(&self, path: &[&[u8]]) -> Option<&Value> {
        tree::at(&self.message.data, path)
    }

    /// Puts a value at the end of a path, making dictionaries along it.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] where it would change something and may not.
    pub fn set(&mut self, path: &[&[u8]], value: Value) -> Result<(), ConfigError> {
        if value.is_empty_container() {
            return self.erase(path);
        }
        if self.state == State::Dirty || self.get(path) != Some(&value) {
            let place = tree::make_place(self.changing()?, path).ok_or(ConfigError::Value)?;
            *place = value;
        }
        Ok(())
    }

    /// Removes what lies at the end of a path.
    ///
    /// # Errors
    /// As [`Config::set`].
    pub fn erase(&mut self, path: &[&[u8]]) -> Result<(), ConfigError> {
        if self.get(path).is_some() {
            tree::remove(self.changing()?, path);
        }
        Ok(())
    }

    /// Adds a member to the set at the end of a path, or removes one.
    ///
    /// # Errors
    /// As [`Config::set`].
    pub fn set_member(
        &mut self,
        path: &[&[u8]],
        member: Scalar,
        present: bool,
    ) -> Result<(), ConfigError> {
        let mut set = self.get(path).and_then(Value::as_set).cloned().unwrap_or_else(Set::new);
        let changed = if present { set.insert(member) } else { set.remove(&member) };
        if changed { self.set(path, Value::Set(set)) } else { Ok(()) }
    }

    /// The data, free to be changed: the configuration is dirty afterwards.
    fn changing(&mut self) -> Result<&mut Dict, ConfigError> {
        if self.is_read_only() {
            return Err(ConfigError::ReadOnly);
        }
        if self.state != State::Dirty {
            let message = std::mem::replace(&mut self.message, Message::empty()?);
            self.message = message.next(self.signing.signer())?;
            self.enter(State::Dirty);
        }
        self.needs_dump = true;
        Ok(&mut self.message.data)
    }

    /// Changes state; what was current and confirmed is obsolete then.
    pub(crate) fn enter(&mut self, state: State) {
        if self.state == State::Clean {
            self.old.append(&mut self.current);
        }
        self.state = state;
        self.needs_dump = true;
    }

    // ---- Push -----------------------------------------------------------------------------------

    /// What to store now. Of a clean configuration: the same bytes as ever, to prolong their life.
    ///
    /// # Errors
    /// [`ConfigError::NoKey`], [`ConfigError::TooLarge`], or where the library refuses.
    pub fn push(&mut self, now: Millis) -> Result<Push, ConfigError> {
        let key = self.keys.first().ok_or(ConfigError::NoKey)?;
        let domain = self.kind.domain;
        let message = self.message.write(self.signing.signer())?;
        let body = seal::pad(&seal::compress(message));
        let messages = if body.len() > MAX_BODY_BYTES {
            return Err(ConfigError::TooLarge);
        } else if body.len() + seal::OVERHEAD > MAX_DATA_BYTES {
            let parts = self.parts.cut(&body, now)?;
            parts.iter().map(|part| seal::seal(part, key, domain)).collect::<Result<_, _>>()?
        } else {
            vec![seal::seal(&body, key, domain)?]
        };
        if self.state == State::Dirty {
            self.enter(State::Waiting);
        }
        let old = std::mem::take(&mut self.old);
        let obsolete = if self.is_read_only() { Vec::new() } else { old.into_iter().collect() };
        Ok(Push { seqno: self.message.seqno, messages, obsolete })
    }

    /// Takes back storage hashes that are obsolete and not deleted yet.
    pub fn keep_obsolete(&mut self, hashes: impl IntoIterator<Item = String>) {
        self.old.extend(hashes);
        self.needs_dump = true;
    }

    /// Notes that the swarm has what [`Config::push`] gave, under these hashes. Nothing happens where
    /// the configuration has changed since. Of a clean one that was pushed again, under another key
    /// perhaps, other hashes than before take their place.
    pub fn confirm_pushed(&mut self, seqno: i64, hashes: impl IntoIterator<Item = String>) {
        if self.state == State::Dirty || seqno != self.message.seqno {
            return;
        }
        if self.state == State::Waiting {
            self.enter(State::Clean);
        }
        let hashes: BTreeSet<String> = hashes.into_iter().collect();
        if hashes != self.current {
            let before = std::mem::take(&mut self.current);
            self.old.extend(before);
            self.old.retain(|hash| !hashes.contains(hash));
            self.current = hashes;
            self.needs_dump = true;
        }
    }
}

impl Signing {
    pub(crate) const fn signer(&self) -> Option<&SigningKey> {
        match self {
            Self::Sign(key) => Some(key),
            _ => None,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        match self {
            Self::None => Trust::Unsigned,
            Self::Verify(key) => Trust::Signed(*key),
            Self::Sign(key) => Trust::Signed(key.verifying_key()),
        }
    }
}
