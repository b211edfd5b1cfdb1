//! Groups between three people, from the command line.

use serde_json::Value;

use crate::device::Device;
use crate::network::{Network, Place};

struct Three {
    alice: Device,
    alice_id: String,
    bob: Device,
    bob_id: String,
    carol: Device,
    carol_id: String,
    network: Network,
    _place: Place,
}

impl Three {
    /// Who know Alice, so that her invitations need no question, except for Carol.
    fn new() -> Self {
        let place = Place::new();
        let network = place.up();
        let (alice, alice_id) = Device::with_account(network.seed(), "alice");
        let (bob, bob_id) = Device::with_account(network.seed(), "bob");
        let (carol, carol_id) = Device::with_account(network.seed(), "carol");
        alice.run(&["contacts", "add", &bob_id, "--name", "bob"]).with_code(0);
        bob.run(&["contacts", "add", &alice_id, "--name", "al"]).with_code(0);
        let _place = place;
        Self { alice, alice_id, bob, bob_id, carol, carol_id, network, _place }
    }
}

fn json(device: &Device, arguments: &[&str]) -> Value {
    device.run(&[&["--json"], arguments].concat()).with_code(0).json()
}

fn refused(device: &Device, arguments: &[&str]) -> String {
    device.run(&[&["--json"], arguments].concat()).with_code(1).error_code()
}

/// How people stand to a group, by their ids.
fn standing(device: &Device, id: &str) -> Value {
    let members = json(device, &["groups", "members", "runners"]);
    let members = members["members"].as_array().unwrap().clone();
    let found = members.into_iter().find(|one| one["account_id"] == id);
    found.map(|one| one["standing"].clone()).unwrap_or_default()
}

#[test]
fn a_group_is_made_joined_talked_in_and_shows_who_wrote() {
    let Three { alice, alice_id, bob, bob_id, carol, carol_id, .. } = &Three::new();
    let made = json(alice, &["groups", "create", "runners", "bob", carol_id]);
    let group = made["group_id"].as_str().unwrap();
    assert!(group.starts_with("03") && group.len() == 66, "{made}");
    assert_eq!((&made["state"], &made["admin"]), (&"joined".into(), &true.into()));

    // Who knows the admin is in at once; a stranger is asked. To list is to fetch, as to read is.
    assert!(json(bob, &["groups", "--offline"])["groups"].as_array().unwrap().is_empty());
    assert_eq!(json(bob, &["groups"])["groups"][0]["state"], "joined");
    assert_eq!(json(bob, &["groups", "show", "runners", "--offline"])["name"], "runners");
    let asked = &json(carol, &["groups", "list"])["groups"][0];
    assert_eq!((&asked["state"], &asked["name"]), (&"invited".into(), &"runners".into()));
    assert_eq!(asked["invited_by"], alice_id.as_str());
    assert_eq!(json(carol, &["groups", "accept", "runners"])["state"], "joined");
    assert_eq!(standing(alice, carol_id), "member");
    assert_eq!(standing(alice, alice_id), "admin");

    // Whom he names is meant by her own name for herself; a name of nobody's in the group is text.
    carol.run(&["send", group, "here I am"]).with_code(0);
    bob.run(&["read"]).with_code(0);
    let sent = json(bob, &["send", "runners", "who runs, @Carol? not @dora"]);
    assert_eq!((&sent["state"], &sent["to"]), (&"delivered".into(), &group.into()));
    carol.run(&["read"]).with_code(0);
    let all = carol.run(&["--json", "read", "--all", "--from", "runners"]).with_code(0);
    let is_heard = |one: &Value| one["kind"] == "text" && one["direction"] == "incoming";
    let heard = all.json_lines().into_iter().find(is_heard).unwrap();
    assert_eq!((&heard["author"], &heard["peer"]), (&bob_id.as_str().into(), &group.into()));
    assert_eq!((&heard["group"], &heard["mentions_me"]), (&"runners".into(), &true.into()));
    let shown = carol.run(&["read", "--all", "--from", group]).with_code(0).stdout;
    assert!(shown.contains("in group 'runners': who runs, @you? not @dora"), "{shown}");
    assert_eq!(heard["text"], format!("who runs, @{carol_id}? not @dora"));

    carol.run(&["send", group, "I do"]).with_code(0);
    alice.run(&["read"]).with_code(0);
    let shown = alice.run(&["read", "--all", "--from", "runners"]).with_code(0).stdout;
    assert!(shown.contains("bob in group 'runners': who runs, @carol (05"), "{shown}");
    assert!(shown.contains(") in group 'runners': I do"), "{shown}");
    assert_eq!(refused(alice, &["groups", "show", "swimmers"]), "no_such_group");
    assert_eq!(refused(alice, &["groups", "show", "bob"]), "no_such_group");
}

