//! Who waits for which drawer of which mailbox; arrivals wake them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};
use warren_node::Placement;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::outbox::Backlog;
use crate::limits::network::Network;

/// How many may wait for one drawer: the devices of a person, and room to spare.
pub const MOST_PER_DRAWER: usize = 64;
/// The share of all places that one address may take.
const CLIENT_SHARE: usize = 16;

/// One drawer of one mailbox.
pub type Drawer = (AccountId, Namespace);

/// A message that this node keeps since a moment ago.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// Whose mailbox.
    pub owner: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// Its name.
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// From when on it is no longer served.
    pub expiry: Millis,
    /// The bytes.
    pub data: &'a [u8],
}

/// Is told of every message that the node's store keeps and did not have before.
pub trait Arrivals: Send + Sync {
    /// A message can be retrieved from here on.
    fn arrived(&self, message: &Arrived<'_>);
}

/// Somebody who waits. Called under the registry's lock: must be quick and ask it for nothing.
pub trait Watcher: Send + Sync {
    /// A message arrived in a drawer that is waited for.
    fn arrived(&self, message: &Arrived<'_>);
    /// This node keeps the mailbox no longer: other nodes do.
    fn moved(&self, owner: &AccountId);
    /// The node stops.
    fn closed(&self);
}

/// A request that is held open needs no more than to be woken: it looks for itself.
impl Watcher for Notify {
    fn arrived(&self, _message: &Arrived<'_>) {
        self.notify_one();
    }

    fn moved(&self, _owner: &AccountId) {
        self.notify_one();
    }

    fn closed(&self) {
        self.notify_one();
    }
}

/// On whose account a place among the held requests is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// A client, told by its address.
    Client(Network),
    /// Somebody behind an onion, or on a network where addresses tell nothing: one address is that
    /// of many.
    Unknown,
}

/// The registry of one node.
pub struct Held {
    most: usize,
    state: Mutex<State>,
    /// How many drawers are waited for: most stores find nobody and need no lock to know it.
    drawers: AtomicUsize,
    closed: watch::Sender<bool>,
    backlog: Arc<Backlog>,
}

#[derive(Default)]
struct State {
    drawers: HashMap<Drawer, Vec<Registered>>,
    requests: usize,
    clients: HashMap<Network, usize>,
    last_number: u64,
}

struct Registered {
    number: u64,
    watcher: Arc<dyn Watcher>,
}

impl Held {
    /// Room for so many requests.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
            drawers: AtomicUsize::new(0),
            closed: watch::Sender::new(false),
            backlog: Arc::default(),
        }
    }

    /// Takes a place for a request that waits for these drawers, or for a socket; `None` where there is no place, or
    /// the node stops.
    pub fn hold(&self, share: Share, drawers: Vec<Drawer>) -> Option<Place<'_>> {
        let signal = Arc::new(Notify::new());
        let mut state = self.state();
        if self.is_closed() || state.requests >= self.most || !state.have_room(&drawers) {
            return None;
        }
        if let Share::Client(client) = share {
            let most = (self.most / CLIENT_SHARE).max(1);
            let taken = state.clients.entry(client).or_default();
            if *taken >= most {
                return None;
            }
            *taken += 1;
        }
        state.requests += 1;
        let watcher: Arc<dyn Watcher> = Arc::clone(&signal) as _;
        let number = state.enter(&drawers, &watcher);
        self.count(&state);
        Some(Place { watch: Watch { held: self, number, drawers }, share, signal })
    }

    /// Registers a watcher for as long as the result is kept; `None` where too many wait for one of
    /// the drawers, or the node stops.
    pub fn watch(&self, watcher: &Arc<dyn Watcher>, drawers: Vec<Drawer>) -> Option<Watch<'_>> {
        let mut state = self.state();
        if self.is_closed() || !state.have_room(&drawers) {
            return None;
        }
        let number = state.enter(&drawers, watcher);
        self.count(&state);
        drop(state);
        Some(Watch { held: self, number, drawers })
    }

    /// How much all subscribers are still to be told.
    pub const fn backlog(&self) -> &Arc<Backlog> {
        &self.backlog
    }

    /// How many requests are held open, sockets among them.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Tells those whose mailboxes other nodes keep by a new list.
    pub fn moved(&self, placement: &Placement) {
        for ((owner, _), watchers) in &self.state().drawers {
            if !placement.keeps(owner) {
                watchers.iter().for_each(|one| one.watcher.moved(owner));
            }
        }
    }

    /// Ends all waiting, for good.
    pub fn close(&self) {
        let state = self.state();
        self.closed.send_replace(true);
        state.drawers.values().flatten().for_each(|one| one.watcher.closed());
    }

    /// Whether the node stops.
    pub fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    /// Waits until the node stops.
    pub async fn closed(&self) {
        // The sender is borrowed, so waiting cannot fail for the want of one.
        let _ = self.closed.subscribe().wait_for(|closed| *closed).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, state: &State) {
        self.drawers.store(state.drawers.len(), Ordering::SeqCst);
    }
}

impl Arrivals for Held {
    fn arrived(&self, message: &Arrived<'_>) {
        // Whoever registers after this looks at the store after this, and finds the message.
        if self.drawers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let state = self.state();
        if let Some(watchers) = state.drawers.get(&(message.owner, message.namespace)) {
            watchers.iter().for_each(|one| one.watcher.arrived(message));
        }
    }
}

