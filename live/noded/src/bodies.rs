//! Bodies of requests on their way in: how large one may be, how slow, and how many at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as HttpBody;
use futures_util::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// In what steps room is taken.
const KIB: usize = 1024;
/// How long a whole body may take: the largest at a megabit and a half per second.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// In each stretch of so long a body that is under way has to grow: a sender that pauses would have
/// its room for nothing.
const STRETCH: Duration = Duration::from_secs(15);
/// By one part in so many of what had come before; less than any sender at a constant rate brings.
const LEAST_GROWTH: usize = 8;
/// How long a body waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It grew beyond what is allowed.
    #[error("Request body too large")]
    TooLarge,
    /// It took too long.
    #[error("Request Timeout\n")]
    TooSlow,
    /// Its sender went away.
    #[error("Bad Request\n")]
    BrokenOff,
    /// Too many others are in memory.
    #[error("Server busy, try again later")]
    Busy,
}

impl BodyError {
    /// The HTTP status that says so.
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::BrokenOff => 400,
            Self::Busy => 503,
        }
    }
}

/// A body in memory, which takes its room until it is dropped.
#[derive(Debug)]
pub struct HeldBody {
    bytes: Vec<u8>,
    room: OwnedSemaphorePermit,
}

impl HeldBody {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for HeldBody {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

/// The room that all bodies of one server share.
///
/// Room is taken for bytes that have come, not for those announced: whoever sends nothing takes
/// nothing.
#[derive(Debug)]
pub struct Bodies {
    room: Arc<Semaphore>,
}

impl Bodies {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { room: Arc::new(Semaphore::new(bytes / KIB)) }
    }

    /// How many bytes still find room.
    pub fn free(&self) -> usize {
        self.room.available_permits() * KIB
    }

    /// Reads a body of at most so many bytes.
    ///
    /// # Errors
    /// Where it is too large, too slow or incomplete, or there is no room for it.
    pub async fn read(&self, body: HttpBody, most: usize) -> Result<HeldBody, BodyError> {
        timeout(READ_TIMEOUT, self.collect(body, most)).await.unwrap_or(Err(BodyError::TooSlow))
    }

    async fn collect(&self, body: HttpBody, most: usize) -> Result<HeldBody, BodyError> {
        let mut held = HeldBody { bytes: Vec::new(), room: self.take(0).await? };
        let mut chunks = body.into_data_stream();
        let (mut end, mut before) = (Instant::now() + STRETCH, 0);
        loop {
            let Ok(chunk) = timeout_at(end, chunks.next()).await else {
                let grown = held.bytes.len() - before;
                if grown <= before / LEAST_GROWTH {
                    return Err(BodyError::TooSlow);
                }
                (end, before) = (end + STRETCH, held.bytes.len());
                continue;
            };
            let Some(chunk) = chunk else { return Ok(held) };
            let chunk = chunk.map_err(|_| BodyError::BrokenOff)?;
            let length = held.bytes.len() + chunk.len();
            if length > most {
                return Err(BodyError::TooLarge);
            }
            let wanted = length.div_ceil(KIB).saturating_sub(held.room.num_permits());
            held.room.merge(self.take(wanted).await?);
            held.bytes.extend_from_slice(&chunk);
        }
    }

    async fn take(&self, kib: usize) -> Result<OwnedSemaphorePermit, BodyError> {
        let kib = u32::try_from(kib).map_err(|_| BodyError::TooLarge)?;
        match timeout(PATIENCE, Arc::clone(&self.room).acquire_many_owned(kib)).await {
            Ok(Ok(room)) => Ok(room),
            _ => Err(BodyError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    const ROOM_BYTES: usize = 256 * 1024 * KIB;

    fn body(length: usize) -> HttpBody {
        vec![b'x'; length].into()
    }

    #[tokio::test]
    async fn bodies_beyond_the_room_wait_and_are_then_refused() {
        let bodies = Bodies::new(4 * KIB);
        let first = bodies.read(body(3 * KIB - 1), usize::MAX).await.unwrap();
        let second = bodies.read(body(KIB), usize::MAX).await.unwrap();
        assert_eq!(bodies.read(body(1), usize::MAX).await.unwrap_err(), BodyError::Busy);
        let (freed, read) = tokio::join!(
            async {
                tokio::time::sleep(PATIENCE / 4).await;
                drop(second);
            },
            bodies.read(body(1), usize::MAX),
        );
        assert_eq!((freed, read.unwrap().bytes()), ((), &b"x"[..]));
        drop(first);
        assert_eq!(bodies.read(body(4 * KIB), usize::MAX).await.unwrap().bytes().len(), 4 * KIB);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_told_from_one_that_is_too_large() {
        let bodies = Bodies::new(ROOM_BYTES);
        assert_eq!(bodies.read(body(11), 10).await.unwrap_err(), BodyError::TooLarge);
        assert_eq!(bodies.read(body(10), 10).await.unwrap().bytes().len(), 10);
        let pieces = [Ok("abc"), Err(io::Error::from(io::ErrorKind::UnexpectedEof))];
        let broken = HttpBody::from_stream(stream::iter(pieces));
        assert_eq!(bodies.read(broken, 10).await.unwrap_err(), BodyError::BrokenOff);
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_given_up() {
        tokio::time::pause();
        let bodies = Bodies::new(ROOM_BYTES);
        let endless = HttpBody::from_stream(stream::pending::<Result<&str, io::Error>>());
        assert_eq!(bodies.read(endless, 10).await.unwrap_err(), BodyError::TooSlow);
    }

    /// A body of so many bytes at once, and so many more each second up to a number of seconds.
    fn dripping(first: usize, then: usize, seconds: usize) -> HttpBody {
        let drips = stream::iter(0..seconds).then(move |_| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, io::Error>(vec![b'x'; then])
        });
        HttpBody::from_stream(stream::iter([Ok(vec![b'x'; first])]).chain(drips))
    }

    #[tokio::test]
    async fn a_body_that_all_but_stops_is_given_up_and_a_slow_one_is_not() {
        tokio::time::pause();
        let bodies = Bodies::new(ROOM_BYTES);
        let began = Instant::now();
        let stopping = bodies.read(dripping(9 * KIB * KIB, 1, 59), usize::MAX).await;
        assert_eq!(stopping.unwrap_err(), BodyError::TooSlow);
        assert!(began.elapsed() < READ_TIMEOUT - STRETCH, "{:?}", began.elapsed());
        assert_eq!(bodies.free(), ROOM_BYTES);
        let slow = bodies.read(dripping(0, 100, 55), usize::MAX).await.unwrap();
        assert_eq!(slow.bytes().len(), 5_500);
    }
}
