//! What was deleted on this device stays deleted, however it comes again.

use super::super::tombstones::TOMBSTONE_LIFE;
use super::*;

#[test]
fn a_deleted_message_does_not_come_back_when_a_mailbox_is_read_from_its_beginning() {
    let device = Device::new();
    let mut db = device.db();
    let letter = fetched(1, 1, Direction::Incoming, 5);
    let Recorded::New(id) = db.record_incoming(&letter).unwrap() else { panic!("not new") };
    db.delete_messages_at(&[id, id], 10).unwrap();
    drop(db);
    let mut db = device.db();
    let named = Fetched { sender_name: Some("Alice".to_owned()), ..letter.clone() };
    assert_eq!(db.record_incoming(&named).unwrap(), Recorded::Deleted);
    // Stored again under another hash.
    let replayed = Fetched { hash: hash(2), ..letter };
    assert_eq!(db.record_incoming(&replayed).unwrap(), Recorded::Deleted);
    assert_eq!(db.conversation(&person(1)).unwrap().unwrap().last_message, None);
    assert_eq!(db.contact(&person(1)).unwrap(), None);
    // Another one of the same peer and time is new.
    let other = db.record_incoming(&fetched(3, 1, Direction::Incoming, 5)).unwrap();
    assert!(matches!(other, Recorded::New(_)));
}

#[test]
fn an_own_message_deleted_before_its_hash_was_known_does_not_come_back() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "regretted", 5);
    db.delete_messages_at(&[id], 10).unwrap();
    let copy = fetched(1, 1, Direction::Outgoing, 5);
    assert_eq!(db.record_incoming(&copy).unwrap(), Recorded::Deleted);
    // What the peer said at that time is not ours, and a new message may take the time again.
    let answer = db.record_incoming(&fetched(2, 1, Direction::Incoming, 5)).unwrap();
    assert!(matches!(answer, Recorded::New(_)));
    let again = queue(&mut db, 1, "better", 5);
    assert_eq!(db.record_incoming(&copy).unwrap(), Recorded::Duplicate(again));
}

#[test]
fn a_deletion_without_a_clock_is_of_the_time_of_the_newest_arrival() {
    let device = Device::new();
    let mut db = device.db();
    let letter = fetched(1, 1, Direction::Incoming, 5);
    let Recorded::New(id) = db.record_incoming(&letter).unwrap() else { panic!("not new") };
    db.record_incoming(&fetched(2, 1, Direction::Incoming, 80)).unwrap();
    db.delete_messages(&[id]).unwrap();
    assert_eq!(db.record_incoming(&letter).unwrap(), Recorded::Deleted);
    assert_eq!(db.sweep_tombstones(81 + TOMBSTONE_LIFE).unwrap(), 0);
    assert_eq!(db.sweep_tombstones(82 + TOMBSTONE_LIFE).unwrap(), 1);
}

#[test]
fn a_tombstone_is_forgotten_after_thirty_days() {
    let device = Device::new();
    let mut db = device.db();
    let letter = fetched(1, 1, Direction::Incoming, 5);
    let Recorded::New(id) = db.record_incoming(&letter).unwrap() else { panic!("not new") };
    db.delete_messages_at(&[id], 10).unwrap();
    assert_eq!(db.sweep_tombstones(9).unwrap(), 0);
    assert_eq!(db.sweep_tombstones(10 + 30 * 86_400_000).unwrap(), 0);
    assert_eq!(db.record_incoming(&letter).unwrap(), Recorded::Deleted);
    assert_eq!(db.sweep_tombstones(11 + 30 * 86_400_000).unwrap(), 1);
    assert!(matches!(db.record_incoming(&letter).unwrap(), Recorded::New(_)));
}
