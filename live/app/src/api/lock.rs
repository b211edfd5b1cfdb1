//! The lock: how it is set, locking, unlocking, and other codes.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::AutoLock;
use warren_client::vault::calibrate::{self, Calibration};
use warren_client::vault::{CodeKind, Vault, VaultError};

use super::daemon::daemon;
use super::extract::{Given, InSession};
use super::failure::ErrorBody;
use super::session::{Home, Session};
use crate::failure::Failure;
use crate::passphrase::SecretText;

/// What is answered while the home is locked, too.
pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(show, lock)).routes(routes!(unlock))
}

/// What needs an unlocked home.
pub(super) fn routes_within() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(change_auto))
        .routes(routes!(change_code))
        .routes(routes!(change_cost))
        .routes(routes!(change_binding))
        .routes(routes!(wipe_after))
        .routes(routes!(set_duress))
        .routes(routes!(remove_duress))
}

/// How the lock is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Lock {
    /// Whether the keys are out of memory.
    pub locked: bool,
    /// How long the next attempt to unlock must wait after wrong codes, in milliseconds.
    pub wait: u64,
    /// Argon2id's passes for one guess.
    pub passes: u32,
    /// Argon2id's memory for one guess, in KiB.
    pub memory_kib: u32,
    /// Whether codes work with this machine's TPM alone.
    pub bound: bool,
    /// What is set inside; absent while it is locked.
    pub settings: Option<LockSettings>,
}

/// What is set inside.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct LockSettings {
    /// The daemon locks after so many seconds without a request that needs keys; 0 for never.
    pub idle_seconds: u64,
    /// Whether it locks once the machine slept.
    pub on_suspend: bool,
    /// After how many wrong codes in a row everything is wiped; 0 for never.
    pub wipe_after: u32,
}

/// When the daemon locks by itself; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AutoLockChange {
    /// After so many seconds without a request that needs keys; 0 for never.
    pub idle_seconds: Option<u64>,
    /// Once the machine slept.
    pub on_suspend: Option<bool>,
}

/// What opens a locked home.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CodeGiven {
    /// The code: PIN, passphrase, or pattern as `3x3:1-2-3-6-9`.
    pub code: String,
}

/// What a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 4 to 64 digits.
    Pin,
    /// Any text.
    Passphrase,
    /// Cells of a grid of 3x3 to 5x5, numbered row by row from 1: `3x3:1-2-3-6-9`.
    Pattern,
}

/// Another code.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewCode {
    /// The present code.
    pub code: String,
    /// What the new one is.
    pub kind: Kind,
    /// The new one.
    pub new: String,
}

/// A code that destroys what is here and opens the other store.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewDuress {
    /// The present code.
    pub code: String,
    /// What the duress code is.
    pub kind: Kind,
    /// The duress code.
    pub new: String,
    /// Typed, it also wipes the other devices of these accounts that trust them with it.
    #[serde(default)]
    pub tell_devices: bool,
    /// Typed, it also empties the mailboxes of all accounts here. Who learns it, and has a copy of the
    /// disk from before, can do so too; they read nothing by it.
    #[serde(default)]
    pub delete_mail: bool,
}

/// What a duress code does beyond this device.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct DuressSet {
    /// How many other devices it wipes.
    pub devices: usize,
    /// How many mailboxes it empties.
    pub mailboxes: usize,
}

/// When wrong codes wipe.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct WipeAfter {
    /// The present code.
    pub code: String,
    /// After how many wrong codes in a row; 0 for never.
    pub count: u32,
}

/// Whether this machine takes part.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Binding {
    /// The present code.
    pub code: String,
    /// Whether it is to work with this machine's TPM alone.
    pub bound: bool,
}

/// What a guess costs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GuessCost {
    /// Argon2id's passes.
    pub passes: u32,
    /// Argon2id's memory in KiB.
    pub memory_kib: u32,
    /// How long one took here, in milliseconds.
    pub time: u64,
}

/// How the lock is. Whether there is a duress code is told nowhere.
#[utoipa::path(
    get, path = "/lock", tag = "lock",
    responses((status = 200, body = Lock), (status = "default", body = ErrorBody)),
)]
async fn show(State(home): State<Arc<Home>>) -> Result<Json<Lock>, Failure> {
    let settings = match home.session() {
        Ok(session) => Some(settings(&session)?),
        Err(_) => None,
    };
    let cost = Vault::cost(home.folder())?;
    Ok(Json(Lock {
        locked: settings.is_none(),
        wait: Vault::wait(home.folder())?,
        passes: cost.passes,
        memory_kib: cost.memory_kib,
        bound: Vault::is_bound(home.folder())?,
        settings,
    }))
}

fn settings(session: &Session) -> Result<LockSettings, Failure> {
    let AutoLock { idle, on_suspend } = session.auto_lock();
    let wipe_after = session.device(|device| device.vault().wipe_after())?;
    let idle_seconds = idle.map_or(0, |idle| idle.as_secs());
    Ok(LockSettings { idle_seconds, on_suspend, wipe_after })
}

/// Drops all keys and ends all work, until somebody unlocks.
#[utoipa::path(
    post, path = "/lock", tag = "lock",
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn lock(State(home): State<Arc<Home>>) -> Result<StatusCode, Failure> {
    daemon(&home)?.lock().await;
    Ok(StatusCode::NO_CONTENT)
}

