//! The time of a run, and the clocks of its members, which are off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;
use warren_wire::Millis;

/// When every run begins.
const BEGIN: Millis = 1_800_000_000_000;

/// One clock; all of a run began together.
#[derive(Clone)]
pub(crate) struct SimClock {
    begin: Instant,
    ahead: Arc<AtomicI64>,
}

impl SimClock {
    /// A clock that is right.
    pub(crate) fn begin() -> Self {
        Self { begin: Instant::now(), ahead: Arc::default() }
    }

    /// Another clock of the same run, so many milliseconds ahead.
    pub(crate) fn ahead(&self, by: i64) -> Self {
        Self { begin: self.begin, ahead: Arc::new(AtomicI64::new(by)) }
    }

    /// Sets the clock.
    pub(crate) fn set_ahead(&self, by: i64) {
        self.ahead.store(by, Ordering::Relaxed);
    }

    /// Milliseconds since the Unix epoch, as this clock has it.
    pub(crate) fn read(&self) -> Millis {
        let passed = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        (BEGIN + passed).saturating_add_signed(self.ahead.load(Ordering::Relaxed))
    }
}
