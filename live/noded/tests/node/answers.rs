//! What each method answers to a well-made request.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use warren_crypto::ed25519::VerifyingKey;
use warren_noded::node::now;
use warren_wire::{MessageHash, Namespace};

use crate::network::{Client, TestNetwork};
use crate::person::{Person, TTL, with};

fn is_now(time: &Value) -> bool {
    time.as_u64().is_some_and(|time| time.abs_diff(now()) < 10_000)
}

#[tokio::test]
async fn a_stored_message_is_signed_for_by_every_member_and_read_as_it_was() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let params = person.store(b"hello");
    let answer = client.done(&node, "store", params.clone()).await;

    let hash = MessageHash::compute(&person.id, Namespace::DIRECT, b"hello").unwrap().to_string();
    assert_eq!(answer["hash"], hash);
    assert_eq!(answer["hf"], json!([19, 6]));
    assert!(is_now(&answer["t"]));
    let expiry = params["timestamp"].as_u64().unwrap() + TTL;
    for member in network.records() {
        let entry = &answer["swarm"][member.id.to_string()];
        assert_eq!(entry["hash"], hash);
        assert_eq!(entry["expiry"], expiry);
        assert!(entry.get("already").is_none());
        let signature = STANDARD.decode(entry["signature"].as_str().unwrap()).unwrap();
        VerifyingKey::from_bytes(*member.id.as_bytes())
            .verify(hash.as_bytes(), &signature)
            .unwrap();
    }

    let answer = client.done(&node, "retrieve", person.retrieve(0)).await;
    assert!(is_now(&answer["t"]));
    assert_eq!(answer["more"], false);
    let message = json!({
        "hash": hash, "data": STANDARD.encode(b"hello"), "expiration": expiry,
        "timestamp": params["timestamp"],
    });
    assert_eq!(answer["messages"], json!([message]));
}

#[tokio::test]
async fn the_same_message_twice_is_kept_once_and_never_for_less_long() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(1);
    let first = person.store(b"again");
    client.done(&node, "store", first.clone()).await;
    let shorter = with(first.clone(), json!({ "ttl": 60_000 }));
    let answer = client.done(&node, "store", shorter).await;
    let expiry = first["timestamp"].as_u64().unwrap() + TTL;
    for member in network.records() {
        let entry = &answer["swarm"][member.id.to_string()];
        assert!(entry["already"] == true || entry["already"] == 1, "{entry}");
        assert_eq!(entry["expiry"], expiry);
    }
    assert_eq!(person.messages(&client, &node, 0).await.len(), 1);
}

#[tokio::test]
async fn numbers_may_come_as_digits_and_an_expiry_may_replace_the_lifetime() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(2);
    let time = now();
    let digits = json!({ "timestamp": time.to_string(), "ttl": "86400000" });
    client.done(&node, "store", with(person.store(b"1"), digits)).await;
    let expiry = json!({ "timestamp": time, "ttl": null, "expiry": time + 20_000 });
    client.done(&node, "store", with(person.store(b"2"), expiry)).await;
    let alias = json!({ "pubkey": null, "pubKey": person.id.to_string().to_uppercase() });
    client.done(&node, "store", with(person.store(b"3"), alias)).await;
    let messages = person.messages(&client, &node, 0).await;
    let expiries: Vec<u64> =
        messages.iter().map(|message| message["expiration"].as_u64().unwrap()).collect();
    assert_eq!(expiries[..2], [time + 86_400_000, time + 20_000]);
    assert_eq!(person.texts(&client, &node, 0).await, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_mailbox_is_read_in_pages() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    for text in ["a", "b", "c", "d", "e"] {
        client.done(&node, "store", person.store(text.as_bytes())).await;
    }
    let mut read = Vec::new();
    let mut last = String::new();
    // Both spellings of the position, since clients use both.
    for (name, more) in [("last_hash", true), ("lastHash", true), ("last_hash", false)] {
        let page = with(person.retrieve(0), json!({ "max_count": 2, name: last }));
        let answer = client.done(&node, "retrieve", page).await;
        assert_eq!(answer["more"], more);
        let messages = answer["messages"].as_array().unwrap().clone();
        last = messages.last().unwrap()["hash"].as_str().unwrap().to_owned();
        read.extend(messages.iter().map(|message| message["data"].as_str().unwrap().to_owned()));
    }
    assert_eq!(read, ["a", "b", "c", "d", "e"].map(|text| STANDARD.encode(text)));
}

