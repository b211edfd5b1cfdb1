//! Who the nodes are: a node's record, and the list of them that a directory signs.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::x25519;

use crate::id::{AccountId, NodeId, key_from_hex};
use crate::limits::Millis;
use crate::swarm::{self, SwarmId};

/// What every signed list starts with, so that the signature fits nothing else.
const SIGNATURE_DOMAIN: &[u8] = b"warren directory list v1\n";
/// The most nodes a list may have.
const MAX_NODES: usize = 100_000;

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

/// Why a list of nodes is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Neither the shape of a list nor of a signed list.
    #[error("the directory's answer is not a list of nodes")]
    Malformed,
    /// The list carries no signature where one is demanded.
    #[error("the directory's list is not signed")]
    Unsigned,
    /// Signed by another key than the pinned one.
    #[error("the directory's list is signed by another key than the pinned one")]
    WrongKey,
    /// The signature does not fit the list.
    #[error("the signature of the directory's list is wrong")]
    BadSignature,
    /// Older than a list that was seen before.
    #[error("the directory's list is older than the one seen last: somebody may be replaying it")]
    RolledBack,
    /// Two records with one key.
    #[error("the directory's list names a node twice")]
    Duplicate,
}

impl NodeList {
    /// Takes records over.
    ///
    /// # Errors
    /// Where two have the same id or there are more than 100,000.
    pub fn new(nodes: Vec<NodeRecord>) -> Result<Self, ListError> {
        let mut ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() != nodes.len() {
            return Err(ListError::Duplicate);
        }
        if nodes.len() > MAX_NODES {
            return Err(ListError::Malformed);
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
        })
    }
}

/// A list as the directory publishes it: the signed bytes, who signed them, and the signature.
///
/// The list itself travels as the exact text that was signed, so that no two encoders need agree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnverifiedList {
    /// JSON of [`ListBody`].
    pub list: String,
    /// Ed25519 key of the directory, 64 hex digits.
    pub directory: String,
    /// base64 of `Ed25519("warren directory list v1\n" || list)`.
    pub signature: String,
}

/// What is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListBody {
    /// When the list was made.
    pub issued: Millis,
    /// The nodes.
    pub nodes: Vec<NodeJson>,
}

impl UnverifiedList {
    /// Signs a list.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn sign(list: &NodeList, issued: Millis, key: &SigningKey) -> Result<Self, CryptoError> {
        let body = ListBody { issued, nodes: list.nodes().iter().map(NodeJson::from).collect() };
        let list = serde_json::to_string(&body).map_err(|_| CryptoError)?;
        let signature = key.sign(&signed_bytes(&list))?;
        Ok(Self {
            list,
            directory: hex::encode(key.verifying_key().as_bytes()),
            signature: STANDARD.encode(signature),
        })
    }

    /// Checks the list against the key that is pinned and gives the nodes it names.
    ///
    /// # Errors
    /// Where key or signature do not fit, or the list is malformed.
    pub fn verify(&self, pinned: &VerifyingKey) -> Result<NodeList, ListError> {
        let claimed = key_from_hex(&self.directory).map_err(|_| ListError::Malformed)?;
        if claimed != *pinned.as_bytes() {
            return Err(ListError::WrongKey);
        }
        let signature = STANDARD.decode(&self.signature).map_err(|_| ListError::BadSignature)?;
        pinned
            .verify(&signed_bytes(&self.list), &signature)
            .map_err(|_| ListError::BadSignature)?;
        let body: ListBody = serde_json::from_str(&self.list).map_err(|_| ListError::Malformed)?;
        let nodes = body.nodes.into_iter().map(NodeRecord::try_from).collect::<Result<_, _>>()?;
        NodeList::new(nodes)
    }
}

impl UnverifiedList {
    /// When the list says it was made. Worth something only after [`UnverifiedList::verify`].
    ///
    /// # Errors
    /// Where the list is malformed.
    pub fn issued(&self) -> Result<Millis, ListError> {
        let body: ListBody = serde_json::from_str(&self.list).map_err(|_| ListError::Malformed)?;
        Ok(body.issued)
    }
}

fn signed_bytes(list: &str) -> Vec<u8> {
    [SIGNATURE_DOMAIN, list.as_bytes()].concat()
}
