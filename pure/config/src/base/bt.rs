//! Bencode with keys of raw bytes: how a configuration is written, signed and hashed.

use bendy::decoding::{Decoder, Object};

use super::tree::{Dict, Scalar, Set, Value};

/// How deep a document may nest. Configurations need 12.
const MAX_DEPTH: usize = 32;

/// The most values one document may hold; ten thousand contacts are some two hundred thousand.
const MAX_VALUES: usize = 1_000_000;

/// The bytes are no bencode: keys out of order, nested too deep, too many values or cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed bencode")]
pub struct BtError;

/// A decoded document, its byte strings still in the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bt<'a> {
    /// A number; those a configuration may hold have 64 bits.
    Integer(i128),
    /// A byte string.
    Bytes(&'a [u8]),
    /// A list.
    List(Vec<Bt<'a>>),
    /// A dictionary, its keys ascending.
    Dict(Vec<(&'a [u8], Bt<'a>)>),
}

impl<'a> Bt<'a> {
    /// Reads one canonical document with nothing behind it.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, BtError> {
        let mut decoder = Decoder::new(bytes).with_max_depth(MAX_DEPTH);
        let object = decoder.next_object().map_err(|_| BtError)?.ok_or(BtError)?;
        let mut left = MAX_VALUES;
        let value = convert(object, &mut left)?;
        match decoder.next_object() {
            Ok(None) => Ok(value),
            _ => Err(BtError),
        }
    }

    /// Reads the document at the beginning of the bytes, whatever lies behind it.
    pub(crate) fn read_prefix(bytes: &'a [u8]) -> Result<Self, BtError> {
        let mut decoder = Decoder::new(bytes).with_max_depth(MAX_DEPTH);
        let object = decoder.next_object().map_err(|_| BtError)?.ok_or(BtError)?;
        let mut left = MAX_VALUES;
        convert(object, &mut left)
    }

    /// A number of 64 bits.
    pub(crate) fn integer(&self) -> Result<i64, BtError> {
        match self {
            Self::Integer(number) => i64::try_from(*number).map_err(|_| BtError),
            _ => Err(BtError),
        }
    }

    pub(crate) fn bytes(&self) -> Result<&'a [u8], BtError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(BtError),
        }
    }

    pub(crate) fn list(&self) -> Result<&[Self], BtError> {
        match self {
            Self::List(items) => Ok(items),
            _ => Err(BtError),
        }
    }

    pub(crate) fn dict(&self) -> Result<&[(&'a [u8], Self)], BtError> {
        match self {
            Self::Dict(pairs) => Ok(pairs),
            _ => Err(BtError),
        }
    }

    /// What a dictionary holds under a key.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Self> {
        let Self::Dict(pairs) = self else { return None };
        pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Writes the document as it was read.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(number) => write_integer(out, *number),
            Self::Bytes(bytes) => write_bytes(out, bytes),
            Self::List(items) => {
                out.push(b'l');
                items.iter().for_each(|item| item.write(out));
                out.push(b'e');
            }
            Self::Dict(pairs) => {
                out.push(b'd');
                for (key, value) in pairs {
                    write_bytes(out, key);
                    value.write(out);
                }
                out.push(b'e');
            }
        }
    }
}

fn convert<'a>(object: Object<'_, 'a>, left: &mut usize) -> Result<Bt<'a>, BtError> {
    *left = left.checked_sub(1).ok_or(BtError)?;
    match object {
        Object::Bytes(bytes) => Ok(Bt::Bytes(bytes)),
        Object::Integer(digits) => digits.parse().map(Bt::Integer).map_err(|_| BtError),
        Object::List(mut list) => {
            let mut items = Vec::new();
            while let Some(item) = list.next_object().map_err(|_| BtError)? {
                items.push(convert(item, left)?);
            }
            Ok(Bt::List(items))
        }
        Object::Dict(mut dict) => {
            let mut pairs: Vec<(&[u8], Bt<'a>)> = Vec::new();
            while let Some((key, item)) = dict.next_pair().map_err(|_| BtError)? {
                if pairs.last().is_some_and(|(last, _)| *last >= key) {
                    return Err(BtError);
                }
                pairs.push((key, convert(item, left)?));
            }
            Ok(Bt::Dict(pairs))
        }
    }
}

pub(crate) fn write_integer(out: &mut Vec<u8>, number: impl Into<i128>) {
    out.extend_from_slice(format!("i{}e", number.into()).as_bytes());
}

pub(crate) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

pub(crate) fn write_scalar(out: &mut Vec<u8>, scalar: &Scalar) {
    match scalar {
        Scalar::Integer(number) => write_integer(out, *number),
        Scalar::Bytes(bytes) => write_bytes(out, bytes),
    }
}

/// Writes a list of plain values.
pub(crate) fn write_list<'a>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'a Scalar>) {
    out.push(b'l');
    items.into_iter().for_each(|item| write_scalar(out, item));
    out.push(b'e');
}

/// Writes a list of texts.
pub(crate) fn write_texts<'a>(out: &mut Vec<u8>, items: impl IntoIterator<Item = &'a String>) {
    out.push(b'l');
    items.into_iter().for_each(|item| write_bytes(out, item.as_bytes()));
    out.push(b'e');
}

/// Writes a tree.
pub(crate) fn write_tree(out: &mut Vec<u8>, dict: &Dict) {
    out.push(b'd');
    for (key, value) in dict {
        write_bytes(out, key);
        match value {
            Value::Scalar(scalar) => write_scalar(out, scalar),
            Value::Set(set) => write_list(out, set),
            Value::Dict(inner) => write_tree(out, inner),
        }
    }
    out.push(b'e');
}

/// Reads a tree. Empty dictionaries and sets have no place in it, but for the outermost.
pub(crate) fn read_tree(pairs: &[(&[u8], Bt<'_>)]) -> Result<Dict, BtError> {
    pairs.iter().map(|(key, value)| Ok((key.to_vec(), read_value(value)?))).collect()
}

fn read_value(value: &Bt<'_>) -> Result<Value, BtError> {
    match value {
        Bt::Integer(_) | Bt::Bytes(_) => Ok(Value::Scalar(read_scalar(value)?)),
        Bt::List(items) if !items.is_empty() => {
            Ok(Value::Set(read_sorted(items)?.into_iter().collect::<Set>()))
        }
        Bt::Dict(pairs) if !pairs.is_empty() => Ok(Value::Dict(read_tree(pairs)?)),
        Bt::List(_) | Bt::Dict(_) => Err(BtError),
    }
}

fn read_scalar(value: &Bt<'_>) -> Result<Scalar, BtError> {
    match value {
        Bt::Integer(_) => value.integer().map(Scalar::Integer),
        _ => value.bytes().map(Scalar::from),
    }
}

/// Reads plain values that ascend: numbers first, nothing twice.
pub(crate) fn read_sorted(items: &[Bt<'_>]) -> Result<Vec<Scalar>, BtError> {
    let mut scalars: Vec<Scalar> = Vec::with_capacity(items.len());
    for item in items {
        let scalar = read_scalar(item)?;
        if scalars.last().is_some_and(|last| *last >= scalar) {
            return Err(BtError);
        }
        scalars.push(scalar);
    }
    Ok(scalars)
}
