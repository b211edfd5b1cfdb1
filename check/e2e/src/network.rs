//! A network whose nodes are processes of their own, so that each can be killed alone.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command as AsyncCommand};

use crate::programs::program;

/// Nodes of one swarm, which keep files too. The last node is the seed.
pub struct Network {
    data: TempDir,
    directory_key: String,
    seed_address: String,
    nodes: Vec<Node>,
}

struct Node {
    id: String,
    process: Option<Child>,
}

impl Network {
    /// Makes `count` nodes, signs their list and starts them.
    pub async fn start(count: u8) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        let mut files = Vec::new();
        for number in 1..=count {
            let ip = Ipv4Addr::new(127, 0, number, 1);
            let port = free_port(ip);
            let folder = data.path().join(format!("node-{number}"));
            let record = run(
                &["init", "--json", "--files", "--swarm", "7", "--ip", &ip.to_string()],
                &["--port", &port.to_string(), "--data", folder.to_str().unwrap()],
            );
            let file = data.path().join(format!("{number}.json"));
            std::fs::write(&file, &record).unwrap();
            files.push(file.to_str().unwrap().to_owned());
            let record: Value = serde_json::from_str(&record).unwrap();
            let id = record["pubkey_ed25519"].as_str().unwrap().to_owned();
            nodes.push(Node { id, process: None });
        }
        let [key, list] = ["directory.key", "nodes.json"].map(|name| data.path().join(name));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let sign = ["sign-list", "--key", key.to_str().unwrap(), "--out", list.to_str().unwrap()];
        let directory_key = run(&sign, &files).trim().to_owned();
        let seed_address = format!("127.0.0.1:{}", free_port(Ipv4Addr::LOCALHOST));
        let mut network = Self { data, directory_key, seed_address, nodes };
        for number in 0..network.nodes.len() {
            network.restart(number).await;
        }
        network
    }

    /// The seed as `warren` takes it.
    pub fn seed(&self) -> String {
        format!("http://{}#{}", self.seed_address, self.directory_key)
    }

    /// The seed as other clients take it.
    pub fn seed_url(&self) -> String {
        format!("http://{}", self.seed_address)
    }

    /// How many nodes there are.
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// Which node has this id.
    pub fn number_of(&self, id: &str) -> usize {
        self.nodes.iter().position(|node| node.id == id).unwrap()
    }

    /// SIGKILL: the process gets no chance to do anything.
    pub async fn kill(&mut self, number: usize) {
        self.nodes[number].process.take().unwrap().kill().await.unwrap();
    }

    /// Stops the process without ending it: connections are taken and nothing is answered.
    pub async fn freeze(&self, number: usize) {
        self.signal(number, "STOP").await;
    }

    /// Lets a frozen process go on.
    pub async fn thaw(&self, number: usize) {
        self.signal(number, "CONT").await;
    }

    async fn signal(&self, number: usize, signal: &str) {
        let id = self.nodes[number].process.as_ref().unwrap().id().unwrap();
        let kill = AsyncCommand::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status();
        assert!(kill.await.unwrap().success());
    }

    /// Starts a node that is not running and waits until it serves.
    pub async fn restart(&mut self, number: usize) {
        let started_before = self.starts(number);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.path(&format!("{number}.log")))
            .unwrap();
        let mut command = AsyncCommand::new(program("warren-node"));
        command.arg("run").arg("--data").arg(self.path(&format!("node-{}", number + 1)));
        command.arg("--list").arg(self.path("nodes.json"));
        command.args(["--directory-key", &self.directory_key]);
        command.arg("--files").arg(self.path(&format!("node-{}/content", number + 1)));
        if number + 1 == self.nodes.len() {
            command.args(["--seed-listen", &self.seed_address]);
        }
        command.stdin(Stdio::null()).stderr(log).kill_on_drop(true);
        self.nodes[number].process = Some(command.spawn().unwrap());
        let started = Instant::now();
        while self.starts(number) == started_before {
            assert!(started.elapsed() < Duration::from_secs(60), "node {number} does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if number + 1 == self.nodes.len() {
            until_listening(&self.seed_address).await;
        }
    }

    /// How often a node's log says that it serves.
    fn starts(&self, number: usize) -> usize {
        let log = std::fs::read_to_string(self.path(&format!("{number}.log")));
        log.unwrap_or_default().matches("node serving").count()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }
}

async fn until_listening(address: &str) {
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(started.elapsed() < Duration::from_secs(60), "{address} does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A port that nobody else on this address uses.
fn free_port(ip: Ipv4Addr) -> u16 {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}

/// Runs `warren-node` to its end; what it printed.
fn run(arguments: &[&str], more: &[&str]) -> String {
    let output = Command::new(program("warren-node")).args(arguments).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
