//! Requests for files inside an onion: opened, answered and sealed again, without a socket in between.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use tokio::sync::Semaphore;
use warren_crypto::SystemEntropy;
use warren_crypto::x25519::SecretKey;
use warren_onion::{ServerRequest, ServerResponse, peel_at_server};

use super::http;
use super::server::FileServer;
use crate::held::Share;

/// The newest form of requests to servers.
pub const V4: &str = "/oxen/v4/lsrpc";
/// The older form, under both of its names.
pub const V3: [&str; 2] = ["/oxen/v3/lsrpc", "/loki/v3/lsrpc"];
/// The most bytes of content in one answer: what nodes relay, less what goes around it.
pub const MOST_BYTES: usize = 10 * 1024 * 1024 - 64 * 1024;
/// How many answers are in memory at once; each may take three times the most.
static ANSWERS: Semaphore = Semaphore::const_new(8);

/// Answers what was posted to `target`: HTTP status and body.
pub async fn answer(
    files: &Arc<FileServer>,
    key: &SecretKey,
    target: &str,
    body: &[u8],
) -> (u16, Vec<u8>) {
    let v4 = target == V4;
    if !v4 && !V3.contains(&target) {
        return (404, b"no such place for onion requests".to_vec());
    }
    let Ok((payload, reply)) = peel_at_server(body, key) else {
        return (400, b"the onion request does not open".to_vec());
    };
    let Ok(_place) = ANSWERS.acquire().await else { return (503, Vec::new()) };
    let answer = match v4 {
        true => serve(files, ServerRequest::parse(payload).ok()).await.encode(),
        false => serve(files, ServerRequest::parse_v3(&payload).ok()).await.encode_v3(),
    };
    match reply.seal_bytes(&answer, !v4, &mut SystemEntropy) {
        Ok(sealed) => (200, sealed),
        Err(_) => (500, b"request failed".to_vec()),
    }
}

async fn serve(files: &Arc<FileServer>, request: Option<ServerRequest>) -> ServerResponse {
    let Some(request) = request.and_then(to_http) else { return ServerResponse::malformed() };
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
    from_http(http::answer(files, request, most, Share::Unknown).await).await
}

/// `None` where method, endpoint or a header is nothing that HTTP knows.
fn to_http(request: ServerRequest) -> Option<Request> {
    let ServerRequest { method, endpoint, headers, body } = request;
    let length = body.len();
    let mut built = axum::http::Request::builder().method(method.as_str()).uri(endpoint);
    for (name, value) in headers {
        if !name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()) {
            built = built.header(name, value);
        }
    }
    let built = built.header(CONTENT_LENGTH, length);
    built.body(Body::from(Bytes::from(body))).ok()
}

async fn from_http(response: Response) -> ServerResponse {
    let (head, body) = response.into_parts();
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = head.headers.iter().filter(|(name, _)| *name != CONTENT_LENGTH);
    let headers = headers.filter_map(text).collect();
    match to_bytes(body, MOST_BYTES).await {
        Ok(body) => ServerResponse { code: head.status.as_u16(), headers, body: body.into() },
        Err(_) => ServerResponse { code: 500, headers: Vec::new(), body: Vec::new() },
    }
}
