//! Databases of older versions are brought forward, those of newer ones refused by name.

use super::super::{connection, schema};
use super::*;

#[test]
fn a_database_of_a_newer_version_is_refused_by_name() {
    let device = Device::new();
    let db = device.db();
    db.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = AccountDb::open(&device.vault, &device.keys()).unwrap_err();
    assert!(matches!(
        error,
        DatabaseError::NewerSchema { database: "account", found: 99, known: 3 }
    ));
    assert!(error.to_string().ends_with("update Warren"));
}

#[test]
fn a_database_of_any_older_version_is_brought_forward_with_what_it_holds() {
    for seen in 0..schema::ACCOUNT.steps.len() {
        let device = Device::new();
        let older = schema::Schema { database: "account", steps: &schema::ACCOUNT.steps[..seen] };
        let old = connection::open(&device.file(), &device.keys().db_key, &older).unwrap();
        if seen > 0 {
            let insert = "INSERT INTO contacts VALUES (?1, 'kept', NULL, 1, 1, 0)";
            old.execute(insert, [person(1).as_bytes()]).unwrap();
        }
        drop(old);
        let db = device.db();
        assert_eq!(db.contacts().unwrap().len(), usize::from(seen > 0));
        assert_eq!(db.guard().unwrap(), None);
    }
}

#[test]
fn every_commit_is_on_the_disk_before_it_is_acknowledged() {
    let device = Device::new();
    let db = device.db();
    let number = |pragma: &str| -> i64 {
        db.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(number("synchronous"), 2);
    assert_eq!(number("foreign_keys"), 1);
    assert_eq!(number("secure_delete"), 1);
    assert_eq!(number("busy_timeout"), 5_000);
    let text = |pragma: &str| -> String {
        db.connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(text("journal_mode"), "wal");
    assert_eq!(text("cipher_memory_security"), "1");
}
