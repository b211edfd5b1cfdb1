//! The exact texts that people and nodes sign: ASCII, concatenated, numbers in decimal (wire spec, section 4).

use crate::id::{AccountId, MessageHash};
use crate::limits::Millis;
use crate::namespace::Namespace;

/// What an owner signs to store where not everyone may.
pub fn store(namespace: Namespace, timestamp: Millis) -> String {
    format!("store{}{timestamp}", namespace.signed_form())
}

/// What an owner signs to retrieve.
pub fn retrieve(namespace: Namespace, timestamp: Millis) -> String {
    format!("retrieve{}{timestamp}", namespace.signed_form())
}

/// What an owner signs to delete messages by hash.
pub fn delete(hashes: &[MessageHash]) -> String {
    let mut text = "delete".to_owned();
    append(&mut text, hashes);
    text
}

/// What a node signs for having stored a message.
pub fn stored(hash: &MessageHash) -> String {
    hash.to_string()
}

/// What a node signs for having deleted: who, what was asked, what was there.
pub fn deleted(owner: &AccountId, requested: &[MessageHash], deleted: &[MessageHash]) -> String {
    let mut text = owner.to_string();
    append(&mut text, requested);
    append(&mut text, deleted);
    text
}

fn append(text: &mut String, hashes: &[MessageHash]) {
    for hash in hashes {
        text.push_str(&hash.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_zero_leaves_no_digit_in_a_signed_text() {
        assert_eq!(store(Namespace::DIRECT, 1_700_000_000_000), "store1700000000000");
        assert_eq!(retrieve(Namespace::new(-21), 5), "retrieve-215");
    }
}
