//! `warren daemon`: runs it, says how it is, locks, unlocks and ends it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Method;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use warren_client::{ClientError, Device, TripwireFile};

use crate::api::daemon::Daemon;
use crate::api::guard::Guard;
use crate::api::session::Home;
use crate::api::{self, Api};
use crate::cli::{DaemonArgs, DaemonCommand, DaemonRunArgs};
use crate::daemon::one::OnlyDaemon;
use crate::daemon::{autolock, serve, socket, token, tripwire};
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::stop::Stop;
use crate::wording::count;

/// How often to look whether a daemon that was told to stop has ended.
const PAUSE: Duration = Duration::from_millis(50);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Carries the command out.
///
/// # Errors
/// Where another daemon runs, the passphrase is wrong, or nothing can listen.
pub async fn run(start: &Start, args: DaemonArgs) -> Result<Exit, Failure> {
    match args.command {
        None => Box::pin(serve_home(start, &args.run)).await,
        Some(DaemonCommand::Run(args)) => Box::pin(serve_home(start, &args)).await,
        Some(DaemonCommand::Status) => status(start).await,
        Some(DaemonCommand::Lock) => super::lock::now(start).await,
        Some(DaemonCommand::Unlock) => super::lock::unlock(start).await,
        Some(DaemonCommand::Stop) => stop(start).await,
    }
}

/// Where the daemon listens on loopback, and what stands before it.
struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
    guard: Guard,
}

async fn serve_home(start: &Start, args: &DaemonRunArgs) -> Result<Exit, Failure> {
    let folder = start.home()?;
    // Goes on with a wipe that was cut off, in either case.
    if !Device::exists(&folder) && !args.locked {
        return Err(Failure::NoHome(folder));
    }
    TripwireFile::of(&folder).map_err(ClientError::from)?;
    let _only = OnlyDaemon::of_home(&folder)?;
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    let loopback = match args.listen {
        Some(address) => Some(listen(&folder, address, &args.allow_origin).await?),
        None => None,
    };
    let home = Arc::new(Home::of_daemon(folder.clone()));
    if !args.locked {
        home.begin(start.device()?).await?;
    }
    let router = api::router(&home);
    let stopping = watch::Sender::new(false);
    let mut servers = JoinSet::new();
    let address = loopback.as_ref().map(|loopback| loopback.address);
    serve_socket(&folder, &router, &stopping, &mut servers)?;
    if let Some(Loopback { listener, guard, .. }) = loopback {
        servers.spawn(serve::serve(listener, guard.before(router), stopping.subscribe()));
    }
    servers.spawn(stopped(stopping.subscribe(), autolock::keep(Arc::clone(&home))));
    servers.spawn(stopped(stopping.subscribe(), tripwire::keep(Arc::clone(&home))));
    announce(start, &home, address)?;
    tokio::select! {
        () = stop.asked() => {}
        () = home.told_to_stop() => {}
    }
    stopping.send_replace(true);
    home.lock().await;
    tokio::select! {
        () = async { while servers.join_next().await.is_some() {} } => {}
        // Asked twice: what was acknowledged is on the disk anyway.
        () = stop.asked() => {}
    }
    // Whoever connects from here on finds nobody either way.
    let _ = std::fs::remove_file(socket::path(&folder));
    // Whoever read the output may be gone by now.
    let _ = start.output.text("Stopped.");
    Ok(Exit::Done)
}

/// Does something until the daemon stops.
async fn stopped(mut stop: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        // A sender that is gone stops as well.
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

async fn listen(folder: &Path, at: SocketAddr, allowed: &[String]) -> Result<Loopback, Failure> {
    if !at.ip().is_loopback() {
        return Err(Failure::NotLoopback(at));
    }
    let failed = |error| Failure::Listen { at: at.to_string(), error };
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let guard = Guard::new(token::of_home(folder)?, address, allowed);
    Ok(Loopback { listener, address, guard })
}

#[cfg(unix)]
fn serve_socket(
    folder: &Path,
    router: &Router,
    stopping: &watch::Sender<bool>,
    servers: &mut JoinSet<()>,
) -> Result<(), Failure> {
    let at = socket::path(folder).display().to_string();
    let listener = socket::listen(folder).map_err(|error| Failure::Listen { at, error })?;
    servers.spawn(serve::serve(listener, router.clone(), stopping.subscribe()));
    Ok(())
}

#[cfg(not(unix))]
fn serve_socket(
    _: &Path,
    _: &Router,
    _: &watch::Sender<bool>,
    _: &mut JoinSet<()>,
) -> Result<(), Failure> {
    Ok(())
}

fn announce(start: &Start, home: &Home, address: Option<SocketAddr>) -> Result<(), Failure> {
    let accounts = match home.session() {
        Ok(session) => Some(session.device(|device| device.accounts())?.len()),
        Err(_) => None,
    };
    let socket = socket::path(home.folder()).display().to_string();
    let token = address.map(|_| token::path(home.folder()).display().to_string());
    let value = json!({
        "pid": std::process::id(),
        "locked": accounts.is_none(),
        "accounts": accounts.unwrap_or(0),
        "socket": socket,
        "listen": address.map(|address| address.to_string()),
        "token_file": token,
    });
    let what = accounts.map_or_else(
        || "Locked: `warren unlock` opens it".to_owned(),
        |accounts| format!("At work for {}", count(accounts, "account")),
    );
    let mut text = format!("{what}.\n\n  Socket      {socket}");
    if let (Some(address), Some(token)) = (address, &token) {
        text.push_str(&format!("\n  Loopback    http://{address}/v1\n  Token in    {token}"));
    }
    text.push_str(
        "\n\nCommands ask it without a passphrase. Ctrl-C or `warren daemon stop` ends it.",
    );
    start.output.result(&value, text)
}

pub(super) async fn running(start: &Start) -> Result<Api, Failure> {
    Api::of_daemon(&start.home()?).await.ok_or(Failure::NoDaemon)
}

async fn status(start: &Start) -> Result<Exit, Failure> {
    let Some(api) = Api::of_daemon(&start.home()?).await else {
        start.output.result(&json!({ "running": false }), "No daemon runs for this home.")?;
        return Ok(Exit::Failed);
    };
    let daemon: Daemon = api.get("daemon").await?;
    let value = json!({
        "running": true,
        "pid": daemon.pid,
        "version": daemon.version,
        "locked": daemon.locked,
        "accounts": daemon.accounts,
    });
    let what = if daemon.locked {
        "locked".to_owned()
    } else {
        format!("at work for {}", count(daemon.accounts, "account"))
    };
    let text = format!("Process {}, version {}: {what}.", daemon.pid, daemon.version);
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

async fn stop(start: &Start) -> Result<Exit, Failure> {
    let api = running(start).await?;
    let folder = start.home()?;
    api.tell(Method::POST, "daemon/stop", &()).await?;
    let ended = async {
        while OnlyDaemon::runs(&folder) {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&json!({ "running": false }), "The daemon has ended.")?;
    Ok(Exit::Done)
}
