//! Configurations pushed and merged between devices, with the published vectors of libsession.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

#[path = "synced/bookkeeping.rs"]
mod bookkeeping;
#[path = "synced/contacts.rs"]
mod contacts;
#[path = "synced/convergence.rs"]
mod convergence;
#[path = "synced/conversations.rs"]
mod conversations;
#[path = "synced/group_info.rs"]
mod group_info;
#[path = "synced/group_members.rs"]
mod group_members;
#[path = "synced/large.rs"]
mod large;
#[path = "synced/profile.rs"]
mod profile;
#[path = "synced/tampering.rs"]
mod tampering;
#[path = "synced/user_groups.rs"]
mod user_groups;

use std::collections::BTreeSet;

use warren_config::base::seal;
use warren_config::{Push, Synced};
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_wire::{AccountId, Millis};

/// The seed of libsession's tests.
const SEED: &str = "0123456789abcdef0123456789abcdef00000000000000000000000000000000";

/// The seed of its groups.
const GROUP_SEED: &str = "0123456789abcdef0123456789abcdeffedcba9876543210fedcba9876543210";

const NOW: Millis = 1_700_000_000_000;

fn seed() -> Secret<32> {
    secret(SEED)
}

fn secret(hex: &str) -> Secret<32> {
    Secret::from_slice(&hex::decode(hex).unwrap()).unwrap()
}

fn group_key() -> SigningKey {
    SigningKey::from_seed(secret(GROUP_SEED)).unwrap()
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

/// The id whose digits behind the prefix are all the same.
fn same(prefix: &str, digit: char) -> AccountId {
    id(&format!("{prefix}{}", digit.to_string().repeat(64)))
}

fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

fn obsolete(push: &Push) -> BTreeSet<String> {
    push.obsolete.iter().cloned().collect()
}

/// Pushes, and has the swarm keep it under a hash.
fn pushed(config: &mut dyn Synced, hash: &str) -> Push {
    let push = config.push(NOW).unwrap();
    config.confirm_pushed(push.seqno, vec![hash.to_owned()]);
    push
}

/// Hands messages to another device.
fn merged(config: &mut dyn Synced, messages: &[(&str, &Push)]) -> BTreeSet<String> {
    let messages: Vec<(String, Vec<u8>)> = messages
        .iter()
        .map(|(hash, push)| ((*hash).to_owned(), push.messages[0].clone()))
        .collect();
    config.merge(&messages, NOW).unwrap()
}

/// The message inside a push.
fn opened(config: &dyn Synced, push: &Push, key: &Secret<32>) -> String {
    let plain = seal::open(&push.messages[0], key, config.config().kind().domain).unwrap();
    let start = plain.iter().position(|byte| *byte != 0).unwrap();
    let unfolded = match &plain[start..] {
        [b'z', packed @ ..] => zstd::stream::decode_all(packed).unwrap(),
        plain => plain.to_vec(),
    };
    unfolded.escape_ascii().to_string()
}