/// Unlocks, and puts the accounts to work. Where the home is unlocked, work ends and begins anew.
#[utoipa::path(
    post, path = "/unlock", tag = "lock", request_body = CodeGiven,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn unlock(
    State(home): State<Arc<Home>>,
    Given(given): Given<CodeGiven>,
) -> Result<StatusCode, Failure> {
    daemon(&home)?.unlock(SecretText::new(given.code)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says when the daemon locks by itself.
#[utoipa::path(
    patch, path = "/lock/auto", tag = "lock", request_body = AutoLockChange,
    responses((status = 200, body = LockSettings), (status = "default", body = ErrorBody)),
)]
async fn change_auto(
    InSession(session): InSession,
    Given(change): Given<AutoLockChange>,
) -> Result<Json<LockSettings>, Failure> {
    let before = session.auto_lock();
    let idle = |seconds| Some(Duration::from_secs(seconds)).filter(|idle| !idle.is_zero());
    session.set_auto_lock(AutoLock {
        idle: change.idle_seconds.map_or(before.idle, idle),
        on_suspend: change.on_suspend.unwrap_or(before.on_suspend),
    })?;
    Ok(Json(settings(&session)?))
}

/// Puts everything under another code.
#[utoipa::path(
    put, path = "/lock/code", tag = "lock", request_body = NewCode,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn change_code(
    InSession(session): InSession,
    Given(given): Given<NewCode>,
) -> Result<StatusCode, Failure> {
    let (present, new) = (SecretText::new(given.code), SecretText::new(given.new));
    with_vault(&session, move |vault| {
        vault.change_code(present.expose(), given.kind.into(), new.expose())
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Measures what a guess should cost on this machine, and puts the present code under it. Other codes
/// are gone afterwards.
#[utoipa::path(
    post, path = "/lock/calibrate", tag = "lock", request_body = CodeGiven,
    responses((status = 200, body = GuessCost), (status = "default", body = ErrorBody)),
)]
async fn change_cost(
    InSession(session): InSession,
    Given(given): Given<CodeGiven>,
) -> Result<Json<GuessCost>, Failure> {
    let code = SecretText::new(given.code);
    let Calibration { cost, time } = with_vault(&session, move |vault| {
        // A wrong code is told before anything takes its time.
        vault.check_code(code.expose())?;
        let calibration = calibrate::calibrate();
        vault.change_cost(code.expose(), calibration.cost)?;
        Ok(calibration)
    })
    .await?;
    let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Ok(Json(GuessCost { passes: cost.passes, memory_kib: cost.memory_kib, time }))
}

/// Has a secret that only this machine's TPM 2.0 gives out take part in the code, or no longer. Other
/// codes are gone afterwards.
#[utoipa::path(
    put, path = "/lock/binding", tag = "lock", request_body = Binding,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn change_binding(
    InSession(session): InSession,
    Given(given): Given<Binding>,
) -> Result<StatusCode, Failure> {
    let code = SecretText::new(given.code);
    with_vault(&session, move |vault| vault.change_binding(code.expose(), given.bound)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says after how many wrong codes in a row everything is wiped.
#[utoipa::path(
    put, path = "/lock/wipe-after", tag = "lock", request_body = WipeAfter,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn wipe_after(
    InSession(session): InSession,
    Given(given): Given<WipeAfter>,
) -> Result<StatusCode, Failure> {
    let code = SecretText::new(given.code);
    with_vault(&session, move |vault| vault.set_wipe_after(code.expose(), given.count)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a code that, typed in place of the ordinary one, destroys everything here and opens an empty
/// or decoy store. One that was set before is gone.
#[utoipa::path(
    put, path = "/lock/duress", tag = "lock", request_body = NewDuress,
    responses((status = 200, body = DuressSet), (status = "default", body = ErrorBody)),
)]
async fn set_duress(
    InSession(session): InSession,
    Given(given): Given<NewDuress>,
) -> Result<Json<DuressSet>, Failure> {
    let (present, new) = (SecretText::new(given.code), SecretText::new(given.new));
    let (master, orders) = session.device(|device| {
        let orders = device.duress_orders(given.tell_devices, given.delete_mail)?;
        Ok::<_, Failure>((device.other_master()?, orders))
    })?;
    let set = DuressSet { devices: orders.devices.len(), mailboxes: orders.mailboxes.len() };
    with_vault(&session, move |vault| {
        let code = (given.kind.into(), new.expose());
        vault.set_duress(present.expose(), code, master, &orders)
    })
    .await?;
    Ok(Json(set))
}

/// Takes the duress code away, where there is one. The answer is the same where there is none.
#[utoipa::path(
    post, path = "/lock/duress/remove", tag = "lock", request_body = CodeGiven,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn remove_duress(
    InSession(session): InSession,
    Given(given): Given<CodeGiven>,
) -> Result<StatusCode, Failure> {
    let code = SecretText::new(given.code);
    with_vault(&session, move |vault| vault.remove_other_codes(code.expose())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does something with the keys that takes its time, without keeping others from the device.
async fn with_vault<T: Send + 'static>(
    session: &Session,
    work: impl FnOnce(&Vault) -> Result<T, VaultError> + Send + 'static,
) -> Result<T, Failure> {
    let vault = session.device(|device| device.vault().again());
    let done = spawn_blocking(move || work(&vault)).await.map_err(|_| Failure::Locked)?;
    Ok(done?)
}

impl From<Kind> for CodeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Pin => Self::Pin,
            Kind::Passphrase => Self::Passphrase,
            Kind::Pattern => Self::Pattern,
        }
    }
}