impl State {
    fn have_room(&self, drawers: &[Drawer]) -> bool {
        let taken = |drawer| self.drawers.get(drawer).map_or(0, Vec::len);
        drawers.iter().all(|drawer| taken(drawer) < MOST_PER_DRAWER)
    }

    fn enter(&mut self, drawers: &[Drawer], watcher: &Arc<dyn Watcher>) -> u64 {
        self.last_number += 1;
        for drawer in drawers {
            let registered = Registered { number: self.last_number, watcher: Arc::clone(watcher) };
            match self.drawers.entry(*drawer) {
                Entry::Occupied(mut watchers) => watchers.get_mut().push(registered),
                // Most drawers are waited for once.
                Entry::Vacant(vacant) => drop(vacant.insert(vec![registered])),
            }
        }
        self.last_number
    }

    fn leave(&mut self, number: u64, drawers: &[Drawer]) {
        for drawer in drawers {
            if let Entry::Occupied(mut watchers) = self.drawers.entry(*drawer) {
                watchers.get_mut().retain(|one| one.number != number);
                if watchers.get().is_empty() {
                    watchers.remove();
                }
            }
        }
        // What thousands took is given back once they are gone.
        if self.drawers.len() < self.drawers.capacity() / 4 {
            let wanted = self.drawers.len() * 2;
            self.drawers.shrink_to(wanted);
        }
    }
}

/// A watcher's entry, until this is dropped.
pub struct Watch<'a> {
    held: &'a Held,
    number: u64,
    drawers: Vec<Drawer>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut state = self.held.state();
        state.leave(self.number, &self.drawers);
        self.held.count(&state);
    }
}

/// The place of a request that is held open, until this is dropped.
pub struct Place<'a> {
    watch: Watch<'a>,
    share: Share,
    signal: Arc<Notify>,
}

impl Place<'_> {
    /// Waits until there may be something to see, the mailbox moves, or the node stops. What
    /// happened since the last call counts.
    pub async fn woken(&self) {
        self.signal.notified().await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.watch.held.state();
        state.requests = state.requests.saturating_sub(1);
        if let Share::Client(client) = self.share
            && let Entry::Occupied(mut taken) = state.clients.entry(client)
        {
            *taken.get_mut() -= 1;
            if *taken.get() == 0 {
                taken.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn drawer(owner: u8, namespace: i16) -> Drawer {
        let key = warren_crypto::x25519::PublicKey::from_bytes([owner; 32]);
        (AccountId::person(&key), Namespace::new(namespace))
    }

    fn arrive(held: &Held, (owner, namespace): Drawer) {
        let hash = MessageHash::compute(&owner, namespace, b"x").unwrap();
        held.arrived(&Arrived { owner, namespace, hash, timestamp: 1, expiry: 2, data: b"x" });
    }

    fn is_woken(place: &Place<'_>) -> bool {
        place.woken().now_or_never().is_some()
    }

    #[test]
    fn an_arrival_wakes_those_who_wait_for_its_drawer_and_nobody_else() {
        let held = Held::new(100);
        let first = held.hold(Share::Unknown, vec![drawer(1, 0), drawer(1, 5)]).unwrap();
        let second = held.hold(Share::Unknown, vec![drawer(1, 0)]).unwrap();
        let other = held.hold(Share::Unknown, vec![drawer(2, 0)]).unwrap();
        arrive(&held, drawer(1, 5));
        assert_eq!([&first, &second, &other].map(is_woken), [true, false, false]);
        arrive(&held, drawer(1, 0));
        arrive(&held, drawer(1, 0));
        assert_eq!([&first, &second, &other].map(is_woken), [true, true, false]);
        assert_eq!([&first, &second, &other].map(is_woken), [false, false, false]);
    }

    #[test]
    fn what_arrives_before_the_first_look_is_not_lost() {
        let held = Held::new(100);
        let place = held.hold(Share::Unknown, vec![drawer(1, 0)]).unwrap();
        arrive(&held, drawer(1, 0));
        assert!(is_woken(&place));
    }

    #[test]
    fn places_are_bounded_by_node_by_client_and_by_drawer_and_are_given_back() {
        let held = Held::new(100);
        let address: std::net::IpAddr = "192.0.2.7".parse().unwrap();
        let client = Share::Client(address.into());
        let take = |share, owner| held.hold(share, vec![drawer(owner, 0)]);
        let mut places: Vec<_> = (0..6).map(|owner| take(client, owner).unwrap()).collect();
        assert!(take(client, 200).is_none());
        places.extend((0..MOST_PER_DRAWER).map(|_| take(Share::Unknown, 201).unwrap()));
        assert!(take(Share::Unknown, 201).is_none());
        while let Some(place) = take(Share::Unknown, u8::try_from(places.len()).unwrap()) {
            places.push(place);
        }
        assert_eq!((places.len(), held.requests()), (100, 100));
        places.drain(..1);
        places.push(take(client, 201).unwrap_or_else(|| take(client, 202).unwrap()));
        drop(places);
        assert_eq!(held.requests(), 0);
        let state = held.state();
        assert!(state.drawers.is_empty() && state.clients.is_empty());
        assert_eq!(held.drawers.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_stop_wakes_everyone_and_nobody_waits_after_it() {
        let held = Held::new(100);
        let place = held.hold(Share::Unknown, vec![drawer(1, 0)]).unwrap();
        assert!(!is_woken(&place) && held.closed().now_or_never().is_none());
        held.close();
        held.closed().await;
        assert!(is_woken(&place));
        assert!(held.hold(Share::Unknown, vec![drawer(1, 0)]).is_none());
    }
}
