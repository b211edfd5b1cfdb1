//! What a node must still gather from others before its own store answers for the swarm: after a
//! start, and after a list that gave it other mail to keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use warren_wire::positions::shared;
use warren_wire::{Millis, NodeId, Positions};

use crate::placement::Placement;
use crate::quorum;

/// How long the nodes that kept mail by an earlier list are asked for it.
pub const FORMER_KEEPERS: Millis = 60 * 60 * 1_000;

/// Nodes that together know all mail of some stretches.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    stretches: Vec<Positions>,
    nodes: BTreeSet<NodeId>,
    needed: usize,
    heard: BTreeSet<NodeId>,
    /// Set where they kept the mail by an earlier list: when they are given up.
    until: Option<Millis>,
}

impl Source {
    fn is_open(&self, now: Millis) -> bool {
        self.heard.len() < self.needed && self.until.is_none_or(|until| now < until)
    }
}

/// A node to compare everything on some stretches with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The node.
    pub node: NodeId,
    /// The stretches.
    pub stretches: Vec<Positions>,
    /// Whether it kept them by an earlier list. It must then go by the same list as this node: what
    /// goes by the earlier one may take more in.
    pub former: bool,
}

/// Whom to ask for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Askable {
    /// The nodes that may have it.
    pub nodes: BTreeSet<NodeId>,
    /// How many of them must have answered to know all that a quorum kept.
    pub needed: usize,
    /// Whether they kept it by an earlier list, and this node did not.
    pub former: bool,
}

/// What is still to be gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gathering {
    sources: Vec<Source>,
}

impl Gathering {
    /// After a start: the other members may have taken in what this one slept through.
    pub fn at_start(placement: &Placement) -> Self {
        Self { sources: members_of(placement).into_iter().collect() }
    }

    /// After a start, a short time after lists were replaced: `formers` are those lists, the last one
    /// last, each with when it was.
    pub fn after_changes(formers: &[(Arc<Placement>, Millis)], placement: &Placement) -> Self {
        let mut gathering = Self::default();
        let afters = formers.iter().skip(1).map(|(after, _)| &**after).chain([placement]);
        for ((before, replaced), after) in formers.iter().zip(afters) {
            gathering.at_change(before, after, *replaced);
        }
        gathering.sources.retain(|source| source.until.is_some());
        gathering.sources.extend(members_of(placement));
        gathering
    }

    /// After a new list: what the other members and the former keepers of gained stretches have.
    pub fn at_change(&mut self, before: &Placement, after: &Placement, now: Millis) {
        for source in &mut self.sources {
            source.stretches = shared(&source.stretches, after.stretches());
        }
        if before.own_swarm() == after.own_swarm() {
            // Those who left may be gone for good: who is a member by this list can be heard.
            let (nodes, needed) = enough_of(after);
            for source in self.sources.iter_mut().filter(|source| source.until.is_none()) {
                source.nodes.clone_from(&nodes);
                source.needed = needed;
            }
        } else {
            self.sources.retain(|source| source.until.is_some());
            self.sources.extend(members_of(after));
        }
        for swarm in before.swarms() {
            let stretches = shared(after.stretches(), &before.stretches_of(swarm));
            if before.own_swarm() == Some(swarm) || stretches.is_empty() {
                continue;
            }
            let nodes: BTreeSet<NodeId> =
                before.list().members(swarm).map(|node| node.id).collect();
            // This node was none of them: of all of them some must be heard that no quorum lacks.
            let needed = (nodes.len() + 1).saturating_sub(quorum::to_keep(nodes.len()));
            let until = Some(now.saturating_add(FORMER_KEEPERS));
            let heard = BTreeSet::new();
            self.sources.push(Source { stretches, nodes, needed, heard, until });
        }
        self.sources.retain(|source| !source.stretches.is_empty() && source.is_open(now));
    }

    /// Which comparisons would complete it, each node once for members and once for former keepers.
    pub fn comparisons(&self, now: Millis) -> Vec<Comparison> {
        let mut wanted: BTreeMap<(bool, NodeId), Vec<Positions>> = BTreeMap::new();
        for source in self.sources.iter().filter(|source| source.is_open(now)) {
            for node in source.nodes.difference(&source.heard) {
                let entry = wanted.entry((source.until.is_some(), *node)).or_default();
                entry.extend(&source.stretches);
            }
        }
        wanted
            .into_iter()
            .map(|((former, node), stretches)| Comparison { node, stretches, former })
            .collect()
    }

