//! People are found by the names that are shown of them.

use super::*;

fn contact(number: u8, name: &str, petname: Option<&str>) -> Contact {
    Contact {
        name: name.to_owned(),
        petname: petname.map(str::to_owned),
        approved: true,
        ..Contact::new(person(number), 1)
    }
}

#[test]
fn a_contact_is_found_by_id_petname_or_name() {
    let device = Device::new();
    let db = device.db();
    db.put_contact(&contact(1, "Alice", None)).unwrap();
    db.put_contact(&contact(2, "Robert", Some("Bob"))).unwrap();
    assert_eq!(db.find_peer("alice").unwrap(), person(1));
    assert_eq!(db.find_peer("bob").unwrap(), person(2));
    assert_eq!(db.find_peer(&person(3).to_string()).unwrap(), person(3));
    assert!(matches!(db.find_peer("Robert").unwrap_err(), DatabaseError::UnknownContact));
    assert!(matches!(db.find_peer("").unwrap_err(), DatabaseError::UnknownContact));
    let names: Vec<_> = db.contacts().unwrap();
    assert_eq!(names.iter().filter_map(Contact::shown_name).collect::<Vec<_>>(), ["Alice", "Bob"]);
}

#[test]
fn a_stranger_cannot_take_a_contacts_place_by_taking_its_petname() {
    let device = Device::new();
    let db = device.db();
    db.put_contact(&contact(1, "Alice", Some("sister"))).unwrap();
    db.put_contact(&Contact { approved: false, ..contact(2, "sister", None) }).unwrap();
    assert_eq!(db.find_peer("sister").unwrap(), person(1));
    assert!(!db.contact(&person(2)).unwrap().unwrap().approved);
    let error = db.rename_contact(&person(2), Some("SISTER")).unwrap_err();
    assert!(matches!(error, DatabaseError::PetnameTaken));
}

#[test]
fn a_name_that_fits_two_is_refused() {
    let device = Device::new();
    let db = device.db();
    db.put_contact(&contact(1, "Sam", None)).unwrap();
    db.put_contact(&contact(2, "sam", None)).unwrap();
    let error = db.find_peer("Sam").unwrap_err();
    assert!(matches!(error, DatabaseError::AmbiguousName { count: 2 }));
}

/// A message of person 1 with a name.
fn named(number: u8, timestamp: u64, name: &str) -> Fetched {
    let sender_name = Some(name.to_owned());
    Fetched { sender_name, ..fetched(number, 1, Direction::Incoming, timestamp) }
}

fn name_of(db: &AccountDb, number: u8) -> Option<String> {
    db.contact(&person(number)).unwrap().map(|contact| contact.name)
}

#[test]
fn an_older_message_does_not_take_a_newer_name_back() {
    let device = Device::new();
    let mut db = device.db();
    db.record_incoming(&named(1, 50, "Alicia")).unwrap();
    // Another node has an older one; a third has one of the same time.
    db.record_fetched_batch(&[named(2, 10, "Alice"), named(3, 50, "Al")], None).unwrap();
    assert_eq!(name_of(&db, 1).as_deref(), Some("Alicia"));
    db.rename_contact(&person(1), Some("sister")).unwrap();
    db.record_incoming(&named(4, 51, "Ally")).unwrap();
    let contact = db.contact(&person(1)).unwrap().unwrap();
    assert_eq!((contact.name.as_str(), contact.petname.as_deref()), ("Ally", Some("sister")));
    assert_eq!((contact.approved, contact.created), (false, 51));
}

#[test]
fn a_message_that_is_not_new_or_not_the_peers_sets_no_name() {
    let device = Device::new();
    let mut db = device.db();
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 5)).unwrap();
    let again = db.record_incoming(&named(1, 9, "Mallory")).unwrap();
    assert!(matches!(again, Recorded::Duplicate(_)));
    let mine = Fetched { direction: Direction::Outgoing, ..named(2, 9, "Me") };
    assert!(matches!(db.record_incoming(&mine).unwrap(), Recorded::New(_)));
    assert_eq!(name_of(&db, 1), None);
}

#[test]
fn a_name_is_kept_in_64_characters_without_control_characters() {
    let device = Device::new();
    let mut db = device.db();
    db.record_incoming(&named(1, 5, "\n\u{1b}\u{9b}")).unwrap();
    assert_eq!(name_of(&db, 1), None);
    db.record_incoming(&named(2, 6, &format!("\u{1b}[2J\n{}", "ß".repeat(70)))).unwrap();
    assert_eq!(name_of(&db, 1), Some(format!("[2J{}", "ß".repeat(61))));
}

#[test]
fn a_name_goes_with_the_page_that_is_not_kept() {
    let device = Device::new();
    let mut db = device.db();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN NEW.timestamp = 7
                  BEGIN SELECT RAISE(ABORT, 'refused'); END";
    db.connection.execute_batch(refuse).unwrap();
    let page = [named(1, 6, "Alice"), fetched(2, 1, Direction::Incoming, 7)];
    db.record_fetched_batch(&page, None).unwrap_err();
    assert_eq!(name_of(&db, 1), None);
}

#[test]
fn contacts_change_and_go() {
    let device = Device::new();
    let db = device.db();
    db.put_contact(&contact(1, "Alice", None)).unwrap();
    db.put_contact(&Contact { created: 9, ..contact(1, "Alicia", Some("A")) }).unwrap();
    assert_eq!(db.contact(&person(1)).unwrap(), Some(contact(1, "Alicia", Some("A"))));
    db.rename_contact(&person(1), None).unwrap();
    db.approve_contact(&person(1), false).unwrap();
    let expected = Contact { approved: false, ..contact(1, "Alicia", None) };
    assert_eq!(db.contact(&person(1)).unwrap(), Some(expected));
    db.remove_contact(&person(1)).unwrap();
    assert_eq!(db.contact(&person(1)).unwrap(), None);
    for gone in [
        db.remove_contact(&person(1)),
        db.rename_contact(&person(1), None),
        db.approve_contact(&person(1), true),
    ] {
        assert!(matches!(gone.unwrap_err(), DatabaseError::UnknownContact));
    }
}
