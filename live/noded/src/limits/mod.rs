//! How much a node takes on, in all and from one client, node or mailbox.
//!
//! | module | what |
//! |---|---|
//! | [`network`] | whom a node takes for one client |
//! | [`rate`] | buckets of tokens |
//! | [`tally`] | what clients hold |
//! | [`doors`] | connections |
//! | [`shares`] | what one client's requests hold in memory |
//! | [`answers`] | what answers hold in memory, in all and for one client |
//! | [`due`] | by when an answer has to be taken |
//! | [`proofs`] | work that those beyond their share may do to be served all the same |

pub mod answers;
pub mod doors;
pub mod due;
pub mod network;
pub mod proofs;
pub mod rate;
pub mod shares;
pub mod tally;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use warren_node::Placement;
use warren_wire::{AccountId, NodeId};

use self::answers::Answers;
use self::doors::{Doors, Share};
use self::network::Network;
use self::proofs::Proofs;
use self::rate::{Rate, Rates};
use self::shares::Shares;
use crate::config::LimitsConfig;
use crate::listen;

/// A new client may open as many seconds' worth of connections at once.
const ARRIVALS_BURST: f64 = 10.0;

/// What is asked for; each has a bucket of its own for each client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// `/storage_rpc/v1`.
    Storage,
    /// `/onion_req/v2`.
    Onion,
    /// `/json_rpc`.
    Directory,
    /// `/swarm/v1`.
    Swarm,
    /// All other routes together.
    Other,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A client like any other.
    Client,
    /// An address of the list: it brings the requests of many clients.
    Node,
}

/// The limits of one node, and what was taken of them.
pub struct Limits {
    client: Rate,
    node: Rate,
    mailbox: Rate,
    mailbox_client: Rate,
    clients: Option<Rates<(Network, Route)>>,
    nodes: Rates<NodeId>,
    mailboxes: Rates<AccountId>,
    mailbox_clients: Rates<(AccountId, Network)>,
    listed: Mutex<Listed>,
    /// Connections.
    pub doors: Arc<Doors>,
    /// What each client's bodies may take of the memory for them.
    pub shares: Option<Arc<Shares>>,
    /// Room for answers.
    pub answers: Answers,
    /// Work for those beyond their share.
    pub proofs: Proofs,
    /// How long a client may take no byte of what is sent to it.
    pub write_timeout: Duration,
}

/// The addresses of a list of nodes, kept for as long as it is the one the node goes by.
#[derive(Default)]
struct Listed {
    of: Option<Arc<Placement>>,
    addresses: HashSet<Ipv4Addr>,
}

impl Limits {
    /// Nothing taken yet.
    pub fn new(config: &LimitsConfig) -> Self {
        let rate = |burst: NonZeroU32, rate: NonZeroU32| Rate::new(burst.get(), rate.get());
        let apart = config.tell_clients_apart;
        let per_second = f64::from(config.client_new_connections_per_second.get());
        let share = Share {
            connections: count(config.client_connections),
            arrivals: Rate { burst: ARRIVALS_BURST * per_second, per_second },
        };
        let most = listen::most_connections(count(config.connections));
        Self {
            client: rate(config.client_burst, config.client_per_second),
            node: rate(config.node_burst, config.node_per_second),
            mailbox: rate(config.mailbox_burst, config.mailbox_per_second),
            mailbox_client: rate(config.mailbox_client_burst, config.mailbox_client_per_second),
            clients: apart.then(Rates::default),
            nodes: Rates::default(),
            mailboxes: Rates::default(),
            mailbox_clients: Rates::default(),
            listed: Mutex::default(),
            doors: Doors::new(most, apart.then_some(share)),
            shares: apart.then(|| {
                Shares::new(mebibytes(config.client_body_mib), mebibytes(config.body_room_mib))
            }),
            answers: Answers::new(
                mebibytes(config.answer_room_mib),
                mebibytes(config.client_answer_mib),
            ),
            proofs: Proofs::new(&config.proof),
            write_timeout: Duration::from_secs(config.write_seconds.get().into()),
        }
    }

