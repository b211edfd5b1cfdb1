//! A backup on WebDAV: `rclone serve webdav`, as a process.

use std::process::Command;

use warren_backup::{BackupError, Target};

use crate::archives::{archive, lives};
use crate::servers::{Server, installed};

#[tokio::test(flavor = "multi_thread")]
async fn a_webdav_server() {
    let Some(rclone) = installed("rclone", &["/usr/bin/rclone"]) else { return };
    let mut server = Server::prepare();
    let (port, folder) = (server.port, server.folder.path().join("data"));
    std::fs::create_dir(&folder).unwrap();
    let mut command = Command::new(rclone);
    command.args(["serve", "webdav", "--addr", &format!("127.0.0.1:{port}")]);
    command.args(["--user", "alice", "--pass", "swordfish", "--config", "/dev/null"]).arg(&folder);
    server.start(&mut command);
    let target = |password: &str| Target::Webdav {
        endpoint: format!("http://127.0.0.1:{port}"),
        root: "of/alice".to_owned(),
        username: Some("alice".to_owned()),
        password: Some(password.to_owned()),
    };
    let error = archive(&target("guessed"), 1).snapshots().await.unwrap_err();
    assert!(matches!(&error, BackupError::Place(_)), "{error}");
    lives(&target("swordfish")).await;
}
