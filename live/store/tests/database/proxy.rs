//! A way to the database that breaks when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the answer to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It arrives.
    None = 0,
    /// The connection breaks in its stead.
    Cut = 1,
    /// It never arrives, and nothing else on that connection.
    Hold = 2,
}

/// The way to every server of a database.
pub(crate) struct Proxy {
    /// The database's URL by this way.
    pub(crate) url: String,
    fault: Arc<AtomicU8>,
}

impl Proxy {
    /// To the servers of a URL, all on loopback.
    pub(crate) async fn to(url: &str) -> Self {
        let fault = Arc::new(AtomicU8::new(0));
        let config: tokio_postgres::Config = url.parse().unwrap();
        let mut through = url.to_owned();
        for target in config.get_ports() {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            through =
                through.replacen(&format!("127.0.0.1:{target}"), &format!("127.0.0.1:{port}"), 1);
            let target = format!("127.0.0.1:{target}");
            let shared = Arc::clone(&fault);
            tokio::spawn(async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(&target).await.unwrap();
                    tokio::spawn(relay(client, server, Arc::clone(&shared)));
                }
            });
        }
        Self { url: through, fault }
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// Whether the fault has happened.
    pub(crate) fn failed(&self) -> bool {
        self.fault.load(Ordering::SeqCst) == Fault::None as u8
    }
}

async fn relay(client: TcpStream, server: TcpStream, fault: Arc<AtomicU8>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let down = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        let commits = buffer[..length].windows(7).any(|part| part == b"COMMIT\0");
        let fault = if commits { fault.swap(0, Ordering::SeqCst) } else { 0 };
        if fault != 0 {
            // The server hears of the commit, and nobody hears from the server again.
            down.abort();
        }
        if to_server.write_all(&buffer[..length]).await.is_err() {
            break;
        }
        if fault == Fault::Cut as u8 {
            // It has the time to carry it out.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            break;
        }
    }
    down.abort();
}
