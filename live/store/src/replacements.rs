//! Which of the orders are kept by which messages in public outboxes replace older ones.
//!
//! Nobody signs their stamps, and those whose timestamps fall while their stamps rise do not outdo
//! each other: without a bound one owner, or one member that lies, could make as many as it likes.
//! Those that reach farthest stay. Which these are follows from the set of them alone, so that
//! members who told each other all they have keep the same.

use std::collections::BTreeMap;

use warren_wire::Millis;
use warren_wire::record::{Drawers, ItemId};

use crate::union::{Rule, Ruling};

/// How many are kept for one drawer.
pub const OF_DRAWER: usize = 64;
/// How many are kept for all drawers of an owner.
pub const OF_OWNER: usize = 1_024;

/// Those of an owner's rulings, with the names of their orders, that are too many, where any are.
/// `id` gives what decides between two that reach equally far under one stamp: the id of the order's
/// item under stamp 0, which is the same in every engine.
///
/// # Errors
/// Those of `id`.
pub fn surplus<N, E>(
    rulings: impl IntoIterator<Item = (N, Ruling)>,
    mut id: impl FnMut(&N) -> Result<ItemId, E>,
) -> Result<Vec<N>, E> {
    let mut all: Vec<_> = rulings.into_iter().filter_map(replacement).collect();
    if all.len() <= OF_DRAWER {
        return Ok(Vec::new());
    }
    all.sort_unstable_by_key(|(_, ruling, last)| std::cmp::Reverse((*last, ruling.stamp)));
    let mut ranked = Vec::with_capacity(all.len());
    let mut all = all.into_iter().peekable();
    while let Some(first) = all.next() {
        let reach = |(_, ruling, last): &(N, Ruling, Millis)| (*last, ruling.stamp);
        let own = reach(&first);
        let mut tied = vec![first];
        while let Some(next) = all.next_if(|next| reach(next) == own) {
            tied.push(next);
        }
        if tied.len() > 1 {
            let mut by_id = BTreeMap::new();
            for one in tied {
                by_id.insert(id(&one.0)?, one);
            }
            ranked.extend(by_id.into_values().rev());
        } else {
            ranked.append(&mut tied);
        }
    }
    let (mut in_drawers, mut kept) = (BTreeMap::new(), 0_usize);
    let is_surplus = |(name, ruling, _): (N, Ruling, Millis)| {
        let drawer = match ruling.drawers {
            Drawers::One(namespace) => Some(namespace.number()),
            Drawers::All => None,
        };
        let in_drawer = in_drawers.entry(drawer).or_insert(0_usize);
        if *in_drawer < OF_DRAWER && kept < OF_OWNER {
            *in_drawer = in_drawer.saturating_add(1);
            kept = kept.saturating_add(1);
            return None;
        }
        Some(name)
    };
    Ok(ranked.into_iter().filter_map(is_surplus).collect())
}

const fn is_replacement(ruling: &Ruling) -> Option<Millis> {
    match ruling.rule {
        Rule::Replace(last) => Some(last),
        _ => None,
    }
}

fn replacement<N>((name, ruling): (N, Ruling)) -> Option<(N, Ruling, Millis)> {
    is_replacement(&ruling).map(|last| (name, ruling, last))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use warren_wire::{Namespace, Stamp};

    use super::*;

    /// The numbers of those that are too many, of orders given as drawer, reach and stamp.
    fn too_many(orders: impl IntoIterator<Item = (i16, u64, u64)>) -> Vec<u64> {
        let ruling = |(drawer, last, stamp)| Ruling {
            stamp: Stamp(stamp),
            hash: None,
            drawers: Drawers::One(Namespace::new(drawer)),
            rule: Rule::Replace(last),
        };
        let id = |number: &u64| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            Ok::<_, Infallible>(id)
        };
        let Ok(mut found) = surplus((0..).zip(orders.into_iter().map(ruling)), id);
        found.sort_unstable();
        found
    }

    fn drawer(n: u64) -> i16 {
        -1 - 20 * i16::try_from(n).unwrap()
    }

    #[test]
    fn those_that_reach_farthest_stay() {
        assert_eq!(too_many((0..64).map(|n| (-1, 99 - n, n))), [0; 0]);
        assert_eq!(too_many((0..66).map(|n| (-1, 99 - n, n))), [64, 65]);
        assert_eq!(too_many((0..66).rev().map(|n| (-1, 99 - n, n))), [0, 1]);
        assert_eq!(too_many((0..66).map(|n| (drawer(n % 2), 99 - n, n))), [0; 0]);
        // Of those that reach equally far the greater stamp, then the greater id.
        assert_eq!(too_many((0..66).map(|n| (-1, 5, 99 - n))), [64, 65]);
        assert_eq!(too_many((0..66).map(|_| (-1, 5, 5))), [0, 1]);
    }

    #[test]
    fn drawers_share_the_owner_s_room() {
        let orders = (0..1_100).map(|n| (drawer(n % 20), 9_999 - n, n));
        assert_eq!(too_many(orders), (1_024..1_100).collect::<Vec<_>>());
    }
}
