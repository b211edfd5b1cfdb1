//! What an authority knows of the nodes: who announced itself, and who proved to be there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use warren_wire::directory::nodes::MAX_NODES;
use warren_wire::directory::{
    Descriptor, Finding, NodeList, NodeRecord, Standing, UnverifiedDescriptor,
};
use warren_wire::limits::SECOND;
use warren_wire::swarm::INVALID_SWARM;
use warren_wire::{Millis, NodeId};

/// So long after it was published a descriptor is taken, and kept of a node that no list names.
pub const DESCRIPTOR_LIFE: Millis = 60 * 60 * SECOND;
/// So far ahead of this machine's clock a descriptor may be.
const CLOCK_TOLERANCE: Millis = 10 * 60 * SECOND;
/// After so many failed tries in a row a node that was there counts as gone.
const TRIES: u32 = 3;
/// The most nodes at one address.
const MOST_AT_ADDRESS: usize = 16;

/// Why an announcement is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnounceError {
    /// The clocks of the node and of this authority are apart.
    #[error("the descriptor is too old or from the future: set the node's clock")]
    Time,
    /// Two keys that do not belong together.
    #[error("the node's X25519 key does not follow from its Ed25519 key")]
    ForeignKey,
    /// An address that nobody outside reaches.
    #[error("{0} is no public address: announce the one at which others reach the node")]
    PrivateAddress(Ipv4Addr),
    /// Too many nodes announced themselves at this address.
    #[error("too many nodes at {0}")]
    Crowded(Ipv4Addr),
    /// Too many nodes altogether.
    #[error("this directory takes no more nodes")]
    Full,
}

/// What is known of one node.
#[derive(Debug, Clone)]
struct Observation {
    record: NodeRecord,
    published: Millis,
    descriptor: Option<UnverifiedDescriptor>,
    /// Whether it answered since it is known at this place.
    was_reached: bool,
    /// How many tries in a row failed.
    failures: u32,
}

impl Observation {
    const fn standing(&self) -> Standing {
        match (self.was_reached, self.failures) {
            (true, failures) if failures < TRIES => Standing::Reachable,
            (false, 0) => Standing::Untested,
            _ => Standing::Unreachable,
        }
    }
}

/// Every node that an authority knows.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    nodes: BTreeMap<NodeId, Observation>,
    private_addresses: bool,
}

impl Observations {
    /// Nobody is known yet. `private_addresses` lets in addresses that only some can reach: for
    /// networks on one machine or behind one router.
    pub const fn new(private_addresses: bool) -> Self {
        Self { nodes: BTreeMap::new(), private_addresses }
    }

    /// Takes an announcement. An older one than the last changes nothing.
    ///
    /// # Errors
    /// Where it is too old or too new, at a place where no node may be, or there are too many.
    pub fn announce(
        &mut self,
        descriptor: &Descriptor,
        signed: UnverifiedDescriptor,
        now: Millis,
    ) -> Result<Standing, AnnounceError> {
        self.check(descriptor, now)?;
        let fresh = Observation {
            record: descriptor.record(INVALID_SWARM),
            published: descriptor.published,
            descriptor: Some(signed),
            was_reached: false,
            failures: 0,
        };
        let Some(known) = self.nodes.get_mut(&descriptor.id) else {
            self.nodes.insert(descriptor.id, fresh);
            return Ok(Standing::Untested);
        };
        if known.published < descriptor.published {
            let same_place = is_same_place(&known.record, &fresh.record);
            let (was_reached, failures) = (known.was_reached, known.failures);
            *known =
                if same_place { Observation { was_reached, failures, ..fresh } } else { fresh };
        }
        Ok(known.standing())
    }

    fn check(&self, descriptor: &Descriptor, now: Millis) -> Result<(), AnnounceError> {
        let published = descriptor.published;
        if published > now.saturating_add(CLOCK_TOLERANCE)
            || published.saturating_add(DESCRIPTOR_LIFE) < now
        {
            return Err(AnnounceError::Time);
        }
        if descriptor.id.verifying_key().to_x25519().ok() != Some(descriptor.x25519) {
            return Err(AnnounceError::ForeignKey);
        }
        if !self.private_addresses && !is_public(descriptor.ip) {
            return Err(AnnounceError::PrivateAddress(descriptor.ip));
        }
        let others = self.nodes.iter().filter(|(id, _)| **id != descriptor.id);
        if !self.private_addresses
            && others.filter(|(_, node)| node.record.ip == descriptor.ip).count() >= MOST_AT_ADDRESS
        {
            return Err(AnnounceError::Crowded(descriptor.ip));
        }
        if self.nodes.len() >= MAX_NODES && !self.nodes.contains_key(&descriptor.id) {
            return Err(AnnounceError::Full);
        }
        Ok(())
    }

    /// Takes the nodes of a list up, so that they are tried though they announced themselves
    /// elsewhere; forgets those that neither the list names nor announced themselves of late.
    pub fn follow(&mut self, list: &NodeList, now: Millis) {
        self.nodes.retain(|id, node| {
            node.published.saturating_add(DESCRIPTOR_LIFE) >= now || list.get(id).is_some()
        });
        for record in list.nodes() {
            self.nodes.entry(record.id).or_insert_with(|| Observation {
                record: record.clone(),
                published: 0,
                descriptor: None,
                was_reached: false,
                failures: 0,
            });
        }
    }

    /// Whom to try, and where.
    pub fn to_try(&self) -> Vec<NodeRecord> {
        self.nodes.values().map(|node| node.record.clone()).collect()
    }

    /// Notes whether a node proved its key at the place where it was tried.
    pub fn note(&mut self, tried: &NodeRecord, reached: bool) {
        let Some(node) = self.nodes.get_mut(&tried.id) else { return };
        if !is_same_place(&node.record, tried) {
            return;
        }
        if reached {
            node.was_reached = true;
            node.failures = 0;
        } else {
            node.failures = node.failures.saturating_add(1);
        }
    }

    /// What is known of one node.
    pub fn standing(&self, id: &NodeId) -> Standing {
        self.nodes.get(id).map_or(Standing::Untested, Observation::standing)
    }

    /// What to vote. A node that the list names is not voted against before it failed three times in
    /// a row. `None` where the authority reaches no node at all: then it is the one that is cut off,
    /// or it has only just started.
    pub fn findings(&self, list: &NodeList) -> Option<Vec<Finding>> {
        let mut findings = Vec::new();
        for (id, node) in &self.nodes {
            let reachable = match node.standing() {
                Standing::Reachable => true,
                Standing::Unreachable if node.failures >= TRIES || list.get(id).is_none() => false,
                Standing::Unreachable | Standing::Untested => continue,
            };
            let descriptor = if reachable { node.descriptor.clone() } else { None };
            findings.push(Finding { node: *id, reachable, descriptor });
        }
        findings.iter().any(|finding| finding.reachable).then_some(findings)
    }

    /// The announcements that are kept, for the disk.
    pub fn descriptors(&self) -> Vec<UnverifiedDescriptor> {
        self.nodes.values().filter_map(|node| node.descriptor.clone()).collect()
    }
}

fn is_same_place(one: &NodeRecord, other: &NodeRecord) -> bool {
    (one.ip, one.port, one.certificate) == (other.ip, other.port, other.certificate)
}

/// Whether everyone on the internet could reach this address.
fn is_public(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_local = ip.is_loopback() || ip.is_private() || ip.is_link_local();
    let is_nowhere = first == 0 || ip.is_multicast() || ip.is_documentation() || first >= 240;
    !(is_shared || is_local || is_nowhere)
}
