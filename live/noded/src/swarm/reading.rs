//! Before a mailbox is read: pulled together from others while the own store may lack some of it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};
use warren_node::Answer;
use warren_node::gathering::Askable;
use warren_wire::directory::NodeRecord;
use warren_wire::record::Positions;
use warren_wire::rpc::member::{Call, Given, Taken};
use warren_wire::{AccountId, NodeId, swarm};

use super::member::Member;
use super::reconcile::CompareError;

/// The most mailboxes that are remembered as pulled together.
const MOST_PULLED: usize = 100_000;
/// How long it counts that a mailbox was pulled together where too few answered.
const INCOMPLETE: Duration = Duration::from_secs(10);
/// The most parts in which a mailbox is given.
const MOST_PARTS: usize = 1_000;

impl Member {
    /// Lets a mailbox be read: where this node still catches up, enough others are asked for it first
    /// to know all that a quorum kept.
    ///
    /// # Errors
    /// 503 where too few answer for a mailbox of which the own store had nothing at first, and others
    /// may have more: what there is of it would pass for the whole.
    pub async fn before_reading(&self, owner: &AccountId) -> Result<(), Answer> {
        let now = self.now();
        let position = swarm::position(owner);
        let askable = {
            let state = self.state();
            match state.pulled.get(owner) {
                Some(None) => return Ok(()),
                Some(Some(until)) if Instant::now() < *until => return Ok(()),
                _ => state.gathering.askable(position, now),
            }
        };
        if askable.is_empty() {
            return Ok(());
        }
        self.note_whether_empty().await;
        let mut complete = true;
        for source in askable {
            let heard = self.pull_from(owner, &source).await;
            if heard.len() >= source.needed {
                continue;
            }
            if self.is_worth_waiting_for(&source, &heard).await {
                return Err(Answer::refuse(503, "Service node is not ready: catching up\n"));
            }
            complete = false;
        }
        let mut state = self.state();
        if state.pulled.len() >= MOST_PULLED {
            state.pulled.clear();
        }
        let until = (!complete).then(|| Instant::now() + INCOMPLETE);
        state.pulled.insert(*owner, until);
        Ok(())
    }

    /// Whether the mailbox may be whole soon, of which too few of these were heard: where it is not,
    /// what there is must do.
    async fn is_worth_waiting_for(&self, source: &Askable, heard: &[NodeId]) -> bool {
        if source.former {
            // Those that the list does not name any more may be gone for good.
            let placement = self.placement();
            let listed = source.nodes.iter().filter(|id| placement.list().get(id).is_some());
            return listed.count() >= source.needed;
        }
        if self.state().began_empty != Some(true) {
            return false;
        }
        // Where nobody has ever heard enough others, the whole swarm is new, and has no more than
        // those who answer.
        let peers = heard.iter().filter_map(|id| self.node(id));
        let ready = join_all(peers.map(async |peer| self.ask_ready(&peer).await)).await;
        heard.is_empty() || ready.into_iter().flatten().any(|ready| ready.caught_up)
    }

    /// Looks, once, whether the store is empty: before anything is kept in it.
    pub(super) async fn note_whether_empty(&self) {
        if self.state().began_empty.is_some() {
            return;
        }
        if let Ok(counts) = self.store.counts().await {
            let empty = counts.messages == 0 && counts.orders == 0;
            self.state().began_empty.get_or_insert(empty);
        }
    }

    /// Asks all of them at once; who had answered when there were enough.
    async fn pull_from(&self, owner: &AccountId, source: &Askable) -> Vec<NodeId> {
        // Also those that failed a moment ago: somebody waits.
        let nodes: Vec<NodeRecord> = source.nodes.iter().filter_map(|id| self.node(id)).collect();
        let mut healthy: BTreeSet<NodeId> = {
            let state = self.state();
            source.nodes.iter().copied().filter(|id| state.health.is_healthy(id)).collect()
        };
        let mut calls: FuturesUnordered<_> =
            nodes.iter().map(async |node| (node.id, self.pull(owner, node).await)).collect();
        let grace = sleep(self.pace.grace);
        tokio::pin!(grace);
        let (mut heard, mut grace_over) = (Vec::new(), false);
        // Those that failed before are waited for a moment, the others until they fail.
        while heard.len() < source.needed && !(grace_over && healthy.is_empty()) {
            tokio::select! {
                biased;
                next = calls.next() => {
                    let Some((id, pulled)) = next else { break };
                    healthy.remove(&id);
                    heard.extend(pulled.is_ok().then_some(id));
                }
                () = &mut grace, if !grace_over => grace_over = true,
            }
        }
        heard
    }

    async fn pull(&self, owner: &AccountId, node: &NodeRecord) -> Result<(), CompareError> {
        let here = [Positions::at(swarm::position(owner))];
        let (mut after, mut again, mut dead) = (None, false, false);
        for _ in 0..MOST_PARTS {
            let timeout = self.pace.call;
            let reply = self.ask_within(node, Call::Mailbox(*owner, after), timeout).await?;
            let Given { records, next } = Given::decode(&reply)?;
            let taken = self.take(records, &here, |_| true).await?.taken;
            if taken.contains(&Taken::Refused) {
                // Be it by that one's fault or by this one's: not all of it is here.
                return Err(CompareError::Nonsense);
            }
            dead |= taken.contains(&Taken::Dead);
            match next {
                // What had expired may not have by orders that came in a later part.
                None if dead && after.is_some() && !again => (after, again) = (None, true),
                None => return Ok(()),
                Some(next) if Some(next) <= after => return Err(CompareError::Nonsense),
                Some(next) => after = Some(next),
            }
        }
        Err(CompareError::Nonsense)
    }
}
