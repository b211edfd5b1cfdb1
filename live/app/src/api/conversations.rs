//! The list of conversations, what the owner set for each, and requests.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::Event;
use warren_client::database::{self, AccountDb, DatabaseError, ListPosition, MessageId, Setting};
use warren_wire::{AccountId, AccountKind, Millis};

use super::expiry::Expiry;
use super::extract::{Asked, Given, OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;
use crate::wording::now;

/// How many conversations are listed where nobody says.
const USUAL_LIMIT: usize = 100;
/// The most conversations of a page.
const MOST_CONVERSATIONS: usize = 500;
/// The longest time of a disappearing message, in seconds: a year.
pub const LONGEST_TIMER: u32 = 365 * 24 * 60 * 60;
/// The greatest number that every reader of JSON takes exactly: the time that never comes.
pub const FOR_EVER: Millis = (1 << 53) - 1;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(unread))
        .routes(routes!(show, change, delete))
        .routes(routes!(mark_read))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(timer))
        .routes(routes!(typing))
        .routes(routes!(screenshot))
}

/// A conversation, as the list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    /// The other side: a person, a group, or the account itself for notes to oneself.
    pub conversation: String,
    /// Above 0 where it is pinned, the greatest first; below 0 where it is hidden.
    pub priority: i64,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether it comes from somebody the owner has not accepted.
    pub is_request: bool,
    /// Until when nothing of it is told; 9007199254740991 means for ever.
    pub muted_until: u64,
    /// What is told of it otherwise.
    pub notify: Notify,
    /// Whether the owner marked it as unread.
    pub marked_unread: bool,
    /// What the owner began to write.
    pub draft: String,
    /// The timestamp of the newest message the owner has seen, on whichever device.
    pub last_read: u64,
    /// How many messages of others the owner has not seen.
    pub unread: u64,
    /// How many of these name the owner.
    pub mentioned: u64,
    /// The newest message; absent where there is none.
    pub last_message_id: Option<i64>,
    /// Its time; where there is none, that of the last one there was.
    pub last_timestamp: u64,
    /// How long its messages live; absent where they stay.
    pub expiry: Option<Expiry>,
    /// When it came to be on this device.
    pub created: u64,
}

/// Which messages of a conversation the owner is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// All.
    All,
    /// Those that name them.
    Mentions,
    /// None.
    Nothing,
}

/// Conversations: pinned ones, then the one with the newest message first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Conversations {
    /// The conversations.
    pub conversations: Vec<Conversation>,
    /// What `after` must be for the next page; absent where this was the last.
    pub next: Option<String>,
}

/// Which part of the conversations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// What is shown first: all but requests, archived and hidden ones.
    #[default]
    Inbox,
    /// What was put away.
    Archived,
    /// From people the owner has neither accepted nor blocked.
    Requests,
    /// What was hidden.
    Hidden,
    /// Everything.
    All,
}

/// Which conversations.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct WhichConversations {
    /// Which part; the inbox where absent.
    #[param(inline)]
    pub listing: Listing,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// At most so many; 100 where absent, never more than 500.
    pub limit: Option<usize>,
}

/// What the owner sets for a conversation; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ConversationChange {
    /// Above 0 pins it, below 0 hides it.
    pub priority: Option<i64>,
    /// Puts it away, or back.
    pub archived: Option<bool>,
    /// Nothing is told of it until then; 0 ends that.
    pub muted_until: Option<u64>,
    /// What is told of it otherwise.
    pub notify: Option<Notify>,
    /// Marks it as unread, whatever was read.
    pub marked_unread: Option<bool>,
    /// What the owner began to write.
    pub draft: Option<String>,
}

/// How a request is declined.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Decline {
    /// Whether its author is blocked, too.
    pub block: bool,
}

/// How long messages are to live.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Timer {
    /// How long; absent where they stay.
    pub expiry: Option<Expiry>,
}

/// Whether the owner types.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Types {
    /// They do.
    pub typing: bool,
}

/// What waits for the owner's eyes, in conversations that are neither muted, hidden nor archived.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UnreadCounts {
    /// Messages.
    pub messages: u64,
    /// Messages that name the owner.
    pub mentions: u64,
    /// Conversations with unread messages, and those marked as unread.
    pub conversations: u64,
    /// Requests, whether seen or not.
    pub requests: u64,
}

