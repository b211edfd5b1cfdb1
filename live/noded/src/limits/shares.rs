//! What bodies of one client's requests hold in memory at once, so that no client takes all the room.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::StreamExt;

use super::network::Network;
use super::tally::Tally;

/// What every client holds.
pub struct Shares {
    held: Tally,
}

/// What one request holds of its client's share, until it is dropped.
pub struct Part {
    shares: Arc<Shares>,
    network: Network,
    taken: Mutex<usize>,
}

impl Shares {
    /// So many bytes for each client, of so many in all.
    pub fn new(most: usize, all: usize) -> Arc<Self> {
        Arc::new(Self { held: Tally::new(most, all) })
    }

    /// Begins a request of a client.
    pub fn begin(self: &Arc<Self>, network: Network) -> Arc<Part> {
        Arc::new(Part { shares: Arc::clone(self), network, taken: Mutex::default() })
    }
}

impl Part {
    /// Counts the bytes of a body as they come; beyond the share it breaks off.
    pub fn count(self: &Arc<Self>, body: Body) -> Body {
        let part = Arc::clone(self);
        Body::from_stream(body.into_data_stream().map(move |piece| {
            let piece = piece.map_err(io::Error::other)?;
            if part.take(piece.len()) { Ok(piece) } else { Err(io::Error::other("no room")) }
        }))
    }

    /// Whether the client wanted more than its share.
    pub fn is_exceeded(&self) -> bool {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) == usize::MAX
    }

    fn take(&self, bytes: usize) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken == usize::MAX {
            return false;
        }
        if !self.shares.held.take(self.network, bytes) {
            self.shares.held.give_back(self.network, *taken);
            *taken = usize::MAX;
            return false;
        }
        *taken += bytes;
        true
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken == 0 || taken == usize::MAX {
            return;
        }
        self.shares.held.give_back(self.network, taken);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn client(last: u8) -> Network {
        IpAddr::from(Ipv4Addr::new(192, 0, 2, last)).into()
    }

    async fn read(part: &Arc<Part>, bytes: usize) -> bool {
        let body = part.count(Body::from(vec![b'x'; bytes]));
        axum::body::to_bytes(body, usize::MAX).await.is_ok()
    }

    #[tokio::test]
    async fn a_client_has_its_share_and_gets_it_back() {
        let shares = Shares::new(100, 1_000);
        let (first, second) = (shares.begin(client(1)), shares.begin(client(1)));
        assert!(read(&first, 60).await && !read(&second, 41).await);
        assert!(second.is_exceeded() && !first.is_exceeded());
        assert!(read(&shares.begin(client(2)), 100).await);
        drop(first);
        assert!(read(&shares.begin(client(1)), 100).await);
        drop(second);
        assert!(shares.held.is_empty());
    }
}
