//! Real nodes that are killed, wiped and restarted: a quorum decides, and all end with the same mail.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::network::Client;
use crate::person::Person;
use crate::program::Processes;

/// Waits until a node's own mailbox reads so. By then it is caught up, or pulled it together.
async fn until_read(
    client: &Client,
    nodes: &Processes,
    number: usize,
    person: &Person,
    expected: &[&str],
) {
    let started = Instant::now();
    loop {
        let response = client.ask(&nodes.records[number], "retrieve", person.retrieve(0)).await;
        if response.status == 200 {
            let mut texts = person.texts(client, &nodes.records[number], 0).await;
            texts.sort_unstable();
            if texts == expected {
                return;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{texts:?}, not {expected:?}");
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{response}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn hash(answer: &Value) -> String {
    answer["hash"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_store_is_refused_without_a_quorum_and_accepted_with_one() {
    let mut nodes = Processes::start(5).await;
    let (client, person) = (Client::new(), Person::new());
    for number in [2, 3, 4] {
        nodes.kill(number).await;
    }
    let taker = nodes.records[0].clone();
    let refused = client.ask(&taker, "store", person.store(b"two of five")).await;
    assert_eq!(refused.status, 500, "{refused}");
    let said = refused.json();
    let failed = said["swarm"].as_object().unwrap().values();
    assert_eq!(failed.filter(|entry| entry.get("failed").is_some()).count(), 3);
    nodes.restart(2).await;
    client.done(&taker, "store", person.store(b"three of five")).await;
}

#[tokio::test]
async fn who_was_down_or_lost_its_disk_ends_with_the_same_mail() {
    let mut nodes = Processes::start(5).await;
    let (client, person) = (Client::new(), Person::new());
    let taker = nodes.records[0].clone();
    client.done(&taker, "store", person.store(b"before")).await;
    let gone = hash(&client.done(&taker, "store", person.store(b"gone")).await);
    nodes.kill(3).await;
    nodes.kill(4).await;
    client.done(&taker, "store", person.store(b"meanwhile")).await;
    client.done(&taker, "delete", person.delete(&[&gone])).await;
    nodes.wipe(4);
    nodes.restart(3).await;
    nodes.restart(4).await;
    for number in [3, 4] {
        until_read(&client, &nodes, number, &person, &["before", "meanwhile"]).await;
    }
    // The two that came back and one more are enough to know everything.
    for number in [0, 1] {
        nodes.kill(number).await;
    }
    for number in [2, 3, 4] {
        until_read(&client, &nodes, number, &person, &["before", "meanwhile"]).await;
    }
    client.done(&nodes.records[4], "store", person.store(b"after")).await;
}
