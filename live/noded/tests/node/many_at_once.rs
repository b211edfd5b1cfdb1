//! Requests made of requests: `batch`, `sequence`, `ifelse`, in JSON and in bencode.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_noded::node::now;
use warren_wire::{MessageHash, Namespace, Value as Wire, bencode};

use crate::group::Group;
use crate::network::{Client, TestNetwork};
use crate::person::Person;

fn call(method: &str, params: &Value) -> Value {
    json!({ "method": method, "params": params })
}

fn codes(answer: &Value) -> Vec<u64> {
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|result| result["code"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn twenty_requests_are_answered_in_their_order() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let data: Vec<String> = (0..20).map(|n| format!("number {n}")).collect();
    let requests: Vec<Value> =
        data.iter().map(|data| call("store", &person.store(data.as_bytes()))).collect();
    let answer = client.done(&node, "batch", json!({ "requests": requests })).await;
    assert_eq!(codes(&answer), [200; 20]);
    for (data, result) in data.iter().zip(answer["results"].as_array().unwrap()) {
        let hash = MessageHash::compute(&person.id, Namespace::DIRECT, data.as_bytes()).unwrap();
        assert_eq!(result["body"]["hash"], hash.to_string());
    }
    for node in network.records() {
        assert_eq!(person.messages(&client, &node, 0).await.len(), 20);
    }
}

#[tokio::test]
async fn a_sequence_goes_on_from_what_came_before_and_stops_at_a_failure() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let node = network.record(0);
    let time = now();
    let store = |text: &str| {
        let data = STANDARD.encode(text);
        let pubkey = group.id.to_string();
        call("store", &json!({ "pubkey": pubkey, "timestamp": time, "ttl": 60_000, "data": data }))
    };
    let retrieve = call("retrieve", &group.retrieve(0));
    let delete = json!({ "timestamp": time });
    let delete = call("delete_all", &group.signed(format!("delete_all{time}"), delete));
    let requests = [store("abc"), retrieve.clone(), store("xyz"), delete, retrieve.clone()];
    let answer = client.done(&node, "sequence", json!({ "requests": requests })).await;
    assert_eq!(codes(&answer), [200; 5]);
    let body = |n: usize| &answer["results"][n]["body"];
    assert_eq!(body(1)["messages"][0]["data"], "YWJj");
    for entry in body(3)["swarm"].as_object().unwrap().values() {
        assert_eq!(entry["deleted"].as_array().unwrap().len(), 2);
    }
    assert_eq!(body(4)["messages"], json!([]));

    let unsigned = json!({
        "pubkey": group.id.to_string(), "timestamp": time, "ttl": 60_000, "data": "YWJj",
        "namespace": 33,
    });
    let requests = json!({ "requests": [call("store", &unsigned), retrieve] });
    let failed =
        json!({ "code": 401, "body": "store: signature required to store to namespace 33" });
    let answer = client.done(&node, "sequence", requests.clone()).await;
    assert_eq!(answer["results"], json!([failed]));
    let answer = client.done(&node, "batch", requests).await;
    assert_eq!((&answer["results"][0], codes(&answer)), (&failed, vec![401, 200]));
}

#[tokio::test]
async fn a_condition_chooses_what_is_done() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let (yes, no) = (call("store", &person.store(b"yes")), call("store", &person.store(b"no")));
    let hash = |text: &str| {
        MessageHash::compute(&person.id, Namespace::DIRECT, text.as_bytes()).unwrap().to_string()
    };
    for (condition, holds) in [
        (json!({ "hf_at_least": [2_000_000] }), false),
        (json!({ "hf_at_least": [19], "height_before": 1_234 }), false),
        (json!({ "hf_at_least": [19], "height_before": 123_456_789 }), true),
        (json!({ "hf_at_least": 19 }), true),
        (json!({ "hf_at_least": [19, 1] }), true),
        (json!({ "hf_before": [19] }), false),
        (json!({ "hf_before": [99_999, 99] }), true),
        (json!({ "v_at_least": [2, 2] }), true),
        (json!({ "v_before": [2, 2], "hf_at_least": [19] }), false),
        (json!({ "height_at_least": 100 }), true),
    ] {
        let request = json!({ "if": condition, "then": yes, "else": no });
        let answer = client.done(&node, "ifelse", request).await;
        assert_eq!(answer["condition"], holds, "{condition}");
        assert_eq!(answer["result"]["code"], 200);
        assert_eq!(answer["result"]["body"]["hash"], hash(if holds { "yes" } else { "no" }));
        assert!(answer["height"].is_u64() && answer["hf"].is_array() && answer["v"].is_array());
        let (branch, other) = if holds { ("else", "then") } else { ("then", "else") };
        let none = client.done(&node, "ifelse", json!({ "if": condition, branch: yes })).await;
        assert!(none.get("result").is_none() && none.get("t").is_none());
        let some = client.done(&node, "ifelse", json!({ "if": condition, other: yes })).await;
        assert_eq!(some["result"]["body"]["hash"], hash("yes"));
    }
    // Conditions within conditions, with a batch at the bottom.
    let mut request = call("batch", &json!({ "requests": [yes, yes, no] }));
    for _ in 0..4 {
        request = call("ifelse", &json!({ "if": { "hf_at_least": [19] }, "then": request }));
    }
    let mut answer = client.done(&node, "ifelse", request["params"].clone()).await;
    for _ in 0..4 {
        assert_eq!((&answer["condition"], &answer["result"]["code"]), (&json!(true), &json!(200)));
        answer = answer["result"]["body"].clone();
    }
    assert_eq!(codes(&answer), [200; 3]);
}

