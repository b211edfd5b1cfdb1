//! Faults are found and set right, unused room comes back, nothing deleted stays, and no hot query
//! reads what it need not.

use super::*;

#[test]
fn a_list_or_a_search_that_does_not_fit_the_messages_is_found_and_set_right() {
    let device = Device::new();
    let mut db = device.db();
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 5)).unwrap();
    assert_eq!(db.check_integrity().unwrap(), []);
    let broken = "UPDATE conversations SET unread = 7;
                  INSERT INTO search (search) VALUES ('delete-all');";
    db.connection.execute_batch(broken).unwrap();
    assert_eq!(db.check_integrity().unwrap().len(), 2);
    db.rebuild_derived().unwrap();
    assert_eq!(db.check_integrity().unwrap(), []);
    assert_eq!(db.unread().unwrap(), 1);
}

#[test]
fn a_page_that_was_changed_on_the_disk_is_found() {
    let device = Device::new();
    let mut db = device.db();
    for number in 1..100 {
        db.record_incoming(&Fetched {
            content: Content::Text("long words ".repeat(300)),
            ..fetched(number, 1, Direction::Incoming, number.into())
        })
        .unwrap();
    }
    db.truncate_log().unwrap();
    drop(db);
    let mut bytes = std::fs::read(device.file()).unwrap();
    let last = bytes.len() - 1_000;
    bytes[last] ^= 1;
    std::fs::write(device.file(), bytes).unwrap();
    let mut db = device.db();
    assert!(db.check_integrity().map_or(true, |faults| !faults.is_empty()));
}

#[test]
fn compaction_gives_the_room_of_deleted_messages_back() {
    let device = Device::new();
    let mut db = device.db();
    let mut ids = Vec::new();
    for number in 1..60 {
        let content = Content::Text("long words ".repeat(500));
        let message = Fetched { content, ..fetched(number, 1, Direction::Incoming, number.into()) };
        let Recorded::New(id) = db.record_incoming(&message).unwrap() else { panic!("not new") };
        ids.push(id);
    }
    let full = db.size().unwrap();
    assert_eq!(full.messages, 59);
    db.delete_messages_at(&ids, 99).unwrap();
    assert!(db.size().unwrap().unused > 0);
    db.compact().unwrap();
    let small = db.size().unwrap();
    assert_eq!((small.unused, small.messages), (0, 0));
    assert!(small.bytes * 2 < full.bytes);
    assert!(std::fs::metadata(device.file()).unwrap().len() <= small.bytes);
    assert_eq!(db.check_integrity().unwrap(), []);
}

/// Every byte of a database's file and its log.
fn bytes(path: &Path) -> Vec<u8> {
    let mut bytes = std::fs::read(path).unwrap();
    bytes.extend(std::fs::read(path.with_extension("db-wal")).unwrap());
    bytes
}

fn holds(bytes: &[u8], needle: &str) -> bool {
    bytes.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle.as_bytes()))
}

#[test]
fn nothing_of_what_a_deleted_message_said_is_left_in_any_byte_of_the_file() {
    const WORDS: [&str; 5] = ["zanzibar", "quokkaism", "xylotomy", "filename9q", "vexillum"];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plain.db");
    let mut db = AccountDb::open_plain(&path, person(0)).unwrap();
    let mut ids = Vec::new();
    for number in 1..40 {
        let mut message = fetched(number, 1, Direction::Incoming, number.into());
        message.content = Content::Text(format!("zanzibar quokkaism{number} kept{number}"));
        if number > 4 {
            message.content = Content::Text(format!("kept{number} harmless"));
        }
        if number == 1 {
            message.details.quote =
                Some(Quote { author: person(0), timestamp: 1, text: Some("xylotomy".to_owned()) });
            message.details.attachments.push(NewAttachment {
                name: Some("filename9q.txt".to_owned()),
                ..NewAttachment::new(AttachmentKind::File, "text/plain", 1)
            });
        }
        let Recorded::New(id) = db.record_incoming(&message).unwrap() else { panic!("not new") };
        if number <= 4 {
            ids.push(id);
        }
    }
    let edit = signal(1, 1, 3, 90, Change::Edit("vexillum".to_owned()));
    assert_eq!(db.apply_signal(&edit, 90).unwrap(), Applied::Done(ids[2]));
    let before = bytes(&path);
    assert!(WORDS.iter().all(|word| holds(&before, word)));
    // One by the owner, one for everyone, one by its time, one with an edit.
    db.transact(|tx| tx.delete_for_everyone(ids[0])).unwrap();
    db.connection.execute("UPDATE messages SET expires_at = 95 WHERE id = ?1", [ids[1]]).unwrap();
    assert_eq!(db.due_expired(95).unwrap().messages.len(), 1);
    db.delete_messages_at(&ids[2..], 99).unwrap();
    db.truncate_log().unwrap();
    let after = bytes(&path);
    for word in WORDS {
        assert!(!holds(&after, word), "{word}");
    }
    assert!(holds(&after, "harmless"));
    assert_eq!(db.check_integrity().unwrap(), []);
}

