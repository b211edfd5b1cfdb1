//! A member's state: its keys and store, the list it goes by, and what it knows of the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use warren_crypto::Entropy;
use warren_crypto::ed25519::SigningKey;
use warren_node::Placement;
use warren_node::clock::{HybridClock, TooFarAhead};
use warren_node::gathering::{FORMER_KEEPERS, Gathering};
use warren_store::MailStore;
use warren_transport::{Reply, TransportError};
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::record::{ItemId, Positions};
use warren_wire::rpc::peer;
use warren_wire::{AccountId, Millis, NodeId, Stamp, Value};

use super::answers::Turns;
use super::health::Health;
use super::surroundings::{Clock, Peers};
use crate::held::Arrivals;

/// The status of a refusal for what it says of the time.
pub(super) const CLOCKS_APART: u16 = 406;
/// The most earlier lists that are remembered.
pub(crate) const MOST_FORMERS: usize = 8;

/// How long things take and how large they get.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a member may take over a client's request: less than the five seconds after which
    /// clients turn to another node.
    pub call: Duration,
    /// How long a member may take over a batch of records or a comparison.
    pub bulk: Duration,
    /// How long a comparison with one member may take, or what it missed.
    pub comparison: Duration,
    /// How long it may take to compare everything with one node that has what is lacking.
    pub gathering: Duration,
    /// How long members that usually answer are waited for once a quorum has a request.
    pub grace: Duration,
    /// How often what members missed is looked through.
    pub handoff: Duration,
    /// How often sets are compared.
    pub round: Duration,
    /// With how many members in one round.
    pub peers_per_round: usize,
    /// About how many items are compared at once.
    pub slice_items: usize,
    /// The most items that are fetched of a slice before it is compared again.
    pub most_needed: usize,
    /// About how many items are compared with one member in one round; the rest in later ones.
    pub round_items: usize,
    /// How long mail that others keep by a new list is kept where not all of them have it.
    pub former_keepers: Duration,
    /// The most notes of what one member missed; beyond that it is left to comparing.
    pub most_notes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(3),
            bulk: Duration::from_secs(30),
            comparison: Duration::from_secs(10 * 60),
            gathering: Duration::from_secs(60 * 60),
            grace: Duration::from_secs(1),
            handoff: Duration::from_secs(1),
            round: Duration::from_secs(60),
            peers_per_round: 3,
            slice_items: 16_384,
            most_needed: 262_144,
            round_items: 262_144,
            former_keepers: Duration::from_millis(FORMER_KEEPERS),
            most_notes: 100_000,
        }
    }
}

/// What a member is made of.
pub struct Parts {
    /// What it signs with, and is named by.
    pub key: SigningKey,
    /// The mail it keeps.
    pub store: Arc<dyn MailStore>,
    /// The way to the others.
    pub peers: Arc<dyn Peers>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told of what became retrievable.
    pub arrivals: Arc<dyn Arrivals>,
    /// Spreads tries and rounds, so that members do not move in step.
    pub entropy: Box<dyn Entropy + Send>,
    /// The list of nodes it starts with.
    pub list: Arc<NodeList>,
    /// Its pace.
    pub pace: Pace,
}

/// One member of a swarm.
pub struct Member {
    pub(super) key: SigningKey,
    pub(super) own: NodeId,
    pub(super) store: Arc<dyn MailStore>,
    peers: Arc<dyn Peers>,
    clock: Arc<dyn Clock>,
    pub(super) arrivals: Arc<dyn Arrivals>,
    pub(super) pace: Pace,
    entropy: Mutex<Box<dyn Entropy + Send>>,
    state: Arc<Mutex<State>>,
    /// Something is to be compared or moved before the next round.
    pub(super) wake: Arc<Notify>,
}

