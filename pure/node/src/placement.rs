//! Which accounts' mail this node keeps, and with whom it keeps it.

use std::collections::BTreeSet;
use std::sync::Arc;

use warren_crypto::CryptoError;
use warren_crypto::hash::blake2b;
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::swarm::{position, stretches};
use warren_wire::{AccountId, Millis, NodeId, Positions, SwarmId};

use crate::answer::{self, Answer};

/// This node's place among the others.
#[derive(Debug, Clone)]
pub struct Placement {
    own: NodeId,
    list: Arc<NodeList>,
    own_swarm: Option<SwarmId>,
    stretches: Vec<Positions>,
}

impl Placement {
    /// Places a node in a list.
    pub fn new(own: NodeId, list: Arc<NodeList>) -> Self {
        let own_swarm = list.get(&own).map(|node| node.swarm);
        let mut placement = Self { own, list, own_swarm, stretches: Vec::new() };
        placement.stretches = own_swarm.map_or_else(Vec::new, |it| placement.stretches_of(it));
        placement
    }

    /// This node.
    pub const fn own(&self) -> &NodeId {
        &self.own
    }

    /// Every node there is.
    pub fn list(&self) -> &NodeList {
        &self.list
    }

    /// The swarm this node is a member of; `None` for a node that the list does not name.
    pub const fn own_swarm(&self) -> Option<SwarmId> {
        self.own_swarm
    }

    /// The stretches of the ring whose mail this node keeps.
    pub fn stretches(&self) -> &[Positions] {
        &self.stretches
    }

    /// The stretches of the ring whose mail a swarm keeps.
    pub fn stretches_of(&self, swarm: SwarmId) -> Vec<Positions> {
        stretches(swarm, self.list.nodes().iter().map(|node| node.swarm))
    }

    /// Every swarm, sorted.
    pub fn swarms(&self) -> BTreeSet<SwarmId> {
        self.list.nodes().iter().map(|node| node.swarm).collect()
    }

    /// The other members of this node's swarm.
    pub fn peers(&self) -> impl Iterator<Item = &NodeRecord> {
        let swarm = self.own_swarm;
        self.list
            .nodes()
            .iter()
            .filter(move |node| Some(node.swarm) == swarm && node.id != self.own)
    }

    /// Whether a node is another member of this node's swarm.
    pub fn is_peer(&self, id: &NodeId) -> bool {
        self.peers().any(|node| node.id == *id)
    }

    /// Whether by another list it keeps the same mail with the same others.
    pub fn keeps_as(&self, other: &Self) -> bool {
        self.stretches == other.stretches && self.peers().eq(other.peers())
    }

    /// Whether this node keeps the account's mail.
    pub fn keeps(&self, account: &AccountId) -> bool {
        self.keeps_position(position(account))
    }

    /// Whether this node keeps the mail of that place on the ring.
    pub fn keeps_position(&self, position: u64) -> bool {
        self.stretches.iter().any(|stretch| stretch.contain(position))
    }

    /// Whether that node keeps all mail of that stretch of the ring.
    pub fn is_keeper(&self, node: &NodeId, of: Positions) -> bool {
        let Some(node) = self.list.get(node) else { return false };
        let keeps = |stretch: &Positions| stretch.contain(of.first) && stretch.contain(of.last);
        if self.own_swarm == Some(node.swarm) {
            return self.stretches.iter().any(keeps);
        }
        self.stretches_of(node.swarm).iter().any(keeps)
    }

    /// What two nodes that go by the same list both have: BLAKE2b-32 over ids and swarms, sorted.
    ///
    /// # Errors
    /// Where the hash library fails.
    pub fn digest(&self) -> Result<[u8; 32], CryptoError> {
        let mut nodes: Vec<_> =
            self.list.nodes().iter().map(|node| (node.id, node.swarm.0.to_be_bytes())).collect();
        nodes.sort_unstable();
        let parts = nodes.iter().flat_map(|(id, swarm)| [id.as_bytes().as_slice(), swarm]);
        blake2b(&parts.collect::<Vec<_>>())
    }

    /// Lets a request pass that this node can answer.
    ///
    /// # Errors
    /// The 421 that names the right swarm; 500 where no swarm is known.
    pub fn require(&self, account: &AccountId, now: Millis) -> Result<(), Answer> {
        if self.keeps(account) {
            return Ok(());
        }
        match self.list.swarm_of(account) {
            None => Err(Answer::refuse(500, "No swarms known!")),
            swarm => Err(answer::misdirected(swarm, self.members(swarm), now)),
        }
    }

    /// The answer to `get_swarm`.
    pub fn describe(&self, account: &AccountId, now: Millis) -> Answer {
        let swarm = self.list.swarm_of(account);
        answer::swarm(swarm, self.members(swarm), now)
    }

    fn members(&self, swarm: Option<SwarmId>) -> impl Iterator<Item = &NodeRecord> {
        self.list.nodes().iter().filter(move |node| Some(node.swarm) == swarm)
    }
}
