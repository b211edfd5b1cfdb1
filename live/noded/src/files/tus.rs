//! Uploads in parts as HTTP: tus 1.0.0 with creation, expiration and termination
//! (<https://tus.io/protocols/resumable-upload>).
//!
//! What tus leaves open is how a client learns the file's name: whatever answers for a complete upload
//! has it in `X-FS-ID`, and the file's end of life, in seconds since 1970, in `X-FS-Expires`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::Response;
use warren_wire::Millis;

use super::content::ObjectName;
use super::error::FilesError;
use super::http::{empty, failed, lifetime, seconds, status, text};
use super::resumable::Progress;
use super::server::FileServer;
use crate::held::Share;

/// Where uploads begin; each has its name behind it.
pub(super) const UPLOAD: &str = "/upload";
/// The one version that is spoken.
const VERSION: &str = "1.0.0";
/// The content type of a part.
const PART: &str = "application/offset+octet-stream";

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSIONS: HeaderName = HeaderName::from_static("tus-version");
const EXTENSIONS: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
/// The file that a complete upload became.
const FILE: HeaderName = HeaderName::from_static("x-fs-id");
/// When that file goes.
const FILE_EXPIRES: HeaderName = HeaderName::from_static("x-fs-expires");

/// Answers for `/upload` and what lies behind it.
pub(super) async fn answer(
    files: &Arc<FileServer>,
    path: &str,
    head: &Parts,
    body: Body,
    who: Share,
) -> Response {
    let method = match text(head, &METHOD_OVERRIDE) {
        Some(name) => Method::from_bytes(name.as_bytes()).unwrap_or(Method::TRACE),
        None => head.method.clone(),
    };
    let mut response = match (method.as_str(), path.strip_prefix('/').unwrap_or(path)) {
        ("OPTIONS", _) => abilities(files),
        _ if text(head, &RESUMABLE) != Some(VERSION) => {
            with(status(412), VERSIONS, VERSION.to_owned())
        }
        ("POST", "") => result(create(files, head, who).await),
        ("POST", _) => status(405),
        (method, name) => match ObjectName::parse(name) {
            None => status(404),
            Some(name) => upload(files, method, name, head, body).await,
        },
    };
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

async fn upload(
    files: &Arc<FileServer>,
    method: &str,
    name: ObjectName,
    head: &Parts,
    body: Body,
) -> Response {
    match method {
        "HEAD" => result(files.progress(name).await.map(|progress| told(200, &progress))),
        "PATCH" => result(append(files, name, head, body).await),
        "DELETE" => result(files.cancel(name).await.map(|()| empty(204))),
        _ => status(405),
    }
}

fn abilities(files: &FileServer) -> Response {
    let response = with(empty(204), VERSIONS, VERSION.to_owned());
    let response = with(response, EXTENSIONS, "creation,expiration,termination".to_owned());
    with(response, MAX_SIZE, files.options.largest_bytes.to_string())
}

async fn create(files: &FileServer, head: &Parts, who: Share) -> Result<Response, FilesError> {
    let length = number(head, &LENGTH)?;
    let lifetime = lifetime(files, head)?;
    let (name, expires) = files.create(length, lifetime, who).await?;
    let response = with(empty(201), LOCATION, format!("{UPLOAD}/{name}"));
    Ok(with(response, EXPIRES, date(expires)))
}

async fn append(
    files: &Arc<FileServer>,
    name: ObjectName,
    head: &Parts,
    body: Body,
) -> Result<Response, FilesError> {
    if text(head, &CONTENT_TYPE) != Some(PART) {
        return Ok(status(415));
    }
    let offset = number(head, &OFFSET)?;
    let announced = number(head, &CONTENT_LENGTH).ok();
    let files = Arc::clone(files);
    // Goes on where the client has gone away: what came of its bytes is kept.
    let append = async move { files.append(name, offset, body, announced).await };
    let progress = tokio::spawn(append).await.map_err(|_| FilesError::Internal)??;
    Ok(told(204, &progress))
}

/// How far an upload has come, in headers.
fn told(code: u16, progress: &Progress) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = axum::http::StatusCode::from_u16(code).unwrap_or_default();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match progress {
        Progress::Open { offset, length, expires } => {
            let response = with(response, OFFSET, offset.to_string());
            let response = with(response, LENGTH, length.to_string());
            with(response, EXPIRES, date(*expires))
        }
        Progress::Done { file, length } => {
            let response = with(response, OFFSET, length.to_string());
            let response = with(response, LENGTH, length.to_string());
            let response = with(response, FILE, file.id.to_string());
            with(response, FILE_EXPIRES, seconds(file.expires).to_string())
        }
    }
}

fn number(head: &Parts, name: &HeaderName) -> Result<u64, FilesError> {
    text(head, name).and_then(|text| text.parse().ok()).ok_or(FilesError::Malformed)
}

fn result(result: Result<Response, FilesError>) -> Response {
    result.unwrap_or_else(|error| failed(&error))
}

fn with(mut response: Response, name: HeaderName, value: String) -> Response {
    if let Ok(value) = HeaderValue::try_from(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

fn date(time: Millis) -> String {
    // Years beyond 9999 have no date.
    const LATEST: Millis = 253_402_300_799_000;
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_millis(time.min(LATEST)))
}
