//! Files of messages: handed in before a message is sent, fetched, cancelled and handed out.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::ClientError;
use warren_client::attachments::{AttachmentError, Metadata, SealedReader};
use warren_client::database::{self, Attachment, AttachmentId, DraftFileId};

use super::extract::{Asked, OfAccount};
use super::failure::ErrorBody;
use super::session::Home;
use super::stream::{self, BodyReader};
use crate::failure::Failure;

/// The most bytes of a file, as many as a download takes.
const MOST_FILE_BYTES: u64 = 128 * 1024 * 1024;
/// How many parts of a file wait between the network's side and the disk's.
const PARTS: usize = 4;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(hand_in))
        .routes(routes!(give_up))
        .routes(routes!(show))
        .routes(routes!(fetch))
        .routes(routes!(cancel))
        .routes(routes!(content))
        .routes(routes!(thumbnail))
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct File {
    /// Its number on this device.
    pub file_id: i64,
    /// The number of its message.
    pub message_id: i64,
    /// Its place among the message's files, from 0.
    pub position: u32,
    /// What it is to the message.
    pub kind: FileKind,
    /// Its media type, as its author says.
    pub media_type: String,
    /// Its name, as its author says. It may hold anything.
    pub name: Option<String>,
    /// What stands under it.
    pub caption: Option<String>,
    /// How many bytes it holds, as its author says.
    pub size: u64,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// How long it plays, in milliseconds.
    pub duration: Option<u64>,
    /// How far it got.
    pub state: FileState,
    /// How many bytes of it are through.
    pub progress: u64,
    /// Why it failed.
    pub failure: Option<String>,
    /// Whether a small picture of it is here.
    pub has_thumbnail: bool,
}

/// What a file is to its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Any file.
    File,
    /// An image.
    Image,
    /// A video.
    Video,
    /// Spoken words.
    Voice,
    /// The image of a link's preview.
    Preview,
    /// The small image in a quote.
    QuoteThumbnail,
}

/// How far a file got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It can be fetched.
    Offered,
    /// It is on its way here.
    Downloading,
    /// It lies on this device, and where it is the owner's, at the server too.
    Here,
    /// It was given up.
    Failed,
    /// It lies on this device and is on its way to the server.
    Uploading,
    /// The server has it no longer.
    Expired,
}

/// How a file is handed in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct HowHandedIn {
    /// The name that the recipients see.
    pub name: Option<String>,
    /// What stands under it.
    pub caption: Option<String>,
    /// Whether an image keeps what it tells of the one who took it: place, time, device.
    pub keep_metadata: bool,
    /// Whether it holds what the owner spoke for this message.
    pub voice: bool,
}

/// A file that waits for its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HandedIn {
    /// What a new message names it by, within a week.
    pub draft_id: i64,
    /// Its media type.
    pub media_type: String,
    /// How many bytes of it will be sent.
    pub size: u64,
}

/// Hands in a file for a message; the body is the file. It lies sealed on this device. Images lose
/// what they tell of the one who took them.
#[utoipa::path(
    post, path = "/accounts/{account}/files", tag = "files",
    params(("account" = String, Path, description = "Account ID"), HowHandedIn),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 201, body = HandedIn), (status = "default", body = ErrorBody)),
)]
async fn hand_in(
    of: OfAccount,
    Asked(how): Asked<HowHandedIn>,
    body: Body,
) -> Result<(StatusCode, Json<HandedIn>), Failure> {
    let metadata = if how.keep_metadata { Metadata::Keep } else { Metadata::Strip };
    let (parts, coming) = mpsc::channel(PARTS);
    let reader = BodyReader::new(coming);
    let name = how.name.as_deref();
    let (arrived, taken) =
        tokio::join!(pass_on(body, parts), of.attach(reader, name, metadata, how.voice));
    arrived?;
    let mut file = taken?;
    file.caption = how.caption.filter(|caption| !caption.is_empty());
    let (media_type, size) = (file.media_type().to_owned(), file.size());
    let draft_id = of.keep_draft(&file)?.number();
    Ok((StatusCode::CREATED, Json(HandedIn { draft_id, media_type, size })))
}

