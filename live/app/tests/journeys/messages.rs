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

#[test]
fn links_are_looked_up_only_where_their_sender_wants_it_and_no_message_waits_for_a_site() {
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let set = |arguments: &[&str]| {
        let set = [&["--json", "account", "previews"], arguments].concat();
        alice.run(&set).with_code(0).json()
    };
    assert_eq!(
        (&set(&[])["link_previews"], &set(&[])["preview_proxy"]),
        (&false.into(), &Value::Null)
    );
    let told = alice.run(&["account", "previews", "on"]).with_code(0).stdout;
    assert!(told.contains("the sites see the address of this device"), "{told}");
    let proxied = set(&["--proxy", "socks5://127.0.0.1:1"]);
    assert_eq!(proxied["link_previews"], true);
    assert_eq!(proxied["preview_proxy"], "socks5h://127.0.0.1:1", "which looks names up, too");
    let bad = alice.run(&["--json", "account", "previews", "--proxy", "nonsense"]).with_code(1);
    assert_eq!(bad.error_code(), "bad_proxy");

    // Nothing listens there, and the message goes nevertheless.
    let sent = alice.run(&["--json", "send", &bob_id, "see https://page.warren.example/"]);
    assert_eq!(sent.with_code(0).json()["state"], "delivered");
    let got = all(&bob);
    assert_eq!(
        (&got[0]["preview"], &got[0]["text"]),
        (&Value::Null, &"see https://page.warren.example/".into())
    );
    let off = set(&["off", "--no-proxy"]);
    assert_eq!((&off["link_previews"], &off["preview_proxy"]), (&false.into(), &Value::Null));
}
