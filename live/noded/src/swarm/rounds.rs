//! When a member compares with whom: at its start, after a change, when one is back, and in rounds.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream;
use tokio::time::{Instant, sleep_until, timeout};
use warren_node::gathering::Comparison;
use warren_wire::NodeId;
use warren_wire::directory::NodeRecord;
use warren_wire::record::Positions;

use super::member::Member;
use super::reconcile::{CompareError, Moved, Way};
use crate::telemetry;

/// How soon what could not be gathered or moved is tried again.
const AGAIN: Duration = Duration::from_secs(2);
/// How many rounds go by at most before what others do not take is offered to them again.
const MOST_PATIENCE: u32 = 10;
/// With how many nodes what is lacking is compared at once: one that is slow does not keep others
/// back, and little comes twice.
const GATHERED_AT_ONCE: usize = 2;
/// With how many members sets are compared at once.
pub(super) const COMPARED_AT_ONCE: usize = 4;

impl Member {
    /// Gathers, compares and moves for as long as the node runs.
    pub async fn run_reconciliation(self: Arc<Self>) {
        let mut next_round = Instant::now() + self.about(self.pace.round);
        let (mut next_move, mut patience) = (Instant::now(), AGAIN);
        loop {
            self.gather_once().await;
            self.reconcile_due().await;
            if next_move <= Instant::now() {
                self.move_once().await;
                next_move = Instant::now() + patience;
                // Some may never take it, who do not know any more that this node kept it.
                patience = (patience * 2).min(self.pace.round * MOST_PATIENCE);
            }
            let now = Instant::now();
            if next_round <= now {
                self.reconcile_once().await;
                next_round = Instant::now() + self.about(self.pace.round);
            }
            let mut until = next_round;
            if !self.is_caught_up() {
                until = until.min(now + AGAIN);
            }
            if self.may_hold_foreign_mail() {
                until = until.min(next_move);
            }
            tokio::select! {
                biased;
                () = self.wake.notified() => (next_move, patience) = (Instant::now(), AGAIN),
                () = sleep_until(until) => {}
            }
        }
    }

    /// Compares with those that together know what this node's store lacks after a start or a change
    /// of the list.
    pub async fn gather_once(&self) {
        let now = self.now();
        let mut comparisons = self.state().gathering.comparisons(now);
        self.note_whether_empty().await;
        // Those that failed wait for the others.
        comparisons.sort_by_key(|it| !self.state().health.is_healthy(&it.node));
        let gather = async |comparison: Comparison| self.gather_if_wanted(&comparison).await;
        stream::iter(comparisons).for_each_concurrent(GATHERED_AT_ONCE, gather).await;
        if self.is_caught_up() {
            let mut state = self.state();
            state.pulled.clear();
            state.began_empty = Some(false);
        }
    }

    async fn gather_if_wanted(&self, comparison: &Comparison) {
        let now = self.now();
        let still_wanted = self.state().gathering.comparisons(now).contains(comparison);
        if !still_wanted || !self.may_try(&comparison.node) {
            return;
        }
        let Some(peer) = self.node(&comparison.node) else { return };
        let gathering = self.gather_from(&peer, comparison);
        match self.in_time(&peer, self.pace.gathering, gathering).await {
            Ok(true) => {
                self.state().gathering.heard(comparison);
                tracing::info!(peer = %peer.id, "caught up with a node");
            }
            Ok(false) => tracing::debug!(peer = %peer.id, "it must catch up itself"),
            Err(error) => tracing::debug!(peer = %peer.id, %error, "not caught up yet"),
        }
    }

    /// Ends what takes too long with one node; it is then tried as rarely as one that is down.
    pub(super) async fn in_time<T>(
        &self,
        peer: &NodeRecord,
        most: Duration,
        work: impl Future<Output = Result<T, CompareError>>,
    ) -> Result<T, CompareError> {
        timeout(most, work).await.unwrap_or_else(|_| {
            self.failed(&peer.id);
            Err(CompareError::TooSlow)
        })
    }

    /// Whether what the other has tells all that it should: a former keeper may take more in while
    /// it goes by another list, and a member may still wait for former keepers itself.
    async fn gather_from(
        &self,
        peer: &NodeRecord,
        comparison: &Comparison,
    ) -> Result<bool, CompareError> {
        let ready = self.ask_ready(peer).await?;
        let same_list = self.placement().digest().is_ok_and(|own| own == ready.list);
        let tells_all = if comparison.former { same_list } else { !ready.gathering };
        self.reconcile_with(peer, &comparison.stretches, ready.items, Way::Both).await?;
        Ok(tells_all)
    }

