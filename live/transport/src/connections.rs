//! Open connections to each node, each with that node's pin; more of them where many requests wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
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
/// How many requests share one connection: fewer than a node takes at once on one (256), for those
/// beyond would wait in line behind requests that are held open.
const MOST_PER_LANE: usize = 200;
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

/// One connection to a node, where it speaks HTTP/2. Its strong count, less one, is the number of
/// requests on it.
type Lane = Arc<reqwest::Client>;

/// Connections to nodes, made when first needed and kept open.
#[derive(Default)]
pub struct Connections {
    pools: Mutex<HashMap<PoolKey, Vec<Lane>>>,
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
        let lane = self.lane(node)?;
        let url = format!("https://{}{path}", node.address());
        let response = lane
            .post(url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/octet-stream")
            .body(body)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        read(response).await
    }

    /// The first lane to a node that has room, which is taken until the result is dropped.
    fn lane(&self, node: &NodeRecord) -> Result<Lane, TransportError> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let lanes = pools.entry((node.address(), node.certificate)).or_default();
        if let Some(lane) = lanes.iter().find(|lane| Arc::strong_count(lane) <= MOST_PER_LANE) {
            return Ok(Arc::clone(lane));
        }
        let pin = node.certificate.map_or(Pin::Any, Pin::Certificate);
        let lane = Arc::new(http_client(pin)?);
        lanes.push(Arc::clone(&lane));
        Ok(lane)
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
