//! Two people on two devices, through a real local network, over outages and restarts.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use warren_client::database::{Content, Direction, Filter};
use warren_client::vault::Cost;
use warren_client::{Delivery, Device, Messenger};
use warren_noded::config::LimitsConfig;
use warren_noded::local_network::Plan;
use warren_noded::node::NodeOptions;
use warren_noded::{LocalNetwork, RunningNode};
use warren_wire::AccountId;

async fn network(data: &Path, nodes: usize) -> LocalNetwork {
    let plan = Plan { nodes, data: data.to_owned(), seed_port: 0, node_port: 0 };
    LocalNetwork::start(&plan).await.unwrap()
}

fn device(home: &Path, network: &LocalNetwork) -> Device {
    let mut device = if Device::exists(home) {
        Device::unlock(home, "passphrase").unwrap()
    } else {
        Device::create(home, "passphrase", Cost::LEAST).unwrap()
    };
    device.use_seed(&network.seed().parse().unwrap()).unwrap();
    device
}

fn person(home: &Path, network: &LocalNetwork, name: &str) -> (Messenger, AccountId, String) {
    let mut device = device(home, network);
    let (entry, words) = device.create_account(name, Some(name)).unwrap();
    (device.messenger(None).unwrap(), entry.id, words.expose().to_owned())
}

