//! Recovery words split into shares, on paper and among friends, and brought back.

use std::fs;

use serde_json::Value;

use crate::device::Device;
use crate::network::{Network, Place};

fn json(device: &Device, arguments: &[&str]) -> Value {
    device.run(&[&["--json"], arguments].concat()).with_code(0).json()
}

fn texts(split: &Value) -> Vec<String> {
    let shares = split["shares"].as_array().unwrap();
    shares.iter().map(|share| share["words"].as_str().unwrap().to_owned()).collect()
}

/// What combining says of some shares: the code of its error.
fn refusal(device: &Device, shares: &[&str]) -> String {
    let input = shares.join("\n\n");
    device.run_with_input(&["--json", "shares", "combine"], &input).with_code(1).error_code()
}

#[test]
fn three_of_five_shares_bring_an_account_back_and_every_mistake_is_told_apart() {
    let device = Device::new();
    json(&device, &["account", "create", "--name", "alice"]);
    let words = json(&device, &["account", "show", "--mnemonic"]);
    let folder = device.folder().join("codes");
    let codes = folder.to_str().unwrap();
    let split =
        json(&device, &["shares", "split", "--threshold", "3", "--shares", "5", "--qr", codes]);
    let shares = texts(&split);
    assert_eq!((shares.len(), split["threshold"].as_u64()), (5, Some(3)));
    assert!(shares.iter().all(|share| share.starts_with(split["set"].as_str().unwrap())));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 10, "SVG and PNG of each");

    // On a machine that knows nothing, without home or passphrase.
    let other = Device::new();
    let chosen = [&shares[4], &shares[1], &shares[2]].map(String::as_str);
    let combined = other.run_with_input(&["--json", "shares", "combine"], &chosen.join("\n"));
    let combined = combined.with_code(0).json();
    assert_eq!(combined["mnemonic"], words["mnemonic"]);
    assert_eq!(combined["account_id"], words["account_id"]);
    assert_eq!(combined["misfits"].as_array().unwrap().len(), 0);

    assert_eq!(refusal(&other, &chosen[..2]), "too_few_shares");
    assert_eq!(refusal(&other, &[chosen[0], chosen[1], chosen[0]]), "same_share");
    let swapped = chosen[2].split(' ').rev().collect::<Vec<_>>().join(" ");
    assert_eq!(refusal(&other, &[chosen[0], chosen[1], &swapped]), "bad_share");
    let again = texts(&json(&device, &["shares", "split", "--threshold", "3", "--shares", "3"]));
    assert_eq!(refusal(&other, &[chosen[0], chosen[1], &again[0]]), "other_set");

    let restore = ["--json", "shares", "combine", "--restore", "--name", "back"];
    let back = other.run_with_input(&restore, &chosen.join("\n")).with_code(0).json();
    assert_eq!(back["account_id"], words["account_id"]);
    for nonsense in [["--threshold", "1", "--shares", "3"], ["--threshold", "4", "--shares", "3"]] {
        let refused = device.run(&[&["--json", "shares", "split"], &nonsense[..]].concat());
        assert_eq!(refused.with_code(1).error_code(), "bad_split");
    }
}

#[test]
fn shares_for_people_come_with_codes_for_a_terminal_and_plain_warnings() {
    let device = Device::new();
    json(&device, &["account", "create"]);
    let split = ["shares", "split", "--threshold", "2", "--shares", "3", "--show-qr"];
    let shown = device.run(&split).with_code(0).stdout;
    for text in ["Share 3 of 3", "20 ", "\u{2580}", "has your account", "cannot be taken back"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }
}

struct Friends {
    alice: Device,
    alice_id: String,
    /// Bob, Carol and Dave.
    three: Vec<(Device, String)>,
    network: Network,
    _place: Place,
}

impl Friends {
    fn new() -> Self {
        let place = Place::new();
        let network = place.up();
        let (alice, alice_id) = Device::with_account(network.seed(), "alice");
        let three: Vec<_> = ["bob", "carol", "dave"]
            .map(|name| Device::with_account(network.seed(), name))
            .into_iter()
            .collect();
        for (friend, _) in &three {
            friend.run(&["contacts", "add", &alice_id, "--name", "alice"]).with_code(0);
        }
        Self { alice, alice_id, three, network, _place: place }
    }

    fn ids(&self) -> Vec<&str> {
        self.three.iter().map(|(_, id)| id.as_str()).collect()
    }
}

