//! Before a mailbox is read: pulled together from others while the own store may lack some of it.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use warren_node::Answer;
use warren_node::gathering::Askable;
use warren_wire::directory::NodeRecord;
use warren_wire::record::Positions;
use warren_wire::rpc::member::{Call, Given};
use warren_wire::{AccountId, swarm};

use super::member::Member;
use super::reconcile::CompareError;

/// The most mailboxes that are remembered as pulled together.
const MOST_PULLED: usize = 100_000;
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
            if state.pulled.contains(owner) {
                return Ok(());
            }
            state.gathering.askable(position, now)
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
        if complete {
            let mut state = self.state();
            if state.pulled.len() >= MOST_PULLED {
                state.pulled.clear();
            }
            state.pulled.insert(*owner);
        } else if heard == 0 && self.holds_nothing().await {
            return Err(Answer::refuse(503, "Service node is not ready: catching up\n"));
        }
        Ok(())
    }

    async fn holds_nothing(&self) -> bool {
        let counts = self.store.counts().await;
        counts.is_ok_and(|counts| counts.messages == 0 && counts.orders == 0)
    }

    /// Asks all of them at once; how many had answered when there were enough.
    async fn pull_from(&self, owner: &AccountId, source: Askable) -> usize {
        let nodes: Vec<NodeRecord> = source
            .nodes
            .iter()
            .filter(|id| self.may_try(id))
            .filter_map(|id| self.node(id))
            .collect();
        let mut calls: FuturesUnordered<_> =
            nodes.iter().map(|node| self.pull(owner, node)).collect();
        let mut heard = 0;
        while heard < source.needed
            && let Some(pulled) = calls.next().await
        {
            heard += usize::from(pulled.is_ok());
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
            self.take(records, &here).await?;
            match next {
                None => return Ok(()),
                Some(next) if Some(next) <= after => return Err(CompareError::Nonsense),
                Some(next) => after = Some(next),
            }
        }
        Err(CompareError::Nonsense)
    }
}
