//! The bytes of the embedded engine's values: see the table in `keys`.

use warren_wire::record::{
    Change, Drawers, ExpireMode, Item, ItemId, MessageRecord, Order, SubaccountToken,
};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp, swarm};

use super::bytes::{BadBytes, Reader, ordered};
use crate::quota::{Amount, Held};
use crate::union::{Facts, Rule, Ruling};

/// A message with its data, and what was known of it when that was written: what is known now is in
/// its [`NameEntry`], so that an order on a whole mailbox rewrites no data. Hash 32, timestamp 8, effective 8, stored 8, expiry 8, length of the
/// proof plus one 4 (0: none), proof, data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MessageValue<'a> {
    pub(super) hash: MessageHash,
    pub(super) timestamp: Millis,
    /// When it expires, all orders considered.
    pub(super) effective: Millis,
    pub(super) stored: Stamp,
    /// When it expires by its record alone.
    pub(super) expiry: Millis,
    pub(super) proof: Option<&'a [u8]>,
    pub(super) data: &'a [u8],
}

impl<'a> MessageValue<'a> {
    pub(super) fn new(record: &'a MessageRecord, facts: &Facts, effective: Millis) -> Self {
        Self {
            hash: facts.hash,
            timestamp: facts.timestamp,
            effective,
            stored: facts.stored,
            expiry: facts.expiry,
            proof: record.proof.as_deref(),
            data: &record.data,
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let proof = self.proof.unwrap_or_default();
        let mut bytes = Vec::with_capacity(32 + 4 * 8 + 4 + proof.len() + self.data.len());
        bytes.extend_from_slice(self.hash.as_bytes());
        for number in [self.timestamp, self.effective, self.stored.0, self.expiry] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        let proof_len = self.proof.map_or(0, |proof| proof.len().saturating_add(1));
        put_count(&mut bytes, proof_len);
        bytes.extend_from_slice(proof);
        bytes.extend_from_slice(self.data);
        bytes
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "a message");
        let hash = reader.hash()?;
        let (timestamp, effective) = (reader.number()?, reader.number()?);
        let (stored, expiry) = (reader.stamp()?, reader.number()?);
        let proof = match reader.count()? {
            0 => None,
            more => Some(reader.slice(more.saturating_sub(1))?),
        };
        Ok(Self { hash, timestamp, effective, stored, expiry, proof, data: reader.rest() })
    }

    pub(super) fn record(&self, owner: AccountId, known: &NameEntry) -> MessageRecord {
        MessageRecord {
            owner,
            namespace: known.namespace,
            hash: self.hash,
            timestamp: known.timestamp,
            expiry: known.expiry,
            stored: known.stored,
            data: self.data.to_vec(),
            proof: self.proof.map(<[u8]>::to_vec),
        }
    }
}

/// What is known of a message by its name alone: namespace 2, sequence 8, timestamp 8, stored 8,
/// expiry 8, effective 8, id of its item 32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NameEntry {
    pub(super) namespace: Namespace,
    pub(super) sequence: u64,
    pub(super) timestamp: Millis,
    pub(super) stored: Stamp,
    pub(super) expiry: Millis,
    pub(super) effective: Millis,
    pub(super) id: ItemId,
}

impl NameEntry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + 5 * 8 + 32);
        bytes.extend_from_slice(&ordered(self.namespace));
        let Self { sequence, timestamp, stored, expiry, effective, .. } = self;
        for number in [sequence, timestamp, &stored.0, expiry, effective] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(&self.id);
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "the entry of a name");
        let entry = Self {
            namespace: reader.namespace()?,
            sequence: reader.number()?,
            timestamp: reader.number()?,
            stored: reader.stamp()?,
            expiry: reader.number()?,
            effective: reader.number()?,
            id: reader.take()?,
        };
        reader.end().map(|()| entry)
    }

    pub(super) const fn facts(&self, hash: MessageHash) -> Facts {
        let Self { namespace, timestamp, stored, expiry, .. } = *self;
        Facts { namespace, hash, timestamp, stored, expiry }
    }

    pub(super) fn item(&self, owner: &AccountId) -> Item {
        Item { position: swarm::position(owner), stamp: self.stored, id: self.id }
    }
}

/// An order: stamp 8, end 8, id of its item 32, change, proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderEntry {
    /// When it is removed; [`Millis::MAX`] while it holds a word on a subaccount.
    pub(super) end: Millis,
    pub(super) id: ItemId,
    pub(super) order: Order,
}

