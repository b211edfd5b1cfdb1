//! What members give each other and take over.

use warren_wire::record::{
    Change, Drawers, ExpireMode, Item, MessageRecord, Order, Positions, Record,
};
use warren_wire::{AccountId, NodeId, Stamp, swarm};

use super::{HOUR, NOW, Outcome, Store, account, everything, fill, hashes, message, names, order};
use crate::union::ORDER_LIFE;
use crate::{Merged, StoreError};

const LATER: Stamp = Stamp::at(NOW + 10);

fn delete(numbers: impl IntoIterator<Item = u16>) -> Record {
    Record::Order(order(LATER, Change::Delete(names(numbers))))
}

/// Not [`account`], whose accounts lie all at position 0.
fn owner(n: u8) -> Result<AccountId, StoreError> {
    let mut bytes = [0; 33];
    let [prefix, first, ..] = &mut bytes;
    (*prefix, *first) = (5, n);
    AccountId::from_bytes(&bytes).map_err(|error| StoreError::Engine(error.to_string()))
}

fn at(owner: &AccountId) -> Positions {
    let position = swarm::position(owner);
    Positions { first: position, last: position }
}

/// New, known, refused.
pub async fn a_merge_says_what_became_of_each(store: Store) -> Outcome {
    let merged = store
        .merge(
            vec![
                Record::Message(message(1)),
                Record::Message(message(1)),
                Record::Message(MessageRecord { stored: LATER.next(), ..message(1) }),
                Record::Message(message(1)),
                Record::Message(MessageRecord { expiry: NOW, ..message(2) }),
                delete([3]),
                delete([3]),
                Record::Message(message(3)),
                Record::Order(order(Stamp::at(NOW - ORDER_LIFE), Change::Delete(vec![]))),
            ],
            NOW,
        )
        .await?;
    use Merged::{Known, New, Refused};
    assert_eq!(merged, [New, Known, Known, Known, Refused, New, Known, Refused, Refused]);
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([1]));
    let counts = store.counts().await?;
    assert_eq!((counts.messages, counts.orders), (1, 1));
    Ok(())
}

/// A message that expired but for an order in the same batch is served, wherever in it the order is.
pub async fn a_merge_takes_orders_before_messages(store: Store) -> Outcome {
    let then = NOW + 2 * HOUR;
    let extend = |n| {
        let change = Change::Expire(vec![(message(n).hash, then + HOUR)], ExpireMode::Extend);
        Record::Order(order(LATER, change))
    };
    let batch =
        vec![Record::Message(message(1)), extend(1), extend(2), Record::Message(message(2))];
    assert_eq!(store.merge(batch.clone(), then).await?, [Merged::New; 4]);
    assert_eq!(hashes(&store.retrieve(everything(), then).await?), names([1, 2]));
    assert_eq!(store.merge(batch, then).await?, [Merged::Known; 4]);
    Ok(())
}

/// Whether the order comes before the message or after it.
pub async fn a_deleted_message_does_not_come_back(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    store.merge(vec![delete([1, 2])], NOW).await?;
    let copies = vec![Record::Message(message(1)), Record::Message(message(2))];
    assert_eq!(store.merge(copies, NOW).await?, [Merged::Refused, Merged::Refused]);
    assert_eq!(store.retrieve(everything(), NOW).await?.messages, []);
    let all = Record::Order(order(Stamp::at(NOW + 30), Change::DeleteAll(Drawers::All)));
    store.merge(vec![all], NOW).await?;
    let between = MessageRecord { stored: Stamp::at(NOW + 30), ..message(3) };
    assert_eq!(store.merge(vec![Record::Message(between)], NOW).await?, [Merged::Refused]);
    assert_eq!(store.counts().await?.messages, 0);
    Ok(())
}