/// What changes while it runs.
pub(super) struct State {
    pub(super) clock: HybridClock,
    pub(super) placement: Arc<Placement>,
    /// Counts the lists by which it kept other mail, or with others.
    pub(super) generation: u64,
    /// How many writes go by each of them.
    pub(super) writing: BTreeMap<u64, usize>,
    /// Stretches whose mail is being dropped.
    pub(super) dropping: Vec<Positions>,
    /// The lists before this one by which it kept other mail, or with others; the last one last.
    pub(super) formers: Vec<Former>,
    /// Until when it may be that others go by a list before the one it started with.
    began_until: Millis,
    pub(super) health: Health,
    pub(super) gathering: Gathering,
    /// How many notes of what a member missed were written, for members that may have some.
    pub(super) notes: BTreeMap<NodeId, usize>,
    /// Members that answer again, or for which notes were given up: compare soon.
    pub(super) due: BTreeSet<NodeId>,
    /// Items whose records were not believed, each with the node that gave them.
    pub(super) refused: BTreeSet<(NodeId, ItemId)>,
    /// Mailboxes that were pulled together since the last change of the list, and until when that
    /// counts where too few answered.
    pub(super) pulled: BTreeMap<AccountId, Option<Instant>>,
    /// Whether the store was empty before anything was kept in it, and is not caught up; `None`
    /// where nobody has looked.
    pub(super) began_empty: Option<bool>,
    /// Whether the store may hold what other nodes keep, and since when.
    pub(super) foreign_since: Option<Instant>,
    /// Counts rounds, to go on where the last one ended.
    pub(super) round: usize,
    /// The turns of each node's calls.
    pub(super) asking: BTreeMap<NodeId, Arc<Turns>>,
    /// How far the comparison with a member came.
    pub(super) slices_done: BTreeMap<NodeId, u64>,
}

/// A list that an earlier run went by.
#[derive(Debug, Clone)]
pub struct FormerList {
    /// Its nodes.
    pub list: Arc<NodeList>,
    /// When it was replaced.
    pub replaced: Millis,
}

/// A list that was replaced.
pub(super) struct Former {
    pub(super) placement: Arc<Placement>,
    pub(super) until: Millis,
}

