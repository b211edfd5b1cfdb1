//! Which node keeps mail for which swarm, by the rules of Session's network (wire spec, section 4).
//!
//! The rules work on the swarms there were before, so that few nodes move: a node that stays keeps its
//! swarm unless another swarm would die without it or a new one is made.

use std::collections::{BTreeMap, BTreeSet};

use rand_mt::Mt64;
use warren_wire::swarm::INVALID_SWARM;
use warren_wire::{NodeId, SwarmId};

/// The fewest members with which a swarm goes on; what it has beyond is excess.
pub const FEWEST: usize = 5;
/// The members of a new swarm.
pub const IDEAL: usize = 7;
/// The excess that each swarm keeps when a new one is made.
const MARGIN: usize = 2;
/// A joining node goes to one of the swarms up to the size that this many percent do not exceed.
const JOIN_PERCENT: usize = 25;
/// The same for a node whose swarm is dissolved: the smallest.
const REJOIN_PERCENT: usize = 0;
/// A starving swarm takes from those whose size at least this many percent reach.
const TAKE_PERCENT: usize = 75;

/// Gives every node a swarm.
///
/// The same `previous`, `nodes` and `seed` give the same swarms everywhere. Fewer than five nodes in
/// all make one swarm.
pub fn assign(
    previous: &BTreeMap<NodeId, SwarmId>,
    nodes: &BTreeSet<NodeId>,
    seed: u64,
) -> BTreeMap<NodeId, SwarmId> {
    let mut swarms = Swarms { members: BTreeMap::new(), generator: Mt64::new(seed) };
    let mut joining = Vec::new();
    for node in nodes {
        match previous.get(node) {
            Some(swarm) if *swarm != INVALID_SWARM => {
                swarms.members.entry(swarm.0).or_default().push(*node);
            }
            _ => joining.push(*node),
        }
    }
    if swarms.members.is_empty() {
        swarms.members.insert(0, Vec::new());
    }
    swarms.join(joining, JOIN_PERCENT);
    swarms.feed_the_starving();
    swarms.split();
    swarms.dissolve_the_starving();
    let placed = swarms.members.into_iter();
    placed
        .flat_map(|(swarm, nodes)| nodes.into_iter().map(move |node| (node, SwarmId(swarm))))
        .collect()
}

struct Swarms {
    members: BTreeMap<u64, Vec<NodeId>>,
    generator: Mt64,
}

