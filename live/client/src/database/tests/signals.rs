//! Reactions, receipts, edits and deletions do the same whether they come before or after their
//! message, and only where whoever sends them may.

use super::*;

/// A group, by number.
fn group(number: u8) -> AccountId {
    let mut bytes = [number; 33];
    bytes[0] = 3;
    AccountId::from_bytes(&bytes).unwrap()
}

fn recorded(db: &mut AccountDb, message: &Fetched) -> MessageId {
    match db.record_incoming(message).unwrap() {
        Recorded::New(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reaction_stands_once_for_each_author_and_emoji_and_the_later_word_counts() {
    let device = Device::new();
    let mut db = device.db();
    let id = recorded(&mut db, &fetched(1, 1, Direction::Incoming, 5));
    let mut react = |sender, at, change| db.apply_signal(&signal(1, sender, 5, at, change), at);
    let heart = || Change::React("❤".to_owned());
    assert_eq!(react(1, 10, heart()).unwrap(), Applied::Done(id));
    assert_eq!(react(1, 10, heart()).unwrap(), Applied::Stale);
    assert_eq!(react(0, 11, heart()).unwrap(), Applied::Done(id));
    assert_eq!(react(1, 12, Change::Unreact("❤".to_owned())).unwrap(), Applied::Done(id));
    // It was sent before it was taken back.
    assert_eq!(react(1, 11, heart()).unwrap(), Applied::Stale);
    assert_eq!(react(1, 13, Change::React(String::new())).unwrap(), Applied::Refused);
    let reactions = db.reactions(id).unwrap();
    assert_eq!(reactions, [Reaction { author: person(0), emoji: "❤".to_owned(), timestamp: 11 }]);
}

#[test]
fn what_comes_before_its_message_is_done_when_the_message_comes() {
    let device = Device::new();
    let mut db = device.db();
    for change in [Change::React("👍".to_owned()), Change::Edit("better words".to_owned())] {
        assert_eq!(db.apply_signal(&signal(1, 1, 5, 9, change), 9).unwrap(), Applied::Early);
    }
    // One about the same time in another conversation waits on.
    let elsewhere = Signal { conversation: Some(person(2)), ..signal(1, 1, 5, 9, Change::Delete) };
    assert_eq!(db.apply_signal(&elsewhere, 9).unwrap(), Applied::Early);
    let id = recorded(&mut db, &fetched(1, 1, Direction::Incoming, 5));
    let message = db.message(id).unwrap();
    assert_eq!(message.content, Content::Text("better words".to_owned()));
    assert_eq!((message.edited_at, db.reactions(id).unwrap().len()), (Some(9), 1));

    let gone = signal(1, 1, 6, 9, Change::Delete);
    assert_eq!(db.apply_signal(&gone, 9).unwrap(), Applied::Early);
    let id = recorded(&mut db, &fetched(2, 1, Direction::Incoming, 6));
    assert_eq!(db.message(id).unwrap().content, Content::Deleted);
    // The owner deleted on another device what comes here later.
    let mine = signal(1, 0, 7, 9, Change::Delete);
    assert_eq!(db.apply_signal(&mine, 9).unwrap(), Applied::Early);
    let late = fetched(3, 1, Direction::Incoming, 7);
    assert_eq!(db.record_incoming(&late).unwrap(), Recorded::Deleted);
    assert_eq!(db.record_incoming(&late).unwrap(), Recorded::Deleted);
    let life = super::super::signals::EARLY_LIFE;
    assert_eq!(db.sweep_early(9 + life).unwrap(), 0);
    assert_eq!(db.sweep_early(10 + life).unwrap(), 1);
}

#[test]
fn only_the_author_edits_or_deletes_for_everyone() {
    let device = Device::new();
    let mut db = device.db();
    let mut message = fetched(1, 1, Direction::Incoming, 5);
    message.conversation = group(1);
    let id = recorded(&mut db, &message);
    let by =
        |sender, change| Signal { conversation: Some(group(1)), ..signal(1, sender, 5, 9, change) };
    for refused in [by(2, Change::Edit("x".to_owned())), by(2, Change::Delete)] {
        assert_eq!(db.apply_signal(&refused, 9).unwrap(), Applied::Refused);
    }
    assert_eq!(db.apply_signal(&by(1, Change::Edit("new".into())), 9).unwrap(), Applied::Done(id));
    let older = Signal { sent_at: 8, ..by(1, Change::Edit("old".into())) };
    assert_eq!(db.apply_signal(&older, 9).unwrap(), Applied::Stale);
    assert_eq!(db.apply_signal(&by(2, Change::DeleteByAdmin), 9).unwrap(), Applied::Done(id));
    assert_eq!(db.message(id).unwrap().content, Content::Deleted);
    assert_eq!(db.apply_signal(&by(1, Change::Delete), 9).unwrap(), Applied::Stale);
    let direct = Signal { conversation: Some(person(1)), ..by(2, Change::DeleteByAdmin) };
    assert_eq!(db.apply_signal(&direct, 9).unwrap(), Applied::Refused);
    assert_eq!(db.check_integrity().unwrap(), []);
}

#[test]
fn a_receipt_counts_once_and_for_messages_of_the_owner_alone() {
    let device = Device::new();
    let mut db = device.db();
    let id = queue(&mut db, 1, "hello", 5);
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 6)).unwrap();
    let read = signal(0, 1, 5, 9, Change::Read);
    let read = Signal { conversation: Some(person(1)), ..read };
    assert_eq!(db.apply_signal(&read, 9).unwrap(), Applied::Done(id));
    assert_eq!(db.apply_signal(&read, 9).unwrap(), Applied::Stale);
    let theirs = signal(1, 1, 6, 9, Change::Read);
    assert_eq!(db.apply_signal(&theirs, 9).unwrap(), Applied::Refused);
    assert_eq!(db.receipts(id).unwrap(), [Receipt { reader: person(1), read_at: 9 }]);
}

#[test]
fn the_words_of_a_deleted_message_leave_the_answers_that_quote_it() {
    let device = Device::new();
    let mut db = device.db();
    let id = recorded(&mut db, &fetched(1, 1, Direction::Incoming, 5));
    let mut answer = fetched(2, 1, Direction::Incoming, 6);
    let text = Some("message 1".to_owned());
    answer.details.quote = Some(Quote { author: person(1), timestamp: 5, text });
    let answer = recorded(&mut db, &answer);
    db.delete_messages_at(&[id], 9).unwrap();
    let quote = db.message(answer).unwrap().quote.unwrap();
    assert_eq!((quote.author, quote.timestamp, quote.text), (person(1), 5, None));
}

#[test]
fn in_groups_one_author_counts_apart_from_another() {
    let device = Device::new();
    let mut db = device.db();
    let one = Fetched { conversation: group(1), ..fetched(1, 1, Direction::Incoming, 5) };
    let id = recorded(&mut db, &one);
    let again = Fetched { hash: hash(2), ..one.clone() };
    assert_eq!(db.record_incoming(&again).unwrap(), Recorded::Duplicate(id));
    assert_eq!(db.record_incoming(&again).unwrap(), Recorded::Duplicate(id));
    let names = db.message_hashes(id).unwrap();
    assert_eq!(names, [(group(1), hash(1)), (group(1), hash(2))]);
    for other in [
        Fetched { author: person(2), hash: hash(3), ..one.clone() },
        Fetched { conversation: group(2), hash: hash(4), ..one.clone() },
        Fetched { fingerprint: [9; 32], hash: hash(5), ..one },
    ] {
        recorded(&mut db, &other);
    }
}

#[test]
fn nobody_pushes_out_what_waits_of_others() {
    let device = Device::new();
    let mut db = device.db();
    // Somebody takes a message back before it is here; somebody else is loud.
    db.apply_signal(&signal(1, 1, 5, 6, Change::Delete), 6).unwrap();
    db.transact(|tx| {
        for number in 0..300 {
            let loud = signal(2, 2, 1_000 + number, 6, Change::React("x".to_owned()));
            assert_eq!(tx.apply_signal(&loud, 6)?, Applied::Early);
        }
        Ok::<_, DatabaseError>(())
    })
    .unwrap();
    let waiting: i64 =
        db.connection.query_row("SELECT count(*) FROM early", [], |row| row.get(0)).unwrap();
    assert_eq!(waiting, 101);
    let Recorded::New(id) = db.record_incoming(&fetched(1, 1, Direction::Incoming, 5)).unwrap()
    else {
        panic!("not new")
    };
    assert_eq!(db.message(id).unwrap().content, Content::Deleted);
}

#[test]
fn an_edit_longer_than_people_write_does_not_wait() {
    let device = Device::new();
    let mut db = device.db();
    for (at, length) in [(5, 40_000), (6, 40_001)] {
        let edit = signal(1, 1, at, 9, Change::Edit("x".repeat(length)));
        db.apply_signal(&edit, 9).unwrap();
    }
    let waiting: i64 =
        db.connection.query_row("SELECT count(*) FROM early", [], |row| row.get(0)).unwrap();
    assert_eq!(waiting, 1);
}
