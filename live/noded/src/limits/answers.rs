//! Answers on their way out: how much memory those may hold together whose clients do not read.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// In what steps room is taken.
const KIB: usize = 1024;
/// Smaller answers are not counted: their number is bounded by that of the requests.
const SMALL: usize = 4 * KIB;
/// Larger ones are streamed from a disk and hold a piece at a time.
const LARGEST: usize = 32 * 1024 * KIB;

/// The room that all answers of one server share.
#[derive(Debug)]
pub struct Answers {
    room: Arc<Semaphore>,
}

/// Bytes that give their room back when the last of them was sent or dropped.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Answers {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(bytes / KIB)) }
    }

    /// How many bytes of answers still find room.
    pub fn free(&self) -> usize {
        self.room.available_permits() * KIB
    }

    /// Counts an answer until its client has it; `None` where there is no room for it.
    pub async fn hold(&self, response: Response) -> Option<Response> {
        let size = response.body().size_hint().exact();
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        if size <= SMALL || size > LARGEST {
            return Some(response);
        }
        let kib = u32::try_from(size.div_ceil(KIB)).ok()?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(kib).ok()?;
        let (head, body) = response.into_parts();
        // A body of a known size is in memory, so this waits for nothing.
        let bytes = axum::body::to_bytes(body, size).await.ok()?;
        let held = Bytes::from_owner(Held { bytes, _room: room });
        Some(Response::from_parts(head, Body::from(held)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize) -> Response {
        Response::new(Body::from(vec![b'x'; size]))
    }

    #[tokio::test]
    async fn an_answer_takes_its_room_until_it_is_sent() {
        let answers = Answers::new(100 * KIB);
        let first = answers.hold(answer(60 * KIB)).await.unwrap();
        assert_eq!(answers.free(), 40 * KIB);
        assert!(answers.hold(answer(41 * KIB)).await.is_none());
        assert!(answers.hold(answer(SMALL)).await.is_some());
        let bytes = axum::body::to_bytes(first.into_body(), usize::MAX).await.unwrap();
        assert_eq!((bytes.len(), answers.free()), (60 * KIB, 40 * KIB));
        drop(bytes);
        assert!(answers.hold(answer(41 * KIB)).await.is_some());
    }
}
