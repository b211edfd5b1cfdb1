//! Group messages: what is on the wire, who can read it, and what is refused.

use proptest::prelude::*;
use warren_account::Group;
use warren_crypto::aead;
use warren_wire::bencode;
use warren_wire::value::Value;

use super::*;
use crate::test_entropy::{Seeded, account};

const NOW: Millis = 1_700_000_000_000;

fn group(seed: u64) -> AccountId {
    Group::random(&mut Seeded(seed)).unwrap().id()
}

fn key(seed: u64) -> Secret<32> {
    Secret::random(&mut Seeded(seed))
}

fn seal(content: &[u8]) -> Vec<u8> {
    seal_group(&account(1), &group(2), &key(3), content.to_vec(), NOW, &mut Seeded(4)).unwrap()
}

/// Seals any signed form under the key that [`open`] tries.
fn encrypt(signed: &[u8]) -> Vec<u8> {
    let sealed = aead::xchacha_seal(&key(3), &[9; 24], signed, &[]).unwrap();
    [&[9; 24], sealed.as_slice()].concat()
}

fn open(stored: &[u8]) -> Result<OpenedGroupMessage, GroupOpenError> {
    open_group(&group(2), [&key(3)], stored)
}

/// The signed form inside a sealed message.
fn form(stored: &[u8]) -> Vec<u8> {
    let nonce = stored[..24].try_into().unwrap();
    aead::xchacha_open(&key(3), nonce, &stored[24..], &[]).unwrap()
}

/// A correctly signed form with other fields changed.
fn signed_with(changes: impl FnOnce(&mut warren_wire::value::Dict)) -> Vec<u8> {
    let form = form(&seal(b"hello"));
    let end = form.iter().rposition(|byte| *byte != 0).unwrap();
    let Value::Dict(mut dict) = bencode::decode(&form[..=end]).unwrap() else {
        panic!("a dictionary");
    };
    changes(&mut dict);
    encrypt(&bencode::encode(&Value::Dict(dict)).unwrap())
}

/// A form whose data, packed or not, is signed by the sender for the group.
fn form_of(name: &str, data: &[u8]) -> Vec<u8> {
    let sender = account(1);
    let text = [data, &group(2).key_bytes()].concat();
    let signature = sender.signing_key().sign(&text).unwrap();
    let key = sender.signing_key().verifying_key();
    let dict = Value::dict([
        ("", Value::Integer(1)),
        ("a", Value::Bytes(key.as_bytes().to_vec())),
        (name, Value::Bytes(data.to_vec())),
        ("s", Value::Bytes(signature.to_vec())),
    ]);
    encrypt(&bencode::encode(&dict).unwrap())
}

#[test]
fn a_message_carries_the_envelope_that_other_clients_write() {
    let stored = seal(b"x");
    assert_eq!(stored.len(), 256);
    let opened = sealed::open(&group(2), [&key(3)], &stored).unwrap();
    // By hand: type 7; timestamp; device 1; content "x"; 64 bytes where paying users sign.
    let expected = "080728".to_owned() + "80d095ffbc31" + "3801" + "420178" + "5a40";
    let bytes = hex::encode(&opened.plaintext);
    assert_eq!(bytes.len(), expected.len() + 128);
    assert!(bytes.starts_with(&expected), "{bytes}");
}

#[test]
fn the_signed_form_has_the_published_fields_in_order() {
    let form = form(&seal(b"x"));
    let key = account(1).signing_key().verifying_key();
    let mut expected = b"d0:i1e1:a32:".to_vec();
    expected.extend_from_slice(key.as_bytes());
    expected.extend_from_slice(b"1:d");
    assert!(form.starts_with(&expected));
    assert_eq!(form.len(), 256 - 24 - 16);
    assert_eq!(form.last(), Some(&0));
}

