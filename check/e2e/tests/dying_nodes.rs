//! Nodes that die or hang under a conversation: everything arrives, and once.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use warren_e2e::{Device, Network};

fn texts(messages: &[(String, String)]) -> Vec<&str> {
    messages.iter().map(|(_, text)| text.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_around_each_node_of_the_path_that_dies() {
    let mut network = Network::start(9).await;
    let alice = Device::new(&network.seed(), "Alice").await;
    let bob = Device::new(&network.seed(), "Bob").await;
    let guard = alice.path().await[0].clone();
    let seed_node = network.size() - 1;

    for (text, hop) in [("around the first hop", 0), ("the second", 1), ("and the third", 2)] {
        let dying = network.number_of(&alice.path().await[hop]);
        network.kill(dying).await;
        assert_eq!(alice.send(&bob.id, text).await, 0, "{text}");
        // The directory is needed for newer lists, and the guard for the last line of this test.
        if dying == seed_node || dying == network.number_of(&guard) {
            network.restart(dying).await;
        }
    }
    let expected = ["around the first hop", "the second", "and the third"];
    assert_eq!(texts(&bob.messages().await), expected);
    assert_eq!(texts(&alice.messages().await), expected);
    assert_eq!(alice.path().await[0], guard, "the guard is back in its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_in_the_middle_of_sending_neither_loses_nor_doubles_a_message() {
    let mut network = Network::start(9).await;
    let alice = Device::new(&network.seed(), "Alice").await;
    let bob = Device::new(&network.seed(), "Bob").await;
    let mut expected = Vec::new();
    for round in 0..4 {
        let dying = network.number_of(&alice.path().await[round % 3]);
        let text = format!("round {round}");
        let killing = async {
            tokio::time::sleep(std::time::Duration::from_millis(60 + 40 * round as u64)).await;
            network.kill(dying).await;
        };
        let (code, ()) = tokio::join!(alice.send(&bob.id, &text), killing);
        if code == 3 {
            let (code, printed) = alice.run(&["outbox", "retry"], "").await;
            assert_eq!(code, 0, "{printed}");
        }
        network.restart(dying).await;
        expected.push(text);
    }
    assert_eq!(texts(&bob.messages().await), expected);
    assert_eq!(texts(&bob.messages().await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_hang_are_gone_around() {
    let network = Network::start(9).await;
    let alice = Device::new(&network.seed(), "Alice").await;
    let bob = Device::new(&network.seed(), "Bob").await;
    alice.path().await;
    bob.path().await;
    let hanging = network.number_of(&alice.path().await[1]);
    network.freeze(hanging).await;
    assert_eq!(alice.send(&bob.id, "around the one that hangs").await, 0);
    assert_eq!(texts(&bob.messages().await), ["around the one that hangs"]);
    network.thaw(hanging).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_does_not_cost_an_account_its_guard() {
    let mut network = Network::start(7).await;
    let alice = Device::new(&network.seed(), "Alice").await;
    let bob = Device::new(&network.seed(), "Bob").await;
    let guard = alice.path().await[0].clone();
    for number in 0..network.size() {
        network.kill(number).await;
    }
    for _ in 0..3 {
        assert_eq!(alice.send(&bob.id, "into the void").await, 3);
    }
    for number in 0..network.size() {
        network.restart(number).await;
    }
    assert_eq!(alice.path().await[0], guard);
    assert_eq!(alice.run(&["outbox", "retry"], "").await.0, 0);
    assert_eq!(bob.messages().await.len(), 3);
}
