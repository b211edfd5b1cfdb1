//! What people do to messages, on two devices each, from the command line.

use serde_json::Value;

use crate::device::Device;
use crate::network::Place;

/// The messages that a device has, after it fetched what is new.
fn all(device: &Device) -> Vec<Value> {
    device.run(&["read"]).with_code(0);
    device.run(&["--json", "read", "--all"]).with_code(0).json_lines()
}

fn number(message: &Value) -> String {
    message["message_id"].to_string()
}

#[test]
fn answers_reactions_edits_and_deletions_reach_the_other_person_and_the_other_device() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let words = bob.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let laptop = Device::on(network.seed());
    laptop
        .run_with_input(&["account", "restore"], words["mnemonic"].as_str().unwrap())
        .with_code(0);

    alice.run(&["send", &bob_id, "at eigth?"]).with_code(0);
    let asked = number(&all(&bob)[0]);
    bob.run(&["send", &alice_id, "--reply-to", &asked, "yes"]).with_code(0);
    bob.run(&["message", "react", &asked, "👍"]).with_code(0);
    let own = number(&all(&alice)[0]);
    alice.run(&["message", "edit", &own, "at eight?"]).with_code(0);
    for device in [&alice, &bob, &laptop] {
        let mut seen = all(device);
        seen.retain(|one| one["kind"] == "text");
        assert_eq!(seen[0]["text"], "at eight?");
        assert!(seen[0]["edited_at"].is_u64());
        assert_eq!(seen[0]["reactions"][0]["emoji"], "👍");
        assert_eq!(seen[1]["quote"]["author"], alice_id.as_str());
        assert_eq!(seen[1]["quote"]["text"], "at eigth?");
    }
    let shown = laptop.run(&["read", "--all"]).with_code(0).stdout;
    assert!(shown.contains("at eight? (edited)  [👍]"), "{shown}");

    let theirs = bob.run(&["--json", "message", "delete", &asked, "--for", "everyone"]);
    assert_eq!(theirs.with_code(1).error_code(), "not_yours");
    alice.run(&["message", "delete", &own, "--for", "everyone"]).with_code(0);
    for device in [&bob, &laptop] {
        assert_eq!(all(device)[0]["kind"], "deleted");
    }
    let gone = bob.run(&["--json", "message", "info", "9999"]).with_code(1);
    assert_eq!(gone.error_code(), "gone");
}

#[test]
fn a_timer_is_told_and_a_message_says_what_became_of_it() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let timer = ["--json", "conversations", "timer", &bob_id, "1d", "--after-read"];
    let set = alice.run(&timer).with_code(0).json();
    assert_eq!(set["expiry"]["mode"], "after_read");
    assert_eq!(set["expiry"]["seconds"], 86_400);
    let sent = alice.run(&["--json", "send", &bob_id, "soon gone"]).with_code(0).json();
    let info = ["--json", "message", "info", &number(&sent)];
    let info = alice.run(&info).with_code(0).json();
    assert_eq!(info["message"]["state"], "delivered");
    // What lies in another's mailbox is theirs to delete, and is not noted.
    assert_eq!(info["stored"][0]["mailbox"], alice_id.as_str(), "{info}");
    assert_eq!(info["stored"].as_array().unwrap().len(), 1);
    let resend = alice.run(&["--json", "message", "resend", &number(&sent)]).with_code(1);
    assert_eq!(resend.error_code(), "nothing_to_resend", "nothing is sent twice");
    let seen = all(&bob);
    assert_eq!(seen[0]["notice"]["notice"], "timer");
    assert!(seen[1]["expires_at"].is_u64(), "{seen:?}");
    let off = alice.run(&["--json", "conversations", "timer", &bob_id, "--off"]).with_code(0);
    assert!(off.json()["expiry"].is_null());
}
