//! Accounts, recovery words and the passphrase.

use serde_json::Value;

use crate::device::{Device, PASSPHRASE};

const VECTORS: &str = include_str!("../../../../spec/vectors/account.json");
const PHRASE: &str =
    "puffin luxury annoyed rustled memoir faxed smidgen puddle kiwi nylon utopia zinger kiwi";
const ID: &str = "054830367d369d94605247999a375dbd0a0f65fdec5de1535612bcb6d4de452c69";

fn id_of(phrase: &str) -> crate::device::Ended {
    let device = Device::new();
    let ended = device.run_with_input(&["account", "id", "--phrase-stdin"], phrase);
    assert!(!device.folder().join("device").exists(), "nothing is stored");
    ended
}

#[test]
fn published_phrases_have_the_published_ids() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for account in vectors["accounts"].as_array().unwrap() {
        let shown = id_of(account["mnemonic"].as_str().unwrap()).with_code(0);
        assert_eq!(shown.stdout.trim(), account["account_id"]);
    }
}

#[test]
fn a_bad_phrase_is_told_by_its_place_and_never_repeated() {
    let unknown = PHRASE.replace("annoyed", "xylophone");
    let checksum = PHRASE.replace("zinger kiwi", "zinger nylon");
    let short = PHRASE.replace(" kiwi nylon", "");
    for (phrase, place) in [(unknown, "position 3"), (checksum, "position 13"), (short, "13 words")]
    {
        for arguments in [&["account", "id", "--phrase-stdin"][..], &["account", "restore"]] {
            let refused = Device::new().run_with_input(arguments, &phrase).with_code(1);
            assert!(refused.stderr.contains(place), "{refused:?}");
            let said = format!("{}{}", refused.stdout, refused.stderr);
            assert!(phrase.split(' ').all(|word| !said.contains(word)), "{refused:?}");
        }
    }
}

#[test]
fn a_new_account_shows_thirteen_words_that_bring_it_back() {
    let device = Device::new();
    let made = device.run(&["--json", "account", "create", "--name", "alice"]).with_code(0);
    assert_eq!(made.stderr, "");
    let made = made.json();
    let words = made["mnemonic"].as_str().unwrap();
    assert_eq!(words.split(' ').count(), 13);

    let shown = device.run(&["--json", "account", "show"]).with_code(0).json();
    assert_eq!(shown["account_id"], made["account_id"]);
    assert!(shown.get("mnemonic").is_none(), "only when asked for");
    let shown = device.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    assert_eq!(shown["mnemonic"], made["mnemonic"]);

    let other = Device::new();
    let restored = other.run_with_input(&["--json", "account", "restore"], words).with_code(0);
    assert_eq!(restored.json()["account_id"], made["account_id"]);
    let again = other.run_with_input(&["--json", "account", "restore"], words).with_code(1);
    assert_eq!(again.error_code(), "account_exists");
}

#[test]
fn accounts_are_listed_chosen_and_removed() {
    let device = Device::new();
    device.run_with_input(&["account", "restore", "--name", "one"], PHRASE).with_code(0);
    device.run(&["account", "create", "--name", "two"]).with_code(0);
    let taken = device.run(&["--json", "account", "create", "--name", "two"]).with_code(1);
    assert_eq!(taken.error_code(), "name_taken");

    let list = device.run(&["--json", "account", "list"]).with_code(0).json();
    let names: Vec<_> =
        list["accounts"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["one", "two"]);

    let unclear = device.run(&["--json", "account", "show"]).with_code(1);
    assert_eq!(unclear.error_code(), "which_account");
    let shown = device.run(&["--account", "one", "account", "show", "--id"]).with_code(0);
    assert_eq!(shown.stdout.trim(), ID);

    let unsure = device.run(&["--json", "account", "remove", "two"]).with_code(1);
    assert_eq!(unsure.error_code(), "not_confirmed");
    device.run(&["account", "remove", "two", "--yes"]).with_code(0);
    assert_eq!(device.run(&["account", "show", "--id"]).with_code(0).stdout.trim(), ID);
}

#[test]
fn a_wrong_passphrase_is_told_and_changes_nothing() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let wrong = |arguments: &[&str]| -> crate::device::Ended {
        device.command(arguments).env("WARREN_PASSPHRASE", "swordfish").output().unwrap().into()
    };
    let refused = wrong(&["account", "list"]).with_code(5);
    assert_eq!(refused.stdout, "");
    assert_eq!(refused.stderr, "warren: error: the passphrase is wrong\n");
    assert_eq!(wrong(&["--json", "account", "list"]).with_code(5).error_code(), "wrong_passphrase");
    device.run(&["account", "list"]).with_code(0);
}

#[test]
fn without_a_terminal_the_ways_to_give_a_passphrase_are_named() {
    let device = Device::new();
    let run = |arguments: &[&str]| -> crate::device::Ended {
        device.command(arguments).env_remove("WARREN_PASSPHRASE").output().unwrap().into()
    };
    let refused = run(&["account", "create"]).with_code(5);
    for way in ["--passphrase-file", "WARREN_PASSPHRASE_FILE", "WARREN_PASSPHRASE"] {
        assert!(refused.stderr.contains(way), "{refused:?}");
    }
    let file = device.folder().join("passphrase");
    std::fs::write(&file, format!("{PASSPHRASE}\n")).unwrap();
    run(&["--passphrase-file", file.to_str().unwrap(), "account", "create"]).with_code(0);
    device.run(&["account", "list"]).with_code(0);
}

#[test]
fn a_device_without_accounts_says_how_to_make_one() {
    let refused = Device::new().run(&["read"]).with_code(1);
    assert!(refused.stderr.contains("warren account create"), "{refused:?}");
    assert!(refused.stderr.contains("warren account restore"), "{refused:?}");
}
