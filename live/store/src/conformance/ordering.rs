//! What owners' orders do.

use warren_wire::limits::DAY;
use warren_wire::record::{
    Change, Drawers, ExpireMode, MessageRecord, Order, Record, SubaccountToken,
};
use warren_wire::{Namespace, Stamp, Value, bencode};

use super::{
    HOUR, NOW, Outcome, Store, account, everything, fill, hashes, kept, message, names, order,
};
use crate::revocations::{KEPT, ORDERS as ACCESS_ORDERS};
use crate::union::ORDER_LIFE;
use crate::{Applied, MailStore, MemoryStore, Merged, Query, StoreError};

const LATER: Stamp = Stamp::at(NOW + 10);

fn in_drawer(n: u16, number: i16) -> MessageRecord {
    MessageRecord { namespace: Namespace::new(number), ..message(n) }
}

/// An order removes what was stored before it; a later store of the same bytes is new.
pub async fn an_order_removes_what_came_before_it(store: Store) -> Outcome {
    fill(&store, 1..=2).await?;
    let applied = store.apply(order(LATER, Change::Delete(names([1]))), NOW).await?;
    let deleted = vec![(Namespace::DIRECT, message(1).hash)];
    assert_eq!(applied, Applied { deleted, ..Applied::default() });
    let late_copy = store.store(message(1), NOW).await?;
    assert_eq!((late_copy.already, late_copy.overruled), (false, Some(LATER)));
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([2]));
    let again = MessageRecord { stored: LATER.next(), ..message(1) };
    assert_eq!(store.store(again, NOW).await?.overruled, None);
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([2, 1]));
    Ok(())
}

/// A coordinator learns that its stamp was too small.
pub async fn a_message_stored_after_an_order_withstands_it(store: Store) -> Outcome {
    store.store(MessageRecord { stored: LATER, ..message(1) }, NOW).await?;
    let early = Stamp::at(NOW);
    let delete = Change::Delete(names([1, 2]));
    let applied = store.apply(order(early, delete.clone()), NOW).await?;
    assert_eq!(applied, Applied { overruled: Some(LATER), ..Applied::default() });
    let expire = Change::Expire(vec![(message(1).hash, NOW + 5)], ExpireMode::Set);
    let applied = store.apply(order(early, expire), NOW).await?;
    assert_eq!(applied.overruled, Some(LATER));
    assert_eq!(applied.unchanged, [(message(1).hash, NOW + HOUR)]);
    // The same request, repeated with a greater stamp.
    let again = Order { stamp: LATER.next(), ..order(early, delete) };
    assert_eq!(store.apply(again, NOW).await?.deleted.len(), 1);
    // What is for whole drawers does not say so: what came later is not meant.
    store.store(MessageRecord { stored: LATER.next().next(), ..message(1) }, NOW).await?;
    let all = store.apply(order(early, Change::DeleteAll(Drawers::All)), NOW).await?;
    assert_eq!(all, Applied::default());
    Ok(())
}

/// All of a mailbox or one drawer of it.
pub async fn deleting_all_means_the_drawers_it_names(store: Store) -> Outcome {
    for (n, number) in [(3, 5), (1, -10), (2, 0)] {
        store.store(in_drawer(n, number), NOW).await?;
    }
    store.store(MessageRecord { owner: account(2), ..message(2) }, NOW).await?;
    let one = Change::DeleteAll(Drawers::One(Namespace::new(5)));
    let applied = store.apply(order(LATER, one), NOW).await?;
    assert_eq!(applied.deleted, [(Namespace::new(5), message(3).hash)]);
    let applied = store.apply(order(LATER, Change::DeleteAll(Drawers::All)), NOW).await?;
    let gone = [(Namespace::new(-10), message(1).hash), (Namespace::DIRECT, message(2).hash)];
    assert_eq!(applied.deleted, gone);
    assert_eq!(store.counts().await?.messages, 1);
    Ok(())
}

