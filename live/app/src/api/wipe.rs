//! Destroying what is on this device, and what the network keeps for its accounts.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tokio::task::block_in_place;
use tokio::time::timeout;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::Messenger;
use warren_client::vault::VaultError;
use warren_client::vault::wipe::{destroy, finish};

use super::extract::Given;
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;

/// What must be typed.
pub const CONFIRMATION: &str = "wipe";
/// How long the network may take for one account.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(wipe))
}

/// What to wipe.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Wipe {
    /// The word `wipe`.
    pub confirm: String,
    /// Also what the network keeps for every account: messages and configurations. The home must be
    /// unlocked.
    #[serde(default)]
    pub network: bool,
    /// Go on where the network cannot be reached; else nothing is wiped then.
    #[serde(default)]
    pub even_offline: bool,
}

/// What was reached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Wiped {
    /// The keys on this device are destroyed.
    pub keys: bool,
    /// Everything on this device is deleted. Where it is not, it cannot be read, and the next start
    /// deletes it.
    pub data: bool,
    /// What the network did for each account; empty where it was not asked.
    pub accounts: Vec<WipedAccount>,
}

/// What the network did for an account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct WipedAccount {
    /// The account.
    pub account_id: String,
    /// How many members of its swarm say that they deleted everything.
    pub done: usize,
    /// How many members there are; 0 where none could be reached.
    pub members: usize,
    /// Why not, where none did.
    pub error: Option<String>,
}

/// Destroys the keys, then has the network delete where that was asked, then deletes everything on
/// this device. A daemon ends afterwards. There is no way back but recovery words and backups.
#[utoipa::path(
    post, path = "/wipe", tag = "lock", request_body = Wipe,
    responses((status = 200, body = Wiped), (status = "default", body = ErrorBody)),
)]
async fn wipe(
    State(home): State<Arc<Home>>,
    Given(given): Given<Wipe>,
) -> Result<Json<Wiped>, Failure> {
    carry_out(&home, &given).await.map(Json)
}

/// Wipes, where that is confirmed.
///
/// # Errors
/// Where it is not, the network cannot be reached, or the disk fails.
pub(super) async fn carry_out(home: &Home, given: &Wipe) -> Result<Wiped, Failure> {
    if given.confirm != CONFIRMATION {
        return Err(Failure::WipeNotConfirmed);
    }
    let messengers = if given.network { open_all(home)? } else { Vec::new() };
    if !given.even_offline {
        for messenger in &messengers {
            reach(messenger).await?;
        }
    }
    let inbox = home.inbox.close().await;
    disk(home, destroy)?;
    if let Ok(session) = home.session() {
        for messenger in &messengers {
            session.close(&messenger.account().id);
        }
    }
    let mut accounts = Vec::with_capacity(messengers.len());
    for messenger in &messengers {
        accounts.push(erase(messenger).await);
    }
    drop(messengers);
    home.lock().await;
    let data = disk(home, finish).is_ok();
    if home.is_daemon() {
        inbox.for_good();
        home.stop();
    }
    Ok(Wiped { keys: true, data, accounts })
}

/// Every account.
fn open_all(home: &Home) -> Result<Vec<Arc<Messenger>>, Failure> {
    let session = home.session()?;
    let accounts = session.device(|device| device.accounts())?;
    accounts.iter().map(|account| session.messenger(&account.id)).collect()
}

async fn reach(messenger: &Messenger) -> Result<(), Failure> {
    match timeout(PATIENCE, messenger.path()).await {
        Ok(reached) => reached.map(drop).map_err(Failure::from),
        Err(_) => Err(Failure::TooSlow),
    }
}

async fn erase(messenger: &Messenger) -> WipedAccount {
    let account_id = messenger.account().id.to_string();
    let failed = |error: String| (0, 0, Some(error));
    let (done, members, error) = match timeout(PATIENCE, messenger.erase_mailbox()).await {
        Ok(Ok(erased)) => (erased.done, erased.members, None),
        Ok(Err(error)) => failed(error.to_string()),
        Err(_) => failed(Failure::TooSlow.to_string()),
    };
    WipedAccount { account_id, done, members, error }
}

/// Waits for the disk on this very thread, so that what is cut off is cut off where it is.
fn disk(home: &Home, step: fn(&std::path::Path) -> Result<(), VaultError>) -> Result<(), Failure> {
    Ok(block_in_place(|| step(home.folder()))?)
}
