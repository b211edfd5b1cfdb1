//! `/swarm/v1`: what another member of the swarm passes on, checked as if a client had brought it.

use warren_node::answer::MemberResult;
use warren_node::{Answer, accept};
use warren_wire::rpc::peer::{self, PeerError};
use warren_wire::{Value, bencode};

use crate::node::{Node, now};
use crate::replicate;

/// Carries a passed-on request out and gives this node's entry, in bencode.
///
/// # Errors
/// The refusal, as a client would get it.
pub async fn answer(node: &Node, body: &[u8]) -> Result<Vec<u8>, Answer> {
    let now = now();
    let placement = node.placement();
    let request = peer::open(body, placement.own(), now).map_err(refuse_envelope)?;
    if !placement.is_peer(&request.from) {
        return Err(Answer::refuse(401, "swarm request from a node that is no member"));
    }
    let stamp = request.stamp.ok_or_else(|| Answer::refuse(400, "swarm request without stamp"))?;
    let checked = accept::read(&request.method, &request.params, stamp, now)?;
    placement.require(checked.owner(), now)?;
    let result = replicate::here(node, &*checked, stamp, now).await;
    match result {
        MemberResult::Done(entry) => {
            bencode::encode(&Value::Dict(entry)).map_err(|_| Answer::refuse(500, "request failed"))
        }
        _ => Err(Answer::refuse(503, "Service node is not ready: storage failure\n")),
    }
}

fn refuse_envelope(error: PeerError) -> Answer {
    let status = match error {
        PeerError::Malformed | PeerError::WrongReceiver => 400,
        PeerError::Stale => 406,
        PeerError::BadSignature => 401,
    };
    Answer::refuse(status, error.to_string())
}