/// By what the sender says of the time, that time included.
pub async fn deleting_before_a_time_minds_the_timestamp(store: Store) -> Outcome {
    fill(&store, 1..=4).await?;
    let before = Change::DeleteBefore(Drawers::All, NOW + 2);
    let applied = store.apply(order(LATER, before), NOW).await?;
    assert_eq!(applied.deleted.len(), 2);
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([3, 4]));
    let late = MessageRecord { timestamp: NOW, ..message(5) };
    assert_eq!(store.store(late, NOW).await?.overruled, Some(LATER));
    Ok(())
}

/// A replay of a request to delete all removes nothing that was stored since.
pub async fn a_replay_of_deleting_all_removes_nothing_new(store: Store) -> Outcome {
    let all = order(Stamp::at(NOW + 10), Change::DeleteAll(Drawers::All));
    store.apply(all.clone(), NOW).await?;
    store.store(MessageRecord { stored: Stamp::at(NOW + 20), ..message(1) }, NOW).await?;
    let replay = Order { stamp: Stamp::at(NOW + 30), ..all };
    assert_eq!(store.apply(replay, NOW).await?, Applied::default());
    assert_eq!(hashes(&store.retrieve(everything(), NOW).await?), names([1]));
    assert_eq!(store.counts().await?.orders, 1);
    Ok(())
}

/// Set, extended, shortened; what an order reaches and does not change is named too.
pub async fn an_expiry_moves_the_way_the_order_says(store: Store) -> Outcome {
    use ExpireMode::{Extend, Set, Shorten};
    fill(&store, [1]).await?;
    let hash = message(1).hash;
    for (step, (mode, to, expected, changed)) in (1..).zip([
        (Extend, NOW + HOUR - 1, NOW + HOUR, false),
        (Extend, NOW + 2 * HOUR, NOW + 2 * HOUR, true),
        (Shorten, NOW + 3 * HOUR, NOW + 2 * HOUR, false),
        (Shorten, NOW + HOUR, NOW + HOUR, true),
        (Set, NOW + 9 * HOUR, NOW + 9 * HOUR, true),
        (Set, NOW + 9 * HOUR, NOW + 9 * HOUR, true),
    ]) {
        let change = Change::Expire(vec![(hash, to), (message(9).hash, to)], mode);
        let applied = store.apply(order(Stamp::at(NOW + step), change), NOW).await?;
        let updated = [(Namespace::DIRECT, hash, expected)];
        let unchanged = [(hash, expected)];
        assert_eq!(applied.updated, if changed { &updated[..] } else { &[] }, "{step}");
        assert_eq!(applied.unchanged, if changed { &[] } else { &unchanged[..] }, "{step}");
        assert_eq!(store.expiries(account(1), None, NOW).await?, unchanged, "{step}");
        let page = store.retrieve(everything(), NOW).await?;
        assert!(page.messages.iter().all(|kept| kept.expiry == expected));
    }
    assert_eq!(store.expire(NOW + 2 * HOUR).await?, 0);
    assert_eq!(store.expire(NOW + 9 * HOUR).await?, 1);
    Ok(())
}

/// Only what would live longer.
pub async fn expiring_all_shortens(store: Store) -> Outcome {
    for (n, life) in [(1, HOUR), (2, 2 * HOUR), (3, 3 * HOUR)] {
        store.store(MessageRecord { expiry: NOW + life, ..message(n) }, NOW).await?;
    }
    let all = Change::ExpireAll(Drawers::One(Namespace::DIRECT), NOW + 2 * HOUR);
    let applied = store.apply(order(LATER, all), NOW).await?;
    assert_eq!(applied.updated, [(Namespace::DIRECT, message(3).hash, NOW + 2 * HOUR)]);
    let unchanged = [(message(1).hash, NOW + HOUR), (message(2).hash, NOW + 2 * HOUR)];
    assert_eq!(applied.unchanged, unchanged);
    assert_eq!(store.expire(NOW + 2 * HOUR).await?, 3);
    Ok(())
}

