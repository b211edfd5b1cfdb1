//! How a subscription is read: every malformed one gets the reference node's number and text.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use proptest::prelude::*;
use warren_wire::record::SubaccountToken;
use warren_wire::rpc::SignedToken;
use warren_wire::rpc::monitor::{
    MonitorError, MonitorRequest, MonitorRequests, Push, Watched, encode_replies, success,
};
use warren_wire::value::Dict;
use warren_wire::{AccountId, MessageHash, Namespace, Value, bencode};

fn request() -> MonitorRequest {
    MonitorRequest {
        watched: Watched::Account(AccountId::from_bytes(&[3; 33]).unwrap()),
        subaccount: None,
        namespaces: [-5, 0, 23].map(Namespace::new).to_vec(),
        want_data: true,
        signed_at: 1_700_000_000,
        signature: [7; 64],
    }
}

fn with(changes: &[(&str, Option<Value>)]) -> Dict {
    let mut dict = request().to_dict();
    for (key, value) in changes {
        match value {
            Some(value) => dict.insert((*key).to_owned(), value.clone()),
            None => dict.remove(*key),
        };
    }
    dict
}

fn raw(length: usize) -> Option<Value> {
    Some(Value::Bytes(vec![b'x'; length]))
}

#[test]
fn a_malformed_subscription_is_named_and_numbered() {
    let list =
        |numbers: &[i64]| Some(numbers.iter().map(|n| (*n).into()).collect::<Vec<_>>().into());
    for (dict, code, text) in [
        (with(&[("p", None)]), 1, "Invalid arguments: Either p= or P= must be given"),
        (
            with(&[("P", raw(32))]),
            1,
            "Invalid arguments: Cannot provide both p= and P= pubkey values",
        ),
        (with(&[("P", raw(31))]), 2, "Provided P= Session Ed25519 pubkey must be 32 bytes"),
        (
            with(&[("P", Some(5_u64.into()))]),
            1,
            "Invalid arguments: expected a string, but found i",
        ),
        (with(&[("p", raw(32))]), 2, "Provided p= pubkey must be 33 bytes"),
        (with(&[("S", raw(63))]), 2, "Provided S subaccount signature must be 64 bytes"),
        (with(&[("S", raw(64))]), 1, "Invalid arguments: Key T not found!"),
        (
            with(&[("S", raw(64)), ("T", raw(35))]),
            2,
            "Provided T subaccount token must be 36 bytes",
        ),
        (with(&[("n", None)]), 1, "Invalid arguments: Key n not found!"),
        (
            with(&[("n", list(&[1, 0]))]),
            3,
            "Invalid n= namespace list: namespaces must be ascending",
        ),
        (
            with(&[("n", list(&[1, 1]))]),
            3,
            "Invalid n= namespace list: namespaces must be ascending",
        ),
        (with(&[("s", None)]), 1, "Invalid arguments: Key s not found!"),
        (with(&[("s", raw(63))]), 5, "Provided s= signature must be 64 bytes"),
        (with(&[("t", None)]), 1, "Invalid arguments: required signature timestamp is missing"),
    ] {
        let error = MonitorRequest::read(&dict).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
        let reply = error.to_reply();
        assert_eq!(
            (reply["errcode"].as_integer(), reply["error"].as_text()),
            (Some(code.into()), Some(text))
        );
    }
}

#[test]
fn one_subscription_is_answered_alone_and_many_in_a_list() {
    let one = bencode::encode(&Value::Dict(request().to_dict())).unwrap();
    let read = MonitorRequests::read(&one).unwrap();
    assert_eq!((read.requests, read.listed), (vec![Ok(request())], false));
    assert_eq!(encode_replies(vec![success()], false).unwrap(), b"d7:successi1ee");

    let bad = with(&[("n", None)]);
    let list = vec![Value::Dict(request().to_dict()), Value::Dict(bad)];
    let read = MonitorRequests::read(&bencode::encode(&list.into()).unwrap()).unwrap();
    assert!(read.listed && read.requests[0].is_ok() && read.requests[1].is_err());
    let replies = vec![success(), success()];
    assert_eq!(encode_replies(replies, true).unwrap(), b"ld7:successi1eed7:successi1eee");
}

#[test]
fn what_is_no_subscription_at_all_is_refused() {
    let shape = "monitor request takes a single bencoded dict or list parameter";
    let inside = "Failed to parse monitor.messages data value";
    for (body, text) in [(&b""[..], shape), (b"i5e", shape), (b"dxe", inside), (b"li5ee", inside)] {
        assert_eq!(
            MonitorRequests::read(body).unwrap_err(),
            MonitorError::Arguments(text.to_owned())
        );
    }
}

#[test]
fn the_signed_text_names_account_time_data_and_drawers() {
    let account = AccountId::from_bytes(&[3; 33]).unwrap();
    assert_eq!(
        request().signed_text(&account),
        format!("MONITOR{}17000000001-5,0,23", "03".repeat(33))
    );
}

proptest! {
    #[test]
    fn any_bytes_read_as_subscriptions_or_an_error(bytes: Vec<u8>) {
        let _ = MonitorRequests::read(&bytes);
        let _ = Push::decode(&bytes);
    }

    #[test]
    fn a_subscription_reads_back_as_it_was_written(
        person: Option<[u8; 32]>,
        token: Option<([u8; 32], [u8; 32])>,
        namespaces in prop::collection::btree_set(any::<i16>(), 1..9),
        want_data: bool,
        signed_at: i64,
    ) {
        let written = MonitorRequest {
            watched: person.map_or(request().watched, Watched::Person),
            subaccount: token.map(|(key, half)| SignedToken {
                token: SubaccountToken([&[3, 1, 0, 0][..], &key].concat().try_into().unwrap()),
                signature: [half, half].concat().try_into().unwrap(),
            }),
            namespaces: namespaces.into_iter().map(Namespace::new).collect(),
            want_data,
            signed_at,
            ..request()
        };
        let bytes = bencode::encode(&Value::Dict(written.to_dict())).unwrap();
        let read = MonitorRequests::read(&bytes).unwrap();
        prop_assert_eq!(read.requests, vec![Ok(written)]);
    }

    #[test]
    fn word_of_a_message_reads_back_as_it_was_written(
        hash: [u8; 32], namespace: i16, timestamp: u64, expiry: u64, data: Option<Vec<u8>>,
    ) {
        let push = Push {
            account: AccountId::from_bytes(&[5; 33]).unwrap(),
            hash: MessageHash::from_bytes(hash),
            namespace: Namespace::new(namespace),
            timestamp,
            expiry,
            data,
        };
        prop_assert_eq!(Push::decode(&push.encode().unwrap()).unwrap(), push);
    }
}
