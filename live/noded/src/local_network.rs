//! A whole network in one process, on loopback: for trying Warren out and for tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use warren_transport::Seed;
use warren_wire::directory::{NodeRecord, Roles, UnverifiedDescriptor};
use warren_wire::swarm::INVALID_SWARM;

use crate::authority::{self, AuthorityError, RunningAuthority, Settings};
use crate::config::LimitsConfig;
use crate::directory::DirectoryError;
use crate::files::FilesOptions;
use crate::follow::{Follower, Membership, follow};
use crate::identity::{Identity, IdentityError};
use crate::node::{self, Node, NodeError, NodeOptions, RunningNode, now};
use crate::private_file;

/// Where a node keeps the content of files, in its folder.
const CONTENT_FOLDER: &str = "content";
/// The fewest nodes through which three hops and a destination fit.
pub const FEWEST_NODES: usize = 4;
/// Where the signed list of the nodes is kept.
const LIST_FILE: &str = "nodes.json";
/// The most nodes: each has a loopback /24 of its own.
pub const MOST_NODES: usize = 254;

/// What kind of network to start.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many nodes.
    pub nodes: usize,
    /// Where each node keeps its keys and mail.
    pub data: PathBuf,
    /// The port of the directory; 0 for any.
    pub seed_port: u16,
    /// The port of every node, each on an address of its own; 0 for any.
    pub node_port: u16,
}

/// Why the network does not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The folder holds a network of another size, whose mail would be looked for elsewhere.
    #[error(
        "the folder {0} holds a network of {1} nodes: start that many, or choose another --data"
    )]
    OtherSize(PathBuf, usize),
    /// Too few or too many nodes.
    #[error("a local network has {FEWEST_NODES} to {MOST_NODES} nodes, not {0}")]
    Size(usize),
    /// The data folder.
    #[error("cannot use the folder {0}: {1}")]
    Folder(PathBuf, std::io::Error),
    /// A node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// A node's keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The directory's port or key.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The directory's authority.
    #[error(transparent)]
    Authority(AuthorityError),
}

impl From<AuthorityError> for NetworkError {
    fn from(error: AuthorityError) -> Self {
        match error {
            AuthorityError::Directory(error) => Self::Directory(error),
            other => Self::Authority(other),
        }
    }
}

/// Nodes and the one authority of their directory, all in this process.
pub struct LocalNetwork {
    nodes: Vec<RunningNode>,
    authority: RunningAuthority,
    followers: Vec<Follower>,
}

impl LocalNetwork {
    /// Starts the directory and the nodes, which keep files too. The same folder gives the same nodes,
    /// with their mail.
    ///
    /// # Errors
    /// Where a port or the folder is not to be had.
    pub async fn start(plan: &Plan) -> Result<Self, NetworkError> {
        // All clients have one address here, the nodes have it too, and nobody floods themselves.
        let limits = LimitsConfig {
            tell_clients_apart: false,
            mailbox_burst: NonZeroU32::MAX,
            ..LimitsConfig::default()
        };
        let files = Some(FilesOptions::in_store(CONTENT_FOLDER));
        Self::start_with(plan, &NodeOptions { limits, files, ..NodeOptions::default() }).await
    }

