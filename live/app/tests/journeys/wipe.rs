//! Wiping as a person does it: this device, and what the network keeps.

use std::fs;

use crate::daemon::{Daemon, unasked};
use crate::device::Device;
use crate::network::Place;

fn left(device: &Device) -> usize {
    fs::read_dir(device.folder().join("device")).map_or(0, Iterator::count)
}

#[test]
fn nothing_is_wiped_that_was_not_confirmed_and_then_everything() {
    let device = Device::new();
    assert_eq!(device.run(&["--json", "wipe"]).with_code(1).error_code(), "no_account");
    device.run(&["account", "create"]).with_code(0);
    assert_eq!(device.run(&["--json", "wipe"]).with_code(1).error_code(), "not_confirmed");
    let other = device.run(&["--json", "wipe", "--confirm", "yes"]).with_code(1);
    assert_eq!(other.error_code(), "not_confirmed");
    device.run(&["account", "list"]).with_code(0);
    let wiped = device.run(&["--json", "wipe", "--confirm", "wipe"]).with_code(0).json();
    assert_eq!((&wiped["keys"], &wiped["data"]), (&true.into(), &true.into()));
    assert_eq!(left(&device), 0);
    device.run(&["account", "create"]).with_code(0);
}

#[test]
fn a_daemon_that_wipes_ends_and_leaves_an_empty_home() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let mut daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    unasked(&device, &["lock"]).with_code(0);
    unasked(&device, &["wipe", "--confirm", "wipe"]).with_code(0);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    assert_eq!(left(&device), 0);
}

#[test]
fn with_the_network_nothing_is_left_to_fetch_and_without_it_nothing_happens() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let shown = bob.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let words = shown["mnemonic"].as_str().unwrap().to_owned();
    alice.run(&["send", &bob_id, "to be deleted"]).with_code(0);
    let wiped = bob.run(&["--json", "wipe", "--network", "--confirm", "wipe"]).with_code(0).json();
    let account = &wiped["accounts"][0];
    assert_eq!(account["account_id"], *bob_id);
    assert!(account["done"].as_u64() >= Some(1), "{wiped}");
    assert_eq!(account["done"], account["members"], "{wiped}");
    assert_eq!(left(&bob), 0);
    let again = Device::on(network.seed());
    again.run_with_input(&["account", "restore", "--name", "bob"], &words).with_code(0);
    assert_eq!(again.texts(&["--all"]), Vec::<String>::new());

    network.stop("INT").with_code(0);
    let unreached = alice.run(&["wipe", "--network", "--confirm", "wipe"]).with_code(1);
    assert!(left(&alice) > 0, "{unreached:?}");
    let reached = ["--json", "wipe", "--network", "--even-offline", "--confirm", "wipe"];
    let wiped = alice.run(&reached).with_code(1).json();
    assert_eq!((&wiped["data"], &wiped["accounts"][0]["members"]), (&true.into(), &0.into()));
    assert!(wiped["accounts"][0]["error"].is_string());
    assert_eq!(left(&alice), 0);
}
