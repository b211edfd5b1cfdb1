//! What is done in the background for a home, one thing at a time: backups, trials, restoring.
//!
//! It goes on while nobody asks, tells how far it got over the events, and stays to be asked for once it
//! ended, until something else begins or the home is locked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::sleep;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::backup::{Census, Progress, Progresses, Stage};
use warren_client::{Event, Events};

use super::backups::{MadeBackup, PrunedBackup, VerifiedBackup};
use super::border::BorderReport;
use super::failure::{ErrorBody, ErrorText};
use super::restore::RestoredBackup;
use super::session::{Home, Session};
use crate::failure::Failure;

/// How long work that was stopped may take to clean up.
const CLEANING: Duration = Duration::from_secs(6);

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(show, stop))
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// A backup is made.
    Backup,
    /// It is seen whether everything is there.
    Verify,
    /// What is not needed is removed.
    Prune,
    /// A device comes back.
    Restore,
    /// Backups are made and tried, before this device is wiped.
    Border,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// It goes on.
    Running,
    /// It is done: there is a result.
    Done,
    /// It failed: there is an error.
    Failed,
}

/// What of it is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkStage {
    /// Looking at what is at the place.
    Looking,
    /// Reading what is to be backed up, and writing it.
    Writing,
    /// Reading objects and holding them against their names.
    Checking,
    /// Bringing parts back.
    Restoring,
    /// Removing what is not needed.
    Removing,
}

impl From<Stage> for WorkStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Looking => Self::Looking,
            Stage::Writing => Self::Writing,
            Stage::Checking => Self::Checking,
            Stage::Restoring => Self::Restoring,
            Stage::Removing => Self::Removing,
        }
    }
}

/// Something that is done in the background.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Work {
    /// What.
    pub kind: WorkKind,
    /// How it is.
    pub state: WorkState,
    /// What of it is being done; absent before it begins.
    pub stage: Option<WorkStage>,
    /// Bytes done of that.
    pub done: u64,
    /// Bytes in all; 0 where nobody knows.
    pub total: u64,
    /// Why it failed.
    pub error: Option<ErrorText>,
    /// What came of it.
    pub result: Option<WorkResult>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkResult {
    /// A backup.
    Backup(MadeBackup),
    /// What was seen of one.
    Verify(VerifiedBackup),
    /// What was removed.
    Prune(PrunedBackup),
    /// What came back.
    Restore(RestoredBackup),
    /// What is in the backups, and what it takes to come back from them.
    Border(BorderReport),
}

/// What is kept of work that ended well.
pub struct Outcome {
    /// What is told.
    pub result: WorkResult,
    /// What was here when it was tried, by the names of backups.
    pub seen: Vec<(String, Census)>,
}

impl From<WorkResult> for Outcome {
    fn from(result: WorkResult) -> Self {
        Self { result, seen: Vec::new() }
    }
}

/// The work of a home: what is being done, or was done last.
#[derive(Default)]
pub struct Background(Mutex<Option<Arc<Running>>>);

/// Work, as whoever does it sees it.
pub struct Running {
    kind: WorkKind,
    state: Mutex<Progressed>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Progressed {
    stage: Option<WorkStage>,
    done: u64,
    total: u64,
    ended: Option<Result<Arc<Outcome>, ErrorText>>,
}

impl Background {
    /// Begins work, where none is at work.
    ///
    /// # Errors
    /// Where some is.
    pub fn begin<F>(
        &self,
        kind: WorkKind,
        session: Option<Arc<Session>>,
        work: impl FnOnce(Arc<Running>) -> F,
    ) -> Result<(StatusCode, Json<Work>), Failure>
    where
        F: Future<Output = Result<Outcome, Failure>> + Send + 'static,
    {
        let mut present = self.present();
        if present.as_ref().is_some_and(|running| running.goes_on()) {
            return Err(Failure::Busy);
        }
        let stop = watch::Sender::new(false);
        let running = Arc::new(Running { kind, state: Mutex::default(), stop });
        *present = Some(Arc::clone(&running));
        drop(present);
        let events = session.as_ref().map(|session| session.events().clone());
        let work = work(Arc::clone(&running));
        let doing = Arc::clone(&running);
        tokio::spawn(async move {
            let ended = match session {
                Some(session) => doing.until_locked(&session, work).await,
                None => work.await,
            };
            doing.end(ended, events.as_ref());
        });
        Ok((StatusCode::ACCEPTED, Json(running.shown())))
    }

