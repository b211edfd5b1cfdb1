//! What bodies of one client's requests hold in memory at once, so that no client takes all the room.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::StreamExt;

use super::network::Network;

/// What every client holds.
pub struct Shares {
    most: usize,
    held: Mutex<HashMap<Network, usize>>,
}

/// What one request holds of its client's share, until it is dropped.
pub struct Part {
    shares: Arc<Shares>,
    network: Network,
    taken: Mutex<usize>,
}

impl Shares {
    /// So many bytes for each client.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default() })
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
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if *taken == usize::MAX {
            return false;
        }
        let sum = held.entry(self.network).or_default();
        if sum.saturating_add(bytes) > self.shares.most {
            *sum = sum.saturating_sub(*taken);
            if *sum == 0 {
                held.remove(&self.network);
            }
            *taken = usize::MAX;
            return false;
        }
        *sum += bytes;
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
        let mut held = self.shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sum) = held.get_mut(&self.network) {
            *sum = sum.saturating_sub(taken);
            if *sum == 0 {
                held.remove(&self.network);
            }
        }
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
        let shares = Shares::new(100);
        let (first, second) = (shares.begin(client(1)), shares.begin(client(1)));
        assert!(read(&first, 60).await && !read(&second, 41).await);
        assert!(second.is_exceeded() && !first.is_exceeded());
        assert!(read(&shares.begin(client(2)), 100).await);
        drop(first);
        assert!(read(&shares.begin(client(1)), 100).await);
        drop(second);
        assert!(shares.held.lock().unwrap().is_empty());
    }
}
