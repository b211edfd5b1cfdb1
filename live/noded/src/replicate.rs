//! Carrying a store or a deletion out here and, at the same time, at every other member of the swarm.

use std::time::Duration;

use futures_util::future::{join, join_all};
use warren_node::answer::{self, MemberResult};
use warren_node::swarm_request::texts_of;
use warren_node::{CheckedDelete, CheckedStore};
use warren_store::StoreError;
use warren_transport::TransportError;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Change, MessageRecord, Order};
use warren_wire::rpc::{peer, signed};
use warren_wire::value::Dict;
use warren_wire::{MessageHash, Millis, NodeId, Stamp, Value, bencode};

use crate::held::{Arrivals, Arrived};
use crate::node::Node;

/// How long another member may take: less than the five seconds after which clients turn to
/// another node.
const PEER_TIMEOUT: Duration = Duration::from_secs(3);

/// Stores a message here and at all members; one result each, this node's first.
pub async fn store(
    node: &Node,
    checked: &CheckedStore,
    now: Millis,
) -> Vec<(NodeId, MemberResult)> {
    let params = checked.request().to_value();
    with_own(node, store_here(node, checked, now), forward(node, "store", &params, now)).await
}

/// Deletes messages here and at all members; one result each, this node's first.
pub async fn delete(
    node: &Node,
    checked: &CheckedDelete,
    now: Millis,
) -> Vec<(NodeId, MemberResult)> {
    let params = checked.request().to_value();
    with_own(node, delete_here(node, checked, now), forward(node, "delete", &params, now)).await
}

async fn with_own(
    node: &Node,
    own: impl Future<Output = MemberResult>,
    others: impl Future<Output = Vec<(NodeId, MemberResult)>>,
) -> Vec<(NodeId, MemberResult)> {
    let (own, mut others) = join(own, others).await;
    others.insert(0, (node.identity.id(), own));
    others
}

/// Stores a message in this node's own store; returns when it is on the disk.
pub async fn store_here(node: &Node, checked: &CheckedStore, now: Millis) -> MemberResult {
    let request = checked.request();
    let message = MessageRecord {
        owner: request.account,
        namespace: request.namespace,
        hash: *checked.hash(),
        timestamp: request.timestamp,
        expiry: request.expiry,
        data: request.data.clone(),
        stored: Stamp::at(now),
        proof: None,
    };
    let stored = match node.store.store(message, now).await {
        Ok(stored) => stored,
        Err(error) => return storage_failed(&error),
    };
    if !stored.already {
        node.held.arrived(&Arrived {
            owner: request.account,
            namespace: request.namespace,
            hash: *checked.hash(),
            timestamp: request.timestamp,
            expiry: stored.expiry,
            data: &request.data,
        });
    }
    let text = signed::stored(checked.hash());
    node.identity.signing_key().sign(text.as_bytes()).map_or(
        MemberResult::StorageFailed,
        |signature| {
            let entry = answer::stored_entry(checked.hash(), stored.expiry, stored.already);
            MemberResult::Done(signed_entry(entry, signature))
        },
    )
}

/// Deletes messages in this node's own store.
pub async fn delete_here(node: &Node, checked: &CheckedDelete, now: Millis) -> MemberResult {
    let request = checked.request();
    let Ok(proof) = bencode::encode(&request.to_value()) else {
        return MemberResult::StorageFailed;
    };
    let order = Order {
        owner: request.account,
        stamp: Stamp::at(now),
        change: Change::Delete(request.messages.clone()),
        proof,
    };
    let mut gone: Vec<MessageHash> = match node.store.apply(order, now).await {
        Ok(applied) => applied.deleted.into_iter().map(|(_, hash)| hash).collect(),
        Err(error) => return storage_failed(&error),
    };
    gone.sort_by_key(ToString::to_string);
    let text = signed::deleted(&request.account, &request.messages, &gone);
    node.identity
        .signing_key()
        .sign(text.as_bytes())
        .map_or(MemberResult::StorageFailed, |signature| {
            MemberResult::Done(signed_entry(answer::deleted_entry(&gone), signature))
        })
}

fn signed_entry(mut entry: Dict, signature: [u8; 64]) -> Dict {
    entry.insert("signature".to_owned(), Value::Bytes(signature.to_vec()));
    entry
}

fn storage_failed(error: &StoreError) -> MemberResult {
    tracing::error!(%error, "storage failed");
    MemberResult::StorageFailed
}

async fn forward(
    node: &Node,
    method: &str,
    params: &Value,
    now: Millis,
) -> Vec<(NodeId, MemberResult)> {
    let placement = node.placement();
    let calls = placement
        .peers()
        .map(async |peer| (peer.id, ask(node, peer, method, params.clone(), now).await));
    join_all(calls).await
}

/// Asks one member to do the same and reads what it says of it.
async fn ask(
    node: &Node,
    peer: &NodeRecord,
    method: &str,
    params: Value,
    now: Millis,
) -> MemberResult {
    let key = node.identity.signing_key();
    let Ok(envelope) = peer::seal(method, params, Some(Stamp::at(now)), &peer.id, now, key) else {
        return MemberResult::Unreachable;
    };
    match node.connections.post(peer, "/swarm/v1", envelope, PEER_TIMEOUT).await {
        Ok(reply) if reply.status == 200 => match bencode::decode(&reply.body) {
            Ok(Value::Dict(entry)) if entry.contains_key("signature") => {
                MemberResult::Done(texts_of(entry))
            }
            _ => MemberResult::Unreachable,
        },
        Ok(reply) => {
            let reason = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
            MemberResult::Refused(reply.status, reason)
        }
        Err(TransportError::TimedOut) => MemberResult::TimedOut,
        Err(_) => MemberResult::Unreachable,
    }
}
