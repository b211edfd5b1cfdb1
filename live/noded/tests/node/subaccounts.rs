//! Subaccounts: what their tokens let them do, and what is left of it once the owner revoked them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_noded::node::now;
use warren_wire::AccountId;

use crate::group::{Group, Subaccount, entries, sorted};
use crate::network::{Client, TestNetwork};

fn refused(method: &str) -> (u16, String) {
    (401, format!("{method} signature verification failed"))
}

#[tokio::test]
async fn a_token_gives_the_rights_in_it_and_no_others() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let node = network.record(0);
    let [read, none, delete, any] = [1, 0, 7, 11].map(|rights| group.subaccount(rights));
    let elsewhere = [&[0x99], &group.id.as_bytes()[1..]].concat();
    let elsewhere = AccountId::from_bytes(&elsewhere).unwrap();
    for (subaccount, may) in [
        (&read, [true, false, false, false]),
        (&none, [false; 4]),
        (&delete, [true, true, true, false]),
        (&any, [true, true, false, true]),
    ] {
        let time = now();
        let store = json!({
            "namespace": 42, "timestamp": time, "ttl": 60_000, "data": STANDARD.encode(b"abc 123"),
        });
        let store = subaccount.signed(&group.id, &format!("store42{time}"), store);
        let name = "A".repeat(43);
        let delete = json!({ "messages": [name] });
        let delete = subaccount.signed(&group.id, &format!("delete{name}"), delete);
        let asked = [
            ("retrieve", subaccount.retrieve(&group.id, 42), "retrieve"),
            ("store", store, "store"),
            ("delete", delete, "delete_msgs"),
            ("retrieve", subaccount.retrieve(&elsewhere, 42), "retrieve"),
        ];
        for ((method, params, named), may) in asked.into_iter().zip(may) {
            let answer = client.ask(&node, method, params).await;
            if may {
                assert_eq!(answer.status, 200, "{answer}");
            } else {
                assert_eq!(answer.said(), refused(named));
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_another_signed_gives_no_right() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let (group, other) = (Group::new(3), Group::new(3));
    let stranger = other.subaccount(15);
    let answer = client.ask(&network.record(0), "retrieve", stranger.retrieve(&group.id, 42)).await;
    assert_eq!(answer.said(), refused("retrieve"));
}

#[tokio::test]
async fn a_forger_is_refused_before_anything_is_read() {
    let (network, client) = (TestNetwork::start(4), Client::new());
    let (group, other) = (Group::new(3), Group::new(3));
    let node = network.record(0);
    network.node(0).store.close().await;
    let (honest, stranger) = (group.subaccount(15), other.subaccount(15));
    let answer = client.ask(&node, "retrieve", honest.retrieve(&group.id, 42)).await;
    assert_eq!(answer.status, 503, "{answer}");
    let answer = client.ask(&node, "retrieve", stranger.retrieve(&group.id, 42)).await;
    assert_eq!(answer.said(), refused("retrieve"));
    let time = now();
    let store = json!({ "namespace": 42, "timestamp": time, "ttl": 60_000, "data": "aGVsbG8=" });
    let store = stranger.signed(&group.id, &format!("store42{time}"), store);
    assert_eq!(client.ask(&node, "store", store).await.said(), refused("store"));
    let name = "A".repeat(43);
    let delete = json!({ "messages": [name] });
    let delete = stranger.signed(&group.id, &format!("delete{name}"), delete);
    assert_eq!(client.ask(&node, "delete", delete).await.said(), refused("delete_msgs"));
}

#[tokio::test]
async fn a_public_outbox_takes_a_subaccounts_message_only_with_the_right_to_delete() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    for (rights, status) in [(3, 401), (7, 200)] {
        let time = now();
        let params =
            json!({ "namespace": -21, "timestamp": time, "ttl": 60_000, "data": "aGVsbG8=" });
        let subaccount = group.subaccount(rights);
        let params = subaccount.signed(&group.id, &format!("store-21{time}"), params);
        assert_eq!(client.ask(&network.record(0), "store", params).await.status, status);
    }
}

#[tokio::test]
async fn who_may_not_delete_only_puts_expiries_off() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let node = network.record(0);
    let messages = group.store(&client, &node, 3).await;
    let writer = group.subaccount(3);
    let expire = |count: usize, life: u64, way: &str| {
        let expiry = messages[0].timestamp + life;
        let names: Vec<_> = messages[..count].iter().map(|it| it.hash.clone()).collect();
        let mut params = json!({ "messages": names, "expiry": expiry });
        if !way.is_empty() {
            params[way] = true.into();
        }
        (
            expiry,
            writer.signed(&group.id, &format!("expire{way}{expiry}{}", names.concat()), params),
        )
    };
    let (day, params) = expire(1, 86_400_000, "");
    let answer = client.done(&node, "expire", params).await;
    for entry in entry_list(&answer) {
        assert_eq!(
            (&entry["expiry"], &entry["updated"]),
            (&json!(day), &json!([messages[0].hash]))
        );
    }
    let (half, params) = expire(3, 43_200_000, "");
    let answer = client.done(&node, "expire", params).await;
    for entry in entry_list(&answer) {
        assert_eq!(entry["expiry"], half);
        assert_eq!(entry["updated"], json!(sorted(&messages[1..])));
        assert!(entry.get("unchanged").is_none());
    }
    // A minute more on a day is too little to change, unless the request names no way.
    let (_, params) = expire(1, 86_460_000, "extend");
    for entry in entry_list(&client.done(&node, "expire", params).await) {
        assert_eq!(entry["updated"], json!([]));
        assert_eq!(entry["unchanged"], json!({ messages[0].hash.clone(): day }));
    }
    let (later, params) = expire(1, 86_460_000, "");
    for entry in entry_list(&client.done(&node, "expire", params).await) {
        assert_eq!((&entry["expiry"], entry.get("unchanged")), (&json!(later), None));
        assert_eq!(entry["updated"], json!([messages[0].hash]));
    }
    let (_, params) = expire(1, 20_000, "shorten");
    let text = "expire: shorten parameter cannot be used with this subaccount token (missing delete \
                access)";
    assert_eq!(client.ask(&node, "expire", params).await.said(), (400, text.to_owned()));
}

