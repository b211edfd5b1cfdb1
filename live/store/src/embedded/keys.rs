//! The bytes of the embedded engine's keys and values.
//!
//! Keys sort as the types do: by owner, then namespace, then order of arrival. Numbers are
//! big-endian.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | messages | owner 33, namespace 2, sequence 8 | hash 32, timestamp 8, expiry 8, data |
//! | hashes | owner 33, hash 32 | namespace 2, sequence 8, expiry 8 |
//! | expiries | expiry 8, owner 33, hash 32 | nothing |
//! | meta | `format` | 4 |
//! | meta | `state` | next sequence 8, messages 8 |

use warren_wire::{AccountId, MessageHash, Millis, Namespace};

/// The newest format this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// Where the format is noted.
pub(super) const FORMAT_KEY: &[u8] = b"format";
/// Where the [`State`] is noted.
pub(super) const STATE_KEY: &[u8] = b"state";
/// What stands before the data in the value of a message.
pub(super) const RECORD_HEADER: usize = 32 + 8 + 8;

/// Bytes that are no key or value of the kind sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} has the wrong shape")]
pub(super) struct BadBytes(pub(super) &'static str);

/// Where a message lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
        let mut reader = Reader { rest: bytes, what: "the key of a message" };
        let key = Self {
            owner: reader.owner()?,
            namespace: reader.namespace()?,
            sequence: reader.number()?,
        };
        reader.end().map(|()| key)
    }
}

/// A message's name in its mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct HashKey {
    pub(super) owner: AccountId,
    pub(super) hash: MessageHash,
}

impl HashKey {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(33 + 32);
        bytes.extend_from_slice(self.owner.as_bytes());
        bytes.extend_from_slice(self.hash.as_bytes());
        bytes
    }
}

/// What is known of a message by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HashEntry {
    pub(super) namespace: Namespace,
    pub(super) sequence: u64,
    pub(super) expiry: Millis,
}

impl HashEntry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + 8 + 8);
        bytes.extend_from_slice(&ordered(self.namespace));
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.expiry.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader { rest: bytes, what: "the entry of a hash" };
        let entry = Self {
            namespace: reader.namespace()?,
            sequence: reader.number()?,
            expiry: reader.number()?,
        };
        reader.end().map(|()| entry)
    }
}

/// When a message expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ExpiryKey {
    pub(super) expiry: Millis,
    pub(super) name: HashKey,
}

impl ExpiryKey {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 33 + 32);
        bytes.extend_from_slice(&self.expiry.to_be_bytes());
        bytes.extend_from_slice(&self.name.encode());
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader { rest: bytes, what: "the key of an expiry" };
        let key = Self {
            expiry: reader.number()?,
            name: HashKey { owner: reader.owner()?, hash: reader.hash()? },
        };
        reader.end().map(|()| key)
    }
}

/// The value of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) hash: MessageHash,
    pub(super) timestamp: Millis,
    pub(super) expiry: Millis,
    pub(super) data: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_HEADER + self.data.len());
        bytes.extend_from_slice(self.hash.as_bytes());
        bytes.extend_from_slice(&self.timestamp.to_be_bytes());
        bytes.extend_from_slice(&self.expiry.to_be_bytes());
        bytes.extend_from_slice(self.data);
        bytes
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader { rest: bytes, what: "a message" };
        Ok(Self {
            hash: reader.hash()?,
            timestamp: reader.number()?,
            expiry: reader.number()?,
            data: reader.rest,
        })
    }
}

/// What the writer knows beside the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    /// The place in the order of arrival that comes next; never given twice.
    pub(super) next_sequence: u64,
    /// How many messages there are.
    pub(super) messages: u64,
}

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        [self.next_sequence.to_be_bytes(), self.messages.to_be_bytes()].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader { rest: bytes, what: "the state" };
        let state = Self { next_sequence: reader.number()?, messages: reader.number()? };
        reader.end().map(|()| state)
    }
}

/// A namespace's number with its sign turned, so that bytes sort as numbers do.
fn ordered(namespace: Namespace) -> [u8; 2] {
    (namespace.number().cast_unsigned() ^ 0x8000).to_be_bytes()
}

struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], BadBytes> {
        let (first, rest) = self.rest.split_first_chunk().ok_or(BadBytes(self.what))?;
        self.rest = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u64, BadBytes> {
        self.take().map(u64::from_be_bytes)
    }

    fn owner(&mut self) -> Result<AccountId, BadBytes> {
        AccountId::from_bytes(&self.take::<33>()?).map_err(|_| BadBytes(self.what))
    }

    fn hash(&mut self) -> Result<MessageHash, BadBytes> {
        self.take().map(MessageHash::from_bytes)
    }

    fn namespace(&mut self) -> Result<Namespace, BadBytes> {
        let number = u16::from_be_bytes(self.take()?) ^ 0x8000;
        Ok(Namespace::new(number.cast_signed()))
    }

    fn end(self) -> Result<(), BadBytes> {
        if self.rest.is_empty() { Ok(()) } else { Err(BadBytes(self.what)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owners() -> impl Strategy<Value = AccountId> {
        (any::<u8>(), any::<[u8; 32]>()).prop_map(|(prefix, key)| {
            AccountId::from_bytes(&[&[prefix], key.as_slice()].concat()).unwrap()
        })
    }

    fn message_keys() -> impl Strategy<Value = MessageKey> {
        // Few owners and namespaces, so that every part of the key decides some comparison.
        let owner = prop_oneof![
            owners(),
            (0..2_u8).prop_map(|n| {
                AccountId::from_bytes(&[&[5], [n; 32].as_slice()].concat()).unwrap()
            })
        ];
        let namespace = prop_oneof![any::<i16>(), -1..=1_i16];
        (owner, namespace, any::<u64>()).prop_map(|(owner, namespace, sequence)| MessageKey {
            owner,
            namespace: Namespace::new(namespace),
            sequence,
        })
    }

    fn expiry_keys() -> impl Strategy<Value = ExpiryKey> {
        (prop_oneof![any::<u64>(), 0..2_u64], owners(), any::<[u8; 32]>()).prop_map(
            |(expiry, owner, hash)| ExpiryKey {
                expiry,
                name: HashKey { owner, hash: MessageHash::from_bytes(hash) },
            },
        )
    }

    proptest! {
        #[test]
        fn message_keys_survive_and_sort_as_their_bytes(a in message_keys(), b in message_keys()) {
            prop_assert_eq!(MessageKey::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.encode().len(), 43);
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
        }

        #[test]
        fn expiry_keys_survive_and_sort_as_their_bytes(a in expiry_keys(), b in expiry_keys()) {
            prop_assert_eq!(ExpiryKey::decode(&a.encode()), Ok(a));
            prop_assert_eq!(a.encode().len(), 73);
            prop_assert_eq!(a.cmp(&b), a.encode().cmp(&b.encode()));
            prop_assert_eq!(a.name.cmp(&b.name), a.name.encode().cmp(&b.name.encode()));
        }

        #[test]
        fn values_survive(
            namespace: i16, sequence: u64, expiry: u64, timestamp: u64, hash: [u8; 32],
            data: Vec<u8>,
        ) {
            let entry = HashEntry { namespace: Namespace::new(namespace), sequence, expiry };
            prop_assert_eq!(HashEntry::decode(&entry.encode()), Ok(entry));
            let hash = MessageHash::from_bytes(hash);
            let record = Record { hash, timestamp, expiry, data: &data };
            let bytes = record.encode();
            prop_assert_eq!(Record::decode(&bytes), Ok(record));
            let state = State { next_sequence: sequence, messages: expiry };
            prop_assert_eq!(State::decode(&state.encode()), Ok(state));
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes: Vec<u8>) {
            let _ = Record::decode(&bytes);
            prop_assert_eq!(MessageKey::decode(&bytes).is_ok(), bytes.len() == 43);
            prop_assert_eq!(ExpiryKey::decode(&bytes).is_ok(), bytes.len() == 73);
            prop_assert_eq!(HashEntry::decode(&bytes).is_ok(), bytes.len() == 18);
            prop_assert_eq!(State::decode(&bytes).is_ok(), bytes.len() == 16);
        }
    }
}
