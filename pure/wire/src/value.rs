//! A tree of values that two encodings share: JSON, where bytes are base64, and bencode, where they are raw.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

use crate::json;

/// Reads base64 with and without padding, whatever the bits behind the last byte, as the reference
/// node does.
const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes standard base64, padded or not.
pub fn decode_base64(text: &str) -> Option<Vec<u8>> {
    LENIENT_BASE64.decode(text).ok()
}

/// A dictionary, sorted by key as bencode demands.
pub type Dict = BTreeMap<String, Value>;

/// One value of a request or reply.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// JSON's null; counts as absent.
    Null,
    /// True or false; 1 or 0 in bencode, which has no booleans.
    Bool(bool),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction; no field on this wire has one.
    Float(f64),
    /// Text, which in JSON may be base64 of bytes.
    Text(String),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Value>),
    /// A dictionary.
    Dict(Dict),
}

impl Value {
    /// Reads JSON.
    ///
    /// # Errors
    /// Where the bytes are no JSON, hold more than [`MAX_VALUES`](crate::limits::MAX_VALUES) values,
    /// more lists and dictionaries than [`MAX_CONTAINERS`](crate::limits::MAX_CONTAINERS), or nest deeper than 128 levels.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        json::read(bytes)
    }

    /// Writes JSON; bytes become padded base64.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Integer(value) => json_integer(*value),
            Self::Float(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Bytes(bytes) => STANDARD.encode(bytes).into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Dict(dict) => {
                dict.iter().map(|(key, value)| (key.clone(), value.to_json())).collect()
            }
        }
    }

    /// A dictionary of pairs.
    pub fn dict<const N: usize>(pairs: [(&str, Self); N]) -> Self {
        Self::Dict(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The dictionary, where it is one.
    pub fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    /// What a dictionary holds under `key`; `None` for anything but a dictionary.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_dict().and_then(|dict| dict.get(key))
    }

    /// The text; bytes that are UTF-8 count, because bencode knows no difference.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Bytes, raw or from base64.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes.clone()),
            Self::Text(text) => decode_base64(text),
            _ => None,
        }
    }

    /// The whole number, where it is one.
    pub const fn as_integer(&self) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }
}

/// JSON numbers hold 64 bits; what is larger has no place in a reply.
fn json_integer(value: i128) -> serde_json::Value {
    if let Ok(value) = u64::try_from(value) {
        value.into()
    } else if let Ok(value) = i64::try_from(value) {
        value.into()
    } else {
        serde_json::Value::Null
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => number
                .as_u64()
                .map(i128::from)
                .or_else(|| number.as_i64().map(i128::from))
                .map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Integer),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(items) => {
                Self::List(items.into_iter().map(Self::from).collect())
            }
            serde_json::Value::Object(map) => {
                Self::Dict(map.into_iter().map(|(key, value)| (key, value.into())).collect())
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i16> for Value {
    fn from(value: i16) -> Self {
        Self::Integer(value.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64_in_json_and_are_read_with_or_without_padding() {
        let value = Value::dict([("data", Value::Bytes(vec![1, 2, 3, 4]))]);
        let json = value.to_json().to_string();
        assert_eq!(json, r#"{"data":"AQIDBA=="}"#);
        let back = Value::from_json(json.as_bytes()).unwrap();
        assert_eq!(back.get("data").unwrap().to_bytes().unwrap(), [1, 2, 3, 4]);
        assert_eq!(Value::from("AQIDBA").to_bytes().unwrap(), [1, 2, 3, 4]);
        assert_eq!(Value::from("AQID*A").to_bytes(), None);
    }

    #[test]
    fn a_swarm_id_above_63_bits_survives() {
        let json = format!("{{\"swarm_id\":{}}}", u64::MAX - 1);
        let value = Value::from_json(json.as_bytes()).unwrap();
        assert_eq!(value.to_json().to_string(), json);
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let deep = [b'['; 100_000];
        assert!(Value::from_json(&deep).is_err());
    }
}
