//! Writes under way: done in the own store, and counted by the list they go by, so that no mail is
//! moved away before they end.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use warren_node::Placement;
use warren_node::swarm_request::{Changed, Done};
use warren_store::{MailStore, StoreError};
use warren_wire::record::{Change, MessageRecord, Order, Positions};
use warren_wire::{AccountId, Millis, Stamp, swarm};

use super::member::{Member, State};
use crate::held::{Arrivals, Arrived};

/// A write under way, until it is dropped.
pub(super) struct Writing {
    state: Arc<Mutex<State>>,
    wake: Arc<Notify>,
    generation: u64,
    placement: Arc<Placement>,
    dropping: Vec<Positions>,
}

impl Writing {
    /// Whether the mailbox is kept by the list that this write goes by.
    pub(super) fn may_change(&self, owner: &AccountId) -> bool {
        let at = swarm::position(owner);
        self.placement.keeps_position(at) && !self.dropping.iter().any(|it| it.contain(at))
    }

    /// Does what changes the store, and counts until that is over: a store ends what it was told to
    /// do, though whoever waits for it be gone.
    pub(super) async fn carry_through<T: Send + 'static>(
        self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let counted = async move {
            let outcome = work.await;
            drop(self);
            outcome
        };
        let ended = tokio::spawn(counted).await;
        ended.unwrap_or_else(|error| Err(StoreError::Engine(error.to_string())))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = self.generation != state.generation;
        if let Some(count) = state.writing.get_mut(&self.generation) {
            *count -= 1;
            if *count == 0 {
                state.writing.remove(&self.generation);
                drop(state);
                if is_old {
                    self.wake.notify_one();
                }
            }
        }
    }
}

/// Stretches whose mail is being dropped, until this is.
pub(super) struct Dropping<'a>(&'a Member);

impl Drop for Dropping<'_> {
    fn drop(&mut self) {
        self.0.state().dropping.clear();
    }
}

impl Member {
    /// Begins to write by the list adopted last.
    pub(super) fn begin_writing(&self) -> Writing {
        let mut state = self.state();
        let generation = state.generation;
        *state.writing.entry(generation).or_default() += 1;
        let placement = Arc::clone(&state.placement);
        let dropping = state.dropping.clone();
        drop(state);
        let (state, wake) = self.shared();
        Writing { state, wake, generation, placement, dropping }
    }

    /// Whether nothing is being written by an earlier list.
    pub(super) fn writes_by_one_list(&self) -> bool {
        let state = self.state();
        state.writing.keys().all(|generation| *generation == state.generation)
    }

    /// Keeps stretches from being written to while their mail is dropped; `None` where another list
    /// was adopted meanwhile, which may have given it back.
    pub(super) fn begin_dropping(
        &self,
        by: &Arc<Placement>,
        stretches: &[Positions],
    ) -> Option<Dropping<'_>> {
        let mut state = self.state();
        if !Arc::ptr_eq(by, &state.placement) {
            return None;
        }
        state.dropping = stretches.to_vec();
        Some(Dropping(self))
    }
}

/// Keeps a message, and tells those who wait for it; what was done is `None` for one that something
/// later removed.
pub(super) async fn store_here(
    store: Arc<dyn MailStore>,
    arrivals: Arc<dyn Arrivals>,
    message: MessageRecord,
    now: Millis,
) -> Result<(Option<Done>, Option<Stamp>), StoreError> {
    let stored = store.store(message.clone(), now).await?;
    if stored.overruled.is_some() {
        return Ok((None, stored.overruled));
    }
    if !stored.already {
        tell(&*arrivals, &message, stored.expiry);
    }
    Ok((Some(Done::Stored { expiry: stored.expiry, already: stored.already }), None))
}

/// Carries an order out.
pub(super) async fn apply_here(
    store: Arc<dyn MailStore>,
    order: Order,
    now: Millis,
) -> Result<(Option<Done>, Option<Stamp>), StoreError> {
    let given_back = match &order.change {
        Change::Unrevoke(tokens) => {
            let revoked = store.revoked(order.owner).await?;
            revoked.iter().filter(|token| tokens.contains(token)).count()
        }
        _ => 0,
    };
    let applied = store.apply(order, now).await?;
    let changed = Changed {
        deleted: applied.deleted,
        updated: applied.updated,
        unchanged: applied.unchanged,
        given_back: u64::try_from(given_back).unwrap_or(u64::MAX),
    };
    Ok((Some(Done::Changed(changed)), applied.overruled))
}

/// Tells those who wait that a message can be retrieved.
pub(super) fn tell(arrivals: &dyn Arrivals, message: &MessageRecord, expiry: Millis) {
    arrivals.arrived(&Arrived {
        owner: message.owner,
        namespace: message.namespace,
        hash: message.hash,
        timestamp: message.timestamp,
        expiry,
        data: &message.data,
    });
}
