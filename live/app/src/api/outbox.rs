//! What waits to be delivered, and another try at it.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, AccountDb, DueCopy, Purpose};
use warren_wire::Millis;

use super::about::complete;
use super::extract::{Asked, OfAccount};
use super::failure::ErrorBody;
use super::messages::Message;
use super::session::Home;
use crate::failure::Failure;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(retry))
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// The message.
    pub message: Message,
    /// Whether its recipient's copy waits; else the one for the owner's other devices does.
    pub for_recipient: bool,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// What waits, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Outbox {
    /// The messages.
    pub waiting: Vec<Waiting>,
    /// When the next of them is due; absent where nothing waits.
    pub next_attempt: Option<u64>,
}

/// Which to try.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Due {
    /// Those alone whose time has come; else all.
    pub due: bool,
}

/// How another try went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Retried {
    /// How many messages were tried.
    pub tried: usize,
    /// How many were delivered.
    pub delivered: usize,
    /// How many the network refused for good.
    pub failed: usize,
    /// How many still wait.
    pub waiting: usize,
    /// Why.
    pub reason: Option<String>,
}

/// Lists what waits.
#[utoipa::path(
    get, path = "/accounts/{account}/outbox", tag = "outbox",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Outbox), (status = "default", body = ErrorBody)),
)]
async fn list(of: OfAccount) -> Result<Json<Outbox>, Failure> {
    of.db().with(|db| {
        let next_attempt = db.next_attempt()?;
        Ok(Json(Outbox { waiting: waiting(db)?, next_attempt }))
    })
}

/// Tries to deliver what waits.
#[utoipa::path(
    post, path = "/accounts/{account}/outbox/retry", tag = "outbox",
    params(("account" = String, Path, description = "Account ID"), Due),
    responses((status = 200, body = Retried), (status = "default", body = ErrorBody)),
)]
async fn retry(of: OfAccount, Asked(which): Asked<Due>) -> Result<Json<Retried>, Failure> {
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    let before = of.db().with(|db| waiting(db))?;
    let tried = if which.due { of.deliver_waiting().await } else { of.deliver_all().await };
    let failure = match tried.map_err(Failure::from) {
        Err(failure) if !failure.is_network() => return Err(failure),
        tried => tried.err(),
    };
    let left = of.db().with(|db| waiting(db))?;
    let (mut delivered, mut failed) = (0, 0);
    for one in &before {
        let id = one.message.message_id;
        if left.iter().any(|other| other.message.message_id == id) {
            continue;
        }
        match of.db().with(|db| db.message(database::MessageId::new(id)))?.state {
            database::MessageState::Failed => failed += 1,
            _ => delivered += 1,
        }
    }
    let reason = failure.map(|failure| failure.to_string());
    Ok(Json(Retried { tried: before.len(), delivered, failed, waiting: left.len(), reason }))
}

fn waiting(db: &AccountDb) -> Result<Vec<Waiting>, Failure> {
    let mut waiting: Vec<Waiting> = Vec::new();
    for DueCopy { message, copy, attempts, .. } in db.due_outbox(Millis::MAX)? {
        let for_recipient = copy.purpose == Purpose::Recipient;
        let is_known = |known: &&mut Waiting| known.message.message_id == message.number();
        if let Some(known) = waiting.iter_mut().find(is_known) {
            known.for_recipient |= for_recipient;
            known.attempts = known.attempts.max(attempts);
        } else {
            let message = complete(db, db.message(message)?)?;
            waiting.push(Waiting { message, for_recipient, attempts });
        }
    }
    waiting.sort_by_key(|one| (one.message.timestamp, one.message.message_id));
    Ok(waiting)
}