impl Swarms {
    /// A number below `bound`, the same on every machine. The last numbers of the generator's range
    /// are drawn again, so that all results are equally likely.
    fn draw(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let number = self.generator.next_u64();
            if number < limit {
                return usize::try_from(number / (limit / bound)).unwrap_or_default();
            }
        }
    }

    /// Sizes and ids, the smallest first.
    fn by_size(&self) -> Vec<(usize, u64)> {
        let mut sizes: Vec<_> = self.members.iter().map(|(id, nodes)| (nodes.len(), *id)).collect();
        sizes.sort_unstable();
        sizes
    }

    /// Places nodes one after the other, each into one of the small swarms.
    fn join(&mut self, nodes: Vec<NodeId>, percent: usize) {
        for node in nodes {
            let sizes = self.by_size();
            let largest = at_percent(&sizes, percent);
            let small = sizes.partition_point(|(size, _)| *size <= largest);
            let drawn = self.draw(small);
            if let Some((_, swarm)) = sizes.get(drawn) {
                self.members.entry(*swarm).or_default().push(node);
            }
            self.split();
        }
    }

    /// Fills swarms below the fewest members from the large ones, as far as their excess goes.
    fn feed_the_starving(&mut self) {
        let sizes = self.by_size();
        let rich = at_percent(&sizes, TAKE_PERCENT).saturating_sub(1).max(FEWEST);
        for (size, starving) in sizes {
            for missing in (1..=FEWEST.saturating_sub(size)).rev() {
                let (pool, excess) = self.members_of_larger(rich);
                if excess < missing {
                    return;
                }
                let drawn = self.draw(pool.len());
                let Some((from, node)) = pool.get(drawn) else { return };
                self.remove(*from, node);
                self.members.entry(starving).or_default().push(*node);
            }
        }
    }

    /// Makes new swarms while the excess suffices for one and leaves every other its margin.
    fn split(&mut self) {
        if self.members.values().any(|nodes| nodes.len() < FEWEST) {
            return;
        }
        while self.excess() >= IDEAL + MARGIN * self.members.len() {
            let mut founders = Vec::with_capacity(IDEAL);
            while founders.len() < IDEAL {
                let (pool, _) = self.members_of_larger(FEWEST);
                let drawn = self.draw(pool.len());
                let Some((from, node)) = pool.get(drawn) else { return };
                self.remove(*from, node);
                founders.push(*node);
            }
            let id = self.new_id();
            self.members.insert(id, founders);
        }
    }

    /// Sends the members of swarms below the fewest to the smallest of the others.
    fn dissolve_the_starving(&mut self) {
        while self.members.len() > 1 {
            let starving = self.members.iter().find(|(_, nodes)| nodes.len() < FEWEST);
            let Some(id) = starving.map(|(id, _)| *id) else { return };
            let nodes = self.members.remove(&id).unwrap_or_default();
            self.join(nodes, REJOIN_PERCENT);
        }
    }

    fn excess(&self) -> usize {
        self.members.values().map(|nodes| nodes.len().saturating_sub(FEWEST)).sum()
    }

    /// Every member of swarms with more than `size` members, and how many those could spare.
    fn members_of_larger(&self, size: usize) -> (Vec<(u64, NodeId)>, usize) {
        let larger = self.members.iter().filter(|(_, nodes)| nodes.len() > size);
        let (mut pool, mut spare) = (Vec::new(), 0);
        for (id, nodes) in larger {
            spare += nodes.len().saturating_sub(FEWEST);
            pool.extend(nodes.iter().map(|node| (*id, *node)));
        }
        (pool, spare)
    }

    fn remove(&mut self, swarm: u64, node: &NodeId) {
        if let Some(nodes) = self.members.get_mut(&swarm) {
            nodes.retain(|member| member != node);
        }
    }

    /// The middle of the largest gap between two swarms on the ring. `u64::MAX` is no place on it:
    /// the largest id and 0 are neighbours.
    fn new_id(&self) -> u64 {
        let ids: Vec<u64> = self.members.keys().copied().collect();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return 0 };
        let mut widest = (0, *last);
        for (left, right) in ids.iter().zip(ids.iter().skip(1)) {
            if right - left > widest.0 {
                widest = (right - left, *left);
            }
        }
        let around = (INVALID_SWARM.0 - last).saturating_add(*first);
        if around > widest.0 {
            widest = (around, *last);
        }
        let (half, to_end) = (widest.0 / 2, INVALID_SWARM.0 - widest.1);
        if half >= to_end { half - to_end } else { widest.1 + half }
    }
}

/// The size that this many percent of the swarms do not exceed.
fn at_percent(sizes: &[(usize, u64)], percent: usize) -> usize {
    let index = percent * sizes.len().saturating_sub(1) / 100;
    sizes.get(index).map_or(0, |(size, _)| *size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(ids: &[u64]) -> u64 {
        let members = ids.iter().map(|id| (*id, Vec::new())).collect();
        Swarms { members, generator: Mt64::new(1) }.new_id()
    }

    #[test]
    fn a_new_swarm_lies_in_the_middle_of_the_largest_gap() {
        assert_eq!(ring(&[]), 0);
        assert_eq!(ring(&[0]), u64::MAX / 2);
        assert_eq!(ring(&[100, 200, 1_000]), 1_000 + (u64::MAX - 900) / 2);
        assert_eq!(ring(&[0, u64::MAX / 2]), u64::MAX / 2 + (u64::MAX - u64::MAX / 2) / 2);
        // Half of this gap leads over the end of the ring.
        assert_eq!(ring(&[u64::MAX / 2, u64::MAX - 10]), (u64::MAX / 2 + 10) / 2 - 10);
    }

    #[test]
    fn the_generator_is_the_one_of_the_standard() {
        // ISO C++, [rand.predef]: the 10,000th number of a default mt19937_64.
        let mut generator = Mt64::new(5_489);
        let last = (0..10_000).map(|_| generator.next_u64()).last();
        assert_eq!(last, Some(9_981_545_732_273_789_042));
    }
}
