//! Which nodes keep a mailbox, and what their answers mean.

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_onion::Reply;
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::rpc::reply::SwarmEntry;
use warren_wire::value::decode_base64;
use warren_wire::work::Terms;
use warren_wire::{AccountId, NodeId, Value};

use crate::error::ClientError;

/// The nodes that keep an account's mail, in random order.
pub(crate) fn swarm_members(
    list: &NodeList,
    account: &AccountId,
) -> Result<Vec<NodeRecord>, ClientError> {
    let swarm = list.swarm_of(account).ok_or(ClientError::NoSwarm)?;
    let mut members: Vec<NodeRecord> = list.members(swarm).cloned().collect();
    for last in (1..members.len()).rev() {
        if let Some(other) = random_index(&mut SystemEntropy, last + 1) {
            members.swap(last, other);
        }
    }
    Ok(members)
}

/// Turns a node's refusal into an error.
pub(crate) fn require_success(reply: &Reply) -> Result<(), ClientError> {
    match reply.status {
        200 => Ok(()),
        406 => Err(ClientError::Clock),
        429 if terms_of(reply).is_some() => Err(ClientError::Flooded),
        status => Err(refusal(status, &reply.body)),
    }
}

/// A node's refusal, with its words made harmless.
pub(crate) fn refusal(status: u16, body: &serde_json::Value) -> ClientError {
    let reason = body.as_str().unwrap_or("no reason given");
    let reason = reason.chars().filter(|c| !c.is_control()).take(200).collect();
    ClientError::Refused { status, reason }
}

/// A node that answers with what is no answer.
pub(crate) fn malformed() -> ClientError {
    ClientError::Refused { status: 200, reason: "the node's answer is malformed".to_owned() }
}

/// What a node asks for that gets too many messages for one mailbox; `None` where the reply asks
/// for nothing, or for more than is fair.
pub(crate) fn terms_of(reply: &Reply) -> Option<Terms> {
    let challenge = reply.body.get("challenge").filter(|_| reply.status == 429)?;
    let json = challenge.to_string();
    Terms::read(&Value::from_json(json.as_bytes()).ok()?)
}

/// Whether a member of the swarm signed `text` under its own entry of a reply.
pub(crate) fn is_signed(members: &[NodeId], id: &str, entry: &SwarmEntry, text: &[u8]) -> bool {
    let id = id.parse::<NodeId>().ok().filter(|id| members.contains(id));
    let signature = entry.signature.as_deref().and_then(decode_base64);
    let (Some(id), Some(signature)) = (id, signature) else { return false };
    id.verifying_key().verify(text, &signature).is_ok()
}
