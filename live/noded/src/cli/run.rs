//! `warren-node run`: serve until the operating system asks to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};
use warren_node::exit::{AllowedHost, ExitRules};
use warren_noded::directory::{self, RunningSeed};
use warren_noded::files::FilesOptions;
use warren_noded::node::{NodeOptions, bind};
use warren_noded::{Identity, Node, NodeError, RunningNode};
use warren_wire::directory::DirectoryKeys;

use super::{CommandError, logging};

/// Serves until SIGINT or SIGTERM, then lets requests under way end and stops.
///
/// Mail that was acknowledged survives the process, however it ends. The log goes to stderr and
/// holds neither account ids nor the addresses of people.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Folder with the node's keys and mail, made by `warren-node init`
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Signed list of nodes, made by `warren-node sign-list`
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    /// Key the list must be signed with, as `sign-list` prints it, or 2:KEY,KEY,KEY for two of three
    /// [default: the key the list names]
    #[arg(long, value_name = "KEYS")]
    directory_key: Option<DirectoryKeys>,
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
    #[arg(long, value_name = "HOST[:PORT]")]
    exit_host: Vec<AllowedHost>,
    /// What to log: error, warn, info, debug or trace, or by module such as warren_noded=debug
    #[arg(long, value_name = "FILTER", env = "WARREN_LOG", default_value = "info")]
    log: String,
}

impl Run {
    /// Runs the node to its end.
    ///
    /// # Errors
    /// Where it does not start; once it serves, it ends by a signal and without an error.
    pub(crate) fn execute(self) -> Result<(), CommandError> {
        logging::start(&self.log)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> Result<(), CommandError> {
        // Before anything is started, so that no signal falls into a gap.
        let mut stop = StopSignals::new()?;
        let (node, seed) = self.start().await?;
        let name = stop.wait().await;
        tracing::info!(signal = name, "stopping");
        if let Some(seed) = seed {
            seed.stop().await;
        }
        node.stop().await;
        tracing::info!("stopped");
        Ok(())
    }

    async fn start(self) -> Result<(RunningNode, Option<RunningSeed>), CommandError> {
        let identity = Identity::load(&self.data)?
            .ok_or_else(|| CommandError::NoIdentity(self.data.clone()))?;
        let published = Arc::new(directory::load_list(&self.list, self.directory_key.as_ref())?);
        if self.directory_key.is_none() {
            tracing::warn!("the list is believed whoever signed it: pin --directory-key");
        }
        let list = &published.list;
        let id = identity.id();
        let record = list.get(&id).ok_or(NodeError::NotListed)?;
        let listen = self.listen.unwrap_or_else(|| record.address());
        tracing::info!(node = %id, swarm = record.swarm.0, nodes = list.nodes().len(), "starting");
        let options = NodeOptions {
            files: self.files.map(|store| FilesOptions {
                s3_endpoint: self.files_s3_endpoint,
                ..FilesOptions::in_store(store)
            }),
            exit: ExitRules { any: false, hosts: self.exit_host },
            ..NodeOptions::default()
        };
        let (listener, list) = (bind(listen)?, Arc::clone(&published));
        let node = Node::start_on(identity, self.data, listener, list, options).await?;
        let Some(address) = self.seed_listen else { return Ok((node, None)) };
        let certificate = node.node().identity.certificate();
        match RunningSeed::start(address, published, certificate).await {
            Ok(seed) => {
                tracing::info!(address = %seed.address(), "seed serving");
                Ok((node, Some(seed)))
            }
            Err(error) => {
                node.stop().await;
                Err(error.into())
            }
        }
    }
}

/// What a terminal and a service manager send to end a program.
struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    fn new() -> Result<Self, CommandError> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first of them and gives its name.
    async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}
