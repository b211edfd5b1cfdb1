//! The exact texts that people and nodes sign: concatenated, numbers in decimal (wire spec, section 4).
//!
//! All but the subaccounts' tokens, which are raw bytes, is ASCII.

use crate::id::{AccountId, MessageHash, MessageName};
use crate::limits::Millis;
use crate::namespace::Namespace;
use crate::record::{ExpireMode, SubaccountToken};
use crate::rpc::{
    DeleteAllRequest, DeleteBeforeRequest, ExpireAllRequest, ExpireRequest, GetExpiriesRequest,
    OrderRequest, RevokeRequest,
};

/// What an owner signs to store where not everyone may.
pub fn store(namespace: Namespace, timestamp: Millis) -> String {
    format!("store{}{timestamp}", namespace.signed_form())
}

/// What an owner signs to retrieve.
pub fn retrieve(namespace: Namespace, timestamp: Millis) -> String {
    format!("retrieve{}{timestamp}", namespace.signed_form())
}

/// What an owner signs to see when messages expire.
pub fn get_expiries(request: &GetExpiriesRequest) -> String {
    format!("get_expiries{}{}", request.timestamp, request.messages.concat())
}

/// What an owner signs to see which subaccounts are revoked.
pub fn revoked_subaccounts(timestamp: Millis) -> String {
    format!("revoked_subaccounts{timestamp}")
}

/// What an owner signs to change what is in the mailbox.
pub fn order(request: &OrderRequest) -> Vec<u8> {
    match request {
        OrderRequest::Delete(request) => delete(&request.messages).into_bytes(),
        OrderRequest::DeleteAll(request) => delete_all(request).into_bytes(),
        OrderRequest::DeleteBefore(request) => delete_before(request).into_bytes(),
        OrderRequest::Expire(request) => expire(request).into_bytes(),
        OrderRequest::ExpireAll(request) => expire_all(request).into_bytes(),
        OrderRequest::Revoke(request) => with_tokens("revoke_subaccount", request),
        OrderRequest::Unrevoke(request) => with_tokens("unrevoke_subaccount", request),
    }
}

/// What an owner signs to delete messages by name.
pub fn delete(messages: &[impl ToString]) -> String {
    let mut text = "delete".to_owned();
    append(&mut text, messages);
    text
}

fn delete_all(request: &DeleteAllRequest) -> String {
    format!("delete_all{}{}", request.drawers.signed_form(), request.timestamp)
}

fn delete_before(request: &DeleteBeforeRequest) -> String {
    format!("delete_before{}{}", request.drawers.signed_form(), request.before)
}

fn expire(request: &ExpireRequest) -> String {
    let mut text = match request.mode {
        ExpireMode::Set => "expire".to_owned(),
        ExpireMode::Extend => "expireextend".to_owned(),
        ExpireMode::Shorten => "expireshorten".to_owned(),
    };
    append(&mut text, &request.expiries);
    append(&mut text, &request.messages);
    text
}

fn expire_all(request: &ExpireAllRequest) -> String {
    format!("expire_all{}{}", request.drawers.signed_form(), request.expiry)
}

fn with_tokens(method: &str, request: &RevokeRequest) -> Vec<u8> {
    let mut text = format!("{method}{}", request.timestamp).into_bytes();
    append_tokens(&mut text, &request.tokens);
    text
}

/// What a node signs for having stored a message.
pub fn stored(hash: &MessageHash) -> String {
    hash.to_string()
}

/// What a node signs for having deleted by name: who, what was asked, what was there.
pub fn deleted(owner: &AccountId, requested: &[impl ToString], deleted: &[MessageHash]) -> String {
    let mut text = owner.to_string();
    append(&mut text, requested);
    append(&mut text, deleted);
    text
}

/// What a node signs for having emptied drawers, or let all in them expire: who, the time that the
/// request names, what was there.
pub fn swept(owner: &AccountId, time: Millis, hashes: &[MessageHash]) -> String {
    let mut text = format!("{owner}{time}");
    append(&mut text, hashes);
    text
}

/// What a node signs for having moved expiries: who, to when, what was asked, what was moved, what
/// stayed and when that expires.
pub fn expired(
    owner: &AccountId,
    expiries: &[Millis],
    requested: &[MessageName],
    updated: &[MessageHash],
    unchanged: &[(MessageHash, Millis)],
) -> String {
    let mut text = owner.to_string();
    append(&mut text, expiries);
    append(&mut text, requested);
    append(&mut text, updated);
    for (hash, expiry) in unchanged {
        append(&mut text, &[hash]);
        append(&mut text, &[expiry]);
    }
    text
}

/// What a node signs for having revoked subaccounts, or given them back their rights.
pub fn revoked(owner: &AccountId, time: Millis, tokens: &[SubaccountToken]) -> Vec<u8> {
    let mut text = format!("{owner}{time}").into_bytes();
    append_tokens(&mut text, tokens);
    text
}

fn append(text: &mut String, parts: &[impl ToString]) {
    for part in parts {
        text.push_str(&part.to_string());
    }
}

fn append_tokens(text: &mut Vec<u8>, tokens: &[SubaccountToken]) {
    for token in tokens {
        text.extend_from_slice(&token.0);
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
