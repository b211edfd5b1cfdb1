//! What lies between members: delays, losses, doublings and cuts, as the run has them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::chance::Chance;

/// The state of all wires of a run.
pub(crate) struct Wires {
    chance: Chance,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Pairs (from, to) between which nothing passes.
    cut: BTreeSet<(usize, usize)>,
    /// In 100, how many packets are lost.
    loss: usize,
    /// In 100, how many requests arrive twice.
    doubling: usize,
    /// The longest delay of one way.
    delay: Duration,
}

/// How a request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives after this time, and once more after the second where there is one.
    Arrives(Duration, Option<Duration>),
}

impl Wires {
    pub(crate) fn new(chance: Chance) -> Self {
        let state = State { delay: Duration::from_millis(20), ..State::default() };
        Self { chance, state: Mutex::new(state) }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        use_it(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What becomes of a packet now. Delays differ, so packets overtake each other.
    pub(crate) fn send(&self, from: usize, to: usize) -> Fate {
        let (cut, loss, doubling, delay) = self.with(|state| {
            (state.cut.contains(&(from, to)), state.loss, state.doubling, state.delay)
        });
        if cut || self.chance.happens(loss) {
            return Fate::Lost;
        }
        let again = self.chance.happens(doubling).then(|| self.chance.time(delay * 10));
        Fate::Arrives(self.chance.time(delay), again)
    }

    /// Nothing that any of `from` sends reaches any of `to`.
    pub(crate) fn cut(&self, from: &[usize], to: &[usize]) {
        self.with(|state| {
            state.cut.extend(from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to))));
        });
    }

    /// Loses and doubles this share of what is sent, and delays it by as much as that.
    pub(crate) fn disturb(&self, loss: usize, doubling: usize, delay: Duration) {
        self.with(|state| {
            (state.loss, state.doubling, state.delay) = (loss, doubling, delay);
        });
    }

    /// All is well again.
    pub(crate) fn heal(&self) {
        self.with(|state| *state = State { delay: Duration::from_millis(20), ..State::default() });
    }
}
