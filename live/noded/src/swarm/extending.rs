//! Extensions that are too little to matter: a member keeps nothing of them, and a quorum may agree
//! on that.

use std::collections::BTreeMap;

use warren_node::swarm_request::{Changed, Done};
use warren_node::{SwarmRequest, quorum};
use warren_store::StoreError;
use warren_wire::record::{Change, ExpireMode, Order};
use warren_wire::{MessageHash, Millis, NodeId};

use super::coordinator::Said;
use super::member::Member;

/// What an extension adds to the time that a message has left is a hundredth of it at least: whoever
/// extends at every look changes nothing most of the time.
const LEAST_GAIN: u64 = 100;
/// The parameter of a request that is passed on by which members know that they are to keep it,
/// however little it is to them: others have kept it, or it was kept before.
pub(super) const KEEP: &str = "keep";

/// An extension of which a member keeps nothing.
pub(super) struct TooLittle {
    /// What it answers.
    pub(super) done: Done,
    /// Which of the named messages it has, in the order of their hashes: one byte each.
    pub(super) has: Vec<u8>,
}

impl Member {
    /// An extension that does nothing for the messages that are here; `None` where it is to be kept.
    ///
    /// Of messages that are not here, a member that has caught up keeps no extension: whoever may
    /// write could otherwise fill the mailbox with them. It judges by its own store, and may lack
    /// what others have: [`is_settled`] says whether that matters.
    pub(super) async fn too_little(
        &self,
        request: &dyn SwarmRequest,
        order: &Order,
    ) -> Result<Option<TooLittle>, StoreError> {
        let Change::Expire(moves, ExpireMode::Extend) = &order.change else { return Ok(None) };
        let mut latest: BTreeMap<MessageHash, Millis> = BTreeMap::new();
        for (hash, to) in moves {
            let known = latest.entry(*hash).or_insert(*to);
            *known = (*known).max(*to);
        }
        let (hashes, now) = (latest.keys().copied().collect(), self.now());
        let found = self.store.expiries(order.owner, Some(hashes), now).await?;
        let expiries: BTreeMap<MessageHash, Millis> = found.iter().copied().collect();
        if expiries.len() < latest.len() && !self.is_caught_up() {
            return Ok(None);
        }
        let matters = |(hash, expiry): (&MessageHash, &Millis)| {
            let gain = latest.get(hash).map_or(0, |to| to.saturating_sub(*expiry));
            gain.saturating_mul(LEAST_GAIN) >= expiry.saturating_sub(now)
        };
        // Who asked for a certain time is answered by it.
        if expiries.iter().any(|one| !request.only_extends() || matters(one)) {
            return Ok(None);
        }
        let has = latest.keys().map(|hash| u8::from(expiries.contains_key(hash))).collect();
        let done = Done::Changed(Changed { unchanged: found, ..Changed::default() });
        Ok(Some(TooLittle { done, has }))
    }
}

/// Whether what was agreed is durable though members kept nothing of it: a quorum kept it, or a
/// quorum has the same of the named messages, each for long enough, so that nobody was told of more.
pub(super) fn is_settled(said: &[(NodeId, Said)]) -> bool {
    let done = || said.iter().map(|(_, said)| said).filter(|said| said.result.is_done());
    let mut alike: BTreeMap<Option<&[u8]>, usize> = BTreeMap::new();
    for said in done() {
        *alike.entry(said.unkept.as_deref()).or_default() += 1;
    }
    let enough = quorum::to_keep(said.len());
    done().count() < enough || alike.values().any(|count| *count >= enough)
}
