//! Whether a node is ready for clients, and if not, why.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::node::{Node, now};

/// What a node says of itself beyond what its parts know.
#[derive(Debug, Default)]
pub struct Health {
    draining: AtomicBool,
}

/// Why a node is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unready {
    /// It is about to stop.
    Draining,
    /// It has no list of nodes, or one that has expired.
    NoList,
    /// The list does not name it.
    NotListed,
    /// Its storage took nothing of late.
    StoreNotWritable,
    /// It lacks mail that the rest of its swarm has.
    CatchingUp,
}

impl Health {
    /// Says that the node is about to stop.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}

impl Node {
    /// Why clients had better ask another node; nothing where it is ready.
    pub fn unready(&self) -> Vec<Unready> {
        let placement = self.placement();
        let list = placement.list();
        let published = self.published();
        let expired = published.header.as_ref().is_some_and(|it| it.check_time(now()).is_err());
        let no_list = list.nodes().is_empty() || expired;
        let checks = [
            (self.health.draining.load(Ordering::Relaxed), Unready::Draining),
            (no_list, Unready::NoList),
            (!no_list && list.get(&self.identity.id()).is_none(), Unready::NotListed),
            (!self.meter.is_writable(), Unready::StoreNotWritable),
            (!self.member.is_caught_up(), Unready::CatchingUp),
        ];
        checks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, why)| why).collect()
    }
}
