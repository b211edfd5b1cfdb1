//! Carrying a request out here and, at the same time, at every other member of the swarm.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{join, join_all};
use warren_node::SwarmRequest;
use warren_node::answer::MemberResult;
use warren_node::clock::HybridClock;
use warren_node::swarm_request::{Changed, Done, texts_of};
use warren_store::StoreError;
use warren_transport::TransportError;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Change, MessageRecord, Order, Record};
use warren_wire::rpc::peer;
use warren_wire::{Millis, NodeId, Stamp, Value, bencode};

use crate::held::{Arrivals, Arrived};
use crate::node::Node;

/// How long another member may take: less than the five seconds after which clients turn to
/// another node.
const PEER_TIMEOUT: Duration = Duration::from_secs(3);

/// What gives stamps to the requests that clients bring.
static CLOCK: LazyLock<Mutex<HybridClock>> = LazyLock::new(Mutex::default);

/// Carries a request out here and at all members; one result each, this node's first.
pub async fn carry_out(
    node: &Node,
    request: &dyn SwarmRequest,
    now: Millis,
) -> Vec<(NodeId, MemberResult)> {
    let stamp = CLOCK.lock().unwrap_or_else(PoisonError::into_inner).next(now);
    let (own, mut others) =
        join(here(node, request, stamp, now), forward(node, request, stamp, now)).await;
    others.insert(0, (node.identity.id(), own));
    others
}

/// Carries a request out in this node's own store; returns when what came of it is on the disk.
pub async fn here(
    node: &Node,
    request: &dyn SwarmRequest,
    stamp: Stamp,
    now: Millis,
) -> MemberResult {
    let done = match request.record(stamp) {
        Ok(Record::Message(message)) => store(node, message, now).await,
        Ok(Record::Order(order)) => apply(node, order, now).await,
        Err(_) => return MemberResult::StorageFailed,
    };
    let entry = match done {
        Ok(done) => request.entry(&done),
        Err(error) => return storage_failed(&error),
    };
    let signed = entry.and_then(|entry| {
        let signature = node.identity.signing_key().sign(&entry.signed).ok()?;
        let mut fields = entry.fields;
        fields.insert("signature".to_owned(), Value::Bytes(signature.to_vec()));
        Some(fields)
    });
    signed.map_or(MemberResult::StorageFailed, MemberResult::Done)
}

async fn store(node: &Node, message: MessageRecord, now: Millis) -> Result<Done, StoreError> {
    let stored = node.store.store(message.clone(), now).await?;
    if !stored.already {
        node.held.arrived(&Arrived {
            owner: message.owner,
            namespace: message.namespace,
            hash: message.hash,
            timestamp: message.timestamp,
            expiry: stored.expiry,
            data: &message.data,
        });
    }
    Ok(Done::Stored { expiry: stored.expiry, already: stored.already })
}

async fn apply(node: &Node, order: Order, now: Millis) -> Result<Done, StoreError> {
    let given_back = match &order.change {
        Change::Unrevoke(tokens) => {
            let revoked = node.store.revoked(order.owner).await?;
            revoked.iter().filter(|token| tokens.contains(token)).count()
        }
        _ => 0,
    };
    let applied = node.store.apply(order, now).await?;
    Ok(Done::Changed(Changed {
        deleted: applied.deleted,
        updated: applied.updated,
        unchanged: applied.unchanged,
        given_back: u64::try_from(given_back).unwrap_or(u64::MAX),
    }))
}

fn storage_failed(_: &StoreError) -> MemberResult {
    MemberResult::StorageFailed
}

async fn forward(
    node: &Node,
    request: &dyn SwarmRequest,
    stamp: Stamp,
    now: Millis,
) -> Vec<(NodeId, MemberResult)> {
    let placement = node.placement();
    let calls =
        placement.peers().map(async |peer| (peer.id, ask(node, peer, request, stamp, now).await));
    join_all(calls).await
}

/// Asks one member to do the same and reads what it says of it.
async fn ask(
    node: &Node,
    peer: &NodeRecord,
    request: &dyn SwarmRequest,
    stamp: Stamp,
    now: Millis,
) -> MemberResult {
    let (method, params) = (request.method(), request.params());
    let key = node.identity.signing_key();
    let Ok(envelope) = peer::seal(method, params, Some(stamp), &peer.id, now, key) else {
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
