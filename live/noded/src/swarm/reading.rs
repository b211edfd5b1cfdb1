//! Before a mailbox is read: pulled together from others while the own store may lack some of it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep};
use warren_node::Answer;
use warren_node::gathering::Askable;
use warren_wire::directory::NodeRecord;
use warren_wire::record::Positions;
use warren_wire::rpc::member::{Call, Given};
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
    /// 503 where the own store is empty and nobody answers: an empty mailbox would be a lie.
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
        let (mut complete, mut heard) = (true, 0);
        for source in askable {
            let needed = source.needed;
            let count = self.pull_from(owner, source).await;
            heard += count;
            complete &= count >= needed;
        }
        if !complete && heard == 0 && self.holds_nothing().await {
            return Err(Answer::refuse(503, "Service node is not ready: catching up\n"));
        }
        let mut state = self.state();
        if state.pulled.len() >= MOST_PULLED {
            state.pulled.clear();
        }
        let until = (!complete).then(|| Instant::now() + INCOMPLETE);
        state.pulled.insert(*owner, until);
        Ok(())
    }

    async fn holds_nothing(&self) -> bool {
        let counts = self.store.counts().await;
        counts.is_ok_and(|counts| counts.messages == 0 && counts.orders == 0)
    }

    /// Asks all of them at once; how many had answered when there were enough.
    async fn pull_from(&self, owner: &AccountId, source: Askable) -> usize {
        // Also those that failed a moment ago: somebody waits.
        let nodes: Vec<NodeRecord> = source.nodes.iter().filter_map(|id| self.node(id)).collect();
        let mut healthy: BTreeSet<NodeId> = {
            let state = self.state();
            source.nodes.into_iter().filter(|id| state.health.is_healthy(id)).collect()
        };
        let mut calls: FuturesUnordered<_> =
            nodes.iter().map(async |node| (node.id, self.pull(owner, node).await)).collect();
        let grace = sleep(self.pace.grace);
        tokio::pin!(grace);
        let (mut heard, mut grace_over) = (0, false);
        // Those that failed before are waited for a moment, the others until they fail.
        while heard < source.needed && !(grace_over && healthy.is_empty()) {
            tokio::select! {
                biased;
                next = calls.next() => {
                    let Some((id, pulled)) = next else { break };
                    healthy.remove(&id);
                    heard += usize::from(pulled.is_ok());
                }
                () = &mut grace, if !grace_over => grace_over = true,
            }
        }
        heard
    }

    async fn pull(&self, owner: &AccountId, node: &NodeRecord) -> Result<(), CompareError> {
        let here = [Positions::at(swarm::position(owner))];
        let mut after = None;
        for _ in 0..MOST_PARTS {
            let timeout = self.pace.call;
            let reply = self.ask_within(node, Call::Mailbox(*owner, after), timeout).await?;
            let Given { records, next } = Given::decode(&reply)?;
            self.take(records, &here, |_| true).await?;
            match next {
                None => return Ok(()),
                Some(next) if Some(next) <= after => return Err(CompareError::Nonsense),
                Some(next) => after = Some(next),
            }
        }
        Err(CompareError::Nonsense)
    }
}
