//! What any members come to agree on, in whatever order they learn of it.

use proptest::collection::vec;
use proptest::prelude::*;
use warren_wire::Millis;
use warren_wire::record::{Positions, Record};

use super::agreement::{self, same_union};
use super::{NOW, Outcome, Store};
use crate::MailStore;

/// When stores are compared: after all stamps, and before what [`unions`] give
/// has expired.
const THEN: Millis = NOW + 50;

/// Records, and ways to learn of them: for [`any_order_gives_the_same`].
pub fn unions() -> impl Strategy<Value = (Vec<Record>, Vec<Vec<usize>>)> {
    let ways = vec(vec(0..64_usize, 0..40), 1..4);
    let records = prop_oneof![3 => agreement::unions(20), 1 => agreement::antichains()];
    (records, ways)
}

/// What each of some members knows: for [`members_that_tell_each_other_agree`].
pub fn members() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let record = || agreement::records(agreement::all_drawers());
    // Some that reach farther than a part of the others.
    let mixed =
        (agreement::antichains(), vec(agreement::replacements(), 0..3), vec(record(), 0..6))
            .prop_map(|(falling, some, others)| [falling, some, others].concat())
            .prop_shuffle();
    vec(prop_oneof![3 => vec(record(), 0..12), 1 => mixed], 2..4)
}

/// A store that gets some records one way is the same as one that gets them another way: in other
/// batches, another order, some of them twice. `ways` name the records by number, modulo their
/// count; those that a way leaves out come at its end.
///
/// This holds record by record but for public outboxes where a newer message has the earlier
/// timestamp, for messages of one hash with two timestamps, and for those stored again with an
/// earlier expiry after a removal, which keep the later one where the removal is heard of last:
/// there members agree when they have told each other, see [`members_that_tell_each_other_agree`].
pub async fn any_order_gives_the_same(
    records: &[Record],
    ways: &[Vec<usize>],
    open: impl AsyncFn() -> Store,
) -> Outcome {
    let plain = open().await;
    plain.merge(records.to_vec(), THEN).await?;
    for way in ways {
        let store = open().await;
        let sequence = way.iter().copied().chain(0..records.len());
        let sequence: Vec<_> =
            sequence.filter_map(|n| records.get(n % records.len().max(1)).cloned()).collect();
        for batch in sequence.chunks(1 + way.len() % 4) {
            store.merge(batch.to_vec(), THEN).await?;
        }
        same_union(&*store, &*plain, THEN).await?;
        store.close().await;
    }
    plain.close().await;
    Ok(())
}

/// Stores that each got some records, and then tell each other what the other has not, agree.
pub async fn members_that_tell_each_other_agree(
    known: &[Vec<Record>],
    open: impl AsyncFn() -> Store,
) -> Outcome {
    let mut members = Vec::new();
    for records in known {
        let store = open().await;
        for record in records {
            store.merge(vec![record.clone()], THEN).await?;
        }
        members.push(store);
    }
    // Each round may remove what another then need not tell: a few suffice.
    for _ in 0..8 {
        for (from, to) in pairs(&members) {
            tell(&**from, &**to).await?;
        }
    }
    for (one, other) in pairs(&members) {
        same_union(&**one, &**other, THEN).await?;
    }
    for member in members {
        member.close().await;
    }
    Ok(())
}

fn pairs(members: &[Store]) -> impl Iterator<Item = (&Store, &Store)> {
    let pair = |(a, from)| {
        let others = members.iter().enumerate().filter(move |(b, _)| a != *b);
        others.map(move |(_, to)| (from, to))
    };
    members.iter().enumerate().flat_map(pair)
}

/// Gives a store what the other has and it has not.
async fn tell(from: &dyn MailStore, to: &dyn MailStore) -> Outcome {
    let known = to.items(Positions::ALL, THEN).await?;
    let mut items = from.items(Positions::ALL, THEN).await?;
    items.retain(|item| !known.contains(item));
    let (records, looked_at) = from.records(items.clone()).await?;
    assert_eq!((records.len(), looked_at), (items.len(), items.len()), "every item has a record");
    to.merge(records, THEN).await?;
    Ok(())
}
