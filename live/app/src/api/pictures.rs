//! What people and groups look like: set, taken away, handed out.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::attachments::AttachmentError;
use warren_client::{ClientError, Event};
use warren_wire::{AccountId, AccountKind};

use super::extract::{OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;

/// The most bytes of an image that a picture is made of.
const MOST_IMAGE_BYTES: usize = 32 * 1024 * 1024;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(show, set, remove))
}

/// What somebody looks like: the account itself, a contact or a group. The answer's body is a JPEG or
/// a PNG, made on this device. It may come with a later `sync`, and a `contact_changed`,
/// `conversation_changed` or `account_changed` event.
#[utoipa::path(
    get, path = "/accounts/{account}/pictures/{peer}", tag = "pictures",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the account's own id, a contact's or a group's"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = "default", body = ErrorBody),
    ),
)]
async fn show(of: OfAccount, OfPeer(peer): OfPeer) -> Result<Response, Failure> {
    let image = of.picture_of(&peer)?.ok_or(ClientError::from(AttachmentError::Missing))?;
    // It was encoded here: an image is all that it can be.
    let kind = if image.starts_with(b"\x89PNG") { "image/png" } else { "image/jpeg" };
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(kind))], image).into_response())
}

/// Sets what the account looks like, or a group of which it is an admin; the body is an image. It is
/// cut square and made small, and nothing but its pixels leaves this device.
#[utoipa::path(
    put, path = "/accounts/{account}/pictures/{peer}", tag = "pictures",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the account's own id, or a group's"),
    ),
    request_body(content = String, content_type = "application/octet-stream"),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn set(of: OfAccount, OfPeer(peer): OfPeer, body: Body) -> Result<StatusCode, Failure> {
    let is_own = is_own(&of, &peer)?;
    let image = Limited::new(body, MOST_IMAGE_BYTES).collect().await;
    let image = image.map_err(|_| ClientError::from(AttachmentError::TooLarge))?;
    let image = image.to_bytes().to_vec();
    if is_own {
        of.set_picture(image).await?;
    } else {
        let delivering = of.session.delivering(&of.account().id);
        let _alone = delivering.lock().await;
        of.set_group_picture(&peer, image).await?;
        of.publish(Event::ConversationChanged { conversation: peer });
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the picture of the account away, or that of a group of which it is an admin.
#[utoipa::path(
    delete, path = "/accounts/{account}/pictures/{peer}", tag = "pictures",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the account's own id, or a group's"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn remove(of: OfAccount, OfPeer(peer): OfPeer) -> Result<StatusCode, Failure> {
    if is_own(&of, &peer)? {
        of.remove_picture()?;
    } else {
        let delivering = of.session.delivering(&of.account().id);
        let _alone = delivering.lock().await;
        of.remove_group_picture(&peer).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the account itself is meant; else it is a group, for others' pictures are theirs.
fn is_own(of: &OfAccount, peer: &AccountId) -> Result<bool, Failure> {
    match peer.kind() {
        _ if *peer == of.account().id => Ok(true),
        AccountKind::Group => Ok(false),
        _ => Err(ClientError::NotYours.into()),
    }
}
