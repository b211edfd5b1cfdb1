//! What storing does.

use std::sync::Arc;

use warren_wire::limits::MAX_DATA_BYTES;
use warren_wire::record::{Change, MessageRecord, Record};
use warren_wire::{MessageHash, Namespace, Stamp};

use super::{
    HOUR, NOW, Outcome, Store, account, delete, everything, fill, hashes, kept, message, names,
    order, stored,
};
use crate::replacements::OF_DRAWER;
use crate::union::ORDER_LIFE;
use crate::{Merged, Query, StoreError};

/// Every field of a message survives.
pub async fn what_is_stored_comes_back(store: Store) -> Outcome {
    let outcome = store.store(message(1), NOW).await?;
    assert_eq!(outcome, stored(NOW + HOUR, false));
    let page = store.retrieve(everything(), NOW).await?;
    assert_eq!(page.messages, [kept(&message(1))]);
    assert!(!page.more);
    Ok(())
}

/// No data at all can be stored.
pub async fn an_empty_message_is_a_message(store: Store) -> Outcome {
    let empty = MessageRecord { data: vec![], ..message(1) };
    store.store(empty.clone(), NOW).await?;
    assert_eq!(store.retrieve(everything(), NOW).await?.messages, [kept(&empty)]);
    Ok(())
}

/// The most data a message may carry can be stored.
pub async fn the_largest_message_is_kept_whole(store: Store) -> Outcome {
    let large = MessageRecord { data: vec![0xc3; MAX_DATA_BYTES], ..message(1) };
    store.store(large.clone(), NOW).await?;
    assert_eq!(store.retrieve(everything(), NOW).await?.messages, [kept(&large)]);
    Ok(())
}

/// Storing again moves nothing and does not change what the first sender said.
pub async fn a_duplicate_keeps_its_place_and_timestamp(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    let again = MessageRecord { timestamp: NOW + 99, expiry: NOW + 2 * HOUR, ..message(1) };
    let outcome = store.store(again, NOW).await?;
    assert_eq!(outcome, stored(NOW + 2 * HOUR, true));
    let page = store.retrieve(everything(), NOW).await?;
    let first = MessageRecord { expiry: NOW + 2 * HOUR, ..message(1) };
    assert_eq!(page.messages, [kept(&first), kept(&message(2)), kept(&message(3))]);
    assert_eq!(store.counts().await?.messages, 3);
    Ok(())
}

/// A message is never made to live shorter.
pub async fn a_duplicate_only_raises_the_expiry(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    for (asked, effective) in [(HOUR / 2, HOUR), (HOUR, HOUR), (HOUR + 1, HOUR + 1), (5, HOUR + 1)]
    {
        let again = MessageRecord { expiry: NOW + asked, ..message(1) };
        let outcome = store.store(again, NOW).await?;
        assert_eq!(outcome, stored(NOW + effective, true));
    }
    let page = store.retrieve(everything(), NOW).await?;
    assert_eq!(page.messages, [kept(&MessageRecord { expiry: NOW + HOUR + 1, ..message(1) })]);
    Ok(())
}

/// The proof of the later stamp, and of one stamp the first.
pub async fn a_duplicate_brings_the_proof_of_a_later_stamp_alone(store: Store) -> Outcome {
    let proven = |counter, proof| MessageRecord {
        stored: Stamp(Stamp::at(NOW).0 + counter),
        proof: Some(vec![proof]),
        ..message(1)
    };
    for (given, kept) in [
        (proven(1, 1), proven(1, 1)),
        (proven(1, 2), proven(1, 1)),
        (proven(2, 3), proven(2, 3)),
        (proven(0, 4), proven(2, 3)),
    ] {
        store.store(given, NOW).await?;
        assert_eq!(store.mailbox(account(1), NOW).await?, [Record::Message(kept)]);
    }
    Ok(())
}

/// A copy that nobody can read any more does not count, swept or not.
pub async fn a_duplicate_of_an_expired_message_is_new(store: Store) -> Outcome {
    fill(&store, 1..=2).await?;
    let later = NOW + HOUR;
    let again = MessageRecord { timestamp: later, expiry: later + HOUR, ..message(1) };
    let outcome = store.store(again.clone(), later).await?;
    assert_eq!(outcome, stored(later + HOUR, false));
    let third = MessageRecord { expiry: later + HOUR, ..message(3) };
    store.store(third.clone(), later).await?;
    let page = store.retrieve(everything(), later).await?;
    assert_eq!(page.messages, [kept(&again), kept(&third)]);
    assert_eq!(store.expire(later).await?, 1, "message 2 alone is left to sweep");
    assert_eq!(store.retrieve(everything(), later).await?.messages.len(), 2);
    Ok(())
}

