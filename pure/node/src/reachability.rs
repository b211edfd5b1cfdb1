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

use crate::newcomers::Newcomers;

/// So long after it was published a descriptor is taken, and kept of a node that no list names.
pub const DESCRIPTOR_LIFE: Millis = 60 * 60 * SECOND;
/// So far ahead of this machine's clock a descriptor may be.
const CLOCK_TOLERANCE: Millis = 10 * 60 * SECOND;
/// After so many failed tries in a row a node that was there counts as gone.
const TRIES: u32 = 3;
/// The most nodes that proved themselves at one address.
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
    /// Too many other nodes proved to be at this address.
    #[error("too many nodes at {0}")]
    Crowded(Ipv4Addr),
    /// Too many nodes were announced from one place and not tried yet.
    #[error("too many nodes were announced from your address: wait until they have been tried")]
    TooMany,
    /// Too many nodes altogether.
    #[error("this directory takes no more nodes")]
    Full,
}

/// What is known of one node.
#[derive(Debug, Clone)]
pub(crate) struct Observation {
    pub(crate) record: NodeRecord,
    pub(crate) published: Millis,
    descriptor: Option<UnverifiedDescriptor>,
    /// Whether it answered since it is known at this place.
    was_reached: bool,
    /// How many tries in a row failed.
    failures: u32,
    /// Whether the list names it.
    listed: bool,
}

impl Observation {
    pub(crate) const fn standing(&self) -> Standing {
        match (self.was_reached, self.failures) {
            (true, failures) if failures < TRIES => Standing::Reachable,
            (false, 0) => Standing::Untested,
            _ => Standing::Unreachable,
        }
    }

    /// The same node by a newer announcement: what was found holds where it has not moved.
    pub(crate) fn renewed(&self, fresh: Self) -> Self {
        let Self { was_reached, failures, listed, .. } = *self;
        if is_same_place(&self.record, &fresh.record) {
            Self { was_reached, failures, listed, ..fresh }
        } else {
            Self { listed, ..fresh }
        }
    }

    /// Notes a try; `false` where that was at another place.
    pub(crate) fn note(&mut self, tried: &NodeRecord, reached: bool) -> bool {
        if !is_same_place(&self.record, tried) {
            return false;
        }
        self.was_reached |= reached;
        self.failures = if reached { 0 } else { self.failures.saturating_add(1) };
        true
    }
}

/// Every node that an authority knows: those of the list and those that proved to be there, and apart
/// from them those that have not proved it yet.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    nodes: BTreeMap<NodeId, Observation>,
    newcomers: Newcomers,
    private_addresses: bool,
}

impl Observations {
    /// Nobody is known yet. `private_addresses` lets in addresses that only some can reach, and any
    /// number of nodes from each: for networks on one machine or behind one router.
    pub fn new(private_addresses: bool) -> Self {
        Self { private_addresses, ..Self::default() }
    }

    /// Takes an announcement. An older one than the last changes nothing. `sender` is where it came
    /// from, in bytes that mean nothing here; `None` is not counted.
    ///
    /// # Errors
    /// Where it is too old or too new, at a place where no node may be, or there are too many.
    pub fn announce(
        &mut self,
        descriptor: &Descriptor,
        signed: UnverifiedDescriptor,
        sender: Option<&[u8]>,
        now: Millis,
    ) -> Result<Standing, AnnounceError> {
        self.check(descriptor, now)?;
        let fresh = Observation {
            record: descriptor.record(INVALID_SWARM),
            published: descriptor.published,
            descriptor: Some(signed),
            was_reached: false,
            failures: 0,
            listed: false,
        };
        let Some(known) = self.nodes.get_mut(&descriptor.id) else {
            if self.nodes.len() >= MAX_NODES {
                return Err(AnnounceError::Full);
            }
            return self.newcomers.announce(fresh, sender.filter(|_| !self.private_addresses));
        };
        if known.published < descriptor.published {
            *known = known.renewed(fresh);
        }
        Ok(known.standing())
    }