/// Gives up a file that was handed in: no message is to have it.
#[utoipa::path(
    delete, path = "/accounts/{account}/drafts/{draft}", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("draft" = i64, Path, description = "what the file was named by when it was handed in"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn give_up(
    of: OfAccount,
    Path((_, draft)): Path<(String, i64)>,
) -> Result<StatusCode, Failure> {
    of.give_up_draft(DraftFileId::new(draft))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Passes a body on in parts. Whoever takes them may have had enough, and says why.
async fn pass_on(
    mut body: Body,
    parts: mpsc::Sender<io::Result<axum::body::Bytes>>,
) -> Result<(), Failure> {
    let mut left = MOST_FILE_BYTES;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            // Half a file is none.
            let _ = parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await;
            return Err(Failure::BadRequest("the file broke off".to_owned()));
        };
        let Ok(part) = frame.into_data() else { continue };
        let bytes = u64::try_from(part.len()).unwrap_or(u64::MAX);
        let Some(rest) = left.checked_sub(bytes) else {
            let _ = parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await;
            return Err(ClientError::from(AttachmentError::TooLarge).into());
        };
        left = rest;
        if parts.send(Ok(part)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Shows what is known of a file.
#[utoipa::path(
    get, path = "/accounts/{account}/files/{file}", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("file" = i64, Path, description = "the file's number"),
    ),
    responses((status = 200, body = File), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount, Path((_, file)): Path<(String, i64)>) -> Result<Json<File>, Failure> {
    known(&of, file).map(Json)
}

/// Fetches a file to this device, from where an earlier try left off, and waits for it. `transfer`
/// events tell how far it is. To end the request is to pause.
#[utoipa::path(
    post, path = "/accounts/{account}/files/{file}/fetch", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("file" = i64, Path, description = "the file's number"),
    ),
    responses((status = 200, body = File), (status = "default", body = ErrorBody)),
)]
async fn fetch(of: OfAccount, Path((_, file)): Path<(String, i64)>) -> Result<Json<File>, Failure> {
    let transfer = of.session.transfers().of(of.account().id, file);
    let _alone = transfer.alone.lock().await;
    tokio::select! {
        biased;
        () = transfer.stop.notified() => return Err(Failure::Cancelled),
        fetched = of.fetch_attachment(AttachmentId::new(file)) => fetched?,
    }
    known(&of, file).map(Json)
}

/// Stops fetching a file, and forgets what came of it.
#[utoipa::path(
    post, path = "/accounts/{account}/files/{file}/cancel", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("file" = i64, Path, description = "the file's number"),
    ),
    responses((status = 200, body = File), (status = "default", body = ErrorBody)),
)]
async fn cancel(
    of: OfAccount,
    Path((_, file)): Path<(String, i64)>,
) -> Result<Json<File>, Failure> {
    let transfer = of.session.transfers().of(of.account().id, file);
    transfer.stop.notify_waiters();
    let _alone = transfer.alone.lock().await;
    of.cancel_attachment(AttachmentId::new(file)).await?;
    known(&of, file).map(Json)
}

/// Hands a file out that is on this device; the answer's body is the file.
#[utoipa::path(
    get, path = "/accounts/{account}/files/{file}/content", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("file" = i64, Path, description = "the file's number"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = "default", body = ErrorBody),
    ),
)]
async fn content(of: OfAccount, Path((_, file)): Path<(String, i64)>) -> Result<Response, Failure> {
    Ok(bytes(of.open_attachment(AttachmentId::new(file))?))
}

/// The small picture of a file; the answer's body is an image.
#[utoipa::path(
    get, path = "/accounts/{account}/files/{file}/thumbnail", tag = "files",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("file" = i64, Path, description = "the file's number"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = "default", body = ErrorBody),
    ),
)]
async fn thumbnail(
    of: OfAccount,
    Path((_, file)): Path<(String, i64)>,
) -> Result<Response, Failure> {
    let small = of.open_thumbnail(AttachmentId::new(file))?;
    Ok(bytes(small.ok_or(ClientError::from(AttachmentError::Missing))?))
}

/// A file as an answer, never of the type its author says: a page of theirs would be run.
fn bytes(file: SealedReader) -> Response {
    let kind = HeaderValue::from_static("application/octet-stream");
    ([(CONTENT_TYPE, kind)], stream::body(file, PARTS)).into_response()
}

fn known(of: &OfAccount, file: i64) -> Result<File, Failure> {
    Ok(of.db().with(|db| db.attachment(AttachmentId::new(file)))?.into())
}

impl From<Attachment> for File {
    fn from(file: Attachment) -> Self {
        let about = file.about;
        Self {
            file_id: file.id.number(),
            message_id: file.message.number(),
            position: file.position,
            kind: about.kind.into(),
            media_type: about.content_type,
            name: about.name,
            caption: about.caption,
            size: about.size,
            width: about.width,
            height: about.height,
            duration: about.duration,
            state: file.state.into(),
            progress: file.progress,
            failure: file.failure,
            has_thumbnail: file.thumbnail.is_some(),
        }
    }
}

impl From<database::AttachmentKind> for FileKind {
    fn from(kind: database::AttachmentKind) -> Self {
        match kind {
            database::AttachmentKind::File => Self::File,
            database::AttachmentKind::Image => Self::Image,
            database::AttachmentKind::Video => Self::Video,
            database::AttachmentKind::Voice => Self::Voice,
            database::AttachmentKind::Preview => Self::Preview,
            database::AttachmentKind::QuoteThumbnail => Self::QuoteThumbnail,
        }
    }
}

impl From<database::AttachmentState> for FileState {
    fn from(state: database::AttachmentState) -> Self {
        match state {
            database::AttachmentState::Offered => Self::Offered,
            database::AttachmentState::Downloading => Self::Downloading,
            database::AttachmentState::Here => Self::Here,
            database::AttachmentState::Failed => Self::Failed,
            database::AttachmentState::Uploading => Self::Uploading,
            database::AttachmentState::Expired => Self::Expired,
        }
    }
}
