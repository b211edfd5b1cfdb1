//! What members of a swarm believe of each other: requests passed on, and records handed over.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use warren_crypto::Secret;
use warren_crypto::ed25519::SigningKey;
use warren_node::accept::{self, accept, give};
use warren_node::swarm_request::{Changed, Done, texts_of};
use warren_node::{Answer, Body, CheckedOrder, CheckedStore, Origin, SwarmRequest};
use warren_wire::limits::{CLOCK_TOLERANCE, DAY, FORWARDED_TOLERANCE};
use warren_wire::record::{Change, MessageRecord, Record, UncheckedRecord};
use warren_wire::rpc::{DeleteRequest, OrderRequest, StoreRequest, UnverifiedAuth, signed};
use warren_wire::{AccountId, MessageHash, Namespace, Stamp, Value, bencode};

const NOW: u64 = 1_700_000_000_000;

fn key() -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [1; 32])).unwrap()
}

fn owner() -> AccountId {
    AccountId::person(&key().verifying_key().to_x25519().unwrap())
}

fn sign(text: &str) -> UnverifiedAuth {
    UnverifiedAuth {
        signature: key().sign(text.as_bytes()).unwrap(),
        ed25519: Some(*key().verifying_key().as_bytes()),
        subaccount: None,
    }
}

fn store(namespace: i16, data: &[u8]) -> CheckedStore {
    let namespace = Namespace::new(namespace);
    let request = StoreRequest {
        account: owner(),
        namespace,
        timestamp: NOW,
        expiry: NOW + DAY,
        data: data.to_vec(),
        auth: Some(sign(&signed::store(namespace, NOW))),
        signed_at: NOW,
        work: None,
    };
    CheckedStore::check(request, NOW, Origin::Client, &[]).unwrap()
}

fn delete(hashes: &[MessageHash]) -> CheckedOrder {
    let request = DeleteRequest {
        account: owner(),
        messages: hashes.iter().copied().map(Into::into).collect(),
        auth: sign(&signed::delete(hashes)),
        required: false,
    };
    CheckedOrder::check(OrderRequest::Delete(request), NOW, Origin::Client, &[]).unwrap()
}

fn handed(record: Record) -> UncheckedRecord {
    UncheckedRecord::decode(&give(record).unwrap().encode().unwrap()).unwrap()
}

