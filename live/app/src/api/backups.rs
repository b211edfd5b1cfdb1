//! Backups: set up, made, listed, verified, pruned, scheduled. What takes its time is done in the
//! background, see [`super::work`].

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::backup::{BackupSettings, Depth, Pruned, Retention, Target};
use warren_client::{ClientError, Device};

use super::extract::{Given, InSession};
use super::failure::ErrorBody;
use super::session::{Home, Session};
use super::work::{Running, Work, WorkKind, WorkResult};
use crate::failure::Failure;

mod shapes;

pub use shapes::{
    Backup, BackupSnapshot, Backups, DamagedPart, Keep, MadeBackup, NewBackup, Prune, PrunedBackup,
    Schedule, Snapshots, VerifiedBackup, Verify,
};

/// How long a place may take to be given back by a backup that was stopped.
const GIVE_BACK: Duration = Duration::from_secs(5);

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list, init))
        .routes(routes!(show, forget))
        .routes(routes!(schedule))
        .routes(routes!(snapshots))
        .routes(routes!(run))
        .routes(routes!(verify))
        .routes(routes!(prune))
}

/// The backups that are set up.
#[utoipa::path(
    get, path = "/backups", tag = "backups",
    responses((status = 200, body = Backups), (status = "default", body = ErrorBody)),
)]
async fn list(InSession(session): InSession) -> Result<Json<Backups>, Failure> {
    let backups = session.device(|device| device.backups())?;
    let backups = backups.iter().map(|(name, one)| Backup::of(name, one)).collect();
    Ok(Json(Backups { backups }))
}

/// Sets a backup up. Nothing is written to the place yet.
#[utoipa::path(
    post, path = "/backups", tag = "backups", request_body = NewBackup,
    responses((status = 201, body = Backup), (status = "default", body = ErrorBody)),
)]
async fn init(
    InSession(session): InSession,
    Given(given): Given<NewBackup>,
) -> Result<(StatusCode, Json<Backup>), Failure> {
    let target = target(given.place.clone())?;
    session.device(|device| {
        if device.backups()?.contains_key(&given.name) {
            return Err(Failure::BackupExists(given.name.clone()));
        }
        let settings = new_settings(device, target, &given)?;
        let shown = Backup::of(&given.name, &settings);
        device.set_backup(&given.name, settings)?;
        Ok((StatusCode::CREATED, Json(shown)))
    })
}

fn new_settings(
    device: &Device,
    target: Target,
    given: &NewBackup,
) -> Result<BackupSettings, Failure> {
    let find = |which: &String| Ok(device.account(Some(which))?.id.to_string());
    let accounts = given.accounts.as_ref().map(|accounts| accounts.iter().map(find).collect());
    let accounts = accounts.transpose().map_err(|error: ClientError| Failure::from(error))?;
    let first = || device.accounts()?.into_iter().next().ok_or(ClientError::NoAccount);
    let key = match &given.key_account {
        Some(which) => device.account(Some(which))?,
        None => first()?,
    };
    let mut settings = BackupSettings::new(target, &key.id, accounts);
    settings.retention = given.keep.map_or(settings.retention, Retention::from);
    Ok(settings)
}

/// A place as it was described. No error repeats what was said: it is a secret.
///
/// # Errors
/// Where it is none.
pub fn target(place: Value) -> Result<Target, Failure> {
    let why = "it is of no known type, or a field is missing, too many or mistyped".to_owned();
    serde_json::from_value(place).map_err(|_| Failure::BackupPlace(why))
}

/// One backup that is set up.
#[utoipa::path(
    get, path = "/backups/{name}", tag = "backups",
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 200, body = Backup), (status = "default", body = ErrorBody)),
)]
async fn show(
    InSession(session): InSession,
    Path(name): Path<String>,
) -> Result<Json<Backup>, Failure> {
    let settings = session.device(|device| device.backup(&name))?;
    Ok(Json(Backup::of(&name, &settings)))
}

/// Forgets a backup here. What lies at the place stays there.
#[utoipa::path(
    delete, path = "/backups/{name}", tag = "backups",
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn forget(
    InSession(session): InSession,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    session.device(|device| device.forget_backup(&name))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says how often the daemon backs up, while it runs and is unlocked.
#[utoipa::path(
    put, path = "/backups/{name}/schedule", tag = "backups", request_body = Schedule,
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 200, body = Backup), (status = "default", body = ErrorBody)),
)]
async fn schedule(
    InSession(session): InSession,
    Path(name): Path<String>,
    Given(given): Given<Schedule>,
) -> Result<Json<Backup>, Failure> {
    session.device(|device| {
        let mut settings = device.backup(&name)?;
        settings.every = given.every_seconds.map(|seconds| seconds.saturating_mul(1000));
        let shown = Backup::of(&name, &settings);
        device.set_backup(&name, settings)?;
        Ok(Json(shown))
    })
}

