//! Somebody else, who is let in, put out and blocked; she has no daemon.

use serde_json::Value;

use crate::Story;

/// Alice invites Carol and makes Bob an admin, who removes her with what she wrote.
pub(crate) async fn a_third_is_invited_and_removed(story: &mut Story) {
    let (alice, carol) = (&story.alice, &story.carol);
    alice.laptop.json(&["groups", "invite", "readers", &carol.id, "--history"]).await;
    read(story).await;
    carol.json(&["groups", "accept", "readers"], "").await;
    let heard = read(story).await;
    let texts: Vec<&Value> = heard.iter().map(|message| &message["text"]).collect();
    assert!(texts.contains(&&Value::from("all of us")), "{texts:?}");
    carol.json(&["send", "readers", "I am new here"], "").await;
    story.group_says("Carol: I am new here");
    story.group_is_seen(&story.everybody()).await;

    let (alice, bob, carol) = (&story.alice, &story.bob, &story.carol);
    let refused = bob.phone.refused(&["groups", "remove", "readers", &carol.id]).await;
    assert_eq!(refused, "not_an_admin");
    alice.phone.json(&["groups", "promote", "readers", &bob.id]).await;
    for device in bob.devices() {
        device.until_is(&format!("groups/{}", story.group), "/admin", true).await;
    }
    bob.phone.json(&["groups", "remove", "readers", &carol.id, "--with-messages"]).await;
    story.in_group.pop();
    story.group_is_seen(&story.everybody()).await;

    read(story).await;
    let groups = story.carol.json(&["groups"], "").await;
    assert_eq!(groups["groups"][0]["state"], "removed");
    let (code, printed) = story.carol.run(&["--json", "send", "readers", "still here"], "").await;
    assert!(code == 1 && printed.contains("not_a_member"), "{code}: {printed}");
}

/// What Carol reads, after fetching.
async fn read(story: &Story) -> Vec<Value> {
    let (code, printed) = story.carol.run(&["--json", "read", "--all"], "").await;
    assert_eq!(code, 0, "{printed}");
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Bob blocks Carol on one device; neither shows what she writes from then on.
pub(crate) async fn who_is_blocked_is_not_heard(story: &mut Story) {
    let (alice, bob, carol) = (&story.alice, &story.bob, &story.carol);
    bob.phone.json(&["contacts", "block", &carol.id]).await;
    for device in bob.devices() {
        device.until_is(&format!("contacts/{}", carol.id), "/blocked", true).await;
    }
    assert_eq!(carol.send(&bob.id, "let me back in").await, 0);
    alice.phone.json(&["send", &bob.id, "did she write to you?"]).await;
    story.say("Alice: did she write to you?");
    story.both_sides_are_seen(&story.everybody()).await;
    for device in story.bob.devices() {
        let page = device.get(&format!("messages?conversation={}", story.carol.id)).await;
        assert_eq!(page["messages"], Value::Array(Vec::new()), "{}", device.what());
    }
}