/// Lists conversations.
#[utoipa::path(
    get, path = "/accounts/{account}/conversations", tag = "conversations",
    params(("account" = String, Path, description = "Account ID"), WhichConversations),
    responses((status = 200, body = Conversations), (status = "default", body = ErrorBody)),
)]
async fn list(
    of: OfAccount,
    Asked(which): Asked<WhichConversations>,
) -> Result<Json<Conversations>, Failure> {
    let limit = which.limit.unwrap_or(USUAL_LIMIT).min(MOST_CONVERSATIONS);
    let after = which.after.as_deref().map(position).transpose()?;
    let found = of.db().with(|db| db.conversations(which.listing.into(), after, limit))?;
    let last = found.last().filter(|_| found.len() == limit).map(database::Conversation::position);
    Ok(Json(Conversations {
        conversations: found.into_iter().map(Conversation::from).collect(),
        next: last.map(|last| format!("{}.{}.{}", last.priority, last.timestamp, last.id)),
    }))
}

/// What waits for the owner's eyes.
#[utoipa::path(
    get, path = "/accounts/{account}/unread", tag = "conversations",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = UnreadCounts), (status = "default", body = ErrorBody)),
)]
async fn unread(of: OfAccount) -> Result<Json<UnreadCounts>, Failure> {
    let counts = of.db().with(|db| db.unread_counts(now()))?;
    let database::Unread { messages, mentions, conversations, requests } = counts;
    Ok(Json(UnreadCounts { messages, mentions, conversations, requests }))
}

/// Shows a conversation.
#[utoipa::path(
    get, path = "/accounts/{account}/conversations/{peer}", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    responses((status = 200, body = Conversation), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount, OfPeer(peer): OfPeer) -> Result<Json<Conversation>, Failure> {
    of.db().with(|db| known(db, &peer)).map(Json)
}

/// Sets something for a conversation, which is made where there is none yet.
#[utoipa::path(
    patch, path = "/accounts/{account}/conversations/{peer}", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    request_body = ConversationChange,
    responses((status = 200, body = Conversation), (status = "default", body = ErrorBody)),
)]
async fn change(
    of: OfAccount,
    OfPeer(peer): OfPeer,
    Given(change): Given<ConversationChange>,
) -> Result<Json<Conversation>, Failure> {
    for setting in settings(change) {
        of.set_conversation(&peer, &setting)?;
    }
    of.db()
        .with(|db| {
            db.ensure_conversation(&peer, now())?;
            known(db, &peer)
        })
        .map(Json)
}

/// Deletes a conversation with all its messages on this device.
#[utoipa::path(
    delete, path = "/accounts/{account}/conversations/{peer}", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn delete(of: OfAccount, OfPeer(peer): OfPeer) -> Result<StatusCode, Failure> {
    of.db().with(|db| db.delete_conversation(&peer, now()))?;
    of.publish(Event::ConversationChanged { conversation: peer });
    Ok(StatusCode::NO_CONTENT)
}

