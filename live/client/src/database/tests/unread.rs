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
                db.mark_read(&[id, id, MessageId::new(i64::MAX)]).unwrap();
                model.get_mut(&id).unwrap().2 = true;
            }
        }
        Change::ReadAll { peer } => {
            db.mark_conversation_read(&person(*peer)).unwrap();
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

fn expected(model: &Model) -> Vec<Conversation> {
    let mut chats: BTreeMap<u8, Conversation> = BTreeMap::new();
    for (&id, &(peer, timestamp, read)) in model {
        let chat = chats.entry(peer).or_insert(Conversation {
            peer: person(peer),
            last_message: id,
            last_timestamp: timestamp,
            unread: 0,
        });
        chat.unread += u64::from(!read);
        if (timestamp, id) > (chat.last_timestamp, chat.last_message) {
            (chat.last_timestamp, chat.last_message) = (timestamp, id);
        }
    }
    let mut chats: Vec<Conversation> = chats.into_values().collect();
    chats.sort_by_key(|chat| std::cmp::Reverse((chat.last_timestamp, chat.last_message)));
    chats
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
            prop_assert_eq!(db.unread().unwrap(), chats.iter().map(|chat| chat.unread).sum::<u64>());
            prop_assert_eq!(db.conversations(50).unwrap(), chats);
        }
    }
}
