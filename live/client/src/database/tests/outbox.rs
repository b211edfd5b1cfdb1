//! A message is sent when its recipient's swarm has it, and failed when that was given up.

use super::*;

#[test]
fn a_message_is_sent_once_the_recipients_copy_is_delivered() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    let due = db.due_outbox(5).unwrap();
    assert_eq!(due.iter().map(|due| due.message).collect::<Vec<_>>(), [id, id]);
    let [recipient, own] = due.as_slice() else { panic!("two copies") };
    assert_eq!((recipient.copy.purpose, own.copy.purpose), (Purpose::Recipient, Purpose::Sync));
    assert_eq!(own.copy, copy(Purpose::Sync, 1, b"own"));

    db.outbox_delivered(own.id, &hash(4), 5).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Pending);
    assert_eq!(db.message(id).unwrap().hash, Some(hash(4)));
    db.outbox_delivered(recipient.id, &hash(5), 5).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Sent);
    assert_eq!(db.message(id).unwrap().hash, Some(hash(4)));
    assert_eq!(db.next_attempt().unwrap(), None);
    // Another process delivered it too.
    db.outbox_delivered(recipient.id, &hash(5), 5).unwrap();
    db.outbox_failed(recipient.id, None).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Sent);
}

#[test]
fn a_copy_is_tried_again_when_its_time_comes() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    assert!(db.due_outbox(4).unwrap().is_empty());
    for due in db.due_outbox(5).unwrap() {
        db.outbox_failed(due.id, Some(50)).unwrap();
    }
    assert!(db.due_outbox(49).unwrap().is_empty());
    assert_eq!(db.next_attempt().unwrap(), Some(50));
    let due = db.due_outbox(50).unwrap();
    assert_eq!(due.iter().map(|due| due.attempts).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(db.message(id).unwrap().state, MessageState::Pending);
}

#[test]
fn a_message_has_failed_when_the_recipients_copy_is_given_up() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    let due = db.due_outbox(5).unwrap();
    db.outbox_failed(due[1].id, None).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Pending);
    db.outbox_failed(due[0].id, None).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Failed);
    assert!(db.due_outbox(u64::MAX).unwrap().is_empty());
}

#[test]
fn a_note_to_self_is_sent_with_its_only_copy() {
    let device = Device::new();
    let mut db = device.db();
    let copies = [copy(Purpose::Sync, 0, b"note")];
    let content = Content::Text("note".to_owned());
    let mut note = outgoing(0, &content, 5, &copies);
    let id = db.queue_message(&note).unwrap();
    let due = db.due_outbox(5).unwrap();
    db.outbox_delivered(due[0].id, &hash(1), 5).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Sent);

    note.timestamp = 6;
    let id = db.queue_message(&note).unwrap();
    let due = db.due_outbox(6).unwrap();
    db.outbox_failed(due[0].id, None).unwrap();
    assert_eq!(db.message(id).unwrap().state, MessageState::Failed);
}

#[test]
fn deleting_a_message_empties_its_part_of_the_outbox() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    let kept = queue(&mut db, 1, "kept", 6);
    db.delete_messages(&[id]).unwrap();
    assert!(matches!(db.message(id).unwrap_err(), DatabaseError::Gone));
    assert!(db.due_outbox(10).unwrap().iter().all(|due| due.message == kept));
}
