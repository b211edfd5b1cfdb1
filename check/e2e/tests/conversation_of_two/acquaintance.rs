//! How they come to know each other: a request, an invitation, a nickname; and notes to oneself.

use serde_json::json;
use warren_e2e::Transcript;

use crate::{Story, number};

/// Bob does not know Alice: what she writes waits among his requests.
pub(crate) async fn a_stranger_writes(story: &mut Story) {
    let (alice, bob) = (&story.alice, &story.bob);
    alice.phone.json(&["send", &bob.id, "it is me, Alice"]).await;
    for device in bob.devices() {
        let first = "/conversations/0/conversation";
        device.until_is("conversations?listing=requests", first, alice.id.as_str()).await;
    }
}

/// Her group asks him first.
pub(crate) async fn a_stranger_invites(story: &mut Story) {
    let (alice, bob) = (&story.alice, &story.bob);
    let made = alice.phone.json(&["groups", "create", "readers", &bob.id]).await;
    let group = made["group_id"].as_str().unwrap().to_owned();
    let path = format!("groups/{group}");
    for device in bob.devices() {
        device.until_is(&path, "/state", "invited").await;
    }
    assert_eq!(bob.phone.refused(&["send", "readers", "too early"]).await, "not_a_member");
    bob.laptop.json(&["groups", "accept", "readers"]).await;
    for device in story.everybody() {
        device.until_is(&path, "/state", "joined").await;
    }
    let members = format!("{path}/members");
    for device in alice.devices() {
        let joined = async |device: &warren_e2e::AtWork| {
            let members = device.get(&members).await["members"].as_array().unwrap().clone();
            members
                .iter()
                .any(|one| one["account_id"] == bob.id.as_str() && one["standing"] == "member")
                .then_some(())
        };
        device.until("Bob is a member", joined).await;
    }
    story.group = group;
}

/// Bob accepts on one device, names Alice on the other, and answers.
pub(crate) async fn the_request_is_accepted(story: &mut Story) {
    let (alice, bob) = (&story.alice, &story.bob);
    bob.laptop.json(&["conversations", "accept", &alice.id]).await;
    let conversation = format!("conversations/{}", alice.id);
    for device in bob.devices() {
        device.until_is(&conversation, "/is_request", false).await;
        let requests = device.get("conversations?listing=requests").await;
        assert_eq!(requests["conversations"], json!([]));
    }
    for device in alice.devices() {
        let told = async |device: &warren_e2e::AtWork| {
            let page = device.get(&format!("messages?conversation={}", bob.id)).await;
            let messages = page["messages"].as_array().unwrap();
            let told = |one: &serde_json::Value| one["control"]["notice"] == "request_accepted";
            messages.iter().any(told).then_some(())
        };
        device.until("Bob accepted", told).await;
    }
    bob.phone.json(&["contacts", "add", &alice.id, "--name", "Al"]).await;
    bob.laptop.until_is(&format!("contacts/{}", alice.id), "/name", "Al").await;
    bob.laptop.json(&["send", "Al", "it is me, too"]).await;
    story.say("Alice: it is me, Alice");
    story.say("Bob: it is me, too");
    story.both_sides_are_seen(&story.everybody()).await;
}

/// Alice's notes are on both of her devices, and what she deletes on all of them is on none.
pub(crate) async fn notes_to_oneself(story: &mut Story) {
    let alice = &story.alice;
    alice.phone.json(&["send", &alice.id, "milk"]).await;
    alice.laptop.json(&["send", &alice.id, "eggs"]).await;
    let names = |id: &serde_json::Value| story.name(id);
    let both = ["Alice: milk".to_owned(), "Alice: eggs".to_owned()];
    for device in alice.devices() {
        Transcript::becomes(device, &alice.id, &names, &both).await;
    }
    let eggs = number(&alice.phone, &alice.id, "eggs").await;
    alice.phone.json(&["message", "delete", &eggs, "--for", "devices"]).await;
    for device in alice.devices() {
        Transcript::becomes(device, &alice.id, &names, &both[..1]).await;
    }
}
