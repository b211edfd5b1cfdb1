//! `warren-node run`: serve until the operating system asks to stop.

use std::net::{SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use warren_node::exit::{AllowedHost, BadHost};
use warren_noded::admin::RunningAdmin;
use warren_noded::config::layers::Flag;
use warren_noded::config::{Config, DrainConfig, Loaded};
use warren_noded::directory::RunningSeed;
use warren_noded::node::{NodeOptions, bind};
use warren_noded::{Identity, Node, RunningNode, telemetry};
use warren_transport::{Seed, SeedError};
use warren_wire::directory::{DirectoryKeys, KeysError};

use super::join::Directory;
use super::{CommandError, logging, service};

/// How long work that cannot be interrupted may take when everything else has ended.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// Serves until SIGINT or SIGTERM, then lets requests under way end and stops; a second signal ends it
/// at once.
///
/// What is not given here comes from the environment (WARREN_NODE_ and the key, such as
/// WARREN_NODE_LOG__LEVEL), then from the configuration file. Mail that was acknowledged survives the
/// process, however it ends. The log goes to stderr and holds neither account ids nor the addresses
/// of people.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Configuration file; `warren-node check-config` says what is wrong with it
    #[arg(long, value_name = "FILE", env = "WARREN_NODE_CONFIG")]
    config: Option<PathBuf>,
    /// Folder with the node's keys and mail, made by `warren-node init`
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The directory to announce the node to and to take lists from: URL#KEY, or
    /// URL,URL,URL#2:KEY,KEY,KEY where two of three authorities must sign
    #[arg(long, value_name = "URL#KEYS", value_parser = read_seed, conflicts_with_all = ["list", "own_authority"])]
    authority: Option<String>,
    /// Be the directory of one's own network too: other nodes announce themselves here, and clients
    /// ask here, over http and https
    #[arg(long, value_name = "IP:PORT", conflicts_with = "list")]
    own_authority: Option<SocketAddr>,
    /// Address at which clients and other nodes reach the node: what it announces
    #[arg(long, value_name = "IP:PORT")]
    advertise: Option<SocketAddrV4>,
    /// Signed list of nodes, made by `warren-node sign-list`: for a network without a directory
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Key the list must be signed with, as `sign-list` prints it, or 2:KEY,KEY,KEY for two of three
    /// [default: the key the list names]
    #[arg(long, value_name = "KEYS", value_parser = read_keys)]
    directory_key: Option<String>,
    /// Where to listen [default: the node's address in the list]
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Also serve the list to clients here, at /json_rpc over http and https
    #[arg(long, value_name = "IP:PORT")]
    seed_listen: Option<SocketAddr>,
    /// Keep files too, in a folder or a bucket of S3
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX")]
    files: Option<String>,
    /// URL of the S3 service [default: AWS]
    #[arg(long, value_name = "URL", requires = "files")]
    files_s3_endpoint: Option<String>,
    /// Ask this server on behalf of clients, besides the nodes of the list; may be given repeatedly
    #[arg(long, value_name = "HOST[:PORT]", value_parser = read_host)]
    exit_host: Vec<String>,
    /// Serve /metrics, /healthz and /readyz to the operator here; loopback alone
    #[arg(long, value_name = "IP:PORT")]
    metrics_listen: Option<SocketAddr>,
    /// What to log: error, warn, info, debug or trace, or by module such as warren_noded=debug
    /// [default: info]
    #[arg(long, value_name = "FILTER", env = "WARREN_LOG")]
    log: Option<String>,
}

fn read_keys(text: &str) -> Result<String, KeysError> {
    text.parse::<DirectoryKeys>().map(|_| text.to_owned())
}

fn read_seed(text: &str) -> Result<String, SeedError> {
    text.parse::<Seed>().map(|_| text.to_owned())
}

fn read_host(text: &str) -> Result<String, BadHost> {
    text.parse::<AllowedHost>().map(|_| text.to_owned())
}

impl Run {
    /// Runs the node to its end.
    ///
    /// # Errors
    /// Where it does not start, or was ended at once.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        let config = self.load()?;
        logging::start(&config.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(serve(config));
        runtime.shutdown_timeout(LAST_BREATH);
        result
    }

