//! Who is meant: an account's id, a node's id, a message's hash.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use warren_crypto::ed25519::VerifyingKey;
use warren_crypto::hash::blake2b;
use warren_crypto::x25519;

use crate::namespace::Namespace;

/// Why a text is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not 66 hexadecimal digits.
    #[error("an account id has 66 hexadecimal digits")]
    AccountLength,
    /// Not 64 hexadecimal digits.
    #[error("a key has 64 hexadecimal digits")]
    KeyLength,
    /// Not 43 characters of unpadded base64.
    #[error("a message hash has 43 characters of base64 without padding")]
    HashLength,
}

/// What the first byte of an [`AccountId`] says of the 32 bytes behind it (wire spec, section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// `05`: a person's X25519 key.
    Person,
    /// `03`: a group's Ed25519 key.
    Group,
    /// Any other prefix: the bytes are taken for an Ed25519 key. Nodes keep mail for these too.
    Other(u8),
}

impl AccountKind {
    const fn prefix(self) -> u8 {
        match self {
            Self::Person => 0x05,
            Self::Group => 0x03,
            Self::Other(prefix) => prefix,
        }
    }

    const fn from_prefix(prefix: u8) -> Self {
        match prefix {
            0x05 => Self::Person,
            0x03 => Self::Group,
            other => Self::Other(other),
        }
    }
}

/// An account: one prefix byte and a 32-byte public key. Written as 66 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; 33]);

impl AccountId {
    /// A person's id from their X25519 key.
    pub fn person(key: &x25519::PublicKey) -> Self {
        Self::join(AccountKind::Person, key.as_bytes())
    }

    /// A group's id from its Ed25519 key.
    pub fn group(key: &VerifyingKey) -> Self {
        Self::join(AccountKind::Group, key.as_bytes())
    }

    /// Reads 33 raw bytes.
    ///
    /// # Errors
    /// Where the length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError::AccountLength)
    }

    fn join(kind: AccountKind, key: &[u8; 32]) -> Self {
        let mut bytes = [kind.prefix(); 33];
        for (to, from) in bytes.iter_mut().skip(1).zip(key) {
            *to = *from;
        }
        Self(bytes)
    }

    /// The 33 bytes.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.0
    }

    /// What kind of account this is.
    pub fn kind(&self) -> AccountKind {
        let [prefix, ..] = self.0;
        AccountKind::from_prefix(prefix)
    }

    /// The 32 bytes behind the prefix.
    pub fn key_bytes(&self) -> [u8; 32] {
        let [_, key @ ..] = self.0;
        key
    }

    /// A person's X25519 key.
    pub fn x25519(&self) -> x25519::PublicKey {
        x25519::PublicKey::from_bytes(self.key_bytes())
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for AccountId {
    /// Says no more than the kind: an id in a log would name a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccountId({:?})", self.kind())
    }
}

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = hex::decode(text).map_err(|_| IdError::AccountLength)?;
        Self::from_bytes(&bytes)
    }
}

/// A node: its Ed25519 public key. Written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 32]);

impl NodeId {
    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key a node signs with.
    pub const fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::from_bytes(self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl FromStr for NodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        key_from_hex(text).map(Self)
    }
}

/// Reads a 32-byte key from 64 hex digits.
///
/// # Errors
/// Where the text is anything else.
pub fn key_from_hex(text: &str) -> Result<[u8; 32], IdError> {
    let bytes = hex::decode(text).map_err(|_| IdError::KeyLength)?;
    bytes.try_into().map_err(|_| IdError::KeyLength)
}

/// A stored message's name: BLAKE2b-32 over owner, namespace and data.
///
/// Written as 43 characters of base64 without padding (wire spec, section 4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageHash([u8; 32]);