    /// Who asks from this address, by the list the node goes by. In a network on loopback everybody
    /// there may be a node.
    pub fn class(&self, peer: IpAddr, placement: &Arc<Placement>) -> Class {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if !listed.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, placement)) {
            listed.addresses = placement.list().nodes().iter().map(|node| node.ip).collect();
            listed.of = Some(Arc::clone(placement));
        }
        match peer.to_canonical() {
            IpAddr::V4(ip) if listed.addresses.contains(&ip) => Class::Node,
            IpAddr::V4(ip) if ip.is_loopback() => {
                let local = listed.addresses.iter().any(Ipv4Addr::is_loopback);
                if local { Class::Node } else { Class::Client }
            }
            _ => Class::Client,
        }
    }

    /// Whether clients are told apart by their addresses.
    pub const fn tells_clients_apart(&self) -> bool {
        self.clients.is_some()
    }

    /// Whether a request from this address may be served.
    pub fn admit(&self, peer: SocketAddr, class: Class, route: Route) -> bool {
        let Some(clients) = &self.clients else { return true };
        let rate = self.rate_of(class, route);
        let key = |network| (network, route);
        let admitted = clients.admit_client(peer.ip().into(), key, rate, Instant::now());
        if admitted {
            self.doors.served(peer);
        } else if class == Class::Client {
            self.doors.refused(peer);
        }
        admitted
    }

    /// What a client makes requests of a route with. No node asks another for the directory.
    const fn rate_of(&self, class: Class, route: Route) -> Rate {
        match (class, route) {
            (Class::Client, _) | (Class::Node, Route::Directory) => self.client,
            (Class::Node, _) => self.node,
        }
    }

    /// Takes back that a request was counted for its address: it turned out to be a member's work.
    pub fn give_back(&self, peer: SocketAddr, class: Class, route: Route) {
        if let Some(clients) = &self.clients {
            let rate = self.rate_of(class, route);
            let key = |network| (network, route);
            clients.give_back_client(peer.ip().into(), key, rate, Instant::now());
        }
    }

    /// Whether a signed request of another node may be served. Ask for nodes of the list alone:
    /// whoever makes up keys could have them all remembered.
    pub fn admit_node(&self, node: &NodeId) -> bool {
        self.clients.is_none() || self.nodes.admit(*node, self.node, Instant::now())
    }

    /// Whether a mailbox may take one more message that nobody vouches for from a client with an
    /// address: each has a bucket of its own, so that none empties that of another.
    pub fn admit_mail_from(&self, owner: &AccountId, client: Network) -> bool {
        let key = |network| (*owner, network);
        self.mailbox_clients.admit_client(client, key, self.mailbox_client, Instant::now())
    }

    /// Whether a mailbox may take one more message that nobody vouches for, from whoever hides
    /// behind an onion or a node: they share a bucket.
    pub fn admit_mail(&self, owner: &AccountId) -> bool {
        self.mailboxes.admit(*owner, self.mailbox, Instant::now())
    }

    /// Counts a message that another member of the swarm took in from whoever hides. Those from clients
    /// with an address have their bucket there, and take nothing from others here.
    pub fn note_mail(&self, owner: &AccountId) {
        self.mailboxes.charge(*owner, self.mailbox, Instant::now());
    }
}

/// A configured number.
pub(crate) fn count(number: NonZeroU32) -> usize {
    usize::try_from(number.get()).unwrap_or(usize::MAX)
}

/// Bytes of a configured size.
pub(crate) fn mebibytes(number: NonZeroU32) -> usize {
    count(number).saturating_mul(1024 * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limits: &Limits, class: Class, route: Route) -> usize {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        (0..5_000).filter(|_| limits.admit(peer, class, route)).count()
    }

    #[test]
    fn an_address_of_the_list_may_store_as_fast_as_it_passes_on() {
        let limits = || Limits::new(&LimitsConfig::default());
        assert_eq!(admitted(&limits(), Class::Node, Route::Storage), 5_000);
        assert!(admitted(&limits(), Class::Node, Route::Directory) < 5_000);
        assert!(admitted(&limits(), Class::Client, Route::Storage) < 5_000);
    }

    #[test]
    fn who_moves_through_the_households_of_a_site_has_what_eight_clients_have() {
        let config = LimitsConfig { client_per_second: NonZeroU32::MIN, ..LimitsConfig::default() };
        let limits = Limits::new(&config);
        let household = |number: u16| {
            let ip: std::net::Ipv6Addr = [0x2001, 0xdb8, 1, number, 0, 0, 0, 1].into();
            SocketAddr::from((ip, 1))
        };
        let served = |route| {
            let mut asked = (0..20_000).map(household);
            asked.by_ref().filter(|peer| limits.admit(*peer, Class::Client, route)).count()
        };
        let burst = count(config.client_burst);
        for route in [Route::Storage, Route::Swarm] {
            let served = served(route);
            // Buckets fill while they are emptied.
            assert!((8 * burst..16 * burst).contains(&served), "{served}");
        }
        assert!(limits.admit(SocketAddr::from(([192, 0, 2, 1], 1)), Class::Client, Route::Storage));
    }
}
