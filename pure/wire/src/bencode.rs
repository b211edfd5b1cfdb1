//! Bencode ("bt-encoding"): how nodes write dictionaries of raw bytes to each other.

use std::collections::BTreeMap;

use bendy::decoding::{Decoder, Object};
use bendy::encoding::{Encoder, SingleItemEncoder};

use crate::limits::{MAX_BENCODE_CONTAINERS, MAX_BENCODE_VALUES};
use crate::value::Value;

/// How deep a document may nest. Requests need 6 (a batch of dictionaries of lists).
const MAX_DEPTH: usize = 16;

/// Why bytes are no bencode, or a value cannot be written as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BencodeError {
    /// Not bencode, keys out of order, nested too deep, of too many values or followed by more bytes.
    #[error("malformed bencode")]
    Malformed,
    /// A dictionary key that is not UTF-8.
    #[error("a key of the dictionary is not text")]
    KeyNotText,
    /// An integer beyond 128 bits.
    #[error("an integer is out of range")]
    IntegerRange,
    /// A fraction or a null, for which bencode has no form.
    #[error("the value has no form in bencode")]
    NotRepresentable,
}

/// Reads one canonical document: sorted unique keys, at most 16 levels and [`MAX_BENCODE_VALUES`]
/// values, [`MAX_BENCODE_CONTAINERS`] of them lists or dictionaries, nothing behind it.
///
/// Byte strings become [`Value::Bytes`].
///
/// # Errors
/// Where any of that does not hold.
pub fn decode(bytes: &[u8]) -> Result<Value, BencodeError> {
    let mut decoder = Decoder::new(bytes).with_max_depth(MAX_DEPTH);
    let object = decoder.next_object().map_err(|_| BencodeError::Malformed)?;
    let mut left = Left { values: MAX_BENCODE_VALUES, containers: MAX_BENCODE_CONTAINERS };
    let value = read(object.ok_or(BencodeError::Malformed)?, &mut left)?;
    match decoder.next_object() {
        Ok(None) => Ok(value),
        _ => Err(BencodeError::Malformed),
    }
}

/// How many more there may be.
struct Left {
    values: usize,
    containers: usize,
}

fn take(left: &mut usize) -> Result<(), BencodeError> {
    *left = left.checked_sub(1).ok_or(BencodeError::Malformed)?;
    Ok(())
}

/// Reads a value and those in it.
fn read(object: Object<'_, '_>, left: &mut Left) -> Result<Value, BencodeError> {
    take(&mut left.values)?;
    if matches!(object, Object::List(_) | Object::Dict(_)) {
        take(&mut left.containers)?;
    }
    match object {
        Object::Bytes(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        Object::Integer(digits) => {
            digits.parse().map(Value::Integer).map_err(|_| BencodeError::IntegerRange)
        }
        Object::List(mut list) => {
            let mut items = Vec::new();
            while let Some(item) = list.next_object().map_err(|_| BencodeError::Malformed)? {
                items.push(read(item, left)?);
            }
            Ok(Value::List(items))
        }
        Object::Dict(mut pairs) => {
            let mut dict = BTreeMap::new();
            while let Some((key, item)) = pairs.next_pair().map_err(|_| BencodeError::Malformed)? {
                let key = std::str::from_utf8(key).map_err(|_| BencodeError::KeyNotText)?;
                dict.insert(key.to_owned(), read(item, left)?);
            }
            Ok(Value::Dict(dict))
        }
    }
}

/// Writes the canonical form: texts and bytes alike as byte strings, booleans as 1 and 0.
///
/// # Errors
/// Where the tree holds a null or a fraction, or nests deeper than 16 levels.
pub fn encode(value: &Value) -> Result<Vec<u8>, BencodeError> {
    if !representable(value) {
        return Err(BencodeError::NotRepresentable);
    }
    let mut encoder = Encoder::new().with_max_depth(MAX_DEPTH);
    encoder.emit_with(|item| write(item, value)).map_err(|_| BencodeError::NotRepresentable)?;
    encoder.get_output().map_err(|_| BencodeError::NotRepresentable)
}

fn representable(value: &Value) -> bool {
    match value {
        Value::Null | Value::Float(_) => false,
        Value::List(items) => items.iter().all(representable),
        Value::Dict(dict) => dict.values().all(representable),
        Value::Bool(_) | Value::Integer(_) | Value::Text(_) | Value::Bytes(_) => true,
    }
}

fn write(item: SingleItemEncoder<'_>, value: &Value) -> Result<(), bendy::encoding::Error> {
    match value {
        Value::Null | Value::Float(_) => item.emit_bytes(&[]),
        Value::Bool(value) => item.emit_int(u8::from(*value)),
        Value::Integer(value) => item.emit_int(*value),
        Value::Text(text) => item.emit_str(text),
        Value::Bytes(bytes) => item.emit_bytes(bytes),
        Value::List(items) => item.emit_list(|list| {
            items.iter().try_for_each(|value| list.emit_with(|item| write(item, value)))
        }),
        Value::Dict(dict) => item.emit_dict(|mut pairs| {
            dict.iter().try_for_each(|(key, value)| {
                pairs.emit_pair_with(key.as_bytes(), |item| write(item, value))
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map(".{0,8}", inner, 0..6).prop_map(Value::Dict),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in tree()) {
            prop_assert_eq!(decode(&encode(&value).unwrap()).unwrap(), value);
        }

        #[test]
        fn any_bytes_read_as_a_value_or_an_error(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn a_mutated_document_reads_as_a_value_or_an_error(
            value in tree(),
            at: prop::sample::Index,
            byte: u8,
            cut: prop::sample::Index,
        ) {
            let mut bytes = encode(&value).unwrap();
            let position = at.index(bytes.len());
            bytes[position] = byte;
            if let Ok(back) = decode(&bytes) {
                prop_assert_eq!(encode(&back).unwrap(), bytes.clone());
            }
            bytes.truncate(cut.index(bytes.len()));
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn a_document_is_refused_that_is_not_canonical() {
        for bad in [
            &b""[..],
            b"d1:b0:1:a0:e",
            b"d1:a0:1:a0:e",
            b"i-0e",
            b"i01e",
            b"i1ei2e",
            b"d1:a",
            b"5:ab",
            b"99999999999999999999:a",
            b"i999999999999999999999999999999999999999999e",
            b"li1e",
            b"x",
        ] {
            assert!(decode(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn very_many_values_are_refused_and_large_ones_are_not() {
        let lists = |count: usize| ["l", &"le".repeat(count), "e"].concat();
        assert!(decode(lists(MAX_BENCODE_CONTAINERS - 1).as_bytes()).is_ok());
        assert!(decode(lists(MAX_BENCODE_CONTAINERS).as_bytes()).is_err());
        let empty = |count: usize| ["l", &"0:".repeat(count), "e"].concat();
        assert!(decode(empty(MAX_BENCODE_VALUES - 1).as_bytes()).is_ok());
        for count in [MAX_BENCODE_VALUES, 5_000_000] {
            assert_eq!(decode(empty(count).as_bytes()), Err(BencodeError::Malformed));
        }
        assert!(decode(format!("1000000:{}", "x".repeat(1_000_000)).as_bytes()).is_ok());
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert_eq!(decode(&[b'l'; 1_000_000]), Err(BencodeError::Malformed));
        assert_eq!(encode(&Value::Null), Err(BencodeError::NotRepresentable));
    }
}
