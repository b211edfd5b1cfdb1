//! Connections to whichever server of the database takes writes.
//!
//! All servers are asked at once and the first that takes writes is used. One that did not answer
//! in time, or whose connection broke, is under suspicion for a while: it is asked only where no
//! other takes writes, and connections to it are not used again. So a primary that lost its place
//! without knowing keeps nobody waiting.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool::managed::{self, Metrics, Object, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use futures_util::future::{BoxFuture, poll_fn};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::{JoinHandle, JoinSet};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, Socket};

use super::address::Address;
use super::trouble::{Trouble, text};
use crate::StoreError;

/// How long all servers together may take to say which of them takes writes.
const CHOOSING: Duration = Duration::from_secs(3);
/// How long a server is under suspicion.
const SUSPICION: Duration = Duration::from_secs(10);

/// One connection.
pub(super) struct Line {
    client: ClientWrapper,
    server: usize,
    since: Instant,
    warned: Arc<AtomicBool>,
}

/// Opens connections and knows which servers are under suspicion.
pub(super) struct Servers {
    address: Address,
    suspected: Mutex<Vec<Option<Instant>>>,
}

impl Servers {
    pub(super) fn new(address: Address) -> Self {
        let suspected = Mutex::new(vec![None; address.servers.len()]);
        Self { address, suspected }
    }

    fn suspect(&self, server: usize) {
        let mut suspected = self.suspected.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = suspected.get_mut(server) {
            *place = Some(Instant::now());
        }
    }

    /// When this server came under suspicion, if it is.
    fn suspected(&self, server: usize) -> Option<Instant> {
        let suspected = self.suspected.lock().unwrap_or_else(PoisonError::into_inner);
        suspected.get(server).copied().flatten().filter(|since| since.elapsed() < SUSPICION)
    }

    /// The first of these servers that takes writes.
    async fn first(&self, servers: Vec<usize>) -> Result<Line, Trouble> {
        let mut opening = JoinSet::new();
        for server in servers {
            let Some(config) = self.address.servers.get(server).cloned() else { continue };
            let tls = self.address.tls.clone();
            opening.spawn(async move {
                let opened = tokio::time::timeout(CHOOSING, open(config, tls)).await;
                (server, opened.unwrap_or_else(|_| Err("no answer".to_owned())))
            });
        }
        let mut refusals = Vec::new();
        while let Some(outcome) = opening.join_next().await {
            match outcome {
                Ok((server, Ok((client, task, warned)))) => {
                    let client = ClientWrapper::new(client, task);
                    return Ok(Line { client, server, since: Instant::now(), warned });
                }
                Ok((server, Err(refusal))) => refusals.push(format!("server {server}: {refusal}")),
                Err(error) => refusals.push(error.to_string()),
            }
        }
        refusals.sort_unstable();
        let text = format!("no server of the database takes writes ({})", refusals.join("; "));
        Err(Trouble::Passing(text))
    }
}

type Opened = (Client, JoinHandle<()>, Arc<AtomicBool>);

async fn open(
    config: Config,
    tls: Option<tokio_postgres_rustls_improved::MakeRustlsConnect>,
) -> Result<Opened, String> {
    if let Some(tls) = tls {
        let (client, connection) = config.connect(tls).await.map_err(|error| text(&error))?;
        return Ok(attend(client, connection));
    }
    let (client, connection) = config.connect(NoTls).await.map_err(|error| text(&error))?;
    Ok(attend(client, connection))
}

/// Starts the task that moves the bytes of a connection, and that hears the server's warnings.
fn attend<S>(client: Client, mut connection: Connection<Socket, S>) -> Opened
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let warned = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&warned);
    let task = tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notice(notice) = message {
                // Class 01 is warnings, 57 the operator's hand.
                let code = notice.code().code();
                if code.starts_with("01") || code.starts_with("57") {
                    tracing::warn!(notice = notice.message(), "the database warns");
                    heard.store(true, Ordering::Release);
                }
            }
        }
    });
    (client, task, warned)
}

impl managed::Manager for Servers {
    type Type = Line;
    type Error = Trouble;

    async fn create(&self) -> Result<Line, Trouble> {
        let all = 0..self.address.servers.len();
        let (suspects, trusted): (Vec<_>, Vec<_>) =
            all.partition(|server| self.suspected(*server).is_some());
        match self.first(trusted).await {
            Err(_) if !suspects.is_empty() => self.first(suspects).await,
            outcome => outcome,
        }
    }

    async fn recycle(&self, line: &mut Line, _: &Metrics) -> RecycleResult<Trouble> {
        let suspected = self.suspected(line.server).is_some_and(|since| since > line.since);
        if line.client.is_closed() || suspected || line.warned.load(Ordering::Acquire) {
            return Err(RecycleError::message("not to be used again"));
        }
        Ok(())
    }
}

/// A connection lent from the pool. Dropped without a word, as happens to an attempt that is given
/// up, it is closed and its server comes under suspicion.
pub(super) struct Lease {
    line: Option<Object<Servers>>,
}

/// The pool, and where it leads.
#[derive(Clone)]
pub(super) struct Pool {
    pool: managed::Pool<Servers>,
}

impl Pool {
    pub(super) fn new(address: Address, most: usize) -> Result<Self, StoreError> {
        let pool = managed::Pool::builder(Servers::new(address)).max_size(most).build();
        let pool = pool.map_err(|error| StoreError::Engine(error.to_string()))?;
        Ok(Self { pool })
    }

    /// Lends a connection to a server that takes writes.
    ///
    /// Boxed: the compiler cannot see that what is inside may move between threads.
    pub(super) fn lend(&self) -> BoxFuture<'_, Result<Lease, Trouble>> {
        Box::pin(async move {
            match self.pool.get().await {
                Ok(line) => Ok(Lease { line: Some(line) }),
                Err(managed::PoolError::Backend(trouble)) => Err(trouble),
                Err(managed::PoolError::Closed) => Err(StoreError::Closed.into()),
                Err(other) => Err(Trouble::Passing(format!("the pool: {other:?}"))),
            }
        })
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

impl Lease {
    /// The client.
    ///
    /// # Errors
    /// Never while the lease lasts.
    pub(super) fn client(&self) -> Result<&ClientWrapper, Trouble> {
        let line = self.line.as_deref();
        line.map(|line| &line.client).ok_or_else(|| Trouble::Lost("no connection".into()))
    }

    /// Whether the server warned of anything, such as a commit that it did not wait for a standby
    /// to have.
    pub(super) fn warned(&self) -> bool {
        self.line.as_ref().is_none_or(|line| line.warned.load(Ordering::Acquire))
    }

    /// Returns the connection for others to use.
    pub(super) fn give_back(mut self) {
        self.line = None;
    }

    /// Ends what was asked outside of transactions. Where it failed by the server's word, and not
    /// for want of an answer, no suspicion is left behind.
    pub(super) fn settle<T>(mut self, outcome: Result<T, Trouble>) -> Result<T, Trouble> {
        match outcome {
            Ok(_) => self.give_back(),
            Err(Trouble::Lost(_)) => {}
            Err(_) => {
                if let Some(line) = self.line.take() {
                    drop(Object::take(line));
                }
            }
        }
        outcome
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            if let Some(pool) = Object::pool(&line) {
                pool.manager().suspect(line.server);
            }
            drop(Object::take(line));
        }
    }
}
