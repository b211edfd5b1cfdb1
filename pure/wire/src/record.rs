//! What the members of a swarm agree on: messages, owners' orders, and the items they compare.

use warren_crypto::CryptoError;
use warren_crypto::hash::blake2b;

use crate::bencode::{self, BencodeError};
use crate::id::{AccountId, MessageHash};
use crate::limits::Millis;
use crate::namespace::{Access, Namespace};
pub use crate::positions::Positions;
use crate::stamp::Stamp;
use crate::swarm;
use crate::value::{Dict, Value};

/// A subaccount's token: prefix, flags, two zero bytes and an Ed25519 key (wire spec, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubaccountToken(pub [u8; 36]);

/// What a subaccount may do: bits of a token's second byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Retrieve messages and see when they expire.
    pub const READ: Self = Self(1);
    /// Store messages and extend their lives.
    pub const WRITE: Self = Self(2);
    /// Delete messages and shorten their lives.
    pub const DELETE: Self = Self(4);
    /// Act for accounts whose prefix is not the token's.
    pub const ANY_PREFIX: Self = Self(8);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The byte that stands for them in a token.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

impl SubaccountToken {
    /// How long a token is.
    pub const BYTES: usize = 36;

    /// Whether it gives all of these rights.
    pub const fn gives(&self, rights: Rights) -> bool {
        let [_, flags, ..] = self.0;
        flags & rights.0 == rights.0
    }

    /// Whether it is for accounts of this kind: of the same prefix, or of any.
    pub const fn is_for(&self, account: &AccountId) -> bool {
        let [prefix, ..] = self.0;
        let [own, ..] = *account.as_bytes();
        prefix == own || self.gives(Rights::ANY_PREFIX)
    }

    /// The Ed25519 key that the subaccount signs with.
    pub const fn key(&self) -> [u8; 32] {
        let [_, _, _, _, key @ ..] = self.0;
        key
    }
}

/// A message that a swarm keeps.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Whose mailbox.
    pub owner: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The message's name, unique in the mailbox (it covers namespace and data).
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// From when on it is no longer served, as the store asked; orders may move it.
    pub expiry: Millis,
    /// When the swarm took it in.
    pub stored: Stamp,
    /// The bytes.
    pub data: Vec<u8>,
    /// The owner's authorisation, where the namespace demands one: bencode of the parameters that
    /// carry it.
    pub proof: Option<Vec<u8>>,
}

impl std::fmt::Debug for MessageRecord {
    /// Says how much data there is, and not which.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MessageRecord")
            .field("owner", &self.owner)
            .field("namespace", &self.namespace)
            .field("hash", &self.hash)
            .field("timestamp", &self.timestamp)
            .field("expiry", &self.expiry)
            .field("stored", &self.stored)
            .field("data_len", &self.data.len())
            .finish_non_exhaustive()
    }
}

impl MessageRecord {
    /// The method under which the order is written that [`Self::replacement`] gives.
    pub const REPLACEMENT: &str = "replace";

    /// What storing this message does to its drawer where that is a public outbox: all that is
    /// older goes, however the message itself ends. Its proof are the parameters of the store but
    /// for data and expiry, the auth fields in bencode as `auth`.
    ///
    /// `None` where the drawer is none, or nothing is older.
    pub fn replacement(&self) -> Option<Order> {
        let last = self.timestamp.checked_sub(1)?;
        if self.namespace.access() != Access::PublicOutbox {
            return None;
        }
        let mut params = Dict::from([
            ("pubkey".to_owned(), self.owner.to_string().into()),
            ("namespace".to_owned(), self.namespace.number().into()),
            ("timestamp".to_owned(), self.timestamp.into()),
        ]);
        if let Some(proof) = &self.proof {
            params.insert("auth".to_owned(), Value::Bytes(proof.clone()));
        }
        let request = Value::dict([("m", Self::REPLACEMENT.into()), ("p", Value::Dict(params))]);
        Some(Order {
            owner: self.owner,
            stamp: self.stored,
            change: Change::Replace(self.namespace, last),
            proof: bencode::encode(&request).ok()?,
        })
    }
}

/// Which drawers an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawers {
    /// This one.
    One(Namespace),
    /// All of the mailbox.
    All,
}

