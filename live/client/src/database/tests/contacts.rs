//! People are found by the names that are shown of them.

use super::*;

fn contact(number: u8, name: &str, petname: Option<&str>) -> Contact {
    Contact {
        id: person(number),
        name: name.to_owned(),
        petname: petname.map(str::to_owned),
        approved: true,
        created: 1,
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
    db.note_contact_name(&person(2), "sister", 5).unwrap();
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
    db.note_contact_name(&person(2), "sam", 5).unwrap();
    let error = db.find_peer("Sam").unwrap_err();
    assert!(matches!(error, DatabaseError::AmbiguousName { count: 2 }));
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
