//! A device comes back from recovery words and a place, into a home without accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::Device;
use warren_client::backup::{Restoring, Target};
use warren_client::vault::Cost;

use super::backups::target;
use super::extract::Given;
use super::failure::ErrorBody;
use super::session::Home;
use super::work::{Running, Work, WorkKind, WorkResult};
use crate::failure::Failure;
use crate::passphrase::SecretText;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(restore))
}

/// What is to come back.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Restore {
    /// Where it lies, as `warren backup --help` describes places.
    #[schema(value_type = Object)]
    pub place: Value,
    /// The recovery words that open it.
    pub words: String,
    /// Which snapshot, by the beginning of its name; the newest that can be read where none is named.
    pub snapshot: Option<String>,
    /// The code of this home, or of the one that is made where there is none.
    pub passphrase: String,
}

/// What came back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RestoredBackup {
    /// The snapshot it came from.
    pub snapshot: String,
    /// When that was made.
    pub created: u64,
    /// How many parts came back.
    pub parts: usize,
    /// How many bytes they are.
    pub bytes: u64,
    /// The accounts that are here, as ids.
    pub accounts: Vec<String>,
}

/// Brings a device back, in the background, into a home that has no account; one that was restored half
/// is gone on with. A home that was unlocked is locked meanwhile; a daemon is unlocked afterwards.
#[utoipa::path(
    post, path = "/restore", tag = "backups", request_body = Restore,
    responses((status = 202, body = Work), (status = "default", body = ErrorBody)),
)]
async fn restore(
    State(home): State<Arc<Home>>,
    Given(given): Given<Restore>,
) -> Result<(StatusCode, Json<Work>), Failure> {
    let target = target(given.place)?;
    let (words, passphrase) = (SecretText::new(given.words), SecretText::new(given.passphrase));
    if let Ok(session) = home.session()
        && !session.device(|device| device.accounts())?.is_empty()
    {
        return Err(warren_client::vault::VaultError::Exists.into());
    }
    home.lock().await;
    let at = Arc::clone(&home);
    home.work().begin(WorkKind::Restore, None, async move |running| {
        let found = find(&words, &target, given.snapshot.as_deref(), &running).await?;
        let run = found.run(at.folder(), passphrase.expose(), Cost::DEFAULT);
        let restored = running.unless_stopped(run).await??;
        let device = Device::unlock(at.folder(), passphrase.expose())?;
        let accounts = device.accounts()?.iter().map(|one| one.id.to_string()).collect();
        if at.is_daemon() {
            at.begin(device).await?;
        }
        let (parts, bytes) = (restored.parts, restored.bytes);
        let (snapshot, created) = (found.name(), found.snapshot().created);
        let restored = RestoredBackup { snapshot, created, parts, bytes, accounts };
        Ok(WorkResult::Restore(restored).into())
    })
}

async fn find(
    words: &SecretText,
    target: &Target,
    snapshot: Option<&str>,
    running: &Arc<Running>,
) -> Result<Restoring, Failure> {
    let found = Restoring::find(words.expose(), target, snapshot);
    let found = running.unless_stopped(found).await??;
    Ok(found.watched_by(running.progresses(None)))
}
