//! Who may come in: how many connections there are in all and from one client, how fast new ones
//! come, and whose connection is closed because it does not stop asking.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::due::{Due, Dues};
use super::network::Network;
use super::rate::{Rate, Rates};
use super::tally::Tally;

/// After so many more refusals than answers a connection is closed: refusing costs the node more
/// than a closed connection does.
const MOST_REFUSALS: u32 = 64;

/// What one client may have.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// Connections open at once.
    pub connections: usize,
    /// How fast it may open new ones.
    pub arrivals: Rate,
}

/// The doors of one server.
pub struct Doors {
    room: Arc<Semaphore>,
    share: Option<Share>,
    arrivals: Rates<Network>,
    counts: Tally,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    connections: HashMap<SocketAddr, Arc<Connection>>,
}

/// What is known of a connection.
#[derive(Default)]
struct Connection {
    refusals: AtomicU32,
    dues: Arc<Dues>,
}

/// A connection's leave to stay, until it is dropped.
pub struct Entry {
    doors: Arc<Doors>,
    peer: SocketAddr,
    connection: Arc<Connection>,
    _room: OwnedSemaphorePermit,
}

impl Doors {
    /// Room for so many connections; of each client, its share.
    pub fn new(most: usize, share: Option<Share>) -> Arc<Self> {
        Arc::new(Self {
            room: Arc::new(Semaphore::new(most)),
            share,
            arrivals: Rates::default(),
            counts: Tally::new(share.map_or(usize::MAX, |share| share.connections), most),
            inside: Mutex::default(),
        })
    }

    /// Lets a connection in; `None` where it has to be closed at once.
    pub fn enter(self: &Arc<Self>, peer: SocketAddr, trusted: bool) -> Option<Entry> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let network = Network::from(peer.ip());
        let share = self.share.filter(|_| !trusted);
        let now = Instant::now();
        if share.is_some_and(|it| !self.arrivals.admit_client(network, |it| it, it.arrivals, now)) {
            return None;
        }
        match share {
            Some(_) if !self.counts.take(network, 1) => return None,
            Some(_) => {}
            None => self.counts.take_anyway(network, 1),
        }
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = Arc::<Connection>::default();
        inside.connections.insert(peer, Arc::clone(&connection));
        Some(Entry { doors: Arc::clone(self), peer, connection, _room: room })
    }

    /// Notes that a request of this connection was refused for its number.
    pub fn refused(&self, peer: SocketAddr) {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = inside.connections.get(&peer) {
            connection.refusals.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that a request of this connection was served.
    pub fn served(&self, peer: SocketAddr) {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = inside.connections.get(&peer) {
            let less = |count: u32| Some(count.saturating_sub(1));
            let _ = connection.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        }
    }

    /// Notes that an answer of so many bytes is on its way; the connection ends where it is not
    /// taken in time.
    pub fn answering(&self, peer: SocketAddr, bytes: usize) -> Option<Due> {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.connections.get(&peer).map(|connection| connection.dues.begin(bytes))
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).connections.len()
    }
}

impl Entry {
    /// Whether the connection has to end.
    pub fn is_shut(&self) -> bool {
        self.connection.refusals.load(Ordering::Relaxed) >= MOST_REFUSALS
    }

    /// By when the first of the answers on their way has to be taken.
    pub fn first_due(&self) -> Option<tokio::time::Instant> {
        self.connection.dues.first()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut inside = self.doors.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.connections.remove(&self.peer);
        drop(inside);
        self.doors.counts.give_back(self.peer.ip().into(), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8, port: u16) -> SocketAddr {
        ([192, 0, 2, last], port).into()
    }

    fn share(connections: usize, burst: u32) -> Option<Share> {
        Some(Share { connections, arrivals: Rate { burst: burst.into(), per_second: 0.0 } })
    }

    #[test]
    fn one_client_takes_its_share_and_leaves_the_rest_to_others() {
        let doors = Doors::new(5, share(2, 100));
        let held: Vec<_> = (1..=2).map(|port| doors.enter(peer(1, port), false).unwrap()).collect();
        assert!(doors.enter(peer(1, 3), false).is_none());
        let trusted = doors.enter(peer(1, 4), true);
        assert!(trusted.is_some() && doors.enter(peer(2, 1), false).is_some());
        assert_eq!(doors.connections(), 3);
        drop((held, trusted));
        assert!(doors.enter(peer(1, 3), false).is_some());
        assert_eq!(doors.connections(), 0);
        assert!(doors.counts.is_empty());
    }

    #[test]
    fn a_client_that_comes_and_goes_too_fast_stays_outside() {
        let doors = Doors::new(5, share(5, 3));
        assert_eq!((0..9).filter(|_| doors.enter(peer(1, 1), false).is_some()).count(), 3);
        assert!(doors.enter(peer(2, 1), false).is_some());
    }

    #[test]
    fn households_of_one_site_share_what_eight_may_open() {
        let doors = Doors::new(1_000, share(2, 100));
        let peer = |number: u16| SocketAddr::from(([0x2001, 0xdb8, 1, number, 0, 0, 0, 1], number));
        let held: Vec<_> = (0..100).filter_map(|number| doors.enter(peer(number), false)).collect();
        assert_eq!(held.len(), 16);
        assert!(
            doors.enter(SocketAddr::from(([0x2001, 0xdb8, 2, 1, 0, 0, 0, 1], 1)), false).is_some()
        );
    }

    #[test]
    fn a_connection_that_does_not_stop_asking_is_shut() {
        let doors = Doors::new(5, None);
        let entry = doors.enter(peer(1, 1), false).unwrap();
        (0..500).for_each(|_| {
            doors.refused(peer(1, 1));
            doors.served(peer(1, 1));
        });
        (0..63).for_each(|_| doors.refused(peer(1, 1)));
        assert!(!entry.is_shut());
        doors.refused(peer(1, 1));
        assert!(entry.is_shut());
    }
}
