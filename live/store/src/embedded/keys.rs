//! The bytes of the embedded engine's keys. Numbers are big-endian, so that keys sort as what they
//! say; values are in `values`.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | messages | owner 33, namespace 2, sequence 8 | `MessageValue` |
//! | names | position 8, owner 33, hash 32 | `NameEntry` |
//! | expiries | time 8, owner 33, hash or digest 32 | 0: a message, 1: an order |
//! | orders | position 8, owner 33, digest 32 | `OrderEntry` |
//! | effects | owner 33, 0, digest 32 | what an order rules for whole drawers |
//! | effects | owner 33, 1, hash 32, digest 32 | what an order rules for one message |
//! | effects | owner 33, 2, digest 32 | nothing: an order on subaccounts |
//! | owners | owner 33 | `Standing`, where there are orders |
//! | missed | node 32, number 8 | an item |
//! | meta | `format` | 4 |
//! | meta | `state` | `State` |
//!
//! The position is the owner's on the ring of swarms. The digest is BLAKE2b-32 over an order's
//! proof: one order, whatever its stamp. A name's key leads from the ring to the message, so that
//! what members compare needs no keyspace of its own.

use warren_wire::record::Positions;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId, swarm};

use super::bytes::{BadBytes, Reader, ordered};

/// The newest format this version writes and reads.
pub(super) const FORMAT: u32 = 3;
/// The oldest one that is read as it is: it lacks only what this version may write.
pub(super) const READ_FROM: u32 = 2;
/// Where the format is noted.
pub(super) const FORMAT_KEY: &[u8] = b"format";
/// Where the state is noted.
pub(super) const STATE_KEY: &[u8] = b"state";

/// An order, whatever its stamp.
pub(super) type Digest = [u8; 32];

/// The first and the last key of a range.
pub(super) type Bounds = (Vec<u8>, Vec<u8>);

/// The keys that begin so and go on for `len` bytes.
fn below(prefix: &[u8], len: usize) -> Bounds {
    let filled = |byte: u8| {
        let mut key = Vec::with_capacity(prefix.len().saturating_add(len));
        key.extend_from_slice(prefix);
        key.extend(std::iter::repeat_n(byte, len));
        key
    };
    (filled(0), filled(0xff))
}

/// Where a message lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MessageKey {
    pub(super) owner: AccountId,
    pub(super) namespace: Namespace,
    pub(super) sequence: u64,
}

impl MessageKey {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(33 + 2 + 8);
        bytes.extend_from_slice(self.owner.as_bytes());
        bytes.extend_from_slice(&ordered(self.namespace));
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "the key of a message");
        let owner = reader.owner()?;
        let key = Self { owner, namespace: reader.namespace()?, sequence: reader.number()? };
        reader.end().map(|()| key)
    }

    /// The messages of a drawer.
    pub(super) fn drawer(owner: AccountId, namespace: Namespace) -> Bounds {
        let first = Self { owner, namespace, sequence: 0 };
        (first.encode(), Self { sequence: u64::MAX, ..first }.encode())
    }
}

/// A message by its hash, or an order by its digest, among all of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    pub(super) owner: AccountId,
    pub(super) name: [u8; 32],
}

impl Name {
    pub(super) const fn message(owner: AccountId, hash: MessageHash) -> Self {
        Self { owner, name: *hash.as_bytes() }
    }

    pub(super) const fn hash(&self) -> MessageHash {
        MessageHash::from_bytes(self.name)
    }

    /// The key in `names` or `orders`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 33 + 32);
        bytes.extend_from_slice(&swarm::position(&self.owner).to_be_bytes());
        bytes.extend_from_slice(self.owner.as_bytes());
        bytes.extend_from_slice(&self.name);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "the key of a name");
        let position = reader.number()?;
        let name = Self { owner: reader.owner()?, name: reader.take()? };
        if position != swarm::position(&name.owner) {
            return Err(reader.bad());
        }
        reader.end().map(|()| name)
    }

    /// All names of an owner.
    pub(super) fn of_owner(owner: &AccountId) -> Bounds {
        let mut prefix = swarm::position(owner).to_be_bytes().to_vec();
        prefix.extend_from_slice(owner.as_bytes());
        below(&prefix, 32)
    }

    /// All names on a stretch of the ring.
    pub(super) fn at(positions: Positions) -> Bounds {
        let (first, _) = below(&positions.first.to_be_bytes(), 33 + 32);
        let (_, last) = below(&positions.last.to_be_bytes(), 33 + 32);
        (first, last)
    }
}

/// When something is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExpiryKey {
    pub(super) time: Millis,
    pub(super) name: Name,
}

impl ExpiryKey {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 33 + 32);
        bytes.extend_from_slice(&self.time.to_be_bytes());
        bytes.extend_from_slice(self.name.owner.as_bytes());
        bytes.extend_from_slice(&self.name.name);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "the key of an expiry");
        let time = reader.number()?;
        let name = Name { owner: reader.owner()?, name: reader.take()? };
        reader.end().map(|()| Self { time, name })
    }

    /// From one time to another, both included.
    pub(super) fn between(from: Millis, to: Millis) -> Bounds {
        let (first, _) = below(&from.to_be_bytes(), 33 + 32);
        let (_, last) = below(&to.to_be_bytes(), 33 + 32);
        (first, last)
    }
}

