//! Stopping and starting: the same nodes with the same mail, and no waiting for idle connections.

use std::time::{Duration, Instant};

use warren_noded::LocalNetwork;
use warren_noded::local_network::{NetworkError, Plan};
use warren_wire::directory::NodeRecord;

use crate::network::{Client, TestNetwork};
use crate::person::Person;

fn records(network: &LocalNetwork) -> Vec<NodeRecord> {
    network.nodes()[0].node().placement().list().nodes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_started_again_has_the_same_nodes_and_mail() {
    let data = tempfile::tempdir().unwrap();
    let plan = Plan { nodes: 4, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
    let (client, person) = (Client::new(), Person::new());

    let network = LocalNetwork::start(&plan).await.unwrap();
    let before = records(&network);
    let key = network.seed().split_once('#').unwrap().1.to_owned();
    client.done(&before[0], "store", person.store(b"kept")).await;
    let stored = person.messages(&client, &before[1], 0).await;
    network.stop().await;

    let network = LocalNetwork::start(&plan).await.unwrap();
    let after = records(&network);
    assert_eq!(network.seed().split_once('#').unwrap().1, key);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.id, before.certificate), (after.id, after.certificate));
        assert_eq!(person.messages(&client, after, 0).await, stored);
    }
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_connections_do_not_hold_up_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let plan = Plan { nodes: 4, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
    let network = LocalNetwork::start(&plan).await.unwrap();
    let person = Person::new();
    let (http2, http1) = (Client::new(), Client::http1());
    for node in records(&network) {
        http2.done(&node, "store", person.store(b"2")).await;
        http1.done(&node, "store", person.store(b"1")).await;
    }
    let started = Instant::now();
    network.stop().await;
    assert!(started.elapsed() < Duration::from_millis(4_500), "{:?}", started.elapsed());
}

/// This test's executor drives the clients alone, and does not while the network stops.
#[tokio::test]
async fn clients_that_are_asleep_do_not_hold_up_a_stop() {
    let network = TestNetwork::start(4);
    let (http2, http1, person) = (Client::new(), Client::http1(), Person::new());
    for node in network.records() {
        http2.done(&node, "store", person.store(b"2")).await;
        http1.done(&node, "store", person.store(b"1")).await;
    }
    let started = Instant::now();
    drop(network);
    assert!(started.elapsed() < Duration::from_millis(4_500), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_of_a_wrong_size_or_on_a_taken_port_does_not_start() {
    let data = tempfile::tempdir().unwrap();
    let plan = Plan { nodes: 3, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
    assert!(matches!(LocalNetwork::start(&plan).await, Err(NetworkError::Size(3))));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let seed_port = taken.local_addr().unwrap().port();
    let plan = Plan { nodes: 4, seed_port, ..plan };
    let error = LocalNetwork::start(&plan).await.err().unwrap().to_string();
    assert!(error.contains(&seed_port.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_not_started_as_a_network_of_another_size() {
    let data = tempfile::tempdir().unwrap();
    let mut plan = Plan { nodes: 4, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
    LocalNetwork::start(&plan).await.unwrap().stop().await;
    plan.nodes = 5;
    let refused = LocalNetwork::start(&plan).await.err().unwrap();
    assert!(matches!(refused, NetworkError::OtherSize(_, 4)), "{refused}");
}
