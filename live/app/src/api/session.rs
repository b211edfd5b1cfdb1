//! An unlocked home and its accounts at work, until it is locked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};
use warren_client::tripwire::HeardTest;
use warren_client::vault::{Vault, VaultError};
use warren_client::{AutoLock, ClientError, Device, Event, Events, Messenger, NotificationMode};
use warren_wire::AccountId;

use super::transfers::Transfers;
use super::work::Background;
use crate::daemon::tripwire::Gate;
use crate::daemon::{backups, work};
use crate::failure::Failure;
use crate::orders;
use crate::passphrase::SecretText;

/// How often to look whether all keys are dropped.
const PAUSE: Duration = Duration::from_millis(5);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A home: locked, or with a session.
pub struct Home {
    folder: PathBuf,
    session: RwLock<Option<Arc<Session>>>,
    /// Whether accounts are kept at work, and the process may be told to stop.
    is_daemon: bool,
    stop: Notify,
    work: Background,
    /// Who reads the tripwire's inbox.
    pub inbox: Arc<Gate>,
    /// When somebody last asked for something that needs keys.
    used: Mutex<Instant>,
}

impl Home {
    /// A home that nobody has unlocked.
    pub fn locked(folder: PathBuf) -> Self {
        Self {
            folder,
            session: RwLock::default(),
            is_daemon: false,
            stop: Notify::new(),
            work: Background::default(),
            inbox: Arc::default(),
            used: Mutex::new(Instant::now()),
        }
    }

    /// A home for one command: accounts are opened when they are asked for.
    pub fn for_one_command(folder: PathBuf, device: Device) -> Self {
        let home = Self::locked(folder);
        home.put(Some(Arc::new(Session::new(device, false))));
        home
    }

    /// A home of a daemon, locked. What it unlocks is kept at work until it is locked again.
    pub fn of_daemon(folder: PathBuf) -> Self {
        Self { is_daemon: true, ..Self::locked(folder) }
    }

    /// Unlocks with a code and begins a session in the place of the one there is.
    ///
    /// # Errors
    /// Where the code is wrong or came too soon, or an account cannot be opened.
    pub async fn unlock(&self, code: SecretText) -> Result<(), Failure> {
        let folder = self.folder.clone();
        // Each code may leave another inbox. Codes that come too soon keep nobody from it.
        let closed = if self.is_tried().await { Some(self.inbox.close().await) } else { None };
        // Argon2id takes its time, and goes on where nobody waits for it any more.
        let unlock = move || (Device::unlock(&folder, code.expose()), closed);
        let (opened, _closed) = spawn_blocking(unlock).await.map_err(|_| Failure::Locked)?;
        match opened {
            Ok(mut device) => {
                orders::hand_over(&mut device);
                self.begin(device).await
            }
            Err(error) => {
                // So many wrong codes may have wiped what is open.
                if !Device::exists(&self.folder) {
                    self.lock().await;
                }
                Err(error.into())
            }
        }
    }

    /// Whether a code would be tried at all.
    async fn is_tried(&self) -> bool {
        let folder = self.folder.clone();
        // Another process may be trying one.
        let wait = spawn_blocking(move || Device::exists(&folder).then(|| Vault::wait(&folder)));
        matches!(wait.await, Ok(Some(Ok(0))))
    }

    /// Begins a session in the place of the one there is.
    ///
    /// # Errors
    /// Where an account cannot be opened.
    pub async fn begin(&self, device: Device) -> Result<(), Failure> {
        self.lock().await;
        self.is_used();
        let session = Arc::new(Session::new(device, self.is_daemon));
        session.open_all()?;
        if self.is_daemon {
            tokio::spawn(backups::keep(Arc::downgrade(&session)));
        }
        self.put(Some(session));
        Ok(())
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether a daemon serves it.
    pub const fn is_daemon(&self) -> bool {
        self.is_daemon
    }

    /// The session.
    ///
    /// # Errors
    /// Where the home is locked.
    pub fn session(&self) -> Result<Arc<Session>, Failure> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        session.clone().ok_or(Failure::Locked)
    }

