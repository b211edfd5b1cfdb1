//! Requests to servers: a node that keeps files, or a server outside the network. They take paths of
//! their own behind the same guards, so that a path that moves files does not carry messages.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_onion::reply::{RelayFailure, ReplyError};
use warren_onion::server::ServerReplyError;
use warren_onion::{Cipher, Path, PathRules, Server, ServerRequest, ServerResponse};
use warren_transport::TransportError;
use warren_wire::NodeId;
use warren_wire::directory::{NodeList, NodeRecord, Roles};
use warren_wire::swarm::INVALID_SWARM;

use crate::error::ClientError;

use super::Network;
use super::guards::FIRST_HOPS;
use super::road::{PATH_LIFE, PAUSE, SILENCES, TIMEOUT, is_local};

/// How many paths may break under one request.
const ATTEMPTS: usize = 4;
/// How many last nodes may refuse to pass a request on to a server outside.
const REFUSALS: usize = 16;
/// How often a path is drawn anew where its last node is known to refuse.
const DRAWS: usize = 8;
/// The least bytes that are expected to travel in a millisecond, both ways together.
const BYTES_PER_MS: usize = 64;

/// What is remembered of the way to servers.
#[derive(Default)]
pub(super) struct ServerRoad {
    path: Option<(Vec<NodeId>, Instant)>,
    /// Last nodes that ask no servers outside the network.
    closed: HashSet<NodeId>,
}

/// A server and where it stands on the map that paths are drawn on.
struct Place {
    server: Server,
    /// The node that the server is, or what stands for a server that is none.
    record: NodeRecord,
    /// Whether every node may ask it.
    is_node: bool,
}

/// Why a request did not come through this time.
enum Miss {
    /// The first hop takes no connection.
    FirstHop,
    /// The last node asks no such server.
    Closed,
    /// Anything else.
    Broken(ClientError),
}

impl Network {
    /// A node that keeps files, drawn by lot; `None` where no node does.
    pub(crate) async fn file_node(&self) -> Result<Option<NodeRecord>, ClientError> {
        let list = self.nodes().await?;
        let keeping: Vec<_> = list.nodes().iter().filter(|node| node.roles.files).collect();
        let sound: Vec<_> = {
            let road = self.road();
            keeping.iter().copied().filter(|node| !road.avoids(&node.id)).collect()
        };
        let pool = if sound.is_empty() { keeping } else { sound };
        let drawn = random_index(&mut SystemEntropy, pool.len());
        Ok(drawn.and_then(|at| pool.get(at)).map(|node| (*node).clone()))
    }