/// What an order moved is read with the data it was stored with, under the expiry that counts.
pub async fn an_order_for_a_whole_mailbox_leaves_the_data_alone(store: Store) -> Outcome {
    let large = |n| MessageRecord { data: vec![0xab; 5_000], proof: Some(vec![7]), ..message(n) };
    for n in 0..40 {
        store.store(large(n), NOW).await?;
    }
    let all = Change::ExpireAll(Drawers::All, NOW + 500);
    assert_eq!(store.apply(order(LATER, all), NOW + 10).await?.updated.len(), 40);
    let page = store.retrieve(everything(), NOW + 499).await?;
    let expected = (0..40).map(|n| kept(&MessageRecord { expiry: NOW + 500, ..large(n) }));
    assert_eq!(page.messages, expected.collect::<Vec<_>>());
    // The record is what its sender asked for.
    let records = store.mailbox(account(1), NOW + 10).await?;
    assert_eq!(records.first(), Some(&Record::Message(large(0))));
    assert_eq!(store.expire(NOW + 500).await?, 40);
    Ok(())
}

/// An earlier order that comes late changes what a later one left, and not the other way.
pub async fn orders_count_by_their_stamps(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    let hash = message(1).hash;
    let expire =
        |at, to, mode| order(Stamp::at(NOW + at), Change::Expire(vec![(hash, NOW + to)], mode));
    store.apply(expire(20, 500, ExpireMode::Shorten), NOW).await?;
    let applied = store.apply(expire(10, 400, ExpireMode::Set), NOW).await?;
    assert_eq!(applied.updated, [(Namespace::DIRECT, hash, NOW + 400)]);
    let applied = store.apply(expire(15, 700, ExpireMode::Set), NOW).await?;
    assert_eq!(applied.unchanged, [(hash, NOW + 500)]);
    assert_eq!(store.expiries(account(1), None, NOW).await?, [(hash, NOW + 500)]);
    Ok(())
}

/// What an order does may follow from its stamp: with the stamp that counts comes what counts.
pub async fn an_order_that_comes_again_does_what_its_stamp_says(store: Store) -> Outcome {
    fill(&store, [1]).await?;
    let hash = message(1).hash;
    let expire = |at: Stamp, to| Order {
        stamp: at,
        ..order(LATER, Change::Expire(vec![(hash, to)], ExpireMode::Set))
    };
    let again = |at, to| Order { proof: vec![1], ..expire(at, to) };
    let (first, second) = (again(LATER, NOW + 100), again(LATER.next(), NOW + 200));
    for (given, counts) in [(&first, &first), (&second, &second), (&first, &second)] {
        store.apply(given.clone(), NOW).await?;
        let mailbox = store.mailbox(account(1), NOW).await?;
        assert_eq!(mailbox.last(), Some(&Record::Order(counts.clone())));
        // Another message of the owner, and one order more, have everything read anew.
        store.store(message(2), NOW).await?;
        store.apply(order(LATER, Change::ExpireAll(Drawers::All, NOW + HOUR)), NOW).await?;
        let to = if counts == &first { NOW + 100 } else { NOW + 200 };
        assert_eq!(store.expiries(account(1), Some(vec![hash]), NOW).await?, [(hash, to)]);
    }
    Ok(())
}

/// Expired messages are neither removed by name nor brought back.
pub async fn what_had_expired_is_out_of_reach(store: Store) -> Outcome {
    fill(&store, 1..=2).await?;
    let then = NOW + HOUR;
    let delete = order(Stamp::at(then), Change::Delete(names([1])));
    assert_eq!(store.apply(delete, then).await?, Applied::default());
    let revive = Change::Expire(vec![(message(2).hash, then + HOUR)], ExpireMode::Set);
    assert_eq!(store.apply(order(Stamp::at(then), revive), then).await?, Applied::default());
    assert_eq!(store.expiries(account(1), None, then).await?, []);
    let query = Query { newest_first: true, ..everything() };
    assert_eq!(store.retrieve(query, then).await?.messages, []);
    Ok(())
}

