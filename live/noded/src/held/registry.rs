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
use crate::limits::tally::Tally;

/// How many may wait for one drawer: the devices of a person, and room to spare.
pub const MOST_PER_DRAWER: usize = 64;
/// How many of those may wait unsigned, where anyone may read: the rest is for who proves a key.
const MOST_UNSIGNED_PER_DRAWER: usize = MOST_PER_DRAWER / 2;
/// The share of all places that one address may take.
const CLIENT_SHARE: usize = 16;
/// The share of all places for requests of which nothing is signed: behind onions, nothing else tells
/// one client from a thousand.
const UNSIGNED_SHARE: usize = 4;

/// One drawer of one mailbox.
pub type Drawer = (AccountId, Namespace);

/// What a request waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Every drawer, each once.
    pub drawers: Vec<Drawer>,
    /// Those of them for which nobody signed.
    pub unsigned: Vec<Drawer>,
}

impl From<Vec<Drawer>> for Wanted {
    /// All signed.
    fn from(drawers: Vec<Drawer>) -> Self {
        Self { drawers, unsigned: Vec::new() }
    }
}

impl Wanted {
    fn is_unsigned(&self) -> bool {
        !self.drawers.is_empty() && self.drawers.len() == self.unsigned.len()
    }
}

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
    clients: Tally,
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
    /// Of those: how many signed nothing.
    unsigned: usize,
    last_number: u64,
}

struct Registered {
    number: u64,
    is_signed: bool,
    watcher: Arc<dyn Watcher>,
}