    /// Notes that a comparison was carried out to its end.
    pub fn heard(&mut self, comparison: &Comparison) {
        for source in &mut self.sources {
            let covered = source.stretches.iter().all(|it| comparison.stretches.contains(it));
            let same_kind = source.until.is_some() == comparison.former;
            if covered && same_kind && source.nodes.contains(&comparison.node) {
                source.heard.insert(comparison.node);
            }
        }
    }

    /// Whom to ask for a mailbox before answering for it; nobody where the own store knows it all.
    pub fn askable(&self, position: u64, now: Millis) -> Vec<Askable> {
        let open = self.sources.iter().filter(|source| source.is_open(now));
        open.filter(|source| source.stretches.iter().any(|it| it.contain(position)))
            .map(|source| Askable {
                nodes: source.nodes.clone(),
                needed: source.needed,
                former: source.until.is_some(),
            })
            .collect()
    }

    /// Whether mail is awaited that other nodes kept by an earlier list.
    pub fn awaits_former_keepers(&self, now: Millis) -> bool {
        self.sources.iter().any(|source| source.until.is_some() && source.is_open(now))
    }

    /// Whether the own store knows all it should.
    pub fn is_complete(&self, now: Millis) -> bool {
        !self.sources.iter().any(|source| source.is_open(now))
    }
}

/// The other members, and how many of them together know all that a quorum kept.
fn enough_of(placement: &Placement) -> (BTreeSet<NodeId>, usize) {
    let nodes: BTreeSet<NodeId> = placement.peers().map(|node| node.id).collect();
    let needed = quorum::to_know(nodes.len() + 1);
    (nodes, needed)
}

