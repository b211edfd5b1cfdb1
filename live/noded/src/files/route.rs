//! The file server at a node's port: which paths are its own.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, post};
use warren_wire::limits::MAX_BODY_BYTES;

use super::{http, onion, tus};
use crate::exit_route;
use crate::http::{not_found, peer_of, response, unread};
use crate::node::Node;

/// What is answered for files. The length of a body is looked at where it is known what it is for:
/// files may be larger than any other request.
pub(crate) fn router() -> Router<Arc<Node>> {
    let mut router = Router::new().route("/session_version", any(files));
    for path in ["/file", "/files", tus::UPLOAD] {
        router = router.route(path, any(files)).route(&format!("{path}/{{*rest}}"), any(files));
    }
    for path in [onion::V4].into_iter().chain(onion::V3) {
        router = router.route(path, post(onions).fallback(not_found));
    }
    router
}

/// Whether a body for this path goes to the disk as it comes, so that its length says nothing of the
/// memory that it takes.
pub(crate) fn streams(path: &str) -> bool {
    ["/file", tus::UPLOAD].into_iter().any(|own| {
        path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

async fn files(State(node): State<Arc<Node>>, request: Request) -> Response {
    match &node.files {
        Some(files) => {
            let who = node.share_of(peer_of(request.extensions()));
            http::answer(files, request, u64::MAX, who).await
        }
        None => not_found(request).await,
    }
}

async fn onions(State(node): State<Arc<Node>>, request: Request) -> Response {
    let target = request.uri().path().to_owned();
    match node.bodies.read(request.into_body(), MAX_BODY_BYTES).await {
        Ok(body) => {
            let (status, body) = exit_route::serve(&node, &target, body.bytes()).await;
            response(status, "application/octet-stream", body)
        }
        Err(error) => unread(error),
    }
}
