//! Messages between two devices, over nodes that run.

use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::device::{Device, signal};
use crate::network::{Network, Place};

struct Two {
    network: Network,
    alice: Device,
    alice_id: String,
    bob: Device,
    bob_id: String,
    _place: Place,
}

fn two() -> Two {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    Two { network, alice, alice_id, bob, bob_id, _place: place }
}

#[test]
fn a_restored_account_reads_both_directions_again() {
    let two = two();
    let sent = two.alice.run(&["--json", "send", &two.bob_id, "hello", "bob"]).with_code(0).json();
    assert_eq!(sent["state"], "delivered");
    assert_eq!(two.bob.texts(&[]), ["hello bob"]);
    assert!(two.bob.texts(&[]).is_empty(), "it was read");
    two.bob.run(&["contacts", "add", &two.alice_id, "--name", "Alice"]).with_code(0);
    let sent = two.bob.run_with_input(&["send", "alice"], "two\nlines\n").with_code(0);
    assert_eq!(sent.stdout, "Delivered to Alice.\n");
    assert_eq!(two.alice.texts(&[]), ["two\nlines"]);

    let words = two.bob.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let restored = Device::on(two.network.seed());
    let words = words["mnemonic"].as_str().unwrap();
    restored.run_with_input(&["account", "restore", "--name", "bob"], words).with_code(0);
    assert_eq!(restored.texts(&["--all"]), ["hello bob", "two\nlines"]);
    let lines = restored.run(&["--json", "read", "--all"]).with_code(0).json_lines();
    let directions: Vec<_> = lines.iter().map(|line| line["direction"].clone()).collect();
    assert_eq!(directions, ["incoming", "outgoing"]);
}

#[test]
fn a_message_with_escape_codes_is_shown_harmless() {
    let two = two();
    let text = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}evil";
    two.alice.run_with_input(&["send", &two.bob_id], text).with_code(0);
    let shown = two.bob.run(&["read"]).with_code(0);
    let is_harmless =
        |text: &str| !text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
    assert!(is_harmless(&shown.stdout), "{shown:?}");
    assert!(shown.stdout.contains("\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{9b}31m\\u{202e}evil"));
    let json = two.bob.run(&["--json", "read", "--all"]).with_code(0);
    assert!(is_harmless(&json.stdout), "{json:?}");
    assert_eq!(json.json_lines()[0]["text"], text);
}

#[test]
fn a_name_somebody_took_is_not_enough_to_write_to_them() {
    let two = two();
    two.alice.run(&["send", &two.bob_id, "hi"]).with_code(0);
    two.bob.run(&["read"]).with_code(0);
    let refused = two.bob.run(&["--json", "send", "alice", "hi"]).with_code(1);
    assert_eq!(refused.error_code(), "not_your_name");
    assert!(refused.stderr.contains(&two.alice_id), "{refused:?}");
    two.bob.run(&["contacts", "add", &two.alice_id, "--name", "alice"]).with_code(0);
    two.bob.run(&["send", "alice", "hi"]).with_code(0);
}

#[test]
fn following_shows_messages_as_they_come_and_ends_with_ctrl_c() {
    let two = two();
    two.alice.run(&["send", &two.bob_id, "first"]).with_code(0);
    let mut follow = two.bob.command(&["--json", "read", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().contains("\"first\""));
    two.alice.run(&["send", &two.bob_id, "second"]).with_code(0);
    assert!(lines.next().unwrap().contains("\"second\""));
    signal(&follow, "INT");
    assert_eq!(follow.wait().unwrap().code(), Some(0));
    assert_eq!(lines.next(), None);
    assert!(two.bob.texts(&[]).is_empty(), "both were read");
}

#[test]
fn waiting_shows_the_next_message_and_ends() {
    let two = two();
    let waits = two.bob.command(&["--json", "read", "--wait", "300"]).spawn().unwrap();
    two.alice.run(&["send", &two.bob_id, "worth waiting for"]).with_code(0);
    let ended = waits.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("worth waiting for"));
    assert_eq!(two.bob.run(&["read", "--wait", "1"]).with_code(0).stdout, "No new messages.\n");
}

