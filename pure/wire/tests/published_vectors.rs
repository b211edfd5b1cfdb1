//! Published vectors of the storage wire: positions on the swarm ring, the message hash.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use warren_wire::swarm::{self, SwarmId};
use warren_wire::{AccountId, MessageHash, Namespace};

fn vectors() -> serde_json::Value {
    serde_json::from_str(include_str!("../../../spec/vectors/storage.json")).unwrap()
}

#[test]
fn accounts_sit_where_the_reference_puts_them() {
    for row in vectors()["positions"].as_array().unwrap() {
        let account: AccountId = row[0].as_str().unwrap().parse().unwrap();
        assert_eq!(swarm::position(&account), row[1].as_u64().unwrap(), "{account}");
    }
}

#[test]
fn the_nearest_swarm_is_the_one_the_reference_picks() {
    let vectors = vectors();
    let ids: Vec<SwarmId> = vectors["swarms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|id| SwarmId(id.as_u64().unwrap()))
        .collect();
    for row in vectors["nearest"].as_array().unwrap() {
        let nearest = swarm::nearest(row[0].as_u64().unwrap(), ids.iter().copied());
        assert_eq!(nearest, Some(SwarmId(row[1].as_u64().unwrap())), "{row}");
    }
    assert_eq!(swarm::nearest(5, []), None);
    assert_eq!(swarm::nearest(5, [swarm::INVALID_SWARM]), None);
}

#[test]
fn a_message_hash_covers_owner_namespace_and_data() {
    let account: AccountId =
        "05ffba630924aa1224bb930dde21c0d11bf004608f2812217f8ac812d6c7e3ad48".parse().unwrap();
    let hash = |namespace, data: &[u8]| {
        MessageHash::compute(&account, Namespace::new(namespace), data).unwrap().to_string()
    };
    // Computed with Python's hashlib.blake2b(digest_size=32).
    assert_eq!(hash(0, b"hello"), "tse7cPdGXVWduXXcEKR/FS0RYFBYv/dQ0HmjzQMyqQo");
    assert_eq!(hash(-21, b"hello"), "ZMgwtZqS7YIR5VF5JBHlOF2GnV/DFFWQNKNdlwc/kd0");
}
