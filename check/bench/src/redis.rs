//! The opponent P5 and P6 name: redis with `appendfsync always`, asked over a Unix socket.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::Outcome;
use crate::store::{TASKS, message, side_by_side};

/// As the table names it.
pub(crate) const REDIS: &str = "redis, appendfsync always, plain";
/// How often is looked whether it answers, and how many times.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 200;

/// A server on a folder; ended with this.
pub(crate) struct Redis {
    process: Child,
    clients: Clients,
}

type Clients = Arc<Vec<Mutex<UnixStream>>>;

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Redis {
    /// Starts one and connects as many clients as ask at a time; `None` where it is not installed.
    pub(crate) async fn start(folder: &Path) -> Outcome<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let socket = folder.join("socket");
        let spawned = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--dir"])
            .arg(folder)
            .arg("--unixsocket")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        let process = match spawned {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("redis-server is not installed: measured without it");
                return Ok(None);
            }
            spawned => spawned?,
        };
        let mut redis = Self { process, clients: Arc::default() };
        redis.clients = Arc::new(connect(socket).await?);
        Ok(Some(redis))
    }

    /// The server's process.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Stores messages of 1 KiB under their hashes, each of 64 clients one after the other.
    pub(crate) async fn store_all(&self, count: usize) -> Outcome<()> {
        side_by_side(&self.clients, count, |clients, at| async move {
            let mut client = clients.get(at % TASKS).ok_or("no such client")?.lock().await;
            let message = message(at)?;
            set(&mut client, message.hash.as_bytes(), &message.data).await
        })
        .await
    }
}

async fn connect(socket: PathBuf) -> Outcome<Vec<Mutex<UnixStream>>> {
    let mut clients = Vec::new();
    for _ in 0..LOOKS {
        match UnixStream::connect(&socket).await {
            Ok(client) => clients.push(Mutex::new(client)),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
        if clients.len() == TASKS {
            return Ok(clients);
        }
    }
    Err("redis does not answer".into())
}

async fn set(client: &mut UnixStream, name: &[u8], data: &[u8]) -> Outcome<()> {
    let mut request = b"*3\r\n$3\r\nSET\r\n".to_vec();
    for word in [name, data] {
        request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        request.extend_from_slice(word);
        request.extend_from_slice(b"\r\n");
    }
    client.write_all(&request).await?;
    let mut reply = [0; 5];
    client.read_exact(&mut reply).await?;
    if reply == *b"+OK\r\n" { Ok(()) } else { Err("redis does not store".into()) }
}