impl Member {
    /// A member that has just started: it must hear others before its store answers for the swarm.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { key, store, peers, clock, arrivals, entropy, list, pace } = parts;
        let own = NodeId::from_bytes(*key.verifying_key().as_bytes());
        let placement = Arc::new(Placement::new(own, list));
        let began_until = clock.now().saturating_add(FORMER_KEEPERS);
        let state = State {
            began_until,
            generation: 0,
            writing: BTreeMap::new(),
            dropping: Vec::new(),
            clock: HybridClock::default(),
            formers: Vec::new(),
            health: Health::default(),
            gathering: Gathering::at_start(&placement),
            // What earlier runs noted is in the store.
            notes: placement.peers().map(|peer| (peer.id, 0)).collect(),
            due: BTreeSet::new(),
            refused: BTreeSet::new(),
            pulled: BTreeMap::new(),
            began_empty: None,
            foreign_since: Some(Instant::now()),
            round: 0,
            asking: BTreeMap::new(),
            slices_done: BTreeMap::new(),
            placement,
        };
        Arc::new(Self {
            key,
            own,
            store,
            peers,
            clock,
            arrivals,
            pace,
            entropy: Mutex::new(entropy),
            state: Arc::new(Mutex::new(state)),
            wake: Arc::default(),
        })
    }

    /// Takes up what earlier runs went by, the last list last: who keeps mail that this node is to
    /// keep may have kept it by one of those. Before it adopts a list.
    pub fn remember(&self, lists: Vec<FormerList>) {
        let place =
            |former: FormerList| (Arc::new(Placement::new(self.own, former.list)), former.replaced);
        let formers: Vec<_> = lists.into_iter().map(place).collect();
        let mut state = self.state();
        state.gathering = Gathering::after_changes(&formers, &state.placement);
        let remembered = formers.into_iter().map(|(placement, replaced)| Former {
            placement,
            until: replaced.saturating_add(FORMER_KEEPERS),
        });
        state.formers = remembered.collect();
    }

    /// Its place among the others, by the list adopted last.
    pub fn placement(&self) -> Arc<Placement> {
        Arc::clone(&self.state().placement)
    }

    /// Goes by another list from here on.
    pub fn adopt(&self, list: Arc<NodeList>) {
        let now = self.now();
        let after = Arc::new(Placement::new(self.own, list));
        let mut state = self.state();
        let before = std::mem::replace(&mut state.placement, Arc::clone(&after));
        state.health.retain(|peer| after.list().get(peer).is_some());
        state.asking.retain(|node, _| after.list().get(node).is_some());
        if before.keeps_as(&after) {
            return;
        }
        state.generation += 1;
        let mut gathering = std::mem::take(&mut state.gathering);
        gathering.at_change(&before, &after, now);
        state.gathering = gathering;
        // Members that left are looked at once more, for their notes to be forgotten.
        for peer in after.peers() {
            state.notes.entry(peer.id).or_default();
        }
        state.pulled.clear();
        state.refused.clear();
        state.slices_done.clear();
        state.foreign_since = Some(Instant::now());
        let until = now.saturating_add(FORMER_KEEPERS);
        state.formers.push(Former { placement: before, until });
        let most = state.formers.len().saturating_sub(MOST_FORMERS);
        state.formers.drain(..most);
        drop(state);
        self.wake.notify_one();
    }

    /// Whether its own store answers for the swarm, nothing being left to gather from others.
    pub fn is_caught_up(&self) -> bool {
        let now = self.now();
        self.state().gathering.is_complete(now)
    }

    pub(super) fn now(&self) -> Millis {
        self.clock.now()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a write needs that may outlast the call that began it.
    pub(super) fn shared(&self) -> (Arc<Mutex<State>>, Arc<Notify>) {
        (Arc::clone(&self.state), Arc::clone(&self.wake))
    }

    /// A stamp greater than all seen.
    pub(super) fn stamp(&self) -> Stamp {
        let now = self.now();
        self.state().clock.next(now)
    }

    /// Takes note of another member's stamp.
    pub(super) fn observe(&self, stamp: Stamp) -> Result<(), TooFarAhead> {
        let now = self.now();
        self.state().clock.observe(stamp, now)
    }

    /// From 0 to 1.
    pub(super) fn spread(&self) -> f64 {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        let mut byte = [0];
        entropy.fill(&mut byte);
        let [byte] = byte;
        f64::from(byte) / 255.0
    }

    /// That long, a quarter more or less.
    pub(super) fn about(&self, time: Duration) -> Duration {
        time.mul_f64(0.75 + 0.5 * self.spread())
    }

    /// Whether something holds by this list, or by an earlier one that others may still go by.
    pub(super) fn holds_by_a_list(&self, holds: impl Fn(&Placement) -> bool) -> bool {
        holds(&self.placement()) || self.formers().iter().any(|former| holds(former))
    }

    /// Whether something holds by this list, or held by any earlier one that is remembered.
    pub(super) fn held_by_a_list(&self, holds: impl Fn(&Placement) -> bool) -> bool {
        let formers: Vec<_> = {
            let state = self.state();
            state.formers.iter().map(|former| Arc::clone(&former.placement)).collect()
        };
        holds(&self.placement()) || formers.iter().any(|former| holds(former))
    }

    /// Whether it started a short time ago, so that lists may have counted that it never knew.
    pub(super) fn knows_no_earlier_list(&self) -> bool {
        let now = self.now();
        let state = self.state();
        state.formers.is_empty() && now < state.began_until
    }

    fn formers(&self) -> Vec<Arc<Placement>> {
        let now = self.now();
        let state = self.state();
        let counting = state.formers.iter().filter(|former| now < former.until);
        counting.map(|former| Arc::clone(&former.placement)).collect()
    }

    /// A node of this list, or of the last one that named it.
    pub(super) fn node(&self, id: &NodeId) -> Option<NodeRecord> {
        let known = self.placement().list().get(id).cloned();
        let former = || self.formers().iter().rev().find_map(|it| it.list().get(id).cloned());
        known.or_else(former)
    }

    pub(super) fn may_try(&self, peer: &NodeId) -> bool {
        self.state().health.may_try(peer, Instant::now())
    }

    /// Signs and sends, and remembers whether there was an answer.
    pub(super) async fn send(
        &self,
        peer: &NodeRecord,
        method: &str,
        params: Value,
        stamp: Option<Stamp>,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        let envelope = peer::seal(method, params, stamp, &peer.id, self.now(), &self.key)
            .map_err(|_| TransportError::Broken)?;
        let reply = self.peers.call(peer, envelope, timeout).await;
        match &reply {
            Ok(reply) => {
                if reply.status == CLOCKS_APART {
                    tracing::warn!(peer = %peer.id, "its clock and this node's may be too far apart");
                }
                self.answered(&peer.id);
            }
            Err(_) => self.failed(&peer.id),
        }
        reply
    }

    pub(super) fn failed(&self, peer: &NodeId) {
        let spread = self.spread();
        self.state().health.failed(*peer, Instant::now(), spread);
    }

    /// A node that calls is up: what waits for it need not wait on.
    pub(super) fn called_by(&self, peer: &NodeId) {
        let mut state = self.state();
        if state.health.called(peer, Instant::now()) && state.placement.is_peer(peer) {
            state.due.insert(*peer);
            drop(state);
            self.wake.notify_one();
        }
    }

    fn answered(&self, peer: &NodeId) {
        let mut state = self.state();
        let returned = state.health.answered(peer);
        if returned && state.placement.is_peer(peer) {
            state.due.insert(*peer);
            drop(state);
            self.wake.notify_one();
        }
    }
}
