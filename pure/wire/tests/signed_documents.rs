//! Requests that carry a node's signature: what swarm members pass on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_wire::limits::FORWARDED_TOLERANCE;
use warren_wire::rpc::peer::{self, PeerError};
use warren_wire::{NodeId, Stamp, Value};

const NOW: u64 = 1_700_000_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

fn id(seed: u8) -> NodeId {
    NodeId::from_bytes(*key(seed).verifying_key().as_bytes())
}

#[test]
fn a_passed_on_request_is_obeyed_by_its_receiver_in_its_time_alone() {
    let to = id(2);
    let stamp = Some(Stamp(u64::MAX));
    let sealed = peer::seal("delete", Value::dict([]), stamp, &to, NOW, &key(1)).unwrap();
    let opened = peer::open(&sealed, &to, NOW + FORWARDED_TOLERANCE).unwrap();
    assert_eq!((opened.from, opened.method.as_str()), (id(1), "delete"));
    assert_eq!(opened.stamp, stamp);
    assert_eq!(peer::open(&sealed, &id(3), NOW), Err(PeerError::WrongReceiver));
    assert_eq!(peer::open(&sealed, &to, NOW + FORWARDED_TOLERANCE + 1), Err(PeerError::Stale));
    assert_eq!(peer::open(&sealed, &to, NOW - FORWARDED_TOLERANCE - 1), Err(PeerError::Stale));
}

proptest! {
    #[test]
    fn one_altered_byte_of_a_passed_on_request_is_noticed(at: prop::sample::Index, flip in 1..=255_u8) {
        let to = id(2);
        let mut sealed = peer::seal("store", Value::dict([]), None, &to, NOW, &key(1)).unwrap();
        let position = at.index(sealed.len());
        sealed[position] ^= flip;
        prop_assert!(peer::open(&sealed, &to, NOW).is_err());
    }
}
