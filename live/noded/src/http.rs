//! The routes of a node, the size of a body and the content type of an answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SERVER};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use warren_node::answer::SPOKEN_VERSION;
use warren_node::{Answer, Body};
use warren_wire::directory::Challenge;
use warren_wire::directory::exchange::REACH_PATH;
use warren_wire::limits::MAX_BODY_BYTES;
use warren_wire::rpc::member::MAX_RECORDS_BYTES;

use crate::bodies::BodyError;
use crate::directory::{MAX_QUESTION_BYTES, answer_question};
use crate::held::socket;
use crate::limits::Class;
use crate::node::Node;
use crate::{admission, files, onion_route, storage_route, swarm_route, telemetry};

/// The most bytes that one member of a swarm brings another: a batch of records with all around
/// them.
const MAX_SWARM_BYTES: usize = MAX_RECORDS_BYTES + 2 * 1024 * 1024;
/// The room that other nodes have for themselves: a few of the largest.
pub(crate) const SWARM_ROOM_BYTES: usize = 4 * MAX_SWARM_BYTES;
/// The bytes of an authority's challenge.
const CHALLENGE_BYTES: usize = 32;
/// Where clients ask without an onion.
pub(crate) const STORAGE: &str = "/storage_rpc/v1";
/// Where other nodes ask.
pub(crate) const SWARM: &str = "/swarm/v1";
/// What says which node this is.
const NODE_KEY: HeaderName = HeaderName::from_static("x-oxen-snode-pubkey");
/// What answers.
const SERVER_NAME: HeaderValue = HeaderValue::from_static("Warren");
/// What old clients wait for messages by.
const LONG_POLL: HeaderName = HeaderName::from_static("x-loki-long-poll");

/// Says of an answer that the rest of the request is not worth reading.
#[derive(Debug, Clone, Copy)]
struct Closing;

/// Everything a node answers.
pub fn router(node: Arc<Node>) -> Router {
    Router::new()
        .route(STORAGE, post(storage).fallback(not_found))
        .route("/onion_req/v2", post(onion).fallback(not_found))
        .route("/json_rpc", post(directory).fallback(not_found))
        .route("/monitor/v1", get(monitor).fallback(not_found))
        .route(SWARM, post(swarm).fallback(not_found))
        .route(REACH_PATH, post(reach).fallback(not_found))
        .route("/ping_test/v1", post(ping).fallback(not_found))
        .route("/get_stats/v1", get(stats).fallback(not_found))
        .fallback(not_found)
        .layer(middleware::from_fn(refuse_large_bodies))
        .layer(middleware::from_fn(refuse_long_polls))
        .merge(files::route::router())
        .layer(middleware::from_fn_with_state(Arc::clone(&node), admission::admit))
        .layer(middleware::from_fn(close))
        .layer(middleware::from_fn_with_state(Arc::clone(&node), count))
        .layer(middleware::map_response(name))
        .with_state(node)
}

async fn storage(State(node): State<Arc<Node>>, request: Request) -> Response {
    let share = node.share_of(peer_of(request.extensions()));
    match node.bodies.read(request.into_body(), MAX_BODY_BYTES).await {
        Ok(body) => respond(storage_route::answer(&node, body, share).await),
        Err(error) => unread(error),
    }
}

async fn onion(State(node): State<Arc<Node>>, request: Request) -> Response {
    match node.bodies.read(request.into_body(), MAX_BODY_BYTES).await {
        Ok(body) => {
            let (status, body) = onion_route::answer(&node, body).await;
            response(status, "text/plain", body)
        }
        Err(error) => unread(error),
    }
}

async fn monitor(
    State(node): State<Arc<Node>>,
    extensions: Extensions,
    upgrade: WebSocketUpgrade,
) -> Response {
    socket::open(node, upgrade, peer_of(&extensions))
}

pub(crate) fn peer_of(extensions: &Extensions) -> Option<SocketAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0)
}

async fn directory(State(node): State<Arc<Node>>, request: Request) -> Response {
    match node.bodies.read(request.into_body(), MAX_QUESTION_BYTES).await {
        Ok(body) => answer_question(body.bytes(), &node.published()),
        Err(error) => unread(error),
    }
}

