//! Connections of a server: how many there may be, and how long one may stay silent.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::Server;
use axum_server::accept::Accept;
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use crate::limits::doors::{Doors, Entry, Share};
use crate::limits::rate::Rate;

/// The most connections where the operating system does not say how many files may be open.
const CAUTIOUS_CONNECTIONS: usize = 4_096;
/// The files that the storage and the connections to other nodes may need.
const OTHER_FILES: usize = 4_096;
/// How long a client may take no byte of what is sent to it, where nothing else is configured.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
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

/// What one client may have of an authority's or a seed's connections.
const DIRECTORY_SHARE: Share =
    Share { connections: 64, arrivals: Rate { burst: 200.0, per_second: 20.0 } };

/// Who comes in, who is known to bring the requests of many, and how long a client may not read.
#[derive(Clone)]
pub struct Bounds {
    /// Who comes in.
    pub doors: Arc<Doors>,
    /// Whose connections are not counted as one client's.
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// How long a client may take no byte of what is sent to it.
    pub write_timeout: Duration,
}

/// Bounds the connections of a server for whoever asks who the nodes are, and leaves each client a
/// share of them.
pub fn bounded<A>(server: Server<A>) -> Server<Bounded<A>> {
    bounded_by(server, directory_bounds())
}

/// What stands before this server on the same machine brings many clients' requests.
fn directory_bounds() -> Bounds {
    let doors = Doors::new(most_connections(CAUTIOUS_CONNECTIONS), Some(DIRECTORY_SHARE));
    Bounds { doors, trusted: Arc::new(|client| client.is_loopback()), write_timeout: WRITE_TIMEOUT }
}

/// Bounds the connections of a server.
pub fn bounded_by<A>(server: Server<A>, bounds: Bounds) -> Server<Bounded<A>> {
    let mut server = server.map(|inner| Bounded { inner, bounds });
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

/// The wanted number, or as many as this process may have open files, but for those that it needs
/// otherwise: at most half.
pub fn most_connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let free = |files: usize| files - OTHER_FILES.min(files / 2);
    open_files(&limits).map_or(wanted.min(CAUTIOUS_CONNECTIONS), |files| wanted.min(free(files)))
}

/// The soft limit for open files, out of Linux' list of limits.
fn open_files(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Accepts connections while there is room, and closes those beyond at once.
#[derive(Clone)]
pub struct Bounded<A> {
    inner: A,
    bounds: Bounds,
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
        let entry = stream
            .peer_addr()
            .ok()
            .and_then(|peer| self.bounds.doors.enter(peer, (self.bounds.trusted)(peer.ip())));
        let Some(entry) = entry else {
            return Box::pin(async { Err(io::Error::other("too many connections")) });
        };
        let write_timeout = self.bounds.write_timeout;
        // Small answers must not wait for the acknowledgement of the ones before; a socket that
        // cannot be told so still works.
        let _ = stream.set_nodelay(true);
        let accepting = self.inner.accept(stream, service);
        Box::pin(async move {
            let (stream, service) = timeout(HANDSHAKE_TIMEOUT, accepting).await??;
            let silence = Some(Box::pin(sleep(HEAD_TIMEOUT)));
            let stuck = Stuck { timeout: write_timeout, timer: None };
            Ok((Connection { stream, received: 0, silence, stuck, due: None, entry }, service))
        })
    }
}

/// An accepted connection, which takes its room until it is dropped.
///
/// It ends by an error where its first bytes do not come, where its client takes none of what is
/// sent or not an answer in the time for it, or where it does not stop asking: the HTTP library
/// knows of none of these.
pub struct Connection<S> {
    stream: S,
    received: usize,
    silence: Option<Pin<Box<Sleep>>>,
    stuck: Stuck,
    due: Option<Pin<Box<Sleep>>>,
    entry: Entry,
}

