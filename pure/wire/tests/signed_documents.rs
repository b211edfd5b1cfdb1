//! Documents that carry a signature: the directory's list and what swarm members pass on.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{Secret, x25519};
use warren_wire::directory::{ListError, NodeList, NodeRecord, UnverifiedList};
use warren_wire::limits::FORWARDED_TOLERANCE;
use warren_wire::rpc::peer::{self, PeerError};
use warren_wire::{NodeId, Stamp, SwarmId, Value};

const NOW: u64 = 1_700_000_000_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

fn record(seed: u8) -> NodeRecord {
    NodeRecord {
        id: NodeId::from_bytes(*key(seed).verifying_key().as_bytes()),
        x25519: x25519::PublicKey::from_bytes([seed; 32]),
        ip: [127, 0, seed, 1].into(),
        port: 22_100,
        swarm: SwarmId(u64::MAX - 1),
        certificate: Some([seed; 32]),
    }
}

#[test]
fn a_list_is_believed_from_the_pinned_key_alone() {
    let list = NodeList::new(vec![record(1), record(2)]).unwrap();
    let signed = UnverifiedList::sign(&list, NOW, &key(9)).unwrap();
    assert_eq!(signed.verify(&key(9).verifying_key()).unwrap(), list);
    assert_eq!(signed.verify(&key(8).verifying_key()), Err(ListError::WrongKey));

    let mut forged = signed.clone();
    forged.directory = hex::encode(key(8).verifying_key().as_bytes());
    assert_eq!(forged.verify(&key(8).verifying_key()), Err(ListError::BadSignature));

    let mut altered = signed;
    altered.list = altered.list.replace("127.0.1.1", "127.0.9.1");
    assert_eq!(altered.verify(&key(9).verifying_key()), Err(ListError::BadSignature));
}

#[test]
fn a_list_that_names_a_node_twice_is_refused() {
    assert_eq!(NodeList::new(vec![record(1), record(1)]), Err(ListError::Duplicate));
}

#[test]
fn a_passed_on_request_is_obeyed_by_its_receiver_in_its_time_alone() {
    let to = record(2).id;
    let stamp = Some(Stamp(u64::MAX));
    let sealed = peer::seal("delete", Value::dict([]), stamp, &to, NOW, &key(1)).unwrap();
    let opened = peer::open(&sealed, &to, NOW + FORWARDED_TOLERANCE).unwrap();
    assert_eq!((opened.from, opened.method.as_str()), (record(1).id, "delete"));
    assert_eq!(opened.stamp, stamp);
    assert_eq!(peer::open(&sealed, &record(3).id, NOW), Err(PeerError::WrongReceiver));
    assert_eq!(peer::open(&sealed, &to, NOW + FORWARDED_TOLERANCE + 1), Err(PeerError::Stale));
    assert_eq!(peer::open(&sealed, &to, NOW - FORWARDED_TOLERANCE - 1), Err(PeerError::Stale));
}

proptest! {
    #[test]
    fn one_altered_byte_of_a_passed_on_request_is_noticed(at: prop::sample::Index, flip in 1..=255_u8) {
        let to = record(2).id;
        let mut sealed = peer::seal("store", Value::dict([]), None, &to, NOW, &key(1)).unwrap();
        let position = at.index(sealed.len());
        sealed[position] ^= flip;
        prop_assert!(peer::open(&sealed, &to, NOW).is_err());
    }
}
