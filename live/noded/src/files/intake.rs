//! The bytes of an upload on their way to the disk: part by part, so that no more than one part of a
//! file is in memory.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::error::FilesError;

/// Bytes of a part: what one upload keeps in memory.
pub(super) const PART_BYTES: usize = 4 * 1024 * 1024;
/// How long a part may take to come: 14 KB/s.
const PART_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a client may send nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// A part, and why there is none after it.
pub(super) struct Part {
    /// At most [`PART_BYTES`].
    pub(super) bytes: Bytes,
    /// What comes after.
    pub(super) then: Then,
}

/// What comes after a part.
pub(super) enum Then {
    /// Perhaps another one.
    More,
    /// The body's end.
    End,
    /// Nothing, for this reason.
    Broken(FilesError),
}

/// A body that is cut into parts.
pub(super) struct Intake {
    chunks: axum::body::BodyDataStream,
    /// What came beyond the last part's end.
    left: Bytes,
}

impl Intake {
    pub(super) fn new(body: Body) -> Self {
        Self { chunks: body.into_data_stream(), left: Bytes::new() }
    }

    /// The next part, of at most `most` bytes, as soon as it is full or the body is over.
    pub(super) async fn next(&mut self, most: usize) -> Part {
        let most = most.min(PART_BYTES);
        let end = Instant::now() + PART_TIMEOUT;
        let first = self.left.split_to(self.left.len().min(most));
        if first.len() == most {
            return Part { bytes: first, then: Then::More };
        }
        let mut part = first.to_vec();
        loop {
            let silent = Instant::now() + SILENCE;
            let mut chunk = match timeout_at(end.min(silent), self.chunks.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(None) => return Part { bytes: part.into(), then: Then::End },
                Ok(Some(Err(_))) => {
                    let then = Then::Broken(FilesError::BrokenOff);
                    return Part { bytes: part.into(), then };
                }
                Err(_) => {
                    return Part { bytes: part.into(), then: Then::Broken(FilesError::TooSlow) };
                }
            };
            let fits = chunk.split_to(chunk.len().min(most - part.len()));
            part.extend_from_slice(&fits);
            if part.len() == most {
                self.left = chunk;
                return Part { bytes: part.into(), then: Then::More };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_is_cut_into_parts_whatever_its_chunks_are() {
        let body =
            Body::from_stream(stream::iter(["abc", "", "defghi", "j"].map(Ok::<_, io::Error>)));
        let mut intake = Intake::new(body);
        for expected in ["abcd", "efgh"] {
            let part = intake.next(4).await;
            assert_eq!(part.bytes, expected);
            assert!(matches!(part.then, Then::More));
        }
        let part = intake.next(4).await;
        assert_eq!(part.bytes, "ij");
        assert!(matches!(part.then, Then::End));
    }

    #[tokio::test]
    async fn what_came_before_a_break_is_given() {
        let pieces = [Ok("abc"), Err(io::Error::from(io::ErrorKind::UnexpectedEof))];
        let part = Intake::new(Body::from_stream(stream::iter(pieces))).next(10).await;
        assert_eq!(part.bytes, "abc");
        assert!(matches!(part.then, Then::Broken(FilesError::BrokenOff)));
    }

    #[tokio::test]
    async fn a_client_that_falls_silent_is_given_up() {
        tokio::time::pause();
        let endless = Body::from_stream(stream::pending::<Result<&str, io::Error>>());
        let part = Intake::new(endless).next(10).await;
        assert!(matches!(part.then, Then::Broken(FilesError::TooSlow)));
    }
}
