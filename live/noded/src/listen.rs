//! Connections of a server: how many there may be, and how long one may stay silent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::Server;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};

/// The most connections of one server, where the operating system allows as many: those who wait
/// for messages have one each.
const MOST_CONNECTIONS: usize = 65_536;
/// The most connections where the operating system does not say how many files may be open.
const CAUTIOUS_CONNECTIONS: usize = 4_096;
/// The files that the storage and the connections to other nodes may need.
const OTHER_FILES: usize = 4_096;
/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the head of a request may take, and an unused connection of HTTP/1 stays open.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a client of HTTP/2 is asked whether it is still there, and how long it may take to say
/// so.
const PING: Duration = Duration::from_secs(20);
/// The most requests at once on one connection of HTTP/2.
const MOST_STREAMS: u32 = 256;
/// By so many bytes it is clear which HTTP is spoken, and the timers of that HTTP take over.
const PREFACE_BYTES: usize = 24;

/// Bounds the connections of a server, their number and their silence.
pub fn bounded<A>(server: Server<A>) -> Server<Bounded<A>> {
    bounded_to(server, most_connections())
}

fn bounded_to<A>(server: Server<A>, most: usize) -> Server<Bounded<A>> {
    let room = Arc::new(Semaphore::new(most));
    let mut server = server.map(|inner| Bounded { inner, room });
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(MOST_STREAMS);
    server
}

/// As many files as this process may have open, but for those that it needs otherwise: at most half.
fn most_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let free = |files: usize| files - OTHER_FILES.min(files / 2);
    open_files(&limits).map_or(CAUTIOUS_CONNECTIONS, |files| MOST_CONNECTIONS.min(free(files)))
}

/// The soft limit for open files, out of Linux' list of limits.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Accepts connections while there is room, and closes those beyond at once.
#[derive(Debug, Clone)]
pub struct Bounded<A> {
    inner: A,
    room: Arc<Semaphore>,
}

impl<A, S> Accept<TcpStream, S> for Bounded<A>
where
    A: Accept<TcpStream, S>,
    A::Future: Send + 'static,
{
    type Stream = Connection<A::Stream>;
    type Service = A::Service;
    type Future =
        Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send + 'static>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return Box::pin(async { Err(io::Error::other("too many connections")) });
        };
        // Small answers must not wait for the acknowledgement of the ones before; a socket that
        // cannot be told so still works.
        let _ = stream.set_nodelay(true);
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = timeout(HANDSHAKE_TIMEOUT, accepting).await??;
            let silence = Some(Box::pin(sleep(HEAD_TIMEOUT)));
            Ok((Connection { stream, received: 0, silence, _room: room }, service))
        })
    }
}

/// An accepted connection, which takes its room until it is dropped.
///
/// It ends by an error where its first bytes do not come: the HTTP library sets no time for those.
#[derive(Debug)]
pub struct Connection<S> {
    stream: S,
    received: usize,
    silence: Option<Pin<Box<Sleep>>>,
    _room: OwnedSemaphorePermit,
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Some(silence) = &mut self.silence {
            if read.is_pending() {
                ready!(silence.as_mut().poll(cx));
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.received += buffer.filled().len() - before;
            if self.received >= PREFACE_BYTES {
                self.silence = None;
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::routing::get;
    use axum_server::Handle;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    async fn serve(most: usize) -> SocketAddr {
        let router = Router::new().route("/", get(async || "here"));
        let handle = Handle::new();
        let server = bounded_to(axum_server::bind("127.0.0.1:0".parse().unwrap()), most);
        tokio::spawn(server.handle(handle.clone()).serve(router.into_make_service()));
        handle.listening().await.unwrap()
    }

    async fn connect(address: SocketAddr, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }

    /// Whether the other side answers, or closes without a word.
    async fn is_answered(stream: &mut TcpStream) -> bool {
        stream.read_u8().await.is_ok()
    }

    #[tokio::test]
    async fn connections_beyond_the_most_are_closed_at_once() {
        let address = serve(2).await;
        let mut first = connect(address, REQUEST).await;
        let mut second = connect(address, REQUEST).await;
        assert!(is_answered(&mut first).await && is_answered(&mut second).await);
        assert!(!is_answered(&mut connect(address, REQUEST).await).await);
        drop(first);
        while !is_answered(&mut connect(address, REQUEST).await).await {}
        second.write_all(REQUEST).await.unwrap();
        assert!(is_answered(&mut second).await);
    }

    #[tokio::test]
    async fn a_connection_that_does_not_finish_the_head_of_a_request_is_closed() {
        let address = serve(9).await;
        let openings = [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\n", &REQUEST[..20], &REQUEST[..26]];
        let mut silent = Vec::new();
        for opening in openings {
            silent.push(connect(address, opening).await);
        }
        let mut used = connect(address, REQUEST).await;
        assert!(is_answered(&mut used).await);
        tokio::time::pause();
        for (mut stream, opening) in silent.into_iter().zip(openings) {
            let mut rest = Vec::new();
            let closed = timeout(2 * HEAD_TIMEOUT, stream.read_to_end(&mut rest)).await;
            assert!(closed.is_ok(), "{}", opening.escape_ascii());
        }
        let mut rest = Vec::new();
        assert!(timeout(2 * HEAD_TIMEOUT, used.read_to_end(&mut rest)).await.is_ok());
    }

    #[test]
    fn the_limit_for_open_files_is_the_soft_one() {
        let limits = "Limit            Soft Limit  Hard Limit  Units\n\
                      Max processes    9           9           processes\n\
                      Max open files   1024        524288      files\n";
        assert_eq!(open_files(limits), Some(1024));
        assert_eq!(open_files("Max open files  unlimited  unlimited  files"), None);
    }
}
