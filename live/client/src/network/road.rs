//! How a request of one account travels: first hop, path, destination, and around what fails.
//!
//! ```text
//! list of nodes (signed) > guard (kept) > path of 3 (kept 10 min) > destination
//! ```

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use warren_crypto::SystemEntropy;
use warren_onion::{
    Cipher, Hop, Options, Path, PathRules, RelayFailure, Reply, ReplyError, build_with,
    choose_path, open_reply,
};
use warren_transport::TransportError;
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::limits::SECOND;
use warren_wire::rpc::request;
use warren_wire::{Millis, NodeId, Value};

use crate::database::SavedPath;
use crate::error::ClientError;
use crate::messenger::now;

use super::Network;
use super::guards::FIRST_HOPS;
use super::server::ServerRoad;

/// How long one path is used.
pub(super) const PATH_LIFE: Millis = 10 * 60 * SECOND;
/// How long a node that failed is passed over.
const AVOID_FOR: Duration = Duration::from_secs(60);
/// How long a whole request may take, what it asks the node to wait not counted.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait after a path broke.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
/// After so many requests in a row without an answer the first hop is taken to be away.
pub(super) const SILENCES: u32 = 2;
/// How many paths may break under one request.
const ATTEMPTS: usize = 5;

/// Where guard and substitutes all lie in the destination's /24, or are it.
const NO_FIRST_HOP: &str = "no first hop of this account leads to a node of the swarm, for no two \
                            hops of a path share a /24: the directory has too few networks";

/// What an account remembers of the road while it is at work.
#[derive(Default)]
pub(crate) struct Road {
    avoided: HashMap<NodeId, Instant>,
    /// Which last hop said that it cannot reach a destination.
    accused: HashMap<NodeId, NodeId>,
    /// How many requests in a row were not answered.
    pub(super) silences: u32,
    /// The way to servers.
    pub(super) servers: ServerRoad,
    /// Whether the guard is known to be away; `None` before it was tried.
    pub(crate) guard_away: Option<bool>,
}

/// The path in use.
#[derive(Debug, Clone)]
pub struct PathInUse {
    /// Its nodes, the first hop first.
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
    /// How long the node may wait before it answers.
    pub(crate) wait: Duration,
}

impl Question {
    /// One question for each node, all the same.
    pub(crate) fn to_any(nodes: Vec<NodeRecord>, method: &str, params: &Value) -> Vec<Self> {
        let body: Arc<[u8]> = request::encode(method, params).into();
        let ask = |node| Self { node, body: Arc::clone(&body), wait: Duration::ZERO };
        nodes.into_iter().map(ask).collect()
    }
}

/// One request failed on its way; another way may do.
enum Detour {
    /// The first hop takes no connection.
    FirstHop,
    /// The destination cannot be reached, or its answer is none.
    Destination(&'static str),
    /// Something between them failed.
    Road(&'static str),
}

impl Road {
    pub(crate) fn avoids(&self, node: &NodeId) -> bool {
        self.avoided.get(node).is_some_and(|since| since.elapsed() < AVOID_FOR)
    }

    fn avoids_any<'a>(&self, mut nodes: impl Iterator<Item = &'a NodeId>) -> bool {
        nodes.any(|node| self.avoids(node))
    }

    pub(crate) fn avoid(&mut self, node: NodeId) {
        self.avoided.insert(node, Instant::now());
    }

    /// Tries every node again: they may be somewhere else by now.
    pub(super) fn forgive(&mut self) {
        self.avoided.clear();
    }

    /// Notes that a request was not answered; how many in a row were not.
    pub(super) fn note_silence(&mut self) -> u32 {
        self.silences += 1;
        self.silences
    }

    /// Passes a destination over once two different last hops say that it cannot be reached: one
    /// alone may be lying, or cut off itself.
    fn accuse(&mut self, destination: NodeId, last_hop: NodeId) {
        match self.accused.insert(destination, last_hop) {
            Some(other) if other != last_hop => self.avoid(destination),
            _ => {}
        }
    }
}

impl Network {
    pub(super) fn road(&self) -> MutexGuard<'_, Road> {
        self.road.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The path in use, proven by a question that travelled it.
    ///
    /// # Errors
    /// Where no path works.
    pub(crate) async fn path(&self) -> Result<PathInUse, ClientError> {
        let nodes = self.nodes().await?.nodes().to_vec();
        let questions = Question::to_any(nodes, "info", &Value::dict([]));
        self.ask(questions, |_, _| Ok(())).await?;
        let saved = self.db.with(|db| db.path())?;
        let list = self.nodes().await?;
        let (hops, since) = saved.map_or((Vec::new(), 0), |saved| {
            let hops = saved.hops.iter().filter_map(|id| list.get(id)).cloned().collect();
            (hops, saved.created)
        });
        Ok(PathInUse { hops, since })
    }

