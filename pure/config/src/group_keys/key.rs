//! A group's keys in order, and which of them have expired.

use warren_crypto::Secret;
use warren_wire::Millis;
use warren_wire::bencode;
use warren_wire::limits::DAY;
use warren_wire::value::Value;

/// How long a generation stays of use after its successor was superseded.
pub const KEY_EXPIRY: Millis = 60 * DAY;

/// A key, when it came to the swarm as a node says, and when to this device by its own clock.
pub(super) struct GroupKey {
    pub(super) generation: i64,
    pub(super) timestamp: Millis,
    pub(super) seen: Millis,
    pub(super) key: Secret<32>,
}

impl GroupKey {
    /// By generation, then time, then value: the same on every device that has the same keys.
    fn order(&self) -> (i64, Millis, &[u8; 32]) {
        (self.generation, self.timestamp, self.key.expose())
    }

    fn to_value(&self) -> Value {
        Value::dict([
            ("g", Value::Integer(self.generation.into())),
            ("k", Value::Bytes(self.key.expose().to_vec())),
            ("t", Value::Integer(self.timestamp.into())),
        ])
    }

    fn from_value(value: &Value) -> Option<Self> {
        let integer = |name| match value.get(name) {
            Some(Value::Integer(integer)) => Some(*integer),
            _ => None,
        };
        let Some(Value::Bytes(key)) = value.get("k") else { return None };
        let timestamp = integer("t")?.try_into().ok()?;
        Some(Self {
            generation: integer("g")?.try_into().ok()?,
            timestamp,
            seen: timestamp,
            key: Secret::from_slice(key)?,
        })
    }
}

/// What became of a key that was to be inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It is in the list.
    New,
    /// It was there, of the same generation.
    Known,
    /// It is older than what is kept.
    Stale,
}

/// Keys in ascending order, without repetition.
#[derive(Default)]
pub(super) struct KeyList(Vec<GroupKey>);

impl KeyList {
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &GroupKey> {
        self.0.iter().rev()
    }

    pub(super) fn newest(&self) -> Option<&GroupKey> {
        self.0.last()
    }

    pub(super) fn oldest(&self) -> Option<&GroupKey> {
        self.0.first()
    }

    /// Whether the newest generation has several keys.
    pub(super) fn collided(&self) -> bool {
        let mut newest = self.newest_first();
        match (newest.next(), newest.next()) {
            (Some(last), Some(second)) => last.generation == second.generation,
            _ => false,
        }
    }

    pub(super) fn insert(&mut self, new: GroupKey) -> Inserted {
        let same = |key: &GroupKey| key.generation == new.generation && key.key == new.key;
        if self.0.iter().any(same) {
            return Inserted::Known;
        }
        let at = self.0.partition_point(|key| key.order() < new.order());
        if at == 0 && self.is_stale(new.generation) {
            return Inserted::Stale;
        }
        self.0.insert(at, new);
        Inserted::New
    }

    /// Whether a generation is older than the oldest one here, which itself has expired.
    fn is_stale(&self, generation: i64) -> bool {
        let (Some(oldest), Some(newest)) = (self.oldest(), self.newest()) else { return false };
        generation < oldest.generation && expired(oldest, newest)
    }

    /// Drops every generation whose successor's first key is older than the newest key by more than
    /// [`KEY_EXPIRY`]: everything since is readable without it.
    ///
    /// The swarm's times have to say so and this device's as well: neither a node that lies nor a
    /// wrong clock of the device loses a key alone.
    pub(super) fn remove_expired(&mut self) {
        let Some(newest) = self.newest() else { return };
        let mut lapsed = 0;
        let pairs = self.0.iter().zip(self.0.iter().skip(1)).enumerate();
        for (index, (key, next)) in pairs {
            if key.generation == next.generation {
                continue;
            }
            if !expired(next, newest) {
                break;
            }
            lapsed = index + 1;
        }
        self.0.drain(..lapsed);
    }

    /// The bencoded list of all keys in ascending order, as a supplement and a dump hold it.
    pub(super) fn to_value(&self) -> Value {
        Value::List(self.0.iter().map(GroupKey::to_value).collect())
    }

    /// Reads what [`KeyList::to_value`] made; `None` for anything else, as keys out of order.
    pub(super) fn from_value(value: &Value) -> Option<Self> {
        let keys = keys_of(value)?;
        let sorted = keys.iter().zip(keys.iter().skip(1)).all(|(a, b)| a.order() < b.order());
        sorted.then_some(Self(keys))
    }

    /// When each key came to this device, in ascending order of the keys; nothing where that is when
    /// it came to the swarm, as in what libsession writes.
    pub(super) fn seen_to_value(&self) -> Option<Value> {
        let differs = self.0.iter().any(|key| key.seen != key.timestamp);
        let seen = self.0.iter().map(|key| Value::Integer(key.seen.into()));
        differs.then(|| Value::List(seen.collect()))
    }