impl OrderEntry {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + 8 + 32 + 64 + self.order.proof.len());
        bytes.extend_from_slice(&self.order.stamp.0.to_be_bytes());
        bytes.extend_from_slice(&self.end.to_be_bytes());
        bytes.extend_from_slice(&self.id);
        put_change(&mut bytes, &self.order.change);
        bytes.extend_from_slice(&self.order.proof);
        bytes
    }

    pub(super) fn decode(owner: AccountId, bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "an order");
        let (stamp, end, id) = (reader.stamp()?, reader.number()?, reader.take()?);
        let change = change(&mut reader)?;
        let order = Order { owner, stamp, change, proof: reader.rest().to_vec() };
        Ok(Self { end, id, order })
    }

    /// The stamp, the end and the id alone.
    pub(super) fn head(bytes: &[u8]) -> Result<(Stamp, Millis, ItemId), BadBytes> {
        let mut reader = Reader::new(bytes, "an order");
        Ok((reader.stamp()?, reader.number()?, reader.take()?))
    }
}

/// What follows from all orders of an owner: count 4, the greatest stamp 8, the tokens of revoked
/// subaccounts, 36 each, orders 8 and bytes of proofs 8 that count for the owner, and for
/// subaccounts. Format 2 has the bytes of all proofs alone in their place, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Standing {
    pub(super) orders: u32,
    /// No order has a greater stamp.
    pub(super) latest: Stamp,
    pub(super) revoked: Vec<SubaccountToken>,
    /// Those that count against a share.
    pub(super) held: Held,
}

impl Standing {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.orders.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.latest.0.to_be_bytes());
        for token in &self.revoked {
            bytes.extend_from_slice(&token.0);
        }
        for amount in [self.held.own, self.held.subaccounts] {
            bytes.extend_from_slice(&amount.orders.to_be_bytes());
            bytes.extend_from_slice(&amount.bytes.to_be_bytes());
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "an owner's standing");
        let orders = u32::from_be_bytes(reader.take()?);
        let latest = reader.stamp()?;
        let bad = reader.bad();
        let (tokens, rest) = reader.rest().as_chunks::<36>();
        let (numbers, rest) = rest.as_chunks::<8>();
        let all = |bytes| Held { own: Amount { orders: orders.into(), bytes }, ..Held::default() };
        let number = |bytes: [u8; 8]| u64::from_be_bytes(bytes);
        let held = match (numbers, rest) {
            ([], []) => all(0),
            ([bytes], []) => all(number(*bytes)),
            ([orders, bytes, more, more_bytes], []) => Held {
                own: Amount { orders: number(*orders), bytes: number(*bytes) },
                subaccounts: Amount { orders: number(*more), bytes: number(*more_bytes) },
            },
            _ => return Err(bad),
        };
        let revoked = tokens.iter().map(|token| SubaccountToken(*token)).collect();
        Ok(Self { orders, latest, revoked, held })
    }
}

/// What the writer knows beside all that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct State {
    /// The place in the order of arrival that comes next; never given twice.
    pub(super) next_sequence: u64,
    /// How many messages there are.
    pub(super) messages: u64,
    /// How many orders there are.
    pub(super) orders: u64,
    /// The number of the note that comes next; never given twice.
    pub(super) next_note: u64,
}