fn status(result: Result<Record, Answer>) -> (u16, String) {
    match result.unwrap_err() {
        Answer { status, body: Body::Text(text) } => (status, text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_record_is_the_same_after_its_way_to_another_member() {
    // Weeks later, too: what counts is when the swarm took it in.
    for (namespace, later) in [(0, 0), (2, 0), (-21, 0), (2, 20 * DAY)] {
        let record = store(namespace, b"sealed").record(Stamp::at(NOW)).unwrap();
        assert_eq!(accept(&handed(record.clone()), NOW + later).unwrap(), record);
    }
    let record = delete(&[MessageHash::from_bytes([3; 32])]).record(Stamp::at(NOW)).unwrap();
    assert_eq!(accept(&handed(record.clone()), NOW + 20 * DAY).unwrap(), record);
}

#[test]
fn what_a_message_in_an_outbox_replaced_is_believed_by_the_message_s_signature() {
    let Ok(Record::Message(message)) = store(-21, b"x").record(Stamp::at(NOW)) else { panic!() };
    let order = message.replacement().unwrap();
    assert_eq!(order.change, Change::Replace(message.namespace, message.timestamp - 1));
    let record = handed(Record::Order(order.clone()));
    assert_eq!(accept(&record, NOW + 20 * DAY).unwrap(), Record::Order(order));

    let altered = |name: &str, value: Value| {
        let mut record = record.clone();
        record.params.insert(name.to_owned(), value);
        status(accept(&record, NOW)).0
    };
    assert_eq!(altered("namespace", (-1_i16).into()), 401);
    assert_eq!(altered("namespace", 0_i16.into()), 400);
    assert_eq!(altered("auth", Value::Bytes(b"de".to_vec())), 401);
    assert_eq!(altered("auth", Value::Bytes(b"x".to_vec())), 400);
    assert_eq!(altered("timestamp", (NOW + CLOCK_TOLERANCE + 10_001).into()), 406);
    let late = UncheckedRecord { stamp: Stamp::at(NOW + 2 * FORWARDED_TOLERANCE), ..record };
    assert_eq!(status(accept(&late, NOW + DAY)).0, 406);
    // A client's request is no such thing.
    assert!(accept::read("replace", &late.params, Stamp::at(NOW), NOW).is_err());
    let elsewhere = MessageRecord { namespace: Namespace::new(2), ..message };
    assert_eq!(elsewhere.replacement(), None);
}

#[test]
fn a_record_is_refused_that_its_owner_did_not_sign_or_that_comes_from_the_future() {
    let record = handed(store(2, b"x").record(Stamp::at(NOW)).unwrap());
    let altered = |name: &str, value: Value| {
        let mut record = record.clone();
        record.params.insert(name.to_owned(), value);
        status(accept(&record, NOW)).0
    };
    assert_eq!(altered("namespace", 3_i16.into()), 401);
    assert_eq!(altered("sig_timestamp", (NOW + 1).into()), 401);
    assert_eq!(altered("expiry", (NOW + 32 * DAY).into()), 403);
    assert_eq!(altered("timestamp", (NOW + CLOCK_TOLERANCE + 10_001).into()), 406);

    let restamped = |stamp: u64| {
        let record = UncheckedRecord { stamp: Stamp::at(stamp), ..record.clone() };
        accept(&record, NOW).map(|_| ()).map_err(|refusal| refusal.status)
    };
    assert_eq!(restamped(NOW + CLOCK_TOLERANCE), Ok(()));
    assert_eq!(restamped(NOW + CLOCK_TOLERANCE + 1), Err(406));
    assert_eq!(restamped(NOW - FORWARDED_TOLERANCE - 1), Err(406));

    let mut order = handed(delete(&[MessageHash::from_bytes([3; 32])]).record(Stamp(1)).unwrap());
    let other = Value::List(vec![MessageHash::from_bytes([4; 32]).to_string().into()]);
    order.params.insert("messages".to_owned(), other);
    assert_eq!(status(accept(&order, NOW)).0, 401);
    order.method = "info".to_owned();
    assert_eq!(status(accept(&order, NOW)), (400, "not a request that members pass on".into()));
}

#[test]
fn a_passed_on_request_is_read_as_what_the_client_asked() {
    let request = store(5, b"x");
    let params = bencode::decode(&bencode::encode(&request.params()).unwrap()).unwrap();
    let read = |method, stamp| accept::read(method, params.as_dict().unwrap(), stamp, NOW);
    let again = read("store", Stamp::at(NOW)).unwrap_or_else(|_| panic!("refused"));
    assert_eq!(again.record(Stamp(7)).unwrap(), request.record(Stamp(7)).unwrap());
    assert!(read("retrieve", Stamp::at(NOW)).is_err());
    assert!(read("store", Stamp::at(NOW + DAY)).is_err());
}

#[test]
fn an_entry_counts_that_answers_the_request_and_is_signed_as_it_says() {
    let (one, two) = (MessageHash::from_bytes([1; 32]), MessageHash::from_bytes([2; 32]));
    let over_the_wire = |fields| {
        let body = bencode::decode(&bencode::encode(&Value::Dict(fields)).unwrap()).unwrap();
        body.as_dict().unwrap().clone()
    };
    let request = delete(&[one, two]);
    let deleted = vec![(Namespace::DIRECT, two), (Namespace::new(5), one)];
    let done = Done::Changed(Changed { deleted, ..Changed::default() });
    let entry = request.entry(&done).unwrap();
    let fields = over_the_wire(entry.fields.clone());
    assert_eq!(request.signed_by(&fields), Some(entry.signed));
    assert_eq!(texts_of(fields.clone()), entry.fields);
    // What was not asked for cannot have been deleted.
    assert_eq!(delete(&[one]).signed_by(&fields), None);
    assert_eq!(request.entry(&Done::Stored { expiry: 1, already: false }), None);

    let request = store(0, b"x");
    let entry = request.entry(&Done::Stored { expiry: NOW, already: true }).unwrap();
    let fields = over_the_wire(entry.fields);
    assert_eq!(request.signed_by(&fields), Some(entry.signed));
    assert_eq!(store(0, b"y").signed_by(&fields), None);
}

proptest! {
    #[test]
    fn any_record_is_accepted_or_refused(
        method in prop::sample::select(vec!["store", "delete", "retrieve", "batch", "x"]),
        data: Vec<u8>,
        stamp: u64,
        namespace: i16,
        number: u64,
    ) {
        let params = [
            ("pubkey".to_owned(), owner().to_string().into()),
            ("data".to_owned(), Value::Bytes(data)),
            ("namespace".to_owned(), namespace.into()),
            ("timestamp".to_owned(), number.into()),
            ("expiry".to_owned(), number.into()),
        ];
        let record = UncheckedRecord {
            method: method.to_owned(), params: params.into(), stamp: Stamp(stamp),
        };
        let _ = accept(&record, NOW);
    }
}
