//! Accounts come onto a device, are found, and leave it without a trace.

use super::*;
use crate::notification::NotificationMode;

#[test]
fn accounts_are_listed_found_by_id_or_label_and_not_added_twice() {
    let device = Device::new();
    let index = &device.index;
    index.add_account(&person(1), "work", Some("Ann"), seed(1), 7, &mut SystemEntropy).unwrap();
    let again = index.add_account(&person(1), "again", None, seed(1), 8, &mut SystemEntropy);
    assert!(matches!(again.unwrap_err(), DatabaseError::AccountExists));
    let entry = AccountEntry {
        id: person(1),
        label: "work".to_owned(),
        display_name: Some("Ann".to_owned()),
        created: 7,
    };
    assert_eq!(index.accounts().unwrap()[1], entry);
    let keys = index.find_account("work").unwrap();
    assert_eq!((keys.entry, keys.seed), (entry, seed(1)));
    assert_eq!(index.find_account(&person(0).to_string()).unwrap().seed, seed(0));
    assert!(matches!(index.find_account("none").unwrap_err(), DatabaseError::UnknownAccount));
    index.add_account(&person(2), "work", None, seed(2), 9, &mut SystemEntropy).unwrap();
    assert!(matches!(
        index.find_account("work").unwrap_err(),
        DatabaseError::AmbiguousName { count: 2 }
    ));
}

#[test]
fn each_account_has_a_database_and_a_key_of_its_own() {
    let device = Device::new();
    let other =
        device.index.add_account(&person(1), "work", None, seed(1), 7, &mut SystemEntropy).unwrap();
    queue(&mut device.db(), 2, "of the first", 5);
    let db = AccountDb::open(&device.vault, &other).unwrap();
    assert_eq!(db.account(), &person(1));
    assert!(db.messages(&Filter::default(), None, 9).unwrap().messages.is_empty());
    drop(db);
    std::fs::copy(device.file(), device.vault.home().database_file(&other.file)).unwrap();
    let error = AccountDb::open(&device.vault, &other).unwrap_err();
    assert!(matches!(error, DatabaseError::Damaged));
}

#[test]
fn a_removed_account_leaves_no_file_and_can_come_back_empty() {
    let device = Device::new();
    let mut db = device.db();
    queue(&mut db, 1, "x", 5);
    let keys = device.keys();
    device.index.remove_account(&person(0)).unwrap();
    assert!(!device.vault.home().database_file(&keys.file).exists());
    let data = std::fs::read_dir(device.home.path().join("data")).unwrap();
    let names = data.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.collect::<Vec<_>>().iter().all(|name| !name.starts_with(keys.file.as_str())));
    let error = device.index.remove_account(&person(0)).unwrap_err();
    assert!(matches!(error, DatabaseError::UnknownAccount));
    device.index.add_account(&person(0), "me", None, seed(0), 1, &mut SystemEntropy).unwrap();
    assert_eq!(device.db().last_arrived().unwrap(), MessageId::START);
}

#[test]
fn what_no_store_claims_goes_and_what_either_claims_stays() {
    let device = Device::new();
    drop(device.db());
    let data = device.home.path().join("data");
    stores::settle(&device.vault).unwrap();
    let other = device.vault.other(device.index.other_store(&mut SystemEntropy).unwrap());
    let decoy = Index::open(&other).unwrap();
    let decoy =
        decoy.add_account(&person(5), "decoy", None, seed(5), 1, &mut SystemEntropy).unwrap();
    drop(AccountDb::open(&other, &decoy).unwrap());
    for left in ["00112233445566ff.db", "00112233445566ff.db-wal", "something else"] {
        std::fs::write(data.join(left), b"left").unwrap();
    }
    std::fs::create_dir(data.join("00112233445566ff.files")).unwrap();
    std::fs::write(data.join("00112233445566ff.files/x"), b"left").unwrap();
    stores::settle(&device.vault).unwrap();
    let left = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
    let databases = left.iter().filter(|name| name.ends_with(".db")).count();
    assert_eq!(databases, 4, "an index and an account in each of two stores: {left:?}");
    assert!(device.file().exists() && other.home().database_file(&decoy.file).exists());
    assert!(
        !left.iter().any(|name| name.starts_with("0011") || name.starts_with("some")),
        "{left:?}"
    );
}

#[test]
fn the_seed_is_kept_and_replaced() {
    let device = Device::new();
    assert_eq!(device.index.seed().unwrap(), None);
    for seed in ["http://127.0.0.1:1#ab", "http://127.0.0.1:2,http://b#2:ab,cd"] {
        device.index.set_seed(seed).unwrap();
        assert_eq!(device.index.seed().unwrap().as_deref(), Some(seed));
    }
}

#[test]
fn an_account_is_relabelled_and_keeps_how_soon_its_owner_wants_to_hear() {
    let device = Device::new();
    let id = person(0);
    assert_eq!(device.index.notification_mode(&id).unwrap(), NotificationMode::Instant);
    device.index.set_notification_mode(&id, NotificationMode::Slow).unwrap();
    device.index.set_label(&id, "other").unwrap();
    assert_eq!(device.index.find_account("other").unwrap().entry.id, id);
    assert_eq!(device.index.notification_mode(&id).unwrap(), NotificationMode::Slow);
    let stranger = device.index.set_label(&person(9), "x").unwrap_err();
    assert!(matches!(stranger, DatabaseError::UnknownAccount));
}
