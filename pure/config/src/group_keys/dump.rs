//! The state of a group's keys on a device's disk: libsession's dump.
//!
//! ```text
//! { "A": [[generation, message hash, ...], ...],  "L": [{ "g": generation, "k": key, "t": ms }, ...],
//!   "P": { "c": pending message, "g": its generation, "k": its key } }       "P" only where one is pending
//! ```
//!
//! Beside it "S", a list of when each key of "L" came to this device, in milliseconds, where that is
//! not "t".

use std::collections::{BTreeMap, BTreeSet};

use warren_crypto::Secret;
use warren_wire::AccountId;
use warren_wire::bencode;
use warren_wire::value::{Dict, Value};

use super::key::KeyList;
use super::{GroupKeys, KeysError, Pending};

impl GroupKeys {
    /// Whether something changed since the last [`GroupKeys::dump`] or since it was read.
    pub fn needs_dump(&self) -> bool {
        self.needs_dump
    }

    /// The whole state, keys included: for an encrypted database alone.
    ///
    /// # Errors
    /// Never; the encoder's result is passed on.
    pub fn dump(&mut self) -> Result<Vec<u8>, KeysError> {
        let mut dict = Dict::new();
        dict.insert("A".to_owned(), Value::List(self.active.iter().map(write_active).collect()));
        dict.insert("L".to_owned(), self.keys.to_value());
        if let Some(pending) = &self.pending {
            dict.insert("P".to_owned(), write_pending(pending));
        }
        if let Some(seen) = self.keys.seen_to_value() {
            dict.insert("S".to_owned(), seen);
        }
        let bytes = bencode::encode(&Value::Dict(dict)).map_err(|_| KeysError::Malformed)?;
        self.needs_dump = false;
        Ok(bytes)
    }

    /// Reads what [`GroupKeys::dump`] or libsession wrote.
    ///
    /// # Errors
    /// Where the bytes are no dump, or the id is no group's.
    pub fn from_dump(group: AccountId, dump: &[u8]) -> Result<Self, KeysError> {
        let mut keys = Self::new(group)?;
        let dump = bencode::decode(dump).map_err(|_| KeysError::Malformed)?;
        let list = dump.get("L").and_then(KeyList::from_value);
        keys.keys = list.ok_or(KeysError::Malformed)?;
        if let Some(seen) = dump.get("S") {
            keys.keys.see(seen).ok_or(KeysError::Malformed)?;
        }
        keys.active = dump.get("A").and_then(read_active).ok_or(KeysError::Malformed)?;
        if let Some(pending) = dump.get("P") {
            keys.pending = Some(read_pending(pending).ok_or(KeysError::Malformed)?);
        }
        Ok(keys)
    }
}

fn write_active((generation, hashes): (&i64, &BTreeSet<String>)) -> Value {
    let hashes = hashes.iter().map(|hash| Value::Text(hash.clone()));
    Value::List(std::iter::once(Value::Integer((*generation).into())).chain(hashes).collect())
}

fn read_active(value: &Value) -> Option<BTreeMap<i64, BTreeSet<String>>> {
    let Value::List(lists) = value else { return None };
    let mut active = BTreeMap::<_, BTreeSet<_>>::new();
    for list in lists {
        let Value::List(list) = list else { return None };
        let (Value::Integer(generation), hashes) = list.split_first()? else { return None };
        let entry = active.entry(i64::try_from(*generation).ok()?).or_default();
        for hash in hashes {
            entry.insert(hash.as_text()?.to_owned());
        }
    }
    Some(active)
}

fn write_pending(pending: &Pending) -> Value {
    Value::dict([
        ("c", Value::Bytes(pending.message.clone())),
        ("g", Value::Integer(pending.generation.into())),
        ("k", Value::Bytes(pending.key.expose().to_vec())),
    ])
}

fn read_pending(value: &Value) -> Option<Pending> {
    match (value.get("c")?, value.get("g")?, value.get("k")?) {
        (Value::Bytes(message), Value::Integer(generation), Value::Bytes(key)) => Some(Pending {
            message: message.clone(),
            generation: i64::try_from(*generation).ok()?,
            key: Secret::from_slice(key)?,
        }),
        _ => None,
    }
}
