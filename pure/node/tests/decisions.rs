//! What a node lets pass and what it refuses, with which status and text.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_types,
    reason = "a test stops at the first surprise"
)]

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{Secret, SystemEntropy, x25519};
use warren_node::CheckedOrder;
use warren_node::check::{CheckedRetrieve, CheckedStore, Origin};
use warren_node::listing::{self, Published};
use warren_node::{Answer, Body, Placement};
use warren_wire::directory::{
    DirectoryKeys, ListBody, ListTimes, NodeList, NodeRecord, Roles, UnverifiedList,
};
use warren_wire::record::SubaccountToken;
use warren_wire::rpc::{
    DeleteRequest, OrderRequest, RetrieveRequest, SignedToken, StoreRequest, UnverifiedAuth, signed,
};
use warren_wire::{AccountId, MessageHash, Namespace, NodeId, SwarmId, Value};

const NOW: u64 = 1_700_000_000_000;
const DAY: u64 = 86_400_000;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Secret::take(&mut [seed; 32])).unwrap()
}

fn person(seed: u8) -> AccountId {
    AccountId::person(&key(seed).verifying_key().to_x25519().unwrap())
}

fn sign(seed: u8, text: &str) -> UnverifiedAuth {
    UnverifiedAuth {
        signature: key(seed).sign(text.as_bytes()).unwrap(),
        ed25519: Some(*key(seed).verifying_key().as_bytes()),
        subaccount: None,
    }
}

fn store(namespace: i16) -> StoreRequest {
    StoreRequest {
        account: person(1),
        namespace: Namespace::new(namespace),
        timestamp: NOW,
        expiry: NOW + DAY,
        data: b"sealed".to_vec(),
        auth: None,
        signed_at: NOW,
        work: None,
    }
}

