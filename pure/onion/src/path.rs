//! Which nodes a request goes through: a guard that is kept, then nodes by lot, no two neighbours.

use warren_crypto::Entropy;
use warren_crypto::entropy::random_index;
use warren_wire::NodeId;
use warren_wire::directory::NodeRecord;
use warren_wire::limits::MAX_HOPS;

use crate::build::Hop;

/// What a path must be like (wire spec, section 5, "Path policy").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathRules {
    /// Nodes before the destination, the guard among them: 1 to 15.
    pub hops: usize,
    /// Whether no two nodes, the destination included, may share an IPv4 /24: who runs one machine
    /// there likely runs the others. Off for networks on one host.
    pub one_per_subnet: bool,
}

impl Default for PathRules {
    /// 3 hops, one per subnet.
    fn default() -> Self {
        Self { hops: 3, one_per_subnet: true }
    }
}

/// A way to a destination: the guard first, the destination not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Distinct nodes, in the order a packet meets them.
    pub hops: Vec<NodeRecord>,
}

impl Path {
    /// The node the client itself connects to.
    pub fn guard(&self) -> Option<&NodeRecord> {
        self.hops.first()
    }

    /// The nodes as [`crate::build()`] takes them.
    pub fn to_hops(&self) -> Vec<Hop> {
        self.hops.iter().map(Hop::from).collect()
    }
}

/// Why there is no path. The directory is too small for the rules, or the rules are no rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A path of no hops or more than the protocol allows.
    #[error("a path has 1 to {MAX_HOPS} hops, not {0}")]
    HopCount(usize),
    /// Too few nodes.
    #[error(
        "{hops} hops and a destination need at least {} nodes; the directory lists {listed}, of \
         which {usable} can be hops",
        .hops + 1
    )]
    TooFewNodes {
        /// Hops asked for.
        hops: usize,
        /// Nodes in the directory, usable or not.
        listed: usize,
        /// Nodes that can be a hop of this path.
        usable: usize,
    },
    /// Enough nodes, in too few networks.
    #[error(
        "no two hops share a /24, so that {hops} hops and a destination need at least {} nodes, each \
         in a /24 of its own; the directory lists {listed}, whose hops lie in {usable} such networks",
        .hops + 1
    )]
    TooFewSubnets {
        /// Hops asked for.
        hops: usize,
        /// Nodes in the directory, usable or not.
        listed: usize,
        /// Distinct networks, other than the destination's, with a usable node.
        usable: usize,
    },
    /// No node can be the guard.
    #[error(
        "no guard can be chosen: all {listed} nodes of the directory are excluded or have no address"
    )]
    NoGuard {
        /// Nodes in the directory.
        listed: usize,
    },
}

/// Chooses a path to `destination`.
///
/// The first hop is `guard` where it is given and usable: listed, with an address, not the
/// destination and (under [`PathRules::one_per_subnet`]) not in the destination's /24. Otherwise
/// another first hop is drawn *for this request only*: the caller keeps its guard, and must not
/// store the substitute, since a guard that a destination can dislodge is no guard.
///
/// Every other hop is uniformly random among the nodes the rules leave. A destination that is not
/// listed is allowed; its /24 is not known and does not count.
///
/// # Errors
/// Where the rules ask for no hops or too many, or the directory has too few nodes for them.
pub fn choose_path(
    nodes: &[NodeRecord],
    guard: Option<NodeId>,
    destination: &NodeId,
    rules: PathRules,
    entropy: &mut dyn Entropy,
) -> Result<Path, PathError> {
    if rules.hops == 0 || rules.hops > usize::from(MAX_HOPS) {
        return Err(PathError::HopCount(rules.hops));
    }
    let target = nodes.iter().find(|node| node.id == *destination);
    let mut pool: Vec<&NodeRecord> = nodes
        .iter()
        .filter(|node| node.id != *destination && has_address(node))
        .filter(|node| target.is_none_or(|target| may_join(node, &[target], rules)))
        .collect();
    let usable = pool.len();
    let mut hops: Vec<&NodeRecord> = Vec::with_capacity(rules.hops);
    hops.extend(pool.iter().find(|node| Some(node.id) == guard));
    // Drawing without replacement and passing over what may not join is a uniform draw among what
    // may. A node that may not join now never may later, so no node is lost by passing over it.
    while hops.len() < rules.hops {
        let Some(at) = random_index(entropy, pool.len()) else {
            return Err(too_few(nodes.len(), usable, hops.len(), rules.hops));
        };
        let node = pool.swap_remove(at);
        if may_join(node, &hops, rules) {
            hops.push(node);
        }
    }
    Ok(Path { hops: hops.into_iter().cloned().collect() })
}