/// The greater stamp, and the greater expiry.
pub async fn copies_of_a_message_join(store: Store) -> Outcome {
    let late = MessageRecord { stored: LATER, expiry: NOW + 50, ..message(1) };
    let longer = MessageRecord { expiry: NOW + 2 * HOUR, ..message(1) };
    for (record, stored, expiry) in [
        (message(1), Stamp::at(NOW), NOW + HOUR),
        (late.clone(), LATER, NOW + HOUR),
        (longer, LATER, NOW + 2 * HOUR),
        (late, LATER, NOW + 2 * HOUR),
    ] {
        store.merge(vec![Record::Message(record)], NOW).await?;
        let kept = MessageRecord { stored, expiry, ..message(1) };
        assert_eq!(store.mailbox(account(1), NOW).await?, [Record::Message(kept)]);
    }
    Ok(())
}

/// A member that says a message was stored again with a short life takes nothing from it, neither
/// of what its sender asked for nor of what its owner added, whichever is heard of first. The
/// owner's own word does.
pub async fn only_its_owner_shortens_a_message(store: Store) -> Outcome {
    let expire = |n, at, to, mode| {
        Record::Order(order(Stamp::at(at), Change::Expire(vec![(message(n).hash, to)], mode)))
    };
    let mut sequences = Vec::new();
    for n in 0..6 {
        let short =
            MessageRecord { stored: Stamp::at(NOW + 20), expiry: NOW + 1_000, ..message(n) };
        let [first, again] = [message(n), short].map(Record::Message);
        let extend = expire(n, NOW + 10, NOW + 5 * HOUR, ExpireMode::Extend);
        sequences.push(match n {
            0 => vec![first, again],
            1 => vec![again, first],
            2 => vec![first, extend, again],
            3 => vec![again, extend, first],
            4 => vec![first, again, extend],
            _ => vec![extend, again, first],
        });
    }
    for record in sequences.into_iter().flatten() {
        store.merge(vec![record], NOW + 30).await?;
    }
    let hour = |n| if n < 2 { 1 } else { 5 };
    let lives = (0..6).map(|n| (message(n).hash, NOW + hour(n) * HOUR)).collect::<Vec<_>>();
    assert_eq!(store.expiries(account(1), None, NOW + 30).await?, lives);
    assert_eq!(store.expire(NOW + HOUR - 1).await?, 0);
    let shorten = (0..6).map(|n| expire(n, NOW + 40, NOW + 50, ExpireMode::Shorten)).collect();
    store.merge(shorten, NOW + 40).await?;
    assert_eq!(store.expiries(account(1), None, NOW + 50).await?, []);
    Ok(())
}

/// An item for every message served and order kept, by which its record is found.
pub async fn items_lead_to_records(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    store.apply(order(LATER, Change::Delete(names([2]))), NOW).await?;
    let items = store.items(Positions::ALL, NOW).await?;
    assert!(items.is_sorted_by_key(|item| (item.stamp, item.id)));
    let stranger = Item { id: [9; 32], ..items.first().copied().unwrap_or_else(|| unreachable!()) };
    let (records, looked_at) = store.records([items.clone(), vec![stranger]].concat()).await?;
    assert_eq!((records.len(), looked_at), (3, 4));
    for (record, item) in records.iter().zip(&items) {
        let own = match record {
            Record::Message(m) => {
                assert_eq!(*m, if m.hash == message(1).hash { message(1) } else { message(3) });
                Item::message(&m.owner, m.namespace, &m.hash, m.stored, m.expiry)?
            }
            Record::Order(order) => Item::order(&order.owner, order.stamp, &order.proof)?,
        };
        assert_eq!(own, *item);
    }
    assert_eq!(store.items(Positions::ALL, NOW + HOUR).await?.len(), 1);
    Ok(())
}

/// Not more than about 4 MiB at once, and the rest when asked again.
pub async fn many_records_come_in_parts(store: Store) -> Outcome {
    for n in 0..100 {
        let large = MessageRecord { data: vec![0xab; 70_000], ..message(n) };
        store.merge(vec![Record::Message(large)], NOW).await?;
    }
    let mut items = store.items(Positions::ALL, NOW).await?;
    let mut parts = Vec::new();
    while !items.is_empty() {
        let (records, looked_at) = store.records(items.clone()).await?;
        assert!(looked_at > 0 && records.len() == looked_at);
        parts.push(records.len());
        items.drain(..looked_at);
    }
    assert_eq!(parts.iter().sum::<usize>(), 100);
    assert!(parts.len() > 1 && parts.iter().all(|part| *part <= 62), "{parts:?}");
    Ok(())
}

