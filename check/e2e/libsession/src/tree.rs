//! The data of a configuration as JSON: `{"i": 5}`, `{"s": "68656c6c6f"}`, `{"t": [...]}` for a set,
//! `{"d": {"6b6579": ...}}` for a dictionary.

use libsession::config::config_message::{ConfigData, ConfigValue, ScalarValue};
use serde_json::{Map, Value, json};

use crate::values::Outcome;

/// A dictionary as JSON.
pub fn write(data: &ConfigData) -> Value {
    let entry = |(key, value): (&Vec<u8>, &ConfigValue)| (hex::encode(key), write_value(value));
    json!({ "d": data.iter().map(entry).collect::<Map<_, _>>() })
}

fn write_value(value: &ConfigValue) -> Value {
    match value {
        ConfigValue::Integer(number) => json!({ "i": number }),
        ConfigValue::String(bytes) => json!({ "s": hex::encode(bytes) }),
        ConfigValue::Set(items) => {
            json!({ "t": items.iter().map(write_scalar).collect::<Vec<_>>() })
        }
        ConfigValue::Dict(data) => write(data),
    }
}

fn write_scalar(value: &ScalarValue) -> Value {
    match value {
        ScalarValue::Integer(number) => json!({ "i": number }),
        ScalarValue::String(bytes) => json!({ "s": hex::encode(bytes) }),
    }
}

/// The dictionary in JSON.
pub fn read(value: &Value) -> Outcome<ConfigData> {
    let entries = value["d"].as_object().ok_or("no dictionary")?;
    entries.iter().map(|(key, value)| Ok((hex::decode(key)?, read_value(value)?))).collect()
}

fn read_value(value: &Value) -> Outcome<ConfigValue> {
    if value["d"].is_object() {
        return read(value).map(ConfigValue::Dict);
    }
    if let Some(items) = value["t"].as_array() {
        let mut items: Vec<_> = items.iter().map(read_scalar).collect::<Outcome<_>>()?;
        items.sort();
        return Ok(ConfigValue::Set(items));
    }
    Ok(match read_scalar(value)? {
        ScalarValue::Integer(number) => ConfigValue::Integer(number),
        ScalarValue::String(bytes) => ConfigValue::String(bytes),
    })
}

fn read_scalar(value: &Value) -> Outcome<ScalarValue> {
    match (value["i"].as_i64(), value["s"].as_str()) {
        (Some(number), _) => Ok(ScalarValue::Integer(number)),
        (_, Some(digits)) => Ok(ScalarValue::String(hex::decode(digits)?)),
        _ => Err(format!("no value: {value}").into()),
    }
}
