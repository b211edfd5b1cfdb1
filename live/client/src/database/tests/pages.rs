//! Pages walk all messages once, newest first.

use super::*;

fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.timestamp).collect()
}

#[test]
fn pages_cover_every_message_once_newest_first_even_where_times_are_equal() {
    let device = Device::new();
    let mut db = device.db();
    for (number, timestamp) in (1..).zip([3, 1, 2, 2, 2, 9, 4]) {
        db.record_incoming(&fetched(number, number % 2, Direction::Incoming, timestamp)).unwrap();
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = db.messages(&Filter::default(), before, 2).unwrap();
        assert!(page.messages.len() <= 2);
        seen.extend(page.messages);
        before = page.older;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(numbers(&seen), [9, 4, 3, 2, 2, 2, 1]);
    let positions: Vec<Position> = seen.iter().map(Message::position).collect();
    assert!(positions.windows(2).all(|pair| pair[0] > pair[1]));
}

#[test]
fn a_filter_narrows_to_one_peer_and_to_what_is_unread() {
    let device = Device::new();
    let mut db = device.db();
    for number in 1..7 {
        let peer = if number < 4 { 1 } else { 2 };
        db.record_incoming(&fetched(number, peer, Direction::Incoming, number.into())).unwrap();
    }
    queue(&mut db, 1, "mine", 10);
    let of = |db: &AccountDb, peer: Option<u8>, unread| {
        let filter = Filter { conversation: peer.map(person), unread };
        numbers(&db.messages(&filter, None, 50).unwrap().messages)
    };
    assert_eq!(of(&db, Some(1), false), [10, 3, 2, 1]);
    assert_eq!(of(&db, Some(1), true), [3, 2, 1]);
    db.mark_conversation_read(&person(1), 9).unwrap();
    assert_eq!(of(&db, Some(1), true), [0_u64; 0]);
    assert_eq!(of(&db, None, true), [6, 5, 4]);
}

#[test]
fn arrivals_come_in_the_order_of_their_coming() {
    let device = Device::new();
    let mut db = device.db();
    assert_eq!(db.last_arrived().unwrap(), MessageId::START);
    db.record_incoming(&fetched(1, 1, Direction::Incoming, 9)).unwrap();
    let seen = db.last_arrived().unwrap();
    db.record_incoming(&fetched(2, 1, Direction::Incoming, 5)).unwrap();
    queue(&mut db, 1, "mine", 3);
    assert_eq!(numbers(&db.arrived_after(MessageId::START, 9).unwrap()), [9, 5, 3]);
    assert_eq!(numbers(&db.arrived_after(seen, 9).unwrap()), [5, 3]);
    assert_eq!(numbers(&db.arrived_after(seen, 1).unwrap()), [5]);
}

#[test]
fn any_timestamp_of_a_peer_can_be_kept() {
    let device = Device::new();
    let mut db = device.db();
    db.record_incoming(&Fetched {
        timestamp: u64::MAX,
        content: Content::Unknown(vec![0, 255]),
        ..fetched(1, 1, Direction::Incoming, 1)
    })
    .unwrap();
    let page = db.messages(&Filter::default(), None, 1).unwrap();
    assert_eq!(numbers(&page.messages), [u64::MAX >> 1]);
    assert_eq!(page.messages[0].content, Content::Unknown(vec![0, 255]));
    assert_eq!(format!("{:?}", page.messages[0].content), "Unknown(2 bytes)");
}
