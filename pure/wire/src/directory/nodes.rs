//! Who the nodes are: a node's record, its JSON, and the checked list of all of them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};
use warren_crypto::x25519;

use super::ListError;
use crate::id::{AccountId, NodeId, key_from_hex};
use crate::swarm::{self, SwarmId};

/// The most nodes a list may have.
pub const MAX_NODES: usize = 40_000;
/// What a node that keeps files calls that role.
const FILES: &str = "files";

/// What a node does beside keeping mail and passing onions on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Roles {
    /// It keeps files (wire spec, section 6).
    pub files: bool,
}

impl Roles {
    /// The roles' names, sorted.
    pub fn names(self) -> Vec<String> {
        if self.files { vec![FILES.to_owned()] } else { Vec::new() }
    }

    /// Reads names; those that nobody knows yet are passed over.
    pub fn from_names<S: AsRef<str>>(names: &[S]) -> Self {
        Self { files: names.iter().any(|name| name.as_ref() == FILES) }
    }
}

/// One node as the directory knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecord {
    /// The node's Ed25519 key, which is its name.
    pub id: NodeId,
    /// The key its onion layers are encrypted to.
    pub x25519: x25519::PublicKey,
    /// Where it listens.
    pub ip: Ipv4Addr,
    /// The port of its HTTPS.
    pub port: u16,
    /// The swarm it keeps mail for.
    pub swarm: SwarmId,
    /// SHA-256 of its TLS certificate (DER); `None` for a node of a network that publishes none.
    pub certificate: Option<[u8; 32]>,
    /// What else it does.
    pub roles: Roles,
}

impl NodeRecord {
    /// Where its HTTPS listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.ip), self.port)
    }
}

/// All nodes at one time, checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeList {
    nodes: Vec<NodeRecord>,
}

impl NodeList {
    /// Takes records over.
    ///
    /// # Errors
    /// Where two have the same id or there are more than [`MAX_NODES`].
    pub fn new(nodes: Vec<NodeRecord>) -> Result<Self, ListError> {
        if nodes.len() > MAX_NODES {
            return Err(ListError::Malformed);
        }
        let ids: BTreeSet<&NodeId> = nodes.iter().map(|node| &node.id).collect();
        if ids.len() != nodes.len() {
            return Err(ListError::Duplicate);
        }
        Ok(Self { nodes })
    }

    /// Every node, in the list's order.
    pub fn nodes(&self) -> &[NodeRecord] {
        &self.nodes
    }

    /// The node with this id.
    pub fn get(&self, id: &NodeId) -> Option<&NodeRecord> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// The swarm that keeps an account's mail; `None` for an empty list.
    pub fn swarm_of(&self, account: &AccountId) -> Option<SwarmId> {
        swarm::of_account(account, self.nodes.iter().map(|node| node.swarm))
    }

    /// The nodes of one swarm.
    pub fn members(&self, swarm: SwarmId) -> impl Iterator<Item = &NodeRecord> {
        self.nodes.iter().filter(move |node| node.swarm == swarm)
    }
}

/// A node's record with the field names that clients of `get_n_service_nodes` read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeJson {
    /// Dotted IPv4.
    pub public_ip: String,
    /// Port of HTTPS.
    pub storage_port: u16,
    /// Port of the message-queue protocol, which these nodes do not speak; the same as HTTPS.
    #[serde(default)]
    pub storage_lmq_port: u16,
    /// 64 hex digits.
    pub pubkey_ed25519: String,
    /// 64 hex digits.
    pub pubkey_x25519: String,
    /// The swarm as a number.
    #[serde(default)]
    pub swarm_id: u64,
    /// SHA-256 of the TLS certificate, 64 hex digits; a field of Warren's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_sha256: Option<String>,
    /// What else the node does; a field of Warren's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

impl From<&NodeRecord> for NodeJson {
    fn from(node: &NodeRecord) -> Self {
        Self {
            public_ip: node.ip.to_string(),
            storage_port: node.port,
            storage_lmq_port: node.port,
            pubkey_ed25519: node.id.to_string(),
            pubkey_x25519: hex::encode(node.x25519.as_bytes()),
            swarm_id: node.swarm.0,
            certificate_sha256: node.certificate.map(hex::encode),
            roles: node.roles.names(),
        }
    }
}

impl TryFrom<NodeJson> for NodeRecord {
    type Error = ListError;

    fn try_from(json: NodeJson) -> Result<Self, ListError> {
        let key = |text: &str| key_from_hex(text).map_err(|_| ListError::Malformed);
        Ok(Self {
            id: NodeId::from_bytes(key(&json.pubkey_ed25519)?),
            x25519: x25519::PublicKey::from_bytes(key(&json.pubkey_x25519)?),
            ip: json.public_ip.parse().map_err(|_| ListError::Malformed)?,
            port: json.storage_port,
            swarm: SwarmId(json.swarm_id),
            certificate: json.certificate_sha256.as_deref().map(key).transpose()?,
            roles: Roles::from_names(&json.roles),
        })
    }
}