#[tokio::test]
async fn a_bencoded_request_is_answered_in_bencode_with_raw_bytes() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let node = network.record(0);
    let time = now();
    // Signatures and data raw; the id in hex or raw.
    let raw = |params: Value, names: &[&str]| {
        let Wire::Dict(mut dict) = Wire::from(params) else { panic!("no dictionary") };
        for name in names {
            let bytes = dict[*name].to_bytes().unwrap();
            dict.insert((*name).to_owned(), Wire::Bytes(bytes));
        }
        Wire::Dict(dict)
    };
    let store = json!({
        "namespace": 42, "timestamp": time, "ttl": 60_000, "data": STANDARD.encode(b"abc 123"),
    });
    let store = raw(group.signed(format!("store42{time}"), store), &["data", "signature"]);
    let mut retrieve = raw(group.retrieve(42), &["signature"]);
    if let Wire::Dict(dict) = &mut retrieve {
        dict.insert("pubkey".to_owned(), Wire::Bytes(group.id.as_bytes().to_vec()));
    }
    let requests = [("store", store), ("retrieve", retrieve)]
        .map(|(method, params)| Wire::dict([("method", method.into()), ("params", params)]));
    let body = Wire::dict([
        ("method", "sequence".into()),
        ("params", Wire::dict([("requests", requests.to_vec().into())])),
    ]);
    let answer = client.post(&node, "/storage_rpc/v1", bencode::encode(&body).unwrap()).await;
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/octet-stream"));
    let answer = bencode::decode(&answer.body).unwrap();
    let Some(Wire::List(results)) = answer.get("results") else { panic!("{answer:?}") };
    assert!(results.iter().all(|result| result.get("code") == Some(&Wire::Integer(200))));
    let Some(Wire::List(messages)) = results[1].get("body").and_then(|it| it.get("messages"))
    else {
        panic!("{results:?}")
    };
    assert_eq!(messages[0].get("data"), Some(&Wire::Bytes(b"abc 123".to_vec())));

    let short = format!("d6:pubkey66:05{}9:signature1:xe", "0".repeat(64));
    for (body, text) in [
        ("d6:method4:nope6:paramsdee".to_owned(), "no method nope"),
        (
            format!("d6:method6:delete6:params{short}e"),
            "invalid request: invalid signature: expected 64-byte Ed25519 signature",
        ),
    ] {
        let answer = client.post(&node, "/storage_rpc/v1", body).await;
        assert_eq!(
            (answer.said(), answer.content_type.as_str()),
            ((400, text.to_owned()), "text/plain")
        );
    }
}

#[tokio::test]
async fn the_newest_come_first_where_the_reader_wants_them_so() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(5));
    let node = network.record(0);
    let stored = group.store(&client, &node, 4).await;
    let page = async |last: &str| {
        let extra = json!({ "reverse_direction": true, "max_count": 3, "last_hash": last });
        let params = crate::person::with(group.retrieve(0), extra);
        let answer = client.done(&node, "retrieve", params).await;
        let messages = answer["messages"].as_array().unwrap().clone();
        let names: Vec<String> =
            messages.iter().map(|message| message["hash"].as_str().unwrap().to_owned()).collect();
        (names, answer["more"].as_bool().unwrap())
    };
    let newest: Vec<String> = stored.iter().rev().map(|it| it.hash.clone()).collect();
    assert_eq!(page("").await, (newest[..3].to_vec(), true));
    assert_eq!(page(&newest[2]).await, (newest[3..].to_vec(), false));
}

#[tokio::test]
async fn nothing_is_ever_in_the_drawer_for_trying_out() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let time = now();
    let params = json!({ "namespace": -3741, "timestamp": time, "ttl": 60_000, "data": "YWJj" });
    let params = group.signed(format!("store-3741{time}"), params);
    assert_eq!(client.ask(&network.record(0), "store", params).await.status, 403);
    let params = json!({ "pubkey": group.id.to_string(), "namespace": -3741 });
    let answer = client.done(&network.record(0), "retrieve", params).await;
    assert_eq!((&answer["messages"], &answer["more"]), (&json!([]), &json!(false)));
}

#[tokio::test]
async fn the_directory_is_asked_through_a_node() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let node = network.record(0);
    let nobody = json!({ "endpoint": "ons_resolve", "params": { "type": 0, "name_hash": "x" } });
    let answer = client.done(&node, "oxend_request", nobody).await;
    assert_eq!(answer["result"], json!({ "status": "OK" }));
    let answer = client.ask(&node, "active_nodes_bin", json!({})).await;
    assert_eq!(answer.content_type, "application/octet-stream");
    assert_eq!(answer.body.len(), 51 * network.records().len());
}
