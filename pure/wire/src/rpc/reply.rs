//! What a client reads out of an answer: tolerant of fields it does not know.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::directory::{NodeRecord, Roles};
use crate::id::{MessageHash, NodeId, key_from_hex};
use crate::limits::Millis;
use crate::swarm::SwarmId;
use crate::value::decode_base64;

/// An answer that is not of the shape it should be: the node's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node's answer is malformed")]
pub struct MalformedReply;

/// The answer to `store`.
#[derive(Debug, Clone, Deserialize)]
pub struct StoreReply {
    /// The message's hash, absent where the answering node itself failed.
    #[serde(default)]
    pub hash: Option<String>,
    /// One entry a swarm member, by its Ed25519 key in hex.
    #[serde(default)]
    pub swarm: BTreeMap<String, SwarmEntry>,
}

/// What one swarm member says of a store.
#[derive(Debug, Clone, Deserialize)]
pub struct SwarmEntry {
    /// Set where the member could not be reached or refused.
    #[serde(default)]
    pub failed: bool,
    /// base64 of the member's signature.
    #[serde(default)]
    pub signature: Option<String>,
}

/// One message out of a mailbox, unchecked.
#[derive(Debug, Clone)]
pub struct RetrievedMessage {
    /// The name the node gives it.
    pub hash: MessageHash,
    /// When the sender says it was sent.
    pub timestamp: Millis,
    /// When it vanishes.
    pub expiration: Millis,
    /// The sealed bytes.
    pub data: Vec<u8>,
}

/// The answer to `retrieve`.
#[derive(Debug, Clone)]
pub struct RetrieveReply {
    /// In the order this node received them.
    pub messages: Vec<RetrievedMessage>,
    /// Whether there are later ones.
    pub more: bool,
}

#[derive(Deserialize)]
struct RawRetrieve {
    messages: Vec<serde_json::Value>,
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct RawMessage {
    hash: String,
    #[serde(default)]
    timestamp: Millis,
    #[serde(default)]
    expiration: Millis,
    data: String,
}

impl RetrieveReply {
    /// Reads the JSON of the answer. An entry that is malformed is passed over, so that one cannot
    /// hide the others.
    ///
    /// # Errors
    /// Where the answer is no list of messages.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, MalformedReply> {
        let raw = RawRetrieve::deserialize(json).map_err(|_| MalformedReply)?;
        let messages = raw.messages.iter().filter_map(read_message).collect();
        Ok(Self { messages, more: raw.more })
    }
}

fn read_message(json: &serde_json::Value) -> Option<RetrievedMessage> {
    let message = RawMessage::deserialize(json).ok()?;
    Some(RetrievedMessage {
        hash: message.hash.parse().ok()?,
        timestamp: message.timestamp,
        expiration: message.expiration,
        data: decode_base64(&message.data)?,
    })
}

/// The answer to `get_swarm`, also the body of status 421.
#[derive(Debug, Clone, Deserialize)]
struct RawSwarm {
    snodes: Vec<RawNode>,
    swarm: String,
}

#[derive(Debug, Clone, Deserialize)]
struct RawNode {
    ip: String,
    port: serde_json::Value,
    pubkey_ed25519: String,
    pubkey_x25519: String,
}

/// Reads the nodes of a swarm out of the answer to `get_swarm` or the body of a 421.
///
/// # Errors
/// Where the answer is malformed.
pub fn read_swarm(json: &serde_json::Value) -> Result<Vec<NodeRecord>, MalformedReply> {
    let raw = RawSwarm::deserialize(json).map_err(|_| MalformedReply)?;
    let swarm = u64::from_str_radix(&raw.swarm, 16).map_err(|_| MalformedReply)?;
    raw.snodes.iter().map(|node| read_node(node, SwarmId(swarm)).ok_or(MalformedReply)).collect()
}

fn read_node(node: &RawNode, swarm: SwarmId) -> Option<NodeRecord> {
    let port = match &node.port {
        serde_json::Value::String(text) => text.parse().ok()?,
        number => u16::try_from(number.as_u64()?).ok()?,
    };
    Some(NodeRecord {
        id: NodeId::from_bytes(key_from_hex(&node.pubkey_ed25519).ok()?),
        x25519: warren_crypto::x25519::PublicKey::from_bytes(
            key_from_hex(&node.pubkey_x25519).ok()?,
        ),
        ip: node.ip.parse::<Ipv4Addr>().ok()?,
        port,
        swarm,
        certificate: None,
        roles: Roles::default(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_malformed_entry_does_not_hide_the_others() {
        let hash = "A".repeat(43);
        let page = json!({ "more": true, "messages": [
            { "hash": "short", "data": "aGk=" },
            { "hash": hash, "data": "!!" },
            5,
            { "hash": hash, "data": "aGk=", "timestamp": 7, "unknown": [] },
        ]});
        let page = RetrieveReply::from_json(&page).unwrap();
        assert_eq!((page.messages.len(), page.more), (1, true));
        assert_eq!(page.messages[0].data, b"hi");
        assert!(RetrieveReply::from_json(&json!({ "messages": 5 })).is_err());
    }
}