    fn check(&self, descriptor: &Descriptor, now: Millis) -> Result<(), AnnounceError> {
        check_keys_and_time(descriptor, now)?;
        if !self.private_addresses && !is_public(descriptor.ip) {
            return Err(AnnounceError::PrivateAddress(descriptor.ip));
        }
        if self.is_crowded(&descriptor.id, descriptor.ip) {
            return Err(AnnounceError::Crowded(descriptor.ip));
        }
        Ok(())
    }

    /// Whether as many others as may be proved to be at an address. Who only says so does not count:
    /// anybody may say it of any address.
    fn is_crowded(&self, id: &NodeId, ip: Ipv4Addr) -> bool {
        let others = self.nodes.iter().filter(|(other, node)| {
            *other != id && node.record.ip == ip && node.standing() == Standing::Reachable
        });
        !self.private_addresses && others.count() >= MOST_AT_ADDRESS
    }

    /// Takes the nodes of a list up, so that they are tried though they announced themselves
    /// elsewhere; forgets those that neither the list names nor announced themselves of late.
    pub fn follow(&mut self, list: &NodeList, now: Millis) {
        let is_of_late = |node: &Observation| node.published.saturating_add(DESCRIPTOR_LIFE) >= now;
        self.newcomers.retain(|node| is_of_late(node) && list.get(&node.record.id).is_none());
        self.nodes.retain(|id, node| {
            node.listed = list.get(id).is_some();
            node.listed || is_of_late(node)
        });
        for record in list.nodes() {
            self.nodes.entry(record.id).or_insert_with(|| Observation {
                record: record.clone(),
                published: 0,
                descriptor: None,
                was_reached: false,
                failures: 0,
                listed: true,
            });
        }
    }

    /// Whom to try over and over, and where: the nodes of the list and those that were there.
    pub fn to_try(&self) -> Vec<NodeRecord> {
        self.nodes.values().map(|node| node.record.clone()).collect()
    }

    /// Whom to try once, and where: those that announced themselves and have proved nothing yet.
    pub fn newcomers(&self) -> Vec<NodeRecord> {
        self.newcomers.to_try()
    }

    /// Notes whether a node proved its key at the place where it was tried.
    pub fn note(&mut self, tried: &NodeRecord, reached: bool) {
        let is_new_there = self.standing(&tried.id) != Standing::Reachable;
        let reached = reached && !(is_new_there && self.is_crowded(&tried.id, tried.ip));
        if let Some(node) = self.nodes.get_mut(&tried.id) {
            node.note(tried, reached);
            // Begins anew where it announces itself again.
            if !node.listed && node.standing() == Standing::Unreachable {
                self.nodes.remove(&tried.id);
            }
        } else if let Some(proven) = self.newcomers.note(tried, reached)
            && self.nodes.len() < MAX_NODES
        {
            self.nodes.insert(tried.id, proven);
        }
    }

    /// What is known of one node.
    pub fn standing(&self, id: &NodeId) -> Standing {
        let known = self.nodes.get(id).or_else(|| self.newcomers.get(id));
        known.map_or(Standing::Untested, Observation::standing)
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

/// Whether a descriptor is of this time, and its keys belong together.
pub(crate) fn check_keys_and_time(
    descriptor: &Descriptor,
    now: Millis,
) -> Result<(), AnnounceError> {
    let published = descriptor.published;
    if published > now.saturating_add(CLOCK_TOLERANCE)
        || published.saturating_add(DESCRIPTOR_LIFE) < now
    {
        return Err(AnnounceError::Time);
    }
    if descriptor.id.verifying_key().to_x25519().ok() != Some(descriptor.x25519) {
        return Err(AnnounceError::ForeignKey);
    }
    Ok(())
}

fn is_same_place(one: &NodeRecord, other: &NodeRecord) -> bool {
    (one.ip, one.port, one.certificate) == (other.ip, other.port, other.certificate)
}

/// Whether everyone on the internet could reach this address.
pub fn is_public(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_local = ip.is_loopback() || ip.is_private() || ip.is_link_local();
    let is_nowhere = first == 0 || ip.is_multicast() || ip.is_documentation() || first >= 240;
    !(is_shared || is_local || is_nowhere)
}
