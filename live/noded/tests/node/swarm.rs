//! Who keeps whose mail, and what members of a swarm tell each other.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use warren_crypto::ed25519::SigningKey;
use warren_crypto::{Secret, SystemEntropy};
use warren_noded::held::Share;
use warren_noded::node::now;
use warren_noded::storage_route;
use warren_wire::Stamp;
use warren_wire::directory::NodeList;
use warren_wire::rpc::fields::Fields;
use warren_wire::rpc::{StoreRequest, peer};

use crate::network::{Client, TestNetwork};
use crate::person::{Person, with};

#[tokio::test]
async fn every_member_gives_a_message_that_one_of_them_took() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    for (n, taker) in network.records().iter().enumerate() {
        client.done(taker, "store", person.store(format!("by {n}").as_bytes())).await;
    }
    let expected: Vec<_> = (0..7).map(|n| format!("by {n}")).collect();
    for member in network.records() {
        assert_eq!(person.texts(&client, &member, 0).await, expected);
    }
}

/// An account that the first node does not keep mail for, and the nodes that do.
fn stranger(list: &NodeList) -> (Person, Vec<String>) {
    let own = list.nodes()[0].swarm;
    loop {
        let person = Person::new();
        let swarm = list.swarm_of(&person.id).unwrap();
        if swarm != own {
            return (person, list.members(swarm).map(|node| node.id.to_string()).collect());
        }
    }
}

#[tokio::test]
async fn another_swarms_mail_is_misdirected_and_the_answer_names_the_right_one() {
    let (network, client) = (TestNetwork::start(14), Client::new());
    let list = NodeList::new(network.records()).unwrap();
    let (person, members) = stranger(&list);
    assert_eq!(members.len(), 7);
    let wrong = &list.nodes()[0];

    let named = |body: &Value| -> Vec<String> {
        let snodes = body["snodes"].as_array().unwrap();
        snodes.iter().map(|node| node["pubkey_ed25519"].as_str().unwrap().to_owned()).collect()
    };
    let swarm = format!("{:x}", list.swarm_of(&person.id).unwrap().0);
    let hash = "A".repeat(43);
    // Misdirected comes first: of the signature nothing is said, right or wrong.
    let requests = [
        ("store", person.store(b"x")),
        ("store", with(person.store(b"x"), json!({ "ttl": 1, "namespace": 5 }))),
        ("retrieve", person.retrieve(0)),
        ("retrieve", person.retrieve_at(0, 1_000_000_000)),
        ("delete", person.delete(&[&hash])),
    ];
    for (method, params) in requests {
        let response = client.ask(wrong, method, params).await;
        assert_eq!((response.status, response.content_type.as_str()), (421, "application/json"));
        let body = response.json();
        assert_eq!(named(&body), members);
        assert_eq!(body["swarm"], swarm.as_str());
        assert!(body["t"].is_u64() && body["hf"].is_array());
    }

    let whose = json!({ "pubkey": person.id.to_string() });
    let answer = client.done(wrong, "get_swarm", whose.clone()).await;
    assert_eq!(named(&answer), members);
    let batch = json!({ "requests": [
        { "method": "get_swarm", "params": whose }, { "method": "retrieve", "params": person.retrieve(0) },
    ] });
    let answer = client.done(wrong, "batch", batch).await;
    assert_eq!(answer["results"][0]["code"], 200);
    assert_eq!(answer["results"][1]["code"], 421);
    assert_eq!(named(&answer["results"][1]["body"]), members);

    let right = list.get(&members[3].parse().unwrap()).unwrap();
    let answer = client.done(right, "store", person.store(b"arrived")).await;
    let mut stored: Vec<_> = answer["swarm"].as_object().unwrap().keys().cloned().collect();
    stored.sort_unstable();
    let mut expected = members;
    expected.sort_unstable();
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn what_a_client_begins_and_leaves_reaches_every_member_all_the_same() {
    let (network, client, person) = (TestNetwork::start(4), Client::new(), Person::new());
    let body = |method: &str, params: Value| json!({ "method": method, "params": params });
    let begin = |body: Value| {
        let bytes = body.to_string().into_bytes();
        assert!(
            storage_route::answer(network.node(0), &bytes, Share::Unknown).now_or_never().is_none()
        );
    };
    let agree_on = async |expected: &[&str]| {
        for member in network.records() {
            let deadline = now() + 10_000;
            while person.texts(&client, &member, 0).await != expected {
                assert!(now() < deadline, "{} lags behind", member.id);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    begin(body("store", person.store(b"left half way")));
    agree_on(&["left half way"]).await;
    let message = person.messages(&client, &network.record(0), 0).await.remove(0);
    begin(body("delete", person.delete(&[message["hash"].as_str().unwrap()])));
    agree_on(&[]).await;
}

#[tokio::test]
async fn a_passed_on_request_is_believed_from_members_alone_and_checked_like_any_other() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let node = network.record(0);
    let member = network.signing_key(1);
    let nobody = SigningKey::from_seed(Secret::random(&mut SystemEntropy)).unwrap();
    // As a member passes it on: bytes instead of base64.
    let store = |changes: Value| {
        let params = warren_wire::Value::from(person.store_signed(5, now(), b"x"));
        let request = StoreRequest::read(Fields::new(params.as_dict().unwrap())).unwrap();
        let mut dict = request.to_value().as_dict().unwrap().clone();
        dict.extend(warren_wire::Value::from(changes).as_dict().unwrap().clone());
        dict.retain(|_, value| *value != warren_wire::Value::Null);
        warren_wire::Value::Dict(dict)
    };
    let sealed = |method: &str, params: warren_wire::Value, time: u64, key: &SigningKey| {
        peer::seal(method, params, Some(Stamp::at(now())), &node.id, time, key).unwrap()
    };
    let for_another =
        peer::seal("store", store(json!({})), None, &network.record(2).id, now(), member).unwrap();
    let mut altered = sealed("store", store(json!({})), now(), member);
    let place = altered.windows(5).position(|bytes| bytes == b"store").unwrap();
    altered[place] = b'S';

    let cases = [
        (b"d1:ae".to_vec(), 400, "malformed swarm request"),
        (Vec::new(), 400, "malformed swarm request"),
        (altered, 401, "swarm request signature verification failed"),
        (for_another, 400, "swarm request for another node"),
        (
            sealed("store", store(json!({})), now() - 22 * 60_000, member),
            406,
            "swarm request timestamp too far from current time",
        ),
        (
            sealed("store", store(json!({})), now(), &nobody),
            401,
            "swarm request from a node that is no member",
        ),
        (
            sealed("store", store(json!({ "namespace": 6 })), now(), member),
            401,
            "store signature verification failed",
        ),
        (
            sealed("store", store(json!({ "expiry": now() + 5_000 })), now(), member),
            403,
            "Provided expiry/TTL is not valid.",
        ),
        (
            sealed("store", store(json!({ "data": null })), now(), member),
            400,
            "invalid request: Required field 'data' missing",
        ),
        (sealed("nothing", store(json!({})), now(), member), 400, "no method nothing"),
        (
            sealed("info", store(json!({})), now(), member),
            400,
            "not a request that members pass on",
        ),
    ];
    for (envelope, status, text) in cases {
        let response = client.post(&node, "/swarm/v1", envelope).await;
        assert_eq!(response.said(), (status, text.to_owned()));
    }
    assert!(person.messages(&client, &node, 5).await.is_empty());

    let good = sealed("store", store(json!({})), now(), member);
    assert_eq!(client.post(&node, "/swarm/v1", good).await.status, 200);
    assert_eq!(person.texts(&client, &node, 5).await, ["x"]);
}
