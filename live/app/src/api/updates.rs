//! Whether there is a newer release: asked when somebody says so, and never else.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::ClientError;
use warren_client::update::{Manifest, UpdateError};
use warren_crypto::minisign::ReleaseKey;
use warren_message::attachment::url::FileUrl;

use super::extract::{Given, InSession};
use super::failure::ErrorBody;
use super::session::{Home, Session};
use crate::failure::Failure;

/// The key that releases are signed with, as whoever built the program named it.
pub const RELEASE_KEY: Option<&str> = option_env!("WARREN_RELEASE_KEY");
/// The version that runs.
pub const RUNNING: &str = env!("CARGO_PKG_VERSION");

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(check))
}

/// Where a signed manifest lies.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct CheckUpdate {
    /// The address of the manifest at a file server.
    pub from: String,
    /// The address of its signature.
    pub signature: String,
}

/// What a manifest says that may be believed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Update {
    /// The version that runs.
    pub running: String,
    /// The newest.
    pub newest: String,
    /// It is newer than the one that runs.
    pub newer: bool,
    /// Until when this may be believed.
    pub expires: u64,
    /// What to install on this kind of machine; absent where there is nothing for it.
    pub file: Option<UpdateFile>,
}

/// A file of a release.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct UpdateFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Looks whether there is a newer release, through the onion. Nothing is installed, and nothing looks by
/// itself.
#[utoipa::path(
    post, path = "/update/check", tag = "update", request_body = CheckUpdate,
    responses((status = 200, body = Update), (status = "default", body = ErrorBody)),
)]
async fn check(
    InSession(session): InSession,
    Given(given): Given<CheckUpdate>,
) -> Result<Json<Update>, Failure> {
    let key = key(RELEASE_KEY)?;
    let manifest = fetch(&session, &given.from).await?;
    let signature = fetch(&session, &given.signature).await?;
    let signature = String::from_utf8_lossy(&signature);
    let now = crate::wording::now();
    let manifest =
        session.device(|device| device.check_release(&manifest, &signature, &key, now))?;
    Ok(Json(Update::of(&manifest)))
}

/// The key to check with.
///
/// # Errors
/// Where this build has none.
pub fn key(key: Option<&str>) -> Result<ReleaseKey, Failure> {
    let key = key.and_then(|key| ReleaseKey::parse(key).ok());
    key.ok_or_else(|| ClientError::from(UpdateError::NoKey).into())
}

async fn fetch(session: &Session, address: &str) -> Result<Vec<u8>, Failure> {
    let no_url = || Failure::BadRequest("that is no address of a file at a file server".to_owned());
    let url = FileUrl::parse(address).ok_or_else(no_url)?;
    let accounts = session.device(|device| device.accounts())?;
    let account = accounts.first().ok_or(ClientError::NoAccount)?;
    let messenger = session.messenger(&account.id)?;
    Ok(Box::pin(messenger.fetch_public(&url)).await?)
}

impl Update {
    fn of(manifest: &Manifest) -> Self {
        let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
        let file = manifest.file_for(&platform).map(|file| UpdateFile {
            name: file.name.clone(),
            size: file.size,
            sha256: file.sha256.clone(),
        });
        Self {
            running: RUNNING.to_owned(),
            newest: manifest.version.clone(),
            newer: manifest.is_newer_than(RUNNING).unwrap_or(false),
            expires: manifest.expires,
            file,
        }
    }
}