    /// Ends all work and drops all keys: when this returns, databases are closed and keys are wiped
    /// from memory. Requests on their way are answered with [`Failure::Locked`].
    pub async fn lock(&self) {
        self.work.forget();
        let Ok(session) = self.session() else { return };
        self.put(None);
        let messengers = session.end().await;
        let left = Arc::downgrade(&session);
        drop(session);
        let in_use =
            || left.strong_count() > 0 || messengers.iter().any(|one| one.strong_count() > 0);
        let ended = async {
            while in_use() {
                sleep(PAUSE).await;
            }
        };
        // Whoever still has a key by then is stuck at a disk or a wire, and drops it after.
        let _ = timeout(PATIENCE, ended).await;
    }

    /// What is done in the background.
    pub const fn work(&self) -> &Background {
        &self.work
    }

    /// Somebody asks for something that needs keys.
    pub fn is_used(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// How long nobody has.
    pub fn idle(&self) -> Duration {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Tells the daemon to stop.
    pub fn stop(&self) {
        self.stop.notify_one();
    }

    /// Waits until somebody tells the daemon to stop.
    pub async fn told_to_stop(&self) {
        self.stop.notified().await;
    }

    fn put(&self, session: Option<Arc<Session>>) {
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = session;
    }
}

/// An unlocked home.
pub struct Session {
    device: Mutex<Device>,
    running: Mutex<Vec<Running>>,
    transfers: Transfers,
    events: Events,
    ended: watch::Sender<bool>,
    keeps_at_work: bool,
    auto_lock: Mutex<AutoLock>,
}

/// An account that is open.
struct Running {
    messenger: Arc<Messenger>,
    delivering: Arc<tokio::sync::Mutex<()>>,
    mode: watch::Sender<NotificationMode>,
    work: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(work) = &self.work {
            work.abort();
        }
    }
}

impl Session {
    fn new(device: Device, keeps_at_work: bool) -> Self {
        Self {
            events: device.events().clone(),
            auto_lock: Mutex::new(device.auto_lock().unwrap_or_default()),
            device: Mutex::new(device),
            running: Mutex::default(),
            transfers: Transfers::default(),
            ended: watch::Sender::new(false),
            keeps_at_work,
        }
    }