/// What a key in `effects` is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Whole drawers.
    Drawers,
    /// One message.
    Message(MessageHash),
    /// Subaccounts.
    Access,
}

impl Scope {
    fn prefix(self, owner: &AccountId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(33 + 1 + 32 + 32);
        bytes.extend_from_slice(owner.as_bytes());
        match self {
            Self::Drawers => bytes.push(0),
            Self::Message(hash) => {
                bytes.push(1);
                bytes.extend_from_slice(hash.as_bytes());
            }
            Self::Access => bytes.push(2),
        }
        bytes
    }

    /// The key of what an order does here.
    pub(super) fn key(self, owner: &AccountId, digest: &Digest) -> Vec<u8> {
        let mut bytes = self.prefix(owner);
        bytes.extend_from_slice(digest);
        bytes
    }

    /// All that orders do here.
    pub(super) fn bounds(self, owner: &AccountId) -> Bounds {
        below(&self.prefix(owner), 32)
    }
}

/// The key of a note for a member.
pub(super) fn note_key(peer: &NodeId, number: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32 + 8);
    bytes.extend_from_slice(peer.as_bytes());
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

/// The number in the key of a note.
pub(super) fn note_number(key: &[u8]) -> Result<u64, BadBytes> {
    let mut reader = Reader::new(key, "the key of a note");
    reader.take::<32>()?;
    let number = reader.number()?;
    reader.end().map(|()| number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owners() -> impl Strategy<Value = AccountId> {
        // Few besides the random ones, so that every part of a key decides some comparison.
        let few = (0..2_u8).prop_map(|n| [[5].as_slice(), &[n; 32]].concat());
        let any = (any::<u8>(), any::<[u8; 32]>())
            .prop_map(|(prefix, key)| [[prefix].as_slice(), &key].concat());
        prop_oneof![few, any].prop_map(|bytes| AccountId::from_bytes(&bytes).unwrap())
    }

    fn names() -> impl Strategy<Value = Name> {
        (owners(), any::<[u8; 32]>()).prop_map(|(owner, name)| Name { owner, name })
    }

    fn message_keys() -> impl Strategy<Value = MessageKey> {
        let namespace = prop_oneof![any::<i16>(), -1..=1_i16].prop_map(Namespace::new);
        (owners(), namespace, any::<u64>()).prop_map(|(owner, namespace, sequence)| MessageKey {
            owner,
            namespace,
            sequence,
        })
    }

    proptest! {
        #[test]
        fn message_keys_survive_and_sort_as_their_bytes(a in message_keys(), b in message_keys()) {
            prop_assert_eq!(MessageKey::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
            let (first, last) = MessageKey::drawer(a.owner, a.namespace);
            prop_assert!(first <= a.encode() && a.encode() <= last);
        }

        #[test]
        fn names_survive_and_sort_by_position(a in names(), b in names()) {
            prop_assert_eq!(Name::decode(&a.encode()), Ok(a));
            let place = |name: &Name| (swarm::position(&name.owner), *name);
            prop_assert_eq!(place(&a).cmp(&place(&b)), a.encode().cmp(&b.encode()));
            let (first, last) = Name::of_owner(&a.owner);
            prop_assert_eq!(first <= b.encode() && b.encode() <= last, a.owner == b.owner);
            let (a_at, b_at) = (swarm::position(&a.owner), swarm::position(&b.owner));
            let (first, last) = Name::at(Positions { first: a_at, last: u64::MAX });
            prop_assert_eq!(first <= b.encode() && b.encode() <= last, b_at >= a_at);
        }

        #[test]
        fn expiry_keys_survive_and_sort_as_their_bytes(
            a in (0..3_u64, names()), b in (0..3_u64, names()),
        ) {
            let key = |(time, name)| ExpiryKey { time, name };
            let (a, b) = (key(a), key(b));
            prop_assert_eq!(ExpiryKey::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
            let (first, last) = ExpiryKey::between(1, 1);
            prop_assert_eq!(first <= a.encode() && a.encode() <= last, a.time == 1);
        }

        #[test]
        fn note_keys_survive(peer: [u8; 32], number: u64) {
            prop_assert_eq!(note_number(&note_key(&NodeId::from_bytes(peer), number)), Ok(number));
        }

        #[test]
        fn any_bytes_are_a_key_or_an_error(bytes: Vec<u8>) {
            prop_assert_eq!(MessageKey::decode(&bytes).is_ok(), bytes.len() == 43);
            prop_assert_eq!(ExpiryKey::decode(&bytes).is_ok(), bytes.len() == 73);
            prop_assert_eq!(note_number(&bytes).is_ok(), bytes.len() == 40);
            let _ = Name::decode(&bytes);
        }
    }

    #[test]
    fn effects_of_one_scope_lie_together() {
        let owner = AccountId::from_bytes(&[5; 33]).unwrap();
        let message = |n| Scope::Message(MessageHash::from_bytes([n; 32]));
        let scopes = [Scope::Drawers, message(0), message(0xff), Scope::Access];
        for (at, one) in scopes.iter().enumerate() {
            let (first, last) = one.bounds(&owner);
            for (other_at, other) in scopes.iter().enumerate() {
                for digest in [[0; 32], [0xff; 32]] {
                    let key = other.key(&owner, &digest);
                    assert_eq!(first <= key && key <= last, at == other_at);
                }
            }
        }
    }
}
