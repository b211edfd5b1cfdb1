//! Which swarm keeps whose mail: an account's position on a ring of 64-bit swarm ids.

use crate::id::AccountId;
use crate::positions::Positions;

/// A swarm's place on the ring. `u64::MAX` is never a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SwarmId(pub u64);

/// The id of no swarm.
pub const INVALID_SWARM: SwarmId = SwarmId(u64::MAX);

/// The account's position: XOR of the key's four 8-byte chunks, big-endian (wire spec, section 4).
pub fn position(account: &AccountId) -> u64 {
    account.key_bytes().chunks_exact(8).fold(0, |position, chunk| {
        position ^ chunk.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte))
    })
}

/// The swarm nearest to a position, the one to the left where two are equally near.
///
/// Distances wrap around the ring. `None` where there is no swarm.
pub fn nearest(position: u64, swarms: impl IntoIterator<Item = SwarmId>) -> Option<SwarmId> {
    let mut ids: Vec<u64> =
        swarms.into_iter().filter(|id| *id != INVALID_SWARM).map(|id| id.0).collect();
    ids.sort_unstable();
    let at = ids.partition_point(|id| *id < position);
    let right = *ids.get(at).or(ids.first())?;
    let left = *at.checked_sub(1).and_then(|before| ids.get(before)).or(ids.last())?;
    let to_right = right.wrapping_sub(position);
    let to_left = position.wrapping_sub(left);
    Some(SwarmId(if to_right < to_left { right } else { left }))
}

/// The swarm that keeps an account's mail.
pub fn of_account(
    account: &AccountId,
    swarms: impl IntoIterator<Item = SwarmId>,
) -> Option<SwarmId> {
    nearest(position(account), swarms)
}

/// The stretches of the ring that a swarm keeps the mail of, sorted: the positions whose
/// [`nearest`] it is. Two where they run over the ring's end; none for a swarm that is not among
/// `swarms`.
pub fn stretches(swarm: SwarmId, swarms: impl IntoIterator<Item = SwarmId>) -> Vec<Positions> {
    let mut ids: Vec<u64> =
        swarms.into_iter().filter(|id| *id != INVALID_SWARM).map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let Ok(at) = ids.binary_search(&swarm.0) else { return Vec::new() };
    let before = at.checked_sub(1).and_then(|before| ids.get(before)).or(ids.last());
    let after = ids.get(at + 1).or(ids.first());
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    if ids.len() == 1 {
        return vec![Positions::ALL];
    }
    // Of the gap to a neighbour, the left one has its middle.
    let middle = |left: u64, right: u64| left.wrapping_add(right.wrapping_sub(left) / 2);
    let (first, last) = (middle(*before, swarm.0).wrapping_add(1), middle(swarm.0, *after));
    if first <= last {
        vec![Positions { first, last }]
    } else {
        vec![Positions { first: 0, last }, Positions { first, last: u64::MAX }]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ids() -> impl Strategy<Value = Vec<SwarmId>> {
        let id = prop_oneof![any::<u64>(), 0..20_u64, (u64::MAX - 20)..u64::MAX];
        prop::collection::vec(id.prop_map(SwarmId), 1..12)
    }

    proptest! {
        #[test]
        fn a_position_lies_on_the_stretches_of_the_nearest_swarm_alone(
            ids in ids(),
            anywhere: u64,
            offset in -3..4_i64,
            near in any::<prop::sample::Index>(),
        ) {
            // Edges lie in the middle between ids, and near them.
            let one = near.get(&ids).0;
            let middle = one.wrapping_add(ids[0].0.wrapping_sub(one) / 2);
            for base in [anywhere, one, middle] {
                let position = base.wrapping_add_signed(offset);
                for id in &ids {
                    let on = stretches(*id, ids.clone()).iter().any(|it| it.contain(position));
                    prop_assert_eq!(on, nearest(position, ids.clone()) == Some(*id));
                }
            }
        }
    }

    #[test]
    fn one_swarm_keeps_the_whole_ring_and_an_unknown_one_nothing() {
        assert_eq!(stretches(SwarmId(5), [SwarmId(5)]), [Positions::ALL]);
        assert_eq!(stretches(SwarmId(6), [SwarmId(5)]), []);
        assert_eq!(stretches(INVALID_SWARM, [INVALID_SWARM, SwarmId(5)]), []);
    }
}
