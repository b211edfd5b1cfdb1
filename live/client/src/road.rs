//! Nodes, guard and path: how a request of one account travels.
//!
//! ```text
//! list of nodes (signed, kept 2 h) > guard (kept) > path of 3 (kept 10 min) > destination
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_onion::{
    Cipher, Hop, Options, Path, PathRules, RelayFailure, Reply, ReplyError, build_with,
    choose_guard, choose_path, open_reply,
};
use warren_transport::{Connections, Seed, TransportError};
use warren_wire::directory::{NodeList, NodeRecord, UnverifiedList};
use warren_wire::limits::SECOND;
use warren_wire::rpc::request;
use warren_wire::{Millis, NodeId, Value};

use crate::database::{CachedNodeList, Guard, SavedPath};
use crate::error::ClientError;
use crate::messenger::{Messenger, now};

/// How long a list of nodes is believed without asking again.
const LIST_LIFE: Millis = 2 * 60 * 60 * SECOND;
/// How long one path is used.
const PATH_LIFE: Millis = 10 * 60 * SECOND;
/// How long a node that failed is passed over.
const AVOID_FOR: Duration = Duration::from_secs(60);
/// How long a whole request may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait before another try.
const PAUSE: Duration = Duration::from_millis(150);
/// How many paths are tried for one request.
const ATTEMPTS: u32 = 5;
/// After so many failures to connect in a row another guard is drawn.
const GUARD_STRIKES: u32 = 2;

/// What an account remembers of the network while it is at work.
pub(crate) struct Road {
    seed: Option<Seed>,
    connections: Connections,
    list: Option<NodeList>,
    avoided: HashMap<NodeId, Instant>,
    guard_strikes: u32,
}

/// The path in use.
#[derive(Debug, Clone)]
pub struct PathInUse {
    /// Its nodes, the guard first.
    pub hops: Vec<NodeRecord>,
    /// When it was chosen.
    pub since: Millis,
}

/// A request and a node that may answer it.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The node.
    pub(crate) node: NodeRecord,
    /// The JSON of the request.
    pub(crate) body: Arc<[u8]>,
}

impl Question {
    /// One question for each node, all the same.
    pub(crate) fn to_any(nodes: Vec<NodeRecord>, method: &str, params: &Value) -> Vec<Self> {
        let body: Arc<[u8]> = request::encode(method, params).into();
        nodes.into_iter().map(|node| Self { node, body: Arc::clone(&body) }).collect()
    }
}

