//! Friends who can wipe a device, with the real program: chosen, listed, tested, and obeyed.

use serde_json::Value;
use warren_client::database::WipeCode;
use warren_wire::AccountId;

use crate::daemon::{Daemon, eventually};
use crate::device::{Device, PASSPHRASE};
use crate::network::{Network, Place};

struct People {
    alice: Device,
    alice_id: String,
    bob: Device,
    bob_id: String,
    network: Network,
    _place: Place,
}

impl People {
    /// Alice and Bob, who know each other.
    fn new() -> Self {
        let place = Place::new();
        let network = place.up();
        let (alice, alice_id) = Device::with_account(network.seed(), "alice");
        let (bob, bob_id) = Device::with_account(network.seed(), "bob");
        alice.run(&["contacts", "add", &bob_id, "--name", "bob"]).with_code(0);
        bob.run(&["contacts", "add", &alice_id, "--name", "alice"]).with_code(0);
        Self { alice, alice_id, bob, bob_id, network, _place: place }
    }
}

fn json(device: &Device, arguments: &[&str]) -> Value {
    device.run(&[&["--json"], arguments].concat()).with_code(0).json()
}

fn refusal(device: &Device, arguments: &[&str]) -> String {
    device.run(&[&["--json"], arguments].concat()).with_code(1).error_code()
}

fn fetch(devices: &[&Device]) {
    for device in devices {
        device.run(&["sync"]).with_code(0);
    }
}

/// What each friend of each set has said.
fn states(device: &Device) -> Vec<String> {
    let list = json(device, &["friends", "list"]);
    let sets = list["sets"].as_array().unwrap().iter();
    let friends = sets.flat_map(|set| set["friends"].as_array().unwrap().clone());
    friends.map(|friend| friend["state"].as_str().unwrap().to_owned()).collect()
}

fn devices(device: &Device) -> Vec<Value> {
    json(device, &["friends", "list"])["devices"].as_array().unwrap().clone()
}

fn home_is_wiped(device: &Device) -> bool {
    !device.folder().join("device").join("slots").exists()
}

#[test]
fn friends_are_chosen_and_listed_and_a_set_is_reissued_dropped_and_revoked() {
    let People { alice, alice_id, bob, bob_id, network, .. } = &People::new();
    let trusted = alice.run(&["friends", "trust", "bob", "--device", "phone"]).with_code(0);
    assert!(trusted.stderr.contains("one friend alone can wipe this device"), "{trusted:?}");
    assert_eq!(states(alice), ["offered"]);
    assert!(alice.run(&["friends", "list"]).stdout.contains("not yet confirmed"));
    fetch(&[bob, alice]);
    assert_eq!(states(alice), ["taken"]);
    let held = devices(bob);
    assert_eq!(
        (held[0]["owner"].as_str(), held[0]["device"].as_str()),
        (Some(&**alice_id), Some("phone"))
    );
    assert!(!json(bob, &["friends", "list"]).to_string().contains("secret"));
    let shown = bob.run(&["read", "--all"]).with_code(0).stdout;
    assert!(shown.contains("trusts you to wipe their device 'phone'"), "{shown}");

    let set = json(alice, &["friends", "list"])["sets"][0]["set"].as_str().unwrap().to_owned();
    assert_eq!(refusal(alice, &["friends", "revoke", "zz"]), "no_such_set");
    let again = json(alice, &["friends", "reissue", &set[..6]]);
    assert_eq!(again["revoked"], set.as_str());
    let new = again["set"]["set"].as_str().unwrap().to_owned();
    assert!(new != set);
    fetch(&[bob, alice]);
    assert_eq!((states(alice), devices(bob).len()), (vec!["taken".to_owned()], 1));
    assert_eq!(devices(bob)[0]["set"], new.as_str());

    json(bob, &["friends", "drop", "alice"]);
    assert_eq!(refusal(bob, &["friends", "drop", "alice"]), "no_such_device");
    fetch(&[alice]);
    assert_eq!(states(alice), ["declined"]);
    json(alice, &["friends", "revoke", &new]);
    assert!(states(alice).is_empty());

    // Two of two, one of whom does not know her.
    let (carol, carol_id) = Device::with_account(network.seed(), "carol");
    let two = ["friends", "trust", bob_id, &carol_id, "--device", "phone"];
    let quiet = alice.run(&two).with_code(0);
    assert_eq!(quiet.stderr, "", "two are needed where nobody says otherwise");
    fetch(&[bob, &carol, alice]);
    assert_eq!(states(alice), ["taken", "offered"]);
    assert!(devices(&carol).is_empty());
    let shown = carol.run(&["read", "--all"]).with_code(0).stdout;
    assert!(shown.contains("which is not kept"), "{shown}");
    assert_eq!(refusal(alice, &["friends", "trust", bob_id, bob_id]), "bad_friends");
    assert_eq!(refusal(alice, &["friends", "trust", bob_id, "--threshold", "2"]), "bad_friends");
    assert_eq!(refusal(alice, &["--decoy", "friends", "trust", bob_id]), "no_account");
}

#[test]
fn another_device_of_ones_own_can_wipe_this_one() {
    let People { alice, alice_id, network, .. } = &People::new();
    let words = json(alice, &["account", "show", "--mnemonic"]);
    let laptop = Device::on(network.seed());
    let restore = ["account", "restore", "--name", "alice"];
    laptop.run_with_input(&restore, words["mnemonic"].as_str().unwrap()).with_code(0);
    json(alice, &["friends", "trust", "--own-devices", "--device", "phone"]);
    fetch(&[&laptop, alice]);
    assert_eq!(states(alice), ["taken"]);
    assert!(devices(alice).is_empty());
    assert_eq!(devices(&laptop)[0]["owner"], alice_id.as_str());
    let announced = json(&laptop, &["friends", "wipe", "me"]);
    json(&laptop, &["friends", "wipe", "me", "--confirm", announced["code"].as_str().unwrap()]);
    let wiped = alice.run(&["--json", "sync"]);
    assert!(home_is_wiped(alice), "{wiped:?}");
    assert!(!home_is_wiped(&laptop));
}

