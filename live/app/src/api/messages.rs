//! Messages: page by page, and sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, DraftFileId, Filter, MessageId, Position};
use warren_client::{Delivery, Draft};
use warren_message::content::mention::mentions;
use warren_wire::{AccountId, AccountKind};

use super::about::{Preview, Quote, Reaction, all_complete, complete};
use super::expiry::Expiry;
use super::extract::{Asked, Given, OfAccount};
use super::failure::ErrorBody;
use super::files::File;
use super::session::Home;
use crate::failure::Failure;

/// How many messages a page has where nobody says.
const USUAL_LIMIT: usize = 50;
/// The most messages of a page.
const MOST_MESSAGES: usize = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(page, send))
        .routes(routes!(arrived))
        .routes(routes!(show))
        .routes(routes!(deliver))
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// Its number on this device. A greater one arrived later.
    pub message_id: i64,
    /// The other side: a person, a group, or the account itself for notes to oneself.
    pub conversation: String,
    /// Who wrote it.
    pub author: String,
    /// Whether it is the owner's.
    pub direction: Direction,
    /// What it holds.
    pub kind: Kind,
    /// Its text, where that is what it holds.
    pub text: Option<String>,
    /// What changed, where that is what it holds.
    #[schema(value_type = Option<Object>)]
    pub control: Option<serde_json::Value>,
    /// When its author says it was written.
    pub timestamp: u64,
    /// When it came onto this device.
    pub received_at: u64,
    /// How far it got.
    pub state: MessageState,
    /// Why it was given up.
    pub failure: Option<String>,
    /// Whether the owner has seen it; always true of their own.
    pub read: bool,
    /// When its author changed it last.
    pub edited_at: Option<u64>,
    /// Whether it names the owner.
    pub mentions_me: bool,
    /// The Account IDs of those its text names: each stands there behind an `@`.
    pub mentions: Vec<String>,
    /// How long it lives; absent where it stays.
    pub expiry: Option<Expiry>,
    /// When it goes, once its time runs.
    pub expires_at: Option<u64>,
    /// What it answers.
    pub quote: Option<Quote>,
    /// What a link in it leads to.
    pub preview: Option<Preview>,
    /// The emoji under it, in the order they came to be.
    pub reactions: Vec<Reaction>,
    /// Its files, in their order.
    pub files: Vec<File>,
}

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text; empty where the message is its files alone.
    Text,
    /// Something that changed and is shown among the messages: a timer, a group's name, a call.
    Control,
    /// Something that this version cannot show.
    Unknown,
    /// Nothing: its author deleted it for everyone.
    Deleted,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Somebody else.
    Incoming,
    /// The account's owner, on this device or another.
    Outgoing,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// In the outbox.
    Waiting,
    /// In its recipient's mailbox.
    Delivered,
    /// Given up.
    Failed,
    /// Fetched from the account's mailbox.
    Received,
}

/// Some messages, newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Messages {
    /// The messages.
    pub messages: Vec<Message>,
    /// What `before` must be for the next, older page; absent where this was the last.
    pub older: Option<String>,
}

/// Messages in the order in which they came onto this device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Arrived {
    /// The messages, oldest first.
    pub messages: Vec<Message>,
    /// The number of the message that came last of all; 0 where there is none.
    pub last: i64,
}

/// Which messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of one conversation alone.
    pub conversation: Option<String>,
    /// Those the owner has not seen alone.
    pub unread: bool,
    /// The `older` of the page before.
    pub before: Option<String>,
    /// At most so many; 50 where absent, never more than 500.
    pub limit: Option<usize>,
}

/// From where on.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct After {
    /// The number of a message; only those that came later are meant. 0 means all.
    pub after: i64,
    /// At most so many; 50 where absent, never more than 500.
    pub limit: Option<usize>,
}

/// A message to be sent.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewMessage {
    /// To whom: an Account ID, or the id of a group.
    pub to: String,
    /// What it says.
    pub text: String,
    /// The number of the message it answers.
    #[serde(default)]
    pub reply_to: Option<i64>,
    /// What its files were named by when they were handed in; with them the text may be empty.
    #[serde(default)]
    pub files: Vec<i64>,
}

/// How far a message got.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct DeliveryReport {
    /// How far.
    pub state: MessageState,
    /// Why it waits or failed.
    pub reason: Option<String>,
}

/// A page of messages, newest first.
#[utoipa::path(
    get, path = "/accounts/{account}/messages", tag = "messages",
    params(("account" = String, Path, description = "Account ID"), Which),
    responses((status = 200, body = Messages), (status = "default", body = ErrorBody)),
)]
async fn page(of: OfAccount, Asked(which): Asked<Which>) -> Result<Json<Messages>, Failure> {
    let conversation = which.conversation.as_deref().map(str::parse).transpose();
    let conversation = conversation.map_err(|_| Failure::NoAccountId)?;
    let filter = Filter { conversation, unread: which.unread };
    let before = which.before.as_deref().map(position).transpose()?;
    of.db().with(|db| {
        let page = db.messages(&filter, before, limit(which.limit))?;
        let older = page.older.map(|older| format!("{}.{}", older.timestamp, older.id));
        Ok(Json(Messages { messages: all_complete(db, page.messages)?, older }))
    })
}