#[test]
fn friends_bring_a_lost_account_back_and_each_decides_by_hand() {
    let friends = Friends::new();
    let Friends { alice, alice_id, three, network, .. } = &friends;
    let ids = friends.ids();
    let give = [&["shares", "give", "--threshold", "2"], &ids[..]].concat();
    assert_eq!(json(alice, &give)["shares"].as_array().unwrap().len(), 3);
    let kept = || {
        let given = json(alice, &["shares", "given"]);
        let given = given["shares"].as_array().unwrap().clone();
        given.iter().filter(|share| !share["kept_at"].is_null()).count()
    };
    assert_eq!(kept(), 0, "nobody has said so yet");
    for (friend, _) in three {
        friend.run(&["read"]).with_code(0);
        friend.run(&["outbox", "retry"]).with_code(0);
        let held = json(friend, &["shares", "held"]);
        assert_eq!(held["shares"][0]["owner"], alice_id.as_str());
        assert!(!held.to_string().contains("words"), "{held}");
    }
    alice.run(&["read"]).with_code(0);
    assert_eq!(kept(), 3);

    // Alice's device is gone. She makes another account, and asks.
    let (new, new_id) = Device::with_account(network.seed(), "new");
    json(&new, &[&["shares", "ask", "--lost", alice_id], &ids[..]].concat());
    let (stranger, stranger_id) = Device::with_account(network.seed(), "mallory");
    for (friend, _) in &three[..2] {
        friend.run(&["read"]).with_code(0);
        let asked = json(friend, &["shares", "requests"]);
        assert_eq!(asked["requests"][0]["asker"], new_id.as_str());
        assert_eq!(asked["requests"][0]["held"], true);
        // Nothing goes by itself, nor without saying that one is sure, nor to who did not ask.
        let back = ["--json", "shares", "return", &new_id, "--of", "alice"];
        assert_eq!(friend.run(&back).with_code(1).error_code(), "not_confirmed");
        let wrong = ["--json", "shares", "return", &stranger_id, "--of", "alice", "--yes"];
        assert_eq!(friend.run(&wrong).with_code(1).error_code(), "not_asked");
    }
    stranger.run(&["read"]).with_code(0);

    let back = ["shares", "return", &new_id, "--of", "alice", "--yes"];
    json(&three[0].0, &back);
    new.run(&["read"]).with_code(0);
    let sets = json(&new, &["shares", "returned"]);
    assert_eq!((&sets["sets"][0]["have"], &sets["sets"][0]["need"]), (&1.into(), &2.into()));
    let restore = ["--json", "shares", "returned", "--restore", "--name", "alice"];
    assert_eq!(new.run(&restore).with_code(1).error_code(), "too_few_shares");

    json(&three[1].0, &back);
    new.run(&["read"]).with_code(0);
    let sets = json(&new, &["shares", "returned"]);
    assert_eq!(sets["sets"][0]["account_id"], alice_id.as_str());
    let restored = json(&new, &restore[1..]);
    assert_eq!(restored["account_id"], alice_id.as_str());
    let accounts = json(&new, &["account", "list"]);
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
    let left = json(&new, &["--account", "new", "shares", "returned"]);
    assert_eq!(left["sets"].as_array().unwrap().len(), 0, "what served is forgotten");
}

#[test]
fn a_share_from_a_stranger_is_not_kept_and_what_was_not_asked_for_is_not_taken() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let (carol, carol_id) = Device::with_account(network.seed(), "carol");
    json(&alice, &["shares", "give", "--threshold", "2", &bob_id, &carol_id]);
    bob.run(&["read"]).with_code(0);
    assert_eq!(json(&bob, &["shares", "held"])["shares"].as_array().unwrap().len(), 0);
    let missing = bob.run(&["--json", "shares", "forget", &alice_id]).with_code(1);
    assert_eq!(missing.error_code(), "no_shares");

    // Carol knows Alice, keeps hers, and drops it again.
    carol.run(&["contacts", "add", &alice_id, "--name", "alice"]).with_code(0);
    json(&alice, &["shares", "give", "--threshold", "2", &bob_id, &carol_id]);
    carol.run(&["read"]).with_code(0);
    assert_eq!(json(&carol, &["shares", "forget", "alice"])["shares"], 2);
    assert_eq!(json(&carol, &["shares", "held"])["shares"].as_array().unwrap().len(), 0);
    let twice = ["--json", "shares", "give", "--threshold", "2", &bob_id, &bob_id];
    assert_eq!(alice.run(&twice).with_code(1).error_code(), "not_a_friend");
}
