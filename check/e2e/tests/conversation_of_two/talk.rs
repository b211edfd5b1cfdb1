//! What they do in their group: answers, reactions, edits, files, reading and deleting.

use std::fs;

use serde_json::Value;
use warren_e2e::{AtWork, Transcript};

use crate::Story;

/// Each on another device than the one before.
pub(crate) async fn answers_reactions_and_edits(story: &mut Story) {
    story.alice.phone.json(&["send", "readers", "shall we met at nine?"]).await;
    story.group_says("Alice: shall we met at nine?");
    story.group_is_seen(&story.everybody()).await;

    let asked = story.in_group(&story.bob.laptop, "shall we met at nine?").await;
    story.bob.laptop.json(&["send", "readers", "--reply-to", &asked, "rather at ten"]).await;
    // What an answer that comes after an edit quotes is the edited text.
    story.group_says("Bob: rather at ten (to Alice's shall we met at nine?)");
    story.group_is_seen(&story.everybody()).await;
    let (alice, bob) = (&story.alice, &story.bob);
    let asked = story.in_group(&bob.phone, "shall we met at nine?").await;
    bob.phone.json(&["message", "react", &asked, "👍"]).await;
    bob.phone.json(&["message", "react", &asked, "🐇"]).await;
    bob.phone.json(&["message", "unreact", &asked, "🐇"]).await;
    let own = story.in_group(&alice.laptop, "shall we met at nine?").await;
    alice.laptop.json(&["message", "edit", &own, "shall we meet at nine?"]).await;
    let theirs = story.in_group(&bob.phone, "rather at ten").await;
    assert_eq!(bob.phone.refused(&["message", "edit", &asked, "mine"]).await, "not_yours");
    bob.phone.json(&["message", "edit", &theirs, "rather at half past"]).await;
    story.in_group = vec![
        "Alice: shall we meet at nine? (edited) 👍 Bob".to_owned(),
        "Bob: rather at half past (edited) (to Alice's shall we met at nine?)".to_owned(),
    ];
    story.group_is_seen(&story.everybody()).await;
}

/// What a device hands out is what another handed in, byte for byte.
pub(crate) async fn files_and_voice(story: &mut Story) {
    let desk = tempfile::tempdir().unwrap();
    let [report, list, memo] =
        ["report.txt", "list.bin", "memo.ogg"].map(|name| desk.path().join(name));
    fs::write(&report, content(700_000)).unwrap();
    fs::write(&list, content(20_000)).unwrap();
    fs::write(&memo, [&b"OggS"[..], &content(40_000)].concat()).unwrap();
    let [report, list, memo] = [&report, &list, &memo].map(|path| path.to_str().unwrap());
    let (alice, bob) = (&story.alice, &story.bob);
    let files = ["--file", report, "--file", list, "both"];
    alice.laptop.json(&[&["send", "readers"], &files[..]].concat()).await;
    bob.phone.json(&["send", "readers", "--voice", "--file", memo]).await;
    story.group_says("Alice: both [file report.txt] [file list.bin]");
    story.group_says("Bob:  [voice memo.ogg]");
    story.group_is_seen(&story.everybody()).await;
    for device in story.everybody() {
        let both = story.in_group(device, "both").await;
        let out = handed_out(device, &both).await;
        assert!(out.read("report.txt") == fs::read(report).unwrap(), "{}", device.what());
        assert!(out.read("list.bin") == fs::read(list).unwrap(), "{}", device.what());
    }
    let spoken = story.in_group(&story.alice.phone, "").await;
    let out = handed_out(&story.alice.phone, &spoken).await;
    assert!(out.read("memo.ogg") == fs::read(memo).unwrap());
}

/// Where the files of a message were written to.
pub(crate) struct HandedOut(tempfile::TempDir);

impl HandedOut {
    /// What one of them holds.
    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.path().join(name)).unwrap()
    }
}

/// Has a device fetch the files of a message and write them out.
pub(crate) async fn handed_out(device: &AtWork, number: &str) -> HandedOut {
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap().to_owned();
    device.json(&["files", "get", number, "--out", &folder]).await;
    HandedOut(out)
}

/// Bytes that repeat nowhere.
pub(crate) fn content(count: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes())
        .take(count)
        .collect()
}

/// What one of a person's devices has read, the other counts no longer.
pub(crate) async fn unread_messages_are_counted_on_both_devices(story: &mut Story) {
    let unread = async |device: &AtWork, count: u64| {
        device.until_is(&format!("conversations/{}", story.group), "/unread", count).await;
    };
    for person in [&story.alice, &story.bob] {
        person.laptop.json(&["conversations", "read", "readers"]).await;
        for device in person.devices() {
            unread(device, 0).await;
        }
    }
    let (alice, bob) = (&story.alice, &story.bob);
    for text in ["one", "two", "three"] {
        alice.phone.json(&["send", "readers", text]).await;
    }
    for device in bob.devices() {
        unread(device, 3).await;
    }
    let second = story.in_group(&bob.phone, "two").await;
    bob.phone.json(&["message", "read", &second]).await;
    for device in bob.devices() {
        unread(device, 1).await;
    }
    bob.laptop.json(&["conversations", "read", "readers"]).await;
    for device in bob.devices() {
        unread(device, 0).await;
    }
    for device in alice.devices() {
        unread(device, 0).await;
    }
    for line in ["Alice: one", "Alice: two", "Alice: three"] {
        story.group_says(line);
    }
}

/// On this device, on all of one's devices, for everyone.
pub(crate) async fn deletions_go_as_far_as_they_should(story: &mut Story) {
    story.group_is_seen(&story.everybody()).await;
    let (alice, bob) = (&story.alice, &story.bob);
    let sees = async |device: &AtWork, text: &str| {
        let shown = Transcript::of(device, &story.group).await;
        shown.0.iter().any(|message| message["text"] == text)
    };
    let one = story.in_group(&alice.phone, "one").await;
    alice.phone.json(&["message", "delete", &one, "--for", "me"]).await;
    assert!(!sees(&alice.phone, "one").await);
    let two = story.in_group(&bob.laptop, "two").await;
    bob.laptop.json(&["message", "delete", &two, "--for", "devices"]).await;
    let gone = async |device: &AtWork| (!sees(device, "two").await).then_some(());
    for device in bob.devices() {
        device.until("it is deleted on Bob's devices", gone).await;
    }
    let theirs = story.in_group(&bob.laptop, "one").await;
    let refused = bob.laptop.refused(&["message", "delete", &theirs, "--for", "everyone"]).await;
    assert_eq!(refused, "not_yours");
    for device in [&alice.laptop, &bob.phone, &bob.laptop] {
        assert!(sees(device, "one").await, "{}", device.what());
    }
    for (device, text) in [(&alice.laptop, "one"), (&alice.phone, "two"), (&alice.phone, "three")] {
        let number = story.in_group(device, text).await;
        device.json(&["message", "delete", &number, "--for", "everyone"]).await;
    }
    story.in_group.truncate(story.in_group.len() - 3);
    story.group_is_seen(&story.everybody()).await;
    let shown = Transcript::of(&story.bob.phone, &story.group).await;
    let deleted = |message: &&Value| message["kind"] == "deleted";
    assert!(shown.0.iter().filter(deleted).count() >= 1, "{shown:?}");
}
