//! The tree of values that a configuration holds: numbers, byte strings, sets and dictionaries.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A dictionary, sorted by the bytes of its keys.
pub type Dict = BTreeMap<Vec<u8>, Value>;

/// A set of plain values, numbers before byte strings.
pub type Set = BTreeSet<Scalar>;

/// A plain value. The order of the variants is the order within a set.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// A whole number.
    Integer(i64),
    /// Text or raw bytes.
    Bytes(Vec<u8>),
}

/// What a key of a dictionary leads to.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A plain value.
    Scalar(Scalar),
    /// A set; an empty one is the same as none.
    Set(Set),
    /// A dictionary; an empty one is the same as none.
    Dict(Dict),
}

impl Value {
    /// The number, where it is one.
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Scalar(Scalar::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// The byte string, where it is one.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Scalar(Scalar::Bytes(bytes)) => Some(bytes),
            _ => None,
        }
    }

    /// The set, where it is one.
    pub const fn as_set(&self) -> Option<&Set> {
        match self {
            Self::Set(set) => Some(set),
            _ => None,
        }
    }

    /// The dictionary, where it is one.
    pub const fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// Whether it is a set or dictionary with nothing in it.
    pub fn is_empty_container(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::Set(set) => set.is_empty(),
            Self::Dict(dict) => dict.is_empty(),
        }
    }
}

impl fmt::Debug for Scalar {
    /// Says how long bytes are, not what: among them are keys and names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => scalar.fmt(f),
            Self::Set(set) => set.fmt(f),
            Self::Dict(dict) => f.debug_list().entries(dict.values()).finish(),
        }
    }
}

impl From<i64> for Scalar {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<&[u8]> for Scalar {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Scalar(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Scalar(text.into())
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Scalar(bytes.into())
    }
}

/// What lies at the end of a path of keys.
pub fn at<'a>(dict: &'a Dict, path: &[&[u8]]) -> Option<&'a Value> {
    let (last, way) = path.split_last()?;
    let mut dict = dict;
    for key in way {
        dict = dict.get(*key)?.as_dict()?;
    }
    dict.get(*last)
}

/// The place at the end of a path, with dictionaries made along it where there are none.
pub(crate) fn make_place<'a>(dict: &'a mut Dict, path: &[&[u8]]) -> Option<&'a mut Value> {
    let (last, way) = path.split_last()?;
    let mut dict = dict;
    for key in way {
        let value = dict.entry(key.to_vec()).or_insert_with(|| Value::Dict(Dict::new()));
        if value.as_dict().is_none() {
            *value = Value::Dict(Dict::new());
        }
        let Value::Dict(inner) = value else { return None };
        dict = inner;
    }
    Some(dict.entry(last.to_vec()).or_insert_with(|| Value::Dict(Dict::new())))
}

/// Removes what lies at the end of a path.
pub(crate) fn remove(dict: &mut Dict, path: &[&[u8]]) {
    let Some((last, way)) = path.split_last() else { return };
    let mut dict = dict;
    for key in way {
        match dict.get_mut(*key) {
            Some(Value::Dict(inner)) => dict = inner,
            _ => return,
        }
    }
    dict.remove(*last);
}

/// Removes empty sets and dictionaries, and those that are empty once their parts are removed.
pub fn prune(dict: &mut Dict) {
    dict.retain(|_, value| {
        if let Value::Dict(inner) = value {
            prune(inner);
        }
        !value.is_empty_container()
    });
}
