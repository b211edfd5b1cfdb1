//! Before a border: backups are made and tried, and only what came back whole lets this device be wiped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::task::spawn_blocking;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::backup::{BackupError, Census, Target, Tried};
use warren_client::database::AccountEntry;
use warren_client::{ClientError, Device};

use super::backups;
use super::extract::{Given, InSession};
use super::failure::ErrorBody;
use super::session::{Home, Session};
use super::wipe::{CONFIRMATION, Wipe, Wiped, carry_out};
use super::work::{Outcome, Running, Work, WorkKind, WorkResult};
use crate::failure::Failure;

mod error;
mod report;
mod words;

pub use error::BorderError;
pub use report::{
    Border, BorderAccount, BorderPlace, BorderReport, Cross, GivenWords, LostAccount,
};

/// How often a backup is made anew because something changed here meanwhile.
const TRIES: usize = 3;

/// What needs an unlocked home for as long as it takes.
pub(super) fn routes_within() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(check_words))
}

/// What locks the home.
pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(cross))
}

/// A backup that holds what is here.
struct Saved {
    backup: String,
    target: Target,
    key_account: String,
    tried: Tried,
}

/// Makes every backup, brings each back into a place of its own, reads all of it and compares it with
/// what is here: in the background. The result says what is in them and what it takes to come back.
/// Nothing is wiped.
#[utoipa::path(
    post, path = "/border", tag = "backups", request_body = Border,
    responses((status = 202, body = Work), (status = "default", body = ErrorBody)),
)]
async fn begin(
    State(home): State<Arc<Home>>,
    InSession(session): InSession,
    Given(given): Given<Border>,
) -> Result<(StatusCode, Json<Work>), Failure> {
    let (names, lost) = session.device(|device| plan(device, &home, &given))?;
    let within = Arc::clone(&session);
    let folder = home.folder().to_owned();
    home.work().begin(WorkKind::Border, Some(session), async move |running| {
        let mut saved = Vec::with_capacity(names.len());
        for name in &names {
            saved.push(save(&within, name, &running).await?);
        }
        let report = report::of(&saved, lost, &folder)?;
        let seen = saved.into_iter().map(|one| (one.backup, one.tried.census)).collect();
        Ok(Outcome { result: WorkResult::Border(report), seen })
    })
}

/// The backups to be made, and the accounts that are in none of them.
fn plan(
    device: &Device,
    home: &Home,
    given: &Border,
) -> Result<(Vec<String>, Vec<LostAccount>), Failure> {
    let all = device.backups()?;
    let names = match &given.backups {
        Some(names) => names.clone(),
        None => all.keys().cloned().collect(),
    };
    if names.is_empty() {
        return Err(ClientError::NoBackup("main".to_owned()).into());
    }
    let mut covered = BTreeSet::new();
    for name in &names {
        let settings = device.backup(name)?;
        if let Target::Folder { path } = &settings.target
            && report::lies_within(path, home.folder())
        {
            return Err(BorderError::PlaceInHome(name.clone()).into());
        }
        let of = |ids: Vec<String>| ids.into_iter();
        let accounts = device.accounts()?.into_iter().map(|entry| entry.id.to_string());
        covered.extend(of(settings.accounts.unwrap_or_else(|| accounts.collect())));
    }
    let given_up = given.without.iter().map(|which| Ok(device.account(Some(which))?.id));
    let given_up: Vec<_> = given_up.collect::<Result<_, ClientError>>()?;
    let mut left = device.accounts()?;
    left.retain(|entry| !covered.contains(&entry.id.to_string()));
    let uncovered = left.iter().filter(|entry| !given_up.contains(&entry.id));
    let uncovered: Vec<String> = uncovered.map(|entry| entry.label.clone()).collect();
    if !uncovered.is_empty() {
        return Err(BorderError::Uncovered(uncovered).into());
    }
    let lost =
        |entry: AccountEntry| LostAccount { account_id: entry.id.to_string(), name: entry.label };
    Ok((names, left.into_iter().map(lost).collect()))
}

