//! A message that comes twice is kept once.

use super::*;

#[test]
fn an_incoming_message_is_kept_once_however_often_it_comes() {
    let device = Device::new();
    let mut db = device.db();
    let first = fetched(1, 1, Direction::Incoming, 5);
    let Recorded::New(id) = db.record_incoming(&first).unwrap() else { panic!("not new") };
    assert_eq!(db.record_incoming(&first).unwrap(), Recorded::Duplicate(id));
    // Same time, other bytes: another message.
    let second = fetched(2, 1, Direction::Incoming, 5);
    let recorded = db.record_fetched_batch(&[first, second.clone(), second], None).unwrap();
    assert_eq!(recorded[0], Recorded::Duplicate(id));
    let Recorded::New(other) = recorded[1] else { panic!("not new") };
    assert_eq!(recorded[2], Recorded::Duplicate(other));
    assert_eq!(db.unread().unwrap(), 2);
}

#[test]
fn a_letter_stored_again_under_another_hash_is_kept_once() {
    let device = Device::new();
    let mut db = device.db();
    let letter = fetched(1, 1, Direction::Incoming, 5);
    let Recorded::New(id) = db.record_incoming(&letter).unwrap() else { panic!("not new") };
    db.mark_read(&[id], 9).unwrap();
    let replayed = Fetched { hash: hash(2), received_at: 99, ..letter };
    assert_eq!(db.record_incoming(&replayed).unwrap(), Recorded::Duplicate(id));
    // Twice in one page.
    let first = fetched(3, 1, Direction::Incoming, 6);
    let second = Fetched { hash: hash(4), ..first.clone() };
    let recorded = db.record_fetched_batch(&[first, second], None).unwrap();
    let Recorded::New(other) = recorded[0] else { panic!("not new") };
    assert_eq!(recorded[1], Recorded::Duplicate(other));
    assert_eq!(db.unread().unwrap(), 1);
}

#[test]
fn an_own_message_learns_its_fingerprint_from_its_copy_in_the_mailbox() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    let sync = db.due_outbox(5).unwrap().pop().unwrap();
    db.outbox_delivered(sync.id, &hash(7), 5).unwrap();
    // The node stored it with another envelope, under another hash.
    let copy = fetched(8, 1, Direction::Outgoing, 5);
    assert_eq!(db.record_incoming(&copy).unwrap(), Recorded::Duplicate(id));
    assert_eq!(db.message(id).unwrap().hash, Some(hash(7)));
    let query = "SELECT fingerprint FROM messages WHERE id = ?1";
    let kept: [u8; 32] = db.connection.query_row(query, [id], |row| row.get(0)).unwrap();
    assert_eq!(kept, copy.fingerprint);
}

#[test]
fn a_sent_message_and_its_copy_from_the_own_mailbox_are_one() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    let copy = fetched(7, 1, Direction::Outgoing, 5);
    assert_eq!(db.record_incoming(&copy).unwrap(), Recorded::Duplicate(id));
    let message = db.message(id).unwrap();
    assert_eq!(message.hash, Some(hash(7)));
    assert_eq!(message.content, Content::Text("hello".to_owned()));
    assert_eq!(message.state, MessageState::Pending);
    assert_eq!(db.record_incoming(&copy).unwrap(), Recorded::Duplicate(id));
}

#[test]
fn own_messages_come_back_once_after_a_restore_from_whichever_copy() {
    let device = Device::new();
    let mut db = device.db();
    let Recorded::New(id) = db.record_incoming(&fetched(1, 1, Direction::Outgoing, 5)).unwrap()
    else {
        panic!("not new")
    };
    // The same message, sealed a second time by a retry: another hash.
    let again = db.record_incoming(&fetched(2, 1, Direction::Outgoing, 5)).unwrap();
    assert_eq!(again, Recorded::Duplicate(id));
    let message = db.message(id).unwrap();
    assert_eq!((message.state, message.read), (MessageState::Sent, true));
    assert_eq!(db.unread().unwrap(), 0);
    // To another peer at the same time: another message.
    let other = db.record_incoming(&fetched(3, 2, Direction::Outgoing, 5)).unwrap();
    assert!(matches!(other, Recorded::New(_)));
}

#[test]
fn two_own_messages_to_one_peer_need_two_timestamps() {
    let device = Device::new();
    let mut db = device.db();
    queue(&mut db, 1, "one", 5);
    let content = Content::Text("two".to_owned());
    let second = outgoing(1, &content, 5, &[]);
    assert!(matches!(db.queue_message(&second).unwrap_err(), DatabaseError::TimestampTaken));
    assert_eq!(db.free_timestamp(&person(1), 5).unwrap(), 6);
    queue(&mut db, 1, "two", 6);
    assert_eq!(db.free_timestamp(&person(1), 5).unwrap(), 7);
    assert_eq!(db.free_timestamp(&person(1), 8).unwrap(), 8);
    assert_eq!(db.free_timestamp(&person(2), 5).unwrap(), 5);
}

#[test]
fn a_batch_and_its_cursor_are_kept_together() {
    let device = Device::new();
    let mut db = device.db();
    let cursor = Cursor {
        mailbox: person(0),
        node: warren_wire::NodeId::from_bytes([3; 32]),
        namespace: Namespace::DIRECT,
        last_hash: hash(2),
    };
    let batch = [fetched(1, 1, Direction::Incoming, 5), fetched(2, 1, Direction::Incoming, 6)];
    db.record_fetched_batch(&batch, Some(&cursor)).unwrap();
    assert_eq!(db.cursor(&cursor.node, &person(0), Namespace::DIRECT).unwrap(), Some(hash(2)));
    assert_eq!(db.cursor(&cursor.node, &person(0), Namespace::new(2)).unwrap(), None);
    db.forget_cursors().unwrap();
    assert_eq!(db.cursor(&cursor.node, &person(0), Namespace::DIRECT).unwrap(), None);
}