fn members_of(placement: &Placement) -> Option<Source> {
    let (nodes, needed) = enough_of(placement);
    let stretches = placement.stretches().to_vec();
    let source = Source { stretches, nodes, needed, heard: BTreeSet::new(), until: None };
    (!source.stretches.is_empty() && source.needed > 0).then_some(source)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;
    use warren_crypto::x25519;
    use warren_wire::SwarmId;
    use warren_wire::directory::{NodeList, NodeRecord, Roles};

    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    fn id(number: u8) -> NodeId {
        NodeId::from_bytes([number; 32])
    }

    fn placement(own: u8, nodes: &[(u8, u64)]) -> Placement {
        let record = |&(number, swarm): &(u8, u64)| NodeRecord {
            id: id(number),
            x25519: x25519::PublicKey::from_bytes([number; 32]),
            ip: Ipv4Addr::LOCALHOST,
            port: 1,
            swarm: SwarmId(swarm),
            certificate: None,
            roles: Roles::default(),
        };
        let list = NodeList::new(nodes.iter().map(record).collect()).unwrap();
        Placement::new(id(own), Arc::new(list))
    }

    /// Hears nodes, in the order wanted, until nothing more is open; how many that were.
    fn hear_all(gathering: &mut Gathering) -> usize {
        let mut count = 0;
        while let Some(next) = gathering.comparisons(NOW).first().cloned() {
            gathering.heard(&next);
            count += 1;
        }
        count
    }

    const ONE_SWARM: [(u8, u64); 7] = [(1, 9), (2, 9), (3, 9), (4, 9), (5, 9), (6, 9), (7, 9)];

    #[test]
    fn after_a_start_enough_members_are_heard_to_know_what_any_quorum_kept() {
        let mut gathering = Gathering::at_start(&placement(1, &ONE_SWARM));
        assert_eq!(gathering.askable(5, NOW)[0].needed, 4);
        assert_eq!(gathering.askable(5, NOW)[0].nodes.len(), 6);
        assert!(!gathering.awaits_former_keepers(NOW));
        assert_eq!(hear_all(&mut gathering), 4);
        assert!(gathering.is_complete(NOW) && gathering.askable(5, NOW).is_empty());
    }

    #[test]
    fn a_node_alone_has_nothing_to_gather() {
        assert!(Gathering::at_start(&placement(1, &[(1, 9)])).is_complete(NOW));
        assert!(Gathering::at_start(&placement(8, &ONE_SWARM)).is_complete(NOW));
    }

    #[test]
    fn a_swarm_that_takes_over_anothers_mail_hears_its_former_keepers() {
        let (quarter, half) = (1_u64 << 62, 1_u64 << 63);
        let before = [(1, quarter), (2, quarter), (3, quarter), (4, half), (5, half), (6, half)];
        let after = [(1, quarter), (2, quarter), (3, quarter), (4, quarter)];
        let (was, is) = (placement(1, &before), placement(1, &after));
        let mut gathering = Gathering::default();
        gathering.at_change(&was, &is, NOW);
        let wanted = gathering.comparisons(NOW);
        assert!(wanted.iter().all(|it| it.former));
        assert_eq!(wanted.iter().map(|it| it.node).collect::<Vec<_>>(), [id(4), id(5), id(6)]);
        assert_eq!(gathering.askable(half, NOW)[0].needed, 2);
        assert!(gathering.askable(quarter, NOW).is_empty());
        assert!(gathering.awaits_former_keepers(NOW));
        assert!(gathering.is_complete(NOW + FORMER_KEEPERS));
        assert_eq!(hear_all(&mut gathering), 2);
        assert!(gathering.is_complete(NOW));
    }

    #[test]
    fn who_stays_in_a_swarm_that_others_join_or_leave_has_nothing_to_gather() {
        let mut gathering = Gathering::default();
        let grown = [ONE_SWARM.as_slice(), &[(8, 9)]].concat();
        gathering.at_change(&placement(1, &ONE_SWARM), &placement(1, &grown), NOW);
        gathering.at_change(&placement(1, &grown), &placement(1, &ONE_SWARM[..5]), NOW);
        assert!(gathering.is_complete(NOW));
        gathering.at_change(&placement(8, &ONE_SWARM), &placement(8, &grown), NOW);
        assert!(!gathering.is_complete(NOW));
    }

    #[test]
    fn members_that_are_replaced_while_a_node_gathers_give_way_to_those_who_came() {
        let (was, is) = (
            placement(1, &[(1, 9), (2, 9), (3, 9), (4, 9), (5, 9)]),
            placement(1, &[(1, 9), (4, 9), (5, 9), (6, 9), (7, 9)]),
        );
        let mut gathering = Gathering::at_start(&was);
        let heard = gathering.comparisons(NOW).into_iter().find(|it| it.node == id(4)).unwrap();
        gathering.heard(&heard);
        gathering.at_change(&was, &is, NOW);
        let wanted: Vec<_> = gathering.comparisons(NOW).into_iter().map(|it| it.node).collect();
        assert_eq!(wanted, [id(5), id(6), id(7)]);
        assert_eq!(hear_all(&mut gathering), 2);
        assert!(gathering.is_complete(NOW));
    }

    #[test]
    fn a_node_left_alone_while_it_gathers_has_nothing_left_to_hear() {
        let (was, is) = (placement(1, &ONE_SWARM), placement(1, &[(1, 9)]));
        let mut gathering = Gathering::at_start(&was);
        gathering.at_change(&was, &is, NOW);
        assert!(gathering.is_complete(NOW));
    }

    #[test]
    fn a_second_change_keeps_what_the_first_left_open() {
        let (quarter, half) = (1_u64 << 62, 1_u64 << 63);
        let before = [(1, quarter), (2, quarter), (3, half), (4, half)];
        let after = [(1, quarter), (2, quarter), (3, quarter)];
        let mut gathering = Gathering::default();
        gathering.at_change(&placement(1, &before), &placement(1, &after), NOW);
        let grown = [after.as_slice(), &[(5, quarter)]].concat();
        gathering.at_change(&placement(1, &after), &placement(1, &grown), NOW + 1);
        assert_eq!(gathering.askable(half, NOW + 2).len(), 1);
    }

    proptest! {
        #[test]
        fn every_place_that_is_gained_has_somebody_to_ask(
            before in prop::collection::btree_map(1..12_u8, 0..4_u64, 1..11),
            after in prop::collection::btree_map(1..12_u8, 0..4_u64, 1..11),
            position: u64,
        ) {
            let place = |nodes: &BTreeMap<u8, u64>| {
                let nodes: Vec<_> =
                    nodes.iter().map(|(node, swarm)| (*node, swarm << 62 | 1)).collect();
                placement(1, &nodes)
            };
            let (was, is) = (place(&before), place(&after));
            let mut gathering = Gathering::default();
            gathering.at_change(&was, &is, NOW);
            let asked = gathering.askable(position, NOW);
            if is.keeps_position(position) && !was.keeps_position(position) {
                let keepers = was.list().nodes().iter()
                    .filter(|node| was.is_keeper(&node.id, Positions::at(position)));
                let keepers: BTreeSet<_> = keepers.map(|node| node.id).collect();
                prop_assert!(asked.iter().any(|it| it.nodes == keepers && it.needed > 0));
            }
            prop_assert!(is.keeps_position(position) || asked.is_empty());
            prop_assert!(asked.iter().all(|it| it.needed <= it.nodes.len()));
        }
    }
}
