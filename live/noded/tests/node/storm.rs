//! Thousands of altered packets, senseless bodies and hasty requests: a node answers each, never by 500.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;
use warren_onion::Cipher;
use warren_wire::directory::NodeRecord;

use crate::network::{Client, TestNetwork};
use crate::onion::wrap;
use crate::person::Person;
use crate::program::Processes;

/// How many bodies of each kind.
const BODIES: u64 = 2_000;

/// Numbers that look random and are the same at every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let length = self.roll(most);
        (0..length).map(|_| u8::try_from(self.roll(256)).unwrap()).collect()
    }

    /// Changes, removes, doubles or cuts off some of the bytes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(3) {
            let place = self.roll(bytes.len().max(1));
            match self.roll(5) {
                0 => bytes.truncate(place),
                1 => bytes.extend(self.bytes(50)),
                2 => bytes.insert(place, u8::try_from(self.roll(256)).unwrap()),
                // The length in front and the header behind are where a packet is read first.
                3 if bytes.len() > 4 => bytes[self.roll(4)] ^= 1 << self.roll(8),
                _ => {
                    if let Some(byte) = bytes.get_mut(place) {
                        *byte ^= 1 << self.roll(8);
                    }
                }
            }
        }
    }
}

/// Posts all bodies, sixteen at a time, and looks at each status.
async fn storm(node: &NodeRecord, bodies: impl Iterator<Item = (&'static str, Vec<u8>)>) {
    let client = Client::new();
    let answers = iter(bodies).map(|(path, body)| {
        let client = &client;
        async move { (path, client.post(node, path, body).await) }
    });
    let mut answers = answers.buffer_unordered(16);
    while let Some((path, response)) = answers.next().await {
        assert_ne!(response.status, 500, "{path}: {response}");
    }
}

async fn assert_still_answers(network: &TestNetwork) {
    let (client, person) = (Client::new(), Person::new());
    for node in network.records() {
        client.done(&node, "store", person.store(node.id.as_bytes())).await;
    }
    assert_eq!(person.messages(&client, &network.record(0), 0).await.len(), 7);
}

#[tokio::test]
async fn altered_packets_leave_the_nodes_well() {
    let network = TestNetwork::shared();
    let way = &network.records()[..4];
    let person = Person::new();
    let packets: Vec<_> = [Cipher::XChaCha20, Cipher::AesGcm]
        .map(|cipher| wrap(way, cipher, "store", &person.store(b"never to arrive")).packet)
        .into();
    let bodies = (0..BODIES).map(|seed| {
        let mut dice = Dice(seed);
        let mut packet = packets[dice.roll(2)].clone();
        dice.mutate(&mut packet);
        ("/onion_req/v2", packet)
    });
    storm(&way[0], bodies).await;
    assert_still_answers(&network).await;
}

#[tokio::test]
async fn senseless_bodies_leave_the_nodes_well() {
    const ROUTES: [&str; 5] =
        ["/storage_rpc/v1", "/onion_req/v2", "/swarm/v1", "/ping_test/v1", "/nowhere"];
    let network = TestNetwork::shared();
    let person = Person::new();
    let request = json!({ "method": "batch", "params": { "requests": [
        { "method": "store", "params": person.store(b"x") },
        { "method": "retrieve", "params": person.retrieve(0) },
        { "method": "delete", "params": person.delete(&["A".repeat(43).as_str()]) },
    ] } });
    let bodies = (0..BODIES).map(|seed| {
        let mut dice = Dice(seed);
        let route = ROUTES[dice.roll(ROUTES.len())];
        let body = if dice.roll(2) == 0 {
            dice.bytes(2_000)
        } else {
            let mut body = request.to_string().into_bytes();
            dice.mutate(&mut body);
            body
        };
        (route, body)
    });
    storm(&network.record(0), bodies).await;
    assert_still_answers(&network).await;
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_put_off_and_soon_served_again() {
    let nodes = Processes::start(1).await;
    let (client, node) = (Client::new(), &nodes.records[0]);
    let ask = async |path: &'static str| client.post(node, path, "{").await;
    let asked: Vec<_> =
        iter(0..3_000).map(|_| ask("/storage_rpc/v1")).buffer_unordered(64).collect().await;
    let (served, put_off): (Vec<_>, Vec<_>) = asked.iter().partition(|it| it.status == 400);
    assert!(served.len() >= 600, "{}", served.len());
    assert!(!put_off.is_empty());
    for response in put_off {
        assert_eq!(response.said(), (429, "Too Many Requests\n".to_owned()));
    }
    // Onions and pings have no part in this.
    for _ in 0..5 {
        assert_eq!(ask("/onion_req/v2").await.status, 400);
        assert_eq!(ask("/ping_test/v1").await.status, 200);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ask("/storage_rpc/v1").await.status, 400);
}
