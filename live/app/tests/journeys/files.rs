//! Files in messages, and what others are told, from the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::device::{Device, signal};
use crate::network::Place;

/// What must lie on no disk in plain text but where it is handed out.
const MARK: &[u8] = b"48.8583 N, 2.2945 E, in plain text";

fn content(bytes: usize) -> Vec<u8> {
    let numbered = (0_u64..).flat_map(|number| [MARK, &number.to_le_bytes()].concat());
    numbered.take(bytes).collect()
}

/// The message that came last, with its files.
fn newest(device: &Device) -> Value {
    device.run(&["read"]).with_code(0);
    let all = device.run(&["--json", "read", "--all"]).with_code(0).json_lines();
    all.into_iter().next_back().unwrap()
}

fn json(device: &Device, arguments: &[&str]) -> Value {
    device.run(&[&["--json"], arguments].concat()).with_code(0).json()
}

fn holds_mark(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds_mark(&path);
        }
        // A socket cannot be read.
        fs::read(&path).is_ok_and(|bytes| bytes.windows(MARK.len()).any(|part| part == MARK))
    })
}

#[test]
fn files_go_with_a_message_and_are_written_out_where_the_person_says() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let desk = tempfile::tempdir().unwrap();
    let (report, memo) = (desk.path().join("report.txt"), desk.path().join("memo.ogg"));
    fs::write(&report, content(300_000)).unwrap();
    fs::write(&memo, b"OggS spoken").unwrap();
    let report = report.to_str().unwrap();
    let memo = memo.to_str().unwrap();
    let files = ["--file", report, "--caption", "of the year", "--file", memo];
    let send = [&["send", &bob_id][..], &files, &["look", "here"]].concat();
    assert_eq!(json(&alice, &send)["state"], "delivered");

    let got = newest(&bob);
    assert_eq!(got["text"], "look here");
    let files = got["files"].as_array().unwrap();
    let names: Vec<_> = files.iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["report.txt", "memo.ogg"]);
    assert_eq!(files[0]["state"], "offered");
    assert_eq!((&files[0]["caption"], &files[1]["caption"]), (&"of the year".into(), &Value::Null));
    let number = got["message_id"].to_string();
    assert_eq!(json(&bob, &["files", "list", &number])["files"], got["files"]);
    let shown = bob.run(&["read", "--all"]).with_code(0).stdout;
    assert!(shown.contains("look here\n    [0  report.txt  text/plain"), "{shown}");
    assert!(shown.contains("not fetched yet: \"of the year\"]"), "{shown}");

    let out = tempfile::tempdir().unwrap();
    let get = ["files", "get", &number, "--out", out.path().to_str().unwrap()];
    let written = json(&bob, &get);
    assert_eq!(written["files"][0]["state"], "here");
    assert!(fs::read(out.path().join("report.txt")).unwrap() == content(300_000));
    assert_eq!(fs::read(out.path().join("memo.ogg")).unwrap(), b"OggS spoken");
    // What is there stays, and a second one stands beside it.
    bob.run(&[&get[..], &["--only", "0"]].concat()).with_code(0);
    assert!(out.path().join("report (2).txt").exists());
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 3);
    assert!(!holds_mark(bob.folder()) && !holds_mark(alice.folder()));

    // Nothing but a file, and nothing to say.
    let voice = ["send", &alice_id, "--voice", "--file", memo];
    json(&bob, &voice);
    assert_eq!(newest(&alice)["files"][0]["kind"], "voice");
    let missing = alice.run(&["--json", "send", &bob_id, "--file", "/nowhere/at/all", "x"]);
    assert_eq!(missing.with_code(1).error_code(), "path");
    let folder = desk.path().to_str().unwrap();
    let folder = alice.run(&["--json", "send", &bob_id, "--file", folder, "x"]);
    assert_eq!(folder.with_code(1).error_code(), "path");
    alice.run(&["send", &bob_id, "--voice", "x"]).with_code(2);
    alice.run(&["send", &bob_id, "--file", memo, "--caption", "a", "--caption", "b"]).with_code(2);
    let gone = alice.run(&["--json", "files", "get", "9999"]).with_code(1);
    assert_eq!(gone.error_code(), "gone");
}