/// How SQLite carries a query out.
fn plan(db: &AccountDb, query: &str) -> String {
    let mut statement = db.connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let count = statement.parameter_count();
    let nulls = vec![rusqlite::types::Null; count];
    let lines = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3)).unwrap();
    lines.collect::<Result<Vec<String>, _>>().unwrap().join("\n")
}

#[test]
fn no_hot_query_scans_the_messages_or_sorts_them() {
    use super::super::{conversations, messages};
    let device = Device::new();
    let db = device.db();
    let position = Position { timestamp: 5, id: MessageId::new(1) };
    let mut queries = Vec::new();
    for conversation in [None, Some(person(1))] {
        for unread in [false, true] {
            for (relation, order) in [("<", "timestamp DESC, id DESC"), (">", "timestamp, id")] {
                let filter = Filter { conversation, unread };
                let (conditions, _) = filter.conditions(Some((relation, position)));
                let columns = messages::COLUMNS;
                queries.push(format!("{columns} {conditions} ORDER BY {order} LIMIT ?"));
            }
        }
    }
    for listing in [Listing::Inbox, Listing::Archived, Listing::Requests, Listing::Hidden] {
        queries.push(conversations::listing_query(listing, None, 50).0);
    }
    for order in [SearchOrder::Newest, SearchOrder::Best] {
        let statements = Search { order, ..Search::default() }.statements();
        queries.extend(statements.iter().map(|it| (*it).to_owned()));
    }
    queries.push("SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL".to_owned());
    queries.push("SELECT id FROM messages WHERE timestamp = ?1 AND author = ?2".to_owned());
    queries.push("UPDATE messages SET read = 1 WHERE read = 0 AND conversation = ?1".to_owned());
    for query in queries {
        let plan = plan(&db, &query);
        let scans = plan.lines().any(|line| {
            line.starts_with("SCAN") && !line.contains("VIRTUAL TABLE") && !line.contains("INDEX")
        });
        assert!(!scans && !plan.contains("TEMP B-TREE"), "{query}\n{plan}");
    }
}

#[test]
fn configurations_groups_and_settings_are_kept_as_they_were_given() {
    let device = Device::new();
    let db = device.db();
    let mut state = ConfigState {
        owner: person(0),
        namespace: Namespace::new(2),
        dump: vec![1, 2].into(),
        needs_push: true,
        seqno: 7,
        hashes: vec![hash(1), hash(2)],
        pushed_at: None,
    };
    db.put_config(&state).unwrap();
    (state.needs_push, state.pushed_at) = (false, Some(9));
    db.put_config(&state).unwrap();
    assert_eq!(db.config(&person(0), Namespace::new(2)).unwrap().as_ref(), Some(&state));
    assert_eq!(db.configs().unwrap(), [state]);
    db.remove_configs(&person(0)).unwrap();
    assert_eq!(db.configs().unwrap(), []);

    let id = AccountId::from_bytes(&[3; 33]).unwrap();
    let group = Group {
        id,
        name: "Readers".to_owned(),
        auth: Some(Secret::take(&mut [7; 100])),
        admin_seed: None,
        state: GroupState::Invited,
        invited_by: Some(person(1)),
        joined_at: 5,
    };
    db.put_group(&group).unwrap();
    db.put_group(&Group { state: GroupState::Joined, admin_seed: Some(seed(9)), ..group }).unwrap();
    let kept = db.group(&id).unwrap().unwrap();
    assert_eq!((kept.name.as_str(), kept.state), ("Readers", GroupState::Joined));
    assert_eq!(kept.auth.unwrap().expose(), &[7; 100]);
    assert_eq!(kept.admin_seed.unwrap().expose(), seed(9).expose());
    assert_eq!(db.groups().unwrap().len(), 1);
    db.remove_group(&id).unwrap();
    assert!(db.group(&id).unwrap().is_none());

    db.set_setting("receipts", Some(&[1])).unwrap();
    assert_eq!(db.setting("receipts").unwrap(), Some(vec![1]));
    db.set_setting("receipts", None).unwrap();
    assert_eq!(db.setting("receipts").unwrap(), None);
}
