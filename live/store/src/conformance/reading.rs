//! What reading returns.

use warren_wire::Namespace;
use warren_wire::record::MessageRecord;

use super::{HOUR, NOW, Outcome, Store, account, delete, everything, fill, hashes, message, names};
use crate::shapes::wire_size;
use crate::{Page, Query};

/// Nothing there is no error.
pub async fn a_mailbox_never_used_is_empty(store: Store) -> Outcome {
    assert_eq!(store.retrieve(everything(), NOW).await?, Page::default());
    let query = Query { after: Some(message(1).hash), ..everything() };
    assert_eq!(store.retrieve(query, NOW).await?, Page::default());
    Ok(())
}

/// Neither timestamps nor hashes decide.
pub async fn messages_come_in_the_order_of_arrival(store: Store) -> Outcome {
    let order = [5, 1, 9, 300, 2, 8];
    fill(&store, order).await?;
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names(order));
    Ok(())
}

/// The reader names the last message it has.
pub async fn reading_goes_on_after_the_last_hash(store: Store) -> Outcome {
    fill(&store, 1..=5).await?;
    for last in 1..=5 {
        let query = Query { after: Some(message(last).hash), ..everything() };
        assert_eq!(hashes(&store.retrieve(query, NOW).await?), names(last + 1..=5));
    }
    Ok(())
}

/// A deleted message, or one that never was.
pub async fn an_unknown_last_hash_reads_from_the_start(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    delete(&store, 1, names([2]), NOW).await?;
    for unknown in [2, 77] {
        let query = Query { after: Some(message(unknown).hash), ..everything() };
        assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([1, 3]));
    }
    Ok(())
}

/// A position in one drawer says nothing of another.
pub async fn a_last_hash_of_another_drawer_reads_from_the_start(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    let elsewhere = MessageRecord { namespace: Namespace::new(7), ..message(2) };
    store.store(elsewhere, NOW).await?;
    fill(&store, [3]).await?;
    let query = Query { after: Some(message(2).hash), ..everything() };
    assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([1, 3]));
    Ok(())
}

/// An expired message is unknown whether it was swept or not.
pub async fn an_expired_last_hash_reads_from_the_start(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    store.store(MessageRecord { expiry: NOW + 5, ..message(2) }, NOW).await?;
    fill(&store, [3]).await?;
    let query = Query { after: Some(message(2).hash), ..everything() };
    assert_eq!(hashes(&store.retrieve(query, NOW + 4).await?), names([3]));
    assert_eq!(hashes(&store.retrieve(query, NOW + 5).await?), names([1, 3]));
    store.expire(NOW + 5).await?;
    assert_eq!(hashes(&store.retrieve(query, NOW + 5).await?), names([1, 3]));
    Ok(())
}

/// Neighbouring numbers, signs and owners do not run into each other.
pub async fn drawers_and_mailboxes_are_apart(store: Store) -> Outcome {
    let places: Vec<_> = [i16::MIN, -256, -10, -1, 0, 1, 255, 256, i16::MAX]
        .into_iter()
        .flat_map(|number| [(1, number), (2, number)])
        .zip(1..)
        .collect();
    for ((owner, number), n) in places.iter().copied() {
        let owner = account(owner);
        let new = MessageRecord { owner, namespace: Namespace::new(number), ..message(n) };
        assert!(!store.store(new, NOW).await?.already);
    }
    for ((owner, number), n) in places {
        let owner = account(owner);
        let query = Query { owner, namespace: Namespace::new(number), ..everything() };
        assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([n]));
    }
    Ok(())
}

/// From the millisecond of its expiry on a message is not served, swept or not.
pub async fn expired_messages_are_not_served(store: Store) -> Outcome {
    for n in 1..=4 {
        let expiry = NOW + u64::from(n % 2) * 10 + 10;
        store.store(MessageRecord { expiry, ..message(n) }, NOW).await?;
    }
    assert_eq!(hashes(&store.retrieve(everything(), NOW + 9).await?), names(1..=4));
    assert_eq!(hashes(&store.retrieve(everything(), NOW + 20).await?), []);
    let query = Query { max_count: Some(2), ..everything() };
    let page = store.retrieve(query, NOW + 10).await?;
    assert_eq!(hashes(&page), names([1, 3]));
    assert!(!page.more, "the expired one behind does not count");
    Ok(())
}