impl MessageHash {
    /// `BLAKE2b-32(pubkey33 || namespace || data)`, the namespace in decimal and empty for 0.
    ///
    /// # Errors
    /// Never; the hash library's result is passed on.
    pub fn compute(
        owner: &AccountId,
        namespace: Namespace,
        data: &[u8],
    ) -> Result<Self, warren_crypto::CryptoError> {
        let namespace = namespace.signed_form();
        blake2b(&[owner.as_bytes(), namespace.as_bytes(), data]).map(Self)
    }

    /// Wraps 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageHash({self})")
    }
}

impl FromStr for MessageHash {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| IdError::HashLength)?;
        bytes.try_into().map(Self).map_err(|_| IdError::HashLength)
    }
}

/// How many characters a message's name has.
const NAME_CHARS: usize = 43;

/// What somebody wrote as a message's name: 43 characters of base64, which are signed as they stand.
///
/// The last character holds two bits more than a hash has. Where they are set, no message has the
/// name, and asking for it is no mistake (so do the reference nodes take it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageName([u8; NAME_CHARS]);

impl MessageName {
    /// The message that has this name, if one can have it.
    pub fn hash(&self) -> Option<MessageHash> {
        self.as_str().parse().ok()
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageName({self})")
    }
}

impl FromStr for MessageName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let name: [u8; NAME_CHARS] = text.as_bytes().try_into().map_err(|_| IdError::HashLength)?;
        if name.iter().all(of_base64) { Ok(Self(name)) } else { Err(IdError::HashLength) }
    }
}

impl From<MessageHash> for MessageName {
    fn from(hash: MessageHash) -> Self {
        let mut name = [b'A'; NAME_CHARS];
        for (to, from) in name.iter_mut().zip(hash.to_string().bytes()) {
            *to = from;
        }
        Self(name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_survive_being_written_and_read(key: [u8; 32]) {
            let person = AccountId::person(&x25519::PublicKey::from_bytes(key));
            prop_assert_eq!(person.to_string().parse::<AccountId>().unwrap(), person);
            prop_assert_eq!(person.kind(), AccountKind::Person);
            prop_assert_eq!(person.key_bytes(), key);
            let node = NodeId::from_bytes(key);
            prop_assert_eq!(node.to_string().parse::<NodeId>().unwrap(), node);
            let hash = MessageHash::from_bytes(key);
            prop_assert_eq!(hash.to_string().len(), 43);
            prop_assert_eq!(hash.to_string().parse::<MessageHash>().unwrap(), hash);
            prop_assert_eq!(hash.to_string().parse::<MessageName>().unwrap(), hash.into());
            prop_assert_eq!(MessageName::from(hash).hash(), Some(hash));
        }

        #[test]
        fn any_text_reads_as_an_id_or_an_error(text: String) {
            let _ = text.parse::<AccountId>();
            let _ = text.parse::<NodeId>();
            let _ = text.parse::<MessageHash>();
            let _ = text.parse::<MessageName>();
        }
    }

    #[test]
    fn the_prefix_says_what_kind_of_account_it_is() {
        let kind = |prefix: &str| {
            format!("{prefix}{}", "00".repeat(32)).parse::<AccountId>().unwrap().kind()
        };
        assert_eq!(kind("05"), AccountKind::Person);
        assert_eq!(kind("03"), AccountKind::Group);
        assert_eq!(kind("ff"), AccountKind::Other(0xff));
        assert_eq!("05".parse::<AccountId>(), Err(IdError::AccountLength));
    }

    #[test]
    fn a_name_that_no_message_can_have_is_a_name_still() {
        for text in ["/".repeat(43), format!("{}V", "A".repeat(42))] {
            let name: MessageName = text.parse().unwrap();
            assert_eq!((name.to_string(), name.hash()), (text, None));
        }
        assert!("-".repeat(43).parse::<MessageName>().is_err());
        assert!("A".repeat(44).parse::<MessageName>().is_err());
    }

    #[test]
    fn debug_output_names_no_person() {
        let id: AccountId = format!("05{}", "ab".repeat(32)).parse().unwrap();
        assert_eq!(format!("{id:?}"), "AccountId(Person)");
    }
}