    /// Compares everything with members that are back.
    pub async fn reconcile_due(&self) {
        let due: Vec<NodeId> = self.state().due.iter().copied().collect();
        let compare = async |id: NodeId| {
            let peer = self.placement().peers().find(|peer| peer.id == id).cloned();
            if peer.is_some() && !self.may_try(&id) {
                return;
            }
            self.state().due.remove(&id);
            let Some(peer) = peer else { return };
            let comparing = self.reconcile_all_with(&peer);
            if self.in_time(&peer, self.pace.comparison, comparing).await.is_err() {
                self.state().due.insert(id);
            }
        };
        stream::iter(due).for_each_concurrent(COMPARED_AT_ONCE, compare).await;
    }

    /// One round: compares with some of the members, others in the next one.
    pub async fn reconcile_once(&self) {
        let placement = self.placement();
        let mut peers: Vec<&NodeRecord> = placement.peers().collect();
        peers.sort_by_key(|peer| peer.id);
        let count = self.pace.peers_per_round.min(peers.len());
        let first = {
            let mut state = self.state();
            let first = state.round;
            state.round = first.wrapping_add(count);
            first
        };
        let chosen = peers.iter().cycle().skip(first % peers.len().max(1)).take(count);
        let chosen = chosen.filter(|peer| self.may_try(&peer.id));
        let compare = async |peer: &&NodeRecord| {
            let comparing = self.reconcile_some_with(peer);
            match self.in_time(peer, self.pace.comparison, comparing).await {
                Ok(moved) if moved != Moved::default() => {
                    tracing::info!(peer = %peer.id, ?moved, "compared");
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(peer = %peer.id, %error, "not compared"),
            }
        };
        stream::iter(chosen).for_each_concurrent(COMPARED_AT_ONCE, compare).await;
    }

    /// Compares everything that both keep.
    ///
    /// # Errors
    /// Where it was not carried to its end.
    pub async fn reconcile_all_with(&self, peer: &NodeRecord) -> Result<Moved, CompareError> {
        let ready = self.ask_ready(peer).await?;
        let stretches = self.placement().stretches().to_vec();
        self.reconcile_with(peer, &stretches, ready.items, Way::Both).await
    }

    /// Compares as much as one round may cost, going on where the last one with this member ended.
    async fn reconcile_some_with(&self, peer: &NodeRecord) -> Result<Moved, CompareError> {
        let ready = self.ask_ready(peer).await?;
        let placement = self.placement();
        let slices = self.slices(placement.stretches(), ready.items).await?;
        let from = self.state().slices_done.get(&peer.id).copied().unwrap_or_default();
        let first = slices.partition_point(|slice| slice.first < from);
        let most = (self.pace.round_items / self.pace.slice_items.max(1)).max(1);
        let mut moved = Moved::default();
        let turn = slices.iter().cycle().skip(first).take(most.min(slices.len()));
        for slice in turn {
            let one = self.reconcile_slice(peer, *slice, Way::Both).await;
            // One that cannot be compared keeps nothing from those behind it.
            self.state().slices_done.insert(peer.id, slice.last.wrapping_add(1));
            match one {
                Ok(one) => moved.add(one),
                Err(CompareError::Nonsense) => {
                    tracing::warn!(peer = %peer.id, "a slice makes no sense");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }

    /// Compares all of some stretches with a node that keeps so many items.
    pub(super) async fn reconcile_with(
        &self,
        peer: &NodeRecord,
        stretches: &[Positions],
        theirs: u64,
        way: Way,
    ) -> Result<Moved, CompareError> {
        let slices = self.slices(stretches, theirs).await?;
        let (mut moved, mut nonsense) = (Moved::default(), false);
        // Two at a time: while one is fetched, the other is compared.
        for pair in slices.chunks(2) {
            let both = pair.iter().map(|slice| self.reconcile_slice(peer, *slice, way));
            for one in join_all(both).await {
                match one {
                    Ok(one) => moved.add(one),
                    // It keeps nothing from those behind it.
                    Err(CompareError::Nonsense) => nonsense = true,
                    Err(error) => {
                        telemetry::reconciled("broken_off", moved.taken);
                        return Err(error);
                    }
                }
            }
        }
        telemetry::reconciled(if nonsense { "broken_off" } else { "done" }, moved.taken);
        if nonsense { Err(CompareError::Nonsense) } else { Ok(moved) }
    }
}

impl Moved {
    pub(super) const fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.given += other.given;
        self.refused += other.refused;
        self.dead += other.dead;
    }
}