/// The sizes of libsession's `tests/test_group_keys.cpp`, whose text this is.
#[test]
fn a_long_text_is_compressed_and_padded_to_the_published_size() {
    let text = "hello to all my friends sitting in the tomato sauce".repeat(32);
    let (sender, group, mut entropy) = (account(1), group(2), Seeded(4));
    let sealed = sealed::seal(&sender, &group, &key(3), text.as_bytes(), &mut entropy).unwrap();
    assert_eq!(sealed.len(), 256);
    let opened = sealed::open(&group, [&key(3)], &sealed).unwrap();
    assert_eq!(opened.plaintext, text.as_bytes());
    assert_eq!(opened.sender, sender.id());
    let plain = form_of("d", text.as_bytes());
    assert_eq!(plain.len().next_multiple_of(256), 2048);
    assert_eq!(sealed::open(&group, [&key(3)], &plain).unwrap(), opened);
}

#[test]
fn every_key_is_tried_and_no_other_group_believes_the_message() {
    let stored = seal(b"hello");
    let keys = [key(8), key(3), key(9)];
    assert_eq!(open_group(&group(2), &keys, &stored).unwrap().sender, account(1).id());
    let without = open_group(&group(2), [&key(8), &key(9)], &stored);
    assert_eq!(without.unwrap_err(), GroupOpenError::Key);
    assert_eq!(open_group(&group(2), [], &stored).unwrap_err(), GroupOpenError::Key);
    let elsewhere = open_group(&group(5), &keys, &stored);
    assert_eq!(elsewhere.unwrap_err(), GroupOpenError::Signature);
}

#[test]
fn a_member_cannot_speak_for_another() {
    let other = account(7).signing_key().verifying_key();
    let stored = signed_with(|dict| {
        dict.insert("a".to_owned(), Value::Bytes(other.as_bytes().to_vec()));
    });
    assert_eq!(open(&stored).unwrap_err(), GroupOpenError::Signature);
    let stored = signed_with(|dict| {
        dict.insert("a".to_owned(), Value::Bytes(vec![0; 32]));
    });
    assert_eq!(open(&stored).unwrap_err(), GroupOpenError::Signature);
}

#[test]
fn forms_with_too_much_or_too_little_are_refused_and_unknown_fields_are_not() {
    assert!(open(&signed_with(|_| ())).is_ok());
    let bytes = |text: &[u8]| Value::Bytes(text.to_vec());
    let unknown = signed_with(|dict| drop(dict.insert("m".to_owned(), bytes(b"?"))));
    assert!(open(&unknown).is_ok());
    for missing in ["", "a", "d", "s"] {
        let stored = signed_with(|dict| drop(dict.remove(missing)));
        assert_eq!(open(&stored).unwrap_err(), GroupOpenError::Malformed, "{missing}");
    }
    for (name, value) in [
        ("z", bytes(b"both")),
        ("d", bytes(b"")),
        ("a", bytes(b"short")),
        ("s", Value::Integer(1)),
        ("", bytes(b"1")),
    ] {
        let stored = signed_with(|dict| drop(dict.insert(name.to_owned(), value)));
        assert_eq!(open(&stored).unwrap_err(), GroupOpenError::Malformed, "{name}");
    }
    let newer = signed_with(|dict| drop(dict.insert(String::new(), Value::Integer(2))));
    assert_eq!(open(&newer).unwrap_err(), GroupOpenError::Version(2));
    assert_eq!(open(&encrypt(b"")).unwrap_err(), GroupOpenError::Malformed);
    assert_eq!(open(&form_of("d", b"\xff")).unwrap_err(), GroupOpenError::Malformed);
}

#[test]
fn a_small_message_that_unpacks_to_a_large_one_is_refused() {
    let exactly = zstd::bulk::compress(&vec![7; MAX_PLAINTEXT_BYTES], 1).unwrap();
    let opened = sealed::open(&group(2), [&key(3)], &form_of("z", &exactly)).unwrap();
    assert_eq!(opened.plaintext.len(), MAX_PLAINTEXT_BYTES);
    let bomb = zstd::bulk::compress(&vec![7; 50 * MAX_PLAINTEXT_BYTES], 1).unwrap();
    assert!(bomb.len() < 76_800);
    assert!(open(&form_of("z", &bomb)).is_err());
    let over = zstd::bulk::compress(&vec![7; MAX_PLAINTEXT_BYTES + 1], 1).unwrap();
    let over = sealed::open(&group(2), [&key(3)], &form_of("z", &over));
    assert_eq!(over.unwrap_err(), GroupOpenError::TooLong);
    assert_eq!(open(&form_of("z", &exactly[..20])).unwrap_err(), GroupOpenError::Malformed);
    let long = vec![7; MAX_PLAINTEXT_BYTES];
    let refused = seal_group(&account(1), &group(2), &key(3), long, NOW, &mut Seeded(4));
    assert_eq!(refused.unwrap_err(), GroupSealError::TooLong);
}

