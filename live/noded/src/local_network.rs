//! A whole network in one process, on loopback: for trying Warren out and for tests.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use warren_crypto::ed25519::VerifyingKey;
use warren_node::listing::Published;
use warren_transport::Certificate;
use warren_wire::SwarmId;
use warren_wire::directory::{
    ListBody, ListError, ListTimes, NodeList, NodeRecord, UnverifiedList,
};
use warren_wire::limits::{DAY, SECOND};

use crate::config::LimitsConfig;
use crate::directory::{self, DirectoryError, RunningSeed};
use crate::identity::{Identity, IdentityError};
use crate::node::{self, Node, NodeError, NodeOptions, RunningNode, now};
use crate::private_file;

/// The size a swarm is meant to have: so many nodes make one more swarm.
pub const SWARM_SIZE: usize = 7;
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
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl From<ListError> for NetworkError {
    fn from(error: ListError) -> Self {
        Self::Directory(error.into())
    }
}

/// Nodes and a seed, all in this process.
pub struct LocalNetwork {
    nodes: Vec<RunningNode>,
    seed: RunningSeed,
    directory_key: VerifyingKey,
}

impl LocalNetwork {
    /// Starts the nodes and the seed. The same folder gives the same nodes, with their mail.
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
        Self::start_with(plan, &NodeOptions { limits, ..NodeOptions::default() }).await
    }

    /// As [`LocalNetwork::start`], with options that all nodes share.
    ///
    /// # Errors
    /// Where a port or the folder is not to be had.
    pub async fn start_with(plan: &Plan, options: &NodeOptions) -> Result<Self, NetworkError> {
        if !(FEWEST_NODES..=MOST_NODES).contains(&plan.nodes) {
            return Err(NetworkError::Size(plan.nodes));
        }
        private_file::create_folder(&plan.data)
            .map_err(|error| NetworkError::Folder(plan.data.clone(), error))?;
        let list_file = plan.data.join(LIST_FILE);
        // What cannot be read says nothing of its size, and is written anew.
        let before = directory::load_list(&list_file, None).map(|kept| kept.list.nodes().len());
        if let Ok(before) = before
            && before != plan.nodes
        {
            return Err(NetworkError::OtherSize(plan.data.clone(), before));
        }
        let members = members(plan)?;
        let list = NodeList::new(members.iter().map(|member| member.record.clone()).collect())?;
        let key = directory::load_or_create_key(&plan.data.join("directory.key"))?;
        let times = ListTimes::starting(now(), 2 * 60 * 60 * SECOND, 365 * DAY);
        let body = ListBody::new(now() / SECOND, times, None, list.nodes());
        let signed = UnverifiedList::sign(&body, &key)?;
        let published = Arc::new(Published::new(signed.read()?, signed));

        let mut nodes = Vec::new();
        for member in members {
            let Member { identity, listener, folder, .. } = member;
            let start =
                Node::start_on(identity, folder, listener, Arc::clone(&published), options.clone());
            nodes.push(start.await?);
        }
        let certificate = Certificate::generate().map_err(DirectoryError::from)?;
        let listen = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), plan.seed_port);
        if let Some(signed) = &published.signed {
            directory::save_list(&list_file, signed)?;
        }
        let seed = RunningSeed::start(listen, published, &certificate).await?;
        Ok(Self { nodes, seed, directory_key: key.verifying_key() })
    }

    /// The seed as a client takes it: URL, `#`, the directory's key.
    pub fn seed(&self) -> String {
        format!("{}#{}", self.seed_url(), hex::encode(self.directory_key.as_bytes()))
    }

    /// The seed's URL alone, as other clients take it.
    pub fn seed_url(&self) -> String {
        format!("http://{}", self.seed.address())
    }

    /// The nodes.
    pub fn nodes(&self) -> &[RunningNode] {
        &self.nodes
    }

    /// Stops the seed and every node; what was acknowledged stays on the disk.
    pub async fn stop(self) {
        self.seed.stop().await;
        let stops = self.nodes.into_iter().map(RunningNode::stop);
        futures_util::future::join_all(stops).await;
    }
}

struct Member {
    identity: Identity,
    listener: TcpListener,
    record: NodeRecord,
    folder: PathBuf,
}

fn members(plan: &Plan) -> Result<Vec<Member>, NetworkError> {
    let swarms = swarm_ids((plan.nodes / SWARM_SIZE).max(1));
    (0..plan.nodes)
        .zip(swarms.iter().cycle())
        .map(|(index, swarm)| member(plan, index, *swarm))
        .collect()
}

fn member(plan: &Plan, index: usize, swarm: SwarmId) -> Result<Member, NetworkError> {
    let folder = node_folder(&plan.data, index);
    let identity = Identity::load_or_create(&folder)?;
    let (ip, port) = address(index, plan.node_port);
    let wanted = SocketAddr::new(IpAddr::V4(ip), port);
    let listener = node::bind(wanted)?;
    let port = listener.local_addr().map_err(|error| NodeError::Listen(wanted, error))?.port();
    let record = identity.record(ip, port, swarm);
    Ok(Member { identity, listener, record, folder })
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

/// Ids spread evenly over the ring.
fn swarm_ids(count: usize) -> Vec<SwarmId> {
    let count = u64::try_from(count).unwrap_or(1).max(1);
    let step = u64::MAX / count;
    (0..count).map(|index| SwarmId(step / 2 + index * step)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swarms_are_spread_over_the_ring() {
        assert_eq!(swarm_ids(1), [SwarmId(u64::MAX / 2)]);
        let ids = swarm_ids(36);
        assert_eq!(ids.len(), 36);
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
