//! What the owner does to messages: edits, reactions, reading, deleting, sending again.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, AccountDb, Filter, MessageId, Position};
use warren_client::{DeleteFor, Event};
use warren_wire::AccountId;

use super::about::complete;
use super::extract::{Asked, Given, OfAccount};
use super::failure::ErrorBody;
use super::messages::Message;
use super::session::Home;
use crate::failure::Failure;
use crate::wording::now;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(edit, delete))
        .routes(routes!(react))
        .routes(routes!(mark_read))
        .routes(routes!(mark_read_up_to))
        .routes(routes!(resend))
}

/// Another text for a message.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct MessageEdit {
    /// What it is to say.
    pub text: String,
}

/// An emoji under a message.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReactionChange {
    /// One emoji.
    pub emoji: String,
    /// Whether it is put there; else it is taken back.
    pub on: bool,
}

/// Messages by their numbers.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct MessageIds {
    /// The numbers.
    pub message_ids: Vec<i64>,
}

/// For whom a message is deleted.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Deletion {
    /// For whom; for this device alone where absent.
    #[serde(rename = "for")]
    #[param(inline)]
    pub whom: DeletionFor,
}

/// For whom a message is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeletionFor {
    /// On this device.
    #[default]
    Me,
    /// On all devices of the account, and from its mailbox.
    MyDevices,
    /// For everybody who has it; one's own messages alone.
    Everyone,
}

/// Gives an own message another text, everywhere.
#[utoipa::path(
    patch, path = "/accounts/{account}/messages/{message}", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    request_body = MessageEdit,
    responses((status = 200, body = Message), (status = "default", body = ErrorBody)),
)]
async fn edit(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
    Given(edit): Given<MessageEdit>,
) -> Result<Json<Message>, Failure> {
    if edit.text.trim().is_empty() {
        return Err(Failure::EmptyMessage);
    }
    let id = MessageId::new(message);
    of.edit(id, &edit.text)?;
    shown(&of, id)
}

/// Puts an emoji under a message, or takes it back.
#[utoipa::path(
    put, path = "/accounts/{account}/messages/{message}/reactions", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    request_body = ReactionChange,
    responses((status = 200, body = Message), (status = "default", body = ErrorBody)),
)]
async fn react(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
    Given(change): Given<ReactionChange>,
) -> Result<Json<Message>, Failure> {
    let id = MessageId::new(message);
    of.react(id, &change.emoji, change.on)?;
    shown(&of, id)
}

/// Deletes a message.
#[utoipa::path(
    delete, path = "/accounts/{account}/messages/{message}", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
        Deletion,
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn delete(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
    Asked(deletion): Asked<Deletion>,
) -> Result<StatusCode, Failure> {
    let id = MessageId::new(message);
    let conversation = of.db().with(|db| db.message(id))?.conversation;
    of.delete(&[id], deletion.whom.into())?;
    of.publish(Event::ConversationChanged { conversation });
    Ok(StatusCode::NO_CONTENT)
}

/// Marks messages as seen. Those that do not exist make no difference. The owner's other devices
/// learn of it once nothing before a message is unread.
#[utoipa::path(
    post, path = "/accounts/{account}/messages/read", tag = "messages", request_body = MessageIds,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn mark_read(of: OfAccount, Given(given): Given<MessageIds>) -> Result<StatusCode, Failure> {
    let ids: Vec<MessageId> = given.message_ids.into_iter().map(MessageId::new).collect();
    let unread: Vec<database::Message> = of.db().with(|db| {
        ids.iter().filter_map(|id| db.message(*id).ok()).filter(|one| !one.read).collect()
    });
    let mut conversations: Vec<AccountId> = unread.iter().map(|one| one.conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    for conversation in conversations {
        let last = of.db().with(|db| end_of_gapless(db, &conversation, &ids))?;
        if let Some(last) = last {
            of.mark_read_up_to(last)?;
        }
        of.db().with(|db| db.mark_read(&ids, now()))?;
        of.publish(Event::ConversationChanged { conversation });
    }
    for message in unread {
        let (conversation, message_id) = (message.conversation, message.id);
        of.publish(Event::MessageChanged { conversation, message_id });
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Marks what a conversation holds up to a message as seen, on all of the owner's devices.
#[utoipa::path(
    post, path = "/accounts/{account}/messages/{message}/read", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn mark_read_up_to(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
) -> Result<StatusCode, Failure> {
    of.mark_read_up_to(MessageId::new(message))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes up again what was given up of a message; `deliver` waits for it.
#[utoipa::path(
    post, path = "/accounts/{account}/messages/{message}/resend", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    responses((status = 200, body = Message), (status = "default", body = ErrorBody)),
)]
async fn resend(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
) -> Result<Json<Message>, Failure> {
    let id = MessageId::new(message);
    of.db().with(|db| db.message(id))?;
    of.resend(id)?;
    shown(&of, id)
}

/// The newest of `ids` before which nothing else in the conversation is unread.
fn end_of_gapless(
    db: &AccountDb,
    conversation: &AccountId,
    ids: &[MessageId],
) -> Result<Option<MessageId>, Failure> {
    let filter = Filter { conversation: Some(*conversation), unread: true };
    let start = Position { timestamp: 0, id: MessageId::START };
    let newest_first = db.newer_messages(&filter, start, ids.len().saturating_add(1))?.messages;
    let gapless = newest_first.iter().rev().take_while(|one| ids.contains(&one.id));
    Ok(gapless.last().map(|one| one.id))
}

fn shown(of: &OfAccount, id: MessageId) -> Result<Json<Message>, Failure> {
    Ok(Json(of.db().with(|db| complete(db, db.message(id)?))?))
}

impl From<DeletionFor> for DeleteFor {
    fn from(whom: DeletionFor) -> Self {
        match whom {
            DeletionFor::Me => Self::Me,
            DeletionFor::MyDevices => Self::MyDevices,
            DeletionFor::Everyone => Self::Everyone,
        }
    }
}
