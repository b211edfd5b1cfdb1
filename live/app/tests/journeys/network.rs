//! A network that `warren up` runs, as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout};

use serde_json::Value;
use tempfile::TempDir;

use crate::device::{Device, Ended, signal};

/// Three hops, a destination, and one to spare.
const NODES: &str = "5";

/// Where a network listens and keeps its mail, so that it can come back as the same.
pub(crate) struct Place {
    data: TempDir,
    device: Device,
    seed_port: String,
    node_port: String,
}

/// A running network; killed with its value.
pub(crate) struct Network {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it announced.
    pub(crate) announced: Value,
}

impl Place {
    /// Free ports and an empty folder.
    pub(crate) fn new() -> Self {
        let free = |ip: &str| {
            let listener = TcpListener::bind((ip, 0)).unwrap();
            listener.local_addr().unwrap().port().to_string()
        };
        Self {
            data: tempfile::tempdir().unwrap(),
            device: Device::new(),
            seed_port: free("127.0.0.1"),
            node_port: free("127.0.1.1"),
        }
    }

    /// Starts the network, or starts it again.
    pub(crate) fn up(&self) -> Network {
        let data = self.data.path().to_str().unwrap();
        let ports = ["--seed-port", &self.seed_port, "--node-port", &self.node_port];
        let arguments = [&["--json", "up", "--nodes", NODES, "--data", data][..], &ports].concat();
        let mut child = self.device.command(&arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let announced = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            panic!("the network does not start: {line}{stderr}")
        });
        Network { child, stdout, announced }
    }
}

impl Network {
    /// `URL#KEY`.
    pub(crate) fn seed(&self) -> &str {
        self.announced["seed"].as_str().unwrap()
    }

    /// Ends it as Ctrl-C (INT) or a service manager (TERM) does.
    pub(crate) fn stop(mut self, signal_name: &str) -> Ended {
        signal(&self.child, signal_name);
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Ended { code: self.child.wait().unwrap().code(), stdout, stderr }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_network_announces_itself_and_ends_cleanly() {
    let place = Place::new();
    for signal_name in ["INT", "TERM"] {
        let network = place.up();
        let announced = &network.announced;
        assert_eq!(announced["nodes"].as_array().unwrap().len(), 5);
        let url = announced["seed_url"].as_str().unwrap();
        let key = announced["directory_key"].as_str().unwrap();
        assert_eq!(network.seed(), format!("{url}#{key}"));
        let ended = network.stop(signal_name).with_code(0);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("", ""));
    }
}

#[test]
fn the_lines_to_paste_are_printed_and_the_end_is_said() {
    let device = Device::new();
    let data = device.folder().join("net");
    let arguments = [
        "up",
        "--nodes",
        "4",
        "--seed-port",
        "0",
        "--node-port",
        "0",
        "--data",
        data.to_str().unwrap(),
    ];
    let mut child = device.command(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let before: Vec<String> = lines.by_ref().take_while(|line| !line.contains("Ctrl-C")).collect();
    assert!(before.iter().any(|line| line.trim_start().starts_with("export WARREN_SEED='http://")));
    signal(&child, "INT");
    let after: Vec<String> = lines.collect();
    assert!(after.iter().any(|line| line.starts_with("Stopped.")), "{after:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_taken_port_is_named_with_the_option_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let device = Device::new();
    let arguments = ["--json", "up", "--nodes", "4", "--node-port", "0", "--seed-port", &port];
    let refused = device.run(&arguments).with_code(1);
    assert_eq!(refused.error_code(), "port_taken");
    assert!(refused.stderr.contains("--seed-port"), "{refused:?}");
    assert!(refused.stderr.contains(&port), "{refused:?}");
}
