//! A device is lost; another takes its place with nothing but the words, and they go on.

use serde_json::Value;
use warren_e2e::{AtWork, Transcript};

use crate::talk::{content, handed_out};
use crate::{Story, number};

/// Everything is back that is to be back: profile, contacts, groups, and the messages without those
/// that were deleted or ran out.
pub(crate) async fn a_lost_device_is_restored_from_the_words(story: &mut Story) {
    let (alice, bob) = (&story.alice, &story.bob);
    alice.laptop.json(&["account", "name", "Alice L."]).await;
    alice.laptop.json(&["contacts", "add", &bob.id, "--name", "Bobby"]).await;
    alice.laptop.json(&["conversations", "pin", "Bobby"]).await;
    let (contact, between) = (format!("contacts/{}", bob.id), format!("conversations/{}", bob.id));
    alice.phone.until_is(&contact, "/name", "Bobby").await;
    alice.phone.until_is(&between, "/priority", 1).await;
    let unread = alice.laptop.get(&between).await["unread"].clone();

    story.alice.phone.lose_and_restore().await;
    let phone = &story.alice.phone;
    story.group_is_seen(&[phone]).await;
    story.both_sides_are_seen(&[phone]).await;
    phone.until_is(&contact, "/name", "Bobby").await;
    phone.until_is(&between, "/priority", 1).await;
    phone.until_is(&between, "/unread", unread).await;
    let group = format!("groups/{}", story.group);
    for (part, expected) in [("/name", Value::from("readers")), ("/admin", true.into())] {
        phone.until_is(&group, part, expected).await;
    }
    let named = async |device: &AtWork| {
        let shown = device.json(&["account", "name"]).await;
        (shown["display_name"] == "Alice L.").then_some(())
    };
    phone.until("the name is back", named).await;
    let notes = ["Alice: milk".to_owned()];
    Transcript::becomes(phone, &story.alice.id, &|id| story.name(id), &notes).await;
    let both = story.in_group(phone, "both").await;
    assert!(handed_out(phone, &both).await.read("report.txt") == content(700_000));
}

/// In both directions, and with what was said before the loss.
pub(crate) async fn the_conversation_goes_on(story: &mut Story) {
    story.alice.phone.json(&["send", "readers", "it was stolen"]).await;
    story.group_says("Alice: it was stolen");
    story.group_is_seen(&story.everybody()).await;
    let stolen = story.in_group(&story.bob.laptop, "it was stolen").await;
    story.bob.laptop.json(&["send", "readers", "--reply-to", &stolen, "oh no"]).await;
    story.group_says("Bob: oh no (to Alice's it was stolen)");

    // What the lost device wrote is still its owner's to change.
    let (alice, bob) = (&story.alice, &story.bob);
    let first = number(&alice.phone, &bob.id, "it is me, Alice").await;
    alice.phone.json(&["message", "edit", &first, "it is me, Alice L."]).await;
    let answer = number(&bob.phone, &alice.id, "it is me, too").await;
    bob.phone.json(&["message", "delete", &answer, "--for", "everyone"]).await;
    let stays = number(&bob.laptop, &alice.id, "this stays").await;
    bob.laptop.json(&["message", "react", &stays, "👍"]).await;
    story.between = vec![
        "Alice: it is me, Alice L. (edited)".to_owned(),
        "Alice: this stays 👍 Bob".to_owned(),
        "Alice: did she write to you?".to_owned(),
    ];
    story.group_is_seen(&story.everybody()).await;
    story.both_sides_are_seen(&story.everybody()).await;
    for device in story.bob.devices() {
        let path = format!("contacts/{}", story.alice.id);
        device.until_is(&path, "/calls_themselves", "Alice L.").await;
    }

    for person in [&mut story.alice, &mut story.bob] {
        person.phone.kill().await;
        person.laptop.stop().await;
        person.phone.start().await;
        person.laptop.start().await;
    }
    story.alice.laptop.json(&["send", "readers", "good night"]).await;
    story.group_says("Alice: good night");
    story.group_is_seen(&story.everybody()).await;
    story.both_sides_are_seen(&story.everybody()).await;
}