impl State {
    pub(super) fn encode(&self) -> Vec<u8> {
        let Self { next_sequence, messages, orders, next_note } = self;
        [next_sequence, messages, orders, next_note].map(|number| number.to_be_bytes()).concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BadBytes> {
        let mut reader = Reader::new(bytes, "the state");
        let state = Self {
            next_sequence: reader.number()?,
            messages: reader.number()?,
            orders: reader.number()?,
            next_note: reader.number()?,
        };
        reader.end().map(|()| state)
    }
}

/// The value in `effects`: stamp 8, drawers, rule 1, time 8.
pub(super) fn encode_ruling(ruling: &Ruling) -> Vec<u8> {
    let (rule, time) = match ruling.rule {
        Rule::Remove => (0, 0),
        Rule::RemoveUpTo(time) => (1, time),
        Rule::Set(time) => (2, time),
        Rule::Extend(time) => (3, time),
        Rule::Shorten(time) => (4, time),
        Rule::Replace(time) => (5, time),
    };
    let mut bytes = ruling.stamp.0.to_be_bytes().to_vec();
    put_drawers(&mut bytes, ruling.drawers);
    bytes.push(rule);
    bytes.extend_from_slice(&time.to_be_bytes());
    bytes
}

/// Reads a value in `effects`, which is for this message or for whole drawers.
pub(super) fn decode_ruling(hash: Option<MessageHash>, bytes: &[u8]) -> Result<Ruling, BadBytes> {
    let mut reader = Reader::new(bytes, "what an order does");
    let stamp = reader.stamp()?;
    let drawers = drawers(&mut reader)?;
    let [rule] = reader.take()?;
    let time = reader.number()?;
    let rule = match rule {
        0 => Rule::Remove,
        1 => Rule::RemoveUpTo(time),
        2 => Rule::Set(time),
        3 => Rule::Extend(time),
        4 => Rule::Shorten(time),
        5 => Rule::Replace(time),
        _ => return Err(reader.bad()),
    };
    reader.end().map(|()| Ruling { stamp, hash, drawers, rule })
}

/// An item: position 8, stamp 8, id 32.
pub(super) fn encode_item(item: &Item) -> Vec<u8> {
    let mut bytes = item.position.to_be_bytes().to_vec();
    bytes.extend_from_slice(&item.stamp.0.to_be_bytes());
    bytes.extend_from_slice(&item.id);
    bytes
}

/// Reads an item.
pub(super) fn decode_item(bytes: &[u8]) -> Result<Item, BadBytes> {
    let mut reader = Reader::new(bytes, "an item");
    let item = Item { position: reader.number()?, stamp: reader.stamp()?, id: reader.take()? };
    reader.end().map(|()| item)
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    // Nothing that is kept comes near four billion.
    bytes.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_drawers(bytes: &mut Vec<u8>, drawers: Drawers) {
    match drawers {
        Drawers::All => bytes.push(0),
        Drawers::One(namespace) => {
            bytes.push(1);
            bytes.extend_from_slice(&ordered(namespace));
        }
    }
}

fn drawers(reader: &mut Reader<'_>) -> Result<Drawers, BadBytes> {
    match reader.take()? {
        [0] => Ok(Drawers::All),
        [1] => Ok(Drawers::One(reader.namespace()?)),
        _ => Err(reader.bad()),
    }
}

/// Writes a change: a tag, then its parts, lists with their count in front.
fn put_change(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Delete(hashes) => {
            bytes.push(0);
            put_count(bytes, hashes.len());
            hashes.iter().for_each(|hash| bytes.extend_from_slice(hash.as_bytes()));
        }
        Change::DeleteAll(drawers) => {
            bytes.push(1);
            put_drawers(bytes, *drawers);
        }
        Change::DeleteBefore(drawers, time) | Change::ExpireAll(drawers, time) => {
            bytes.push(if matches!(change, Change::DeleteBefore(..)) { 2 } else { 3 });
            put_drawers(bytes, *drawers);
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        Change::Replace(namespace, time) => {
            bytes.push(9);
            bytes.extend_from_slice(&ordered(*namespace));
            bytes.extend_from_slice(&time.to_be_bytes());
        }
        Change::Expire(expiries, mode) => {
            bytes.push(match mode {
                ExpireMode::Set => 4,
                ExpireMode::Extend => 5,
                ExpireMode::Shorten => 6,
            });
            put_count(bytes, expiries.len());
            for (hash, time) in expiries {
                bytes.extend_from_slice(hash.as_bytes());
                bytes.extend_from_slice(&time.to_be_bytes());
            }
        }
        Change::Revoke(tokens) | Change::Unrevoke(tokens) => {
            bytes.push(if matches!(change, Change::Revoke(_)) { 7 } else { 8 });
            put_count(bytes, tokens.len());
            tokens.iter().for_each(|token| bytes.extend_from_slice(&token.0));
        }
    }
}

fn change(reader: &mut Reader<'_>) -> Result<Change, BadBytes> {
    let [tag] = reader.take()?;
    Ok(match tag {
        0 => Change::Delete(list(reader, Reader::hash)?),
        1 => Change::DeleteAll(drawers(reader)?),
        2 => Change::DeleteBefore(drawers(reader)?, reader.number()?),
        9 => Change::Replace(reader.namespace()?, reader.number()?),
        3 => Change::ExpireAll(drawers(reader)?, reader.number()?),
        4..=6 => {
            let mode = match tag {
                4 => ExpireMode::Set,
                5 => ExpireMode::Extend,
                _ => ExpireMode::Shorten,
            };
            Change::Expire(list(reader, |one| Ok((one.hash()?, one.number()?)))?, mode)
        }
        7 => Change::Revoke(list(reader, |one| one.take().map(SubaccountToken))?),
        8 => Change::Unrevoke(list(reader, |one| one.take().map(SubaccountToken))?),
        _ => return Err(reader.bad()),
    })
}

fn list<'a, T>(
    reader: &mut Reader<'a>,
    one: impl Fn(&mut Reader<'a>) -> Result<T, BadBytes>,
) -> Result<Vec<T>, BadBytes> {
    // Grows as it is read: a count that is not true claims no memory.
    let mut all = Vec::new();
    for _ in 0..reader.count()? {
        all.push(one(reader)?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn hashes() -> impl Strategy<Value = MessageHash> {
        any::<[u8; 32]>().prop_map(MessageHash::from_bytes)
    }

    fn drawers() -> impl Strategy<Value = Drawers> {
        let one = any::<i16>().prop_map(|number| Drawers::One(Namespace::new(number)));
        prop_oneof![Just(Drawers::All), one]
    }

    fn changes() -> impl Strategy<Value = Change> {
        let modes = [ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten];
        let tokens =
            || vec((any::<[u8; 32]>(), any::<u8>()).prop_map(|(key, n)| token(&key, n)), 0..3);
        prop_oneof![
            vec(hashes(), 0..3).prop_map(Change::Delete),
            drawers().prop_map(Change::DeleteAll),
            (drawers(), any::<u64>()).prop_map(|(d, time)| Change::DeleteBefore(d, time)),
            any::<(i16, u64)>().prop_map(|(n, time)| Change::Replace(Namespace::new(n), time)),
            (drawers(), any::<u64>()).prop_map(|(d, time)| Change::ExpireAll(d, time)),
            (vec((hashes(), any::<u64>()), 0..3), proptest::sample::select(modes.to_vec()))
                .prop_map(|(expiries, mode)| Change::Expire(expiries, mode)),
            tokens().prop_map(Change::Revoke),
            tokens().prop_map(Change::Unrevoke),
        ]
    }

    fn token(key: &[u8; 32], n: u8) -> SubaccountToken {
        let mut token = [n; 36];
        token[..32].copy_from_slice(key);
        SubaccountToken(token)
    }

    proptest! {
        #[test]
        fn messages_survive(
            hash in hashes(), numbers: [u64; 4], proof: Option<Vec<u8>>, data: Vec<u8>,
        ) {
            let [timestamp, effective, stored, expiry] = numbers;
            let (stored, proof) = (Stamp(stored), proof.as_deref());
            let value =
                MessageValue { hash, timestamp, effective, stored, expiry, proof, data: &data };
            let bytes = value.encode();
            prop_assert_eq!(MessageValue::decode(&bytes), Ok(value));
        }

        #[test]
        fn names_survive(namespace: i16, numbers: [u64; 5], id: [u8; 32]) {
            let [sequence, timestamp, stored, expiry, effective] = numbers;
            let (namespace, stored) = (Namespace::new(namespace), Stamp(stored));
            let entry = NameEntry { namespace, sequence, timestamp, stored, expiry, effective, id };
            prop_assert_eq!(NameEntry::decode(&entry.encode()), Ok(entry));
        }

        #[test]
        fn orders_survive(
            stamp: u64, end: u64, id: [u8; 32], change in changes(), proof: Vec<u8>,
        ) {
            let owner = AccountId::from_bytes(&[5; 33]).unwrap();
            let order = Order { owner, stamp: Stamp(stamp), change, proof };
            let entry = OrderEntry { end, id, order };
            let bytes = entry.encode();
            prop_assert_eq!(OrderEntry::head(&bytes), Ok((Stamp(stamp), end, id)));
            for ruling in crate::union::rulings(&entry.order) {
                let bytes = encode_ruling(&ruling);
                prop_assert_eq!(decode_ruling(ruling.hash, &bytes), Ok(ruling));
            }
            prop_assert_eq!(OrderEntry::decode(owner, &bytes), Ok(entry));
        }

        #[test]
        fn what_is_small_survives(numbers: [u64; 4], orders: u32, tokens in 0..4_u8, id: [u8; 32]) {
            let [next_sequence, messages, count, next_note] = numbers;
            let state = State { next_sequence, messages, orders: count, next_note };
            prop_assert_eq!(State::decode(&state.encode()), Ok(state));
            let revoked = (0..tokens).map(|n| token(&id, n)).collect();
            let own = Amount { orders: count, bytes: next_note };
            let subaccounts = Amount { orders: messages, bytes: next_sequence };
            let held = Held { own, subaccounts };
            let standing = Standing { orders, latest: Stamp(messages), revoked, held };
            prop_assert_eq!(Standing::decode(&standing.encode()), Ok(standing));
            let item = Item { position: messages, stamp: Stamp(count), id };
            prop_assert_eq!(decode_item(&encode_item(&item)), Ok(item));
        }

        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes: Vec<u8>) {
            let owner = AccountId::from_bytes(&[5; 33]).unwrap();
            let _ = MessageValue::decode(&bytes);
            let _ = OrderEntry::decode(owner, &bytes);
            let _ = decode_ruling(None, &bytes);
            prop_assert_eq!(NameEntry::decode(&bytes).is_ok(), bytes.len() == 74);
            prop_assert_eq!(State::decode(&bytes).is_ok(), bytes.len() == 32);
            prop_assert_eq!(decode_item(&bytes).is_ok(), bytes.len() == 48);
            let standing = bytes.len() >= 12 && [0, 8, 32].contains(&((bytes.len() - 12) % 36));
            prop_assert_eq!(Standing::decode(&bytes).is_ok(), standing);
        }
    }
}
