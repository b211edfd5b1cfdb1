//! The lock as a person meets it: other codes, a code that destroys.

use std::fs;

use serde_json::Value;

use crate::daemon::{Daemon, asked, eventually, raw, unasked};
use crate::device::{Device, Ended, PASSPHRASE};

const DURESS: &str = "2580";

/// A command with another code than the usual one.
fn with_code(device: &Device, code: &str, arguments: &[&str]) -> Ended {
    device.command(arguments).env("WARREN_PASSPHRASE", code).output().unwrap().into()
}

/// A command that is given a new code.
fn with_new(device: &Device, new: &str, arguments: &[&str]) -> Ended {
    device.command(arguments).env("WARREN_NEW_CODE", new).output().unwrap().into()
}

fn accounts(device: &Device, code: &str) -> Vec<String> {
    let list = with_code(device, code, &["--json", "account", "list"]).with_code(0);
    let listed = list.json_lines();
    let listed: Vec<Value> = match listed.as_slice() {
        [Value::Array(all)] => all.clone(),
        [one] if one["accounts"].is_array() => one["accounts"].as_array().unwrap().clone(),
        lines => lines.to_vec(),
    };
    listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// Every file of a home with its size, by name; names that are drawn count as one.
fn look(device: &Device) -> Vec<(String, u64)> {
    fn add(folder: &std::path::Path, found: &mut Vec<(String, u64)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let name = name.split_once('.').map_or(name.clone(), |(_, end)| format!("*.{end}"));
            if path.is_dir() {
                found.push((name, 0));
                add(&path, found);
            } else {
                found.push((name, path.metadata().unwrap().len()));
            }
        }
    }
    let mut found = Vec::new();
    add(&device.folder().join("device"), &mut found);
    found.sort();
    found
}

#[test]
fn a_code_is_changed_to_a_pin_and_to_a_pattern_and_each_opens_without_saying_its_kind() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    let set = with_new(&device, "1234", &["lock", "set", "--pin"]).with_code(0);
    assert!(set.stdout.contains("4 digits") && set.stdout.contains("codes a second"), "{set:?}");
    let wrong = device.run(&["account", "list"]).with_code(5);
    assert_eq!(wrong.stderr.lines().count(), 1, "{wrong:?}");
    assert_eq!(accounts(&device, "1234"), ["alice"]);
    let mut set = device.command(&["lock", "set", "--pattern"]);
    set.env("WARREN_PASSPHRASE", "1234").env("WARREN_NEW_CODE", "3x3:1-3-9");
    Ended::from(set.output().unwrap()).with_code(0);
    assert_eq!(accounts(&device, "3x3:1-2-3-6-9"), ["alice"]);
    let mut refused = device.command(&["--json", "lock", "set", "--pin"]);
    refused.env("WARREN_PASSPHRASE", "3x3:1-3-9").env("WARREN_NEW_CODE", "12");
    let refused = Ended::from(refused.output().unwrap()).with_code(1);
    assert_eq!(refused.error_code(), "bad_code");
    for command in [&["--json", "lock", "set"][..], &["--json", "lock", "duress", "set"]] {
        let refused = with_new(&device, "123456", command).with_code(2);
        assert_eq!(refused.error_code(), "usage");
        for option in ["--pin", "--passphrase", "--pattern"] {
            assert!(refused.stderr.contains(option), "{refused:?}");
        }
    }
}

#[test]
fn wrong_codes_must_wait_and_so_many_wipe() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    device.run(&["lock", "wipe-after", "3"]).with_code(0);
    let shown = device.run(&["--json", "lock", "show"]).with_code(0).json();
    assert_eq!(shown["settings"]["wipe_after"], 3);
    device.run(&["lock", "wipe-after", "never"]).with_code(0);
    for _ in 0..3 {
        let wrong = with_code(&device, "wrong", &["--json", "account", "list"]).with_code(5);
        assert_eq!(wrong.error_code(), "wrong_passphrase");
    }
    let refused = device.run(&["--json", "account", "list"]).with_code(5);
    assert_eq!(refused.error_code(), "too_soon");
    eventually("the wait ends", || device.run(&["account", "list"]).code == Some(0));
    device.run(&["lock", "wipe-after", "2"]).with_code(0);
    for _ in 0..2 {
        with_code(&device, "wrong", &["account", "list"]).with_code(5);
    }
    assert_eq!(device.run(&["--json", "account", "list"]).with_code(1).error_code(), "no_account");
    assert_eq!(look(&device), []);
}