/// Makes a backup and tries it, until what comes back is what is here.
async fn save(session: &Session, name: &str, running: &Arc<Running>) -> Result<Saved, Failure> {
    let mut other = String::new();
    for _ in 0..TRIES {
        let made = backups::make(session, name, running).await?;
        let trial = session.device(|device| device.backup_trial(name))?;
        let trial = trial.watched_by(running.progresses(Some(session.events().clone())));
        let tried = running.unless_stopped(trial.run(&made.snapshot)).await??;
        let here = count(session, name).await?;
        match tried.census.differs_from(&here) {
            Some(account) => other.clone_from(&account.label),
            None => {
                let settings = session.device(|device| device.backup(name))?;
                let (target, key_account) = (settings.target, settings.key_account);
                return Ok(Saved { backup: name.to_owned(), target, key_account, tried });
            }
        }
    }
    Err(BorderError::Unsettled(other).into())
}

/// What is here of the accounts of a backup.
async fn count(session: &Session, name: &str) -> Result<Census, Failure> {
    let counting = session.device(|device| device.counting(name))?;
    let counted = spawn_blocking(move || counting.count()).await;
    Ok(counted.map_err(|_| ClientError::from(BackupError::Stopped))??)
}

/// Whether these are the words of an account that the report asks for, in its order.
#[utoipa::path(
    post, path = "/border/words", tag = "backups", request_body = GivenWords,
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn check_words(
    State(home): State<Arc<Home>>,
    InSession(session): InSession,
    Given(given): Given<GivenWords>,
) -> Result<StatusCode, Failure> {
    let (report, _) = ready(&home)?;
    let account = report.accounts.iter().find(|one| one.account_id == given.account_id);
    let account = account.ok_or(ClientError::NoAccount)?;
    words::check(&session, account, &given.words)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Wipes this device, where the backups were tried and still hold what is here, and the recovery words
/// that open them were shown to be known. A daemon ends afterwards.
#[utoipa::path(
    post, path = "/border/wipe", tag = "backups", request_body = Cross,
    responses((status = 200, body = Wiped), (status = "default", body = ErrorBody)),
)]
async fn cross(
    State(home): State<Arc<Home>>,
    Given(given): Given<Cross>,
) -> Result<Json<Wiped>, Failure> {
    if given.confirm != CONFIRMATION {
        return Err(Failure::WipeNotConfirmed);
    }
    may_cross(&home, &given).await?;
    let (network, even_offline) = (given.network, given.even_offline);
    let wipe = Wipe { confirm: given.confirm, network, even_offline };
    carry_out(&home, &wipe).await.map(Json)
}

async fn may_cross(home: &Home, given: &Cross) -> Result<(), Failure> {
    let session = home.session()?;
    let (report, seen) = ready(home)?;
    if !given.words_known {
        let none = BTreeMap::new();
        words::check_all(&session, &report, given.words.as_ref().unwrap_or(&none))?;
    }
    for (name, census) in &seen {
        if census.differs_from(&count(&session, name).await?).is_some() {
            return Err(BorderError::Changed.into());
        }
    }
    // An account that came since is in no report.
    let known = |id: &str| {
        let is_saved = report.accounts.iter().any(|account| account.account_id == id);
        is_saved || report.lost.iter().any(|account| account.account_id == id)
    };
    let mut accounts = session.device(|device| device.accounts())?;
    accounts.retain(|entry| !known(&entry.id.to_string()));
    if accounts.is_empty() { Ok(()) } else { Err(BorderError::Changed.into()) }
}

/// What was reported last, and what was here then.
fn ready(home: &Home) -> Result<(BorderReport, Vec<(String, Census)>), Failure> {
    let outcome = home.work().last().and_then(|last| last.outcome());
    match outcome.as_deref() {
        Some(Outcome { result: WorkResult::Border(report), seen }) => {
            Ok((report.clone(), seen.clone()))
        }
        _ => Err(BorderError::NotReady.into()),
    }
}
