//! Mail that a new list gave to others: brought to them, and dropped when they have it.

use tokio::time::Instant;
use warren_node::quorum;
use warren_wire::SwarmId;
use warren_wire::directory::NodeRecord;
use warren_wire::record::Positions;

use super::member::Member;
use super::reconcile::{CompareError, Way};

impl Member {
    /// Whether the store may hold mail that other nodes keep.
    pub fn may_hold_foreign_mail(&self) -> bool {
        self.state().foreign_since.is_some()
    }

    /// Brings mail that others keep to them. It is dropped when all of them have it, or a quorum has
    /// and those that still ask its former keepers had their time.
    pub async fn move_once(&self) {
        let Some(since) = self.state().foreign_since else { return };
        let placement = self.placement();
        // As long as no list names anybody, nobody is known to bring it to.
        let swarms = placement.swarms();
        let mut done = !swarms.is_empty();
        for swarm in swarms {
            if placement.own_swarm() == Some(swarm) {
                continue;
            }
            match self.move_to(swarm, since).await {
                Ok(moved) => done &= moved,
                Err(error) => {
                    tracing::warn!(%error, "mail of another swarm cannot be moved yet");
                    done = false;
                }
            }
        }
        let mut state = self.state();
        if done && state.foreign_since == Some(since) {
            state.foreign_since = None;
        }
    }

    /// Whether nothing is left that the swarm keeps.
    async fn move_to(&self, swarm: SwarmId, since: Instant) -> Result<bool, CompareError> {
        // What comes by an earlier list still would be missing from what is compared.
        if !self.writes_by_one_list() {
            return Ok(false);
        }
        let placement = self.placement();
        let mut stretches = Vec::new();
        for stretch in placement.stretches_of(swarm) {
            if !self.store.some_items(stretch, 1, self.now()).await?.is_empty() {
                stretches.push(stretch);
            }
        }
        if stretches.is_empty() {
            return Ok(true);
        }
        let members: Vec<NodeRecord> = placement.list().members(swarm).cloned().collect();
        let mut having = 0;
        for member in members.iter().filter(|member| self.may_try(&member.id)) {
            let brought = self.bring(member, &stretches).await;
            having += usize::from(brought.unwrap_or(false));
        }
        let all_asked = since.elapsed() >= self.pace.former_keepers;
        let enough =
            having == members.len() || (all_asked && having >= quorum::to_keep(members.len()));
        if !enough {
            return Ok(false);
        }
        let Some(_dropping) = self.begin_dropping(&placement, &stretches) else { return Ok(false) };
        for stretch in stretches {
            let dropped = self.store.drop_positions(stretch).await?;
            tracing::info!(dropped, "mail moved to the swarm that keeps it");
        }
        Ok(true)
    }

    /// Whether a member has all of it.
    async fn bring(
        &self,
        member: &NodeRecord,
        stretches: &[Positions],
    ) -> Result<bool, CompareError> {
        let ready = self.ask_ready(member).await?;
        if self.placement().digest().is_ok_and(|own| own != ready.list) {
            return Ok(false);
        }
        let moved = self.reconcile_with(member, stretches, ready.items, Way::Push).await?;
        Ok(moved.refused == 0)
    }
}
