//! Reads JSON into a [`Value`] and counts as it reads, so that few bytes cannot become much memory.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::limits::{MAX_CONTAINERS, MAX_VALUES};
use crate::value::{Dict, Value};

/// Reads one document of at most [`MAX_VALUES`] values, [`MAX_CONTAINERS`] of them lists or
/// dictionaries, nested 128 levels deep at most.
///
/// # Errors
/// Where the bytes are no JSON, or hold more values or levels.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let left = Left { values: Cell::new(MAX_VALUES), containers: Cell::new(MAX_CONTAINERS) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Counted(&left).deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// How many more there may be.
struct Left {
    values: Cell<usize>,
    containers: Cell<usize>,
}

fn take<E: Error>(left: &Cell<usize>) -> Result<(), E> {
    left.set(left.get().checked_sub(1).ok_or_else(|| E::custom("too many values"))?);
    Ok(())
}

/// Reads one value and those in it.
struct Counted<'a>(&'a Left);

impl<'de> DeserializeSeed<'de> for Counted<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        take(&self.0.values)?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Counted<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Integer(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        take(&self.0.containers)?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Counted(self.0))? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Value, A::Error> {
        take(&self.0.containers)?;
        let mut dict = Dict::new();
        while let Some(key) = pairs.next_key::<String>()? {
            dict.insert(key, pairs.next_value_seed(Counted(self.0))?);
        }
        Ok(Value::Dict(dict))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn zeros(count: usize) -> String {
        format!("[{}]", vec!["0"; count].join(","))
    }

    #[test]
    fn very_many_values_are_refused_and_large_ones_are_not() {
        assert!(read(zeros(MAX_VALUES - 1).as_bytes()).is_ok());
        assert!(read(zeros(MAX_VALUES).as_bytes()).is_err());
        assert!(read(zeros(5_000_000).as_bytes()).is_err());
        let pairs = |count: usize, value: &str| {
            let pairs: Vec<String> = (0..count).map(|n| format!("\"{n}\":{value}")).collect();
            format!("{{{}}}", pairs.join(","))
        };
        assert!(read(pairs(MAX_CONTAINERS - 1, "{}").as_bytes()).is_ok());
        assert!(read(pairs(MAX_CONTAINERS, "{}").as_bytes()).is_err());
        assert!(read(pairs(MAX_CONTAINERS, "[]").as_bytes()).is_err());
        assert!(read(pairs(MAX_CONTAINERS, "0").as_bytes()).is_ok());
        let long = format!("\"{}\"", "x".repeat(1_000_000));
        assert!(read(long.as_bytes()).is_ok());
    }

    fn number_or_text() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<f64>().prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            any::<i64>().prop_map(|number| number.to_string()),
            r#"[-0-9.eE\[\]{}:,"a-c\\ntrul ]{0,24}"#,
        ]
    }

    proptest! {
        #[test]
        fn a_document_reads_as_it_would_without_counting(text in number_or_text()) {
            let plain = serde_json::from_str::<serde_json::Value>(&text).ok().map(Value::from);
            prop_assert_eq!(read(text.as_bytes()).ok(), plain);
        }
    }
}
