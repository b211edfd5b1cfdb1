//! The list of chats is right after any sequence of changes: compared with a plain model.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index as Pick;

use super::*;

#[derive(Debug, Clone)]
enum Change {
    Receive { number: u8, peer: u8, timestamp: u64 },
    FetchOwn { number: u8, peer: u8, timestamp: u64 },
    Queue { peer: u8 },
    Read(Pick),
    ReadAll { peer: u8 },
    Delete(Pick),
}

fn change() -> impl Strategy<Value = Change> {
    let (peer, time) = (1..4_u8, 1..9_u64);
    prop_oneof![
        4 => (any::<u8>(), peer.clone(), time.clone()).prop_map(|(number, peer, timestamp)| {
            Change::Receive { number, peer, timestamp }
        }),
        1 => (any::<u8>(), peer.clone(), time).prop_map(|(number, peer, timestamp)| {
            Change::FetchOwn { number, peer, timestamp }
        }),
        1 => peer.clone().prop_map(|peer| Change::Queue { peer }),
        2 => any::<Pick>().prop_map(Change::Read),
        1 => peer.prop_map(|peer| Change::ReadAll { peer }),
        2 => any::<Pick>().prop_map(Change::Delete),
    ]
}

/// Peer, timestamp and whether it was read, by message.
type Model = BTreeMap<MessageId, (u8, u64, bool)>;

fn apply(db: &mut AccountDb, model: &mut Model, change: &Change) {
    let picked = |pick: &Pick, model: &Model| {
        (!model.is_empty()).then(|| *model.keys().nth(pick.index(model.len())).unwrap())
    };
    match change {
        Change::Receive { number, peer, timestamp } => {
            let message = fetched(*number, *peer, Direction::Incoming, *timestamp);
            if let Recorded::New(id) = db.record_incoming(&message).unwrap() {
                model.insert(id, (*peer, *timestamp, false));
            }
        }
        Change::FetchOwn { number, peer, timestamp } => {
            let message = fetched(*number, *peer, Direction::Outgoing, *timestamp);
            if let Recorded::New(id) = db.record_incoming(&message).unwrap() {
                model.insert(id, (*peer, *timestamp, true));
            }
        }
        Change::Queue { peer } => {
            let timestamp = db.free_timestamp(&person(*peer), 3).unwrap();
            model.insert(queue(db, *peer, "x", timestamp), (*peer, timestamp, true));
        }
        Change::Read(pick) => {
            if let Some(id) = picked(pick, model) {
                // Twice, and one that does not exist: no difference.
                db.mark_read(&[id, id, MessageId::new(i64::MAX)], 9).unwrap();
                model.get_mut(&id).unwrap().2 = true;
            }
        }
        Change::ReadAll { peer } => {
            db.mark_conversation_read(&person(*peer), 9).unwrap();
            model.values_mut().filter(|row| row.0 == *peer).for_each(|row| row.2 = true);
        }
        Change::Delete(pick) => {
            if let Some(id) = picked(pick, model) {
                db.delete_messages(&[id, id]).unwrap();
                model.remove(&id);
            }
        }
    }
}

/// Newest message with its timestamp, and unread messages, by conversation.
type Chats = BTreeMap<AccountId, (MessageId, u64, u64)>;

fn expected(model: &Model) -> Chats {
    let mut chats = Chats::new();
    for (&id, &(peer, timestamp, read)) in model {
        let chat = chats.entry(person(peer)).or_insert((id, timestamp, 0));
        chat.2 += u64::from(!read);
        if (timestamp, id) > (chat.1, chat.0) {
            (chat.0, chat.1) = (id, timestamp);
        }
    }
    chats
}

fn kept(db: &AccountDb) -> Chats {
    let listed = db.conversations(Listing::All, None, 50).unwrap();
    let order: Vec<_> = listed.iter().map(|chat| (chat.last_timestamp, chat.id)).collect();
    assert!(order.is_sorted_by(|one, next| one > next));
    let of = |chat: &Conversation| Some((chat.last_message?, chat.last_timestamp, chat.unread));
    assert!(listed.iter().all(|chat| chat.last_message.is_some() || chat.unread == 0));
    listed.iter().filter_map(|chat| Some((chat.id, of(chat)?))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn unread_counts_and_last_messages_are_right_after_any_sequence(
        changes in prop::collection::vec(change(), 1..40),
    ) {
        let device = Device::new();
        let (mut db, mut model) = (device.db(), Model::new());
        for change in &changes {
            apply(&mut db, &mut model, change);
            let chats = expected(&model);
            prop_assert_eq!(db.unread().unwrap(), chats.values().map(|chat| chat.2).sum::<u64>());
            prop_assert_eq!(kept(&db), chats);
        }
    }
}