/// Marks everything in a conversation as seen.
#[utoipa::path(
    post, path = "/accounts/{account}/conversations/{peer}/read", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn mark_read(of: OfAccount, OfPeer(peer): OfPeer) -> Result<StatusCode, Failure> {
    let newest = of.db().with(|db| db.conversation(&peer))?.and_then(|one| one.last_message);
    match newest {
        Some(newest) => of.mark_read_up_to(newest)?,
        None => of.set_conversation(&peer, &Setting::MarkedUnread(false))?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Accepts a request: its author's messages are wanted from now on. Of a group it is the invitation.
#[utoipa::path(
    post, path = "/accounts/{account}/conversations/{peer}/accept", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn accept(of: OfAccount, OfPeer(peer): OfPeer) -> Result<StatusCode, Failure> {
    if peer.kind() == AccountKind::Group {
        let delivering = of.session.delivering(&of.account().id);
        let _alone = delivering.lock().await;
        of.accept_invite(&peer).await?;
    } else {
        of.accept_request(&peer)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Declines a request: the conversation goes, its author may ask again unless they are blocked. Of a
/// group it is the invitation.
#[utoipa::path(
    post, path = "/accounts/{account}/conversations/{peer}/decline", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
        Decline,
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn decline(
    of: OfAccount,
    OfPeer(peer): OfPeer,
    Asked(how): Asked<Decline>,
) -> Result<StatusCode, Failure> {
    if peer.kind() == AccountKind::Group {
        of.decline_invite(&peer)?;
    } else {
        of.decline_request(&peer, how.block)?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Has the owner's messages in a conversation disappear from here on, or stay. The other side is
/// told.
#[utoipa::path(
    put, path = "/accounts/{account}/conversations/{peer}/timer", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    request_body = Timer,
    responses((status = 200, body = Conversation), (status = "default", body = ErrorBody)),
)]
async fn timer(
    of: OfAccount,
    OfPeer(peer): OfPeer,
    Given(timer): Given<Timer>,
) -> Result<Json<Conversation>, Failure> {
    if timer.expiry.is_some_and(|expiry| !(1..=LONGEST_TIMER).contains(&expiry.seconds)) {
        let reason = format!("`seconds` must be from 1 to {LONGEST_TIMER}");
        return Err(Failure::BadRequest(reason));
    }
    of.set_timer(&peer, timer.expiry.map(database::Expiry::from))?;
    of.db().with(|db| known(db, &peer)).map(Json)
}

/// Tells the other side that the owner took a screenshot of the conversation. Groups and strangers are
/// not told.
#[utoipa::path(
    post, path = "/accounts/{account}/conversations/{peer}/screenshot", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn screenshot(of: OfAccount, OfPeer(peer): OfPeer) -> Result<StatusCode, Failure> {
    of.tell_screenshot(&peer)?;
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    // What cannot be told at once is told later.
    let _ = of.deliver_waiting().await;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells the other side that the owner types, or ceased to, where the owner's settings allow it.
#[utoipa::path(
    post, path = "/accounts/{account}/conversations/{peer}/typing", tag = "conversations",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the other side"),
    ),
    request_body = Types,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn typing(
    of: OfAccount,
    OfPeer(peer): OfPeer,
    Given(given): Given<Types>,
) -> Result<StatusCode, Failure> {
    of.typing(&peer, given.typing)?;
    if of.tells()?.1 {
        let delivering = of.session.delivering(&of.account().id);
        let _alone = delivering.lock().await;
        // What cannot be told passes.
        let _ = of.deliver_waiting().await;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn known(db: &AccountDb, id: &AccountId) -> Result<Conversation, Failure> {
    Ok(db.conversation(id)?.ok_or(DatabaseError::Gone)?.into())
}

fn settings(change: ConversationChange) -> impl Iterator<Item = Setting> {
    let until = |until| if until >= FOR_EVER { Millis::MAX } else { until };
    [
        change.priority.map(Setting::Priority),
        change.archived.map(Setting::Archived),
        change.muted_until.map(until).map(Setting::MutedUntil),
        change.notify.map(|notify| Setting::Notify(notify.into())),
        change.marked_unread.map(Setting::MarkedUnread),
        change.draft.map(Setting::Draft),
    ]
    .into_iter()
    .flatten()
}

/// Reads `next` back.
fn position(text: &str) -> Result<ListPosition, Failure> {
    let parts: Vec<&str> = text.split('.').collect();
    let read = |priority: &str, timestamp: &str, id: &str| {
        Some(ListPosition {
            priority: priority.parse().ok()?,
            timestamp: timestamp.parse().ok()?,
            id: id.parse().ok()?,
        })
    };
    let position = match parts.as_slice() {
        [priority, timestamp, id] => read(priority, timestamp, id),
        _ => None,
    };
    position.ok_or_else(|| Failure::BadRequest("`after` is no `next` of a page".to_owned()))
}

impl From<Listing> for database::Listing {
    fn from(listing: Listing) -> Self {
        match listing {
            Listing::Inbox => Self::Inbox,
            Listing::Archived => Self::Archived,
            Listing::Requests => Self::Requests,
            Listing::Hidden => Self::Hidden,
            Listing::All => Self::All,
        }
    }
}

impl From<Notify> for database::Notify {
    fn from(notify: Notify) -> Self {
        match notify {
            Notify::All => Self::All,
            Notify::Mentions => Self::Mentions,
            Notify::Nothing => Self::Nothing,
        }
    }
}

impl From<database::Notify> for Notify {
    fn from(notify: database::Notify) -> Self {
        match notify {
            database::Notify::All => Self::All,
            database::Notify::Mentions => Self::Mentions,
            database::Notify::Nothing => Self::Nothing,
        }
    }
}

impl From<database::Conversation> for Conversation {
    fn from(row: database::Conversation) -> Self {
        Self {
            conversation: row.id.to_string(),
            priority: row.priority,
            archived: row.archived,
            is_request: row.is_request,
            muted_until: row.muted_until.min(FOR_EVER),
            notify: row.notify.into(),
            marked_unread: row.marked_unread,
            draft: row.draft,
            last_read: row.last_read,
            unread: row.unread,
            mentioned: row.mentioned,
            last_message_id: row.last_message.map(MessageId::number),
            last_timestamp: row.last_timestamp,
            expiry: row.expiry.map(Expiry::from),
            created: row.created,
        }
    }
}
