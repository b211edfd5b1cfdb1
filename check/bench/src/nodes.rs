//! Nodes of one swarm in this process, over real TLS on loopback, each with options and an end of its own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use warren_node::listing::Published;
use warren_noded::config::LimitsConfig;
use warren_noded::node::{NodeOptions, bind};
use warren_noded::{Identity, Node, RunningNode};
use warren_wire::SwarmId;
use warren_wire::directory::{NodeList, NodeRecord};

use crate::Outcome;

/// The one swarm.
const SWARM: SwarmId = SwarmId(9);

/// The nodes, by their numbers from 0.
pub(crate) struct Nodes {
    list: Arc<Published>,
    seats: Vec<Seat>,
}

struct Seat {
    folder: PathBuf,
    options: NodeOptions,
    record: NodeRecord,
    running: Option<RunningNode>,
}

/// What suits many clients with one address.
pub(crate) fn options() -> NodeOptions {
    let limits = LimitsConfig {
        tell_clients_apart: false,
        mailbox_burst: NonZeroU32::MAX,
        ..LimitsConfig::default()
    };
    NodeOptions { limits, ..NodeOptions::default() }
}

impl Nodes {
    /// Starts one node for each of the options, on free ports.
    pub(crate) async fn start(data: &Path, options: Vec<NodeOptions>) -> Outcome<Self> {
        let mut seats = Vec::new();
        let mut doors = Vec::new();
        for (number, options) in options.into_iter().enumerate() {
            let folder = data.join(format!("node-{number}"));
            let identity = Identity::load_or_create(&folder)?;
            let ip = address(number)?;
            let listener = bind(SocketAddr::new(IpAddr::V4(ip), 0))?;
            let record = identity.record(ip, listener.local_addr()?.port(), SWARM);
            seats.push(Seat { folder, options, record, running: None });
            doors.push((identity, listener));
        }
        let records = seats.iter().map(|seat| seat.record.clone()).collect();
        let list = Arc::new(NodeList::new(records)?);
        let list = Arc::new(Published::unsigned(list));
        for (seat, (identity, listener)) in seats.iter_mut().zip(doors) {
            let (folder, options) = (seat.folder.clone(), seat.options.clone());
            let running = Node::start_on(identity, folder, listener, Arc::clone(&list), options);
            seat.running = Some(running.await?);
        }
        Ok(Self { list, seats })
    }

    /// What the list says of all nodes, in the order of their numbers.
    pub(crate) fn records(&self) -> Vec<NodeRecord> {
        self.seats.iter().map(|seat| seat.record.clone()).collect()
    }

    /// What the list says of a node.
    pub(crate) fn record(&self, number: usize) -> Outcome<&NodeRecord> {
        Ok(&self.seats.get(number).ok_or("no such node")?.record)
    }

    /// A node that runs.
    pub(crate) fn node(&self, number: usize) -> Outcome<&Arc<Node>> {
        let seat = self.seats.get(number).ok_or("no such node")?;
        Ok(seat.running.as_ref().ok_or("the node does not run")?.node())
    }

    /// Stops a node and takes its mail away.
    pub(crate) async fn wipe(&mut self, number: usize) -> Outcome<()> {
        let seat = self.seats.get_mut(number).ok_or("no such node")?;
        if let Some(running) = seat.running.take() {
            running.stop().await;
        }
        Ok(std::fs::remove_dir_all(seat.folder.join("mail"))?)
    }

    /// Starts a node again that was stopped.
    pub(crate) async fn start_again(&mut self, number: usize) -> Outcome<()> {
        let list = Arc::clone(&self.list);
        let seat = self.seats.get_mut(number).ok_or("no such node")?;
        let identity = Identity::load_or_create(&seat.folder)?;
        let listener = bind(seat.record.address())?;
        let (folder, options) = (seat.folder.clone(), seat.options.clone());
        seat.running = Some(Node::start_on(identity, folder, listener, list, options).await?);
        Ok(())
    }

    /// Stops them all.
    pub(crate) async fn stop(self) {
        for seat in self.seats {
            if let Some(running) = seat.running {
                running.stop().await;
            }
        }
    }
}

/// On Linux each node has a /24 of its own, so that paths can be chosen among them.
fn address(number: usize) -> Outcome<Ipv4Addr> {
    let own = Ipv4Addr::new(127, 0, u8::try_from(number + 1)?, 1);
    Ok(if cfg!(target_os = "linux") { own } else { Ipv4Addr::LOCALHOST })
}
