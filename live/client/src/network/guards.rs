//! Where every path begins: one guard that is kept, and two substitutes for the time it is away.
//!
//! The guard is drawn once and kept. The substitutes are the nodes that rank first in an order
//! which only this account can compute and which hardly changes when nodes come and go. So who can
//! cut connections pushes an account from the guard to one of two others that were fixed before,
//! and not through the list until it lands on a node of theirs. When the guard is back it is used
//! again; it is given up when it leaves the list, or when it was away for three days while a
//! substitute could be reached.

use warren_crypto::SystemEntropy;
use warren_crypto::hash::blake2b_keyed;
use warren_onion::choose_guard;
use warren_wire::directory::NodeList;
use warren_wire::limits::DAY;
use warren_wire::{Millis, NodeId};

use crate::database::Guard;
use crate::error::ClientError;
use crate::messenger::now;

use super::Network;

/// The guard and its substitutes.
pub(crate) const FIRST_HOPS: usize = 3;
/// A guard that was away for so long is given up ...
const AWAY_FOR: Millis = 3 * DAY;
/// ... if it was tried so often.
const AWAY_TRIES: u32 = 20;

const RANK_LABEL: &[u8] = b"warren substitute guards v1";

impl Network {
    /// The guard, then its substitutes.
    pub(crate) fn first_hops(&self, list: &NodeList) -> Result<Vec<NodeId>, ClientError> {
        let kept = self.db.with(|db| db.guard())?.filter(|guard| list.get(&guard.node).is_some());
        let guard = match kept {
            Some(guard) => guard.node,
            None => {
                let drawn = choose_guard(list.nodes(), &[], &mut SystemEntropy)?;
                let drawn_now = Guard { node: drawn.id, since: now() };
                self.db.with(|db| db.set_guard(Some(&drawn_now)))?;
                drawn.id
            }
        };
        let mut ranked = Vec::with_capacity(list.nodes().len());
        for node in list.nodes().iter().filter(|node| node.id != guard) {
            let label = [RANK_LABEL, node.id.as_bytes().as_slice()];
            let rank: [u8; 32] = blake2b_keyed(self.secret.expose(), &label)?;
            ranked.push((rank, node.id));
        }
        ranked.sort_unstable();
        let substitutes = ranked.into_iter().map(|(_, node)| node).take(FIRST_HOPS - 1);
        Ok(std::iter::once(guard).chain(substitutes).collect())
    }

    /// Passes a first hop over for a while: this device itself could not get through to it.
    pub(crate) fn first_hop_failed(&self, node: &NodeId) -> Result<(), ClientError> {
        let guard = self.db.with(|db| db.guard())?;
        let mut road = self.road();
        road.avoid(*node);
        if guard.is_some_and(|guard| guard.node == *node) {
            road.guard_away = None;
        }
        Ok(())
    }

    /// Notes that a first hop took a packet, which says whether the guard is away or the person is.
    pub(crate) fn first_hop_answered(&self, node: &NodeId) -> Result<(), ClientError> {
        let Some(guard) = self.db.with(|db| db.guard())? else { return Ok(()) };
        if guard.node == *node {
            if self.road().guard_away.replace(false) != Some(false) {
                self.db.with(|db| db.clear_guard_failures())?;
            }
            return Ok(());
        }
        // A substitute is in use because the guard is the destination, or because it is away.
        {
            let mut road = self.road();
            if !road.avoids(&guard.node) || road.guard_away == Some(true) {
                return Ok(());
            }
            road.guard_away = Some(true);
        }
        let trouble = self.db.with(|db| db.note_guard_failure(now()))?;
        if trouble.failures >= AWAY_TRIES && now().saturating_sub(trouble.since) >= AWAY_FOR {
            let guard = Guard { node: *node, since: now() };
            self.db.with(|db| db.set_guard(Some(&guard)))?;
        }
        Ok(())
    }
}
