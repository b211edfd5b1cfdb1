//! A network that is not there, goes away, or does not answer.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::device::{Device, Ended, signal};
use crate::network::Place;

#[test]
fn a_message_sent_without_a_network_waits_and_arrives_once() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    alice.run(&["send", &bob_id, "before"]).with_code(0);
    network.stop("INT").with_code(0);

    let waiting = alice.run(&["--json", "send", &bob_id, "during"]).with_code(3).json();
    assert_eq!(waiting["state"], "waiting");
    assert!(waiting["reason"].as_str().unwrap().contains("are you online"), "{waiting}");
    let listed = alice.run(&["--json", "outbox"]).with_code(0).json();
    assert_eq!(listed["waiting"][0]["text"], "during");
    let retried = alice.run(&["--json", "outbox", "retry"]).with_code(3).json();
    assert_eq!(retried["waiting"], 1);

    let network = place.up();
    alice.run(&["send", &bob_id, "after"]).with_code(0);
    alice.run(&["outbox", "retry"]).with_code(0);
    assert_eq!(bob.texts(&[]), ["before", "during", "after"]);
    alice.run(&["outbox", "retry"]).with_code(0);
    assert!(bob.texts(&[]).is_empty(), "each arrives once");
    drop(network);
}

#[test]
fn reading_without_a_network_shows_what_is_here_and_says_so() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    alice.run(&["send", &bob_id, "kept"]).with_code(0);
    assert_eq!(bob.texts(&[]), ["kept"]);
    network.stop("TERM").with_code(0);
    let read = bob.run(&["read", "--all"]).with_code(4);
    assert!(read.stdout.contains("kept"), "{read:?}");
    assert!(read.stderr.starts_with("warren: warning: "), "{read:?}");
}

#[test]
fn following_outlives_an_outage_and_sends_what_waited() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    bob.run(&["send", &alice_id, "before"]).with_code(0);
    let mut follow = alice.command(&["read", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().ends_with("before"));

    network.stop("INT").with_code(0);
    alice.run(&["send", &bob_id, "waiting"]).with_code(3);
    assert!(lines.next().unwrap().ends_with("(waiting): waiting"), "sent by another process");
    let network = place.up();
    bob.run(&["send", &alice_id, "after"]).with_code(0);
    assert!(lines.next().unwrap().ends_with("after"));
    let began = Instant::now();
    let delivered = || bob.texts(&["--all"]).iter().any(|text| text == "waiting");
    while !delivered() {
        assert!(began.elapsed() < Duration::from_secs(90), "it is sent without being asked");
    }

    signal(&follow, "INT");
    let ended = Ended::from(follow.wait_with_output().unwrap()).with_code(0);
    // Gone and back; on a slow machine it may seem gone once more, or not at all.
    assert!(matches!(ended.stderr.lines().count(), 0 | 2 | 4), "each told once: {ended:?}");
    drop(network);
}

#[test]
fn ctrl_c_while_sending_leaves_the_message_in_the_outbox_and_says_so() {
    // Takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let seed = format!("http://{}#{}", silent.local_addr().unwrap(), "ab".repeat(32));
    let (alice, id) = Device::with_account(&seed, "alice");
    let to = id.replace(&id[60..], "abcdef");
    let child = alice.command(&["send", &to, "hello"]).spawn().unwrap();
    // The message is saved before the directory is asked.
    let asked = silent.accept().unwrap();
    let began = Instant::now();
    signal(&child, "INT");
    let ended = Ended::from(child.wait_with_output().unwrap()).with_code(3);
    assert!(began.elapsed() < Duration::from_secs(9));
    assert!(ended.stdout.contains("interrupted"), "{ended:?}");
    drop(asked);
    let listed = alice.run(&["--json", "outbox"]).with_code(0).json();
    assert_eq!(listed["waiting"][0]["text"], "hello");
}

#[test]
fn without_a_seed_the_way_to_one_is_named() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    for (arguments, code) in [(&["read"][..], 4), (&["read", "--follow"], 1), (&["path"], 1)] {
        let refused = device.run(arguments).with_code(code);
        assert!(refused.stderr.contains("WARREN_SEED"), "{refused:?}");
    }
    let nonsense = device.run(&["--json", "--seed", "http://127.0.0.1:1", "read"]).with_code(1);
    assert_eq!(nonsense.error_code(), "bad_seed");
}
