//! What questions hold, read from JSON.

use std::error::Error;

use serde_json::Value;

/// What a command gives; an error ends nothing but the command.
pub type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// A text of a question.
pub fn text<'a>(question: &'a Value, name: &str) -> Outcome<&'a str> {
    question[name].as_str().ok_or_else(|| format!("the question has no text {name:?}").into())
}

/// Bytes of a question.
pub fn bytes(question: &Value, name: &str) -> Outcome<Vec<u8>> {
    Ok(hex::decode(text(question, name)?)?)
}

/// So many bytes of a question.
pub fn array<const N: usize>(question: &Value, name: &str) -> Outcome<[u8; N]> {
    sized(&bytes(question, name)?)
}

/// A list of bytes of a question.
pub fn list(question: &Value, name: &str) -> Outcome<Vec<Vec<u8>>> {
    let items =
        question[name].as_array().ok_or_else(|| format!("the question has no list {name:?}"))?;
    items.iter().map(|item| Ok(hex::decode(item.as_str().unwrap_or("?"))?)).collect()
}

/// A whole number of a question.
pub fn number(question: &Value, name: &str) -> Outcome<i64> {
    question[name].as_i64().ok_or_else(|| format!("the question has no number {name:?}").into())
}

/// So many bytes.
pub fn sized<const N: usize>(bytes: &[u8]) -> Outcome<[u8; N]> {
    bytes.try_into().map_err(|_| format!("{} bytes where {N} are due", bytes.len()).into())
}
