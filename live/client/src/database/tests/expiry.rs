//! Disappearing messages go when their time is over, by a clock that the tests step.

use super::*;

fn disappearing(number: u8, mode: ExpiryMode, seconds: u32, direction: Direction) -> Fetched {
    let mut message = fetched(number, 1, direction, 1_000);
    message.details.expiry = Some(Expiry { mode, seconds });
    message.received_at = 2_000;
    message
}

fn recorded(db: &mut AccountDb, message: &Fetched) -> MessageId {
    match db.record_incoming(message).unwrap() {
        Recorded::New(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_time_after_sending_runs_at_once_and_the_time_after_reading_when_it_is_read() {
    let device = Device::new();
    let mut db = device.db();
    let sent = recorded(&mut db, &disappearing(1, ExpiryMode::AfterSend, 10, Direction::Incoming));
    let read = recorded(&mut db, &disappearing(2, ExpiryMode::AfterRead, 10, Direction::Incoming));
    assert_eq!(db.message(sent).unwrap().expires_at, Some(11_000));
    assert_eq!(db.message(read).unwrap().expires_at, None);
    assert_eq!(db.next_expiry().unwrap(), Some(11_000));
    assert_eq!(db.due_expired(10_999).unwrap().messages, []);
    let expired = db.due_expired(11_000).unwrap();
    assert_eq!(expired.messages, [(person(1), sent)]);
    assert_eq!(expired.hashes, [(person(0), hash(1))]);
    assert_eq!(expired.next, None);
    db.mark_conversation_read(&person(1), 50_000).unwrap();
    // Read a second time, it lives no longer.
    db.mark_conversation_read(&person(1), 55_000).unwrap();
    assert_eq!(db.due_expired(59_999).unwrap().next, Some(60_000));
    assert_eq!(db.due_expired(60_000).unwrap().messages, [(person(1), read)]);
    let again = disappearing(2, ExpiryMode::AfterRead, 10, Direction::Incoming);
    assert_eq!(db.record_incoming(&again).unwrap(), Recorded::Deleted);
    assert_eq!(db.check_integrity().unwrap(), []);
}

#[test]
fn a_message_whose_time_is_over_is_not_kept_and_one_from_the_future_lives_no_longer() {
    let device = Device::new();
    let mut db = device.db();
    let late = Fetched {
        received_at: 11_000,
        ..disappearing(1, ExpiryMode::AfterSend, 10, Direction::Incoming)
    };
    assert_eq!(db.record_incoming(&late).unwrap(), Recorded::Expired);
    let future = Fetched {
        timestamp: 1 << 50,
        ..disappearing(2, ExpiryMode::AfterSend, 10, Direction::Incoming)
    };
    let id = recorded(&mut db, &future);
    assert_eq!(db.message(id).unwrap().expires_at, Some(12_000));
}

#[test]
fn an_own_message_lives_from_when_it_was_sent_and_its_files_are_named() {
    let device = Device::new();
    let mut db = device.db();
    let content = Content::Text("soon gone".to_owned());
    let copies = [copy(Purpose::Recipient, 1, b"sealed")];
    let details = Details {
        expiry: Some(Expiry { mode: ExpiryMode::AfterRead, seconds: 10 }),
        attachments: vec![NewAttachment::new(AttachmentKind::Image, "image/png", 3)],
        ..Details::default()
    };
    let id = db
        .queue_message(&NewOutgoing { details: &details, ..outgoing(1, &content, 5, &copies) })
        .unwrap();
    let file = db.attachments(id).unwrap()[0].id;
    let local = |name: &str| LocalFile { name: name.to_owned(), key: seed(4), size: 3 };
    db.set_attachment_file(file, Some(&local("first"))).unwrap();
    db.set_attachment_file(file, Some(&local("second"))).unwrap();
    db.set_attachment_thumbnail(file, Some(&local("small"))).unwrap();
    assert_eq!(db.doomed_files().unwrap(), ["first"]);
    assert_eq!(db.kept_files().unwrap(), ["second", "small"]);
    db.doomed_file_deleted("first").unwrap();
    assert_eq!(db.next_expiry().unwrap(), None);
    let due = db.due_outbox(5).unwrap();
    db.outbox_delivered(due[0].id, &hash(1), 70_000).unwrap();
    assert_eq!(db.due_expired(80_000).unwrap().messages, [(person(1), id)]);
    assert_eq!(db.doomed_files().unwrap(), ["second", "small"]);
    assert!(matches!(db.attachment(file).unwrap_err(), DatabaseError::Gone));
}

#[test]
fn what_is_due_and_could_not_be_removed_is_not_shown() {
    let device = Device::new();
    let mut db = device.db();
    let mut message = fetched(1, 1, Direction::Incoming, 5);
    message.details.expiry = Some(Expiry { mode: ExpiryMode::AfterSend, seconds: 100 });
    let Recorded::New(id) = db.record_incoming(&message).unwrap() else { panic!("not new") };
    let end = db.message(id).unwrap().expires_at.unwrap();
    let Content::Text(text) = db.message(id).unwrap().content else { panic!("no text") };
    db.hide_due(end - 1);
    assert_eq!(db.search(&Search::new(&text), None, 9).unwrap().hits.len(), 1);
    db.hide_due(end);
    assert_eq!(db.message(id).unwrap().content, Content::Deleted);
    let page = db.messages(&Filter::default(), None, 9).unwrap().messages;
    assert_eq!(page[0].content, Content::Deleted);
    assert_eq!(db.search(&Search::new(&text), None, 9).unwrap().hits, []);
    db.hide_due(0);
    assert_eq!(db.message(id).unwrap().content, Content::Text(text));
}