    fn load(self) -> Result<Config, CommandError> {
        let hosts = Some(self.exit_host).filter(|hosts| !hosts.is_empty());
        let flags = [
            Flag::given("--data", "data", self.data),
            Flag::given("--authority", "list.authority", self.authority),
            Flag::given("--own-authority", "list.own_authority", self.own_authority),
            Flag::given("--advertise", "advertise", self.advertise),
            Flag::given("--list", "list.file", self.list),
            Flag::given("--directory-key", "list.directory_key", self.directory_key),
            Flag::given("--listen", "listen", self.listen),
            Flag::given("--seed-listen", "seed.listen", self.seed_listen),
            Flag::given("--metrics-listen", "metrics.listen", self.metrics_listen),
            Flag::given("--files", "files.store", self.files),
            Flag::given("--files-s3-endpoint", "files.s3_endpoint", self.files_s3_endpoint),
            Flag::given("--exit-host", "exit.hosts", hosts),
            Flag::given("--log", "log.level", self.log),
        ];
        let flags = flags.into_iter().flatten().collect();
        Ok(Loaded::read(self.config.as_deref(), flags)?.require_sound()?)
    }
}

/// What runs in one process.
struct Running {
    node: RunningNode,
    directory: Directory,
    seed: Option<RunningSeed>,
    admin: Option<RunningAdmin>,
}

async fn serve(config: Config) -> Result<(), CommandError> {
    // Before anything is started, so that no signal falls into a gap.
    let mut stop = StopSignals::new()?;
    let drain = config.drain.clone();
    let running = Box::pin(start(config)).await?;
    service::ready();
    let name = stop.wait().await;
    tracing::info!(signal = name, "stopping");
    service::stopping();
    tokio::select! {
        () = running.stop(&drain) => tracing::info!("stopped"),
        name = stop.wait() => {
            tracing::warn!(signal = name, "ended at once");
            return Err(CommandError::EndedAtOnce);
        }
    }
    Ok(())
}

async fn start(config: Config) -> Result<Running, CommandError> {
    let numbers = match config.metrics.listen {
        Some(_) => Some(telemetry::install().map_err(|it| CommandError::Numbers(it.to_string()))?),
        None => None,
    };
    let options = config.node_options().map_err(CommandError::StoreUrl)?;
    // It was required above.
    let data = config.data.clone().unwrap_or_default();
    let identity = Identity::load(&data)?.ok_or_else(|| CommandError::NoIdentity(data.clone()))?;
    let directory = Directory::open(&config, &data).await?;
    let (list, address) = directory.list(&config, &identity)?;
    let options = NodeOptions { former_lists: directory.former_lists(), ..options };
    let id = identity.id();
    let (swarm, nodes) = (list.list.get(&id).map(|it| it.swarm.0), list.list.nodes().len());
    tracing::info!(node = %id, swarm, nodes, "starting");
    let listener = bind(config.listen.unwrap_or(address))?;
    let node = Node::start_on(identity, data.clone(), listener, Arc::new(list), options).await?;
    let mut running = Running { node, directory, seed: None, admin: None };
    let rest = async {
        running.directory.join(running.node.node()).await?;
        if let (Some(listen), Some(numbers)) = (config.metrics.listen, numbers) {
            let node = Arc::clone(running.node.node());
            let admin = RunningAdmin::start(listen, node, numbers, data)?;
            tracing::info!(address = %admin.address(), "metrics and health served");
            running.admin = Some(admin);
        }
        if let Some(listen) = config.seed.listen {
            let seed = RunningSeed::of_node(listen, Arc::clone(running.node.node())).await?;
            tracing::info!(address = %seed.address(), "seed serving");
            running.seed = Some(seed);
        }
        Ok::<_, CommandError>(())
    };
    match rest.await {
        Ok(()) => Ok(running),
        Err(error) => {
            running.directory.stop().await;
            running.node.stop().await;
            Err(error)
        }
    }
}

impl Running {
    /// Says that it is not ready, takes no more connections, lets requests end, closes the store.
    async fn stop(self, drain: &DrainConfig) {
        self.node.node().health.drain();
        tokio::time::sleep(drain.unready()).await;
        if let Some(seed) = self.seed {
            seed.stop().await;
        }
        self.directory.stop().await;
        self.node.stop().await;
        drop(self.admin);
    }
}

/// What a terminal and a service manager send to end a program.
pub(super) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    pub(super) fn new() -> Result<Self, CommandError> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them and gives its name.
    pub(super) async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