/// What came onto this device after a message, oldest first.
#[utoipa::path(
    get, path = "/accounts/{account}/messages/arrived", tag = "messages",
    params(("account" = String, Path, description = "Account ID"), After),
    responses((status = 200, body = Arrived), (status = "default", body = ErrorBody)),
)]
async fn arrived(of: OfAccount, Asked(asked): Asked<After>) -> Result<Json<Arrived>, Failure> {
    let after = MessageId::new(asked.after);
    of.db().with(|db| {
        let messages = db.arrived_after(after, limit(asked.limit))?;
        let messages = all_complete(db, messages)?;
        Ok(Json(Arrived { messages, last: db.last_arrived()?.number() }))
    })
}

/// Saves a message, which is sent as soon as it can be; `deliver` waits for that. Where the owner wants
/// previews, what its first link leads to is looked up before.
#[utoipa::path(
    post, path = "/accounts/{account}/messages", tag = "messages", request_body = NewMessage,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 201, body = Message), (status = "default", body = ErrorBody)),
)]
async fn send(
    of: OfAccount,
    Given(new): Given<NewMessage>,
) -> Result<(StatusCode, Json<Message>), Failure> {
    let to: Option<AccountId> = new.to.parse().ok();
    let is_known = |id: &AccountId| matches!(id.kind(), AccountKind::Person | AccountKind::Group);
    let to = to.filter(is_known).ok_or(Failure::NoAccountId)?;
    if new.text.trim().is_empty() && new.files.is_empty() {
        return Err(Failure::EmptyMessage);
    }
    let reply_to = new.reply_to.map(MessageId::new);
    let files: Vec<_> = new.files.into_iter().map(DraftFileId::new).collect();
    let files = of.kept_drafts(&files)?;
    let preview = of.preview_of(&new.text).await?;
    let draft = Draft { reply_to, files, preview, ..Draft::text(new.text) };
    let (id, _) = of.save_draft(&to, &draft)?;
    Ok((StatusCode::CREATED, Json(of.db().with(|db| complete(db, db.message(id)?))?)))
}

/// Tries to deliver a message, and says how far it got.
#[utoipa::path(
    post, path = "/accounts/{account}/messages/{message}/deliver", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    responses((status = 200, body = DeliveryReport), (status = "default", body = ErrorBody)),
)]
async fn deliver(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
) -> Result<Json<DeliveryReport>, Failure> {
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    let (state, reason) = match of.deliver_message(MessageId::new(message)).await? {
        Delivery::Delivered => (MessageState::Delivered, None),
        Delivery::Waiting(reason) => (MessageState::Waiting, Some(reason)),
        Delivery::Failed(reason) => (MessageState::Failed, Some(reason)),
    };
    Ok(Json(DeliveryReport { state, reason }))
}

/// Shows a message.
#[utoipa::path(
    get, path = "/accounts/{account}/messages/{message}", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    responses((status = 200, body = Message), (status = "default", body = ErrorBody)),
)]
async fn show(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
) -> Result<Json<Message>, Failure> {
    Ok(Json(of.db().with(|db| complete(db, db.message(MessageId::new(message))?))?))
}

fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(USUAL_LIMIT).min(MOST_MESSAGES)
}

/// Whom a text names, each once.
fn mentioned(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for mention in mentions(text) {
        let id = mention.account.to_string();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Reads `older` back.
fn position(text: &str) -> Result<Position, Failure> {
    let bad = || Failure::BadRequest("`before` is no `older` of a page".to_owned());
    let (timestamp, id) = text.split_once('.').ok_or_else(bad)?;
    let timestamp = timestamp.parse().map_err(|_| bad())?;
    Ok(Position { timestamp, id: MessageId::new(id.parse().map_err(|_| bad())?) })
}

impl From<database::Message> for Message {
    fn from(message: database::Message) -> Self {
        let (kind, text, control) = match message.content {
            database::Content::Text(text) => (Kind::Text, Some(text), None),
            database::Content::Control(json) => {
                (Kind::Control, None, serde_json::from_str(&json).ok())
            }
            database::Content::Unknown(_) => (Kind::Unknown, None, None),
            database::Content::Deleted => (Kind::Deleted, None, None),
        };
        let named = text.as_deref().map(mentioned).unwrap_or_default();
        Self {
            message_id: message.id.number(),
            conversation: message.conversation.to_string(),
            author: message.author.to_string(),
            direction: match message.direction {
                database::Direction::Incoming => Direction::Incoming,
                database::Direction::Outgoing => Direction::Outgoing,
            },
            kind,
            text,
            control,
            timestamp: message.timestamp,
            received_at: message.received_at,
            state: match message.state {
                database::MessageState::Pending => MessageState::Waiting,
                database::MessageState::Sent => MessageState::Delivered,
                database::MessageState::Failed => MessageState::Failed,
                database::MessageState::Received => MessageState::Received,
            },
            failure: message.failure,
            read: message.read,
            edited_at: message.edited_at,
            mentions_me: message.mentions_me,
            mentions: named,
            expiry: message.expiry.map(Expiry::from),
            expires_at: message.expires_at,
            quote: message.quote.map(Quote::from),
            preview: message.preview.map(Preview::from),
            reactions: Vec::new(),
            files: Vec::new(),
        }
    }
}
