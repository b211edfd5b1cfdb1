//! Chance that follows from a seed: the same seed, the same run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use warren_crypto::Entropy;

/// A generator that all parts of one run draw from.
#[derive(Clone)]
pub(crate) struct Chance(Arc<Mutex<fastrand::Rng>>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&self, bound: usize) -> usize {
        self.draw(|rng| rng.usize(0..bound))
    }

    /// Whether something happens that does so `percent` times in 100.
    pub(crate) fn happens(&self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time from 0 to `longest`.
    pub(crate) fn time(&self, longest: Duration) -> Duration {
        longest.mul_f64(self.draw(fastrand::Rng::f64))
    }

    /// So many bytes.
    pub(crate) fn bytes(&self, count: usize) -> Vec<u8> {
        self.draw(|rng| std::iter::repeat_with(|| rng.u8(..)).take(count).collect())
    }
}

impl Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.draw(|rng| rng.fill(bytes));
    }
}