async fn swarm(State(node): State<Arc<Node>>, request: Request) -> Response {
    let peer = peer_of(request.extensions());
    let class = peer.map(|peer| node.limits.class(peer.ip(), &node.placement()));
    let reserved = class == Some(Class::Node);
    let bodies = if reserved { &node.swarm_bodies } else { &node.bodies };
    let body = match bodies.read(request.into_body(), MAX_SWARM_BYTES).await {
        Ok(body) => body,
        Err(error) => return unread(error),
    };
    match swarm_route::answer(&node, body.bytes(), peer).await {
        Ok(body) => response(200, "application/octet-stream", body),
        Err(refusal) => respond(refusal),
    }
}

/// Proves to an authority that this node listens here.
async fn reach(State(node): State<Arc<Node>>, request: Request) -> Response {
    let body = match node.bodies.read(request.into_body(), CHALLENGE_BYTES).await {
        Ok(body) => body,
        Err(error) => return unread(error),
    };
    let Ok(challenge) = body.bytes().try_into().map(Challenge) else {
        return response(400, "text/plain", "a challenge has 32 bytes");
    };
    match challenge.answer(node.identity.signing_key()) {
        Ok(answer) => response(200, "text/plain", answer),
        Err(_) => response(500, "text/plain", "request failed"),
    }
}

async fn ping(State(node): State<Arc<Node>>) -> Response {
    let mut response = Response::new(HttpBody::empty());
    let key = STANDARD.encode(node.identity.id().as_bytes());
    if let Ok(key) = HeaderValue::try_from(key) {
        response.headers_mut().insert(NODE_KEY, key);
    }
    response
}

async fn stats() -> Response {
    let [major, minor, patch] = SPOKEN_VERSION;
    let body = json!({ "version": format!("{major}.{minor}.{patch}") });
    response(200, "application/json", body.to_string())
}

pub(crate) async fn not_found(request: Request) -> Response {
    let text = format!("{} {} Not Found", request.method(), request.uri().path());
    response(404, "text/plain", text)
}

pub(crate) fn unread(error: BodyError) -> Response {
    closing(response(error.status(), "text/plain", error.to_string()))
}

fn closing(mut response: Response) -> Response {
    response.extensions_mut().insert(Closing);
    response
}

/// Refuses clients that ask in a way of old, before anything of the body is looked at.
async fn refuse_long_polls(request: Request, next: Next) -> Response {
    if request.uri().path() == STORAGE
        && request.method() == Method::POST
        && request.headers().get(LONG_POLL).is_some_and(|value| !value.is_empty())
    {
        let text = "long polling is no longer supported, client upgrade required";
        return response(410, "text/plain", text);
    }
    next.run(request).await
}

/// Ends a connection of HTTP/1 whose request was not read to its end; HTTP/2 ends the one stream.
async fn close(request: Request, next: Next) -> Response {
    let one_at_a_time = request.version() < Version::HTTP_2;
    let mut response = next.run(request).await;
    if one_at_a_time && response.extensions().get::<Closing>().is_some() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Says on every answer what answers, as the reference node does.
async fn name(mut response: Response) -> Response {
    response.headers_mut().entry(SERVER).or_insert(SERVER_NAME);
    response
}

async fn count(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    let _begun = node.under_way.begin();
    let (route, begun) = (admission::name_of(request.uri().path()), Instant::now());
    let response = next.run(request).await;
    telemetry::request(route, response.status().as_u16(), begun.elapsed());
    response
}

/// Refuses by the announced length, before a byte of the body is read.
async fn refuse_large_bodies(headers: HeaderMap, request: Request, next: Next) -> Response {
    let length = headers
        .get(CONTENT_LENGTH)
        .map(|value| value.to_str().ok().and_then(|text| text.parse::<usize>().ok()));
    match length {
        Some(None) => closing(response(400, "text/plain", "invalid Content-Length")),
        Some(Some(length)) if length > MAX_BODY_BYTES => unread(BodyError::TooLarge),
        _ => next.run(request).await,
    }
}

/// Turns an answer into HTTP: JSON as such, complaints as plain text.
pub fn respond(answer: Answer) -> Response {
    match answer.body {
        Body::Json(value) => {
            response(answer.status, "application/json", value.to_json().to_string())
        }
        Body::Text(text) => response(answer.status, "text/plain", text),
        Body::Binary(bytes) => response(answer.status, "application/octet-stream", bytes),
    }
}

/// A response with exactly this content type.
pub fn response(status: u16, content_type: &'static str, body: impl Into<HttpBody>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
