//! Hosts of their own for the nodes: network namespaces on one switch, whose wires can be cut.

use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// How many sets of hosts this process made, so that their names differ.
static SETS: AtomicU32 = AtomicU32::new(0);

/// Network namespaces that reach each other over a bridge in one more namespace.
///
/// They are removed when this is dropped.
pub struct Hosts {
    set: String,
    count: usize,
}

/// What cannot be had here, where it cannot: network namespaces need root and two programs.
///
/// # Errors
/// What is missing, in words.
pub fn available() -> Result<(), String> {
    for program in [["ip", "-V"], ["nft", "-v"], ["strace", "-V"]] {
        let [name, argument] = program;
        if Command::new(name).arg(argument).output().is_err() {
            return Err(format!(
                "{name} is missing: apt-get install iproute2 nftables strace libfaketime"
            ));
        }
    }
    let name = format!("w{}t{}", std::process::id(), SETS.fetch_add(1, Ordering::Relaxed));
    if !ip(&["netns", "add", &name]) {
        return Err(
            "network namespaces cannot be made here: they need root and CAP_SYS_ADMIN".to_owned()
        );
    }
    ip(&["netns", "del", &name]);
    Ok(())
}

impl Hosts {
    /// Makes hosts 0 to `count` - 1, each with an address of its own.
    pub fn create(count: usize) -> Self {
        let set = format!("w{}x{}", std::process::id(), SETS.fetch_add(1, Ordering::Relaxed));
        let hosts = Self { set, count };
        let switch = hosts.switch();
        must(&["netns", "add", &switch]);
        must(&["-n", &switch, "link", "add", "br0", "type", "bridge"]);
        must(&["-n", &switch, "link", "set", "br0", "up"]);
        for host in 0..count {
            hosts.plug(host);
        }
        hosts
    }

    fn plug(&self, host: usize) {
        let (switch, name, port) = (self.switch(), self.name(host), format!("p{host}"));
        must(&["netns", "add", &name]);
        let pair = ["link", "add", "eth0", "netns", &name, "type", "veth", "peer", "name"];
        must(&[&pair[..], &[&port, "netns", &switch]].concat());
        must(&["-n", &switch, "link", "set", &port, "master", "br0", "up"]);
        let address = format!("{}/8", self.address(host));
        must(&["-n", &name, "addr", "add", &address, "dev", "eth0"]);
        must(&["-n", &name, "link", "set", "lo", "up"]);
        must(&["-n", &name, "link", "set", "eth0", "up"]);
        self.nft(
            host,
            "add table ip cut; add chain ip cut in { type filter hook input priority 0; }",
        );
    }

    fn switch(&self) -> String {
        format!("{}s", self.set)
    }

    fn name(&self, host: usize) -> String {
        format!("{}h{host}", self.set)
    }

    /// The address of a host: each has a /24 of its own.
    pub fn address(&self, host: usize) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, u8::try_from(host).unwrap(), 1)
    }

    /// How a program is started on a host.
    pub fn prefix(&self, host: usize) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), self.name(host)]
    }

    /// Nothing that the first send reaches the second any more; the other way stays open.
    pub fn cut(&self, from: &[usize], to: &[usize]) {
        for receiver in to {
            for sender in from {
                let address = self.address(*sender);
                self.nft(*receiver, &format!("add rule ip cut in ip saddr {address} drop"));
            }
        }
    }

    /// Every host loses this share of what reaches it.
    pub fn lose(&self, percent: u8) {
        for host in 0..self.count {
            let rule = format!("add rule ip cut in numgen random mod 100 < {percent} drop");
            self.nft(host, &rule);
        }
    }

    /// All wires are whole again.
    pub fn heal(&self) {
        for host in 0..self.count {
            self.nft(host, "flush chain ip cut in");
        }
    }

    fn nft(&self, host: usize, rules: &str) {
        must(&["netns", "exec", &self.name(host), "nft", rules]);
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in 0..self.count {
            ip(&["netns", "del", &self.name(host)]);
        }
        ip(&["netns", "del", &self.switch()]);
    }
}

fn ip(arguments: &[&str]) -> bool {
    let output = Command::new("ip").args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn must(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {}: {text}", arguments.join(" "));
}
