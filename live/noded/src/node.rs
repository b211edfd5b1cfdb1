//! One running node: what it holds, how it starts and how it ends.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use warren_crypto::SystemEntropy;
use warren_node::Placement;
use warren_node::exit::ExitRules;
use warren_node::listing::Published;
use warren_store::{EmbeddedStore, MailStore, Options, StoreError};
use warren_transport::Connections;
use warren_transport::certificate::CertificateError;
use warren_wire::{Millis, NodeId};

use crate::bodies::Bodies;
use crate::config::{LimitsConfig, SecretText};
use crate::exit_route::Exits;
use crate::files::{FileServer, FilesError, FilesOptions};
use crate::health::Health;
use crate::held::{Arrivals, Held, Share};
use crate::http;
use crate::identity::{Identity, IdentityError};
use crate::limits::{self, Class, Limits, mebibytes};
use crate::listen::{self, Bounds};
use crate::metered::Metered;
use crate::swarm::{FormerList, Member, Pace, Parts, Peers, SystemClock};
use crate::under_way::UnderWay;

/// How often expired messages are swept out.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// How long requests under way may take to end, where nothing else is configured.
const DRAIN: Duration = Duration::from_secs(5);
/// How long connections without a request may take to end: a client that is asleep never answers.
const FAREWELL: Duration = Duration::from_millis(500);

/// Why a node does not start or run.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Its keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Its storage.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its files.
    #[error("the files: {0}")]
    Files(#[from] FilesError),
    /// Its certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Its port.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The socket it was given.
    #[error("the node's socket cannot be used: {0}")]
    Socket(io::Error),
    /// It is not on the list.
    #[error("the list of nodes does not name this node: add its record and sign the list again")]
    NotListed,
}

/// What every request of a node may use.
pub struct Node {
    /// Its keys.
    pub identity: Identity,
    /// The list of nodes it goes by, and its place in it.
    listed: watch::Sender<Listed>,
    /// The mail it keeps.
    pub store: Arc<dyn MailStore>,
    /// How its storage does.
    pub meter: Arc<Metered>,
    /// What it says of itself.
    pub health: Health,
    /// Its connections to other nodes.
    pub connections: Arc<Connections>,
    /// What clients, nodes and mailboxes may ask for, and what they took of it.
    pub limits: Arc<Limits>,
    /// Room for the bodies of requests.
    pub bodies: Bodies,
    /// Room for what comes to `/swarm/v1` from addresses of the list: clients cannot take it.
    pub swarm_bodies: Bodies,
    /// The requests that are being answered.
    pub under_way: UnderWay,
    /// Those who wait for messages.
    pub held: Arc<Held>,
    /// The files it keeps, where that is one of its roles.
    pub files: Option<Arc<FileServer>>,
    /// Which servers it asks for others.
    pub exits: Exits,
    /// What it does as a member of its swarm.
    pub member: Arc<Member>,
}

/// A list of nodes and a node's place in it.
#[derive(Clone)]
pub struct Listed {
    /// Its place among the others.
    pub placement: Arc<Placement>,
    /// The list, as the directory signed it.
    pub published: Arc<Published>,
}

impl Listed {
    /// Places a node in a list.
    pub fn new(own: NodeId, published: Arc<Published>) -> Self {
        let placement = Arc::new(Placement::new(own, Arc::clone(&published.list)));
        Self { placement, published }
    }
}

/// How a node runs, beyond what it must be told.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// How much it takes on.
    pub limits: LimitsConfig,
    /// How long requests under way may take to end when it stops.
    pub drain: Duration,
    /// The folder or the database with its mail; a folder of its own where absent.
    pub store: Option<SecretText>,
    /// How it keeps files, where it does.
    pub files: Option<FilesOptions>,
    /// Which servers it asks on behalf of clients.
    pub exit: ExitRules,
    /// How it keeps up with the other members of its swarm.
    pub pace: Pace,
    /// The lists that earlier runs went by, the last one last.
    pub former_lists: Vec<FormerList>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            limits: LimitsConfig::default(),
            drain: DRAIN,
            store: None,
            files: None,
            exit: ExitRules::default(),
            pace: Pace::default(),
            former_lists: Vec::new(),
        }
    }
}

/// A node that serves until it is stopped.
pub struct RunningNode {
    address: SocketAddr,
    drain: Duration,
    node: Arc<Node>,
    handle: Handle,
    server: JoinHandle<io::Result<()>>,
    /// What goes on besides requests.
    tasks: Vec<JoinHandle<()>>,
}

/// Milliseconds since the Unix epoch.
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Takes a port, which is held from here on.
///
/// # Errors
/// Where it is not to be had.
pub fn bind(listen: SocketAddr) -> Result<TcpListener, NodeError> {
    TcpListener::bind(listen)
        .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
        .map_err(|error| NodeError::Listen(listen, error))
}

impl Node {
    /// Opens the embedded store under `data` and starts serving on `listen`. A node that the list
    /// does not name keeps nobody's mail and passes onions on.
    ///
    /// # Errors
    /// Where storage or port are not to be had.
    pub async fn start(
        identity: Identity,
        data: PathBuf,
        listen: SocketAddr,
        published: Arc<Published>,
    ) -> Result<RunningNode, NodeError> {
        Self::start_on(identity, data, bind(listen)?, published, NodeOptions::default()).await
    }

