//! The routes of the file server, as Session's clients know them, for sockets and for onions alike.
//!
//! Errors are `{"status_code": n}` under the HTTP status n; times are seconds since 1970 with a
//! fraction.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::{Value, json};
use warren_node::files::{Asked, entity_tag, is_known};
use warren_wire::limits::MAX_BODY_BYTES;
use warren_wire::{FileId, Millis};

use super::error::FilesError;
use super::index::FileRecord;
use super::server::{FileServer, Kept};
use super::tus;
use crate::held::Share;

/// How long a client wants its file kept, in seconds.
const TTL: HeaderName = HeaderName::from_static("x-fs-ttl");
/// The platforms whose newest version clients ask for.
const PLATFORMS: [&str; 3] = ["desktop", "android", "ios"];
/// The most bytes of a file whose content travels as base64 in JSON.
const MAX_LEGACY_BYTES: u64 = 6_000_000;
/// Reads base64 with padding and without.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Answers a request for a file. `most` is how many bytes of content the way back carries, `who` on
/// whose account an upload begins.
pub async fn answer(files: &Arc<FileServer>, request: Request, most: u64, who: Share) -> Response {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    if let Some(rest) = path.strip_prefix(tus::UPLOAD)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return tus::answer(files, rest, &head, body, who).await;
    }
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let result = match (head.method.as_str(), segments.as_slice()) {
        ("POST", ["file"]) => upload(files, &head, body).await,
        ("GET" | "HEAD", ["file", id]) => download(files, id, &head, most).await,
        ("GET" | "HEAD", ["file", id, "info"]) => info(files, id).await,
        ("POST", ["file", id, "extend"]) => extend(files, id, &head).await,
        ("POST", ["files"]) => upload_legacy(files, &head, body).await,
        ("GET" | "HEAD", ["files", id]) => download_legacy(files, id).await,
        ("GET" | "HEAD", ["session_version"]) => Ok(version(&head)),
        (_, ["file" | "files" | "session_version"] | ["file" | "files", _])
        | (_, ["file", _, "info" | "extend"]) => Ok(status(405)),
        _ => Ok(status(404)),
    };
    result.unwrap_or_else(|error| failed(&error))
}

async fn upload(files: &Arc<FileServer>, head: &Parts, body: Body) -> Result<Response, FilesError> {
    let lifetime = lifetime(files, head)?;
    let announced = text(head, &CONTENT_LENGTH).and_then(|text| text.parse().ok());
    let kept = keep(files, body, announced, lifetime).await?;
    Ok(json_of(200, &json!({ "id": kept.id.to_string(), "expires": seconds(kept.expires) })))
}

/// Keeps a file, to the end even where the client goes away.
async fn keep(
    files: &Arc<FileServer>,
    body: Body,
    announced: Option<u64>,
    lifetime: Millis,
) -> Result<Kept, FilesError> {
    let files = Arc::clone(files);
    let keep = async move { files.keep(body, announced, lifetime).await };
    tokio::spawn(keep).await.map_err(|_| FilesError::Internal)?
}

async fn download(
    files: &FileServer,
    id: &str,
    head: &Parts,
    most: u64,
) -> Result<Response, FilesError> {
    let id = name(id)?;
    let file = files.find(id).await?;
    let mut response = match text(head, &IF_NONE_MATCH) {
        Some(known) if is_known(known, &id) => empty(304),
        _ => content(files, &id, &file, head, most).await?,
    };
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    put(headers, ETAG, entity_tag(&id));
    let expires = SystemTime::UNIX_EPOCH + Duration::from_secs(file.expires / 1000);
    put(headers, EXPIRES, httpdate::fmt_http_date(expires));
    Ok(response)
}

