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

/// A proxy on loopback.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    fault: Arc<AtomicU8>,
}

impl Proxy {
    pub(crate) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let fault = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&fault);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&target).await.unwrap();
                tokio::spawn(relay(client, server, Arc::clone(&shared)));
            }
        });
        Self { port, fault }
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
