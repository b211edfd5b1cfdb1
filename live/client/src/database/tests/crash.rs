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
#[ignore = "the process that half_a_page_is_not_kept_when_the_process_is_killed kills"]
fn child_that_records_half_a_page() {
    let Some(home) = told_home() else { return };
    let mut db = open_home(&home);
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 5)).unwrap();
    db.apply_signal(&signal(1, 1, 5, 6, Change::React("x".to_owned())), 6).unwrap();
    db.apply_signal(&signal(1, 1, 7, 8, Change::Delete), 8).unwrap();
    let task = Task::DeleteAll { mailbox: person(0) };
    let first = db.add_job(&task, &[], 5).unwrap();
    db.add_job(&task, &[first], 5).unwrap();
    db.transact(|tx| {
        tx.record(&fetched(2, 1, Direction::Incoming, 6))?;
        tx.job_done(first, None, 6)?;
        tx.set_setting("half", Some(&[1]))?;
        println!("\nqueued");
        let _ = std::io::stdin().read(&mut [0]);
        Ok::<_, DatabaseError>(())
    })
    .unwrap();
}

#[test]
fn half_a_page_is_not_kept_when_the_process_is_killed() {
    let device = Device::new();
    killed(&device, "crash::child_that_records_half_a_page");
    let mut db = device.db();
    let page = db.messages(&Filter::default(), None, 10).unwrap();
    assert_eq!(page.messages.len(), 1);
    assert_eq!(db.reactions(page.messages[0].id).unwrap().len(), 1);
    assert_eq!(db.setting("half").unwrap(), None);
    assert_eq!(db.due_jobs(9, 9).unwrap().len(), 1);
    assert_eq!(db.check_integrity().unwrap(), []);
    let late = fetched(3, 1, Direction::Incoming, 7);
    let Recorded::New(id) = db.record_incoming(&late).unwrap() else { panic!("not new") };
    assert_eq!(db.message(id).unwrap().content, Content::Deleted);
}

/// Starts a test as a process of its own and kills it once it says that it is where it should be.
fn killed(device: &Device, test: &str) {
    let mut process = child(test, device.home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "queued"));
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_queued_message_survives_a_killed_process() {
    let device = Device::new();
    killed(&device, "crash::child_that_queues_and_waits");
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