/// A hash names a message within one mailbox.
pub async fn the_same_hash_in_two_mailboxes_is_two_messages(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    let other = MessageRecord { owner: account(2), ..message(1) };
    assert!(!store.store(other, NOW).await?.already);
    assert_eq!(delete(&store, 2, names([1]), NOW).await?, names([1]));
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([1]));
    Ok(())
}

const OUTBOX: Namespace = Namespace::new(-1);

fn outgoing(n: u16) -> MessageRecord {
    MessageRecord { namespace: OUTBOX, ..message(n) }
}

async fn outbox(store: &Store, now: u64) -> Result<Vec<MessageHash>, StoreError> {
    let query = Query { namespace: OUTBOX, ..everything() };
    Ok(hashes(&store.retrieve(query, now).await?))
}

/// A newer message replaces the one before, also for who had read that one.
pub async fn an_outbox_keeps_the_newest_alone(store: Store) -> Outcome {
    for n in 1..=3 {
        assert!(!store.store(outgoing(n), NOW).await?.already);
        assert_eq!(outbox(&store, NOW).await?, names([n]));
    }
    let query = Query { namespace: OUTBOX, after: Some(message(2).hash), ..everything() };
    assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([3]));
    assert_eq!(store.counts().await?.messages, 1);
    Ok(())
}

/// What arrives late does not push out what is newer.
pub async fn an_outbox_keeps_the_newer_when_an_older_arrives(store: Store) -> Outcome {
    store.store(outgoing(5), NOW).await?;
    let late = MessageRecord { expiry: NOW + 3 * HOUR, ..outgoing(4) };
    let outcome = store.store(late, NOW).await?;
    assert_eq!(outcome, stored(NOW + HOUR, true));
    assert_eq!(outbox(&store, NOW).await?, names([5]));
    assert!(store.store(outgoing(5), NOW).await?.already);
    Ok(())
}

/// Two messages of one timestamp: all members of a swarm keep the same.
pub async fn an_outbox_settles_a_tie_alike_in_either_order(store: Store) -> Outcome {
    for (n, (first, second)) in [(7, 8), (8, 7)].into_iter().enumerate() {
        let owner = account(u8::try_from(n).unwrap_or_default());
        for n in [first, second] {
            let tied = MessageRecord { owner, timestamp: NOW, ..outgoing(n) };
            store.store(tied, NOW).await?;
        }
        let query = Query { owner, namespace: OUTBOX, ..everything() };
        assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([8]));
    }
    Ok(())
}

/// A newer message that nobody can read any more does not stand in the way.
pub async fn an_outbox_forgets_a_newer_message_that_expired(store: Store) -> Outcome {
    store.store(MessageRecord { expiry: NOW + 1, ..outgoing(5) }, NOW).await?;
    // What came before the newer one is replaced all the same.
    let overruled = store.store(outgoing(4), NOW + 1).await?.overruled;
    assert_eq!(overruled, Some(Stamp::at(NOW)));
    assert_eq!(outbox(&store, NOW + 1).await?, []);
    let later = MessageRecord { stored: Stamp::at(NOW + 1), ..outgoing(4) };
    assert_eq!(store.store(later, NOW + 1).await?, stored(NOW + HOUR, false));
    assert_eq!(outbox(&store, NOW + 1).await?, names([4]));
    Ok(())
}

/// Whoever was away and brings the message that was replaced does not bring it back to life, however
/// the one ended that replaced it.
pub async fn an_outbox_does_not_take_back_what_was_replaced(store: Store) -> Outcome {
    let later = |n, time: u64| MessageRecord { stored: Stamp::at(NOW + time), ..outgoing(n) };
    store.store(outgoing(1), NOW).await?;
    store.store(MessageRecord { expiry: NOW + 5, ..later(2, 1) }, NOW + 1).await?;
    let late = || Record::Message(MessageRecord { expiry: NOW + 40 * 24 * HOUR, ..outgoing(1) });
    assert_eq!(store.merge(vec![late()], NOW + 5).await?, [Merged::Refused]);
    let end = NOW + ORDER_LIFE;
    for (n, time) in [(3, 6), (4, 7)] {
        store.store(later(n, time), NOW + time).await?;
    }
    let removal = order(Stamp::at(NOW + 8), Change::Delete(names([4])));
    store.apply(removal, NOW + 8).await?;
    store.expire(NOW + 9).await?;
    assert_eq!(store.merge(vec![late()], NOW + 9).await?, [Merged::Refused]);
    assert_eq!(store.merge(vec![Record::Message(later(3, 6))], NOW + 9).await?, [Merged::Refused]);
    assert_eq!(outbox(&store, NOW + 9).await?, []);
    // Members who never heard of the newer ones learn what they replaced; one order says it all.
    let told = store.mailbox(account(1), NOW + 9).await?;
    let replacements = told.iter().filter(|record| match record {
        Record::Order(order) => matches!(order.change, Change::Replace(..)),
        Record::Message(_) => false,
    });
    assert_eq!((told.len(), replacements.count()), (2, 1));
    // As long as what was replaced can live.
    store.expire(end + 6).await?;
    assert_eq!(store.merge(vec![late()], end + 6).await?, [Merged::Refused]);
    store.expire(end + 8).await?;
    assert_eq!(store.counts().await?.orders, 0);
    Ok(())
}

