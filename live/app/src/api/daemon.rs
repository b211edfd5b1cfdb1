//! The daemon itself: how it is, lock, unlock, stop.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Given;
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;
use crate::passphrase::SecretText;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(lock))
        .routes(routes!(unlock))
        .routes(routes!(stop))
        .route("/openapi.json", axum::routing::get(super::described))
}

/// How the daemon is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Daemon {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// Whether the keys are out of memory.
    pub locked: bool,
    /// How many accounts are at work.
    pub accounts: usize,
}

/// What opens a locked home.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Unlock {
    /// The code: PIN, passphrase, or pattern as `3x3:1-2-3-6-9`.
    pub passphrase: String,
}

/// How the daemon is. Answered while it is locked, too.
#[utoipa::path(
    get, path = "/daemon", tag = "daemon",
    responses((status = 200, body = Daemon), (status = "default", body = ErrorBody)),
)]
async fn show(State(home): State<Arc<Home>>) -> Result<Json<Daemon>, Failure> {
    let accounts = match home.session() {
        Ok(session) => Some(session.device(|device| device.accounts())?.len()),
        Err(_) => None,
    };
    Ok(Json(Daemon {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        locked: accounts.is_none(),
        accounts: accounts.unwrap_or(0),
    }))
}

/// Drops all keys and ends all work, until somebody unlocks.
#[utoipa::path(
    post, path = "/daemon/lock", tag = "daemon",
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn lock(State(home): State<Arc<Home>>) -> Result<StatusCode, Failure> {
    daemon(&home)?.lock().await;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlocks, and puts the accounts to work. Where the home is unlocked, work ends and begins anew.
#[utoipa::path(
    post, path = "/daemon/unlock", tag = "daemon", request_body = Unlock,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn unlock(
    State(home): State<Arc<Home>>,
    Given(given): Given<Unlock>,
) -> Result<StatusCode, Failure> {
    daemon(&home)?.unlock(SecretText::new(given.passphrase)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends the daemon.
#[utoipa::path(
    post, path = "/daemon/stop", tag = "daemon",
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn stop(State(home): State<Arc<Home>>) -> Result<StatusCode, Failure> {
    daemon(&home)?.stop();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn daemon(home: &Home) -> Result<&Home, Failure> {
    if home.is_daemon() { Ok(home) } else { Err(Failure::NoDaemon) }
}