#[test]
fn a_photograph_leaves_its_place_at_home_unless_its_owner_wants_otherwise() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let desk = tempfile::tempdir().unwrap();
    let photo = desk.path().join("eiffel.gif");
    fs::write(&photo, photograph()).unwrap();
    for (keep, kept) in [(&[][..], false), (&["--keep-metadata"][..], true)] {
        let send = ["send", &bob_id, "--file", photo.to_str().unwrap()];
        alice.run(&[&send[..], keep].concat()).with_code(0);
        let got = newest(&bob);
        assert_eq!((&got["files"][0]["kind"], &got["text"]), (&"image".into(), &"".into()));
        let out = tempfile::tempdir().unwrap();
        let number = got["message_id"].to_string();
        json(&bob, &["files", "get", &number, "--out", out.path().to_str().unwrap()]);
        assert_eq!(holds_mark(out.path()), kept, "{got}");
    }
    let broken = desk.path().join("broken.gif");
    fs::write(&broken, b"GIF89a no picture").unwrap();
    let refused = alice.run(&["--json", "send", &bob_id, "--file", broken.to_str().unwrap()]);
    assert_eq!(refused.with_code(1).error_code(), "bad_image");
}

/// A picture of one pixel with a comment that says where it was taken.
fn photograph() -> Vec<u8> {
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let comment = [&[0x21, 0xfe, u8::try_from(MARK.len()).unwrap()], MARK, &[0]].concat();
    let pixel = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";
    [&head[..], &comment, pixel].concat()
}

#[test]
fn files_pass_through_a_daemon_as_well() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let mut daemon = alice.command(&["--json", "daemon", "run"]).spawn().unwrap();
    let mut line = String::new();
    let stdout = daemon.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let desk = tempfile::tempdir().unwrap();
    let large = desk.path().join("large.bin");
    fs::write(&large, content(3_000_000)).unwrap();
    let mut send = alice.command(&["send", &bob_id, "--file", large.to_str().unwrap()]);
    // Only a daemon answers without a passphrase.
    let sent = send.env_remove("WARREN_PASSPHRASE").output().unwrap();
    assert_eq!(sent.status.code(), Some(0), "{sent:?}");
    let number = newest(&alice)["message_id"].to_string();
    let out = tempfile::tempdir().unwrap();
    json(&alice, &["files", "get", &number, "--out", out.path().to_str().unwrap()]);
    assert!(fs::read(out.path().join("large.bin")).unwrap() == content(3_000_000));
    signal(&daemon, "TERM");
    daemon.wait().unwrap();
    assert_eq!(newest(&bob)["files"][0]["name"], "large.bin");
}

#[test]
fn a_display_name_is_what_others_see_and_receipts_are_told_only_where_wanted() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let before = json(&alice, &["account", "name"]);
    assert_eq!((&before["display_name"], &before["typing"]), (&"alice".into(), &false.into()));
    assert_eq!(json(&alice, &["account", "name", "Alice B."])["display_name"], "Alice B.");
    let shown = json(&alice, &["account", "show"]);
    assert_eq!(shown["name"], "alice", "what it is called here stays");
    assert_eq!(shown["display_name"], "Alice B.");
    let listed = json(&alice, &["account", "list"]);
    assert_eq!(listed["accounts"][0]["display_name"], "Alice B.", "{listed}");
    let sent = json(&alice, &["send", &bob_id, "hi"]);
    assert_eq!(newest(&bob)["calls_themselves"], "Alice B.");
    let bad = alice.run(&["--json", "account", "name", " "]).with_code(1);
    assert_eq!(bad.error_code(), "bad_name");

    assert_eq!(json(&bob, &["account", "receipts", "on"])["read_receipts"], true);
    assert_eq!(json(&bob, &["account", "typing", "on"])["typing"], true);
    assert_eq!(json(&bob, &["account", "typing", "off"])["typing"], false);
    assert_eq!(json(&bob, &["account", "receipts"])["read_receipts"], true);
    bob.run(&["account", "typing", "maybe"]).with_code(2);
    bob.run(&["conversations", "accept", &alice_id]).with_code(0);
    let again = json(&alice, &["send", &bob_id, "again"]);
    // The first reads it, the second tells of it.
    newest(&bob);
    alice.run(&["read"]).with_code(0);
    let info = |one: &Value| {
        json(&alice, &["message", "info", &one["message_id"].to_string()])["receipts"].clone()
    };
    assert_eq!(info(&again)[0]["reader"], bob_id.as_str());
    assert_eq!(info(&sent), Value::Array(Vec::new()), "it was read before they were wanted");
}