    /// What is being done, or was done last.
    pub fn last(&self) -> Option<Arc<Running>> {
        self.present().clone()
    }

    /// Forgets what ended, as it tells of what is in a home that is being locked.
    pub fn forget(&self) {
        self.present().take_if(|running| running.kind != WorkKind::Restore);
    }

    fn present(&self) -> MutexGuard<'_, Option<Arc<Running>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// As an app sees it.
    pub fn shown(&self) -> Work {
        let state = self.state();
        let (how, error, result) = match &state.ended {
            None => (WorkState::Running, None, None),
            Some(Ok(outcome)) => (WorkState::Done, None, Some(outcome.result.clone())),
            Some(Err(error)) => (WorkState::Failed, Some(error.clone()), None),
        };
        let Progressed { stage, done, total, .. } = *state;
        Work { kind: self.kind, state: how, stage, done, total, error, result }
    }

    /// What came of it, where it ended well.
    pub fn outcome(&self) -> Option<Arc<Outcome>> {
        self.state().ended.as_ref().and_then(|ended| ended.as_ref().ok().cloned())
    }

    /// Tells whoever asks how far it gets.
    pub fn progresses(self: &Arc<Self>, events: Option<Events>) -> Progresses {
        let running = Arc::clone(self);
        Arc::new(move |progress: Progress| {
            let is_news = running.take(progress);
            if let Some(events) = events.as_ref().filter(|_| is_news) {
                let Progress { done, total, .. } = progress;
                events.publish(None, Event::Work { done, total, running: true });
            }
        })
    }

    /// Does something unless it is stopped.
    ///
    /// # Errors
    /// Where it is stopped.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            done = work => Ok(done),
            () = self.stopped() => Err(Failure::WorkStopped),
        }
    }

    /// Waits until somebody stops it.
    pub async fn stopped(&self) {
        // The sender lives as long as this.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    async fn until_locked(
        &self,
        session: &Session,
        work: impl Future<Output = Result<Outcome, Failure>>,
    ) -> Result<Outcome, Failure> {
        let locked = async {
            session.ended().await;
            self.stop.send_replace(true);
            sleep(CLEANING).await;
        };
        tokio::select! {
            ended = work => ended,
            () = locked => Err(Failure::Locked),
        }
    }

    /// Whether it is news to somebody who watches: another stage, or another hundredth.
    fn take(&self, Progress { stage, done, total }: Progress) -> bool {
        let mut state = self.state();
        let hundredth = |done: u64, total: u64| done.saturating_mul(100).checked_div(total);
        let stage = Some(WorkStage::from(stage));
        let is_news =
            state.stage != stage || hundredth(state.done, state.total) != hundredth(done, total);
        (state.stage, state.done, state.total) = (stage, done, total);
        is_news
    }

    fn end(&self, ended: Result<Outcome, Failure>, events: Option<&Events>) {
        let ended = ended.map(Arc::new).map_err(|failure| ErrorText::of(&failure));
        let mut state = self.state();
        state.ended = Some(ended);
        let Progressed { done, total, .. } = *state;
        drop(state);
        if let Some(events) = events {
            events.publish(None, Event::Work { done, total, running: false });
        }
    }

    fn goes_on(&self) -> bool {
        self.state().ended.is_none()
    }

    fn state(&self) -> MutexGuard<'_, Progressed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is being done in the background, or was done last: backups, trials, restoring.
#[utoipa::path(
    get, path = "/work", tag = "backups",
    responses((status = 200, body = Work), (status = "default", body = ErrorBody)),
)]
async fn show(State(home): State<Arc<Home>>) -> Result<Json<Work>, Failure> {
    home.is_used();
    let last = home.work().last().ok_or(Failure::NoWork)?;
    Ok(Json(last.shown()))
}

/// Stops it. What was backed up before stays as it is; what was begun is gone on with the next time.
#[utoipa::path(
    delete, path = "/work", tag = "backups",
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn stop(State(home): State<Arc<Home>>) -> Result<StatusCode, Failure> {
    let last = home.work().last().ok_or(Failure::NoWork)?;
    last.stop.send_replace(true);
    Ok(StatusCode::NO_CONTENT)
}