impl Drawers {
    /// Whether the order is for this drawer.
    pub fn cover(self, namespace: Namespace) -> bool {
        match self {
            Self::One(one) => one == namespace,
            Self::All => true,
        }
    }

    /// How they stand in signed texts: the namespace in decimal, empty for 0, or `all`.
    pub fn signed_form(self) -> String {
        match self {
            Self::One(namespace) => namespace.signed_form(),
            Self::All => "all".to_owned(),
        }
    }
}

/// How an expiry is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpireMode {
    /// To the new time, whatever it was.
    Set,
    /// Only to a later time.
    Extend,
    /// Only to an earlier time.
    Shorten,
}

impl ExpireMode {
    /// What becomes of an expiry.
    pub fn change(self, current: Millis, new: Millis) -> Millis {
        match self {
            Self::Set => new,
            Self::Extend => current.max(new),
            Self::Shorten => current.min(new),
        }
    }
}

/// What an order does to a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Removes these messages, in whatever drawers they lie.
    Delete(Vec<MessageHash>),
    /// Removes all messages.
    DeleteAll(Drawers),
    /// Removes the messages whose timestamp is this or earlier.
    DeleteBefore(Drawers, Millis),
    /// Removes from a public outbox the messages whose timestamp is this or earlier: see
    /// [`MessageRecord::replacement`].
    Replace(Namespace, Millis),
    /// Moves the expiry of messages, each to its own time.
    Expire(Vec<(MessageHash, Millis)>, ExpireMode),
    /// Moves the expiry of all messages that expire later than that to that time.
    ExpireAll(Drawers, Millis),
    /// Takes these subaccounts' rights.
    Revoke(Vec<SubaccountToken>),
    /// Gives these subaccounts their rights back.
    Unrevoke(Vec<SubaccountToken>),
}

/// An owner's signed request that changes what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Whose mailbox.
    pub owner: AccountId,
    /// When the swarm took it in.
    pub stamp: Stamp,
    /// What it does.
    pub change: Change,
    /// The request itself, by which every member checks the signature: see [`UncheckedRecord`].
    pub proof: Vec<u8>,
}

impl Order {
    /// Whether a subaccount signed it and not the owner, as the request in its proof says.
    pub fn is_by_subaccount(&self) -> bool {
        let request = bencode::decode(&self.proof).ok();
        request.is_some_and(|request| {
            request.get("p").is_some_and(|params| params.get("subaccount").is_some())
        })
    }
}

/// One thing that members agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A message.
    Message(MessageRecord),
    /// An order.
    Order(Order),
}

impl Record {
    /// Whose mailbox it belongs to.
    pub const fn owner(&self) -> &AccountId {
        match self {
            Self::Message(message) => &message.owner,
            Self::Order(order) => &order.owner,
        }
    }
}

/// The name by which members compare what they have.
pub type ItemId = [u8; 32];

/// One message or order in the sets that members compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The owner's place on the ring of swarms.
    pub position: u64,
    /// When the swarm took it in.
    pub stamp: Stamp,
    /// Its name; two states of one message have two.
    pub id: ItemId,
}

impl Item {
    /// The item of a message: BLAKE2b-32 over `"message"`, owner, namespace, hash, stamp and expiry,
    /// numbers in big-endian.
    ///
    /// # Errors
    /// Where the hash library fails.
    pub fn message(
        owner: &AccountId,
        namespace: Namespace,
        hash: &MessageHash,
        stored: Stamp,
        expiry: Millis,
    ) -> Result<Self, CryptoError> {
        let id = blake2b(&[
            b"message",
            owner.as_bytes(),
            &namespace.number().to_be_bytes(),
            hash.as_bytes(),
            &stored.0.to_be_bytes(),
            &expiry.to_be_bytes(),
        ])?;
        Ok(Self { position: swarm::position(owner), stamp: stored, id })
    }

    /// The item of an order: BLAKE2b-32 over `"order"`, owner, stamp in big-endian and proof.
    ///
    /// # Errors
    /// Where the hash library fails.
    pub fn order(owner: &AccountId, stamp: Stamp, proof: &[u8]) -> Result<Self, CryptoError> {
        let id = blake2b(&[b"order", owner.as_bytes(), &stamp.0.to_be_bytes(), proof])?;
        Ok(Self { position: swarm::position(owner), stamp, id })
    }
}

