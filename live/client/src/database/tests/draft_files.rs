//! A file that was handed in waits for its message.

use super::*;

#[test]
fn a_file_that_waits_outlasts_any_number_that_were_taken() {
    let device = Device::new();
    let mut db = device.db();
    let waiting = db.add_draft_file("{}", 1).unwrap();
    for _ in 0..300 {
        let taken = db.add_draft_file("{}", 1).unwrap();
        db.give_up_draft_file(taken).unwrap();
    }
    assert_eq!(db.draft_file(waiting).unwrap(), "{}");
}

#[test]
fn of_very_many_that_wait_the_oldest_is_given_up() {
    let device = Device::new();
    let mut db = device.db();
    let first = db.add_draft_file("{}", 1).unwrap();
    let second = db.add_draft_file("{}", 1).unwrap();
    for _ in 0..255 {
        db.add_draft_file("{}", 1).unwrap();
    }
    assert!(matches!(db.draft_file(first), Err(DatabaseError::Gone)));
    assert!(db.draft_file(second).is_ok());
}
