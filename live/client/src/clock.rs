//! The time that messages live by.

use std::fmt;
use std::sync::Arc;

use warren_wire::Millis;

use crate::messenger::now;

/// What says how late it is to whoever writes, reads and keeps messages. What is signed for nodes
/// goes by this machine's clock whatever this one says: nodes refuse another.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// A clock that says what `tell` does, in milliseconds since the Unix epoch.
    pub fn new(tell: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// How late it is.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl Default for Clock {
    /// This machine's.
    fn default() -> Self {
        Self::new(now)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock(..)")
    }
}