    /// Does something short with the device.
    pub fn device<T>(&self, work: impl FnOnce(&mut Device) -> T) -> T {
        work(&mut self.device.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the daemon locks by itself.
    pub fn auto_lock(&self) -> AutoLock {
        *self.auto_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says so, and keeps it.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_auto_lock(&self, lock: AutoLock) -> Result<(), Failure> {
        self.device(|device| device.set_auto_lock(lock))?;
        *self.auto_lock.lock().unwrap_or_else(PoisonError::into_inner) = lock;
        Ok(())
    }

    /// What happens to the accounts.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Files that are being fetched.
    pub const fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    /// An account, opened where it is not yet.
    ///
    /// # Errors
    /// Where there is none, or its database fails.
    pub fn messenger(&self, id: &AccountId) -> Result<Arc<Messenger>, Failure> {
        let mut running = self.running();
        if let Some(found) = running.iter().find(|one| one.messenger.account().id == *id) {
            return Ok(Arc::clone(&found.messenger));
        }
        let opened = self.open(id)?;
        let messenger = Arc::clone(&opened.messenger);
        running.push(opened);
        Ok(messenger)
    }

    /// What whoever sends for an account holds meanwhile, so that nothing is sent twice at a time.
    pub fn delivering(&self, id: &AccountId) -> Arc<tokio::sync::Mutex<()>> {
        let running = self.running();
        let found = running.iter().find(|one| one.messenger.account().id == *id);
        found.map(|one| Arc::clone(&one.delivering)).unwrap_or_default()
    }

    /// Opens every account, which puts it to work where accounts are kept at work.
    ///
    /// # Errors
    /// Where one cannot be opened.
    pub fn open_all(&self) -> Result<(), Failure> {
        for account in self.device(|device| device.accounts())? {
            self.messenger(&account.id)?;
        }
        Ok(())
    }

    /// Has the accounts tell friends that their tests were heard, each test once.
    ///
    /// # Errors
    /// Where a database fails.
    pub fn tell_tested(&self, tests: &[HeardTest]) -> Result<(), Failure> {
        for account in self.device(|device| device.accounts())? {
            let messenger = self.messenger(&account.id)?;
            for HeardTest { set, number, at, .. } in tests {
                messenger.tell_tested(set, *number, *at)?;
            }
        }
        Ok(())
    }

    /// Ends an account's work.
    pub fn close(&self, id: &AccountId) {
        self.running().retain(|one| one.messenger.account().id != *id);
    }

    /// Ends the work of all accounts and begins it anew, as where the network is another.
    ///
    /// # Errors
    /// Where one cannot be opened.
    pub fn restart(&self) -> Result<(), Failure> {
        self.running().clear();
        if self.keeps_at_work { self.open_all() } else { Ok(()) }
    }

    /// Has an account work in another mode.
    pub fn use_mode(&self, id: &AccountId, mode: NotificationMode) {
        let running = self.running();
        if let Some(one) = running.iter().find(|one| one.messenger.account().id == *id) {
            one.mode.send_replace(mode);
        }
    }

    /// Waits until the home is locked.
    pub async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        // The sender lives as long as the session.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Ends all work; what is left of the accounts that were open.
    async fn end(&self) -> Vec<Weak<Messenger>> {
        self.events.publish(None, Event::Locked);
        self.ended.send_replace(true);
        let mut running = std::mem::take(&mut *self.running());
        let left = running.iter().map(|one| Arc::downgrade(&one.messenger)).collect();
        for work in running.iter_mut().filter_map(|one| one.work.take()) {
            work.abort();
            // It was told to end; how it ended says nothing.
            let _ = work.await;
        }
        left
    }

    fn open(&self, id: &AccountId) -> Result<Running, Failure> {
        let (messenger, mode) = self.device(|device| {
            let messenger = device.messenger(Some(&id.to_string()))?;
            Ok::<_, Failure>((messenger, device.notification_mode(id)?))
        })?;
        let messenger = Arc::new(messenger);
        let delivering = Arc::default();
        let mode = watch::Sender::new(mode);
        let work = self.keeps_at_work.then(|| {
            let account = work::AtWork {
                messenger: Arc::clone(&messenger),
                delivering: Arc::clone(&delivering),
                events: self.events.clone(),
            };
            tokio::spawn(account.keep(mode.subscribe()))
        });
        Ok(Running { messenger, delivering, mode, work })
    }

    fn running(&self) -> MutexGuard<'_, Vec<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a request through where the home is unlocked, for as long as it stays so.
pub async fn until_locked(
    State(home): State<Arc<Home>>,
    mut request: Request,
    next: Next,
) -> Response {
    let session = match home.session() {
        Ok(session) => session,
        Err(_) if !Vault::is_made(home.folder()) => {
            return Failure::from(ClientError::from(VaultError::Missing)).into_response();
        }
        Err(locked) => return locked.into_response(),
    };
    // Who listens does not use: it is no person's doing that something happens.
    let is_use = !request.uri().path().ends_with("/events");
    if is_use {
        home.is_used();
    }
    request.extensions_mut().insert(Arc::clone(&session));
    let response = tokio::select! {
        biased;
        response = next.run(request) => response,
        () = session.ended() => Failure::Locked.into_response(),
    };
    if is_use {
        home.is_used();
    }
    response
}