#[tokio::test]
async fn the_size_of_a_page_is_what_the_client_asks_for() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    for n in 0..4_u8 {
        client.done(&node, "store", person.store(&[n; 3_000])).await;
    }
    let count = async |params: Value| {
        let params = with(person.retrieve(0), params);
        let answer = client.done(&node, "retrieve", params).await;
        (answer["messages"].as_array().unwrap().len(), answer["more"] == true)
    };
    // 100 for the frame, 43 for the hash, 4,000 of base64.
    assert_eq!(count(json!({ "max_size": 2 * 4_143 })).await, (2, true));
    assert_eq!(count(json!({ "max_size": 2 * 4_143 - 1 })).await, (1, true));
    assert_eq!(count(json!({ "max_size": 1 })).await, (1, true));
    assert_eq!(count(json!({ "max_size": -1 })).await, (4, false));
    assert_eq!(count(json!({ "max_count": 3, "max_size": 4_143 })).await, (1, true));
    // The spelling of the Session clients in JavaScript, which the reference ignores.
    assert_eq!(count(json!({ "maxSize": -8, "maxCount": 1 })).await, (4, false));
}

#[tokio::test]
async fn a_count_of_minus_one_gives_nothing_and_of_less_everything() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    for n in 0..3_u8 {
        client.done(&node, "store", person.store(&[n])).await;
    }
    for (count, messages) in [(-1, 0), (-2, 3), (i64::MIN, 3)] {
        let params = with(person.retrieve(0), json!({ "max_count": count }));
        let answer = client.done(&node, "retrieve", params).await;
        assert_eq!(answer["messages"].as_array().unwrap().len(), messages, "{count}");
        assert_eq!(answer["more"], false, "{count}");
    }
}

#[tokio::test]
async fn the_retrieves_of_a_batch_share_twice_the_room_of_one() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    for n in 0..60_u8 {
        client.done(&node, "store", person.store(&[n; 76_800])).await;
    }
    let most = json!({ "max_size": -1 });
    let all = client.done(&node, "retrieve", with(person.retrieve(0), most.clone())).await;
    assert_eq!((all["messages"].as_array().unwrap().len(), &all["more"]), (60, &json!(false)));

    let retrieve = json!({ "method": "retrieve", "params": with(person.retrieve(0), most) });
    let batch = json!({ "requests": vec![retrieve; 20] });
    for method in ["batch", "sequence"] {
        let answer = client.done(&node, method, batch.clone()).await;
        let counts: Vec<usize> = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|result| {
                let messages = result["body"]["messages"].as_array().unwrap();
                assert_eq!(result["body"]["more"], messages.len() < 60);
                assert_eq!(messages[0], all["messages"][0]);
                messages.len()
            })
            .collect();
        // 15,600,000 bytes hold 152 messages of 102,543; then there is one for each.
        assert_eq!(counts[..3], [60, 60, 32], "{method}");
        assert_eq!(counts[3..], [1; 17], "{method}");
    }
}

#[tokio::test]
async fn the_largest_message_is_taken_by_every_member() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(3);
    let answer = client.done(&node, "store", person.store(&[b'x'; 76_800])).await;
    let swarm = answer["swarm"].as_object().unwrap();
    assert_eq!(swarm.len(), 7);
    assert!(swarm.values().all(|entry| entry.get("failed").is_none()), "{swarm:?}");
    assert_eq!(person.texts(&client, &network.record(6), 0).await[0].len(), 76_800);
}

#[tokio::test]
async fn a_deleted_message_is_gone_from_every_member() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(4);
    let stored = client.done(&node, "store", person.store(b"goes")).await;
    client.done(&node, "store", person.store(b"stays")).await;
    let (hash, absent) = (stored["hash"].as_str().unwrap(), "A".repeat(43));
    let answer = client.done(&node, "delete", person.delete(&[&absent, hash])).await;
    for member in network.records() {
        let entry = &answer["swarm"][member.id.to_string()];
        assert_eq!(entry["deleted"], json!([hash]));
        let signature = STANDARD.decode(entry["signature"].as_str().unwrap()).unwrap();
        VerifyingKey::from_bytes(*member.id.as_bytes())
            .verify(format!("{}{absent}{hash}{hash}", person.id).as_bytes(), &signature)
            .unwrap();
        assert_eq!(person.texts(&client, &member, 0).await, ["stays"]);
    }
    let again = client.done(&node, "delete", person.delete(&[hash])).await;
    assert_eq!(again["swarm"][node.id.to_string()]["deleted"], json!([]));
    let required = with(person.delete(&[hash]), json!({ "required": true }));
    assert_eq!(client.ask(&node, "delete", required).await.status, 404);
}