#[test]
fn nothing_is_sealed_to_a_person_as_if_they_were_a_group() {
    let person = account(5).id();
    let refused = seal_group(&account(1), &person, &key(3), vec![1], NOW, &mut Seeded(4));
    assert_eq!(refused.unwrap_err(), GroupSealError::NoGroup);
}

#[test]
fn two_messages_of_the_same_text_have_nothing_in_common() {
    let mut entropy = Seeded(4);
    let mut seal =
        || seal_group(&account(1), &group(2), &key(3), vec![1], NOW, &mut entropy).unwrap();
    assert_ne!(seal(), seal());
}

proptest! {
    #[test]
    fn what_one_member_seals_another_opens(content: Vec<u8>, timestamp: Millis, seed: u64) {
        let sender = account(seed);
        let stored = seal_group(&sender, &group(2), &key(3), content.clone(), timestamp, &mut Seeded(seed));
        let stored = stored.unwrap();
        prop_assert_eq!(stored.len() % sealed::PADDING_BYTES, 0);
        let expected = OpenedGroupMessage { sender: sender.id(), timestamp: Some(timestamp), content };
        prop_assert_eq!(open(&stored).unwrap(), expected);
    }

    #[test]
    fn a_flipped_bit_is_noticed(at: prop::sample::Index, bit in 0..8_u32) {
        let mut stored = seal(b"hello");
        let position = at.index(stored.len());
        stored[position] ^= 1_u8 << bit;
        prop_assert_eq!(open(&stored).unwrap_err(), GroupOpenError::Key);
    }

    #[test]
    fn any_bytes_open_to_a_message_or_an_error(bytes: Vec<u8>) {
        let _ = open(&bytes);
        let _ = open(&encrypt(&bytes));
        let _ = open(&form_of("d", &bytes));
        let _ = open(&form_of("z", &bytes));
        let frame = [&[0x28, 0xb5, 0x2f, 0xfd], bytes.as_slice()].concat();
        let _ = open(&form_of("z", &frame));
    }
}

fn vectors() -> serde_json::Value {
    let text = include_str!("../../../../spec/vectors/group-message.json");
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_an_independent_implementation_seals_is_opened_and_made_alike() {
    let vectors = vectors();
    let text = |name: &str| vectors[name].as_str().unwrap();
    let bytes = |name: &str| hex::decode(text(name)).unwrap();
    let (group, key) =
        (text("group_id").parse().unwrap(), Secret::from_slice(&bytes("key")).unwrap());
    let opened = open_group(&group, [&key], &bytes("envelope_sealed")).unwrap();
    assert_eq!(opened.sender.to_string(), text("sender_id"));
    assert_eq!(opened.timestamp, vectors["timestamp"].as_u64());
    assert_eq!(opened.content, bytes("content"));
    let opened = sealed::open(&group, [&key], &bytes("text_sealed")).unwrap();
    assert_eq!(opened.plaintext, text("text").as_bytes());

    let sender = Secret::from_slice(&bytes("sender_seed")).unwrap();
    let sender = Account::from_seed32(sender).unwrap();
    for (plaintext, expected) in [
        (bytes("envelope"), bytes("envelope_sealed")),
        (text("text").as_bytes().to_vec(), bytes("text_sealed")),
    ] {
        let mut nonce = Replay(bytes("nonce"));
        let sealed = sealed::seal(&sender, &group, &key, &plaintext, &mut nonce).unwrap();
        assert_eq!(sealed, expected);
    }
}

/// Replays given bytes.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0);
    }
}
