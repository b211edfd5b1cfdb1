//! Answers on their way out: how much memory those may hold whose clients do not read them, in all
//! and for one client.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::due::Due;
use super::network::Network;
use super::tally::Tally;

/// In what steps room is taken.
const KIB: usize = 1024;

/// The room that all answers of one server share.
pub struct Answers {
    room: Arc<Semaphore>,
    clients: Arc<Tally>,
}

/// What one answer holds of its client's share, until it is dropped.
struct Part {
    clients: Arc<Tally>,
    client: Network,
    bytes: usize,
}

/// Bytes that give their room back when the last of them was sent or dropped.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
    _part: Option<Part>,
    _due: Option<Due>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Answers {
    /// Room for so many bytes, and how many of them one client's answers may take.
    pub fn new(bytes: usize, of_one_client: usize) -> Self {
        let clients = Arc::new(Tally::new(of_one_client, bytes));
        Self { room: Arc::new(Semaphore::new(bytes / KIB)), clients }
    }

    /// How many bytes of answers still find room.
    pub fn free(&self) -> usize {
        self.room.available_permits() * KIB
    }

    /// Counts an answer until its client has it; `None` where there is no room for it. `due` says of
    /// an answer of so many bytes by when it has to be taken. An answer of a size that is not known
    /// beforehand is streamed from a disk, holds a piece at a time and is not counted.
    pub async fn hold(
        &self,
        response: Response,
        client: Option<Network>,
        due: impl FnOnce(usize) -> Option<Due>,
    ) -> Option<Response> {
        let size = response.body().size_hint().exact();
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()).filter(|it| *it > 0)
        else {
            return Some(response);
        };
        let kib = u32::try_from(size.div_ceil(KIB)).ok()?;
        let part = match client {
            Some(client) => Some(self.part(client, size.next_multiple_of(KIB))?),
            None => None,
        };
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).ok()?;
        let (head, body) = response.into_parts();
        // A body of a known size is in memory, so this waits for nothing.
        let bytes = axum::body::to_bytes(body, size).await.ok()?;
        let held = Held { bytes, _room: room, _part: part, _due: due(size) };
        Some(Response::from_parts(head, Body::from(Bytes::from_owner(held))))
    }

    /// Takes a part of a client's share. A single answer may be larger than the share.
    fn part(&self, client: Network, bytes: usize) -> Option<Part> {
        let taken = self.clients.take_one(client, bytes);
        taken.then(|| Part { clients: Arc::clone(&self.clients), client, bytes })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.clients.give_back(self.client, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn answer(size: usize) -> Response {
        Response::new(Body::from(vec![b'x'; size]))
    }

    fn client(last: u8) -> Option<Network> {
        Some(IpAddr::from(Ipv4Addr::new(192, 0, 2, last)).into())
    }

    async fn held(answers: &Answers, size: usize, client: Option<Network>) -> Option<Response> {
        answers.hold(answer(size), client, |_| None).await
    }

    #[tokio::test]
    async fn an_answer_takes_its_room_until_it_is_sent() {
        let answers = Answers::new(100 * KIB, 100 * KIB);
        let first = held(&answers, 60 * KIB, None).await.unwrap();
        assert_eq!(answers.free(), 40 * KIB);
        assert!(held(&answers, 41 * KIB, None).await.is_none());
        let bytes = axum::body::to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert_eq!((bytes.len(), answers.free()), (60 * KIB, 40 * KIB));
        drop(bytes);
        assert!(held(&answers, 41 * KIB, None).await.is_some());
    }

    #[tokio::test]
    async fn small_answers_count_as_well() {
        let answers = Answers::new(10 * KIB, 10 * KIB);
        let mut kept = Vec::new();
        while let Some(answer) = held(&answers, 100, None).await {
            kept.push(answer);
        }
        assert_eq!(kept.len(), 10);
        assert!(held(&answers, 0, None).await.is_some());
    }

    #[tokio::test]
    async fn answers_to_one_client_leave_room_for_those_to_others() {
        let answers = Answers::new(100 * KIB, 10 * KIB);
        // One answer is given in any case, however large it is.
        let first = held(&answers, 20 * KIB, client(1)).await.unwrap();
        assert!(held(&answers, 1, client(1)).await.is_none());
        let others = [held(&answers, 9 * KIB, client(2)).await, held(&answers, 1, client(2)).await];
        assert!(others.iter().all(Option::is_some));
        assert!(held(&answers, 1, client(2)).await.is_none());
        assert!(held(&answers, 30 * KIB, None).await.is_some());
        drop((first, others));
        assert!(answers.clients.is_empty());
        assert_eq!(answers.free(), 100 * KIB);
    }
}
