//! By when the answers of one connection have to be taken, so that none holds memory for ever.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a client may take for any answer.
const GRACE: Duration = Duration::from_secs(60);
/// How many bytes of a larger one it has to take each second.
const LEAST_RATE: u64 = 32 * 1024;

/// The answers of one connection that were not taken yet.
#[derive(Debug, Default)]
pub struct Dues(Mutex<Ends>);

#[derive(Debug, Default)]
struct Ends {
    given: u64,
    open: BTreeSet<(Instant, u64)>,
}

/// An answer that was not taken yet, until it is dropped.
pub struct Due {
    dues: Arc<Dues>,
    end: (Instant, u64),
}

/// How long a client may take for an answer of so many bytes.
pub fn allowed(bytes: usize) -> Duration {
    GRACE + Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / LEAST_RATE)
}

impl Dues {
    /// Begins an answer.
    pub fn begin(self: &Arc<Self>, bytes: usize) -> Due {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.given += 1;
        let end = (Instant::now() + allowed(bytes), ends.given);
        ends.open.insert(end);
        Due { dues: Arc::clone(self), end }
    }

    /// By when the first of them has to be taken.
    pub fn first(&self) -> Option<Instant> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ends.open.first().map(|(end, _)| *end)
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        self.dues.0.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_answer_that_is_due_is_told_until_it_is_taken() {
        tokio::time::pause();
        let dues = Arc::new(Dues::default());
        assert_eq!(dues.first(), None);
        let large = dues.begin(64 * 1024 * 1024);
        let small = dues.begin(5);
        let start = Instant::now();
        assert_eq!(dues.first(), Some(start + GRACE));
        drop(small);
        assert_eq!(dues.first(), Some(start + GRACE + Duration::from_secs(2048)));
        drop(large);
        assert_eq!(dues.first(), None);
    }
}
