//! The last node's errand: asking a server on behalf of a client whom the server does not see.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use warren_crypto::SystemEntropy;
use warren_node::exit::{Exit, ExitRules, takes_onions};
use warren_onion::ProxyRequest;
use warren_onion::reply::{RelayFailure, ReplyForm, ReplyKey};
use warren_transport::{Outside, Reply, TransportError};
use warren_wire::address::is_public;

use crate::files;
use crate::node::Node;

/// How long a server may take.
const SERVER_TIMEOUT: Duration = Duration::from_secs(25);

/// Whom a node asks on behalf of clients.
#[derive(Default)]
pub struct Exits {
    rules: ExitRules,
    outside: OnceLock<Option<Outside>>,
}

impl Exits {
    /// Goes by these rules.
    pub fn new(rules: ExitRules) -> Self {
        Self { rules, outside: OnceLock::new() }
    }

    /// Connections to hosts that are no nodes, made when first needed.
    fn outside(&self) -> Option<&Outside> {
        self.outside.get_or_init(|| Outside::new(is_public).ok()).as_ref()
    }
}

/// Status and body for the node or client that sent the packet: the server's own, or a refusal that
/// is sealed for the client.
pub async fn answer(node: &Arc<Node>, request: ProxyRequest) -> (u16, Vec<u8>) {
    let ProxyRequest { host, port, protocol, target, body, reply, .. } = request;
    if !takes_onions(&target) || !matches!(protocol.as_str(), "http" | "https") {
        return refuse(&reply, 400, "Invalid url");
    }
    let placement = node.placement();
    let own = placement.list().get(placement.own()).map(|record| record.address());
    let own = own.unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)));
    let answer = match node.exits.rules.decide(&host, port, own, placement.list()) {
        Exit::Own => return serve(node, &target, &body).await,
        Exit::Node(record) => node.connections.post(record, &target, body, SERVER_TIMEOUT).await,
        Exit::Outside => match node.exits.outside() {
            Some(outside) => {
                let host = if host.contains(':') { format!("[{host}]") } else { host };
                let url = format!("{protocol}://{host}:{port}{target}");
                outside.post(&url, body, SERVER_TIMEOUT).await
            }
            None => Err(TransportError::Unreachable),
        },
        Exit::Refused => {
            return refuse(&reply, 403, "this node asks no such server for others");
        }
    };
    match answer {
        Ok(Reply { status, body }) => (status, body),
        Err(TransportError::TimedOut) => {
            let failure = RelayFailure::TimedOut;
            (failure.http_status(), failure.to_string().into_bytes())
        }
        Err(error) => (502, format!("the server: {error}").into_bytes()),
    }
}

/// What this node answers as a server itself, asked by a packet or over a socket.
pub async fn serve(node: &Node, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    match &node.files {
        Some(server) => files::onion::answer(server, node.identity.x25519(), target, body).await,
        None => (404, b"this node keeps no files".to_vec()),
    }
}

fn refuse(key: &ReplyKey, status: u16, text: &str) -> (u16, Vec<u8>) {
    let form = ReplyForm { json: false, base64: true };
    match key.seal(status, text, form, &mut SystemEntropy) {
        Ok(body) => (200, body),
        Err(_) => (500, b"request failed".to_vec()),
    }
}
