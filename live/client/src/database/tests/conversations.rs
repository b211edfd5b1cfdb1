//! Requests stand apart, settings stay, and reading is one mark that only moves forward.

use super::*;

fn ids(db: &AccountDb, listing: Listing) -> Vec<AccountId> {
    db.conversations(listing, None, 50).unwrap().iter().map(|chat| chat.id).collect()
}

#[test]
fn a_strangers_letters_are_a_request_until_it_is_accepted_declined_or_answered() {
    let device = Device::new();
    let mut db = device.db();
    for (number, peer) in (1..).zip([1, 2, 3, 4]) {
        db.record_incoming(&fetched(number, peer, Direction::Incoming, number.into())).unwrap();
    }
    assert_eq!(ids(&db, Listing::Inbox), []);
    assert_eq!(ids(&db, Listing::Requests), [person(4), person(3), person(2), person(1)]);
    assert_eq!(db.unread_counts(9).unwrap(), Unread { requests: 4, ..Unread::default() });
    db.accept_request(&person(1), 9).unwrap();
    db.decline_request(&person(2), 9).unwrap();
    queue(&mut db, 3, "hello", 10);
    db.set_blocked(&person(4), true, 9).unwrap();
    assert_eq!(ids(&db, Listing::Requests), []);
    assert_eq!(ids(&db, Listing::Inbox), [person(3), person(1)]);
    assert!(db.contact(&person(1)).unwrap().unwrap().approved);
    assert_eq!(db.blocked().unwrap(), [person(4)]);
    let blocked = fetched(9, 4, Direction::Incoming, 20);
    assert_eq!(db.record_incoming(&blocked).unwrap(), Recorded::Blocked);
    let declined = fetched(2, 2, Direction::Incoming, 2);
    assert_eq!(db.record_incoming(&declined).unwrap(), Recorded::Deleted);
    let counts = db.unread_counts(9).unwrap();
    assert_eq!((counts.messages, counts.conversations, counts.requests), (2, 2, 0));
}

#[test]
fn pinned_ones_lead_and_hidden_muted_and_archived_ones_do_what_they_say() {
    let device = Device::new();
    let mut db = device.db();
    for peer in 1..5 {
        queue(&mut db, peer, "hello", u64::from(peer));
    }
    let set = |db: &AccountDb, peer, setting| db.set_conversation(&person(peer), &setting).unwrap();
    set(&db, 1, Setting::Priority(2));
    set(&db, 2, Setting::Priority(-1));
    set(&db, 3, Setting::Archived(true));
    set(&db, 4, Setting::Draft("unfinished".to_owned()));
    set(&db, 4, Setting::Notify(Notify::Mentions));
    set(&db, 4, Setting::MarkedUnread(true));
    set(&db, 4, Setting::Expiry(Some(Expiry { mode: ExpiryMode::AfterSend, seconds: 60 })));
    assert_eq!(ids(&db, Listing::Inbox), [person(1), person(4)]);
    assert_eq!(ids(&db, Listing::Hidden), [person(2)]);
    assert_eq!(ids(&db, Listing::Archived), [person(3)]);
    assert_eq!(db.unread_counts(9).unwrap().conversations, 1);
    let page = db.conversations(Listing::Inbox, None, 1).unwrap();
    let rest = db.conversations(Listing::Inbox, Some(page[0].position()), 9).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!((rest[0].draft.as_str(), rest[0].notify), ("unfinished", Notify::Mentions));
    assert_eq!(rest[0].expiry.unwrap().seconds, 60);
    // A message brings them back, unless the archived one is muted.
    set(&db, 3, Setting::MutedUntil(100));
    for peer in [2, 3] {
        db.record_incoming(&fetched(peer, peer, Direction::Incoming, 50)).unwrap();
    }
    assert_eq!(ids(&db, Listing::Archived), [person(3)]);
    assert_eq!(ids(&db, Listing::Inbox), [person(1), person(2), person(4)]);
    let unknown = db.set_conversation(&person(9), &Setting::Archived(true));
    assert!(matches!(unknown.unwrap_err(), DatabaseError::Gone));
}

#[test]
fn reading_elsewhere_marks_what_is_here_and_what_comes_late_and_only_moves_forward() {
    let device = Device::new();
    let mut db = device.db();
    let mention = |number: u8, timestamp| {
        let mut message = fetched(number, 1, Direction::Incoming, timestamp);
        message.details.mentions_me = true;
        message
    };
    db.record_fetched_batch(&[mention(1, 10), mention(2, 20), mention(3, 30)], None).unwrap();
    let chat = |db: &AccountDb| {
        let chat = db.conversation(&person(1)).unwrap().unwrap();
        (chat.unread, chat.mentioned, chat.last_read)
    };
    assert_eq!(chat(&db), (3, 3, 0));
    db.mark_read_elsewhere(&person(1), 20, 99).unwrap();
    assert_eq!(chat(&db), (1, 1, 20));
    db.mark_read_elsewhere(&person(1), 5, 99).unwrap();
    assert_eq!(chat(&db), (1, 1, 20));
    db.record_incoming(&mention(4, 15)).unwrap();
    assert_eq!(chat(&db), (1, 1, 20));
    assert_eq!(db.first_unread(&person(1)).unwrap().unwrap().timestamp, 30);
    db.mark_conversation_read(&person(1), 99).unwrap();
    assert_eq!(chat(&db), (0, 0, 30));
    // What was read here hides nothing that comes late.
    db.record_incoming(&mention(5, 25)).unwrap();
    assert_eq!(chat(&db), (1, 1, 30));
}

#[test]
fn a_page_lies_around_a_message_and_goes_on_in_both_directions() {
    let device = Device::new();
    let mut db = device.db();
    for number in 1..10 {
        db.record_incoming(&fetched(number, 1, Direction::Incoming, u64::from(number) * 10))
            .unwrap();
        db.record_incoming(&fetched(100 + number, 2, Direction::Incoming, 1)).unwrap();
    }
    let times = |page: &Page| page.messages.iter().map(|one| one.timestamp).collect::<Vec<_>>();
    let filter = Filter { conversation: Some(person(1)), unread: false };
    let middle = db.find_message(Some(&person(1)), &person(1), 50).unwrap().unwrap();
    let page = db.messages_around(middle, 2).unwrap();
    assert_eq!(times(&page), [70, 60, 50, 40, 30]);
    assert_eq!(times(&db.messages(&filter, page.older, 9).unwrap()), [20, 10]);
    let newer = db.newer_messages(&filter, page.messages[0].position(), 9).unwrap();
    assert_eq!(times(&newer), [90, 80]);
    assert_eq!(times(&db.messages(&filter, newer.older, 2).unwrap()), [70, 60]);
}