impl<S> Connection<S> {
    /// An error where an answer was not taken in time; otherwise wakes its task then. Answers are
    /// counted before any of their bytes is written, so asking at every read and write is enough.
    fn require_taken(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(first) = self.entry.first_due() {
            let timer = self.due.get_or_insert_with(|| Box::pin(sleep_until(first)));
            if timer.deadline() > first {
                timer.as_mut().reset(first);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Ok(());
            }
            self.due = None;
            if first <= Instant::now() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        Ok(())
    }
}

/// How long nothing could be written.
struct Stuck {
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stuck {
    /// Passes progress on; without any for too long, an error.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.timeout)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.entry.is_shut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.require_taken(cx)?;
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
        self.require_taken(cx)?;
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.stuck.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.require_taken(cx)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.stuck.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.require_taken(cx)?;
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.stuck.watch(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.stuck.watch(cx, ended)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::Router;
    use axum::extract::ConnectInfo;
    use axum::response::Response;
    use axum::routing::get;
    use axum_server::Handle;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::limits::answers::Answers;
    use crate::limits::due;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    async fn serve(most: usize) -> SocketAddr {
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/large", get(async || vec![b'x'; 64 * 1024 * 1024]));
        let handle = Handle::new();
        let bounds = Bounds {
            doors: Doors::new(most, None),
            trusted: Arc::new(|_| false),
            write_timeout: WRITE_TIMEOUT,
        };
        let server = bounded_by(axum_server::bind("127.0.0.1:0".parse().unwrap()), bounds);
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

    #[tokio::test]
    async fn a_client_that_does_not_read_is_cut_off() {
        let address = serve(9).await;
        let mut stream = connect(address, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(is_answered(&mut stream).await);
        tokio::time::pause();
        sleep(2 * WRITE_TIMEOUT).await;
        tokio::time::resume();
        let mut rest = Vec::new();
        // What lies in the sockets still comes; the end of it does not.
        let read = timeout(WRITE_TIMEOUT, stream.read_to_end(&mut rest)).await.unwrap();
        assert!(read.is_err() || rest.len() < 64 * 1024 * 1024, "{}", rest.len());
    }

    /// A client of HTTP/2 that asks with a window of nothing, and answers what keeps it alive.
    async fn take_nothing(address: SocketAddr) -> io::Result<()> {
        const SETTINGS: u8 = 4;
        const PING: u8 = 6;
        let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
            let length = u8::try_from(payload.len()).unwrap();
            [&[0, 0, length, kind, flags, 0, 0, 0, stream][..], payload].concat()
        };
        let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        asked.extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
        // GET, http, /, and the authority "a"; end of the headers and of the request.
        asked.extend(frame(1, 5, 1, &[0x82, 0x86, 0x84, 0x41, 1, b'a']));
        let mut stream = connect(address, &asked).await;
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await?;
            let [a, b, c, kind, flags, ..] = head;
            let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
            stream.read_exact(&mut payload).await?;
            match (kind, flags) {
                (SETTINGS, 0) => stream.write_all(&frame(SETTINGS, 1, 0, &[])).await?,
                (PING, 0) => stream.write_all(&frame(PING, 1, 0, &payload)).await?,
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_taken_in_time_ends_its_connection_and_gives_its_room_back() {
        const ROOM: usize = 8 * 1024 * 1024;
        let (answers, doors) = (Arc::new(Answers::new(ROOM, ROOM)), Doors::new(9, None));
        let (held, at) = (Arc::clone(&answers), Arc::clone(&doors));
        let large = async move |peer: ConnectInfo<SocketAddr>| {
            let answer = Response::new(vec![b'x'; ROOM / 2].into());
            held.hold(answer, None, |bytes| at.answering(peer.0, bytes)).await.unwrap()
        };
        let router = Router::new().route("/", get(large));
        let handle = Handle::new();
        let trusted = Arc::new(|_| false);
        let bounds = Bounds { doors, trusted, write_timeout: WRITE_TIMEOUT };
        let server = bounded_by(axum_server::bind("127.0.0.1:0".parse().unwrap()), bounds);
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(server.handle(handle.clone()).serve(service));
        let address = handle.listening().await.unwrap();
        let client = tokio::spawn(take_nothing(address));
        while answers.free() == ROOM {
            sleep(Duration::from_millis(5)).await;
        }
        tokio::time::pause();
        let (began, allowed) = (Instant::now(), due::allowed(ROOM / 2));
        let ended = timeout(3 * allowed, client).await;
        assert!(ended.is_ok(), "the connection stays");
        assert!(began.elapsed() > allowed / 2, "{:?}", began.elapsed());
        while answers.free() < ROOM {
            sleep(Duration::from_millis(5)).await;
        }
    }

    #[test]
    fn no_client_of_a_directory_takes_all_its_connections() {
        let Bounds { doors, trusted, .. } = directory_bounds();
        let enter = |ip: [u8; 4], port| {
            let peer = SocketAddr::from((ip, port));
            doors.enter(peer, trusted(peer.ip()))
        };
        let held: Vec<_> = (1..=150).filter_map(|port| enter([192, 0, 2, 1], port)).collect();
        assert_eq!(held.len(), 64);
        assert!(enter([192, 0, 2, 2], 1).is_some());
        let local: Vec<_> = (1..=150).filter_map(|port| enter([127, 0, 0, 1], port)).collect();
        assert_eq!(local.len(), 150);
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
