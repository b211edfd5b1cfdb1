//! Pictures are asked for ever more rarely where they do not come.

use super::*;

#[test]
fn a_new_address_is_not_tried_sooner_than_the_one_that_failed() {
    let device = Device::new();
    let db = device.db();
    // The account's own picture is always wanted.
    let owner = person(0);
    db.want_picture(&owner, Some(("http://files/1", &[7; 32])), 1).unwrap();
    assert_eq!(db.wanted_pictures(10, 8).unwrap().len(), 1);
    db.picture_failed(&owner, "http://files/1", 1_000).unwrap();
    db.want_picture(&owner, Some(("http://files/2", &[7; 32])), 20).unwrap();
    assert!(db.wanted_pictures(999, 8).unwrap().is_empty());
    let wanted = db.wanted_pictures(1_000, 8).unwrap();
    assert_eq!((wanted[0].url.as_str(), wanted[0].attempts), ("http://files/2", 1));
}