/// What lies at the place, asked of it now.
#[utoipa::path(
    get, path = "/backups/{name}/snapshots", tag = "backups",
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 200, body = Snapshots), (status = "default", body = ErrorBody)),
)]
async fn snapshots(
    InSession(session): InSession,
    Path(name): Path<String>,
) -> Result<Json<Snapshots>, Failure> {
    let job = session.device(|device| device.backup_job(&name))?;
    drop(session);
    let found = job.snapshots().await?.into_iter().map(|found| {
        let (read, error) = match found.snapshot {
            Ok(snapshot) => (Some(snapshot), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let read = read.as_ref();
        BackupSnapshot {
            name: found.name.to_string(),
            error,
            created: read.map(|one| one.created),
            number: read.map(|one| one.sequence),
            parts: read.map(|one| one.parts().len()),
            bytes: read.map(|one| one.parts().iter().map(|part| part.size).sum()),
        }
    });
    Ok(Json(Snapshots { snapshots: found.collect() }))
}

/// Backs up what is new, in the background.
#[utoipa::path(
    post, path = "/backups/{name}/run", tag = "backups",
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 202, body = Work), (status = "default", body = ErrorBody)),
)]
async fn run(
    State(home): State<Arc<Home>>,
    InSession(session): InSession,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Work>), Failure> {
    session.device(|device| device.backup(&name))?;
    let within = Arc::clone(&session);
    home.work().begin(WorkKind::Backup, Some(session), async move |running| {
        let made = make(&within, &name, &running).await?;
        Ok(WorkResult::Backup(made).into())
    })
}

/// Makes a backup and remembers it.
///
/// # Errors
/// Where it cannot be made, or is stopped; the place is given back then.
pub async fn make(
    session: &Session,
    name: &str,
    running: &Arc<Running>,
) -> Result<MadeBackup, Failure> {
    let job = session.device(|device| device.backup_job(name))?;
    let mut job = job.watched_by(running.progresses(Some(session.events().clone())));
    let at = job.now();
    let made = tokio::select! {
        made = job.run() => Some(made?),
        () = running.stopped() => None,
    };
    let Some(made) = made else {
        // Whoever comes next need not wait for a dead writer.
        let _ = tokio::time::timeout(GIVE_BACK, job.unlock()).await;
        return Err(Failure::BackupInterrupted);
    };
    session.device(|device| device.note_backup(name, &made, at))?;
    Ok(MadeBackup::of(&made, at))
}

/// Sees whether everything is there, in the background.
#[utoipa::path(
    post, path = "/backups/{name}/verify", tag = "backups", request_body = Verify,
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 202, body = Work), (status = "default", body = ErrorBody)),
)]
async fn verify(
    State(home): State<Arc<Home>>,
    InSession(session): InSession,
    Path(name): Path<String>,
    Given(given): Given<Verify>,
) -> Result<(StatusCode, Json<Work>), Failure> {
    let depth = if given.bytes { Depth::Bytes } else { Depth::Names };
    let job = session.device(|device| device.backup_job(&name))?;
    let events = session.events().clone();
    home.work().begin(WorkKind::Verify, Some(session), async move |running| {
        let job = job.watched_by(running.progresses(Some(events)));
        let verified = running.unless_stopped(job.verify(depth)).await??;
        Ok(WorkResult::Verify(VerifiedBackup::of(&verified)).into())
    })
}

/// Removes old snapshots and what nothing needs any more, in the background.
#[utoipa::path(
    post, path = "/backups/{name}/prune", tag = "backups", request_body = Prune,
    params(("name" = String, Path, description = "What it is called here")),
    responses((status = 202, body = Work), (status = "default", body = ErrorBody)),
)]
async fn prune(
    State(home): State<Arc<Home>>,
    InSession(session): InSession,
    Path(name): Path<String>,
    Given(given): Given<Prune>,
) -> Result<(StatusCode, Json<Work>), Failure> {
    let job = session.device(|device| {
        if let Some(keep) = given.keep {
            let mut settings = device.backup(&name)?;
            settings.retention = keep.into();
            device.set_backup(&name, settings)?;
        }
        device.backup_job(&name)
    })?;
    let events = session.events().clone();
    home.work().begin(WorkKind::Prune, Some(session), async move |running| {
        let job = job.watched_by(running.progresses(Some(events)));
        let pruned = running.unless_stopped(job.prune(given.drop_damaged)).await??;
        let Pruned { kept, snapshots, bytes, .. } = pruned;
        Ok(WorkResult::Prune(PrunedBackup { kept, removed: snapshots, bytes }).into())
    })
}