#[test]
fn after_a_duress_code_the_home_is_an_empty_one_like_any_other() {
    let (device, fresh) = (Device::new(), Device::new());
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    with_new(&device, DURESS, &["lock", "duress", "set", "--pin"]).with_code(0);
    assert_eq!(accounts(&device, PASSPHRASE), ["alice"]);
    fresh.run(&["account", "create", "--name", "alice"]).with_code(0);
    fresh.run(&["account", "list"]).with_code(0);
    assert_eq!(look(&device), look(&fresh), "whether a code is set cannot be seen");
    let slots = |device: &Device| fs::read(device.folder().join("device/slots")).unwrap();
    let before = slots(&device);

    let opened = with_code(&device, DURESS, &["account", "list"]);
    fresh.run(&["account", "remove", "alice", "--yes"]).with_code(0);
    let empty = fresh.run(&["account", "list"]);
    assert_eq!(
        (opened.code, opened.stdout, opened.stderr),
        (empty.code, empty.stdout, empty.stderr)
    );
    assert_ne!(slots(&device), before);
    assert_eq!(look(&device), look(&fresh));
    device.run(&["account", "list"]).with_code(5);
    with_code(&device, DURESS, &["account", "create", "--name", "new"]).with_code(0);
    assert_eq!(accounts(&device, DURESS), ["new"]);
}

#[test]
fn a_duress_code_shows_the_decoy_that_was_put_there() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    device.run(&["--decoy", "account", "create", "--name", "harmless"]).with_code(0);
    device.run(&["--decoy", "contacts"]).with_code(0);
    with_new(&device, DURESS, &["lock", "duress", "set", "--pin"]).with_code(0);
    assert_eq!(accounts(&device, PASSPHRASE), ["alice"]);
    assert_eq!(accounts(&device, DURESS), ["harmless"]);
    device.run(&["account", "list"]).with_code(5);
}

#[test]
fn a_removed_duress_code_opens_nothing() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    with_new(&device, DURESS, &["lock", "duress", "set", "--pin"]).with_code(0);
    device.run(&["lock", "duress", "remove"]).with_code(0);
    with_code(&device, DURESS, &["account", "list"]).with_code(5);
    device.run(&["lock", "calibrate"]).with_code(0);
    assert_eq!(accounts(&device, PASSPHRASE), ["alice"]);
}

#[test]
fn a_daemon_starts_locked_and_a_duress_code_takes_the_place_of_what_is_open() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    with_new(&device, DURESS, &["lock", "duress", "set", "--pin"]).with_code(0);
    let _daemon = Daemon::start(&device, &["--locked"]);
    let locked = unasked(&device, &["--json", "account", "list"]).with_code(1);
    assert_eq!(locked.error_code(), "locked");
    let shown = unasked(&device, &["--json", "lock", "show"]).with_code(0).json();
    assert_eq!((&shown["locked"], &shown["settings"]), (&true.into(), &Value::Null));
    device.run(&["unlock"]).with_code(0);
    assert!(unasked(&device, &["account", "list"]).with_code(0).stdout.contains("alice"));
    device.run(&["lock"]).with_code(0);
    device.run(&["unlock"]).with_code(0);
    with_code(&device, DURESS, &["unlock"]).with_code(0);
    assert!(!unasked(&device, &["account", "list"]).stdout.contains("alice"));
    device.run(&["lock"]).with_code(0);
    device.run(&["unlock"]).with_code(5);
    with_code(&device, DURESS, &["unlock"]).with_code(0);
}

#[test]
fn a_daemon_that_nobody_asks_for_anything_locks_by_itself() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let settings = unasked(&device, &["--json", "lock", "auto"]).with_code(0).json();
    assert_eq!((&settings["idle_seconds"], &settings["on_suspend"]), (&900.into(), &true.into()));
    let body = r#"{"idle_seconds":2}"#;
    let (address, token) = (daemon.address(), daemon.token());
    let head = format!(
        "PATCH /v1/lock/auto HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let (status, answer) = raw(address, &head);
    assert_eq!(status, 200, "{answer}");
    let is_locked = || unasked(&device, &["--json", "daemon", "status"]).json()["locked"] == true;
    eventually("it locks", is_locked);
    device.run(&["unlock"]).with_code(0);
    unasked(&device, &["lock", "auto", "--idle", "never", "--suspend", "off"]).with_code(0);
    let settings = unasked(&device, &["--json", "lock", "auto"]).with_code(0).json();
    assert_eq!((&settings["idle_seconds"], &settings["on_suspend"]), (&0.into(), &false.into()));
}

#[test]
fn a_daemon_holds_nothing_open_that_wrong_codes_wiped() {
    let device = Device::new();
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    device.run(&["lock", "wipe-after", "1"]).with_code(0);
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let listed = || asked(&daemon, "GET", "accounts", b"").0;
    assert_eq!(listed(), 200);
    with_code(&device, "wrong", &["lock", "wipe-after", "5"]).with_code(5);
    eventually("it is locked", || listed() != 200);
    assert!(device.folder().join("device/api.sock").exists(), "and it still answers");
}
