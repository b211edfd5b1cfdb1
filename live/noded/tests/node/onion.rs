//! Requests through three nodes to a fourth, and what each node says of packets it cannot pass on.

use serde_json::{Value, json};
use warren_crypto::SystemEntropy;
use warren_onion::{Built, Cipher, Hop, Reply, build, open_reply};
use warren_wire::NodeId;
use warren_wire::directory::NodeRecord;

use crate::network::{Client, Response, TestNetwork};
use crate::person::{Person, with};

/// Wraps a request for the last of four nodes.
pub(crate) fn wrap(way: &[NodeRecord], cipher: Cipher, method: &str, params: &Value) -> Built {
    let hops: Vec<Hop> = way.iter().map(Hop::from).collect();
    let (destination, path) = hops.split_last().unwrap();
    let payload = json!({ "method": method, "params": params }).to_string();
    build(path, destination, payload.as_bytes(), cipher, &mut SystemEntropy).unwrap()
}

async fn send(client: &Client, way: &[NodeRecord], packet: Vec<u8>) -> Response {
    let response = client.post(&way[0], "/onion_req/v2", packet).await;
    assert_eq!(response.content_type, "text/plain");
    response
}

/// Sends a request through the path and opens its answer.
async fn ask(
    client: &Client,
    way: &[NodeRecord],
    cipher: Cipher,
    method: &str,
    params: &Value,
) -> Reply {
    let Built { packet, reply_key } = wrap(way, cipher, method, params);
    let response = send(client, way, packet).await;
    assert_eq!(response.status, 200, "{response}");
    open_reply(&reply_key, &response.body).unwrap()
}

#[tokio::test]
async fn a_message_goes_and_comes_through_three_hops_with_either_cipher() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let way = &network.records()[1..5];
    for cipher in [Cipher::XChaCha20, Cipher::AesGcm] {
        let person = Person::new();
        let reply = ask(&client, way, cipher, "store", &person.store(b"through")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body["swarm"].as_object().unwrap().len(), 7);
        let reply = ask(&client, way, cipher, "retrieve", &person.retrieve(0)).await;
        assert_eq!(reply.body["messages"][0]["hash"].as_str().unwrap().len(), 43);
        assert_eq!(person.texts(&client, &network.record(0), 0).await, ["through"]);
    }
}

#[tokio::test]
async fn the_largest_page_comes_back_through_three_hops() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let way = &network.records()[..4];
    for n in 0..8_u8 {
        let reply =
            ask(&client, way, Cipher::XChaCha20, "store", &person.store(&[n; 70_000])).await;
        assert_eq!(reply.status, 200);
    }
    let all = with(person.retrieve(0), json!({ "max_size": -1 }));
    let reply = ask(&client, way, Cipher::XChaCha20, "retrieve", &all).await;
    assert_eq!(reply.body["messages"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn a_refusal_by_the_destination_comes_sealed() {
    let (network, client, person) = (TestNetwork::shared(), Client::new(), Person::new());
    let way = &network.records()[..4];
    for (params, status, text) in [
        (json!({}), 400, "invalid request: Required field 'pubkey' missing"),
        (json!({ "pubkey": person.id.to_string() }), 401, "retrieve: request signature required"),
    ] {
        let reply = ask(&client, way, Cipher::XChaCha20, "retrieve", &params).await;
        assert_eq!((reply.status, reply.body), (status, json!(text)));
    }
}

#[tokio::test]
async fn a_misdirected_request_is_answered_within_the_onion() {
    let (network, client) = (TestNetwork::start(14), Client::new());
    let list = warren_wire::directory::NodeList::new(network.records()).unwrap();
    let way = &list.nodes()[..4];
    let person = loop {
        let person = Person::new();
        if list.swarm_of(&person.id) != Some(way[3].swarm) {
            break person;
        }
    };
    let reply = ask(&client, way, Cipher::AesGcm, "store", &person.store(b"x")).await;
    assert_eq!(reply.status, 421);
    assert_eq!(reply.body["snodes"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn a_node_that_is_not_on_the_list_is_named() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    for place in 1..4 {
        let mut way = network.records()[..4].to_vec();
        way[place].id = NodeId::from_bytes([0xab; 32]);
        let packet = wrap(&way, Cipher::XChaCha20, "info", &json!({})).packet;
        let expected = format!("Next node not found: {}", "ab".repeat(32));
        assert_eq!(send(&client, &way, packet).await.said(), (502, expected));
    }
}

#[tokio::test]
async fn what_is_no_packet_is_refused_in_plain_text() {
    let (network, client) = (TestNetwork::shared(), Client::new());
    let way = &network.records()[..4];
    let packet = || wrap(way, Cipher::XChaCha20, "info", &json!({})).packet;
    let parsing = |text: &str| format!("Error parsing onion request: {text}");
    let mut sealed_wrong = packet();
    sealed_wrong[100] ^= 1;
    let at_another_node = wrap(&network.records()[1..5], Cipher::AesGcm, "info", &json!({})).packet;
    let header = |json: &str| [&[0; 4], json.as_bytes()].concat();
    let key = "00".repeat(32);
    let cases = [
        (Vec::new(), parsing("Unexpected payload size; expected ciphertext size")),
        (b"abc".to_vec(), parsing("Unexpected payload size; expected ciphertext size")),
        (b"\xff\xff\0\0abc".to_vec(), parsing("Unexpected payload size 3, expected >= 65535")),
        (sealed_wrong, "Invalid ciphertext".to_owned()),
        (at_another_node, "Invalid ciphertext".to_owned()),
        (header(&format!(r#"{{"ephemeral_key":"{key}"}}"#)), "Invalid ciphertext".to_owned()),
        (
            header(&format!(r#"{{"ephemeral_key":"{key}","enc_type":"rot13"}}"#)),
            parsing("Invalid encryption type rot13"),
        ),
    ];
    for (body, text) in cases {
        assert_eq!(send(&client, way, body).await.said(), (400, text));
    }
    for body in [header("{"), header("{}"), header(r#"{"ephemeral_key":7}"#)] {
        let (status, text) = send(&client, way, body).await.said();
        assert_eq!(status, 400);
        assert!(text.starts_with("Error parsing onion request: "), "{text}");
    }
}
