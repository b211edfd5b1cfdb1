//! Files between the network's side, which never waits, and the disk's, which does.

use std::io::{self, Read};

use axum::body::{Body, Bytes};
use futures_util::stream::poll_fn;
use tokio::sync::mpsc;

/// How many bytes are read at a time.
const PART_BYTES: usize = 64 * 1024;

/// Reads what comes in parts. It waits for them, so that it must not be read on a task.
#[derive(Debug)]
pub struct BodyReader {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    part: Bytes,
}

impl BodyReader {
    /// Reads until the sender is gone.
    pub const fn new(parts: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self { parts, part: Bytes::new() }
    }
}

impl Read for BodyReader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                None => return Ok(0),
                Some(part) => self.part = part?,
            }
        }
        let bytes = self.part.as_ref().read(to)?;
        let _ = self.part.split_to(bytes);
        Ok(bytes)
    }
}

/// What a reader gives as a body; an error ends it without its end, so that nobody takes half for all.
pub fn body(mut from: impl Read + Send + 'static, ahead: usize) -> Body {
    let (parts, mut coming) = mpsc::channel::<io::Result<Bytes>>(ahead);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut part = Vec::with_capacity(PART_BYTES);
            let limit = u64::try_from(PART_BYTES).unwrap_or(u64::MAX);
            let read = from.by_ref().take(limit).read_to_end(&mut part);
            let part = match read {
                Ok(0) => return,
                Ok(_) => Ok(part.into()),
                Err(error) => Err(error),
            };
            let is_last = part.is_err();
            // Whoever is gone wants no more.
            if parts.blocking_send(part).is_err() || is_last {
                return;
            }
        }
    });
    Body::from_stream(poll_fn(move |context| coming.poll_recv(context)))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_is_read_as_a_body_and_back_is_the_same() {
        let content: Vec<u8> = (0_u32..100_000).flat_map(u32::to_le_bytes).collect();
        let mut sent = body(io::Cursor::new(content.clone()), 2);
        let (parts, coming) = mpsc::channel(2);
        let read = tokio::task::spawn_blocking(move || {
            let mut all = Vec::new();
            BodyReader::new(coming).read_to_end(&mut all).map(|_| all)
        });
        while let Some(frame) = sent.frame().await {
            parts.send(Ok(frame.unwrap().into_data().unwrap())).await.unwrap();
        }
        drop(parts);
        assert!(read.await.unwrap().unwrap() == content);
    }

    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("torn"));
            }
            to.fill(7);
            Ok(to.len())
        }
    }

    #[tokio::test]
    async fn half_a_file_is_an_error() {
        assert!(body(Broken(false), 2).collect().await.is_err());
        let (parts, coming) = mpsc::channel(2);
        parts.send(Ok(Bytes::from_static(b"half"))).await.unwrap();
        parts.send(Err(io::ErrorKind::UnexpectedEof.into())).await.unwrap();
        let read = tokio::task::spawn_blocking(move || {
            BodyReader::new(coming).read_to_end(&mut Vec::new())
        });
        assert!(read.await.unwrap().is_err());
    }
}