    /// Asks a server, over another path where one breaks. It may be asked the same more than once.
    /// `expected` is how many bytes its answer may have: large ones are waited for longer.
    ///
    /// # Errors
    /// Where no answer of the server's came; an answer of any status is no error.
    pub(crate) async fn ask_server(
        &self,
        server: &Server,
        request: &ServerRequest,
        expected: usize,
    ) -> Result<ServerResponse, ClientError> {
        let payload = request.encode();
        let slack = (payload.len() + expected) / BYTES_PER_MS;
        let timeout = TIMEOUT + Duration::from_millis(slack.try_into().unwrap_or(u64::MAX));
        let (mut broken, mut refused, mut shut) = (0, 0, 0);
        loop {
            let list = self.nodes().await?;
            let place = Place::of(server, &list);
            match self.travel_to(&place, &payload, timeout).await? {
                Ok(response) => return Ok(response),
                Err(Miss::Closed) if refused < REFUSALS => refused += 1,
                Err(Miss::Closed) => {
                    let why = "no node passes requests on to this file server";
                    return Err(ClientError::NoAnswer(why.to_owned()));
                }
                Err(Miss::FirstHop) => {
                    shut += 1;
                    if shut >= FIRST_HOPS {
                        // A newer list may have them elsewhere.
                        if !self.renew_nodes().await? {
                            return Err(ClientError::Offline);
                        }
                        self.road().forgive();
                        shut = 0;
                    }
                }
                Err(Miss::Broken(_)) if broken < ATTEMPTS => broken += 1,
                // The server may be a node that moved.
                Err(Miss::Broken(error)) => match self.renew_nodes().await? {
                    true => broken = 0,
                    false => return Err(error),
                },
            }
            self.road().servers.path = None;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn travel_to(
        &self,
        place: &Place,
        payload: &[u8],
        timeout: Duration,
    ) -> Result<Result<ServerResponse, Miss>, ClientError> {
        let Some((first, path)) = self.path_to_server(place).await? else {
            let why = "no first hop leads to the file server".to_owned();
            return Err(ClientError::NoAnswer(why));
        };
        let entropy = &mut SystemEntropy;
        let cipher = Cipher::XChaCha20;
        let built = warren_onion::build_for_server(
            &path.to_hops(),
            &place.server,
            payload,
            cipher,
            entropy,
        );
        let Ok(mut built) = built else {
            return Ok(Err(broken("a node's key in the directory is no key")));
        };
        let packet = std::mem::take(&mut built.packet);
        match self.connections.post(&first, "/onion_req/v2", packet, timeout).await {
            Err(TransportError::Unreachable) => {
                self.first_hop_failed(&first.id)?;
                Ok(Err(Miss::FirstHop))
            }
            Err(TransportError::TimedOut | TransportError::Broken) => {
                if self.road().note_silence() >= SILENCES {
                    self.first_hop_failed(&first.id)?;
                }
                Ok(Err(broken("a path did not answer in time")))
            }
            Ok(reply) => {
                self.road().silences = 0;
                self.first_hop_answered(&first.id)?;
                Ok(built.open(&reply.body).map_err(|error| self.missed(&path, place, &error)))
            }
        }
    }

    fn missed(&self, path: &Path, place: &Place, error: &ServerReplyError) -> Miss {
        match error {
            ServerReplyError::Refused(_) if !place.is_node => {
                self.road().servers.closed.extend(path.hops.last().map(|last| last.id));
                Miss::Closed
            }
            ServerReplyError::Path(ReplyError::Relay(
                RelayFailure::NextNodeNotFound(node) | RelayFailure::NextNodeUnreachable(node),
            )) => {
                // About the first hop nobody but this device can tell.
                if path.hops.iter().skip(1).any(|hop| hop.id == *node) {
                    self.road().avoid(*node);
                }
                broken("a node on the path cannot be reached")
            }
            ServerReplyError::Path(ReplyError::Malformed) => {
                broken("the file server gave no proper answer")
            }
            _ => broken("a path to the file server broke off"),
        }
    }

    /// The path for files in use where it leads there, else another one; `None` where no first hop
    /// may be on a path to this server.
    async fn path_to_server(
        &self,
        place: &Place,
    ) -> Result<Option<(NodeRecord, Path)>, ClientError> {
        let list = self.nodes().await?;
        let rules = PathRules { one_per_subnet: !is_local(&list), ..PathRules::default() };
        let Some(first) = self.first_hop(&list, &place.record, rules)? else { return Ok(None) };
        if let Some(path) = self.kept_server_path(&list, &first.id, place) {
            return Ok(Some((first, path)));
        }
        let mut path = self.draw_path(&list, &first, &place.record, rules)?;
        for _ in 0..DRAWS {
            if self.leads_out(&path, place) {
                break;
            }
            path = self.draw_path(&list, &first, &place.record, rules)?;
        }
        if path.guard() != Some(&first) {
            return Ok(None);
        }
        let hops = path.hops.iter().map(|hop| hop.id).collect();
        self.road().servers.path = Some((hops, Instant::now()));
        Ok(Some((first, path)))
    }

    fn kept_server_path(
        &self,
        list: &Arc<NodeList>,
        first: &NodeId,
        place: &Place,
    ) -> Option<Path> {
        let hops = {
            let road = self.road();
            let (hops, since) = road.servers.path.as_ref()?;
            let young = since.elapsed() < Duration::from_millis(PATH_LIFE);
            let sound = !hops.iter().skip(1).any(|hop| road.avoids(hop));
            let fits = hops.first() == Some(first) && !hops.contains(&place.record.id);
            (young && sound && fits).then(|| hops.clone())?
        };
        let known: Option<Vec<_>> = hops.iter().map(|id| list.get(id).cloned()).collect();
        let path = Path { hops: known? };
        self.leads_out(&path, place).then_some(path)
    }

    /// Whether nothing is known against the last node asking this server.
    fn leads_out(&self, path: &Path, place: &Place) -> bool {
        let last = path.hops.last().map(|last| last.id);
        place.is_node || last.is_some_and(|last| !self.road().servers.closed.contains(&last))
    }
}

impl Place {
    /// A server that has a node's key is that node, wherever the list says that it is by now.
    fn of(server: &Server, list: &NodeList) -> Self {
        let mut server = server.clone();
        if let Some(node) = list.nodes().iter().find(|node| node.x25519 == server.key) {
            server.host = node.ip.to_string();
            server.port = node.port;
            return Self { server, record: node.clone(), is_node: true };
        }
        let record = NodeRecord {
            id: NodeId::from_bytes(*server.key.as_bytes()),
            x25519: server.key,
            // No node of a list lies there.
            ip: Ipv4Addr::UNSPECIFIED,
            port: server.port,
            swarm: INVALID_SWARM,
            certificate: None,
            roles: Roles::default(),
        };
        Self { server, record, is_node: false }
    }
}

fn broken(why: &str) -> Miss {
    Miss::Broken(ClientError::NoAnswer(why.to_owned()))
}
