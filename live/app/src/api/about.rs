//! What belongs to a message: what it answers, reactions, receipts, and how far each copy got.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, AccountDb, DatabaseError, Job, MessageId, Task};

use super::extract::OfAccount;
use super::failure::ErrorBody;
use super::files::File;
use super::messages::Message;
use super::session::Home;
use crate::failure::Failure;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(info))
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// Who said what is answered.
    pub author: String,
    /// When they said it.
    pub timestamp: u64,
    /// What the answer repeats of it; absent where it was deleted since.
    pub text: Option<String>,
}

/// What a link in a message leads to, as its author saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// The link.
    pub url: String,
    /// The page's title.
    pub title: String,
}

/// An emoji somebody put under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    /// Who.
    pub author: String,
    /// Which.
    pub emoji: String,
    /// When, as they say.
    pub timestamp: u64,
}

/// Somebody has read a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// Who.
    pub reader: String,
    /// When, as they say.
    pub read_at: u64,
}

/// What a mailbox keeps of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StoredCopy {
    /// Whose mailbox.
    pub mailbox: String,
    /// Under which hash.
    pub hash: String,
}

/// A part of a message's delivery that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenStep {
    /// What.
    pub step: Step,
    /// Into whose mailbox a copy goes.
    pub mailbox: Option<String>,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is tried next; absent where it was given up, or waits for another step.
    pub next_attempt: Option<u64>,
}

/// Parts of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A file goes to a file server.
    Upload,
    /// The message is sealed once its files are there.
    Seal,
    /// A sealed copy goes into a mailbox.
    Store,
    /// Something that a later version began.
    Other,
}

/// Everything known of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageInfo {
    /// The message.
    pub message: Message,
    /// Who has read it, as far as they tell.
    pub receipts: Vec<Receipt>,
    /// What mailboxes keep of it.
    pub stored: Vec<StoredCopy>,
    /// What is still to be done for its delivery.
    pub open: Vec<OpenStep>,
}

/// Everything known of a message: how far it got, who read it, what mailboxes keep of it.
#[utoipa::path(
    get, path = "/accounts/{account}/messages/{message}/info", tag = "messages",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("message" = i64, Path, description = "the message's number"),
    ),
    responses((status = 200, body = MessageInfo), (status = "default", body = ErrorBody)),
)]
async fn info(
    of: OfAccount,
    Path((_, message)): Path<(String, i64)>,
) -> Result<Json<MessageInfo>, Failure> {
    let id = MessageId::new(message);
    of.db().with(|db| {
        let message = complete(db, db.message(id)?)?;
        let receipts = db.receipts(id)?.into_iter().map(Receipt::from).collect();
        let hashes = db.transact(|tx| tx.message_hashes(id))?;
        let stored = hashes.iter().map(|(mailbox, hash)| StoredCopy {
            mailbox: mailbox.to_string(),
            hash: hash.to_string(),
        });
        let open = db.jobs_of(id)?.iter().map(OpenStep::from).collect();
        Ok(Json(MessageInfo { message, receipts, stored: stored.collect(), open }))
    })
}

/// A message as the API shows it, with its reactions and its files.
///
/// # Errors
/// Where the database fails.
pub fn complete(db: &AccountDb, message: database::Message) -> Result<Message, DatabaseError> {
    let reactions = db.reactions(message.id)?.into_iter().map(Reaction::from).collect();
    let files = db.attachments(message.id)?.into_iter().map(File::from).collect();
    Ok(Message { reactions, files, ..message.into() })
}

/// The same for several.
///
/// # Errors
/// Where the database fails.
pub fn all_complete(
    db: &AccountDb,
    messages: Vec<database::Message>,
) -> Result<Vec<Message>, DatabaseError> {
    messages.into_iter().map(|message| complete(db, message)).collect()
}

impl From<database::Quote> for Quote {
    fn from(quote: database::Quote) -> Self {
        let database::Quote { author, timestamp, text } = quote;
        Self { author: author.to_string(), timestamp, text }
    }
}

impl From<database::Preview> for Preview {
    fn from(preview: database::Preview) -> Self {
        Self { url: preview.url, title: preview.title }
    }
}

impl From<database::Reaction> for Reaction {
    fn from(reaction: database::Reaction) -> Self {
        let database::Reaction { author, emoji, timestamp } = reaction;
        Self { author: author.to_string(), emoji, timestamp }
    }
}

impl From<database::Receipt> for Receipt {
    fn from(receipt: database::Receipt) -> Self {
        Self { reader: receipt.reader.to_string(), read_at: receipt.read_at }
    }
}

impl From<&Job> for OpenStep {
    fn from(job: &Job) -> Self {
        let (step, mailbox) = match &job.task {
            Task::Store { copy, .. } => (Step::Store, Some(copy.target.to_string())),
            Task::Seal { .. } => (Step::Seal, None),
            Task::Upload { .. } => (Step::Upload, None),
            Task::Delete { .. } | Task::DeleteAll { .. } | Task::Other { .. } => {
                (Step::Other, None)
            }
        };
        Self { step, mailbox, attempts: job.attempts, next_attempt: job.next_attempt }
    }
}
