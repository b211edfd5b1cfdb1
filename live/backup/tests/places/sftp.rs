//! A backup over SFTP: OpenSSH's server, as a process of this user.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use warren_backup::Target;
use warren_e2e::servers::{Server, installed};

use crate::archives::lives;

#[tokio::test(flavor = "multi_thread")]
async fn an_sftp_server() {
    let Some(sshd) = installed("OpenSSH's server", &["/usr/sbin/sshd"]) else { return };
    let mut server = Server::prepare();
    let folder = server.folder.path();
    for name in ["host", "user"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(name))
            .status();
        assert!(made.unwrap().success());
    }
    std::fs::copy(folder.join("user.pub"), folder.join("authorized")).unwrap();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let config = format!(
        "Port {}\nListenAddress 127.0.0.1\nHostKey {dir}/host\nPidFile none\nStrictModes no\n\
         AuthorizedKeysFile {dir}/authorized\nPasswordAuthentication no\nUsePAM no\n\
         PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n",
        server.port,
        dir = folder.display(),
    );
    std::fs::write(folder.join("config"), config).unwrap();
    // It wants a folder to lock itself into, where root starts it.
    let _ = std::fs::create_dir_all("/run/sshd");
    let (config, key) = (folder.join("config"), folder.join("user"));
    let root = folder.join("data").to_str().unwrap().to_owned();
    server.start(Command::new(sshd).arg("-D").arg("-e").arg("-f").arg(config));
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    lives(&Target::Sftp {
        endpoint: format!("ssh://127.0.0.1:{}", server.port),
        root,
        user: Some(String::from_utf8(user).unwrap().trim().to_owned()),
        key_file: Some(key.to_str().unwrap().to_owned()),
        known_hosts: Some("Accept".to_owned()),
    })
    .await;
}
