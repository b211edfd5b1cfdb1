//! What a member needs of the world around it: other members, and the time.

use std::time::Duration;

use async_trait::async_trait;
use warren_transport::{Connections, Reply, TransportError};
use warren_wire::Millis;
use warren_wire::directory::NodeRecord;

use crate::{http, node};

/// The way to other nodes.
#[async_trait]
pub trait Peers: Send + Sync {
    /// Brings an envelope to a node and waits so long for its answer.
    ///
    /// # Errors
    /// Where no whole answer came; an answer of any status is no error.
    async fn call(
        &self,
        peer: &NodeRecord,
        envelope: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, TransportError>;
}

/// The time of day, which may jump.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        node::now()
    }
}

#[async_trait]
impl Peers for Connections {
    async fn call(
        &self,
        peer: &NodeRecord,
        envelope: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        self.post(peer, http::SWARM, envelope, timeout).await
    }
}