fn entry_list(answer: &Value) -> Vec<&Value> {
    answer["swarm"].as_object().unwrap().values().collect()
}

/// Signed parameters that revoke these tokens, or give them their rights back.
fn change(group: &Group, method: &str, tokens: &[&Subaccount], time: u64) -> Value {
    let under = method.strip_suffix("_subaccount").unwrap();
    let raw: Vec<u8> = tokens.iter().flat_map(|it| it.token.clone()).collect();
    let tokens: Vec<String> = tokens.iter().map(|it| it.token()).collect();
    let tokens = if let [one] = tokens.as_slice() { json!(one) } else { json!(tokens) };
    let text = [format!("{method}{time}").as_bytes(), &raw].concat();
    group.signed(text, json!({ under: tokens, "timestamp": time }))
}

async fn revoked(group: &Group, client: &Client, network: &TestNetwork) -> Vec<String> {
    let time = now();
    let params = group.signed(format!("revoked_subaccounts{time}"), json!({ "timestamp": time }));
    let answer = client.done(&network.record(2), "revoked_subaccounts", params).await;
    assert!(answer["hf"].is_array() && answer["t"].is_u64());
    let tokens = answer["revoked_subaccounts"].as_array().unwrap();
    tokens.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_revoked_subaccount_is_out_at_every_member_until_it_is_let_in_again() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let node = network.record(0);
    let hash = group.store_signed(&client, &node, 42, b"abc 123").await;
    let word = group.store_signed(&client, &node, -11, b"you are out").await;
    let dude = group.subaccount(3);
    let sees = async |namespace| {
        client.ask(&network.record(1), "retrieve", dude.retrieve(&group.id, namespace)).await
    };
    assert_eq!(sees(42).await.json()["messages"][0]["hash"], hash);
    assert!(revoked(&group, &client, &network).await.is_empty());

    let time = now();
    let params = change(&group, "revoke_subaccount", &[&dude], time);
    let answer = client.done(&node, "revoke_subaccount", params).await;
    let said = [format!("{}{time}", group.id).as_bytes(), &dude.token].concat();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, json!({}));
    }
    assert_eq!(sees(42).await.said(), refused("retrieve"));
    assert_eq!(sees(-11).await.json()["messages"][0]["hash"], word);
    assert_eq!(revoked(&group, &client, &network).await, [dude.token()]);

    let params = change(&group, "unrevoke_subaccount", &[&dude], time + 1);
    let answer = client.done(&network.record(3), "unrevoke_subaccount", params).await;
    let said = [format!("{}{}", group.id, time + 1).as_bytes(), &dude.token].concat();
    for entry in entries(&network, &answer, |_| said.clone()) {
        assert_eq!(entry, json!({ "count": 1 }));
    }
    assert_eq!(sees(42).await.json()["messages"][0]["hash"], hash);
    assert!(revoked(&group, &client, &network).await.is_empty());

    // The same words again: what was said last counts.
    let params = change(&group, "revoke_subaccount", &[&dude], time);
    client.done(&node, "revoke_subaccount", params).await;
    assert_eq!(sees(42).await.said(), refused("retrieve"));
}

#[tokio::test]
async fn the_last_fifty_revocations_are_kept() {
    let (network, client, group) = (TestNetwork::shared(), Client::new(), Group::new(3));
    let node = network.record(0);
    let first = group.subaccount(3);
    let others: Vec<Subaccount> = (0..50).map(|_| group.subaccount(3)).collect();
    let others: Vec<&Subaccount> = others.iter().collect();
    let status = async || client.ask(&node, "retrieve", first.retrieve(&group.id, 42)).await.status;
    for tokens in [&[&first][..], &others[..49]] {
        let params = change(&group, "revoke_subaccount", tokens, now());
        client.done(&node, "revoke_subaccount", params).await;
        assert_eq!(status().await, 401);
    }
    let params = change(&group, "revoke_subaccount", &others[49..], now());
    client.done(&node, "revoke_subaccount", params).await;
    assert_eq!(status().await, 200);

    let strangers: Vec<Subaccount> = (0..10).map(|_| group.subaccount(3)).collect();
    let all: Vec<&Subaccount> = others.iter().copied().chain([&first]).chain(&strangers).collect();
    let params = change(&group, "unrevoke_subaccount", &all, now());
    let answer = client.done(&node, "unrevoke_subaccount", params).await;
    for entry in entry_list(&answer) {
        assert_eq!(entry["count"], 50);
    }
    let params = change(&group, "revoke_subaccount", &all[..51], now());
    let text = "invalid request: invalid revoke: cannot revoke more than 50 subaccounts at once";
    assert_eq!(client.ask(&node, "revoke_subaccount", params).await.said(), (400, text.to_owned()));
}