impl Held {
    /// Room for so many requests.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            clients: Tally::new((most / CLIENT_SHARE).max(1), most),
            state: Mutex::default(),
            drawers: AtomicUsize::new(0),
            closed: watch::Sender::new(false),
            backlog: Arc::default(),
        }
    }

    /// Takes a place for a request that waits for these drawers, or for a socket; `None` where there is no place, or
    /// the node stops.
    pub fn hold(&self, share: Share, wanted: impl Into<Wanted>) -> Option<Place<'_>> {
        let (wanted, signal) = (wanted.into(), Arc::new(Notify::new()));
        let is_unsigned = wanted.is_unsigned();
        let mut state = self.state();
        let most_unsigned = (self.most / UNSIGNED_SHARE).max(1);
        if self.is_closed()
            || state.requests >= self.most
            || (is_unsigned && state.unsigned >= most_unsigned)
            || !state.have_room(&wanted, None)
        {
            return None;
        }
        if let Share::Client(client) = share
            && !self.clients.take(client, 1)
        {
            return None;
        }
        state.requests += 1;
        state.unsigned += usize::from(is_unsigned);
        let watcher: Arc<dyn Watcher> = Arc::clone(&signal) as _;
        let number = state.enter(&wanted, &watcher);
        self.count(&state);
        let watch = Watch { held: self, number, drawers: wanted.drawers };
        Some(Place { watch, share, is_unsigned, signal })
    }

    /// Registers a watcher for as long as the result is kept; `None` where too many wait for one of
    /// the drawers, or the node stops.
    pub fn watch(&self, watcher: &Arc<dyn Watcher>, drawers: Vec<Drawer>) -> Option<Watch<'_>> {
        let wanted = Wanted::from(drawers);
        let mut state = self.state();
        if self.is_closed() || !state.have_room(&wanted, None) {
            return None;
        }
        let number = state.enter(&wanted, watcher);
        self.count(&state);
        drop(state);
        Some(Watch { held: self, number, drawers: wanted.drawers })
    }

    /// Puts a watcher in the place of another, so that no arrival falls in between. Where there is no
    /// room, or the node stops, all stays as it is and this is false.
    #[must_use]
    pub fn renew(
        &self,
        watch: &mut Watch<'_>,
        watcher: &Arc<dyn Watcher>,
        drawers: Vec<Drawer>,
    ) -> bool {
        let wanted = Wanted::from(drawers);
        let mut state = self.state();
        if self.is_closed() || !state.have_room(&wanted, Some(watch.number)) {
            return false;
        }
        state.leave(watch.number, &watch.drawers);
        watch.number = state.enter(&wanted, watcher);
        watch.drawers = wanted.drawers;
        self.count(&state);
        true
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
    /// Whether there is room in every drawer, once the watcher of that number leaves.
    fn have_room(&self, wanted: &Wanted, leaving: Option<u64>) -> bool {
        let taken = |drawer: &Drawer, counts: fn(&Registered) -> bool| {
            let watchers = self.drawers.get(drawer).map_or(&[][..], Vec::as_slice);
            watchers.iter().filter(|one| Some(one.number) != leaving && counts(one)).count()
        };
        let unsigned = |drawer| taken(drawer, |one| !one.is_signed);
        wanted.drawers.iter().all(|drawer| taken(drawer, |_| true) < MOST_PER_DRAWER)
            && wanted.unsigned.iter().all(|drawer| unsigned(drawer) < MOST_UNSIGNED_PER_DRAWER)
    }

    fn enter(&mut self, wanted: &Wanted, watcher: &Arc<dyn Watcher>) -> u64 {
        self.last_number += 1;
        for drawer in &wanted.drawers {
            let registered = Registered {
                number: self.last_number,
                is_signed: !wanted.unsigned.contains(drawer),
                watcher: Arc::clone(watcher),
            };
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
    is_unsigned: bool,
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
        state.unsigned = state.unsigned.saturating_sub(usize::from(self.is_unsigned));
        drop(state);
        if let Share::Client(client) = self.share {
            self.watch.held.clients.give_back(client, 1);
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
        assert!(state.drawers.is_empty() && held.clients.is_empty());
        assert_eq!(held.drawers.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn who_signs_nothing_finds_fewer_places_and_leaves_the_rest_to_who_does() {
        let held = Held::new(100);
        let open = |owner| {
            let drawers = vec![drawer(owner, 0)];
            held.hold(Share::Unknown, Wanted { unsigned: drawers.clone(), drawers })
        };
        let places: Vec<_> = (0..25).map(|owner| open(owner).unwrap()).collect();
        assert!(open(200).is_none());
        let signed: Vec<_> =
            (0..75).filter_map(|owner| held.hold(Share::Unknown, vec![drawer(owner, 0)])).collect();
        assert_eq!(signed.len(), 75);
        drop((places, signed));

        let held = Held::new(1_000);
        let drawers = vec![drawer(1, 0), drawer(2, 0)];
        let half = || Wanted { drawers: drawers.clone(), unsigned: vec![drawer(1, 0)] };
        let places: Vec<_> = (0..MOST_UNSIGNED_PER_DRAWER)
            .map(|_| held.hold(Share::Unknown, half()).unwrap())
            .collect();
        assert!(held.hold(Share::Unknown, half()).is_none());
        assert!(held.hold(Share::Unknown, drawers.clone()).is_some());
        drop(places);
        assert!(held.hold(Share::Unknown, half()).is_some());
        assert_eq!((held.requests(), held.state().unsigned), (0, 0));
    }

    #[test]
    fn a_watch_is_renewed_at_once_or_left_as_it_is() {
        struct Count(AtomicUsize);
        impl Watcher for Count {
            fn arrived(&self, _message: &Arrived<'_>) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
            fn moved(&self, _owner: &AccountId) {}
            fn closed(&self) {}
        }
        let held = Held::new(100);
        let counts = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let [first, second] = counts.clone().map(|count| count as Arc<dyn Watcher>);
        let mut watch = held.watch(&first, vec![drawer(1, 0)]).unwrap();
        let others: Vec<_> = (1..MOST_PER_DRAWER)
            .map(|_| held.hold(Share::Unknown, vec![drawer(1, 0)]).unwrap())
            .collect();
        let full: Vec<_> = (0..MOST_PER_DRAWER)
            .map(|_| held.watch(&second, vec![drawer(2, 5)]).unwrap())
            .collect();
        assert!(!held.renew(&mut watch, &second, vec![drawer(1, 0), drawer(2, 5)]));
        arrive(&held, drawer(1, 0));
        // Its own place counts as free.
        assert!(held.renew(&mut watch, &second, vec![drawer(1, 0)]));
        arrive(&held, drawer(1, 0));
        assert_eq!(counts.map(|count| count.0.load(Ordering::SeqCst)), [1, 1]);
        drop((watch, others, full));
        assert!(held.state().drawers.is_empty());
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