async fn content(
    files: &FileServer,
    id: &FileId,
    file: &FileRecord,
    head: &Parts,
    most: u64,
) -> Result<Response, FilesError> {
    let same = text(head, &IF_RANGE).is_none_or(|tag| tag == entity_tag(id));
    let range = text(head, &RANGE).filter(|_| same);
    let (code, range) = match Asked::read(range, file.size) {
        Asked::Whole => (200, 0..file.size),
        Asked::Part(range) => (206, range),
        Asked::Nothing => {
            let mut response = status(416);
            put(response.headers_mut(), CONTENT_RANGE, format!("bytes */{}", file.size));
            return Ok(response);
        }
    };
    let length = range.end.saturating_sub(range.start);
    let last = range.end.saturating_sub(1);
    let content_range = format!("bytes {}-{last}/{}", range.start, file.size);
    let body = match head.method.as_str() {
        "HEAD" => Body::empty(),
        // The client is to ask for a part.
        _ if length > most => return Err(FilesError::Size),
        _ => files.read(file, range).await?,
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if code == 206 {
        put(headers, CONTENT_RANGE, content_range);
    }
    Ok(response)
}

async fn info(files: &FileServer, id: &str) -> Result<Response, FilesError> {
    Ok(described(&files.find(name(id)?).await?))
}

async fn extend(files: &FileServer, id: &str, head: &Parts) -> Result<Response, FilesError> {
    let lifetime = lifetime(files, head)?;
    Ok(described(&files.extend(name(id)?, lifetime).await?))
}

fn described(file: &FileRecord) -> Response {
    let (uploaded, expires) = (seconds(file.uploaded), seconds(file.expires));
    json_of(200, &json!({ "size": file.size, "uploaded": uploaded, "expires": expires }))
}

async fn upload_legacy(
    files: &Arc<FileServer>,
    head: &Parts,
    body: Body,
) -> Result<Response, FilesError> {
    let lifetime = lifetime(files, head)?;
    // The text, what it decodes to, and the JSON around it are in memory at once.
    let _writer = files.writer().await?;
    let body = axum::body::to_bytes(body, MAX_BODY_BYTES).await;
    let body = body.map_err(|_| FilesError::Size)?;
    let json: Value = serde_json::from_slice(&body).map_err(|_| FilesError::Malformed)?;
    drop(body);
    let text = json.get("file").and_then(Value::as_str).ok_or(FilesError::Malformed)?;
    let content = TOLERANT.decode(text).map_err(|_| FilesError::Malformed)?;
    drop(json);
    let length = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let kept = keep(files, content.into(), Some(length), lifetime).await?;
    Ok(json_of(200, &json!({ "status_code": 200, "result": kept.id.to_string() })))
}

async fn download_legacy(files: &FileServer, id: &str) -> Result<Response, FilesError> {
    let file = files.find(name(id)?).await?;
    if file.size > MAX_LEGACY_BYTES {
        return Err(FilesError::Size);
    }
    let content = axum::body::to_bytes(files.read(&file, 0..file.size).await?, usize::MAX).await;
    let content = content.map_err(|_| FilesError::Internal)?;
    Ok(json_of(200, &json!({ "status_code": 200, "result": STANDARD.encode(content) })))
}

/// Which version of the apps is newest: this server follows none of them.
fn version(head: &Parts) -> Response {
    let query = head.uri.query().unwrap_or_default();
    let platform = query.split('&').find_map(|pair| pair.strip_prefix("platform="));
    let known = platform.is_some_and(|platform| PLATFORMS.contains(&platform));
    status(if known { 502 } else { 404 })
}

fn name(id: &str) -> Result<FileId, FilesError> {
    id.parse().map_err(|_| FilesError::NotFound)
}

/// How long the client wants its file kept.
pub(super) fn lifetime(files: &FileServer, head: &Parts) -> Result<Millis, FilesError> {
    let header = head.headers.get(TTL).map(|value| value.to_str().unwrap_or("none"));
    files.options.lifetimes().read(header).map_err(|_| FilesError::Lifetime)
}

/// The text of a header.
pub(super) fn text<'a>(head: &'a Parts, name: &HeaderName) -> Option<&'a str> {
    head.headers.get(name).and_then(|value| value.to_str().ok())
}

/// A time as these routes write it.
#[expect(clippy::cast_precision_loss, reason = "milliseconds stay exact for 285,000 years")]
pub(super) fn seconds(time: Millis) -> f64 {
    time as f64 / 1000.0
}

/// An answer without a body.
pub(super) fn empty(code: u16) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    response
}

/// An answer that is its status.
pub(super) fn status(code: u16) -> Response {
    json_of(code, &json!({ "status_code": code }))
}

/// The answer to what failed; a fault of ours is logged.
pub(super) fn failed(error: &FilesError) -> Response {
    if error.is_fault() {
        tracing::error!(%error, "a request for a file failed");
    }
    status(error.status())
}

fn json_of(code: u16, body: &Value) -> Response {
    crate::http::response(code, "application/json", body.to_string())
}

fn put(headers: &mut axum::http::HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}