    /// As [`Node::start`], on a port that is already held and with options.
    ///
    /// # Errors
    /// Where the storage is not to be had.
    pub async fn start_on(
        identity: Identity,
        data: PathBuf,
        listener: TcpListener,
        published: Arc<Published>,
        options: NodeOptions,
    ) -> Result<RunningNode, NodeError> {
        let listed = watch::Sender::new(Listed::new(identity.id(), published));
        let mail = match &options.store {
            Some(url) => warren_store::open(url.expose()).await?,
            None => Arc::new(EmbeddedStore::open(&data.join("mail"), Options::default())?),
        };
        let meter = Metered::new(mail);
        let store: Arc<dyn MailStore> = Arc::clone(&meter) as Arc<dyn MailStore>;
        let files = match options.files.clone() {
            Some(options) => Some(FileServer::start(&data.join("files"), options).await?),
            None => None,
        };
        let connections = Arc::new(Connections::new());
        let held = Arc::new(Held::new(limits::count(options.limits.held_requests)));
        let member = Member::new(Parts {
            key: identity.second_signing_key()?,
            store: Arc::clone(&store),
            peers: Arc::clone(&connections) as Arc<dyn Peers>,
            clock: Arc::new(SystemClock),
            arrivals: Arc::clone(&held) as Arc<dyn Arrivals>,
            entropy: Box::new(SystemEntropy),
            list: Arc::clone(&listed.borrow().published.list),
            pace: options.pace,
        });
        member.remember(options.former_lists);
        let tls = RustlsConfig::from_config(identity.certificate().server_config()?);
        let node = Arc::new(Self {
            identity,
            listed,
            store,
            meter,
            health: Health::default(),
            connections,
            limits: Arc::new(Limits::new(&options.limits)),
            bodies: Bodies::new(mebibytes(options.limits.body_room_mib)),
            swarm_bodies: Bodies::new(http::SWARM_ROOM_BYTES),
            under_way: UnderWay::default(),
            held,
            files,
            exits: Exits::new(options.exit.clone()),
            member,
        });

        let bound = listener.local_addr().map_err(NodeError::Socket)?;
        let handle = Handle::new();
        let service = http::router(Arc::clone(&node));
        let bounds = node.bounds();
        let server = listen::bounded_by(axum_server::from_tcp_rustls(listener, tls), bounds)
            .handle(handle.clone())
            .serve(service.into_make_service_with_connect_info::<SocketAddr>());
        let server = tokio::spawn(server);
        let tasks = vec![
            tokio::spawn(sweep(Arc::clone(&node.store))),
            tokio::spawn(Arc::clone(&node.member).run_handoff()),
            tokio::spawn(Arc::clone(&node.member).run_reconciliation()),
        ];
        let address = handle.listening().await.unwrap_or(bound);
        tracing::info!(%address, "node serving");
        Ok(RunningNode { address, drain: options.drain, node, handle, server, tasks })
    }

    fn bounds(self: &Arc<Self>) -> Bounds {
        let node = Arc::downgrade(self);
        Bounds {
            doors: Arc::clone(&self.limits.doors),
            trusted: Arc::new(move |peer| {
                node.upgrade()
                    .is_some_and(|it| it.limits.class(peer, &it.placement()) == Class::Node)
            }),
            write_timeout: self.limits.write_timeout,
        }
    }

    /// Its place among the others, by the list adopted last. A request asks once and keeps the
    /// answer, so that it goes by one list throughout.
    pub fn placement(&self) -> Arc<Placement> {
        Arc::clone(&self.listed.borrow().placement)
    }

    /// The list adopted last, as the directory signed it.
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.listed.borrow().published)
    }

    /// Goes by another list from here on. Whether it may be believed is the caller's to check. A list
    /// that does not name this node makes it a member of no swarm. Those who wait for mail that this
    /// node keeps no longer are told.
    pub fn adopt(&self, published: Arc<Published>) {
        self.member.adopt(Arc::clone(&published.list));
        self.listed.send_replace(Listed::new(self.identity.id(), published));
        self.held.moved(&self.placement());
    }

    /// On whose account a client's request is held open, or its socket. Where clients are not told
    /// apart by their addresses, they are not here either, and nodes are not: many clients ask by them.
    pub fn share_of(&self, peer: Option<SocketAddr>) -> Share {
        let peer = peer.filter(|peer| {
            self.limits.tells_clients_apart()
                && self.limits.class(peer.ip(), &self.placement()) == Class::Client
        });
        peer.map_or(Share::Unknown, |peer| Share::Client(peer.ip().into()))
    }

    /// Tells of every list that is adopted.
    pub fn lists(&self) -> watch::Receiver<Listed> {
        self.listed.subscribe()
    }
}

impl RunningNode {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its state.
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Takes no more requests, lets those under way end, and closes the store.
    pub async fn stop(self) {
        let Self { node, drain, handle, mut server, tasks, .. } = self;
        let end = Instant::now() + drain;
        node.held.close();
        handle.graceful_shutdown(Some(drain));
        tasks.iter().for_each(JoinHandle::abort);
        let idle = async {
            node.under_way.none().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            ended = &mut server => {
                if let Ok(Err(error)) = ended {
                    tracing::error!(%error, "server ended");
                }
            }
            () = idle => {
                handle.shutdown();
                server.abort();
            }
        }
        // What goes on without its client is not the server's to wait for.
        let _ = tokio::time::timeout_at(end, node.under_way.none()).await;
        node.store.close().await;
    }
}

/// Removes expired messages for as long as the node runs.
async fn sweep(store: Arc<dyn MailStore>) {
    let mut interval = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        interval.tick().await;
        match store.expire(now()).await {
            Ok(0) | Err(StoreError::Closed) => {}
            Ok(count) => tracing::debug!(count, "expired messages removed"),
            Err(error) => tracing::error!(%error, "expired messages cannot be removed"),
        }
    }
}
