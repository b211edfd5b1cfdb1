//! Which servers the last node of a path asks on a client's behalf.
//!
//! Whoever can make a node send requests can make it a weapon. So a node asks the other nodes of its
//! list, which expect such requests, and the hosts its operator names; and never a private address,
//! behind which the operator's own machines lie.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use warren_wire::address::is_public;
use warren_wire::directory::{NodeList, NodeRecord};

/// The hosts outside the list of nodes that an operator lets clients ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitRules {
    /// Every host with a public address.
    pub any: bool,
    /// These hosts.
    pub hosts: Vec<AllowedHost>,
}

/// `HOST` or `HOST:PORT`; without a port, every port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    host: String,
    port: Option<u16>,
}

/// A text that is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a host as HOST or HOST:PORT, such as files.example.org or files.example.org:443")]
pub struct BadHost;

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit<'a> {
    /// This node itself: no socket is needed.
    Own,
    /// Another node of the list, whose certificate is known.
    Node(&'a NodeRecord),
    /// A host that the operator allows; its addresses are still to be checked by [`is_public`].
    Outside,
    /// Nobody.
    Refused,
}

impl FromStr for AllowedHost {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| BadHost)?)),
            None => (text, None),
        };
        match is_spelled_as_host(host) {
            true => Ok(Self { host: host.to_ascii_lowercase(), port }),
            false => Err(BadHost),
        }
    }
}

/// Whether a text is spelled as a host's name or an IPv4 address, so that it stays the host, the whole
/// host and nothing else where it becomes part of a URL.
fn is_spelled_as_host(host: &str) -> bool {
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !host.is_empty() && host.bytes().all(named)
}

/// Whether URLs take a name for an IPv4 address: its last label is a number (the URL Standard,
/// "ends in a number checker"). `127.1` and `0x7f000001` are ways to write 127.0.0.1 there.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next().unwrap_or_default();
    let digits = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    digits || last.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"))
}

/// Whether a request may be posted to this path: a place that takes onions and nothing else.
pub fn takes_onions(target: &str) -> bool {
    let beginning = target.starts_with("/loki/") || target.starts_with("/oxen/");
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_' | b'.');
    // Session's nodes forbid `?` alone; what else a URL gives a meaning to does not occur.
    let whole = !target.split('/').any(|segment| matches!(segment, "." | ".."));
    beginning && target.ends_with("/lsrpc") && target.bytes().all(plain) && whole
}

impl ExitRules {
    /// Decides whom a request for this host and port goes to.
    pub fn decide<'a>(
        &self,
        host: &str,
        port: u16,
        own: SocketAddr,
        list: &'a NodeList,
    ) -> Exit<'a> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            let address = SocketAddr::new(ip, port);
            if address == own {
                return Exit::Own;
            }
            if let Some(node) = list.nodes().iter().find(|node| node.address() == address) {
                return Exit::Node(node);
            }
            if !is_public(ip) {
                return Exit::Refused;
            }
        } else if !is_spelled_as_host(host) || ends_in_a_number(host) {
            return Exit::Refused;
        }
        match self.any || self.hosts.iter().any(|allowed| allowed.is(host, port)) {
            true => Exit::Outside,
            false => Exit::Refused,
        }
    }
}

impl AllowedHost {
    fn is(&self, host: &str, port: u16) -> bool {
        self.host.eq_ignore_ascii_case(host) && self.port.is_none_or(|allowed| allowed == port)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use warren_crypto::x25519;
    use warren_wire::directory::Roles;
    use warren_wire::{NodeId, SwarmId};

    use super::*;

    fn node(last: u8) -> NodeRecord {
        NodeRecord {
            id: NodeId::from_bytes([last; 32]),
            x25519: x25519::PublicKey::from_bytes([last; 32]),
            ip: Ipv4Addr::new(10, 0, 0, last),
            port: 22021,
            swarm: SwarmId(1),
            certificate: None,
            roles: Roles::default(),
        }
    }

    fn rules(any: bool, hosts: &[&str]) -> ExitRules {
        ExitRules { any, hosts: hosts.iter().map(|host| host.parse().unwrap()).collect() }
    }

    #[test]
    fn only_nodes_and_allowed_hosts_are_asked() {
        let list = NodeList::new(vec![node(1), node(2)]).unwrap();
        let own = node(1).address();
        let ask = |rules: &ExitRules, host: &str, port| match rules.decide(host, port, own, &list) {
            Exit::Own => "own",
            Exit::Node(_) => "node",
            Exit::Outside => "outside",
            Exit::Refused => "refused",
        };
        let (none, some, any) = (
            rules(false, &[]),
            rules(false, &["Files.example.org:443", "open.example.org", "10.0.0.9", "1.1.1.1"]),
            rules(true, &[]),
        );
        for rules in [&none, &some, &any] {
            assert_eq!(ask(rules, "10.0.0.1", 22021), "own");
            assert_eq!(ask(rules, "10.0.0.2", 22021), "node");
            for (host, port) in [
                ("10.0.0.2", 22),
                ("10.0.0.9", 22021),
                ("127.0.0.1", 443),
                ("::1", 443),
                ("::ffff:127.0.0.1", 443),
                ("169.254.169.254", 80),
            ] {
                assert_eq!(ask(rules, host, port), "refused", "{host}");
            }
        }
        assert_eq!(ask(&none, "files.example.org", 443), "refused");
        assert_eq!(ask(&some, "files.EXAMPLE.org", 443), "outside");
        assert_eq!(ask(&some, "files.example.org", 80), "refused");
        assert_eq!(ask(&some, "open.example.org", 8080), "outside");
        assert_eq!(ask(&some, "evil.open.example.org", 443), "refused");
        assert_eq!(ask(&some, "1.1.1.1", 443), "outside");
        assert_eq!(ask(&any, "8.8.8.8", 443), "outside");
    }

    #[test]
    fn a_host_that_a_url_would_read_as_another_is_refused() {
        let list = NodeList::new(vec![node(1)]).unwrap();
        let any = rules(true, &[]);
        for host in [
            "127.1",
            "127.0.0.1.",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "1.2.3.4.5",
            "x@127.0.0.1",
            "127.0.0.1/admin?",
            "127.0.0.1:80",
            "[::1]",
            "fe80::1%eth0",
            "%31%32%37.1",
            "127。0。0。1",
            "a\\b",
            "a#b",
            "",
        ] {
            let exit = any.decide(host, 443, node(1).address(), &list);
            assert_eq!(exit, Exit::Refused, "{host}");
        }
        for host in ["files.example.org", "1.example.org", "0x7f.example", "xn--bcher-kva.example"]
        {
            let exit = any.decide(host, 443, node(1).address(), &list);
            assert_eq!(exit, Exit::Outside, "{host}");
        }
    }

    #[test]
    fn targets_are_places_that_take_onions() {
        for target in ["/loki/v3/lsrpc", "/oxen/v4/lsrpc"] {
            assert!(takes_onions(target));
        }
        for target in [
            "",
            "/",
            "/lsrpc",
            "/oxen/v4/lsrpc?x",
            "/oxen/v4/lsrpc#",
            "/oxen/../admin/lsrpc",
            "/oxen/./lsrpc",
            "/oxen/v4/lsrpc/",
            "/loki\r\nHost: x/lsrpc",
            "/oxen/@host/lsrpc",
        ] {
            assert!(!takes_onions(target), "{target}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", ":443", "host:", "host:99999", "http://host", "ho st", "host/x"] {
            assert_eq!(text.parse::<AllowedHost>(), Err(BadHost), "{text}");
        }
    }
}
