//! One pool of open connections for each node, each with that node's pin.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};
use warren_wire::directory::NodeRecord;

use crate::pin::{Pin, client_config};

/// The most bytes read of one answer: a full mailbox page, in base64, twice wrapped.
const MAX_REPLY_BYTES: usize = 24 * 1024 * 1024;
/// How long a handshake may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a node is asked whether it is still there while it owes an answer, and how long it
/// may take to say so.
const PING: Duration = Duration::from_secs(5);
/// How long an unused connection stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No connection: the node is down, or shows another certificate than the pinned one.
    #[error("the node cannot be reached")]
    Unreachable,
    /// Connected, but no answer in time.
    #[error("the node did not answer in time")]
    TimedOut,
    /// The connection broke, or the answer is larger than any should be.
    #[error("the node's answer broke off")]
    Broken,
}

/// A node's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a node listens and which certificate it must show.
type PoolKey = (std::net::SocketAddr, Option<[u8; 32]>);

/// Connections to nodes, made when first needed and kept open.
#[derive(Default)]
pub struct Connections {
    pools: Mutex<HashMap<PoolKey, reqwest::Client>>,
}

impl Connections {
    /// No connection yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Posts a body to a path of a node, such as `/onion_req/v2`.
    ///
    /// # Errors
    /// Where no whole answer came; an answer of any status is no error.
    pub async fn post(
        &self,
        node: &NodeRecord,
        path: &str,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        let client = self.pool(node)?;
        let url = format!("https://{}{path}", node.address());
        let response = client
            .post(url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        read(response).await
    }

    fn pool(&self, node: &NodeRecord) -> Result<reqwest::Client, TransportError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (node.address(), node.certificate);
        if let Some(client) = pools.get(&key) {
            return Ok(client.clone());
        }
        let pin = node.certificate.map_or(Pin::Any, Pin::Certificate);
        let client = http_client(pin)?;
        pools.insert(key, client.clone());
        Ok(client)
    }
}

/// A client that believes one pin, follows no redirect and asks no proxy.
///
/// It names itself as Session's clients do, so that nothing in between files it under a name of its
/// own. Whoever looks can still tell them apart: by HTTP/2, by `Content-Type`, by the TLS handshake,
/// and a guard by the `enc_type` in the packet.
pub(crate) fn http_client(pin: Pin) -> Result<reqwest::Client, TransportError> {
    let tls = client_config(pin).map_err(|_| TransportError::Unreachable)?;
    let headers = HeaderMap::from_iter([
        (USER_AGENT, HeaderValue::from_static("WhatsApp")),
        (ACCEPT_LANGUAGE, HeaderValue::from_static("en-us")),
    ]);
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .default_headers(headers)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PING)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|_| TransportError::Unreachable)
}

/// Reads an answer up to the most that any may have.
pub(crate) async fn read(mut response: reqwest::Response) -> Result<Reply, TransportError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        if body.len() + chunk.len() > MAX_REPLY_BYTES {
            return Err(TransportError::Broken);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

pub(crate) fn classify(error: &reqwest::Error) -> TransportError {
    if error.is_connect() {
        TransportError::Unreachable
    } else if error.is_timeout() {
        TransportError::TimedOut
    } else {
        TransportError::Broken
    }
}
