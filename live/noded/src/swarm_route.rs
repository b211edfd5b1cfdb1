//! `/swarm/v1`: what another member of the swarm passes on, checked as if a client had brought it.

use warren_node::answer::MemberResult;
use warren_node::{Answer, CheckedDelete, CheckedStore, Origin};
use warren_wire::rpc::peer::{self, PeerError};
use warren_wire::rpc::{Request, RequestError};
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
    let result = match read(&request.method, &request.params)? {
        Request::Store(request) => {
            placement.require(&request.account, now)?;
            let checked = CheckedStore::check(request, now, Origin::Swarm)?;
            replicate::store_here(node, &checked, now).await
        }
        Request::Delete(request) => {
            placement.require(&request.account, now)?;
            replicate::delete_here(node, &CheckedDelete::check(request)?, now).await
        }
        _ => return Err(Answer::refuse(400, "not a request that members pass on")),
    };
    match result {
        MemberResult::Done(entry) => {
            bencode::encode(&Value::Dict(entry)).map_err(|_| Answer::refuse(500, "request failed"))
        }
        _ => Err(Answer::refuse(503, "Service node is not ready: storage failure\n")),
    }
}

fn read(method: &str, params: &warren_wire::value::Dict) -> Result<Request, Answer> {
    Request::read(method, params)
        .map_err(|error: RequestError| Answer::refuse(400, error.to_string()))
}

fn refuse_envelope(error: PeerError) -> Answer {
    let status = match error {
        PeerError::Malformed | PeerError::WrongReceiver => 400,
        PeerError::Stale => 406,
        PeerError::BadSignature => 401,
    };
    Answer::refuse(status, error.to_string())
}