#[test]
fn a_wipe_takes_two_steps_and_a_wrong_or_old_code_does_nothing() {
    let People { alice, alice_id, bob, .. } = &People::new();
    json(alice, &["friends", "trust", "bob", "--device", "phone"]);
    fetch(&[bob, alice]);
    assert_eq!(refusal(bob, &["friends", "wipe", "alice", "--confirm", "ABCDEF"]), "no_code");
    let first = bob.run(&["friends", "wipe", "alice", "--device", "phone"]).with_code(0).stdout;
    for text in ["destroys everything", "Nobody can undo it", "--confirm", "locked or not"] {
        assert!(first.contains(text), "{text} in {first}");
    }
    assert_eq!(refusal(bob, &["friends", "wipe", "alice", "--confirm", "ABCDE"]), "wrong_code");
    let code = json(bob, &["friends", "wipe", "alice"])["code"].as_str().unwrap().to_owned();
    make_old(bob, alice_id, &code);
    assert_eq!(refusal(bob, &["friends", "wipe", "alice", "--confirm", &code]), "code_expired");
    assert_eq!(refusal(bob, &["friends", "wipe", "alice", "--stop"]), "nothing_ordered");
    fetch(&[bob, alice]);
    assert!(!home_is_wiped(alice));
    assert!(devices(bob)[0]["ordered_at"].is_null());

    let code = json(bob, &["friends", "wipe", "alice"])["code"].as_str().unwrap().to_owned();
    let ordered = json(bob, &["friends", "wipe", "alice", "--confirm", &code.to_lowercase()]);
    assert_eq!(ordered["ordered"].as_array().unwrap().len(), 1);
    assert_eq!(refusal(bob, &["friends", "wipe", "alice", "--confirm", &code]), "no_code");
    assert!(bob.run(&["friends", "list"]).stdout.contains("WIPE ORDERED"));
    alice.run(&["sync"]);
    assert!(home_is_wiped(alice));
    assert_eq!(json(bob, &["friends", "wipe", "alice", "--stop"])["stopped"], 1);
    assert!(devices(bob)[0]["ordered_at"].is_null());
}

/// Has a code be shown more than ten minutes ago.
fn make_old(device: &Device, owner: &str, code: &str) {
    let home = device.folder().join("device");
    let device = warren_client::Device::unlock(&home, PASSPHRASE).unwrap();
    let messenger = device.messenger(None).unwrap();
    let owner: AccountId = owner.parse().unwrap();
    messenger.db().with(|db| {
        let WipeCode { inbox, .. } = db.wipe_code(&owner).unwrap().unwrap();
        let code = code.to_owned();
        db.put_wipe_code(&WipeCode { owner, inbox, code, valid_until: 1 }).unwrap();
    });
}

#[test]
fn a_friends_order_wipes_a_locked_daemons_home_and_a_test_before_wiped_nothing() {
    let People { alice, bob, .. } = &People::new();
    json(alice, &["friends", "trust", "bob", "--device", "phone"]);
    fetch(&[bob, alice]);
    json(bob, &["friends", "test", "alice"]);
    assert!(devices(bob)[0]["test_sent_at"].is_u64());
    let daemon = Daemon::start(alice, &["--locked"]);
    // What it hears while it is locked it says once it is not.
    alice.run(&["unlock"]).with_code(0);
    eventually("the friend hears that they were heard", || {
        fetch(&[bob]);
        devices(bob)[0]["heard_at"].is_u64()
    });
    let tested = &json(alice, &["friends", "list"])["sets"][0]["friends"][0]["tested_at"];
    assert!(tested.is_u64(), "{tested}");
    let shown = bob.run(&["read", "--all"]).with_code(0).stdout;
    assert!(shown.contains("heard the test you sent"), "{shown}");
    assert!(!home_is_wiped(alice));

    alice.run(&["lock"]).with_code(0);
    let code = json(bob, &["friends", "wipe", "alice"])["code"].as_str().unwrap().to_owned();
    json(bob, &["friends", "wipe", "alice", "--confirm", &code]);
    eventually("the locked home is wiped", || home_is_wiped(alice));
    drop(daemon);
}

#[test]
fn the_dead_mans_switch_is_set_shown_and_taken_away() {
    let People { alice, .. } = &People::new();
    assert_eq!(json(alice, &["friends", "dead-man"])["hours"], 0);
    let set = alice.run(&["friends", "dead-man", "--days", "30"]).with_code(0).stdout;
    assert!(set.contains("30 days") && set.contains("can be read by whoever looks"), "{set}");
    assert_eq!(json(alice, &["friends", "dead-man"])["hours"], 720);
    assert_eq!(json(alice, &["friends", "dead-man", "--hours", "5"])["hours"], 5);
    assert_eq!(refusal(alice, &["friends", "dead-man", "--hours", "0"]), "bad_value");
    assert_eq!(refusal(alice, &["friends", "dead-man", "--days", "4000"]), "tripwire");
    assert_eq!(json(alice, &["friends", "dead-man"])["hours"], 5);
    assert_eq!(json(alice, &["friends", "dead-man", "off"])["hours"], 0);
}
