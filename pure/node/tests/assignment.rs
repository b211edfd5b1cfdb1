//! Which node is in which swarm: whole, of the right size, the same everywhere, and few moves.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use warren_node::assignment::assign;
use warren_wire::{NodeId, SwarmId};

type Swarms = BTreeMap<NodeId, SwarmId>;

fn node(number: u32) -> NodeId {
    // Ids lie anywhere: the order in which nodes came is not the order of their ids.
    let number = number.wrapping_mul(0x9e37_79b9);
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    NodeId::from_bytes(bytes)
}

fn nodes(numbers: impl IntoIterator<Item = u32>) -> BTreeSet<NodeId> {
    numbers.into_iter().map(node).collect()
}

fn sizes(swarms: &Swarms) -> Vec<usize> {
    let mut sizes: BTreeMap<SwarmId, usize> = BTreeMap::new();
    for swarm in swarms.values() {
        *sizes.entry(*swarm).or_default() += 1;
    }
    sizes.into_values().collect()
}

/// How many nodes that were there before have another swarm now.
fn moves(before: &Swarms, after: &Swarms) -> usize {
    after.iter().filter(|(id, swarm)| before.get(id).is_some_and(|old| old != *swarm)).count()
}

#[test]
fn a_small_network_is_one_swarm() {
    for count in 1..=13 {
        let swarms = assign(&Swarms::new(), &nodes(0..count), 1);
        assert_eq!(sizes(&swarms), [count as usize]);
        assert!(swarms.values().all(|swarm| *swarm == SwarmId(0)));
    }
}

#[test]
fn there_is_a_swarm_for_every_seven_nodes() {
    for (count, expected) in [(14, 2), (20, 2), (21, 3), (28, 4), (70, 10), (700, 100)] {
        let swarms = assign(&Swarms::new(), &nodes(0..count), 1);
        assert_eq!(sizes(&swarms).len(), expected, "{count}: {:?}", sizes(&swarms));
    }
}

#[test]
fn the_same_list_and_seed_give_the_same_swarms_and_another_seed_others() {
    let before = assign(&Swarms::new(), &nodes(0..30), 5);
    let joined = nodes(0..40);
    assert_eq!(assign(&before, &joined, 9), assign(&before, &joined, 9));
    assert_ne!(assign(&before, &joined, 9), assign(&before, &joined, 10));
}

#[test]
fn nothing_moves_where_nothing_changes() {
    let before = assign(&Swarms::new(), &nodes(0..100), 5);
    assert_eq!(assign(&before, &nodes(0..100), 77), before);
}

#[test]
fn a_starving_swarm_is_fed_by_a_large_one_or_dissolved() {
    let two = |left: u32, right: u32| -> Swarms {
        let left = (0..left).map(|number| (node(number), SwarmId(0)));
        left.chain((100..100 + right).map(|number| (node(number), SwarmId(1 << 63)))).collect()
    };
    let ids = |swarms: &Swarms| swarms.keys().copied().collect::<BTreeSet<_>>();
    let before = two(10, 3);
    let after = assign(&before, &ids(&before), 1);
    assert_eq!(sizes(&after), [8, 5]);
    assert_eq!(moves(&before, &after), 2);
    let before = two(5, 4);
    let after = assign(&before, &ids(&before), 1);
    assert_eq!(sizes(&after), [9]);
    assert_eq!(moves(&before, &after), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn through_joins_and_leaves_every_node_has_one_swarm_of_five_to_ten(
        start in 1..80_u32,
        seed: u64,
        steps in proptest::collection::vec((any::<bool>(), 1..4_u32, any::<prop::sample::Index>()), 0..60),
    ) {
        let mut present: BTreeSet<u32> = (0..start).collect();
        let mut next = start;
        let mut before = assign(&Swarms::new(), &nodes(present.iter().copied()), seed);
        for (round, (joins, count, which)) in (1..).zip(steps) {
            for _ in 0..count {
                if joins {
                    present.insert(next);
                    next += 1;
                } else if present.len() > 1 {
                    let gone = *present.iter().nth(which.index(present.len())).unwrap();
                    present.remove(&gone);
                }
            }
            let now = nodes(present.iter().copied());
            let after = assign(&before, &now, seed ^ round);
            prop_assert_eq!(after.keys().copied().collect::<BTreeSet<_>>(), now);
            let sizes = sizes(&after);
            if sizes.len() > 1 {
                prop_assert!(sizes.iter().all(|size| (5..=10).contains(size)), "{:?}", sizes);
            } else {
                prop_assert!(sizes[0] < 14);
            }
            before = after;
        }
    }

    #[test]
    fn one_node_that_joins_or_leaves_moves_few(count in 20..150_u32, seed: u64, gone in any::<prop::sample::Index>()) {
        let before = assign(&Swarms::new(), &nodes(0..count), seed);
        let joined = assign(&before, &nodes(0..=count), seed);
        // Seven, where the new node is the one that makes a further swarm possible.
        let founded = sizes(&joined).len() > sizes(&before).len();
        let most = if founded { 7 } else { 0 };
        prop_assert!(moves(&before, &joined) <= most);
        let gone = u32::try_from(gone.index(count as usize)).unwrap();
        let left = assign(&before, &nodes((0..count).filter(|number| *number != gone)), seed);
        // One to feed the swarm that it left, or the four others of a swarm that is dissolved.
        prop_assert!(moves(&before, &left) <= 4);
    }
}
