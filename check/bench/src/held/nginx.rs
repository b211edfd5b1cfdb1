//! The opponent: nginx, as Debian packages it, with connections over TLS that it keeps alive.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use warren_transport::Certificate;

use super::client::connect;
use super::{WARM_UP, server};
use crate::Outcome;

/// How long it may take to start, and thousands to connect.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Nginx {
    child: Child,
    address: SocketAddr,
}

impl Nginx {
    /// Starts it on a free port; `None` where it is not installed.
    pub(crate) fn start(folder: &Path) -> Outcome<Option<Self>> {
        let Some(program) = program() else { return Ok(None) };
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = free.local_addr()?;
        drop(free);
        let certificate = Certificate::generate()?;
        std::fs::write(folder.join("certificate.pem"), certificate.certificate_pem())?;
        std::fs::write(folder.join("key.pem"), certificate.key_pem())?;
        std::fs::write(folder.join("nginx.conf"), configuration(folder, address))?;
        let child = Command::new(program)
            .arg("-p")
            .arg(folder)
            .args(["-e", "stderr", "-c"])
            .arg(folder.join("nginx.conf"))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Some(Self { child, address }))
    }

    /// Bytes that each connection takes of its memory while nothing is asked on it.
    pub(crate) async fn bytes_each(&self, count: usize) -> Outcome<f64> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).await.is_err() {
            if Instant::now() > deadline {
                return Err("nginx does not start".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _first = self.keep_alive(WARM_UP).await?;
        let before = server::memory_of(self.child.id())?;
        let _rest = self.keep_alive(count).await?;
        let after = server::memory_of(self.child.id())?;
        Ok(after.saturating_sub(before) as f64 / count as f64)
    }

    /// Opens connections, asks once on each, and keeps them.
    async fn keep_alive(&self, count: usize) -> Outcome<JoinSet<()>> {
        let mut kept = JoinSet::new();
        let host = self.address.to_string();
        for _ in 0..count {
            let io = TokioIo::new(connect(self.address, b"http/1.1").await?);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
            kept.spawn(async move {
                // It ends when it is dropped, or by the error that the next request would meet.
                let _ = connection.await;
            });
            let request = Request::get("/").header("host", &host).body(Empty::<Bytes>::new())?;
            sender.send_request(request).await?.into_body().collect().await?;
            // The connection stays only as long as its sender.
            kept.spawn(async move {
                std::future::pending::<()>().await;
                drop(sender);
            });
        }
        Ok(kept)
    }

    pub(crate) fn stop(mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("nginx")).find(|program| program.is_file())
}

/// One process, room for everybody, and nothing written.
fn configuration(folder: &Path, address: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nworker_rlimit_nofile 65536;\n\
         events {{ worker_connections 16384; }}\n\
         http {{\n  access_log off;\n  keepalive_timeout 600;\n  keepalive_requests 1000;\n\
         client_body_temp_path {folder};\n  proxy_temp_path {folder};\n\
         fastcgi_temp_path {folder};\n  uwsgi_temp_path {folder};\n  scgi_temp_path {folder};\n\
         server {{\n    listen {address} ssl backlog=4096;\n\
         ssl_certificate {folder}/certificate.pem;\n    ssl_certificate_key {folder}/key.pem;\n\
         location / {{ return 200; }}\n  }}\n}}\n"
    )
}
