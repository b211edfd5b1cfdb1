//! Which accounts' mail this node keeps, and with whom it keeps it.

use std::sync::Arc;

use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::{AccountId, Millis, NodeId, SwarmId};

use crate::answer::{self, Answer};

/// This node's place among the others.
#[derive(Debug, Clone)]
pub struct Placement {
    own: NodeId,
    list: Arc<NodeList>,
}

impl Placement {
    /// Places a node in a list.
    pub const fn new(own: NodeId, list: Arc<NodeList>) -> Self {
        Self { own, list }
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
    pub fn own_swarm(&self) -> Option<SwarmId> {
        self.list.get(&self.own).map(|node| node.swarm)
    }

    /// The other members of this node's swarm.
    pub fn peers(&self) -> impl Iterator<Item = &NodeRecord> {
        let swarm = self.own_swarm();
        self.list
            .nodes()
            .iter()
            .filter(move |node| Some(node.swarm) == swarm && node.id != self.own)
    }

    /// Whether a node is another member of this node's swarm.
    pub fn is_peer(&self, id: &NodeId) -> bool {
        self.peers().any(|node| node.id == *id)
    }

    /// Whether this node keeps the account's mail.
    pub fn keeps(&self, account: &AccountId) -> bool {
        let swarm = self.list.swarm_of(account);
        swarm.is_some() && swarm == self.own_swarm()
    }

    /// Lets a request pass that this node can answer.
    ///
    /// # Errors
    /// The 421 that names the right swarm.
    pub fn require(&self, account: &AccountId, now: Millis) -> Result<(), Answer> {
        if self.keeps(account) {
            return Ok(());
        }
        let swarm = self.list.swarm_of(account);
        Err(answer::misdirected(swarm, self.members(swarm), now))
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