/// `max_count` bounds a page.
pub async fn at_most_so_many_are_returned(store: Store) -> Outcome {
    fill(&store, 1..=5).await?;
    for (count, more) in [(0, true), (1, true), (4, true), (5, false), (6, false)] {
        let query = Query { max_count: Some(count), ..everything() };
        let page = store.retrieve(query, NOW).await?;
        assert_eq!(page.messages.len(), count.min(5));
        assert_eq!(page.more, more, "of {count}");
    }
    Ok(())
}

/// `max_size` bounds a page by what its messages count for on the wire.
pub async fn at_most_so_many_bytes_are_returned(store: Store) -> Outcome {
    fill(&store, 1..=5).await?;
    let each = wire_size(message(1).data.len());
    assert_eq!(each, 100 + 43 + 133);
    for (size, count) in [(3 * each - 1, 2), (3 * each, 3), (3 * each + 1, 3), (5 * each, 5)] {
        let query = Query { max_size: size, ..everything() };
        let page = store.retrieve(query, NOW).await?;
        assert_eq!(page.messages.len(), count, "in {size} bytes");
        assert_eq!(page.more, count < 5);
    }
    Ok(())
}

/// Who asks for too few bytes still gets on.
pub async fn one_message_is_returned_whatever_its_size(store: Store) -> Outcome {
    fill(&store, 1..=2).await?;
    let query = Query { max_size: 0, ..everything() };
    let page = store.retrieve(query, NOW).await?;
    assert_eq!(hashes(&page), names([1]));
    assert!(page.more);
    let page = store.retrieve(Query { after: Some(message(1).hash), ..query }, NOW).await?;
    assert_eq!(hashes(&page), names([2]));
    assert!(!page.more);
    Ok(())
}

/// A last page that is just full says that nothing follows.
pub async fn more_is_exact(store: Store) -> Outcome {
    fill(&store, 1..=4).await?;
    let query = Query { max_count: Some(2), ..everything() };
    assert!(store.retrieve(query, NOW).await?.more);
    let query = Query { after: Some(message(2).hash), ..query };
    assert!(!store.retrieve(query, NOW).await?.more);
    let query = Query { after: Some(message(4).hash), ..query };
    assert_eq!(store.retrieve(query, NOW).await?, Page::default());
    Ok(())
}

/// Messages of many sizes, read page by page, are the whole list.
pub async fn pages_add_up_to_the_whole(store: Store) -> Outcome {
    for n in 0..300_u16 {
        let data = vec![7; usize::from(n) * 37 % 5_000];
        let expiry = NOW + HOUR + u64::from(n % 3);
        store.store(MessageRecord { data, expiry, ..message(n) }, NOW).await?;
    }
    let now = NOW + HOUR;
    let whole = store.retrieve(everything(), now).await?;
    assert_eq!(hashes(&whole), names((0..300).filter(|n| n % 3 != 0)));
    for (max_size, max_count) in [(0, None), (4_000, None), (30_000, None), (30_000, Some(3))] {
        let mut read = Vec::new();
        loop {
            let after = read.last().map(|message: &crate::StoredMessage| message.hash);
            let query = Query { after, max_size, max_count, ..everything() };
            let page = store.retrieve(query, now).await?;
            let size: usize = page.messages.iter().map(crate::StoredMessage::wire_size).sum();
            assert!(size <= max_size || page.messages.len() == 1);
            read.extend(page.messages);
            if !page.more {
                break;
            }
        }
        assert!(read == whole.messages, "in pages of {max_size} bytes");
    }
    Ok(())
}

/// From the end, and on before the last message the reader has.
pub async fn the_newest_come_first_where_asked(store: Store) -> Outcome {
    fill(&store, 1..=5).await?;
    let query = Query { newest_first: true, max_count: Some(2), ..everything() };
    let page = store.retrieve(query, NOW).await?;
    assert_eq!((hashes(&page), page.more), (names([5, 4]), true));
    let query = Query { after: Some(message(2).hash), ..query };
    let page = store.retrieve(query, NOW).await?;
    assert_eq!((hashes(&page), page.more), (names([1]), false));
    let query = Query { after: Some(message(1).hash), ..query };
    assert_eq!(store.retrieve(query, NOW).await?, Page::default());
    let query = Query { after: Some(message(9).hash), ..query };
    assert_eq!(hashes(&store.retrieve(query, NOW).await?), names([5, 4]));
    Ok(())
}