/// Each field of a record survives, the proof too.
pub async fn a_mailbox_is_given_whole(store: Store) -> Outcome {
    let proven = MessageRecord { proof: Some(vec![1, 2, 3]), ..message(1) };
    let empty_proof = MessageRecord { proof: Some(vec![]), ..message(2) };
    let order = order(LATER, Change::Delete(names([9])));
    let given = [
        Record::Message(proven),
        Record::Message(empty_proof),
        Record::Message(message(3)),
        Record::Order(order),
    ];
    store.merge(given.to_vec(), NOW).await?;
    assert_eq!(store.mailbox(account(1), NOW).await?, given);
    assert_eq!(store.mailbox(account(2), NOW).await?, []);
    assert_eq!(store.mailbox(account(1), NOW + HOUR).await?, given[3..]);
    Ok(())
}

/// A stretch of the ring, both ends included.
pub async fn a_stretch_of_the_ring_is_given_and_dropped(store: Store) -> Outcome {
    for n in 1..=4 {
        let owner = owner(n)?;
        store.store(MessageRecord { owner, ..message(1) }, NOW).await?;
        let order = Order { owner, ..order(LATER, Change::Delete(vec![])) };
        store.apply(order, NOW).await?;
    }
    let middle =
        Positions { first: swarm::position(&owner(2)?), last: swarm::position(&owner(3)?) };
    let some = store.some_items(Positions::ALL, 1, NOW).await?;
    assert!(some.len() == 1 && store.items(Positions::ALL, NOW).await?.contains(&some[0]));
    let items = store.items(middle, NOW).await?;
    assert_eq!(items.len(), 4);
    assert!(items.iter().all(|item| middle.contain(item.position)));
    assert_eq!(store.drop_positions(middle).await?, 4);
    assert_eq!(store.drop_positions(middle).await?, 0);
    assert_eq!(store.items(middle, NOW).await?, []);
    let counts = store.counts().await?;
    assert_eq!((counts.messages, counts.orders), (2, 2));
    assert_eq!(store.items(at(&owner(1)?), NOW).await?.len(), 2);
    // What was dropped may come again.
    let again = MessageRecord { owner: owner(2)?, ..message(1) };
    assert_eq!(store.merge(vec![Record::Message(again)], NOW).await?, [Merged::New]);
    Ok(())
}

/// Per member, oldest first.
pub async fn notes_of_what_was_missed_are_kept_until_forgotten(store: Store) -> Outcome {
    let (one, other) = (NodeId::from_bytes([1; 32]), NodeId::from_bytes([2; 32]));
    let item = |n| Item { position: n, stamp: Stamp(n), id: [7; 32] };
    store.note_missed(one, vec![item(3), item(1)]).await?;
    store.note_missed(other, vec![item(5)]).await?;
    store.note_missed(one, vec![item(2)]).await?;
    let notes = store.missed(one, 10).await?;
    assert_eq!(notes.iter().map(|note| note.1).collect::<Vec<_>>(), [item(3), item(1), item(2)]);
    assert!(notes.is_sorted_by_key(|note| note.0));
    assert_eq!(store.missed(one, 2).await?, notes[..2]);
    store.forget_missed(one, notes[1].0).await?;
    assert_eq!(store.missed(one, 10).await?, notes[2..]);
    store.forget_missed(one, u64::MAX).await?;
    assert_eq!(store.missed(one, 10).await?, []);
    assert_eq!(store.missed(other, 10).await?.len(), 1);
    store.note_missed(one, vec![item(9)]).await?;
    assert!(store.missed(one, 10).await?[0].0 > notes[2].0);
    Ok(())
}
