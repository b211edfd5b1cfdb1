//! Conversations with session-python, a client that nobody here wrote, through our nodes.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use warren_e2e::python::PythonMessage;
use warren_e2e::{Device, Network, Python};

/// What an account got from others, without the copies of what it sent itself.
fn received(messages: Vec<PythonMessage>) -> Vec<(String, String)> {
    let others = messages.into_iter().filter(|message| message.copy_to.is_none());
    others.map(|message| (message.from, message.text)).collect()
}

fn said(author: &str, text: &str) -> (String, String) {
    (author.to_owned(), text.to_owned())
}

/// A device of ours to whose account session-python can write.
async fn ours(network: &Network, name: &str) -> Device {
    loop {
        let device = Device::new(&network.seed(), name).await;
        if Python::can_write_to(&device.id) {
            return device;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn warren_and_session_python_talk_in_both_directions() {
    let network = Network::start(7).await;
    let python = Python::new(&network.seed_url());
    let theirs = python.account().await;
    let ours = ours(&network, "Alice").await;

    assert_eq!(ours.send(&theirs.id, "hello from Warren, \u{1f407}").await, 0);
    let got = received(python.poll(&theirs).await);
    assert_eq!(got, [said(&ours.id, "hello from Warren, \u{1f407}")]);

    let long = "a long answer ".repeat(40);
    python.send(&theirs, &ours.id, "hello from Python").await;
    python.send(&theirs, &ours.id, &long).await;
    let conversation = [
        said(&ours.id, "hello from Warren, \u{1f407}"),
        said(&theirs.id, "hello from Python"),
        said(&theirs.id, &long),
    ];
    assert_eq!(ours.messages().await, conversation);
    assert_eq!(ours.messages().await, conversation);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_is_the_same_in_both_programs() {
    let network = Network::start(7).await;
    let python = Python::new(&network.seed_url());
    let theirs = python.account().await;
    let friend = ours(&network, "Friend").await;
    python.send(&theirs, &friend.id, "sent by Python").await;
    friend.send(&theirs.id, "sent to the account").await;

    // The words that session-python made open the account here, with both sides of what was said.
    let restored = Device::restored(&network.seed(), "Restored", &theirs.words).await;
    assert_eq!(restored.id, theirs.id);
    let conversation =
        [said(&theirs.id, "sent by Python"), said(&friend.id, "sent to the account")];
    assert_eq!(restored.messages().await, conversation);

    // What Warren sends as that account, session-python finds as its own.
    assert_eq!(restored.send(&friend.id, "sent by Warren").await, 0);
    let copies = python.poll(&theirs).await.into_iter().filter_map(|message| {
        let copy_to = message.copy_to?;
        Some((copy_to, message.text))
    });
    let copies: Vec<_> = copies.collect();
    assert_eq!(copies, [said(&friend.id, "sent by Python"), said(&friend.id, "sent by Warren")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_session_python_talk_through_our_nodes() {
    let network = Network::start(7).await;
    let python = Python::new(&network.seed_url());
    let (alice, bob) = (python.account().await, python.account().await);
    python.send(&alice, &bob.id, "hello from Alice").await;
    python.send(&bob, &alice.id, "hello from Bob").await;
    assert_eq!(received(python.poll(&bob).await), [said(&alice.id, "hello from Alice")]);
    let got = python.poll(&alice).await;
    let copies: Vec<_> = got.iter().filter_map(|message| message.copy_to.clone()).collect();
    assert_eq!(copies, std::slice::from_ref(&bob.id));
    assert_eq!(received(got), [said(&bob.id, "hello from Bob")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_python_deletes_its_messages_from_our_nodes() {
    let network = Network::start(7).await;
    let python = Python::new(&network.seed_url());
    let alice = python.account().await;
    let hash = python.send(&alice, &alice.id, "a note to myself").await;
    python.send(&alice, &alice.id, "another").await;
    assert!(python.poll(&alice).await.iter().any(|message| message.hash == hash));
    python.delete(&alice, &hash).await;
    let left = python.poll(&alice).await;
    assert!(left.iter().all(|message| message.hash != hash));
    assert!(left.iter().any(|message| message.text == "another"));
}
