//! The program `warren-node`: its commands, its exit codes, its log, and a network of processes.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command as AsyncCommand};
use warren_wire::directory::{NodeJson, NodeRecord};

use crate::network::Client;
use crate::person::Person;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_warren-node");

fn warren_node(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).env_remove("WARREN_LOG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs a command that must succeed and gives what it prints.
fn run(arguments: &[&str]) -> String {
    let output = warren_node(arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A port that nobody else on this address uses.
pub(crate) fn free_port(ip: Ipv4Addr) -> u16 {
    TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}

/// Nodes of one swarm, each a process of its own.
pub(crate) struct Processes {
    data: TempDir,
    directory_key: String,
    /// All nodes.
    pub(crate) records: Vec<NodeRecord>,
    running: Vec<Option<Child>>,
    /// What each node is started with, besides what all are.
    arguments: Vec<Vec<String>>,
    client: Client,
}

impl Processes {
    /// Makes the nodes, signs their list and starts them.
    pub(crate) async fn start(nodes: u8) -> Self {
        Self::start_with(nodes, |_, _| Vec::new()).await
    }

    /// As [`Processes::start`], with more arguments for a node, by its number and folder.
    pub(crate) async fn start_with(nodes: u8, more: impl Fn(usize, &Path) -> Vec<String>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut records = Vec::new();
        let mut files = Vec::new();
        for number in 1..=nodes {
            let ip = Ipv4Addr::new(127, 0, number, 1);
            let folder = data.path().join(format!("node-{number}"));
            let record = run(&[
                "init",
                "--json",
                "--swarm",
                "7",
                "--data",
                folder.to_str().unwrap(),
                "--ip",
                &ip.to_string(),
                "--port",
                &free_port(ip).to_string(),
            ]);
            let file = data.path().join(format!("{number}.json"));
            std::fs::write(&file, &record).unwrap();
            files.push(file);
            let record: NodeJson = serde_json::from_str(&record).unwrap();
            records.push(NodeRecord::try_from(record).unwrap());
        }
        let [key, list] = ["directory.key", "nodes.json"].map(|name| data.path().join(name));
        let mut arguments =
            vec!["sign-list", "--key", key.to_str().unwrap(), "--out", list.to_str().unwrap()];
        arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
        let directory_key = run(&arguments).trim().to_owned();

        let running = records.iter().map(|_| None).collect();
        let folder = |number: usize| data.path().join(format!("node-{}", number + 1));
        let arguments = (0..records.len()).map(|n| more(n, &folder(n))).collect();
        let client = Client::new();
        let mut processes = Self { data, directory_key, records, running, arguments, client };
        for number in 0..processes.records.len() {
            processes.spawn(number, &[]);
        }
        for number in 0..processes.records.len() {
            processes.until_serving(number).await;
        }
        processes
    }

    /// A file of the network's.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    /// Starts a node that is not running.
    pub(crate) fn spawn(&mut self, number: usize, more: &[&str]) {
        self.spawn_with(number, more, &[]);
    }

    /// As [`Processes::spawn`], with variables of the environment.
    pub(crate) fn spawn_with(&mut self, number: usize, more: &[&str], set: &[(&str, &str)]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path(&format!("{number}.log")))
            .unwrap();
        let child = AsyncCommand::new(PROGRAM)
            .arg("run")
            .args(["--data".as_ref(), self.path(&format!("node-{}", number + 1)).as_os_str()])
            .args(["--list".as_ref(), self.path("nodes.json").as_os_str()])
            .args(["--directory-key", &self.directory_key, "--log", "trace"])
            .args(&self.arguments[number])
            // What the S3 server of a test lets in.
            .env("AWS_ACCESS_KEY_ID", "warren")
            .env("AWS_SECRET_ACCESS_KEY", "a secret of tests")
            .args(more)
            .envs(set.iter().copied())
            .stdin(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        self.running[number] = Some(child.unwrap());
    }

    /// Waits until a node that was started answers.
    pub(crate) async fn until_serving(&self, number: usize) {
        let started = Instant::now();
        while self.client.get(&self.records[number], "/get_stats/v1").await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "{}", self.log(number));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Starts a node that is not running and waits until it serves.
    pub(crate) async fn restart(&mut self, number: usize) {
        self.spawn(number, &[]);
        self.until_serving(number).await;
    }

    /// SIGKILL: the process gets no chance to do anything.
    pub(crate) async fn kill(&mut self, number: usize) {
        self.running[number].take().unwrap().kill().await.unwrap();
    }

    /// Takes a dead node's mail.
    pub(crate) fn wipe(&self, number: usize) {
        assert!(self.running[number].is_none());
        let mail = self.path(&format!("node-{}", number + 1)).join("mail");
        std::fs::remove_dir_all(mail).unwrap();
    }

    /// Sends a signal by its name.
    pub(crate) async fn signal(&self, number: usize, signal: &str) {
        let id = self.running[number].as_ref().unwrap().id().unwrap();
        let status =
            AsyncCommand::new("sh").args(["-c", &format!("kill -{signal} {id}")]).status().await;
        assert!(status.unwrap().success());
    }

    /// Ends a node as a service manager does, and waits for it.
    pub(crate) async fn end(&mut self, number: usize) {
        self.signal(number, "TERM").await;
        assert!(self.ended(number).await.success());
    }

    /// How a node ended that was told to.
    pub(crate) async fn ended(&mut self, number: usize) -> std::process::ExitStatus {
        self.running[number].take().unwrap().wait().await.unwrap()
    }

    /// The id of a node's process.
    pub(crate) fn process_id(&self, number: usize) -> u32 {
        self.running[number].as_ref().unwrap().id().unwrap()
    }

    /// Everything the node logged.
    pub(crate) fn log(&self, number: usize) -> String {
        std::fs::read_to_string(self.path(&format!("{number}.log"))).unwrap()
    }
}

#[test]
fn wrong_usage_ends_with_2_and_help_is_there() {
    for arguments in [
        &["run"][..],
        &[],
        &["init", "--data", "x", "--ip", "::1", "--port", "1", "--swarm", "1"],
        &["init", "--data", "x", "--ip", "127.0.0.1", "--port", "0", "--swarm", "1"],
        &[
            "init",
            "--data",
            "x",
            "--ip",
            "127.0.0.1",
            "--port",
            "1",
            "--swarm",
            "0xffffffffffffffff",
        ],
        &["sign-list", "--key", "x", "--out", "y"],
        &["authority", "--listen", "127.0.0.1:0"],
        &["run", "--data", "x", "--list", "y", "--directory-key", "ab"],
    ] {
        assert_eq!(warren_node(arguments).status.code(), Some(2), "{arguments:?}");
    }
    for command in ["init", "sign-list", "run", "check-config"] {
        let help = run(&[command, "--help"]);
        assert!(help.contains("Usage: warren-node"), "{help}");
    }
}

#[test]
fn failures_end_with_1_and_say_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    let failure = |arguments: &[&str]| {
        let output = warren_node(arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        text(&output.stderr)
    };
    let init = |name: &str| {
        let folder = path(name);
        let record = run(&[
            "init",
            "--json",
            "--data",
            &folder,
            "--ip",
            "127.0.0.1",
            "--port",
            "1",
            "--swarm",
            "0xA",
        ]);
        std::fs::write(path(&format!("{name}.json")), &record).unwrap();
        serde_json::from_str::<Value>(&record).unwrap()
    };
    let (key, list) = (path("directory.key"), path("nodes.json"));
    let first = init("first");
    assert_eq!(first["swarm_id"], 10);
    assert_eq!(init("first"), first, "the identity is kept");
    init("second");

    let (folder, record) = (path("first"), path("first.json"));
    assert!(
        failure(&["run", "--data", &path("none"), "--list", &list]).contains("warren-node init")
    );
    assert!(failure(&["run", "--data", &folder, "--list", &list]).contains("nodes.json"));
    let sign_list = ["sign-list", "--key", &key, "--out", &list];
    fn joined<'a>(front: &[&'a str], back: &[&'a str]) -> Vec<&'a str> {
        [front, back].concat()
    }
    assert!(failure(&joined(&sign_list, &[&path("none.json")])).contains("none.json"));
    assert!(
        failure(&joined(&sign_list, &[&path("first/identity.json")]))
            .contains("is no node's record")
    );
    assert!(failure(&joined(&sign_list, &[&record, &record])).contains("names a node twice"));
    assert!(!Path::new(&list).exists());

    let public = run(&joined(&sign_list, &[&record]));
    assert_eq!(run(&joined(&sign_list, &[&record])), public, "the directory's key is kept");
    assert!(
        failure(&["run", "--data", &path("second"), "--list", &list])
            .contains("does not name this node")
    );
    let other = "00".repeat(32);
    let wrong_key = ["run", "--data", &folder, "--list", &list, "--directory-key", &other];
    assert!(failure(&wrong_key).contains("another key"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let on_taken = ["run", "--data", &folder, "--list", &list, "--listen", &taken];
    assert!(failure(&on_taken).contains(&taken));
}

#[test]
fn a_signed_list_says_which_of_its_nodes_keep_files() {
    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    let init = |name: &str, more: &[&str]| {
        let (folder, file) = (path(name), path(&format!("{name}.json")));
        let init = ["init", "--json", "--data", &folder, "--ip", "127.0.0.1", "--port", "1"];
        let record = run(&[&init, more].concat());
        std::fs::write(&file, &record).unwrap();
        serde_json::from_str::<NodeJson>(&record).unwrap().pubkey_ed25519
    };
    let (mail, files) = (init("mail", &[]), init("files", &["--files"]));
    let (key, list) = (path("directory.key"), path("nodes.json"));
    let records = [path("mail.json"), path("files.json")];
    run(&["sign-list", "--key", &key, "--out", &list, &records[0], &records[1]]);
    let published = warren_noded::directory::load_list(Path::new(&list), None).unwrap();
    let keeps_files = |id: &str| published.list.get(&id.parse().unwrap()).unwrap().roles.files;
    assert_eq!((keeps_files(&mail), keeps_files(&files)), (false, true));
}

#[test]
fn secrets_are_their_owners_and_the_list_is_everyones() {
    use std::os::unix::fs::PermissionsExt;

    let data = tempfile::tempdir().unwrap();
    let path = |name: &str| data.path().join(name).to_str().unwrap().to_owned();
    let (node, key, list, record) =
        (path("node"), path("directory.key"), path("nodes.json"), path("record.json"));
    let init = ["init", "--data", &node, "--ip", "127.0.0.1", "--port", "1", "--swarm", "1"];
    std::fs::write(&record, run(&init)).unwrap();
    run(&["sign-list", "--key", &key, "--out", &list, &record]);
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&node), 0o700);
    assert_eq!(mode(&path("node/identity.json")), 0o600);
    assert_eq!(mode(&key), 0o600);
    assert_eq!(mode(&list), 0o644);
}

#[tokio::test]
async fn a_signal_ends_a_node_cleanly_and_soon() {
    let mut nodes = Processes::start(4).await;
    let client = Client::new();
    let person = Person::new();
    client.done(&nodes.records[0], "store", person.store(b"x")).await;
    for (number, signal) in [(0, "TERM"), (1, "INT")] {
        let started = Instant::now();
        nodes.signal(number, signal).await;
        let status = nodes.running[number].take().unwrap().wait().await.unwrap();
        assert_eq!(status.code(), Some(0));
        assert!(started.elapsed() < Duration::from_millis(4_500), "{:?}", started.elapsed());
        assert!(nodes.log(number).trim_end().ends_with("stopped"));
    }
    // One that stopped cleanly and starts again has everything.
    nodes.restart(0).await;
    assert_eq!(person.texts(&client, &nodes.records[0], 0).await, ["x"]);
}

#[tokio::test]
async fn a_log_at_its_finest_names_no_account_and_no_client() {
    let mut nodes = Processes::start(4).await;
    nodes.signal(3, "TERM").await;
    nodes.running[3].take().unwrap().wait().await.unwrap();
    let seed = format!("127.0.4.1:{}", free_port(Ipv4Addr::new(127, 0, 4, 1)));
    nodes.spawn(3, &["--seed-listen", &seed]);
    nodes.until_serving(3).await;

    let (client, person) = (Client::new(), Person::new());
    for node in &nodes.records {
        client.done(node, "store", person.store(b"x")).await;
        assert_eq!(client.post(node, "/storage_rpc/v1", person.id.to_string()).await.status, 400);
        assert_eq!(client.post(node, &format!("/{}", person.id), "").await.status, 404);
    }
    let question = r#"{"method":"get_n_service_nodes"}"#;
    let answer = client.post_url(&format!("https://{seed}/json_rpc"), question).await.json();
    assert_eq!(answer["result"]["service_node_states"].as_array().unwrap().len(), 4);

    let id = person.id.to_string();
    for number in 0..nodes.records.len() {
        let log = nodes.log(number);
        assert!(log.contains("node serving"), "{log}");
        // This test's connections come from 127.0.0.1, where no node listens.
        for secret in ["127.0.0.1", &id, &id[2..], &person.ed25519()] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}
