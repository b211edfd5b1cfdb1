//! What deleting, expiring and closing leave.

use std::sync::Arc;

use warren_wire::record::MessageRecord;
use warren_wire::{Namespace, Stamp};

use super::{
    HOUR, NOW, Outcome, Store, account, delete, everything, fill, hashes, message, names, stored,
};
use crate::{Query, StoreError};

/// Deleted messages are not read; the others are.
pub async fn what_is_deleted_is_gone(store: Store) -> Outcome {
    fill(&store, 1..=5).await?;
    assert_eq!(delete(&store, 1, names([2, 4]), NOW).await?, names([2, 4]));
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([1, 3, 5]));
    Ok(())
}

/// The answer is in order, without what was not there.
pub async fn deleting_names_what_was_there_once_each(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    let asked = names([3, 9, 1, 3, 1]);
    assert_eq!(delete(&store, 1, asked.clone(), NOW).await?, names([1, 3]));
    assert_eq!(delete(&store, 1, asked, NOW).await?, []);
    assert_eq!(delete(&store, 1, vec![], NOW).await?, []);
    assert_eq!(store.counts().await?.messages, 1);
    Ok(())
}

/// A namespace is not asked for, an owner is.
pub async fn deleting_reaches_every_drawer_of_the_mailbox_alone(store: Store) -> Outcome {
    for (n, number) in [(1, -10), (2, 0), (3, 5)] {
        let namespace = Namespace::new(number);
        store.store(MessageRecord { namespace, ..message(n) }, NOW).await?;
    }
    assert_eq!(delete(&store, 2, names(1..=3), NOW).await?, []);
    assert_eq!(delete(&store, 1, names(1..=3), NOW).await?, names(1..=3));
    assert_eq!(store.counts().await?.messages, 0);
    Ok(())
}

/// A deleted message is new when it comes again.
pub async fn what_was_deleted_can_be_stored_again_at_the_end(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    delete(&store, 1, names([1]), NOW).await?;
    let again = MessageRecord { stored: Stamp::at(NOW).next(), ..message(1) };
    assert_eq!(store.store(again, NOW).await?, stored(NOW + HOUR, false));
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([2, 3, 1]));
    Ok(())
}

/// A sweep removes what has expired and nothing else.
pub async fn expiring_removes_what_is_past_its_expiry(store: Store) -> Outcome {
    for n in 1..=6 {
        let owner = account(u8::try_from(n % 2).unwrap_or_default() + 1);
        let expiry = NOW + u64::from(n) * 10;
        store.store(MessageRecord { owner, expiry, ..message(n) }, NOW).await?;
    }
    assert_eq!(store.expire(NOW + 9).await?, 0);
    assert_eq!(store.expire(NOW + 30).await?, 3);
    assert_eq!(store.expire(NOW + 30).await?, 0);
    assert_eq!(store.counts().await?.messages, 3);
    // Read as of a time at which none had expired: what was swept is gone all the same.
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([4, 6]));
    assert_eq!(store.expire(NOW + 60).await?, 3);
    assert_eq!(store.counts().await?.messages, 0);
    Ok(())
}

/// A sweep is not bounded by what goes in one batch, and stores go on beside it.
pub async fn expiring_takes_many(store: Store) -> Outcome {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..1_500 {
        let store = Arc::clone(&store);
        let expiry = NOW + 1 + u64::from(n % 2) * HOUR;
        let new = MessageRecord { expiry, ..message(n) };
        tasks.spawn(async move { store.store(new, NOW).await });
    }
    for outcome in tasks.join_all().await {
        outcome?;
    }
    let late = MessageRecord { expiry: NOW + HOUR, ..message(2_000) };
    let (swept, stored) = tokio::join!(store.expire(NOW + 1), store.store(late, NOW));
    assert_eq!(swept?, 750);
    assert!(!stored?.already);
    assert_eq!(store.counts().await?.messages, 751);
    Ok(())
}

/// The expiry that counts is the one in force.
pub async fn expiring_minds_a_raised_expiry(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    store.store(MessageRecord { expiry: NOW + 2 * HOUR, ..message(1) }, NOW).await?;
    assert_eq!(store.expire(NOW + HOUR).await?, 0);
    assert_eq!(hashes(&store.retrieve(everything(), NOW + HOUR).await?), names([1]));
    assert_eq!(store.expire(NOW + 2 * HOUR).await?, 1);
    Ok(())
}

/// Clocks jump: a sweep far ahead does not keep later sweeps from their work.
pub async fn expiring_backwards_in_time_removes_nothing_more(store: Store) -> Outcome {
    store.expire(NOW + 9 * HOUR).await?;
    fill(&store, 1..=2).await?;
    assert_eq!(store.expire(NOW).await?, 0);
    assert_eq!(store.retrieve(everything(), NOW).await?.messages.len(), 2);
    assert_eq!(store.expire(NOW + HOUR).await?, 2);
    Ok(())
}

/// What had expired when it came is neither served nor kept.
pub async fn a_message_that_arrives_expired_is_swept(store: Store) -> Outcome {
    store.expire(NOW).await?;
    store.store(MessageRecord { expiry: NOW - 5, ..message(1) }, NOW).await?;
    assert_eq!(store.retrieve(everything(), NOW).await?.messages, []);
    assert_eq!(store.expire(NOW).await?, 1);
    assert_eq!(store.counts().await?.messages, 0);
    Ok(())
}

/// Counts are of messages, not of requests.
pub async fn counts_follow_what_happens(store: Store) -> Outcome {
    assert_eq!(store.counts().await?.messages, 0);
    fill(&store, 1..=4).await?;
    store.store(message(1), NOW).await?;
    assert_eq!(store.counts().await?.messages, 4);
    delete(&store, 1, names([1, 9]), NOW).await?;
    assert_eq!(store.counts().await?.messages, 3);
    store.expire(NOW + HOUR).await?;
    assert_eq!(store.counts().await?.messages, 0);
    Ok(())
}

/// After closing every request is refused, and closing again does no harm.
pub async fn a_closed_store_says_so(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    store.close().await;
    store.close().await;
    assert_eq!(store.store(message(2), NOW).await, Err(StoreError::Closed));
    assert_eq!(store.retrieve(everything(), NOW).await, Err(StoreError::Closed));
    assert_eq!(delete(&store, 1, names([1]), NOW).await, Err(StoreError::Closed));
    assert_eq!(store.expire(NOW).await, Err(StoreError::Closed));
    assert_eq!(store.counts().await, Err(StoreError::Closed));
    let query = Query { max_count: Some(1), ..everything() };
    assert_eq!(store.retrieve(query, NOW).await, Err(StoreError::Closed));
    Ok(())
}