/// One request failed on its way; another path may do.
enum Detour {
    /// The destination cannot be reached.
    Destination(&'static str),
    /// Something before it failed.
    Road(&'static str),
}

impl Road {
    pub(crate) fn new(seed: Option<Seed>) -> Self {
        let connections = Connections::new();
        Self { seed, connections, list: None, avoided: HashMap::new(), guard_strikes: 0 }
    }

    fn avoids(&self, node: &NodeId) -> bool {
        self.avoided.get(node).is_some_and(|since| since.elapsed() < AVOID_FOR)
    }

    fn avoid(&mut self, node: NodeId) {
        self.avoided.insert(node, Instant::now());
    }
}

impl Messenger {
    /// The path in use, proven by a question that travelled it.
    ///
    /// # Errors
    /// Where no path works.
    pub async fn path(&mut self) -> Result<PathInUse, ClientError> {
        let nodes = self.nodes().await?.nodes().to_vec();
        self.ask(Question::to_any(nodes, "info", &Value::dict([]))).await?;
        let saved = self.db.path()?;
        let list = self.nodes().await?;
        let (hops, since) = saved.map_or((Vec::new(), 0), |saved| {
            let hops = saved.hops.iter().filter_map(|id| list.get(id)).cloned().collect();
            (hops, saved.created)
        });
        Ok(PathInUse { hops, since })
    }

    /// All nodes: from memory, from the database, or from the directory.
    pub(crate) async fn nodes(&mut self) -> Result<NodeList, ClientError> {
        if let Some(list) = &self.road.list {
            return Ok(list.clone());
        }
        let seed = self.road.seed.clone().ok_or(ClientError::NoSeed)?;
        let cached = self.db.node_list()?;
        let fresh = cached.filter(|cached| now().saturating_sub(cached.fetched_at) < LIST_LIFE);
        let kept = fresh
            .and_then(|cached| serde_json::from_str::<UnverifiedList>(&cached.list).ok())
            .and_then(|signed| seed.check(&signed).ok());
        match kept {
            Some(list) => {
                self.road.list = Some(list.clone());
                Ok(list)
            }
            None => self.refresh_nodes().await,
        }
    }

    /// Asks the directory again and keeps its list.
    pub(crate) async fn refresh_nodes(&mut self) -> Result<NodeList, ClientError> {
        let seed = self.road.seed.clone().ok_or(ClientError::NoSeed)?;
        let (list, signed) = seed.fetch().await?;
        if let Ok(text) = serde_json::to_string(&signed) {
            self.db.set_node_list(&CachedNodeList { list: text, fetched_at: now(), issued: 0 })?;
        }
        self.road.list = Some(list.clone());
        Ok(list)
    }

    /// Puts the first of `questions` to a node that can be reached, over as many paths as it takes.
    ///
    /// A node's refusal is an answer too.
    pub(crate) async fn ask(
        &mut self,
        questions: Vec<Question>,
    ) -> Result<(NodeRecord, Reply), ClientError> {
        let mut open = questions.clone();
        let mut renewed = false;
        let mut reason = "the directory lists no node";
        for attempt in 1..=ATTEMPTS {
            if !renewed && (open.is_empty() || attempt > ATTEMPTS / 2) {
                open = self.renew(&questions).await?;
                renewed = true;
            }
            let Some(question) = self.pick(&open)? else { break };
            match self.travel(&question.node, &question.body).await? {
                Ok(reply) => return Ok((question.node, reply)),
                Err(Detour::Destination(why)) => {
                    self.road.avoid(question.node.id);
                    open.retain(|other| other.node.id != question.node.id);
                    reason = why;
                }
                Err(Detour::Road(why)) => {
                    self.db.set_path(None)?;
                    reason = why;
                    tokio::time::sleep(PAUSE * attempt).await;
                }
            }
        }
        Err(ClientError::NoAnswer(reason.to_owned()))
    }

    /// The same questions to the nodes as a newer list has them: one may have moved.
    async fn renew(&mut self, questions: &[Question]) -> Result<Vec<Question>, ClientError> {
        match self.refresh_nodes().await {
            Ok(list) => Ok(questions
                .iter()
                .filter_map(|old| {
                    let node = list.get(&old.node.id)?.clone();
                    Some(Question { node, body: Arc::clone(&old.body) })
                })
                .collect()),
            Err(error) if error.is_network() => Ok(questions.to_vec()),
            Err(error) => Err(error),
        }
    }

    /// The first question whose node did not fail lately and lies outside the path in use.
    fn pick(&self, questions: &[Question]) -> Result<Option<Question>, ClientError> {
        let mut on_the_way = self.db.path()?.map(|path| path.hops).unwrap_or_default();
        on_the_way.extend(self.db.guard()?.map(|guard| guard.node));
        let usable = |question: &&Question| !self.road.avoids(&question.node.id);
        let off_path = |question: &&Question| !on_the_way.contains(&question.node.id);
        let best = questions.iter().filter(usable).find(off_path);
        Ok(best.or_else(|| questions.iter().find(usable)).or(questions.first()).cloned())
    }

    /// Sends one packet over one path and opens the reply.
    async fn travel(
        &mut self,
        destination: &NodeRecord,
        body: &[u8],
    ) -> Result<Result<Reply, Detour>, ClientError> {
        let path = self.path_to(destination).await?;
        let Some(guard) = path.guard().cloned() else {
            return Ok(Err(Detour::Road("the path is empty")));
        };
        let options = Options { cipher: Cipher::XChaCha20, base64: false };
        let built =
            build_with(&path.to_hops(), &Hop::from(destination), body, options, &mut SystemEntropy);
        let Ok(built) = built else {
            return Ok(Err(Detour::Road("a node's key in the directory is no key")));
        };
        let sent = self.road.connections.post(&guard, "/onion_req/v2", built.packet, TIMEOUT).await;
        let reply = match sent {
            Ok(reply) => reply,
            Err(error) => return self.guard_failed(guard.id, error),
        };
        self.road.guard_strikes = 0;
        Ok(open_reply(&built.reply_key, &reply.body)
            .map_err(|error| self.relay_failed(&path, destination, error)))
    }

    /// Notes which node a relay says has failed. A relay may lie, so that it costs a detour only.
    fn relay_failed(&mut self, path: &Path, destination: &NodeRecord, error: ReplyError) -> Detour {
        let (ReplyError::Relay(
            RelayFailure::NextNodeNotFound(node) | RelayFailure::NextNodeUnreachable(node),
        ),) = (error,)
        else {
            return Detour::Road("the path broke off");
        };
        if node == destination.id {
            return Detour::Destination("a node of the swarm cannot be reached");
        }
        if path.hops.iter().any(|hop| hop.id == node) {
            self.road.avoid(node);
        }
        Detour::Road("a node on the path cannot be reached")
    }

    /// Draws another guard where this one could not be reached twice in a row.
    fn guard_failed(
        &mut self,
        guard: NodeId,
        error: TransportError,
    ) -> Result<Result<Reply, Detour>, ClientError> {
        if error != TransportError::Unreachable {
            return Ok(Err(Detour::Road("the path did not answer in time")));
        }
        self.road.guard_strikes += 1;
        if self.road.guard_strikes >= GUARD_STRIKES {
            self.road.guard_strikes = 0;
            self.road.avoid(guard);
            if self.db.guard()?.is_some_and(|kept| kept.node == guard) {
                self.db.set_guard(None)?;
            }
        }
        Ok(Err(Detour::Road("the first node cannot be reached: are you online?")))
    }

    /// The path in use where it leads there, else another one.
    async fn path_to(&mut self, destination: &NodeRecord) -> Result<Path, ClientError> {
        let list = self.nodes().await?;
        let guard = self.guard(&list)?;
        let saved = self.db.path()?.filter(|saved| {
            now().saturating_sub(saved.created) < PATH_LIFE
                && saved.hops.first() == Some(&guard)
                && !saved.hops.contains(&destination.id)
                && !saved.hops.iter().any(|hop| self.road.avoids(hop))
        });
        if let Some(saved) = saved {
            let hops: Vec<_> = saved.hops.iter().filter_map(|id| list.get(id)).cloned().collect();
            if hops.len() == saved.hops.len() {
                return Ok(Path { hops });
            }
        }
        let path = self.draw_path(&list, guard, destination)?;
        if path.guard().is_some_and(|first| first.id == guard) {
            let hops = path.hops.iter().map(|hop| hop.id).collect();
            self.db.set_path(Some(&SavedPath { hops, created: now() }))?;
        }
        Ok(path)
    }

    fn draw_path(
        &self,
        list: &NodeList,
        guard: NodeId,
        destination: &NodeRecord,
    ) -> Result<Path, ClientError> {
        let rules = PathRules { one_per_subnet: !is_local(list), ..PathRules::default() };
        let sound: Vec<NodeRecord> =
            list.nodes().iter().filter(|node| !self.road.avoids(&node.id)).cloned().collect();
        let draw = |nodes: &[NodeRecord]| {
            choose_path(nodes, Some(guard), &destination.id, rules, &mut SystemEntropy)
        };
        Ok(draw(&sound).or_else(|_| draw(list.nodes()))?)
    }

    /// The guard that is kept, or a new one that is kept from now on.
    fn guard(&mut self, list: &NodeList) -> Result<NodeId, ClientError> {
        let kept = self.db.guard()?.filter(|guard| list.get(&guard.node).is_some());
        if let Some(guard) = kept {
            return Ok(guard.node);
        }
        let failed: Vec<NodeId> =
            self.road.avoided.keys().filter(|node| self.road.avoids(node)).copied().collect();
        let drawn = choose_guard(list.nodes(), &failed, &mut SystemEntropy)
            .or_else(|_| choose_guard(list.nodes(), &[], &mut SystemEntropy))?;
        self.db.set_guard(Some(&Guard { node: drawn.id, since: now() }))?;
        Ok(drawn.id)
    }
}

/// A network on loopback, whose nodes one person runs: subnets say nothing about who runs what.
fn is_local(list: &NodeList) -> bool {
    list.nodes().iter().all(|node| node.ip.is_loopback())
}