    /// As [`LocalNetwork::start`], with options that all nodes share. Where they name a relative
    /// folder for files, it lies in the folder of each node.
    ///
    /// # Errors
    /// Where a port or the folder is not to be had.
    pub async fn start_with(plan: &Plan, options: &NodeOptions) -> Result<Self, NetworkError> {
        if !(FEWEST_NODES..=MOST_NODES).contains(&plan.nodes) {
            return Err(NetworkError::Size(plan.nodes));
        }
        private_file::create_folder(&plan.data)
            .map_err(|error| NetworkError::Folder(plan.data.clone(), error))?;
        if let Some(before) = size_before(&plan.data)
            && before != plan.nodes
        {
            return Err(NetworkError::OtherSize(plan.data.clone(), before));
        }
        let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), plan.seed_port);
        let listener = authority::bind(listen)?;
        let members: Vec<Member> =
            (0..plan.nodes).map(|index| member(plan, index)).collect::<Result<_, _>>()?;
        let settings = Settings::alone(plan.data.clone(), listen).with_private_addresses();
        let authority = RunningAuthority::start_on(settings, listener).await?;
        let roles = Roles { files: options.files.is_some() };
        let announced = members.iter().map(|member| member.announcement(roles));
        let announced = announced.collect::<Result<_, _>>()?;
        let published = authority.inaugurate(announced).await?;

        let mut network = Self { nodes: Vec::new(), authority, followers: Vec::new() };
        let seed: Seed = network.seed().parse().map_err(DirectoryError::from)?;
        for member in members {
            let membership = member.membership(seed.clone(), roles);
            let Member { identity, listener, folder, .. } = member;
            let list = Arc::clone(&published);
            let options = in_folder(options, &folder);
            let node = Node::start_on(identity, folder, listener, list, options).await?;
            let follower = follow(Arc::clone(node.node()), membership);
            network.followers.push(follower.map_err(AuthorityError::from)?);
            network.nodes.push(node);
        }
        Ok(network)
    }

    /// The seed as a client takes it: URL, `#`, the directory's key.
    pub fn seed(&self) -> String {
        format!("{}#{}", self.seed_url(), self.authority.keys())
    }

    /// The seed's URL alone, as other clients take it.
    pub fn seed_url(&self) -> String {
        format!("http://{}", self.authority.address())
    }

    /// The nodes.
    pub fn nodes(&self) -> &[RunningNode] {
        &self.nodes
    }

    /// Stops the directory and every node; what was acknowledged stays on the disk.
    pub async fn stop(self) {
        drop(self.followers);
        self.authority.stop().await;
        let stops = self.nodes.into_iter().map(RunningNode::stop);
        futures_util::future::join_all(stops).await;
    }
}

struct Member {
    identity: Identity,
    listener: TcpListener,
    ip: Ipv4Addr,
    port: u16,
    folder: PathBuf,
}

impl Member {
    /// What the authority is told: this process holds the port and is about to serve on it.
    fn announcement(
        &self,
        roles: Roles,
    ) -> Result<(UnverifiedDescriptor, NodeRecord), IdentityError> {
        let descriptor = self.identity.descriptor(self.ip, self.port, roles, now())?;
        Ok((descriptor, self.identity.record(self.ip, self.port, INVALID_SWARM)))
    }

    fn membership(&self, seed: Seed, roles: Roles) -> Membership {
        let file = self.folder.join(LIST_FILE);
        Membership { seed, ip: self.ip, port: self.port, roles, file }
    }
}

fn member(plan: &Plan, index: usize) -> Result<Member, NetworkError> {
    let folder = node_folder(&plan.data, index);
    let identity = Identity::load_or_create(&folder)?;
    let (ip, port) = address(index, plan.node_port);
    let wanted = SocketAddr::new(IpAddr::V4(ip), port);
    let listener = node::bind(wanted)?;
    let port = listener.local_addr().map_err(|error| NodeError::Listen(wanted, error))?.port();
    Ok(Member { identity, listener, ip, port, folder })
}

/// The options of one node.
fn in_folder(options: &NodeOptions, folder: &Path) -> NodeOptions {
    let mut options = options.clone();
    if let Some(files) = &mut options.files
        && !files.store.contains("://")
    {
        files.store = folder.join(&files.store).to_string_lossy().into_owned();
    }
    options
}

/// How many nodes the network in a folder has; `None` where none was ever started there.
fn size_before(data: &Path) -> Option<usize> {
    let is_there = |index: &usize| node_folder(data, *index).is_dir();
    data.join(LIST_FILE).is_file().then(|| (0..MOST_NODES).take_while(is_there).count())
}

/// Where the node with this number, counted from 0, keeps its data.
fn node_folder(data: &Path, index: usize) -> PathBuf {
    data.join(format!("node-{:02}", index + 1))
}

/// Where a node listens: on Linux at 127.0.N.1, so that each has a /24 of its own, and elsewhere on
/// one port after the other. Port 0 stands for any.
fn address(index: usize, port: u16) -> (Ipv4Addr, u16) {
    let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
    if cfg!(target_os = "linux") {
        (Ipv4Addr::new(127, 0, number, 1), port)
    } else if port == 0 {
        (Ipv4Addr::LOCALHOST, 0)
    } else {
        (Ipv4Addr::LOCALHOST, port.saturating_add(number.into()))
    }
}
