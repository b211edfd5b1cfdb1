//! `/swarm/v1`: what other nodes ask, and how much of it.
//!
//! Members of the same swarm ask as much as their work takes: requests passed on, what one of them
//! missed, comparisons. Every other node of the list has a bucket of its own, by its key; who is
//! neither is counted by address, as anywhere else.

use std::net::SocketAddr;

use warren_node::Answer;

use crate::limits::Route;
use crate::node::Node;
use crate::telemetry;

/// Does what an envelope asks for; the answer in bencode. `peer` is where it comes from.
///
/// # Errors
/// The refusal.
pub async fn answer(
    node: &Node,
    envelope: &[u8],
    peer: Option<SocketAddr>,
) -> Result<Vec<u8>, Answer> {
    let request = node.member.open(envelope)?;
    if node.member.shares_work_with(&request.from) {
        if let Some(peer) = peer {
            let class = node.limits.class(peer.ip(), &node.placement());
            node.limits.give_back(peer, class, Route::Swarm);
        }
    } else if !node.limits.admit_node(&request.from) {
        telemetry::put_off("node");
        return Err(Answer::refuse(429, "Too Many Requests\n"));
    }
    let answered = node.member.answer_opened(request).await?;
    // Whoever floods a mailbox through all its members has one bucket there, and not one of each.
    if let Some(owner) = answered.took_for {
        node.limits.note_mail(&owner);
    }
    Ok(answered.body)
}
