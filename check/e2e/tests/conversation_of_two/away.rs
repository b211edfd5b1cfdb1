//! What happens while programs do not run: messages come, nodes die, time passes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use warren_e2e::{AtWork, Transcript};

use crate::{Story, number};

/// How long the group's messages live for a while, in seconds.
const IN_GROUP: u64 = 30;
/// How long a message lives after it was read.
const AFTER_READING: u64 = 4;

/// Some devices are stopped, some killed, and a node of the swarm with them. What was saved before a
/// kill is sent after it, once.
pub(crate) async fn some_are_away_and_some_are_killed(story: &mut Story) {
    story.bob.phone.stop().await;
    story.alice.laptop.kill().await;
    story.network.kill(2).await;
    let (group, text) = (story.group.clone(), "said just before the end");
    let said = story.alice.phone.post("messages", &json!({ "to": group, "text": text })).await;
    assert_eq!(said["text"], text);
    story.alice.phone.kill().await;
    story.bob.laptop.json(&["send", "readers", "is anybody there?"]).await;
    story.alice.phone.start().await;
    story.group_says("Alice: said just before the end");
    story.group_says("Bob: is anybody there?");
    story.group_is_seen(&[&story.alice.phone, &story.bob.laptop]).await;

    story.network.restart(2).await;
    story.alice.laptop.start().await;
    story.bob.phone.start().await;
    story.bob.phone.json(&["send", "readers", "all of us"]).await;
    story.group_says("Bob: all of us");
    story.group_is_seen(&story.everybody()).await;
    // What comes a second time is not shown a second time.
    story.bob.laptop.kill().await;
    story.bob.laptop.start().await;
    story.bob.laptop.json(&["send", "readers", "again"]).await;
    story.group_says("Bob: again");
    story.group_is_seen(&story.everybody()).await;
}

/// After sending in the group, after reading between the two; on devices that run and on those that
/// are started when the time is over.
pub(crate) async fn timers_run_while_programs_do_not(story: &mut Story) {
    let ends = a_message_of_the_group_begins_to_disappear(story).await;
    story.bob.laptop.kill().await;
    story.alice.phone.stop().await;
    a_message_disappears_after_reading(story).await;
    until(ends).await;
    story.bob.laptop.start().await;
    story.alice.phone.start().await;
    for device in story.everybody() {
        assert!(!sees(device, &story.group, "this will burn").await, "{}", device.what());
    }
    story.group_is_seen(&story.everybody()).await;
    // It takes the timer back once it knows of it.
    let between = format!("conversations/{}", story.bob.id);
    story.alice.phone.until_is(&between, "/expiry/seconds", AFTER_READING).await;
    story.alice.phone.json(&["conversations", "timer", &story.bob.id, "--off"]).await;
    story.alice.laptop.until_is(&between, "/expiry", Value::Null).await;
    story.alice.laptop.json(&["send", &story.bob.id, "this stays"]).await;
    story.say("Alice: this stays");
    story.both_sides_are_seen(&story.everybody()).await;
}

/// When it will be over.
async fn a_message_of_the_group_begins_to_disappear(story: &Story) -> u64 {
    let (group, time) = (format!("groups/{}", story.group), format!("{IN_GROUP}s"));
    story.alice.phone.json(&["groups", "timer", "readers", &time]).await;
    for device in story.bob.devices() {
        device.until_is(&group, "/timer", IN_GROUP).await;
    }
    story.bob.phone.json(&["send", "readers", "this will burn"]).await;
    let mut ends = 0;
    for device in story.everybody() {
        let burns = async |device: &AtWork| {
            sees(device, &story.group, "this will burn").await.then_some(())
        };
        device.until("a message that will disappear", burns).await;
        let shown = Transcript::of(device, &story.group).await;
        let message = shown.called("this will burn");
        // Where it was written it lives from when the swarm had it.
        let sent = message["timestamp"].as_u64().unwrap();
        let end = message["expires_at"].as_u64().unwrap();
        assert!(end >= sent + IN_GROUP * 1_000, "{message}");
        ends = end.max(ends);
    }
    story.alice.phone.json(&["groups", "timer", "readers", "--off"]).await;
    for device in story.everybody() {
        device.until_is(&group, "/timer", Value::Null).await;
    }
    ends
}

/// Alice's laptop writes and Bob's phone reads, is killed, and is back when the time is over.
async fn a_message_disappears_after_reading(story: &mut Story) {
    let (alice, bob) = (story.alice.id.clone(), story.bob.id.clone());
    let text = "read and forget";
    let time = format!("{AFTER_READING}s");
    story.alice.laptop.json(&["conversations", "timer", &bob, &time, "--after-read"]).await;
    story.alice.laptop.json(&["send", &bob, text]).await;
    let phone = &mut story.bob.phone;
    let there = async |device: &AtWork| sees(device, &alice, text).await.then_some(());
    phone.until("a message to be read", there).await;
    let gone = async |device: &AtWork| (!sees(device, &bob, text).await).then_some(());
    story.alice.laptop.until("it is gone where it was written", gone).await;
    assert_eq!(Transcript::of(phone, &alice).await.called(text)["expires_at"], Value::Null);
    let unread = number(phone, &alice, text).await;
    phone.json(&["message", "read", &unread]).await;
    let ends = Transcript::of(phone, &alice).await.called(text)["expires_at"].as_u64().unwrap();
    phone.kill().await;
    until(ends).await;
    phone.start().await;
    assert!(!sees(phone, &alice, text).await, "it is gone before anything is shown");
}

async fn sees(device: &AtWork, conversation: &str, text: &str) -> bool {
    let shown = Transcript::of(device, conversation).await;
    shown.0.iter().any(|message| message["text"] == text)
}

/// Waits until it is that late, in milliseconds since 1970.
async fn until(time: u64) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    tokio::time::sleep(Duration::from_millis(time + 1).saturating_sub(since)).await;
}
