//! Places that a backup goes to, on servers that others wrote: SeaweedFS (S3) and rclone (WebDAV).

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::{Server, free_port, installed, installed_beside_python};

const PATIENCE: Duration = Duration::from_secs(60);

/// A place at a server, which is ended with it.
pub struct Place {
    /// The server.
    pub server: Server,
    /// What `warren backup init --place` reads.
    pub described: Value,
}

impl Place {
    /// A bucket of SeaweedFS; `None` where it is not installed.
    pub fn s3() -> Option<Self> {
        let weed = installed_beside_python("SeaweedFS", "weed")?;
        let mut server = Server::prepare();
        let config = server.folder.path().join("s3.json");
        let identity = json!({ "identities": [{
            "name": "warren",
            "credentials": [{ "accessKey": "warren", "secretKey": "a secret" }],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        }] });
        std::fs::write(&config, identity.to_string()).unwrap();
        let mut command = Command::new(weed);
        command.arg("mini").arg("-dir").arg(server.folder.path()).arg("-s3.config").arg(config);
        command.args(["-ip=127.0.0.1", "-bucket=warren", "-master.telemetry=false"]);
        command.args(["-webdav=false", "-admin.ui=false"]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
        command.arg(format!("-s3.port={}", server.port));
        for name in ["master", "volume", "filer", "admin"] {
            for name in [format!("{name}.port"), format!("{name}.port.grpc")] {
                command.arg(format!("-{name}={}", free_port()));
            }
        }
        command.arg(format!("-s3.port.grpc={}", free_port()));
        server.start(&mut command);
        // It listens before it has made the bucket and can store.
        let log = server.folder.path().join("log");
        let started = Instant::now();
        while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("running and ready")) {
            assert!(started.elapsed() < PATIENCE, "SeaweedFS does not get ready");
            std::thread::park_timeout(Duration::from_millis(100));
        }
        let described = json!({
            "type": "s3",
            "bucket": "warren",
            "root": "of/alice",
            "endpoint": format!("http://127.0.0.1:{}", server.port),
            "region": "us-east-1",
            "access_key_id": "warren",
            "secret_access_key": "a secret",
        });
        Some(Self { server, described })
    }

    /// A folder that rclone serves; `None` where it is not installed.
    pub fn webdav() -> Option<Self> {
        let rclone = installed("rclone", &["/usr/bin/rclone"])?;
        let mut server = Server::prepare();
        let folder = server.folder.path().join("data");
        std::fs::create_dir(&folder).unwrap();
        let mut command = Command::new(rclone);
        command.args(["serve", "webdav", "--addr", &format!("127.0.0.1:{}", server.port)]);
        command.args(["--user", "alice", "--pass", "swordfish", "--config", "/dev/null"]);
        server.start(command.arg(&folder));
        let described = json!({
            "type": "webdav",
            "endpoint": format!("http://127.0.0.1:{}", server.port),
            "root": "of/alice",
            "username": "alice",
            "password": "swordfish",
        });
        Some(Self { server, described })
    }
}