/// A record as one member gives it to another, to be checked as if a client had brought it.
///
/// `bencode{ "m": method, "p": parameters of the request, "s": stamp }`. A message is the request
/// that stores it, with the expiry that the giver knows.
#[derive(Debug, Clone, PartialEq)]
pub struct UncheckedRecord {
    /// The method of the client's request.
    pub method: String,
    /// Its parameters.
    pub params: Dict,
    /// When the swarm took it in.
    pub stamp: Stamp,
}

impl UncheckedRecord {
    /// Writes the record.
    ///
    /// # Errors
    /// Where a parameter has no form in bencode.
    pub fn encode(&self) -> Result<Vec<u8>, BencodeError> {
        bencode::encode(&Value::dict([
            ("m", self.method.as_str().into()),
            ("p", Value::Dict(self.params.clone())),
            ("s", self.stamp.0.into()),
        ]))
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Where the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, BencodeError> {
        let value = bencode::decode(bytes)?;
        let text = value.get("m").and_then(Value::as_text).ok_or(BencodeError::Malformed)?;
        let params = value.get("p").and_then(Value::as_dict).ok_or(BencodeError::Malformed)?;
        let stamp = value.get("s").and_then(Value::as_integer).ok_or(BencodeError::Malformed)?;
        let stamp = u64::try_from(stamp).map_err(|_| BencodeError::IntegerRange)?;
        Ok(Self { method: text.to_owned(), params: params.clone(), stamp: Stamp(stamp) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_survives_the_way_between_members(data: Vec<u8>, stamp: u64, count: i64) {
            let params = Dict::from([
                ("data".to_owned(), Value::Bytes(data)),
                ("namespace".to_owned(), count.into()),
            ]);
            let record = UncheckedRecord { method: "store".to_owned(), params, stamp: Stamp(stamp) };
            // Bencode knows no text, and the method is read as such again.
            prop_assert_eq!(UncheckedRecord::decode(&record.encode().unwrap()).unwrap(), record);
        }

        #[test]
        fn any_bytes_read_as_a_record_or_an_error(bytes: Vec<u8>) {
            let _ = UncheckedRecord::decode(&bytes);
        }
    }

    #[test]
    fn two_states_of_a_message_are_two_items() {
        let owner: AccountId = format!("05{}", "ab".repeat(32)).parse().unwrap();
        let hash = MessageHash::from_bytes([7; 32]);
        let item = |stamp, expiry| {
            Item::message(&owner, Namespace::DIRECT, &hash, Stamp(stamp), expiry).unwrap()
        };
        assert_eq!(item(1, 2), item(1, 2));
        assert_ne!(item(1, 2).id, item(1, 3).id);
        assert_ne!(item(1, 2).id, item(2, 2).id);
        assert_eq!(item(1, 2).position, swarm::position(&owner));
    }

    #[test]
    fn an_order_says_whether_a_subaccount_signed_it() {
        let order = |params: Value| Order {
            owner: format!("05{}", "ab".repeat(32)).parse().unwrap(),
            stamp: Stamp(1),
            change: Change::Delete(vec![]),
            proof: bencode::encode(&Value::dict([("m", "delete".into()), ("p", params)])).unwrap(),
        };
        assert!(!order(Value::dict([("signature", "x".into())])).is_by_subaccount());
        assert!(order(Value::dict([("subaccount", "x".into())])).is_by_subaccount());
        assert!(!Order { proof: vec![1], ..order(Value::dict([])) }.is_by_subaccount());
    }

    #[test]
    fn an_expiry_is_moved_only_the_way_the_order_says() {
        assert_eq!(ExpireMode::Set.change(5, 3), 3);
        assert_eq!(ExpireMode::Extend.change(5, 3), 5);
        assert_eq!(ExpireMode::Extend.change(5, 8), 8);
        assert_eq!(ExpireMode::Shorten.change(5, 8), 5);
        assert_eq!(ExpireMode::Shorten.change(5, 3), 3);
    }
}
