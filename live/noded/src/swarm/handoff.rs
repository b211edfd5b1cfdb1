//! What members missed: noted durably, and brought to them when they answer again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use warren_wire::NodeId;
use warren_wire::Stamp;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Item, ItemId, Positions};

use super::member::Member;
use super::reconcile::{CompareError, Moved};
use super::rounds::COMPARED_AT_ONCE;

/// How many notes are looked at at once.
const NOTES_AT_ONCE: usize = 8_192;
/// How many items are remembered as handed off while one member is brought what it missed.
const MOST_GIVEN: usize = 262_144;

impl Member {
    /// Notes that a member missed something.
    pub(super) async fn note(&self, peer: NodeId, item: Item) {
        let count = self.state().notes.get(&peer).copied().unwrap_or_default();
        if count >= self.pace.most_notes {
            return self.give_up_notes(peer).await;
        }
        if let Err(error) = self.store.note_missed(peer, vec![item]).await {
            tracing::error!(%error, "what a member missed cannot be noted");
            self.state().due.insert(peer);
        }
        // Only then: whoever saw the count before the note is there finds that it changed.
        *self.state().notes.entry(peer).or_default() += 1;
    }

    /// A member that missed too much compares everything when it is back.
    async fn give_up_notes(&self, peer: NodeId) {
        let forgotten = self.store.forget_missed(peer, u64::MAX).await;
        let mut state = self.state();
        state.due.insert(peer);
        if forgotten.is_ok() {
            state.notes.remove(&peer);
        }
    }

    /// Brings members that answer what they missed, for as long as the node runs.
    pub async fn run_handoff(self: Arc<Self>) {
        loop {
            tokio::time::sleep(self.about(self.pace.handoff)).await;
            self.hand_off_once().await;
        }
    }

    /// Brings every member that answers what it missed.
    pub async fn hand_off_once(&self) {
        let noted: Vec<NodeId> = self.state().notes.keys().copied().collect();
        let placement = self.placement();
        let hand_off = async |id: NodeId| {
            let Some(peer) = placement.peers().find(|peer| peer.id == id) else {
                // No member any more: what it missed is not its to keep.
                if self.store.forget_missed(id, u64::MAX).await.is_ok() {
                    self.state().notes.remove(&id);
                }
                return;
            };
            if !self.may_try(&id) {
                return;
            }
            match self.in_time(peer, self.pace.comparison, self.hand_off_to(peer)).await {
                Ok(Moved { given: 0, .. }) => {}
                Ok(moved) => tracing::info!(peer = %id, given = moved.given, "handed off"),
                Err(error) => tracing::debug!(peer = %id, %error, "handoff put off"),
            }
        };
        stream::iter(noted).for_each_concurrent(COMPARED_AT_ONCE, hand_off).await;
    }

    async fn hand_off_to(&self, peer: &NodeRecord) -> Result<Moved, CompareError> {
        let mut moved = Moved::default();
        // A mailbox with many notes is looked at for each batch of them that names it.
        let mut given: BTreeSet<ItemId> = BTreeSet::new();
        loop {
            let written = self.state().notes.get(&peer.id).copied();
            let notes = self.store.missed(peer.id, NOTES_AT_ONCE).await?;
            let Some((through, _)) = notes.last() else {
                let mut state = self.state();
                // Unless another was written meanwhile.
                if state.notes.get(&peer.id).copied() == written {
                    state.notes.remove(&peer.id);
                }
                return Ok(moved);
            };
            let mut items = self.missed_items(&notes).await?;
            if given.len() > MOST_GIVEN {
                given.clear();
            }
            items.retain(|item| given.insert(item.id));
            let refused = moved.refused;
            self.push(peer, items, &mut moved).await?;
            if moved.refused > refused {
                // It may take them when it goes by another list, or its clock is right.
                self.state().due.insert(peer.id);
            }
            self.store.forget_missed(peer.id, *through).await?;
        }
    }

    /// What is kept of a noted mailbox since the first note of it: the noted item may have become
    /// another since, its message stored again.
    async fn missed_items(&self, notes: &[(u64, Item)]) -> Result<Vec<Item>, CompareError> {
        let mut since: BTreeMap<u64, Stamp> = BTreeMap::new();
        for (_, item) in notes {
            let first = since.entry(item.position).or_insert(item.stamp);
            *first = item.stamp.min(*first);
        }
        let mut missed = Vec::new();
        for (position, stamp) in since {
            let items = self.store.items(Positions::at(position), self.now()).await?;
            missed.extend(items.into_iter().filter(|item| item.stamp >= stamp));
        }
        Ok(missed)
    }
}
