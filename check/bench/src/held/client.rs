//! Clients that wait: thousands of requests on few connections, or a connection for each.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use warren_account::Account;
use warren_crypto::SystemEntropy;
use warren_onion::{Cipher, Hop, build};
use warren_transport::pin::{Pin, client_config};
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::{RetrieveRequest, UnverifiedAuth, request, signed};
use warren_wire::{Millis, Namespace};

use super::SHARED;
use crate::Outcome;
use crate::node::now;

/// As long as a node waits; who waits longer asks again.
const WAIT: Millis = 25_000;

/// How often a connection may break: on a busy machine thousands of handshakes take their time.
const MOST_FAILURES: usize = 20;

/// How those who wait are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// Many on one connection of HTTP/2.
    Shared,
    /// One on each connection of HTTP/1.1.
    EachHttp1,
    /// One on each connection of HTTP/2.
    EachHttp2,
    /// Through three hops, many on one connection to the first.
    Onion,
}

/// Lets this process have as many files open as it may.
pub(crate) fn raise_file_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Where that is refused, connections are, and say so.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

/// Starts clients that wait until they are dropped, each for a mailbox of its own.
pub(crate) fn wait(
    nodes: &[NodeRecord],
    crowd: Crowd,
    count: usize,
) -> Outcome<JoinSet<Outcome<()>>> {
    let nodes: Arc<[NodeRecord]> = nodes.into();
    let mut clients = JoinSet::new();
    let each = if matches!(crowd, Crowd::Shared | Crowd::Onion) { SHARED } else { 1 };
    let mut left = count;
    while left > 0 {
        let share = left.min(each);
        left -= share;
        let nodes = Arc::clone(&nodes);
        clients.spawn(async move {
            let mut failures = 0;
            loop {
                let ended = match crowd {
                    Crowd::EachHttp1 => wait_on_http1(&nodes).await,
                    _ => wait_on_http2(Arc::clone(&nodes), crowd, share).await,
                };
                failures += 1;
                if failures > MOST_FAILURES {
                    return ended;
                }
            }
        });
    }
    Ok(clients)
}

async fn wait_on_http1(nodes: &[NodeRecord]) -> Outcome<()> {
    let node = nodes.first().ok_or("there is no node")?;
    let stream = connect(node.address(), b"http/1.1").await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let account = Account::random(&mut SystemEntropy)?;
    loop {
        let request = post(node, "/storage_rpc/v1", question(&account)?)?;
        let response = sender.send_request(request).await?;
        if response.status() != 200 {
            driving.abort();
            return Err(format!("refused with {}", response.status()).into());
        }
        response.into_body().collect().await?;
    }
}

async fn wait_on_http2(nodes: Arc<[NodeRecord]>, crowd: Crowd, share: usize) -> Outcome<()> {
    let node = nodes.first().ok_or("there is no node")?.clone();
    let stream = connect(node.address(), b"h2").await?;
    let io = TokioIo::new(stream);
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await?;
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { Ok(connection.await?) });
    for _ in 0..share {
        let (nodes, node, mut sender) = (Arc::clone(&nodes), node.clone(), sender.clone());
        waiting.spawn(async move {
            let account = Account::random(&mut SystemEntropy)?;
            loop {
                let (path, body) = match crowd {
                    Crowd::Onion => ("/onion_req/v2", wrap(&nodes, &question(&account)?)?),
                    _ => ("/storage_rpc/v1", question(&account)?),
                };
                let response = sender.send_request(post(&node, path, body)?).await?;
                if response.status() != 200 {
                    return Err(format!("refused with {}", response.status()).into());
                }
                response.into_body().collect().await?;
            }
        });
    }
    waiting.join_next().await.ok_or("nobody waits")??
}

/// A connection over TLS that speaks this protocol.
pub(crate) async fn connect(address: SocketAddr, alpn: &[u8]) -> Outcome<TlsStream<TcpStream>> {
    let mut tls = client_config(Pin::Any)?;
    tls.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await?;
    Ok(TlsConnector::from(Arc::new(tls)).connect("node.invalid".try_into()?, stream).await?)
}

fn post(node: &NodeRecord, path: &str, body: Vec<u8>) -> Outcome<Request<Full<Bytes>>> {
    let uri = format!("https://{}{path}", node.address());
    let host = node.address().to_string();
    Ok(Request::post(uri).header("host", host).body(Full::new(body.into()))?)
}

/// A signed question for new mail that may wait.
fn question(account: &Account) -> Outcome<Vec<u8>> {
    let now = now()?;
    let key = account.signing_key();
    let auth = UnverifiedAuth {
        signature: key.sign(signed::retrieve(Namespace::DIRECT, now).as_bytes())?,
        ed25519: Some(*key.verifying_key().as_bytes()),
        subaccount: None,
    };
    let request = RetrieveRequest {
        account: account.id(),
        namespace: Namespace::DIRECT,
        after: None,
        max_count: None,
        max_size: None,
        newest_first: false,
        wait: Some(WAIT),
        auth: Some((auth, now)),
    };
    Ok(request::encode("retrieve", &request.to_value()))
}

/// Wraps a question for the last of the nodes.
fn wrap(nodes: &[NodeRecord], question: &[u8]) -> Outcome<Vec<u8>> {
    let hops: Vec<Hop> = nodes.iter().map(Hop::from).collect();
    let (destination, path) = hops.split_last().ok_or("there is no node")?;
    let built = build(path, destination, question, Cipher::XChaCha20, &mut SystemEntropy)?;
    Ok(built.packet)
}