#[tokio::test]
async fn a_private_drawer_takes_and_gives_the_owners_messages() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    client.done(&node, "store", person.store_signed(5, now(), b"mine")).await;
    assert_eq!(person.texts(&client, &node, 5).await, ["mine"]);
    assert!(person.texts(&client, &node, 0).await.is_empty());
}

#[tokio::test]
async fn a_public_outbox_holds_one_message_that_anyone_reads() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let time = now();
    for (offset, data) in [(0, "first"), (20, "second"), (10, "late")] {
        let params = person.store_signed(-21, time + offset, data.as_bytes());
        client.done(&network.record(0), "store", params).await;
    }
    for member in network.records() {
        let anyone = json!({ "pubkey": person.id.to_string(), "namespace": -21 });
        let answer = client.done(&member, "retrieve", anyone).await;
        let messages = answer["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 1);
        assert_eq!(messages[0]["data"], STANDARD.encode("second"));
    }
}

#[tokio::test]
async fn an_expired_message_is_not_served() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let nearly_over = json!({ "timestamp": now() - 8_000, "ttl": 10_000 });
    client.done(&node, "store", with(person.store(b"brief"), nearly_over)).await;
    assert_eq!(person.texts(&client, &node, 0).await, ["brief"]);
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    for member in network.records() {
        assert!(person.texts(&client, &member, 0).await.is_empty());
    }
}

#[tokio::test]
async fn get_swarm_names_the_members_under_both_of_its_names() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let params = json!({ "pubkey": person.id.to_string(), "params": { "active_only": true } });
    for method in ["get_swarm", "get_snodes_for_pubkey"] {
        let answer = client.done(&node, method, params.clone()).await;
        assert_eq!(answer["swarm"], format!("{:x}", node.swarm.0));
        let snodes = answer["snodes"].as_array().unwrap();
        assert_eq!(snodes.len(), 7);
        for (snode, record) in snodes.iter().zip(network.records()) {
            assert_eq!(snode["ip"], record.ip.to_string());
            assert_eq!(snode["port"], record.port.to_string());
            assert_eq!(snode["port_https"], record.port);
            assert_eq!(snode["pubkey_ed25519"], record.id.to_string());
            assert_eq!(snode["pubkey_x25519"], hex::encode(record.x25519.as_bytes()));
            assert!(snode["address"].as_str().unwrap().ends_with(".snode"));
        }
    }
}

#[tokio::test]
async fn info_tells_version_and_clock() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let answer = client.done(&network.record(0), "info", json!({})).await;
    assert!(is_now(&answer["t"]) && is_now(&answer["timestamp"]));
    assert_eq!(answer["version"], json!([2, 11, 0]));
    assert_eq!(answer["hf"], json!([19, 6]));
}

#[tokio::test]
async fn a_batch_carries_everything_out_whatever_fails() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let unsigned = with(person.store(b"no"), json!({ "namespace": 5 }));
    let requests = json!([
        { "method": "store", "params": person.store(b"yes") },
        { "method": "store", "params": unsigned },
        { "method": "info", "params": {} },
    ]);
    let answer = client.done(&network.record(0), "batch", json!({ "requests": requests })).await;
    assert_eq!(answer.as_object().unwrap().len(), 1);
    let results = answer["results"].as_array().unwrap();
    let codes: Vec<_> = results.iter().map(|result| result["code"].as_u64().unwrap()).collect();
    assert_eq!(codes, [200, 401, 200]);
    assert_eq!(results[1]["body"], "store: signature required to store to namespace 5");
    assert!(results[0]["body"]["hash"].is_string());
    assert!(is_now(&results[2]["body"]["t"]));
}

#[tokio::test]
async fn a_sequence_stops_at_the_first_failure() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let unsigned = with(person.store(b"no"), json!({ "namespace": 5 }));
    let requests = json!([
        { "method": "store", "params": person.store(b"before") },
        { "method": "store", "params": unsigned },
        { "method": "store", "params": person.store(b"after") },
    ]);
    let answer = client.done(&node, "sequence", json!({ "requests": requests })).await;
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!((&results[0]["code"], &results[1]["code"]), (&json!(200), &json!(401)));
    assert_eq!(person.texts(&client, &node, 0).await, ["before"]);
}