    /// Takes over what [`KeyList::seen_to_value`] made; `None` where it does not fit the keys.
    pub(super) fn see(&mut self, value: &Value) -> Option<()> {
        let Value::List(seen) = value else { return None };
        if seen.len() != self.0.len() {
            return None;
        }
        for (key, seen) in self.0.iter_mut().zip(seen) {
            let Value::Integer(seen) = seen else { return None };
            key.seen = Millis::try_from(*seen).ok()?;
        }
        Some(())
    }

    /// The keys, the newest first, without those that this device had before a time together with a
    /// successor.
    pub(super) fn not_superseded_before(&self, time: Millis) -> impl Iterator<Item = &GroupKey> {
        let early = self.0.iter().filter(move |key| key.seen < time);
        let least = early.map(|key| key.generation).max();
        let stays = move |key: &&GroupKey| {
            key.seen >= time || least.is_none_or(|least| key.generation >= least)
        };
        self.newest_first().filter(stays)
    }
}

fn expired(successor: &GroupKey, newest: &GroupKey) -> bool {
    let lapsed = |then: Millis, later: Millis| then.saturating_add(KEY_EXPIRY) < later;
    lapsed(successor.timestamp, newest.timestamp) && lapsed(successor.seen, newest.seen)
}

/// Reads the keys of a supplement, in whatever order; `None` for what is no list of keys.
pub(super) fn read_list(bytes: &[u8]) -> Option<Vec<GroupKey>> {
    keys_of(&bencode::decode(bytes).ok()?)
}

fn keys_of(value: &Value) -> Option<Vec<GroupKey>> {
    let Value::List(keys) = value else { return None };
    keys.iter().map(GroupKey::from_value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(generation: i64, day: Millis, byte: u8) -> GroupKey {
        let key = Secret::from_slice(&[byte; 32]).unwrap();
        GroupKey { generation, timestamp: day * DAY, seen: day * DAY, key }
    }

    fn list(keys: &[(i64, Millis, u8)]) -> KeyList {
        let mut list = KeyList::default();
        for (generation, day, byte) in keys {
            list.insert(key(*generation, *day, *byte));
        }
        list
    }

    fn bytes(list: &KeyList) -> Vec<u8> {
        list.0.iter().map(|key| key.key.expose()[0]).collect()
    }

    #[test]
    fn keys_are_ordered_by_generation_then_time_then_value() {
        let list = list(&[(1, 5, 9), (0, 9, 1), (1, 5, 3), (1, 4, 7)]);
        assert_eq!(bytes(&list), [1, 7, 3, 9]);
        assert!(list.collided());
    }

    #[test]
    fn the_same_key_at_another_time_is_the_same_key() {
        let mut list = list(&[(1, 5, 9)]);
        assert_eq!(list.insert(key(1, 6, 9)), Inserted::Known);
        assert_eq!(list.insert(key(2, 6, 9)), Inserted::New);
        assert!(!list.collided());
    }

    #[test]
    fn a_generation_expires_sixty_days_after_its_successor_was_superseded() {
        let mut keys = list(&[(0, 0, 0), (1, 10, 1), (1, 11, 2), (2, 70, 3)]);
        keys.remove_expired();
        assert_eq!(bytes(&keys), [0, 1, 2, 3]);
        keys.insert(key(3, 71, 4));
        keys.remove_expired();
        assert_eq!(bytes(&keys), [1, 2, 3, 4]);
        keys.insert(key(4, 131, 5));
        keys.remove_expired();
        assert_eq!(bytes(&keys), [3, 4, 5]);
        assert_eq!(keys.insert(key(0, 0, 0)), Inserted::Stale);
    }

    #[test]
    fn no_time_that_a_node_claims_drops_a_key_that_came_lately() {
        let at = |generation, claimed, byte| GroupKey {
            seen: 100 * DAY,
            ..key(generation, claimed, byte)
        };
        let mut keys = KeyList::default();
        for new in [at(0, 0, 0), at(1, 0, 1), at(2, 0, 2), at(3, 1 << 30, 3)] {
            assert_eq!(keys.insert(new), Inserted::New);
            keys.remove_expired();
        }
        assert_eq!(bytes(&keys), [0, 1, 2, 3]);
        let mut keys = KeyList::default();
        for new in [at(2, 0, 2), at(3, 1 << 30, 3), at(1, 0, 1)] {
            assert_eq!(keys.insert(new), Inserted::New);
        }
        keys.insert(GroupKey { seen: 161 * DAY, ..key(4, 1 << 30, 4) });
        keys.remove_expired();
        assert_eq!(bytes(&keys), [2, 3, 4]);
    }

    #[test]
    fn a_list_out_of_order_is_no_dump() {
        let ordered = list(&[(0, 1, 1), (1, 2, 2)]);
        let Value::List(mut values) = ordered.to_value() else { panic!("a list") };
        assert_eq!(bytes(&KeyList::from_value(&Value::List(values.clone())).unwrap()), [1, 2]);
        values.reverse();
        assert!(KeyList::from_value(&Value::List(values.clone())).is_none());
        values.pop();
        values.push(values[0].clone());
        assert!(KeyList::from_value(&Value::List(values)).is_none());
    }
}
