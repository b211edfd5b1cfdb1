//! Backups by the program: made, verified, brought back, and every mistake told.

use std::fs;

use crate::device::Device;

/// A device with an account, its words, and a folder for a backup.
fn prepared() -> (Device, String, String) {
    let device = Device::new();
    let made = device.run(&["--json", "account", "create", "--name", "alice"]).with_code(0).json();
    let place = device.folder().join("place");
    fs::create_dir(&place).unwrap();
    (device, made["mnemonic"].as_str().unwrap().to_owned(), place.to_str().unwrap().to_owned())
}

#[test]
fn a_device_that_is_lost_comes_back_from_words_and_place() {
    let (device, words, place) = prepared();
    let friend = Device::new().run(&["--json", "account", "create"]).with_code(0).json();
    let friend = friend["account_id"].as_str().unwrap();
    device.run(&["contacts", "add", friend, "--name", "bob"]).with_code(0);
    device.run(&["backup", "init", "--folder", &place]).with_code(0);
    let made = device.run(&["--json", "backup", "run"]).with_code(0);
    assert_eq!(made.stderr, "");
    assert_eq!(made.json()["number"], 1);
    device.run(&["backup", "schedule", "1d"]).with_code(0);
    let verified = device.run(&["--json", "backup", "verify", "--bytes"]).with_code(0).json();
    assert_eq!((&verified["good"], &verified["snapshots"]), (&true.into(), &1.into()));
    let listed = device.run(&["--json", "backup", "list"]).with_code(0).json();
    assert_eq!(listed["backups"][0]["every_seconds"], 86_400);
    assert_eq!(listed["snapshots"][0]["snapshot"], made.json()["snapshot"]);

    let other = Device::new();
    let arguments = ["--json", "backup", "restore", "--folder", &place];
    let restored = other.run_with_input(&arguments, &words).with_code(0).json();
    assert_eq!(restored["snapshot"], made.json()["snapshot"]);
    let contacts = other.run(&["--json", "contacts"]).with_code(0);
    assert!(contacts.stdout.contains("bob"), "{contacts:?}");
    let again = other.run_with_input(&arguments, &words).with_code(1);
    assert_eq!(again.error_code(), "vault");
    // It goes on with the same backup.
    let next = other.run(&["--json", "backup", "run"]).with_code(0).json();
    assert_eq!(next["number"], 2);
    let keep =
        ["--keep-last", "1", "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0"];
    let pruned =
        other.run(&[&["--json", "backup", "prune"][..], &keep].concat()).with_code(0).json();
    // One snapshot of each device.
    assert_eq!((&pruned["kept"], &pruned["removed"]), (&2.into(), &0.into()));
}

#[test]
fn damage_is_told_by_the_part_it_hits() {
    let (device, words, place) = prepared();
    device.run(&["backup", "init", "--folder", &place]).with_code(0);
    device.run(&["backup", "run"]).with_code(0);
    let folder = fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    for entry in fs::read_dir(folder.join("0")).unwrap() {
        let pack = fs::read_dir(entry.unwrap().path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&pack).unwrap();
        bytes[100] ^= 1;
        fs::write(pack, bytes).unwrap();
    }
    let verified = device.run(&["backup", "verify", "--bytes"]).with_code(1);
    assert!(verified.stdout.contains("device/accounts"), "{verified:?}");
    let other = Device::new();
    let arguments = ["--json", "backup", "restore", "--folder", &place];
    let refused = other.run_with_input(&arguments, &words).with_code(1);
    assert_eq!(refused.error_code(), "backup_damaged");
    assert!(refused.stderr.contains("device/accounts"), "{refused:?}");
}

#[test]
fn mistakes_are_told_and_repeat_no_secret() {
    let (device, words, place) = prepared();
    let code = |arguments: &[&str], input: &str| {
        let arguments = [&["--json", "backup"], arguments].concat();
        let ended = device.run_with_input(&arguments, input).with_code(1);
        assert!(!ended.stderr.contains("swordfish"), "{ended:?}");
        ended.error_code()
    };
    assert_eq!(code(&["run"], ""), "backup_not_set_up");
    assert_eq!(code(&["init"], ""), "no_backup_place");
    let typo = r#"{"type":"webdav","endpoint":"http://localhost:1","pasword":"swordfish"}"#;
    assert_eq!(code(&["init", "--place", "-"], typo), "backup_target");
    let gone = r#"{"type":"folder","path":"/no/such/disk"}"#;
    device.run_with_input(&["backup", "init", "--place", "-"], gone).with_code(0);
    assert_eq!(code(&["run"], ""), "backup_target");
    assert_eq!(code(&["init", "--folder", &place], ""), "backup_exists");
    let other = Device::new();
    let arguments = ["--json", "backup", "restore", "--folder", &place];
    assert_eq!(other.run_with_input(&arguments, &words).with_code(1).error_code(), "no_backup");
    assert!(!other.folder().join("device").exists(), "nothing is made for nothing");
}
