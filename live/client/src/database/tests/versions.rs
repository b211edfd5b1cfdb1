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
        DatabaseError::NewerSchema { database: "account", found: 99, known: 9 }
    ));
    assert!(error.to_string().ends_with("update Warren"));
}

/// The file as an older version made it.
fn open_older(device: &Device, seen: usize) -> rusqlite::Connection {
    let older = schema::Schema { database: "account", steps: &schema::ACCOUNT.steps[..seen] };
    let key = device.keys().db_key;
    connection::open(&device.file(), &key, Some(&person(0)), &older).unwrap()
}

/// A file of an older version with one contact, an unread message, a queued one, a tombstone and
/// a cursor: as far as that version had them.
fn older_file(device: &Device, seen: usize) {
    fill(&open_older(device, seen.min(3)), seen);
    // What was written by the third version has gone through the later ones.
    drop(open_older(device, seen));
}

fn fill(old: &rusqlite::Connection, seen: usize) {
    if seen > 0 {
        let peer = person(1);
        let insert = "INSERT INTO contacts (account_id, name, approved, created)
                      VALUES (?1, 'kept', 1, 1)";
        old.execute(insert, [peer.as_bytes()]).unwrap();
        let insert = "INSERT INTO messages (hash, fingerprint, peer, outgoing, body, content_raw,
                          timestamp, received_at, state, read)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 9, ?8, ?9)";
        let hash = |number: u8| Some([number; 32]);
        let none = None::<[u8; 32]>;
        let stranger = person(2);
        let id = stranger.as_bytes();
        old.execute(insert, (hash(1), hash(1), id, 0, "a letter", none, 5, 3, 0)).unwrap();
        old.execute(insert, (hash(2), hash(2), id, 0, None::<&str>, Some([7]), 6, 3, 1)).unwrap();
        let id = peer.as_bytes();
        old.execute(insert, (none, none, id, 1, "an answer", none, 7, 0, 1)).unwrap();
        old.execute(insert, (none, none, id, 1, "deleted", none, 8, 0, 1)).unwrap();
        old.execute("DELETE FROM messages WHERE id = 4", []).unwrap();
        let insert = "INSERT INTO tombstones (peer, timestamp, deleted_at) VALUES (?1, 8, 9)";
        old.execute(insert, [id]).unwrap();
        let insert = "INSERT INTO outbox (message_id, purpose, target, namespace, data, timestamp,
                          ttl, attempts, next_attempt)
                      VALUES (3, 0, ?1, 0, x'0102', 7, 1000, 2, 50)";
        old.execute(insert, [id]).unwrap();
    }
    if seen > 1 {
        let insert = "INSERT INTO cursors VALUES (?1, 0, ?2)";
        old.execute(insert, ([3_u8; 32], [4_u8; 32])).unwrap();
        let insert = "INSERT INTO guard (id, node, since) VALUES (1, ?1, 7)";
        old.execute(insert, [[3_u8; 32]]).unwrap();
    }
}

#[test]
fn a_database_of_any_older_version_is_brought_forward_with_what_it_holds() {
    for seen in 0..schema::ACCOUNT.steps.len() {
        let device = Device::new();
        older_file(&device, seen);
        let mut db = device.db();
        assert_eq!(db.contacts().unwrap().len(), usize::from(seen > 0));
        assert_eq!(db.guard().unwrap().is_some(), seen > 1);
        let node = warren_wire::NodeId::from_bytes([3; 32]);
        let cursor = db.cursor(&node, &person(0), Namespace::DIRECT).unwrap();
        assert_eq!(cursor, (seen > 1).then(|| hash(4)));
        if seen == 0 {
            continue;
        }
        let page = db.messages(&Filter::default(), None, 9).unwrap().messages;
        let told: Vec<_> = page.iter().map(|one| (one.id.number(), &one.content)).collect();
        assert_eq!(told[0], (3, &Content::Text("an answer".to_owned())));
        assert_eq!(told[1], (2, &Content::Unknown(vec![7])));
        assert_eq!(told[2], (1, &Content::Text("a letter".to_owned())));
        assert_eq!((page[0].author, page[2].author), (person(0), person(2)));
        assert_eq!((page[0].state, page[2].hash), (MessageState::Pending, Some(hash(1))));
        // A stranger's letters are a request; who was answered is a conversation.
        let ids = |listing| -> Vec<AccountId> {
            let chats = db.conversations(listing, None, 9).unwrap();
            chats.iter().map(|chat| chat.id).collect()
        };
        assert_eq!(ids(Listing::Inbox), [person(1)]);
        assert_eq!(ids(Listing::Requests), [person(2)]);
        assert_eq!(db.unread().unwrap(), 1);
        let due = db.due_outbox(50).unwrap();
        assert_eq!((due.len(), due[0].attempts, due[0].copy.data.as_slice()), (1, 2, &[1, 2][..]));
        let deleted = fetched(9, 1, Direction::Outgoing, 8);
        assert_eq!(db.record_incoming(&deleted).unwrap(), Recorded::Deleted);
        // The number of a message that was deleted is not given again.
        assert_eq!(queue(&mut db, 1, "new", 20).number(), 5);
    }
}

#[test]
fn messages_of_the_fourth_version_are_found_edited_and_deleted_as_before() {
    let device = Device::new();
    let old = open_older(&device, 4);
    let insert = "INSERT INTO messages (conversation, author, outgoing, kind, timestamp,
                      received_at, state, read, body, files)
                  VALUES (?1, ?1, 0, 0, ?2, 9, 3, 0, ?3, ?4)";
    let peer = person(1);
    let none = None::<&str>;
    old.execute(insert, (peer.as_bytes(), 5, "a lettered letter", none)).unwrap();
    old.execute(insert, (peer.as_bytes(), 6, "a picture", Some("letter.png"))).unwrap();
    old.execute(insert, (peer.as_bytes(), 7, "nothing", none)).unwrap();
    drop(old);

    let mut db = device.db();
    assert_eq!(db.check_integrity().unwrap(), []);
    let finds = |db: &AccountDb, text: &str| -> Vec<u64> {
        let page = db.search(&Search::new(text), None, 9).unwrap();
        page.hits.iter().map(|hit| hit.message.timestamp).collect()
    };
    for text in ["le", "let", "letter", "letter "] {
        assert_eq!(finds(&db, text), [6, 5], "{text}");
    }
    let edit = signal(1, 1, 7, 9, Change::Edit("the third letter".to_owned()));
    assert!(matches!(db.apply_signal(&edit, 9).unwrap(), Applied::Done(_)));
    db.delete_messages(&[MessageId::new(1)]).unwrap();
    assert_eq!(finds(&db, "letter"), [7, 6]);
    assert_eq!(db.check_integrity().unwrap(), []);
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
}