/// Newer messages with ever earlier timestamps each replace something else: of what they replaced so
/// much is remembered as reaches farthest, and a message that another outranks replaces nothing.
pub async fn an_outbox_remembers_so_much_of_what_was_replaced(store: Store) -> Outcome {
    let falling = |n: u16| MessageRecord {
        timestamp: NOW + 1_000 - u64::from(n),
        stored: Stamp::at(NOW + u64::from(n)),
        expiry: NOW + u64::from(n) + 1,
        ..outgoing(n)
    };
    let most = u16::try_from(OF_DRAWER).unwrap_or(u16::MAX);
    for n in 0..most + 20 {
        store.store(falling(n), NOW + u64::from(n)).await?;
        let orders = store.counts().await?.orders;
        assert_eq!(orders, u64::from(most.min(n + 1)));
    }
    let then = NOW + 200;
    let before = |time| MessageRecord {
        timestamp: NOW + 1_000 - time - 1,
        stored: Stamp::at(NOW + time),
        ..outgoing(900)
    };
    for time in [0, 1, 30, u64::from(most) - 1] {
        let late = vec![Record::Message(before(time))];
        assert_eq!(store.merge(late, then).await?, [Merged::Refused], "{time}");
    }
    assert_eq!(outbox(&store, then).await?, []);
    // One that reaches farther says it all.
    let newest = MessageRecord { stored: Stamp::at(then), timestamp: then + HOUR, ..outgoing(901) };
    store.store(newest, then).await?;
    assert_eq!(store.counts().await?.orders, 1);
    let outranked = MessageRecord { stored: Stamp::at(then + 1), ..outgoing(902) };
    assert!(store.store(outranked.clone(), then + 1).await?.already);
    assert_eq!(store.merge(vec![Record::Message(outranked)], then).await?, [Merged::Refused]);
    assert_eq!(store.counts().await?.orders, 1);
    Ok(())
}

/// Replacing is a matter of one drawer of one mailbox.
pub async fn an_outbox_leaves_other_drawers_alone(store: Store) -> Outcome {
    fill(&store, 1..=2).await?;
    let others = MessageRecord { owner: account(2), ..outgoing(3) };
    store.store(others, NOW).await?;
    store.store(outgoing(4), NOW).await?;
    store.store(outgoing(5), NOW).await?;
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names(1..=2));
    assert_eq!(store.counts().await?.messages, 4);
    Ok(())
}

/// 64 tasks store 50 messages each into mailboxes they share.
pub async fn tasks_that_store_together_lose_nothing(store: Store) -> Outcome {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64_u16 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            for n in 0..50 {
                let owner = account(u8::try_from(n % 4).unwrap_or_default());
                let new = MessageRecord { owner, ..message(task * 50 + n) };
                assert!(!store.store(new, NOW).await?.already);
            }
            Ok::<_, StoreError>(())
        });
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    let mut found = Vec::new();
    for owner in (0..4).map(account) {
        let page = store.retrieve(Query { owner, ..everything() }, NOW).await?;
        let first = page.messages.first().map(|message| message.hash);
        let rest = store.retrieve(Query { owner, after: first, ..everything() }, NOW).await?;
        assert_eq!(rest.messages.len() + 1, page.messages.len());
        found.extend(hashes(&page));
    }
    found.sort_unstable();
    assert!(found == names(0..3_200), "{} of 3200 are there", found.len());
    assert_eq!(store.counts().await?.messages, 3_200);
    Ok(())
}

/// Of many that store the same at once, one is told that it is new.
pub async fn tasks_that_store_the_same_message_keep_one(store: Store) -> Outcome {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..64 {
        let store = Arc::clone(&store);
        let new = MessageRecord { expiry: NOW + HOUR + n, ..message(1) };
        tasks.spawn(async move { store.store(new, NOW).await });
    }
    let mut new = 0;
    for outcome in tasks.join_all().await {
        new += usize::from(!outcome?.already);
    }
    assert_eq!(new, 1);
    let page = store.retrieve(everything(), NOW).await?;
    let expiries: Vec<_> = page.messages.iter().map(|message| message.expiry).collect();
    assert_eq!(expiries, [NOW + HOUR + 63]);
    assert_eq!(store.counts().await?.messages, 1);
    Ok(())
}
