//! One swarm whose members are processes on hosts of their own, and traffic for it from one more.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::hosts::Hosts;
use crate::programs::program;

/// Where every member listens, each on its own host.
const PORT: u16 = 22_021;

/// A swarm of members on hosts of their own.
pub struct SwarmOfHosts {
    /// The hosts: one a member, and the last for who makes the traffic.
    pub hosts: Hosts,
    data: TempDir,
    directory_key: String,
    members: Vec<Option<Child>>,
}

/// What a member's process runs under.
#[derive(Debug, Clone, Default)]
pub struct Conditions {
    /// How far its clock is off, as faketime takes it: `+5m`.
    pub clock: Option<String>,
    /// Milliseconds that every fsync takes longer.
    pub slow_disk: Option<u32>,
}

impl SwarmOfHosts {
    /// Starts `count` members, under these conditions where a member has any.
    pub async fn start(count: usize, conditions: impl Fn(usize) -> Conditions) -> Self {
        let hosts = Hosts::create(count + 1);
        let data = tempfile::tempdir().unwrap();
        let mut swarm = Self { hosts, data, directory_key: String::new(), members: Vec::new() };
        let records: Vec<Value> = members_records(&swarm, count).await;
        let files: Vec<PathBuf> =
            (0..count).map(|member| swarm.path(&format!("{member}.json"))).collect();
        let mut sign = Command::new(program("warren-node"));
        sign.arg("sign-list").arg("--key").arg(swarm.path("directory.key"));
        sign.arg("--out").arg(swarm.path("list.json")).args(&files);
        swarm.directory_key = printed(sign).await.trim().to_owned();
        std::fs::write(swarm.path("members.json"), Value::from(records).to_string()).unwrap();
        for member in 0..count {
            swarm.members.push(None);
            swarm.begin(member, conditions(member)).await;
        }
        swarm
    }

    /// How many members there are.
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Starts a member that does not run, and waits until it serves.
    pub async fn begin(&mut self, member: usize, conditions: Conditions) {
        let begun = self.begins(member);
        let log = self.path(&format!("{member}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let [ip, arguments @ ..] = self.hosts.prefix(member);
        let mut command = Command::new(ip);
        command.args(arguments);
        if let Some(delay) = conditions.slow_disk {
            let inject = format!("inject=fsync,fdatasync:delay_exit={}", delay * 1_000);
            // -D: the member keeps the process id, and the tracer is the child.
            command.args(["strace", "-D", "-f", "-qqq", "--seccomp-bpf", "-o", "/dev/null"]);
            command.args(["-e", "trace=fsync,fdatasync", "-e", &inject]);
        }
        if let Some(clock) = &conditions.clock {
            command.args(["env", &format!("FAKETIME={clock}"), "FAKETIME_DONT_FAKE_MONOTONIC=1"]);
            command.arg(format!("LD_PRELOAD={}", fake_time().display()));
        }
        command.arg(program("warren-node")).arg("run");
        command.arg("--data").arg(self.path(&format!("node-{member}")));
        command.arg("--list").arg(self.path("list.json"));
        command.args(["--directory-key", &self.directory_key]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        if let Some(place) = self.members.get_mut(member) {
            *place = Some(command.spawn().unwrap());
        }
        let started = Instant::now();
        while self.begins(member) == begun {
            assert!(started.elapsed() < Duration::from_secs(120), "member {member} does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL: the process gets no chance to do anything.
    pub async fn kill(&mut self, member: usize) {
        self.members[member].take().unwrap().kill().await.unwrap();
    }

    /// Removes the mail of a member that does not run; its keys stay.
    pub fn wipe(&self, member: usize) {
        std::fs::remove_dir_all(self.path(&format!("node-{member}")).join("mail")).unwrap();
    }

    /// Begins traffic on the last host.
    pub fn traffic(&self, seconds: u64, more: &[&str]) -> Child {
        let mut command = self.load("run");
        command.args(["--seconds", &seconds.to_string()]).args(more);
        command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
    }

    /// Waits until all members agree with what was acknowledged; what there was.
    pub async fn audit(&self, settle: u64) -> Value {
        let mut command = self.load("audit");
        command.args(["--settle", &settle.to_string()]);
        serde_json::from_str(&printed(command).await).unwrap()
    }

    fn load(&self, what: &str) -> Command {
        let [ip, arguments @ ..] = self.hosts.prefix(self.size());
        let mut command = Command::new(ip);
        command.args(arguments).arg(program("warren-load")).arg(what);
        command.arg("--nodes").arg(self.path("members.json"));
        command.arg("--events").arg(self.path("events.jsonl"));
        command
    }

    /// How often a member's log says that it serves.
    fn begins(&self, member: usize) -> usize {
        let log = std::fs::read_to_string(self.path(&format!("{member}.log")));
        log.unwrap_or_default().matches("node serving").count()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }
}

/// The library that moves a program's clock, where Debian keeps it.
fn fake_time() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let mut libraries =
        folders.map(|folder| folder.unwrap().path().join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.exists()).expect("apt-get install libfaketime")
}

/// Makes the members' keys; their records.
async fn members_records(swarm: &SwarmOfHosts, count: usize) -> Vec<Value> {
    let mut records = Vec::new();
    for member in 0..count {
        let mut init = Command::new(program("warren-node"));
        init.args(["init", "--json", "--swarm", "7", "--port", &PORT.to_string()]);
        init.args(["--ip", &swarm.hosts.address(member).to_string()]);
        init.arg("--data").arg(swarm.path(&format!("node-{member}")));
        let record = printed(init).await;
        std::fs::write(swarm.path(&format!("{member}.json")), &record).unwrap();
        records.push(serde_json::from_str(&record).unwrap());
    }
    records
}

/// Runs a program to its end; what it printed.
async fn printed(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