/// Draws a guard uniformly among the nodes that have an address and are not in `exclude`.
///
/// # Errors
/// Where none is left.
pub fn choose_guard(
    nodes: &[NodeRecord],
    exclude: &[NodeId],
    entropy: &mut dyn Entropy,
) -> Result<NodeRecord, PathError> {
    let pool: Vec<_> =
        nodes.iter().filter(|node| has_address(node) && !exclude.contains(&node.id)).collect();
    random_index(entropy, pool.len())
        .and_then(|at| pool.get(at))
        .map(|node| (*node).clone())
        .ok_or(PathError::NoGuard { listed: nodes.len() })
}

/// A directory lists nodes that have not said where they are as 0.0.0.0.
fn has_address(node: &NodeRecord) -> bool {
    !node.ip.is_unspecified() && node.port != 0
}

fn may_join(node: &NodeRecord, chosen: &[&NodeRecord], rules: PathRules) -> bool {
    chosen.iter().all(|other| {
        node.id != other.id && !(rules.one_per_subnet && subnet(node) == subnet(other))
    })
}

fn subnet(node: &NodeRecord) -> [u8; 3] {
    let [a, b, c, _] = node.ip.octets();
    [a, b, c]
}

/// With every usable node drawn, `found` is the most hops any draw can give.
fn too_few(listed: usize, usable: usize, found: usize, hops: usize) -> PathError {
    if usable < hops {
        PathError::TooFewNodes { hops, listed, usable }
    } else {
        PathError::TooFewSubnets { hops, listed, usable: found }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;
    use crate::tests::{Network, Replay};

    const ANYWHERE: PathRules = PathRules { hops: 3, one_per_subnet: false };

    /// Nodes of which each lies in the /24 that `subnets` names.
    fn nodes(subnets: &[u8]) -> Vec<NodeRecord> {
        let network = Network::new("paths", subnets.len());
        let mut nodes = network.records();
        for (node, subnet) in nodes.iter_mut().zip(subnets) {
            node.ip = Ipv4Addr::new(10, 0, *subnet, node.id.as_bytes()[0]);
        }
        nodes
    }

    proptest! {
        #[test]
        fn a_path_is_distinct_diverse_keeps_its_guard_and_avoids_the_destination(
            subnets in proptest::collection::vec(0_u8..12, 1..24),
            guard: proptest::sample::Index,
            destination: proptest::sample::Index,
            hops in 1_usize..6,
            one_per_subnet: bool,
            seed: u64,
        ) {
            let nodes = nodes(&subnets);
            let guard = guard.get(&nodes);
            let destination = destination.get(&nodes);
            let rules = PathRules { hops, one_per_subnet };
            let mut entropy = Replay::new(&seed.to_string());
            let chosen =
                choose_path(&nodes, Some(guard.id), &destination.id, rules, &mut entropy);
            let mut elsewhere: Vec<_> = nodes
                .iter()
                .filter(|node| !one_per_subnet || subnet(node) != subnet(destination))
                .filter(|node| node.id != destination.id)
                .map(|node| if one_per_subnet { subnet(node).to_vec() } else { node.id.as_bytes().to_vec() })
                .collect();
            elsewhere.sort();
            elsewhere.dedup();
            prop_assert_eq!(chosen.is_ok(), elsewhere.len() >= hops);
            let Ok(path) = chosen else { return Ok(()) };
            prop_assert_eq!(path.hops.len(), hops);
            let guard_fits = guard.id != destination.id
                && !(one_per_subnet && subnet(guard) == subnet(destination));
            prop_assert!(!guard_fits || path.guard().unwrap().id == guard.id);
            let with_destination: Vec<_> = path.hops.iter().chain([destination]).collect();
            for (at, node) in with_destination.iter().enumerate() {
                prop_assert!(may_join(node, &with_destination[..at], rules));
            }
        }
    }

    #[test]
    fn every_usable_node_is_drawn_about_equally_often() {
        let nodes = nodes(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let mut entropy = Replay::new("uniform");
        let mut drawn = [0_u32; 8];
        for _ in 0..7_000 {
            let path = choose_path(&nodes, None, &nodes[7].id, PathRules::default(), &mut entropy);
            for hop in path.unwrap().hops {
                drawn[nodes.iter().position(|node| node.id == hop.id).unwrap()] += 1;
            }
        }
        assert_eq!(drawn[7], 0);
        assert!(drawn[..7].iter().all(|count| (2_800..3_200).contains(count)), "{drawn:?}");
    }

    #[test]
    fn a_guard_that_is_the_destination_or_its_neighbour_or_gone_is_replaced() {
        let mut nodes = nodes(&[0, 1, 2, 3, 4, 0]);
        let mut entropy = Replay::new("guards");
        let destination = nodes[5].id;
        let unlisted = NodeId::from_bytes([0; 32]);
        for guard in [destination, nodes[0].id, unlisted] {
            let path =
                choose_path(&nodes, Some(guard), &destination, PathRules::default(), &mut entropy)
                    .unwrap();
            assert!(path.hops.iter().all(|hop| hop.id != guard));
        }
        nodes[1].ip = Ipv4Addr::UNSPECIFIED;
        let gone = nodes[1].id;
        let path = choose_path(&nodes, Some(gone), &destination, ANYWHERE, &mut entropy).unwrap();
        assert!(path.hops.iter().all(|hop| hop.id != gone));
    }

    #[test]
    fn errors_say_what_is_missing() {
        let mut entropy = Replay::new("errors");
        let mut refusal = |subnets: &[u8], rules| {
            let nodes = nodes(subnets);
            choose_path(&nodes, None, &nodes[0].id, rules, &mut entropy).unwrap_err().to_string()
        };
        assert_eq!(
            refusal(&[0, 1, 2], PathRules::default()),
            "3 hops and a destination need at least 4 nodes; the directory lists 3, of which 2 \
             can be hops"
        );
        assert_eq!(
            refusal(&[0, 1, 1, 1, 2], PathRules::default()),
            "no two hops share a /24, so that 3 hops and a destination need at least 4 nodes, each \
             in a /24 of its own; the directory lists 5, whose hops lie in 2 such networks"
        );
        let rules = PathRules { hops: 16, ..ANYWHERE };
        assert_eq!(refusal(&[0], rules), "a path has 1 to 15 hops, not 16");
        let rules = PathRules { hops: 0, ..ANYWHERE };
        assert_eq!(refusal(&[0], rules), "a path has 1 to 15 hops, not 0");
    }

    #[test]
    fn a_destination_outside_the_directory_is_allowed() {
        let nodes = nodes(&[0, 1, 2]);
        let outside = NodeId::from_bytes([0; 32]);
        let mut entropy = Replay::new("outside");
        assert!(choose_path(&nodes, None, &outside, PathRules::default(), &mut entropy).is_ok());
    }

    #[test]
    fn a_guard_is_never_one_that_is_excluded() {
        let nodes = nodes(&[0, 0, 0]);
        let mut entropy = Replay::new("exclude");
        let exclude = [nodes[0].id, nodes[2].id];
        for _ in 0..50 {
            assert_eq!(choose_guard(&nodes, &exclude, &mut entropy).unwrap().id, nodes[1].id);
        }
        let all: Vec<_> = nodes.iter().map(|node| node.id).collect();
        assert_eq!(choose_guard(&nodes, &all, &mut entropy), Err(PathError::NoGuard { listed: 3 }));
    }
}
