//! Thousands of altered packets, senseless bodies and hasty requests: a node answers each, never by 500.

use futures_util::StreamExt;
use futures_util::stream::iter;
use serde_json::json;
use warren_onion::Cipher;
use warren_wire::directory::NodeRecord;

use crate::network::{Client, TestNetwork};
use crate::onion::wrap;
use crate::person::Person;

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