#[test]
fn a_limit_leaves_older_messages_unread() {
    let two = two();
    for text in ["one", "two", "three"] {
        two.alice.run(&["send", &two.bob_id, text]).with_code(0);
    }
    assert_eq!(two.bob.texts(&["--limit", "1"]), ["three"]);
    assert_eq!(two.bob.texts(&["--from", &two.alice_id]), ["one", "two"]);
    assert_eq!(two.bob.texts(&["--all", "--limit", "2"]), ["two", "three"]);
    assert!(two.bob.texts(&["--all", "--from", &two.bob_id]).is_empty());
}

#[test]
fn conversations_are_listed_and_set_requests_accepted_and_people_blocked() {
    let two = two();
    two.alice.run(&["send", &two.bob_id, "hi"]).with_code(0);
    two.bob.run(&["read"]).with_code(0);
    let listed = |part: &str| {
        let list = two.bob.run(&["--json", "conversations", "list", part]).with_code(0).json();
        list["conversations"].as_array().unwrap().len()
    };
    let json =
        |arguments: &[&str]| two.bob.run(&[&["--json"], arguments].concat()).with_code(0).json();
    assert_eq!((listed("all"), listed("inbox") + listed("requests")), (1, 1));
    json(&["conversations", "accept", &two.alice_id]);
    assert_eq!((listed("requests"), listed("inbox")), (0, 1));
    two.bob.run(&["contacts", "add", &two.alice_id, "--name", "al"]).with_code(0);
    assert_eq!(json(&["conversations", "pin", "al"])["priority"], 1);
    let muted = json(&["conversations", "mute", "al", "--hours", "1"]);
    assert!(muted["muted_until"].as_u64().unwrap() > muted["last_timestamp"].as_u64().unwrap());
    let for_ever = json(&["conversations", "mute", "al"]);
    assert_eq!(for_ever["muted_until"], 9_007_199_254_740_991_u64);
    let shown = two.bob.run(&["conversations"]).with_code(0).stdout;
    assert!(shown.contains("al  (pinned, muted)"), "{shown}");
    assert_eq!(json(&["conversations", "archive", "al"])["archived"], true);
    assert_eq!((listed("archived"), listed("inbox")), (1, 0));
    assert_eq!(json(&["conversations", "unarchive", "al"])["archived"], false);
    assert_eq!(json(&["conversations", "unmute", "al"])["muted_until"], 0);
    let unsure = two.bob.run(&["--json", "conversations", "delete", "al"]).with_code(1);
    assert_eq!(unsure.error_code(), "not_confirmed");
    json(&["conversations", "delete", "al", "--yes"]);
    assert!(two.bob.texts(&["--all"]).is_empty());
    assert_eq!(json(&["conversations", "hide", "al"])["priority"], -1);
    assert_eq!(json(&["conversations", "unpin", "al"])["priority"], 0);
    assert_eq!(json(&["contacts", "block", "al"])["blocked"], true);
    assert_eq!(json(&["contacts", "unblock", "al"])["blocked"], false);
}

