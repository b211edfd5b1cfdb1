//! What a subscriber is still to be told: bounded, for a slow reader must not cost memory.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use warren_wire::AccountId;
use warren_wire::rpc::monitor::Push;

use super::registry::{Arrived, Watcher};

/// How many bytes may wait for one subscriber: a dozen of the largest messages.
const MOST_BYTES: usize = 1024 * 1024;
/// How many bytes may wait for all subscribers of a node together.
const MOST_BYTES_OF_ALL: usize = 64 * 1024 * 1024;
/// What a message counts for beside its data.
const FRAME_BYTES: usize = 256;

/// How many bytes wait for all subscribers of a node.
#[derive(Debug, Default)]
pub struct Backlog(AtomicUsize);

/// Something a subscriber is to be told.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// A message arrived.
    Arrived(Push),
    /// Other nodes keep this mailbox by a new list.
    Moved(AccountId),
}

/// What one subscriber is still to be told, in order.
pub struct Outbox {
    queue: Mutex<Queue>,
    backlog: Arc<Backlog>,
    filled: Notify,
    overflowed: Notify,
}

#[derive(Default)]
struct Queue {
    news: VecDeque<News>,
    bytes: usize,
    overflown: bool,
}

/// The subscriber reads too slowly: something was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the subscriber reads too slowly")]
pub struct Overflow;

impl Outbox {
    /// Nothing to tell yet.
    pub fn new(backlog: Arc<Backlog>) -> Self {
        let (filled, overflowed) = (Notify::new(), Notify::new());
        Self { queue: Mutex::default(), backlog, filled, overflowed }
    }

    /// Waits for the next news.
    ///
    /// # Errors
    /// Where some were left out.
    pub async fn next(&self) -> Result<News, Overflow> {
        loop {
            if let Some(news) = self.take()? {
                return Ok(news);
            }
            self.filled.notified().await;
        }
    }

    /// Waits until some were left out.
    pub async fn overflowed(&self) {
        while !self.queue().overflown {
            self.overflowed.notified().await;
        }
    }

    fn take(&self) -> Result<Option<News>, Overflow> {
        let mut queue = self.queue();
        if queue.overflown {
            return Err(Overflow);
        }
        let news = queue.news.pop_front();
        let bytes = news.as_ref().map_or(0, weight);
        queue.bytes -= bytes;
        self.backlog.0.fetch_sub(bytes, Ordering::Relaxed);
        if queue.news.is_empty() {
            queue.news.shrink_to(4);
        }
        Ok(news)
    }

    fn put(&self, news: News) {
        let bytes = weight(&news);
        let mut queue = self.queue();
        let all = self.backlog.0.fetch_add(bytes, Ordering::Relaxed) + bytes;
        queue.bytes += bytes;
        if queue.overflown || queue.bytes > MOST_BYTES || all > MOST_BYTES_OF_ALL {
            queue.overflown = true;
            self.empty(&mut queue);
            self.overflowed.notify_one();
        } else {
            queue.news.push_back(news);
        }
        drop(queue);
        self.filled.notify_one();
    }

    fn empty(&self, queue: &mut Queue) {
        self.backlog.0.fetch_sub(queue.bytes, Ordering::Relaxed);
        queue.bytes = 0;
        queue.news = VecDeque::new();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.empty(&mut self.queue());
    }
}

fn weight(news: &News) -> usize {
    match news {
        News::Arrived(push) => FRAME_BYTES + push.data.as_ref().map_or(0, Vec::len),
        News::Moved(_) => FRAME_BYTES,
    }
}

/// One subscription: what of its drawers goes into the subscriber's outbox.
pub struct Subscriber {
    /// Where to.
    pub outbox: Arc<Outbox>,
    /// Whether the messages' data is wanted.
    pub want_data: bool,
}

impl Watcher for Subscriber {
    fn arrived(&self, message: &Arrived<'_>) {
        self.outbox.put(News::Arrived(Push {
            account: message.owner,
            hash: message.hash,
            namespace: message.namespace,
            timestamp: message.timestamp,
            expiry: message.expiry,
            data: self.want_data.then(|| message.data.to_vec()),
        }));
    }

    fn moved(&self, owner: &AccountId) {
        self.outbox.put(News::Moved(*owner));
    }

    /// The socket hears of it by itself.
    fn closed(&self) {}
}

#[cfg(test)]
mod tests {
    use warren_crypto::x25519::PublicKey;
    use warren_wire::{MessageHash, Namespace};

    use super::*;

    fn subscriber(backlog: &Arc<Backlog>, want_data: bool) -> Subscriber {
        Subscriber { outbox: Arc::new(Outbox::new(Arc::clone(backlog))), want_data }
    }

    fn arrive(subscriber: &Subscriber, data: &[u8]) {
        let owner = AccountId::person(&PublicKey::from_bytes([7; 32]));
        let namespace = Namespace::DIRECT;
        let hash = MessageHash::compute(&owner, namespace, data).unwrap();
        subscriber.arrived(&Arrived { owner, namespace, hash, timestamp: 1, expiry: 2, data });
    }

    #[tokio::test]
    async fn news_come_in_order_and_with_data_where_it_is_wanted() {
        let backlog = Arc::default();
        for want_data in [true, false] {
            let subscriber = subscriber(&backlog, want_data);
            for data in [b"one", b"two"] {
                arrive(&subscriber, data);
            }
            for data in [b"one", b"two"] {
                let Ok(News::Arrived(push)) = subscriber.outbox.next().await else { panic!() };
                assert_eq!(push.data, want_data.then(|| data.to_vec()));
            }
        }
        assert_eq!(backlog.0.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn what_a_slow_reader_leaves_is_bounded_and_it_is_told() {
        let backlog = Arc::default();
        let (slow, other) = (subscriber(&backlog, true), subscriber(&backlog, true));
        for _ in 0..30 {
            arrive(&slow, &[0; 70_000]);
        }
        assert_eq!(slow.outbox.next().await.unwrap_err(), Overflow);
        assert_eq!(backlog.0.load(Ordering::Relaxed), 0);
        arrive(&other, b"x");
        assert!(other.outbox.next().await.is_ok());
        arrive(&other, b"never read");
        drop(other);
        assert_eq!(backlog.0.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn all_slow_readers_together_are_bounded_too() {
        let backlog = Arc::default();
        let all: Vec<_> = (0..200).map(|_| subscriber(&backlog, true)).collect();
        for _ in 0..12 {
            all.iter().for_each(|one| arrive(one, &[0; 70_000]));
        }
        assert!(backlog.0.load(Ordering::Relaxed) <= MOST_BYTES_OF_ALL);
        let left_out = |one: &&Subscriber| one.outbox.take() == Err(Overflow);
        let count = all.iter().filter(left_out).count();
        assert!(0 < count && count < all.len(), "{count}");
    }
}