#[test]
fn admins_lead_a_group_and_members_leave_it() {
    let Three { alice, alice_id, bob, bob_id, carol, carol_id, .. } = &Three::new();
    carol.run(&["contacts", "add", alice_id, "--name", "al"]).with_code(0);
    json(alice, &["groups", "create", "walkers", "bob"]);
    bob.run(&["read"]).with_code(0);
    assert_eq!(refused(bob, &["groups", "rename", "walkers", "mine"]), "not_an_admin");
    json(alice, &["groups", "rename", "walkers", "runners"]);
    json(alice, &["groups", "describe", "runners", "every", "Sunday"]);
    assert_eq!(json(alice, &["groups", "timer", "runners", "1d"])["timer"], 86_400);
    bob.run(&["read"]).with_code(0);
    assert_eq!(refused(bob, &["send", "walkers", "hi"]), "unknown_contact");
    let about = json(bob, &["groups", "show", "runners"]);
    assert_eq!((&about["description"], &about["timer"]), (&"every Sunday".into(), &86_400.into()));
    assert!(json(alice, &["groups", "timer", "runners", "--off"])["timer"].is_null());

    bob.run(&["send", "runners", "before"]).with_code(0);
    alice.run(&["read"]).with_code(0);
    json(alice, &["groups", "invite", "runners", carol_id, "--history"]);
    carol.run(&["read"]).with_code(0);
    carol.run(&["read"]).with_code(0);
    assert_eq!(carol.texts(&["--all", "--from", "runners"]), ["before"]);

    json(alice, &["groups", "promote", "runners", carol_id]);
    carol.run(&["read"]).with_code(0);
    assert_eq!(json(carol, &["groups", "show", "runners"])["admin"], true);
    alice.run(&["read"]).with_code(0);
    assert_eq!(refused(alice, &["groups", "remove", "runners", carol_id]), "admin_stays");
    json(alice, &["groups", "remove", "runners", "bob", "--with-messages"]);
    assert_eq!(standing(alice, bob_id), Value::Null);
    bob.run(&["read"]).with_code(0);
    assert_eq!(json(bob, &["groups"])["groups"][0]["state"], "removed");
    assert_eq!(refused(bob, &["send", "runners", "still here"]), "not_a_member");

    assert_eq!(refused(alice, &["groups", "leave", "runners"]), "not_confirmed");
    json(alice, &["groups", "leave", "runners", "--yes"]);
    assert!(json(alice, &["groups"])["groups"].as_array().unwrap().is_empty());
    carol.run(&["read"]).with_code(0);
    assert_eq!(refused(carol, &["groups", "destroy", "runners"]), "not_confirmed");
    json(carol, &["groups", "destroy", "runners", "--yes"]);
}

#[test]
fn an_invitation_is_declined_where_nobody_wants_it() {
    let Three { alice, carol, carol_id, .. } = &Three::new();
    json(alice, &["groups", "create", "runners", carol_id]);
    json(carol, &["groups", "decline", "runners"]);
    assert!(json(carol, &["groups"])["groups"].as_array().unwrap().is_empty());
    assert_eq!(refused(carol, &["send", "runners", "hi"]), "unknown_contact");
    assert_eq!(refused(alice, &["groups", "create", " "]), "bad_name");
}

#[test]
fn without_a_network_groups_are_listed_as_they_are_here() {
    let three = Three::new();
    let alice = &three.alice;
    json(alice, &["groups", "create", "runners", "bob"]);
    three.network.stop("TERM");
    let listed = alice.run(&["--json", "groups"]).with_code(4);
    assert_eq!(listed.json()["groups"][0]["name"], "runners");
    assert!(listed.stderr.contains("nothing new can be fetched"), "{listed:?}");
    alice.run(&["groups", "--offline"]).with_code(0);
    let renamed = alice.run(&["--json", "groups", "rename", "runners", "walkers"]).with_code(3);
    assert_eq!(renamed.json()["name"], "walkers");
}
