//! How far a backup or its restoring got.

use std::sync::Arc;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking at what is at the place.
    Looking,
    /// Reading what is to be backed up, and writing it.
    Writing,
    /// Reading objects and holding them against their names.
    Checking,
    /// Bringing parts back.
    Restoring,
    /// Removing what is not needed.
    Removing,
}

/// How far it got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 where nobody knows.
    pub total: u64,
}

/// Whoever wants to know. Called from several threads.
pub type Watcher = Arc<dyn Fn(Progress) + Send + Sync>;

/// Nobody.
pub fn unwatched() -> Watcher {
    Arc::new(|_| ())
}
