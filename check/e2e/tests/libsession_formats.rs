//! What libsession for Rust, a library that nobody here wrote, writes is read here, and the other way
//! round: configurations and how they are joined, group messages and keys.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

#[path = "libsession_formats/convergence.rs"]
mod convergence;
#[path = "libsession_formats/groups.rs"]
mod groups;
#[path = "libsession_formats/kinds.rs"]
mod kinds;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value as Json, json};
use warren_config::base::tree::{Dict, Scalar, Set, Value};
use warren_crypto::{Entropy, Secret, SystemEntropy};
use warren_e2e::Libsession;
use warren_wire::Millis;

const NOW: Millis = 1_800_000_000_000;

/// libsession without a network.
fn libsession() -> Libsession {
    Libsession::start("http://127.0.0.1:1")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

fn secret(mut bytes: [u8; 32]) -> Secret<32> {
    Secret::take(&mut bytes)
}

fn bytes(answer: &Json) -> Vec<u8> {
    hex::decode(answer.as_str().unwrap()).unwrap()
}

/// One value of a strategy.
fn drawn<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> T {
    strategy.new_tree(runner).unwrap().current()
}

/// The data of a configuration, as libsession's program takes and gives it.
fn to_json(data: &Dict) -> Json {
    let entry = |(key, value): (&Vec<u8>, &Value)| (hex::encode(key), value_to_json(value));
    json!({ "d": data.iter().map(entry).collect::<Map<_, _>>() })
}

fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Scalar(scalar) => scalar_to_json(scalar),
        Value::Set(set) => json!({ "t": set.iter().map(scalar_to_json).collect::<Vec<_>>() }),
        Value::Dict(dict) => to_json(dict),
    }
}

fn scalar_to_json(scalar: &Scalar) -> Json {
    match scalar {
        Scalar::Integer(number) => json!({ "i": number }),
        Scalar::Bytes(bytes) => json!({ "s": hex::encode(bytes) }),
    }
}

fn from_json(data: &Json) -> Dict {
    let entries = data["d"].as_object().unwrap().iter();
    entries.map(|(key, value)| (hex::decode(key).unwrap(), value_from_json(value))).collect()
}

fn value_from_json(value: &Json) -> Value {
    if value["d"].is_object() {
        return Value::Dict(from_json(value));
    }
    match value["t"].as_array() {
        Some(items) => Value::Set(items.iter().map(scalar_from_json).collect::<Set>()),
        None => Value::Scalar(scalar_from_json(value)),
    }
}

fn scalar_from_json(value: &Json) -> Scalar {
    match value["i"].as_i64() {
        Some(number) => Scalar::Integer(number),
        None => Scalar::Bytes(bytes(&value["s"])),
    }
}