/// Messages live on by one extension after the other, as a client's configuration does: orders that
/// are past their time are forgotten, and their effect with the message alone.
pub async fn a_chain_of_extensions_outlives_its_orders(store: Store) -> Outcome {
    let day = |n: u64| NOW + n * DAY;
    let hash = message(1).hash;
    store.store(MessageRecord { expiry: day(30), ..message(1) }, NOW).await?;
    for at in [25, 50, 75, 100] {
        let extend = Change::Expire(vec![(hash, day(at + 30))], ExpireMode::Extend);
        let applied = store.apply(order(Stamp::at(day(at)), extend), day(at)).await?;
        assert_eq!(applied.updated, [(Namespace::DIRECT, hash, day(at + 30))], "day {at}");
        for later in [at + 7, at + 24] {
            assert_eq!(store.expire(day(later)).await?, 0, "day {later}");
            let expiries = store.expiries(account(1), None, day(later)).await?;
            assert_eq!(expiries, [(hash, day(at + 30))], "day {later}");
        }
    }
    assert_eq!(store.counts().await?.orders, 1);
    // What changes nothing has everything computed anew.
    let shorten = Change::ExpireAll(Drawers::All, day(131));
    let applied = store.apply(order(Stamp::at(day(124)), shorten), day(124)).await?;
    assert_eq!(applied.unchanged, [(hash, day(130))]);
    let page = store.retrieve(everything(), day(124)).await?;
    assert_eq!(page.messages.iter().map(|kept| kept.expiry).collect::<Vec<_>>(), [day(130)]);
    // Another member learns the same of what is left.
    let member = MemoryStore::default();
    let mut records = store.mailbox(account(1), day(124)).await?;
    records.reverse();
    member.merge(records, day(124)).await?;
    assert_eq!(member.expiries(account(1), None, day(124)).await?, [(hash, day(130))]);
    assert_eq!(store.expire(day(130)).await?, 1);
    Ok(())
}

/// Those asked for, each once in that order; or all, by hash.
pub async fn expiries_name_what_is_there(store: Store) -> Outcome {
    fill(&store, 1..=3).await?;
    store.store(in_drawer(4, 7), NOW).await?;
    let asked = Some(names([3, 9, 4, 3]));
    let found = store.expiries(account(1), asked, NOW).await?;
    let expected = names([3, 4]).into_iter().map(|hash| (hash, NOW + HOUR));
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(store.expiries(account(1), None, NOW).await?.len(), 4);
    assert_eq!(store.expiries(account(2), None, NOW).await?, []);
    assert_eq!(store.expiries(account(1), None, NOW + HOUR).await?, []);
    Ok(())
}

/// Longer than any message lives that they may be for.
pub async fn orders_are_kept_for_31_days(store: Store) -> Outcome {
    store.apply(order(Stamp::at(NOW), Change::Delete(names([1]))), NOW).await?;
    store.expire(NOW + ORDER_LIFE - 1).await?;
    assert_eq!(store.counts().await?.orders, 1);
    assert_eq!(store.mailbox(account(1), NOW + ORDER_LIFE - 1).await?.len(), 1);
    assert_eq!(store.mailbox(account(1), NOW + ORDER_LIFE).await?, []);
    assert_eq!(store.expire(NOW + ORDER_LIFE).await?, 0);
    assert_eq!(store.counts().await?.orders, 0);
    assert_eq!(store.store(message(1), NOW).await?.overruled, None);
    Ok(())
}

const fn token(n: u8) -> SubaccountToken {
    SubaccountToken([n; 36])
}

/// By the last word on each, and per owner.
pub async fn subaccounts_lose_and_regain_their_rights(store: Store) -> Outcome {
    assert_eq!(store.revoked(account(1)).await?, []);
    let revoke = order(Stamp::at(NOW + 5), Change::Revoke(vec![token(2), token(1)]));
    store.apply(revoke, NOW).await?;
    assert_eq!(store.revoked(account(1)).await?, [token(2), token(1)]);
    assert_eq!(store.revoked(account(2)).await?, []);
    let early = order(Stamp::at(NOW), Change::Unrevoke(vec![token(2)]));
    assert_eq!(store.apply(early.clone(), NOW).await?.overruled, Some(Stamp::at(NOW + 5)));
    assert_eq!(store.revoked(account(1)).await?, [token(2), token(1)]);
    let late = Order { stamp: Stamp::at(NOW + 6), ..early };
    assert_eq!(store.apply(late, NOW).await?, Applied::default());
    assert_eq!(store.revoked(account(1)).await?, [token(1)]);
    Ok(())
}

