//! A backup on S3: SeaweedFS, as a process.

use std::process::Command;
use std::time::Duration;

use warren_backup::{Archive, Place, Target};

use crate::archives::{keys, lives};
use crate::servers::{Server, free_port, from_root, installed};

/// SeaweedFS with an empty bucket called `warren`.
fn start() -> Option<Server> {
    let beside_python = std::env::var("WARREN_E2E_PYTHON").unwrap_or_default();
    let beside_python = beside_python.replace("/python", "/weed");
    let weed = installed("SeaweedFS", &[&beside_python, &from_root("check/e2e/.venv/bin/weed")])?;
    let mut server = Server::prepare();
    let config = server.folder.path().join("s3.json");
    std::fs::write(
        &config,
        r#"{"identities":[{"name":"warren","credentials":[{"accessKey":"warren","secretKey":"a secret"}],
            "actions":["Admin","Read","List","Tagging","Write"]}]}"#,
    )
    .unwrap();
    let mut command = Command::new(weed);
    command.arg("mini").arg("-dir").arg(server.folder.path()).arg("-s3.config").arg(config);
    command.args(["-ip=127.0.0.1", "-bucket=warren", "-master.telemetry=false", "-webdav=false"]);
    command.args(["-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.arg(format!("-s3.port={}", server.port));
    for name in ["master", "volume", "filer", "admin"] {
        for name in [format!("{name}.port"), format!("{name}.port.grpc")] {
            command.arg(format!("-{name}={}", free_port()));
        }
    }
    command.arg(format!("-s3.port.grpc={}", free_port()));
    server.start(&mut command);
    Some(server)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_s3_bucket() {
    let Some(server) = start() else { return };
    let target = Target::S3 {
        bucket: "warren".to_owned(),
        root: "of/alice".to_owned(),
        endpoint: Some(format!("http://127.0.0.1:{}", server.port)),
        region: "us-east-1".to_owned(),
        access_key_id: "warren".to_owned(),
        secret_access_key: "a secret".to_owned(),
    };
    // It listens before it has made the bucket and can store.
    for _ in 0..60 {
        let place = Place::open(&target, &keys()).unwrap();
        let archive = Archive::new(keys(), place, [9; 16], std::sync::Arc::new(|| 0));
        if archive.snapshots().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    lives(&target).await;
}
