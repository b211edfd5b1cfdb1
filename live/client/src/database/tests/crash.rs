//! What was acknowledged is there after a process is killed.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use super::*;

#[test]
#[ignore = "the process that a_queued_message_survives_a_killed_process kills"]
fn child_that_queues_and_waits() {
    let Some(home) = told_home() else { return };
    let mut db = open_home(&home);
    queue(&mut db, 1, "said before the crash", 5);
    db.record_incoming(&fetched(9, 1, Direction::Incoming, 6)).unwrap();
    println!("\nqueued");
    let _ = std::io::stdin().read(&mut [0]);
}

#[test]
fn a_queued_message_survives_a_killed_process() {
    let device = Device::new();
    let mut process = child("crash::child_that_queues_and_waits", device.home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "queued"));
    process.kill().unwrap();
    process.wait().unwrap();

    let db = device.db();
    let page = db.messages(&Filter::default(), None, 10).unwrap();
    assert_eq!(page.messages.len(), 2);
    assert_eq!(page.messages[1].content, Content::Text("said before the crash".to_owned()));
    assert_eq!(page.messages[1].state, MessageState::Pending);
    let due = db.due_outbox(5).unwrap();
    assert_eq!(due.len(), 2);
    assert_eq!(due[0].copy.data, b"sealed");
    assert_eq!(db.unread().unwrap(), 1);
}
