//! Who is served and who is put off, before anything of a request's body is looked at; and what its
//! body and its answer may hold in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use warren_node::challenge::Subject;
use warren_node::{Answer, Body, CheckedStore};
use warren_wire::work::WorkProof;
use warren_wire::{Millis, Value};

use crate::bodies::BodyError;
use crate::files;
use crate::http::{self, response, unread};
use crate::limits::network::Network;
use crate::limits::{Class, Route};
use crate::node::{Node, now};
use crate::telemetry;

/// What a client is asked for that makes too many requests: terms in JSON, as base64.
pub const CHALLENGE: HeaderName = HeaderName::from_static("x-warren-challenge");
/// What it may answer with its next request: the proof in JSON, as base64.
pub const PROOF: HeaderName = HeaderName::from_static("x-warren-proof");
/// What such a proof is for.
pub const TARGET: &[u8] = b"request";

/// Lets a request in, or puts its client off.
pub(crate) async fn admit(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0);
    let Some(peer) = peer else { return hold(&node, next.run(request).await, None).await };
    let class = node.limits.class(peer.ip(), &node.placement());
    if !node.limits.admit(peer, class, route_of(request.uri().path())) {
        let network = Network::from(peer.ip());
        if !has_worked(&node, request.headers(), network).await {
            telemetry::put_off(match class {
                Class::Client => "client",
                Class::Node => "node",
            });
            return put_off(&node, &network.to_bytes());
        }
    }
    let counted = class == Class::Client && !files::route::streams(request.uri().path());
    let Some(shares) = node.limits.shares.as_ref().filter(|_| counted) else {
        return hold(&node, next.run(request).await, Some((peer, class))).await;
    };
    let part = shares.begin(peer.ip().into());
    let request = request.map(|body| part.count(body));
    let answer = next.run(request).await;
    if part.is_exceeded() {
        telemetry::put_off("body_share");
        return unread(BodyError::Busy);
    }
    hold(&node, answer, Some((peer, class))).await
}

/// A route's name among the numbers; what strangers make up has none of its own.
pub(crate) fn name_of(path: &str) -> &'static str {
    const NAMES: [&str; 8] = [
        http::STORAGE,
        "/onion_req/v2",
        "/json_rpc",
        http::SWARM,
        "/ping_test/v1",
        "/get_stats/v1",
        "/monitor/v1",
        "/file",
    ];
    NAMES.into_iter().find(|name| path.starts_with(name)).unwrap_or("other")
}

fn route_of(path: &str) -> Route {
    match path {
        http::STORAGE => Route::Storage,
        "/onion_req/v2" => Route::Onion,
        "/json_rpc" => Route::Directory,
        http::SWARM => Route::Swarm,
        _ => Route::Other,
    }
}

/// The answer, where there is room to wait for its client; a node's answers go to many clients.
async fn hold(node: &Node, answer: Response, to: Option<(SocketAddr, Class)>) -> Response {
    let limits = &node.limits;
    let client = to.filter(|(_, class)| *class == Class::Client && limits.tells_clients_apart());
    let client = client.map(|(peer, _)| Network::from(peer.ip()));
    let due = |bytes| limits.doors.answering(to?.0, bytes);
    limits.answers.hold(answer, client, due).await.unwrap_or_else(|| {
        telemetry::put_off("answer_room");
        let error = BodyError::Busy;
        response(error.status(), "text/plain", error.to_string())
    })
}

/// 429 as the reference node says it, and what may be done about it.
fn put_off(node: &Node, network: &[u8]) -> Response {
    let terms = node.limits.proofs.ask(&Subject::Client(network), now());
    let mut refusal = response(429, "text/plain", "Too Many Requests\n");
    let text = STANDARD.encode(terms.to_value().to_json().to_string());
    if let Ok(value) = HeaderValue::try_from(text) {
        refusal.headers_mut().insert(CHALLENGE, value);
    }
    refusal
}

async fn has_worked(node: &Node, headers: &HeaderMap, network: Network) -> bool {
    let proof = headers.get(PROOF).and_then(|value| {
        let json = STANDARD.decode(value.as_bytes()).ok()?;
        WorkProof::read(&Value::from_json(&json).ok()?)
    });
    let Some(proof) = proof else { return false };
    let name = network.to_bytes();
    let subject = Subject::Client(&name);
    node.limits.proofs.check(proof, &subject, Some(network), TARGET, now()).await.is_ok()
}

/// Whether a mailbox takes one more message from whoever it is: within their share, or for work.
/// What the owner signed is not counted. `sender` is the client, where it has an address.
///
/// # Errors
/// 429 with what is asked for.
pub(crate) async fn admit_mail(
    node: &Node,
    checked: &CheckedStore,
    work: Option<WorkProof>,
    sender: Option<Network>,
    now: Millis,
) -> Result<(), Answer> {
    let request = checked.request();
    let admitted = || match sender {
        Some(client) => node.limits.admit_mail_from(&request.account, client),
        None => node.limits.admit_mail(&request.account),
    };
    if !request.namespace.takes_from_anyone() || admitted() {
        return Ok(());
    }
    let subject = Subject::Mailbox(&request.account);
    let mut reason =
        "this mailbox gets too many messages: send again with a proof of work".to_owned();
    if let Some(work) = work {
        match node.limits.proofs.check(work, &subject, sender, checked.hash().as_bytes(), now).await
        {
            Ok(()) => return Ok(()),
            Err(error) => reason = error.to_string(),
        }
    }
    telemetry::put_off("mailbox");
    let terms = node.limits.proofs.ask(&subject, now).to_value();
    let body = Value::dict([("reason", reason.into()), ("challenge", terms)]);
    Err(Answer { status: 429, body: Body::Json(body) })
}
