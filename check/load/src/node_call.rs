//! One request to one node, over HTTPS with its pinned certificate.

use std::time::Duration;

use serde_json::Value;
use warren_transport::Connections;
use warren_wire::directory::NodeRecord;

/// How long a node may take: a store waits for a swarm of which some members hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(12);

/// What came back.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Status 200 and this body.
    Done(Value),
    /// Another status: nothing is known of what was done.
    Refused(u16, String),
    /// No answer: nothing is known of what was done.
    Silent,
}

/// Asks a node.
pub(crate) async fn call(connections: &Connections, node: &NodeRecord, request: &Value) -> Outcome {
    let body = request.to_string().into_bytes();
    match connections.post(node, "/storage_rpc/v1", body, PATIENCE).await {
        Ok(reply) if reply.status == 200 => {
            serde_json::from_slice(&reply.body).map_or(Outcome::Silent, Outcome::Done)
        }
        Ok(reply) => {
            let text = String::from_utf8_lossy(&reply.body).chars().take(300).collect();
            Outcome::Refused(reply.status, text)
        }
        Err(_) => Outcome::Silent,
    }
}
