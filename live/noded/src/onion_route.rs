//! `/onion_req/v2`: peel one layer, then pass the rest on or deliver it here.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warren_crypto::SystemEntropy;
use warren_node::{Answer, Body};
use warren_onion::reply::{RelayFailure, ReplyForm, ReplyKey};
use warren_onion::{Peeled, peel};
use warren_transport::TransportError;
use warren_wire::NodeId;

use crate::held::Share;
use crate::node::Node;
use crate::{exit_route, storage_route, telemetry};

/// How long the rest of the path may take.
const RELAY_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the rest of the path may take once this node stops: what is not held open is answered
/// within that.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Status and body for the node or client that sent the packet.
///
/// A relay passes back untouched what it gets: only the last node seals the answer, once.
/// While the rest of the path is waited for, nothing of the packet is kept here.
pub async fn answer(node: &Arc<Node>, packet: impl AsRef<[u8]>) -> (u16, Vec<u8>) {
    let peeled = peel(packet.as_ref(), node.identity.x25519());
    drop(packet);
    telemetry::onion(match &peeled {
        Ok(Peeled::Relay { .. }) => "relay",
        Ok(Peeled::Deliver { .. }) => "deliver",
        Ok(Peeled::Proxy(_)) => "server",
        Ok(Peeled::Malformed { .. }) => "malformed",
        Err(_) => "refused",
    });
    match peeled {
        Ok(Peeled::Relay { next, packet, .. }) => relay(node, next, packet).await,
        Ok(Peeled::Deliver { payload, reply, json, base64 }) => {
            let answer = storage_route::answer(node, payload, Share::Unknown).await;
            seal(&reply, answer, ReplyForm { json, base64 })
        }
        Ok(Peeled::Proxy(request)) => exit_route::answer(node, request).await,
        Ok(Peeled::Malformed { reply }) => match reply.seal_malformed(&mut SystemEntropy) {
            Ok(body) => (200, body),
            Err(_) => failed(),
        },
        Err(error) => (400, error.to_string().into_bytes()),
    }
}

/// Passes a packet on for as long as this node runs: the rest of the path may hold it open.
async fn relay(node: &Node, next: NodeId, packet: Vec<u8>) -> (u16, Vec<u8>) {
    tokio::select! {
        answer = pass_on(node, next, packet) => answer,
        () = stopped(node) => (503, b"Service node is not ready: shutting down\n".to_vec()),
    }
}

async fn stopped(node: &Node) {
    node.held.closed().await;
    tokio::time::sleep(LAST_ANSWERS).await;
}

async fn pass_on(node: &Node, next: NodeId, packet: Vec<u8>) -> (u16, Vec<u8>) {
    let failure = match node.placement().list().get(&next) {
        None => RelayFailure::NextNodeNotFound(next),
        Some(record) => {
            match node.connections.post(record, "/onion_req/v2", packet, RELAY_TIMEOUT).await {
                Ok(reply) => return (passed_back(reply.status), reply.body),
                Err(TransportError::Unreachable) => RelayFailure::NextNodeUnreachable(next),
                Err(TransportError::TimedOut) => RelayFailure::TimedOut,
                Err(TransportError::Broken) => RelayFailure::InvalidResponse,
            }
        }
    };
    telemetry::relay_failed(match &failure {
        RelayFailure::NextNodeNotFound(_) => "unknown_node",
        RelayFailure::NextNodeUnreachable(_) => "unreachable",
        RelayFailure::TimedOut => "timed_out",
        _ => "broken",
    });
    (failure.http_status(), failure.to_string().into_bytes())
}

/// The status of the rest of the path, as the reference node passes it back: 500 for all that it
/// does not know.
const fn passed_back(status: u16) -> u16 {
    match status {
        200 | 400 | 401 | 403 | 404 | 406 | 410 | 413 | 421 | 429 | 500 | 502 | 503 | 504 => status,
        _ => 500,
    }
}

fn seal(key: &ReplyKey, answer: Answer, form: ReplyForm) -> (u16, Vec<u8>) {
    let body = match answer.body {
        Body::Json(value) => value.to_json(),
        Body::Text(text) => text.into(),
        // What is sealed is JSON, which holds no bytes.
        Body::Binary(bytes) => STANDARD.encode(bytes).into(),
    };
    match key.seal(answer.status, &body, form, &mut SystemEntropy) {
        Ok(body) => (200, body),
        Err(_) => failed(),
    }
}

fn failed() -> (u16, Vec<u8>) {
    (500, b"request failed".to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_no_node_gives_is_passed_back_as_500() {
        assert_eq!([200, 400, 421, 502, 504].map(passed_back), [200, 400, 421, 502, 504]);
        assert_eq!([0, 100, 201, 302, 408, 418, 599].map(passed_back), [500; 7]);
    }
}