fn refusal<T: std::fmt::Debug>(result: Result<T, Answer>) -> (u16, String) {
    match result.unwrap_err() {
        Answer { status, body: Body::Text(text) } => (status, text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn anyone_stores_in_a_public_inbox_and_the_owner_alone_elsewhere() {
    CheckedStore::check(store(0), NOW, Origin::Client, &[]).unwrap();
    assert_eq!(
        refusal(CheckedStore::check(store(2), NOW, Origin::Client, &[])),
        (401, "store: signature required to store to namespace 2".into())
    );
    let mut signed_by_owner = store(2);
    signed_by_owner.auth = Some(sign(1, &signed::store(Namespace::new(2), NOW)));
    CheckedStore::check(signed_by_owner.clone(), NOW, Origin::Client, &[]).unwrap();

    let mut by_another = signed_by_owner.clone();
    by_another.auth = Some(sign(2, &signed::store(Namespace::new(2), NOW)));
    let mut for_another_namespace = signed_by_owner.clone();
    for_another_namespace.namespace = Namespace::new(3);
    let mut by_subaccount = signed_by_owner;
    by_subaccount.auth.as_mut().unwrap().subaccount =
        Some(SignedToken { token: SubaccountToken([3; 36]), signature: [0; 64] });
    for request in [by_another, for_another_namespace, by_subaccount] {
        assert_eq!(
            refusal(CheckedStore::check(request, NOW, Origin::Client, &[])),
            (401, "store signature verification failed".into())
        );
    }
}

#[test]
fn a_lifetime_must_lie_between_ten_seconds_and_fourteen_or_thirty_days() {
    let with_ttl = |namespace, ttl| {
        let mut request = store(namespace);
        request.expiry = NOW + ttl;
        request.auth = Some(sign(1, &signed::store(request.namespace, NOW)));
        CheckedStore::check(request, NOW, Origin::Client, &[])
    };
    let refused = (403, "Provided expiry/TTL is not valid.".to_owned());
    assert_eq!(refusal(with_ttl(0, 9_999)), refused);
    assert_eq!(refusal(with_ttl(0, 14 * DAY + 1)), refused);
    assert_eq!(refusal(with_ttl(2, 30 * DAY + 1)), refused);
    with_ttl(0, 10_000).unwrap();
    with_ttl(0, 14 * DAY).unwrap();
    with_ttl(2, 30 * DAY).unwrap();
}

#[test]
fn a_clock_that_is_off_is_named() {
    let mut future = store(0);
    future.timestamp = NOW + 10_001;
    let mut gone = store(0);
    (gone.timestamp, gone.expiry) = (NOW - DAY, NOW - 10_001);
    for request in [future, gone] {
        assert_eq!(
            refusal(CheckedStore::check(request, NOW, Origin::Client, &[])),
            (406, "Timestamp error: check your clock".into())
        );
    }
    let mut stale = store(2);
    stale.signed_at = NOW - 65_000;
    stale.auth = Some(sign(1, &signed::store(Namespace::new(2), NOW - 65_000)));
    assert_eq!(
        refusal(CheckedStore::check(stale.clone(), NOW, Origin::Client, &[])),
        (406, "store signature timestamp too far from current time".into())
    );
    CheckedStore::check(stale, NOW, Origin::Swarm, &[]).unwrap();
}

#[test]
fn a_mailbox_opens_to_its_owner_in_time_alone() {
    let ask = |namespace, auth| RetrieveRequest {
        account: person(1),
        namespace: Namespace::new(namespace),
        after: None,
        max_count: None,
        max_size: None,
        newest_first: false,
        wait: None,
        auth,
    };
    let text = |namespace, time| signed::retrieve(Namespace::new(namespace), time);
    let check = |request: RetrieveRequest| CheckedRetrieve::check(&request, NOW, &[]);

    check(ask(0, Some((sign(1, &text(0, NOW)), NOW)))).unwrap();
    check(ask(-10, None)).unwrap();
    check(ask(-21, None)).unwrap();
    assert_eq!(refusal(check(ask(0, None))), (401, "retrieve: request signature required".into()));
    assert_eq!(
        refusal(check(ask(0, Some((sign(1, &text(0, NOW - 60_001)), NOW - 60_001))))),
        (406, "retrieve timestamp too far from current time".into())
    );
    assert_eq!(
        refusal(check(ask(0, Some((sign(2, &text(0, NOW)), NOW))))),
        (401, "retrieve signature verification failed".into())
    );
}

#[test]
fn a_deletion_is_obeyed_for_the_signed_hashes_alone() {
    let (one, two) = (MessageHash::from_bytes([1; 32]), MessageHash::from_bytes([2; 32]));
    let mut request = DeleteRequest {
        account: person(1),
        messages: vec![one.into()],
        auth: sign(1, &signed::delete(&[one])),
        required: false,
    };
    let check =
        |request| CheckedOrder::check(OrderRequest::Delete(request), NOW, Origin::Client, &[]);
    check(request.clone()).unwrap();
    request.messages.push(two.into());
    assert_eq!(refusal(check(request)), (401, "delete_msgs signature verification failed".into()));
}

fn network() -> Arc<NodeList> {
    let nodes = (1..=4).map(|seed| NodeRecord {
        id: NodeId::from_bytes(*key(seed).verifying_key().as_bytes()),
        x25519: x25519::PublicKey::from_bytes([seed; 32]),
        ip: [127, 0, seed, 1].into(),
        port: 22_100 + u16::from(seed),
        swarm: SwarmId(u64::from(seed % 2) << 63),
        certificate: None,
        roles: Roles::default(),
    });
    Arc::new(NodeList::new(nodes.collect()).unwrap())
}

#[test]
fn a_request_for_another_swarm_is_sent_there() {
    let list = network();
    let account = person(1);
    let right = list.swarm_of(&account).unwrap();
    for node in list.nodes() {
        let placement = Placement::new(node.id, Arc::clone(&list));
        assert_eq!(placement.keeps(&account), node.swarm == right);
        assert_eq!(placement.peers().count(), 1);
        let Err(answer) = placement.require(&account, NOW) else { continue };
        let Body::Json(body) = &answer.body else { panic!("no json") };
        let json = body.to_json();
        assert_eq!(answer.status, 421);
        assert_eq!(json["swarm"], format!("{:x}", right.0));
        assert_eq!(json["snodes"].as_array().unwrap().len(), 2);
        assert!(json["snodes"][0]["port"].is_string());
        let address = json["snodes"][0]["address"].as_str().unwrap();
        assert_eq!(address.len(), 52 + ".snode".len());
    }
}

fn published() -> Published {
    let times = ListTimes::starting(NOW, 1, 2);
    let body = ListBody::new(1, times, None, network().nodes());
    let signed = UnverifiedList::sign(&body, &key(9)).unwrap();
    Published::new(signed.read().unwrap(), signed)
}

#[test]
fn a_node_takes_51_bytes_of_the_blob_of_all_nodes() {
    let list = network();
    let blob = listing::active_nodes_bin(&list);
    assert_eq!(blob.len(), 51 * list.nodes().len());
    let (node, entry) = (&list.nodes()[1], &blob[51..102]);
    assert_eq!(entry[..32], *node.id.as_bytes());
    assert_eq!(entry[32..40], node.swarm.0.to_be_bytes());
    assert_eq!(entry[40..44], node.ip.octets());
    assert_eq!(entry[44..46], node.port.to_be_bytes());
    assert_eq!(entry[46..48], node.port.to_be_bytes());
    assert_eq!(entry[48..51], [2, 11, 0]);
}

fn ask_directory(body: &serde_json::Value) -> serde_json::Value {
    parsed(&listing::answer(body.to_string().as_bytes(), &published(), NOW, &mut SystemEntropy))
}

fn parsed(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_directory_lists_the_fields_a_client_asks_for() {
    let reply = ask_directory(&json!({
        "jsonrpc": "2.0", "id": 0, "method": "get_n_service_nodes",
        "params": { "fields": { "public_ip": true, "storage_port": true, "swarm": false } },
    }));
    assert_eq!((&reply["id"], &reply["jsonrpc"]), (&json!(0), &json!("2.0")));
    assert_eq!(reply["result"]["status"], "OK");
    let states = reply["result"]["service_node_states"].as_array().unwrap();
    assert_eq!(states[0], json!({ "public_ip": "127.0.1.1", "storage_port": 22_101 }));

    let reply = ask_directory(&json!({ "method": "get_service_nodes", "params": { "limit": 2 } }));
    assert_eq!(reply["result"]["service_node_states"].as_array().unwrap().len(), 2);
}

#[test]
fn the_directory_tells_of_the_chain_what_is_asked_for() {
    let ask = |params: serde_json::Value| {
        ask_directory(&json!({ "method": "get_service_nodes", "params": params }))["result"].take()
    };
    let has = |result: &serde_json::Value, names: &str| {
        let names: Vec<&str> = names.split(' ').collect();
        result.as_object().unwrap().keys().map(String::as_str).eq(names)
    };
    let all = ask(json!({}));
    let everything =
        "block_hash hardfork height service_node_states snode_revision status target_height";
    assert!(has(&all, everything), "{all}");
    assert_eq!((&all["hardfork"], &all["snode_revision"]), (&json!(19), &json!(6)));
    assert_eq!((&all["height"], &all["target_height"]), (&json!(NOW / 120_000), &all["height"]));
    let hash = all["block_hash"].as_str().unwrap();
    assert_eq!(hash.len(), 64);

    let some = ask(json!({ "fields": { "height": true, "hardfork": false, "swarm": true } }));
    assert!(has(&some, "height service_node_states status"), "{some}");
    let less = ask(json!({ "fields": ["all", "-block_hash", "-swarm", "-height"] }));
    let left = "hardfork service_node_states snode_revision status target_height";
    assert!(has(&less, left), "{less}");
    let state = &less["service_node_states"][0];
    assert!(state["swarm"].is_null() && state["swarm_id"].is_u64(), "{state}");

    let polled = ask(json!({ "fields": ["height"], "poll_block_hash": hash }));
    assert!(has(&polled, "height status unchanged"), "{polled}");
    assert_eq!(polled["unchanged"], true);
    let polled = ask(json!({ "fields": ["swarm"], "poll_block_hash": "00".repeat(32) }));
    assert!(has(&polled, "block_hash service_node_states status unchanged"), "{polled}");
    assert_eq!((&polled["unchanged"], &polled["block_hash"]), (&json!(false), &json!(hash)));

    let key = |at: usize| network().nodes()[at].id.to_string();
    let keys = json!([key(2), "00".repeat(32), "x", key(0), key(2)]);
    let fields = json!(["service_node_pubkey"]);
    let picked = ask(json!({ "service_node_pubkeys": keys, "fields": fields }));
    let states = json!([{ "service_node_pubkey": key(2) }, { "service_node_pubkey": key(0) }]);
    assert_eq!(picked["service_node_states"], states);
}

#[test]
fn what_was_written_before_says_the_same_as_what_is_written_anew() {
    let published = published();
    for fields in
        [json!(null), json!(["all", "-swarm"]), json!(["swarm", "height", "x"]), json!([])]
    {
        let params = json!({ "fields": fields });
        let question = json!({ "id": "\"}", "method": "get_service_nodes", "params": params });
        let question = question.to_string();
        let ask =
            || parsed(&listing::answer(question.as_bytes(), &published, NOW, &mut SystemEntropy));
        let (first, second) = (ask(), ask());
        let Value::Dict(params) = Value::from(params) else { panic!() };
        let anew = listing::service_nodes(&params, &published.list, NOW, &mut SystemEntropy);
        assert_eq!((&first["result"], &first["id"]), (&anew.to_json(), &json!("\"}")));
        assert_eq!(first, second);
    }
}

#[test]
fn how_many_nodes_an_answer_describes_is_known_beforehand() {
    let list = network();
    let count = list.nodes().len();
    let id = list.nodes()[0].id.to_string();
    for (params, expected) in [
        (json!({}), count),
        (json!({ "limit": 2 }), 2),
        (json!({ "limit": -1 }), count),
        (json!({ "service_node_pubkeys": [id] }), 1),
        (json!({ "service_node_pubkeys": [] }), count),
    ] {
        let Value::Dict(params) = Value::from(params) else { panic!() };
        let states = listing::service_nodes(&params, &list, NOW, &mut SystemEntropy).to_json();
        assert_eq!(states["service_node_states"].as_array().unwrap().len(), expected);
        let question = warren_wire::rpc::DirectoryQuestion::ServiceNodes(params);
        assert_eq!(listing::described(&question, &list), expected);
    }
}

#[test]
fn a_node_that_knows_no_swarm_says_so() {
    let placement = Placement::new(network().nodes()[0].id, Arc::default());
    let refused = placement.require(&person(1), NOW).unwrap_err();
    assert_eq!(refused, Answer::refuse(500, "No swarms known!"));
}

#[test]
fn the_directory_gives_its_signed_list_to_who_asks_for_it() {
    let reply = ask_directory(
        &json!({ "method": "get_n_service_nodes", "params": { "signed": true, "limit": 1 } }),
    );
    let list: UnverifiedList =
        serde_json::from_value(reply["result"]["signed_list"].clone()).unwrap();
    let keys = DirectoryKeys::single(key(9).verifying_key());
    assert_eq!(list.verify(&keys).unwrap().nodes, network());
}

#[test]
fn the_directory_names_what_is_wrong_with_a_question() {
    for (body, code) in [
        (json!([]), -32600),
        (json!({ "method": "stop_daemon" }), -32601),
        (json!({ "method": "get_service_nodes", "params": 5 }), -32602),
    ] {
        assert_eq!(ask_directory(&body)["error"]["code"], code);
    }
    let reply = parsed(&listing::answer(b"{", &published(), NOW, &mut SystemEntropy));
    assert_eq!(reply["error"]["code"], -32700);
}

proptest! {
    #[test]
    fn the_directory_answers_any_bytes(bytes: Vec<u8>) {
        prop_assert!(parsed(&listing::answer(&bytes, &published(), NOW, &mut SystemEntropy)).is_object());
    }

    #[test]
    fn any_claimed_signature_is_refused_that_the_owner_did_not_make(
        half in prop::array::uniform32(any::<u8>()),
        ed25519 in prop::option::of(prop::array::uniform32(any::<u8>())),
    ) {
        let mut request = store(2);
        let signature = [half, half].concat().try_into().unwrap();
        request.auth = Some(UnverifiedAuth { signature, ed25519, subaccount: None });
        prop_assert!(CheckedStore::check(request, NOW, Origin::Client, &[]).is_err());
    }
}

#[test]
fn a_batch_shows_json_as_an_object_and_a_complaint_as_text() {
    let answer = warren_node::answer::batch(vec![
        Answer::ok(Value::dict([("hash", "x".into())])),
        Answer::refuse(401, "no"),
    ]);
    let Body::Json(body) = answer.body else { panic!("no json") };
    assert_eq!(
        body.to_json(),
        json!({ "results": [{ "code": 200, "body": { "hash": "x" } }, { "code": 401, "body": "no" }] })
    );
}
