//! Three authorities and the nodes that announce themselves to them, each a process of its own.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::process::{Child, Command as AsyncCommand};
use warren_noded::node::now;
use warren_transport::Seed;
use warren_wire::directory::VerifiedList;

const PROGRAM: &str = env!("CARGO_BIN_EXE_warren-node");
/// How long the network may take for anything: generous, for loaded machines.
const PATIENCE: Duration = Duration::from_secs(120);

fn free(ip: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap()
}

/// Runs a command that must succeed and gives what it prints.
fn run(arguments: &[&str]) -> String {
    let output = Command::new(PROGRAM).args(arguments).env_remove("WARREN_LOG").output().unwrap();
    let (said, complaint) = [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .into();
    assert!(output.status.success(), "{complaint}");
    said.trim().to_owned()
}

struct Authority {
    url: String,
    key: String,
    address: SocketAddr,
    process: Option<Child>,
}

/// A directory of three, two of which must sign, with a list every two seconds.
struct Network {
    data: TempDir,
    authorities: Vec<Authority>,
    nodes: Vec<(SocketAddr, Option<Child>)>,
}

impl Network {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let authorities = (1..=3).map(|number| {
            let folder = data.path().join(format!("authority-{number}"));
            let key = run(&["authority", "--print-key", "--data", folder.to_str().unwrap()]);
            let address = free(Ipv4Addr::new(127, 1, 0, number));
            Authority { url: format!("http://{address}"), key, address, process: None }
        });
        let authorities = authorities.collect();
        let mut network = Self { data, authorities, nodes: Vec::new() };
        for number in 0..3 {
            network.start_authority(number);
        }
        network
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    fn spawn(&self, log: &str, arguments: &[String]) -> Child {
        let log = File::options().create(true).append(true).open(self.path(log)).unwrap();
        let mut command = AsyncCommand::new(PROGRAM);
        command.args(arguments).env_remove("WARREN_LOG").stdin(Stdio::null()).stderr(log);
        command.kill_on_drop(true).spawn().unwrap()
    }

    fn start_authority(&mut self, number: usize) {
        let own = &self.authorities[number];
        let folder = self.path(&format!("authority-{}", number + 1));
        let mut arguments = vec!["authority".to_owned(), "--private-addresses".to_owned()];
        arguments.extend(["--interval".to_owned(), "2".to_owned()]);
        arguments.extend(["--data".to_owned(), folder.to_str().unwrap().to_owned()]);
        arguments.extend(["--listen".to_owned(), own.address.to_string()]);
        for other in self.authorities.iter().filter(|other| other.key != own.key) {
            arguments.extend(["--other".to_owned(), format!("{}#{}", other.url, other.key)]);
        }
        let process = self.spawn(&format!("authority-{}.log", number + 1), &arguments);
        self.authorities[number].process = Some(process);
    }

    /// The seed of these authorities, with the keys of all.
    fn seed_at(&self, at: &[usize]) -> String {
        let urls: Vec<&str> =
            at.iter().map(|number| self.authorities[*number].url.as_str()).collect();
        let keys: Vec<&str> = self.authorities.iter().map(|one| one.key.as_str()).collect();
        format!("{}#2:{}", urls.join(","), keys.join(","))
    }

    fn add_node(&mut self) {
        let number = self.nodes.len() + 1;
        let ip = Ipv4Addr::new(127, 0, u8::try_from(number).unwrap(), 1);
        let address = free(ip);
        let folder = self.path(&format!("node-{number}")).to_str().unwrap().to_owned();
        let (ip, port) = (ip.to_string(), address.port().to_string());
        run(&["init", "--json", "--data", &folder, "--ip", &ip, "--port", &port]);
        let arguments = ["run", "--data", &folder, "--authority", &self.seed_at(&[0, 1, 2])];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.extend(["--advertise".to_owned(), address.to_string()]);
        let process = self.spawn(&format!("node-{number}.log"), &arguments);
        self.nodes.push((address, Some(process)));
    }

    /// Waits until every one of these authorities has a list that satisfies, and gives the last.
    async fn until(
        &self,
        authorities: &[usize],
        what: &str,
        satisfies: impl Fn(&VerifiedList) -> bool,
    ) -> VerifiedList {
        let started = Instant::now();
        let mut last = None;
        for number in authorities {
            let seed: Seed = self.seed_at(&[*number]).parse().unwrap();
            loop {
                match seed.fetch(None, now()).await {
                    Ok((list, _)) if satisfies(&list) => {
                        last = Some(list);
                        break;
                    }
                    _ if started.elapsed() < PATIENCE => {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    other => {
                        let found = other.map(|(list, _)| list.nodes.nodes().len());
                        panic!("{what}: {found:?}\n{}", self.logs());
                    }
                }
            }
        }
        last.unwrap()
    }

    fn logs(&self) -> String {
        let read = |name: String| std::fs::read_to_string(self.path(&name)).unwrap_or_default();
        (1..=3).map(|number| read(format!("authority-{number}.log"))).collect()
    }
}

fn names(list: &VerifiedList, address: SocketAddr) -> bool {
    list.nodes.nodes().iter().any(|node| node.address() == address)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_goes_on_through_a_dead_authority_a_new_node_and_a_dead_one() {
    let mut network = Network::new();
    for _ in 0..7 {
        network.add_node();
    }
    let all = |list: &VerifiedList| list.nodes.nodes().len() == 7;
    let first = network.until(&[0, 1, 2], "seven nodes", all).await;
    let swarms: Vec<_> = first.nodes.nodes().iter().map(|node| node.swarm).collect();
    assert!(swarms.iter().all(|swarm| *swarm == swarms[0]), "seven nodes are one swarm");

    let mut killed = network.authorities[0].process.take().unwrap();
    killed.kill().await.unwrap();
    network.add_node();
    let (joined, _) = network.nodes[7];
    let eight = |list: &VerifiedList| list.nodes.nodes().len() == 8 && names(list, joined);
    let second = network.until(&[1, 2], "an eighth node", eight).await;
    assert!(second.header.sequence > first.header.sequence);
    assert_ne!(second.header.previous, None);

    let (dead, process) = &mut network.nodes[2];
    let dead = *dead;
    process.take().unwrap().kill().await.unwrap();
    let third = network.until(&[1, 2], "a dead node leaves", |list| !names(list, dead)).await;
    assert_eq!(third.nodes.nodes().len(), 7);
    third.header.check_follows(&second.header).unwrap();

    network.start_authority(0);
    let newer = |list: &VerifiedList| list.header.sequence > third.header.sequence;
    network.until(&[0, 1, 2], "the authority is back", newer).await;

    // The nodes go by the same lists, and serve them to clients.
    let (served, _) = network.nodes[7];
    let seed = network.seed_at(&[0]);
    let keys = seed.split_once('#').unwrap().1;
    let at_node: Seed = format!("https://{served}#{keys}").parse().unwrap();
    let started = Instant::now();
    loop {
        let (list, _) = at_node.fetch(Some(&first.header), now()).await.unwrap();
        if !names(&list, dead) && names(&list, joined) {
            break;
        }
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn an_authority_that_cannot_be_is_refused_with_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_str().unwrap();
    let failure = |arguments: &[&str]| {
        let output = Command::new(PROGRAM).arg("authority").args(arguments).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(failure(&[]).contains("--data"));
    assert!(failure(&["--data", folder]).contains("--listen"));
    let other = format!("http://127.0.0.1:1#{}", "ab".repeat(32));
    let alone =
        ["--data", folder, "--listen", "127.0.0.1:0", "--other", &other, "--threshold", "1"];
    assert!(failure(&alone).contains("no majority"));
    assert!(failure(&["--other", "http://127.0.0.1:1"]).contains("URL#KEY"));
    let config = data.path().join("authority.toml");
    std::fs::write(&config, "listne = 5\n").unwrap();
    assert!(failure(&["--config", config.to_str().unwrap()]).contains("listne"));
    let key = run(&["authority", "--print-key", "--data", folder]);
    assert_eq!(key.len(), 64);
    assert_eq!(run(&["authority", "--print-key", "--data", folder]), key);
}