/// Every message with `peer`, oldest first: who said what.
fn said(messenger: &Messenger, peer: &AccountId) -> Vec<(Direction, String)> {
    let filter = Filter { conversation: Some(*peer), unread: false };
    let mut messages = messenger.db().with(|db| db.messages(&filter, None, 100)).unwrap().messages;
    messages.reverse();
    messages
        .into_iter()
        .map(|message| match message.content {
            Content::Text(text) => (message.direction, text),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn incoming(text: &str) -> (Direction, String) {
    (Direction::Incoming, text.to_owned())
}

fn outgoing(text: &str) -> (Direction, String) {
    (Direction::Outgoing, text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_talk_and_one_restores_both_sides_from_the_words() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net"), 7).await;
    let (alice, alice_id, words) = person(&folder.path().join("a"), &network, "Alice");
    let (bob, bob_id, _) = person(&folder.path().join("b"), &network, "Bob");

    assert_eq!(alice.send(&bob_id, "hello Bob").await.unwrap().state, Delivery::Delivered);
    assert_eq!(bob.receive().await.unwrap(), 1);
    assert_eq!(bob.receive().await.unwrap(), 0);
    assert_eq!(said(&bob, &alice_id), [incoming("hello Bob")]);
    let contact = bob.db().with(|db| db.contact(&alice_id)).unwrap().unwrap();
    assert_eq!(contact.shown_name(), Some("Alice"));

    assert_eq!(bob.send(&alice_id, "hello Alice").await.unwrap().state, Delivery::Delivered);
    assert_eq!(alice.receive().await.unwrap(), 1);
    let whole = [outgoing("hello Bob"), incoming("hello Alice")];
    assert_eq!(said(&alice, &bob_id), whole);

    let path = alice.path().await.unwrap();
    assert_eq!(path.hops.len(), 3);
    let again = alice.path().await.unwrap();
    assert_eq!(path.hops, again.hops);

    let mut fresh = device(&folder.path().join("c"), &network);
    fresh.restore_account(&words, "Alice", None).unwrap();
    let restored = fresh.messenger(None).unwrap();
    assert_eq!(restored.receive().await.unwrap(), 2);
    assert_eq!(said(&restored, &bob_id), whole);
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_swarms_carry_mail_to_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net"), 14).await;
    let (alice, ..) = person(&folder.path().join("a"), &network, "Alice");
    for number in 0..4 {
        let home = folder.path().join(format!("peer{number}"));
        let (peer, peer_id, _) = person(&home, &network, "Peer");
        assert_eq!(alice.send(&peer_id, "hi").await.unwrap().state, Delivery::Delivered);
        assert_eq!(peer.receive().await.unwrap(), 1);
    }
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_to_oneself_comes_back_once() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net"), 4).await;
    let (alice, alice_id, _) = person(&folder.path().join("a"), &network, "Alice");
    assert_eq!(alice.send(&alice_id, "remember").await.unwrap().state, Delivery::Delivered);
    assert_eq!(alice.receive().await.unwrap(), 0);
    assert_eq!(said(&alice, &alice_id), [outgoing("remember")]);
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_while_the_network_is_down_and_arrives_once_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let nodes = network(&data, 7).await;
    let (alice, alice_id, _) = person(&folder.path().join("a"), &nodes, "Alice");
    let (mut bob, bob_id, _) = person(&folder.path().join("b"), &nodes, "Bob");
    alice.send(&bob_id, "first").await.unwrap();
    nodes.stop().await;

    let sent = alice.send(&bob_id, "second").await.unwrap();
    assert!(matches!(sent.state, Delivery::Waiting(_)));
    drop((alice, bob));

    // The nodes come back on other ports, and both programs are started anew.
    let nodes = network(&data, 7).await;
    let alice = device(&folder.path().join("a"), &nodes).messenger(None).unwrap();
    assert_eq!(alice.deliver_all().await.unwrap(), 2);
    assert_eq!(alice.deliver_all().await.unwrap(), 0);
    bob = device(&folder.path().join("b"), &nodes).messenger(None).unwrap();
    bob.receive().await.unwrap();
    assert_eq!(said(&bob, &alice_id), [incoming("first"), incoming("second")]);
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_leads_a_running_program_to_no_other_first_hop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("net");
    let nodes = network(&data, 9).await;
    let (alice, ..) = person(&folder.path().join("a"), &nodes, "Alice");
    let guard = alice.path().await.unwrap().hops[0].id;
    nodes.stop().await;
    for _ in 0..3 {
        assert!(alice.receive().await.unwrap_err().is_network());
    }
    // What was tried meanwhile begins with the guard or a substitute, and is not remembered as one.
    assert_eq!(alice.db().with(|db| db.guard()).unwrap().unwrap().node, guard);
    let nodes = network(&data, 9).await;
    let again = device(&folder.path().join("a"), &nodes).messenger(None).unwrap();
    assert_eq!(again.path().await.unwrap().hops[0].id, guard);
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_of_an_account_begins_at_its_guard_too() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = network(&folder.path().join("net"), 5).await;
    // With five nodes a guard drawn after the destination would be that very node in a fifth of all
    // cases, and the path would begin at a substitute.
    for number in 0..12 {
        let (person, ..) = person(&folder.path().join(format!("{number}")), &nodes, "P");
        let first = person.path().await.unwrap().hops[0].id;
        assert_eq!(first, person.db().with(|db| db.guard()).unwrap().unwrap().node);
    }
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_waits_gets_a_message_when_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let network = network(&folder.path().join("net"), 7).await;
    let (alice, _, _) = person(&folder.path().join("a"), &network, "Alice");
    let (bob, bob_id, _) = person(&folder.path().join("b"), &network, "Bob");
    let began = Instant::now();
    let held = || network.nodes().iter().map(|node| node.node().held.requests()).sum::<usize>();
    let waiting = tokio::spawn(async move {
        let new = bob.receive_waiting(Duration::from_secs(300)).await.unwrap();
        (new, bob)
    });
    while held() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(alice.send(&bob_id, "at once").await.unwrap().state, Delivery::Delivered);
    let (new, bob) = waiting.await.unwrap();
    assert_eq!(new, 1);
    assert!(began.elapsed() < Duration::from_secs(60));

    let began = Instant::now();
    assert_eq!(bob.receive_waiting(Duration::from_millis(500)).await.unwrap(), 0);
    assert!(began.elapsed() >= Duration::from_millis(500));
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_flooded_mailbox_is_worked_for() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { nodes: 5, data: folder.path().join("net"), seed_port: 0, node_port: 0 };
    let mut limits = LimitsConfig { tell_clients_apart: false, ..LimitsConfig::default() };
    limits.mailbox_burst = 1_000.try_into().unwrap();
    limits.mailbox_per_second = 1.try_into().unwrap();
    limits.proof.memory_kib = 64.try_into().unwrap();
    let options = NodeOptions { limits, ..NodeOptions::default() };
    let network = LocalNetwork::start_with(&plan, &options).await.unwrap();
    let (alice, ..) = person(&folder.path().join("a"), &network, "Alice");
    let (bob, bob_id, _) = person(&folder.path().join("b"), &network, "Bob");
    for node in network.nodes() {
        let limits = &node.node().limits;
        (0..3_000).for_each(|_| limits.note_mail(&bob_id));
        assert!(!limits.admit_mail(&bob_id));
    }
    assert_eq!(alice.send(&bob_id, "through the flood").await.unwrap().state, Delivery::Delivered);
    assert_eq!(bob.receive().await.unwrap(), 1);
    let still = |node: &RunningNode| !node.node().limits.admit_mail(&bob_id);
    assert!(network.nodes().iter().all(still), "the mailbox was not flooded");
    network.stop().await;
}
