//! Tests of what all configurations share.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod conflicts;
mod encryption;
mod messages;

use super::diff::{Change, Diff};
use super::message::{Message, Trust};
use super::tree::{Dict, Scalar, Set, Value};

fn dict<const N: usize>(pairs: [(&str, Value); N]) -> Dict {
    pairs.into_iter().map(|(key, value)| (key.as_bytes().to_vec(), value)).collect()
}

fn nested<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Dict(dict(pairs))
}

fn set<const N: usize>(members: [Scalar; N]) -> Value {
    Value::Set(members.into())
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn hash(hex: &str) -> [u8; 32] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// Fills the places of hashes in a readable message.
fn message(template: &[&str], hashes: &[(&str, [u8; 32])]) -> Vec<u8> {
    let template = template.concat();
    let mut out = Vec::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap();
        out.extend_from_slice(before.as_bytes());
        out.extend_from_slice(b"32:");
        out.extend_from_slice(&hashes.iter().find(|(other, _)| *other == name).unwrap().1);
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn read(bytes: &[u8]) -> Message {
    Message::read(bytes, Trust::Unsigned).unwrap()
}

fn next(message: &Message) -> Message {
    message.clone().next(None).unwrap()
}

fn write(message: &mut Message) -> Vec<u8> {
    message.write(None).unwrap()
}

fn hash_of(message: &mut Message) -> [u8; 32] {
    message.rehash(None).unwrap();
    message.hash
}

/// A message in the making at `seqno`, its diff counting from nothing.
fn fresh(seqno: i64, data: Dict) -> Message {
    Message::merged(seqno, data, Default::default()).into_changing(Dict::new())
}

fn inner<'a>(message: &'a mut Message, key: &str) -> &'a mut Dict {
    match message.data.get_mut(key.as_bytes()).unwrap() {
        Value::Dict(dict) => dict,
        other => panic!("{other:?}"),
    }
}

fn inner_set<'a>(dict: &'a mut Dict, key: &str) -> &'a mut Set {
    match dict.get_mut(key.as_bytes()).unwrap() {
        Value::Set(set) => set,
        other => panic!("{other:?}"),
    }
}

fn put(dict: &mut Dict, key: &str, value: impl Into<Value>) {
    dict.insert(key.as_bytes().to_vec(), value.into());
}

fn diff<const N: usize>(changes: [(&str, Change); N]) -> Diff {
    changes.into_iter().map(|(key, change)| (key.as_bytes().to_vec(), change)).collect()
}