/// The last ones, in order of revocation, and longer than other orders.
pub async fn the_last_revocations_stay(store: Store) -> Outcome {
    let count = u8::try_from(KEPT).unwrap_or(u8::MAX) + 3;
    for n in 0..count {
        let stamp = Stamp::at(NOW + u64::from(n));
        store.apply(order(stamp, Change::Revoke(vec![token(n)])), NOW).await?;
    }
    let last: Vec<_> = (3..count).map(token).collect();
    assert_eq!(store.revoked(account(1)).await?, last);
    let long_after = NOW + 5 * ORDER_LIFE;
    store.expire(long_after).await?;
    assert_eq!(store.revoked(account(1)).await?, last);
    assert_eq!(store.counts().await?.orders, u64::try_from(KEPT).unwrap_or_default());
    assert_eq!(store.mailbox(account(1), long_after).await?.len(), KEPT);
    Ok(())
}

/// An owner has only so many orders in force: they outlive what they were for.
pub async fn an_owner_has_room_for_so_many_orders(store: Store) -> Outcome {
    let delete = order(Stamp::at(NOW), Change::Delete(names([1])));
    let large = |n: u8| Order { proof: vec![n; 1 << 20], ..delete.clone() };
    fill(&store, 1..=1).await?;
    for n in 0..15 {
        store.merge(vec![Record::Order(large(n))], NOW).await?;
    }
    assert_eq!(store.apply(large(15), NOW).await?.overruled, None);
    assert_eq!(store.apply(large(16), NOW).await, Err(StoreError::TooManyOrders));
    // Those that are there may come again, others' mailboxes have room of their own, and members may
    // know more together.
    store.apply(large(3), NOW).await?;
    store.apply(Order { owner: account(2), ..large(16) }, NOW).await?;
    assert_eq!(store.merge(vec![Record::Order(large(16))], NOW).await?, [Merged::New]);
    for n in 17..64 {
        store.merge(vec![Record::Order(large(n))], NOW).await?;
    }
    assert_eq!(store.merge(vec![Record::Order(large(64))], NOW).await?, [Merged::Refused]);
    // Of orders for whole drawers only those are kept that do more than others.
    assert_eq!(store.counts().await?.orders, 65);
    store.expire(NOW + 31 * 24 * HOUR + 1).await?;
    store.apply(large(0), NOW).await?;
    for (n, time) in [(0, 0), (1, 3), (2, 2), (3, 1)] {
        let hours = NOW + n * HOUR;
        for change in [
            Change::DeleteAll(Drawers::All),
            Change::DeleteBefore(Drawers::All, NOW + n),
            Change::ExpireAll(Drawers::All, NOW + 9 * HOUR + time),
        ] {
            store.apply(order(Stamp::at(hours), change), hours).await?;
        }
    }
    // The last that deletes all and one that came with it; the last that shortens and one that goes
    // farther.
    assert_eq!(store.counts().await?.orders, 1 + 4);
    Ok(())
}

/// An order on something that is not there, with a proof of a mebibyte.
fn large(n: u8, proof: Vec<u8>) -> Order {
    Order { proof, ..order(Stamp::at(NOW), Change::Delete(names([900 + u16::from(n)]))) }
}

async fn fill_the_owner_s_room(store: &Store) -> Outcome {
    let mut refused = 0;
    for n in 0..70 {
        let merged = store.merge(vec![Record::Order(large(n, vec![n; 1 << 20]))], NOW).await?;
        refused += usize::from(merged == [Merged::Refused]);
    }
    assert!(refused > 0);
    assert_eq!(store.apply(large(100, vec![100; 8]), NOW).await, Err(StoreError::TooManyOrders));
    Ok(())
}

