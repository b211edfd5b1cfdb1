//! Jobs wait for what they need, and a message's state follows from what became of them.

use super::*;

/// A message with a file: an upload, and a sealing that needs it.
fn with_file(db: &mut AccountDb) -> (MessageId, JobId, JobId) {
    let content = Content::Text("look".to_owned());
    let files = vec![NewAttachment::new(AttachmentKind::Image, "image/png", 3)];
    let details = Details { attachments: files, ..Details::default() };
    db.transact(|tx| {
        let message = NewOutgoing { details: &details, ..outgoing(1, &content, 5, &[]) };
        let id = tx.queue_message(&message)?;
        let attachment = tx.attachments(id)?[0].id;
        let upload = tx.add_job(&Task::Upload { message: id, attachment }, &[], 5)?;
        let seal = tx.add_job(&Task::Seal { message: id }, &[upload], 5)?;
        Ok::<_, DatabaseError>((id, upload, seal))
    })
    .unwrap()
}

fn due(db: &AccountDb, now: u64) -> Vec<JobId> {
    db.due_jobs(now, 9).unwrap().iter().map(|job| job.id).collect()
}

#[test]
fn a_message_with_a_file_is_uploaded_then_sealed_then_stored_then_sent() {
    let device = Device::new();
    let mut db = device.db();
    let (id, upload, seal) = with_file(&mut db);
    assert_eq!(due(&db, 5), [upload]);
    let file = db.attachments(id).unwrap().remove(0);
    assert_eq!(file.state, AttachmentState::Uploading);
    assert_eq!(db.unfinished_attachments().unwrap().len(), 1);
    let remote = Remote { url: "http://f/1".to_owned(), key: vec![1].into(), digest: vec![] };
    db.transact(|tx| {
        tx.set_attachment_uploaded(file.id, &remote)?;
        tx.job_done(upload, None, 6)
    })
    .unwrap();
    assert_eq!(db.attachment(file.id).unwrap().about.remote, Some(remote));
    assert_eq!(due(&db, 6), [seal]);
    let store = db
        .transact(|tx| {
            let copy = copy(Purpose::Recipient, 1, b"sealed");
            let store = tx.add_job(&Task::Store { message: Some(id), copy }, &[], 6)?;
            tx.job_done(seal, None, 6)?;
            Ok::<_, DatabaseError>(store)
        })
        .unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Pending);
    db.job_done(store, Some(&hash(1)), 7).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Sent);
    // The hash is one in the recipient's mailbox, and no name in the own one.
    assert_eq!(db.message(id).unwrap().hash, None);
    assert_eq!(db.next_attempt().unwrap(), None);
}

#[test]
fn a_failed_message_is_sent_again_from_where_it_failed() {
    let device = Device::new();
    let mut db = device.db();
    let (id, upload, seal) = with_file(&mut db);
    db.job_failed(upload, Some(50), Some("no road")).unwrap();
    assert_eq!((due(&db, 49), due(&db, 50)), (vec![], vec![upload]));
    db.job_failed(upload, None, Some("too large")).unwrap();
    let message = db.message(id).unwrap();
    assert_eq!(
        (message.state, message.failure.as_deref()),
        (MessageState::Failed, Some("too large"))
    );
    assert_eq!(due(&db, u64::MAX), []);
    assert_eq!(db.jobs_of(id).unwrap().len(), 2);
    assert!(db.resend(id, 60).unwrap());
    let message = db.message(id).unwrap();
    assert_eq!((message.state, message.failure), (MessageState::Pending, None));
    assert_eq!(due(&db, 60), [upload]);
    db.job_done(upload, None, 61).unwrap();
    assert_eq!(due(&db, 61), [seal]);
    assert!(!db.resend(id, 62).unwrap());
}

#[test]
fn what_is_given_up_for_no_message_goes_with_what_needed_it() {
    let device = Device::new();
    let mut db = device.db();
    let hashes = vec![hash(1), hash(2)];
    let delete = Task::Delete { mailbox: person(0), hashes };
    let first = db.add_job(&delete, &[], 5).unwrap();
    let other = Task::Other {
        name: "push".to_owned(),
        message: None,
        target: Some(person(0)),
        data: vec![7],
    };
    let second = db.add_job(&other, &[first], 5).unwrap();
    let third = db.add_job(&Task::DeleteAll { mailbox: person(0) }, &[second], 5).unwrap();
    let free = db.add_job(&other, &[], 5).unwrap();
    let listed = db.due_jobs(5, 9).unwrap();
    assert_eq!(listed.iter().map(|job| &job.task).collect::<Vec<_>>(), [&delete, &other]);
    db.job_failed(first, None, None).unwrap();
    assert_eq!(due(&db, 5), [free]);
    assert!(matches!(db.add_job(&other, &[third], 5).unwrap_err(), DatabaseError::Gone));
    let orphan = Task::Seal { message: MessageId::new(99) };
    assert!(matches!(db.add_job(&orphan, &[], 5).unwrap_err(), DatabaseError::Gone));
}

#[test]
fn deleting_a_message_takes_its_jobs_and_names_its_files() {
    let device = Device::new();
    let mut db = device.db();
    let (id, ..) = with_file(&mut db);
    let file = db.attachments(id).unwrap()[0].id;
    let local = LocalFile { name: "here".to_owned(), key: seed(4), size: 3 };
    db.set_attachment_file(file, Some(&local)).unwrap();
    db.delete_messages_at(&[id], 9).unwrap();
    assert_eq!(due(&db, u64::MAX), []);
    assert_eq!(db.doomed_files().unwrap(), ["here"]);
}

#[test]
fn what_is_to_be_sent_leads_whatever_waits_longer() {
    let device = Device::new();
    let mut db = device.db();
    let mailbox = person(0);
    db.add_job(&Task::DeleteAll { mailbox }, &[], 1).unwrap();
    let (name, target) = ("ask".to_owned(), Some(mailbox));
    db.add_job(&Task::Other { name, message: None, target, data: Vec::new() }, &[], 2).unwrap();
    queue(&mut db, 1, "hello", 3);
    let due = db.due_jobs(9, 9).unwrap();
    let stores = due.iter().map(|job| matches!(job.task, Task::Store { .. }));
    assert_eq!(stores.collect::<Vec<_>>(), [true, true, false, false]);
}