    /// Puts the questions to their nodes, one after the other, until an answer satisfies `judge`.
    ///
    /// What fails on the way costs a detour. A node that refuses is passed over too, unless every
    /// other would refuse alike; its refusal is the error where nobody does better.
    pub(crate) async fn ask<T>(
        &self,
        questions: Vec<Question>,
        judge: impl Fn(&NodeRecord, &Reply) -> Result<T, ClientError>,
    ) -> Result<(NodeRecord, T), ClientError> {
        // The guard is drawn before a destination is picked, so that it is not picked itself.
        let list = self.nodes().await?;
        self.first_hops(&list)?;
        let mut open = questions;
        let mut failure = ClientError::NoSwarm;
        let (mut broken, mut shut, mut accusations, mut refusals) = (0, 0, 0, 0);
        while let (Some(question), true) = (self.pick(&open)?, broken < ATTEMPTS) {
            let others = open.iter().filter(|other| other.node.id != question.node.id);
            let others: Vec<Question> = others.cloned().collect();
            match self.travel(&question).await? {
                Ok(reply) => match judge(&question.node, &reply) {
                    Ok(answer) => return Ok((question.node, answer)),
                    Err(error) => {
                        // One node that refuses for good may be lying, or be the only sick one.
                        refusals += usize::from(error.is_final());
                        failure = error.or_graver(failure);
                        if refusals > 1 {
                            break;
                        }
                        open = others;
                    }
                },
                Err(Detour::FirstHop) => {
                    shut += 1;
                    failure = ClientError::Offline.or_graver(failure);
                    if shut >= FIRST_HOPS {
                        open = self.moved(open).await?;
                        shut = 0;
                    }
                }
                Err(Detour::Destination(why)) => {
                    failure = ClientError::NoAnswer(why.to_owned()).or_graver(failure);
                    accusations += 1;
                    // The last hop may be to blame: the only node is asked over another path too.
                    if others.is_empty() || accusations % 2 == 0 {
                        self.db.with(|db| db.set_path(None))?;
                    }
                    if !others.is_empty() || accusations > 1 {
                        open = others;
                    }
                }
                Err(Detour::Road(why)) => {
                    failure = ClientError::NoAnswer(why.to_owned()).or_graver(failure);
                    self.db.with(|db| db.set_path(None))?;
                    broken += 1;
                    // Whose fault it is cannot be told: next, another destination over another path.
                    open = others;
                    open.push(question);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        if refusals == 1 && failure.is_final() {
            // Nobody confirms it, so it decides nothing: what waits goes on waiting.
            let why = format!("one node refused and no other answered: {failure}");
            return Err(ClientError::NoAnswer(why));
        }
        Err(failure)
    }

    /// The questions to where a newer list has their nodes; none where there is no newer list.
    async fn moved(&self, open: Vec<Question>) -> Result<Vec<Question>, ClientError> {
        if !self.renew_nodes().await? {
            return Ok(Vec::new());
        }
        self.road().forgive();
        let list = self.nodes().await?;
        let moved = open.into_iter().filter_map(|question| {
            let node = list.get(&question.node.id)?.clone();
            Some(Question { node, ..question })
        });
        Ok(moved.collect())
    }

    /// The first question whose node did not fail lately and lies outside the path in use.
    fn pick(&self, questions: &[Question]) -> Result<Option<Question>, ClientError> {
        let (path, guard) = self.db.with(|db| Ok::<_, ClientError>((db.path()?, db.guard()?)))?;
        let mut on_the_way = path.map(|path| path.hops).unwrap_or_default();
        on_the_way.extend(guard.map(|guard| guard.node));
        let road = self.road();
        let usable = |question: &&Question| !road.avoids(&question.node.id);
        let off_path = |question: &&Question| !on_the_way.contains(&question.node.id);
        let best = questions.iter().filter(usable).find(off_path);
        Ok(best.or_else(|| questions.iter().find(usable)).or(questions.first()).cloned())
    }

    /// Sends one packet over one path and opens the reply.
    async fn travel(&self, question: &Question) -> Result<Result<Reply, Detour>, ClientError> {
        let Question { node: destination, body, wait } = question;
        let Some((first, path)) = self.path_to(destination).await? else {
            return Ok(Err(Detour::Destination(NO_FIRST_HOP)));
        };
        let options = Options { cipher: Cipher::XChaCha20, base64: false };
        let hop = Hop::from(destination);
        let built = build_with(&path.to_hops(), &hop, body, options, &mut SystemEntropy);
        let Ok(built) = built else {
            return Ok(Err(Detour::Road("a node's key in the directory is no key")));
        };
        let timeout = TIMEOUT + *wait;
        let sent = self.connections.post(&first, "/onion_req/v2", built.packet, timeout).await;
        match sent {
            Err(TransportError::Unreachable) => {
                self.first_hop_failed(&first.id)?;
                Ok(Err(Detour::FirstHop))
            }
            Err(TransportError::TimedOut | TransportError::Broken) => {
                if self.road().note_silence() >= SILENCES {
                    self.first_hop_failed(&first.id)?;
                }
                Ok(Err(Detour::Road("a path did not answer in time")))
            }
            Ok(reply) => {
                self.road().silences = 0;
                self.first_hop_answered(&first.id)?;
                let opened = open_reply(&built.reply_key, &reply.body);
                Ok(opened.map_err(|error| self.relay_failed(&path, destination, error)))
            }
        }
    }

    /// What to make of a relay's complaint. It may lie, so that it costs a detour and no more.
    fn relay_failed(&self, path: &Path, destination: &NodeRecord, error: ReplyError) -> Detour {
        let node = match error {
            ReplyError::Malformed => return Detour::Destination("a node gave no proper answer"),
            ReplyError::Relay(
                RelayFailure::NextNodeNotFound(node) | RelayFailure::NextNodeUnreachable(node),
            ) => node,
            _ => return Detour::Road("a path broke off"),
        };
        if node == destination.id {
            if let Some(last) = path.hops.last() {
                self.road().accuse(node, last.id);
            }
            return Detour::Destination("a node of the swarm cannot be reached");
        }
        // About the first hop nobody but this device can tell.
        if path.hops.iter().skip(1).any(|hop| hop.id == node) {
            self.road().avoid(node);
        }
        Detour::Road("a node on the path cannot be reached")
    }

    /// The path in use where it leads there, else another one; `None` where no first hop may be on
    /// a path to this destination.
    async fn path_to(
        &self,
        destination: &NodeRecord,
    ) -> Result<Option<(NodeRecord, Path)>, ClientError> {
        let list = self.nodes().await?;
        let rules = PathRules { one_per_subnet: !is_local(&list), ..PathRules::default() };
        let Some(first) = self.first_hop(&list, destination, rules)? else { return Ok(None) };
        let saved = self.db.with(|db| db.path())?.filter(|saved| {
            let age = now().checked_sub(saved.created);
            age.is_some_and(|age| age < PATH_LIFE)
                && saved.hops.first() == Some(&first.id)
                && !saved.hops.contains(&destination.id)
                && !self.road().avoids_any(saved.hops.iter().skip(1))
        });
        if let Some(saved) = saved {
            let hops: Vec<_> = saved.hops.iter().filter_map(|id| list.get(id)).cloned().collect();
            if hops.len() == saved.hops.len() {
                return Ok(Some((first, Path { hops })));
            }
        }
        let path = self.draw_path(&list, &first, destination, rules)?;
        if path.guard() != Some(&first) {
            return Ok(None);
        }
        let hops = path.hops.iter().map(|hop| hop.id).collect();
        let saved = SavedPath { hops, created: now() };
        self.db.with(|db| db.set_path(Some(&saved)))?;
        Ok(Some((first, path)))
    }

    /// The first of guard and substitutes that is there and may be on a path to the destination;
    /// where all are away, the first that may.
    pub(super) fn first_hop(
        &self,
        list: &NodeList,
        destination: &NodeRecord,
        rules: PathRules,
    ) -> Result<Option<NodeRecord>, ClientError> {
        let hops = self.first_hops(list)?;
        let hops = hops.iter().filter_map(|hop| list.get(hop));
        let fitting: Vec<&NodeRecord> = hops
            .filter(|hop| hop.id != destination.id)
            .filter(|hop| !rules.one_per_subnet || subnet(hop) != subnet(destination))
            .collect();
        let road = self.road();
        let there = fitting.iter().find(|hop| !road.avoids(&hop.id));
        Ok(there.or(fitting.first()).map(|hop| (*hop).clone()))
    }

    pub(super) fn draw_path(
        &self,
        list: &NodeList,
        first: &NodeRecord,
        destination: &NodeRecord,
        rules: PathRules,
    ) -> Result<Path, ClientError> {
        let sound: Vec<NodeRecord> = {
            let road = self.road();
            let sound = list.nodes().iter();
            let sound = sound.filter(|node| node.id == first.id || !road.avoids(&node.id));
            sound.cloned().collect()
        };
        let draw = |nodes: &[NodeRecord]| {
            choose_path(nodes, Some(first.id), &destination.id, rules, &mut SystemEntropy)
        };
        Ok(draw(&sound).or_else(|_| draw(list.nodes()))?)
    }
}

fn subnet(node: &NodeRecord) -> [u8; 3] {
    let [a, b, c, _] = node.ip.octets();
    [a, b, c]
}

/// A network on loopback, whose nodes one person runs: subnets say nothing about who runs what.
pub(super) fn is_local(list: &NodeList) -> bool {
    list.nodes().iter().all(|node| node.ip.is_loopback())
}