/// Whoever may write in a group's mailbox cannot keep the group's owner from deleting.
pub async fn a_subaccount_does_not_take_the_owner_s_room(store: Store) -> Outcome {
    let by_subaccount = |n: u8| {
        let padding = vec![n; 1 << 20];
        let params = Value::dict([
            ("padding", Value::Bytes(padding)),
            ("subaccount", Value::Bytes(vec![3; 36])),
        ]);
        let proof = Value::dict([("m", "expire".into()), ("p", params)]);
        large(n, bencode::encode(&proof).unwrap_or_default())
    };
    fill(&store, 1..=3).await?;
    for n in 0..3 {
        store.apply(by_subaccount(n), NOW).await?;
    }
    assert_eq!(store.apply(by_subaccount(3), NOW).await, Err(StoreError::TooManyOrders));
    for n in 3..15 {
        let merged = store.merge(vec![Record::Order(by_subaccount(n))], NOW).await?;
        assert_eq!(merged, [Merged::New]);
    }
    let merged = store.merge(vec![Record::Order(by_subaccount(15))], NOW).await?;
    assert_eq!(merged, [Merged::Refused]);
    store.apply(order(Stamp::at(NOW), Change::Revoke(vec![token(1)])), NOW).await?;
    let delete = order(Stamp::at(NOW), Change::Delete(names([1])));
    assert_eq!(store.apply(delete, NOW).await?.deleted.len(), 1);
    let empty = order(Stamp::at(NOW), Change::DeleteAll(Drawers::All));
    assert_eq!(store.apply(empty, NOW).await?.deleted.len(), 2);
    // Nor does the owner take theirs, and what has ended leaves room.
    fill_the_owner_s_room(&store).await?;
    let then = NOW + ORDER_LIFE;
    store.expire(then).await?;
    store.apply(Order { stamp: Stamp::at(then), ..by_subaccount(3) }, then).await?;
    Ok(())
}

/// However many orders the owner has; and of them so many are kept.
pub async fn orders_on_subaccounts_always_have_room(store: Store) -> Outcome {
    fill_the_owner_s_room(&store).await?;
    let full = store.counts().await?.orders;
    let token = |n: u16| {
        let mut token = [7; 36];
        if let Some(end) = token.last_chunk_mut() {
            *end = n.to_be_bytes();
        }
        SubaccountToken(token)
    };
    let most = u16::try_from(ACCESS_ORDERS).unwrap_or(u16::MAX);
    for n in 0..most + 20 {
        let revoke = order(Stamp::at(NOW + u64::from(n)), Change::Revoke(vec![token(n)]));
        store.apply(revoke, NOW).await?;
    }
    let last: Vec<_> = (most + 20 - 50..most + 20).map(token).collect();
    assert_eq!(store.revoked(account(1)).await?, last);
    assert_eq!(store.counts().await?.orders, full + u64::from(most));
    let old = order(Stamp::at(NOW), Change::Revoke(vec![token(0)]));
    assert_eq!(store.merge(vec![Record::Order(old)], NOW).await?, [Merged::Known]);
    assert_eq!(store.counts().await?.orders, full + u64::from(most));
    Ok(())
}

/// What messages in public outboxes replace counts for no share, and is noted though the owner's is
/// full.
pub async fn replacements_take_no_room(store: Store) -> Outcome {
    let outgoing = |n: u16| MessageRecord {
        namespace: Namespace::new(-1),
        timestamp: NOW - u64::from(n),
        stored: Stamp::at(NOW + u64::from(n)),
        expiry: NOW + u64::from(n) + 1,
        proof: Some(vec![1; 1 << 20]),
        ..message(n)
    };
    for n in 0..4 {
        store.store(outgoing(n), NOW + u64::from(n)).await?;
    }
    assert_eq!(store.counts().await?.orders, 4);
    fill_the_owner_s_room(&store).await?;
    let full = store.counts().await?.orders;
    store.store(outgoing(4), NOW + 4).await?;
    assert_eq!(store.counts().await?.orders, full + 1);
    Ok(())
}