#[test]
fn messages_are_found_by_their_words() {
    let two = two();
    for text in ["meet me on tuesday", "or on wednesday", "\u{1b}[2J tuesday"] {
        two.alice.run(&["send", &two.bob_id, text]).with_code(0);
    }
    two.bob.run(&["read"]).with_code(0);
    let found = |arguments: &[&str]| {
        let found = two.bob.run(&[&["--json", "search"], arguments].concat()).with_code(0);
        let texts = found.json_lines();
        texts.iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(found(&["tues"]), ["\u{1b}[2J tuesday", "meet me on tuesday"]);
    assert_eq!(found(&["wednesday", "or"]), ["or on wednesday"]);
    assert_eq!(found(&["\"on tuesday\"", "--from", &two.alice_id]), ["meet me on tuesday"]);
    assert_eq!(found(&["tuesday", "--limit", "1"]).len(), 1);
    let shown = two.bob.run(&["search", "tuesday"]).with_code(0).stdout;
    assert!(!shown.contains('\u{1b}'), "{shown}");
    assert_eq!(two.bob.run(&["search", "friday"]).with_code(0).stdout, "Nothing was found.\n");
}

#[test]
fn every_command_prints_json() {
    let two = two();
    let alice = &two.alice;
    let json =
        |arguments: &[&str]| alice.run(&[&["--json"], arguments].concat()).with_code(0).json();
    assert_eq!(json(&["account", "show"])["account_id"], two.alice_id.as_str());
    assert_eq!(json(&["account", "list"])["accounts"][0]["name"], "alice");
    assert!(json(&["contacts"])["contacts"].as_array().unwrap().is_empty());
    assert_eq!(json(&["contacts", "add", &two.bob_id, "--name", "bob"])["name"], "bob");
    assert_eq!(json(&["contacts", "rename", "bob", "Bobby"])["name"], "Bobby");
    assert_eq!(json(&["contacts", "list"])["contacts"][0]["name"], "Bobby");
    let path = json(&["path"]);
    let guards: Vec<_> =
        path["hops"].as_array().unwrap().iter().map(|hop| hop["guard"].clone()).collect();
    assert_eq!(guards, [true, false, false]);
    assert_eq!(json(&["path"])["hops"][0], path["hops"][0], "the guard is kept");
    assert_eq!(json(&["send", "bobby", "hi"])["state"], "delivered");
    assert_eq!(json(&["read", "--all"])["text"], "hi");
    assert_eq!(json(&["contacts", "remove", "bobby"])["removed"], true);
    assert!(json(&["outbox"])["waiting"].as_array().unwrap().is_empty());
    assert_eq!(json(&["outbox", "retry"])["waiting"], 0);
    assert_eq!(json(&["account", "remove", "alice", "--yes"])["account_id"], two.alice_id.as_str());
}

#[test]
fn the_seed_is_remembered_once_used() {
    let two = two();
    let mut forgetful: Command = two.alice.command(&["send", &two.bob_id, "hi"]);
    let sent = forgetful.env_remove("WARREN_SEED").output().unwrap();
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
}

#[test]
fn others_are_told_of_screenshots_and_typing_and_a_sync_settles_everything() {
    let two = two();
    let json = |device: &Device, arguments: &[&str]| {
        device.run(&[&["--json"], arguments].concat()).with_code(0).json()
    };
    for mode in ["slow", "manual", "instant"] {
        let set = json(&two.alice, &["account", "notifications", mode]);
        assert_eq!(set["notifications"], mode);
        assert_eq!(json(&two.alice, &["account", "notifications"])["notifications"], mode);
    }
    two.alice.run(&["account", "notifications", "never"]).with_code(2);

    two.alice.run(&["send", &two.bob_id, "hi"]).with_code(0);
    let synced = json(&two.bob, &["sync"]);
    assert_eq!((&synced["new"], &synced["waiting"]), (&1.into(), &0.into()));
    assert_eq!(json(&two.bob, &["sync"])["new"], 0);
    assert_eq!(two.bob.texts(&[]), ["hi"], "a sync reads nothing");
    json(&two.bob, &["contacts", "add", &two.alice_id, "--name", "al"]);
    json(&two.bob, &["groups", "create", "runners", "al"]);
    json(&two.bob, &["conversations", "screenshot", "al"]);
    json(&two.bob, &["account", "typing", "on"]);
    assert_eq!(json(&two.bob, &["conversations", "typing", "al"])["typing"], true);
    assert_eq!(json(&two.bob, &["conversations", "typing", "al", "--stop"])["typing"], false);
    // With groups, configurations and receipts on both sides nothing is left over.
    for device in [&two.bob, &two.alice, &two.bob, &two.alice] {
        assert_eq!(json(device, &["sync"])["waiting"], 0);
    }
    let shown = two.alice.run(&["read", "--all", "--from", &two.bob_id]).with_code(0).stdout;
    assert!(shown.contains("[took a screenshot]"), "{shown}");
    let nobody = Device::new();
    nobody.run(&["account", "create"]).with_code(0);
    nobody.run(&["sync"]).with_code(4);
}
