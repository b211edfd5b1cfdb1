//! What an authority answers: to nodes that announce themselves, to clients, to other authorities.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware;
use axum::response::Response;
use axum::routing::post;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use warren_node::consensus::slot_of_proposer;
use warren_wire::directory::exchange::{
    ANNOUNCE_PATH, LIST_PATH, PROPOSAL_HEADER, PROPOSAL_PATH, VOTE_PATH,
};
use warren_wire::directory::{
    ListError, ProposalHead, Standing, UnverifiedDescriptor, UnverifiedList, VoteRequest,
};

use super::round::blocking;
use super::shared::Shared;
use super::{AuthorityError, probe};
use crate::bodies::BodyError;
use crate::directory::{MAX_QUESTION_BYTES, answer_question};
use crate::gate::{self, Gate};
use crate::http::response;
use crate::node::now;

/// The most bytes of an announcement.
const MAX_ANNOUNCEMENT_BYTES: usize = 8 * 1024;
/// The most bytes of a list, with its signatures and the escapes of JSON.
const MAX_LIST_BYTES: usize = 24 * 1024 * 1024;
/// The most bytes of a proposal: two lists and the votes.
const MAX_PROPOSAL_BYTES: usize = 96 * 1024 * 1024;

/// The routes of an authority.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/json_rpc", post(question))
        .route(ANNOUNCE_PATH, post(announce))
        .route(VOTE_PATH, post(vote))
        .route(PROPOSAL_PATH, post(proposal))
        .route(LIST_PATH, post(list))
        .layer(middleware::from_fn_with_state(Gate::new(), gate::pass))
        .with_state(shared)
}

async fn question(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    match shared.bodies.read(request.into_body(), MAX_QUESTION_BYTES).await {
        Ok(body) => answer_question(body.bytes(), &shared.published()),
        Err(error) => unread(error),
    }
}

async fn announce(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let sender = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let sender = sender.map(|ConnectInfo(sender)| sender.ip().into());
    let signed: UnverifiedDescriptor = match read(&shared, request, MAX_ANNOUNCEMENT_BYTES).await {
        Ok(signed) => signed,
        Err(refusal) => return refusal,
    };
    match shared.announce(signed, sender) {
        Ok((announced, record)) => {
            if announced.standing == Standing::Untested {
                probe::try_soon(&shared, record);
            }
            json(&announced)
        }
        Err(error) => refuse(&error),
    }
}

async fn vote(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let request: VoteRequest = match read(&shared, request, MAX_QUESTION_BYTES).await {
        Ok(request) => request,
        Err(refusal) => return refusal,
    };
    let asker = match request.verify(&shared.keys, &shared.own_key()) {
        Ok(asker) => asker,
        Err(error) => return refuse(&error.into()),
    };
    let (sequence, now) = (request.sequence, now());
    let slot = match slot_of_proposer(&shared.keys, &shared.terms, sequence, &asker, now) {
        Ok(slot) => slot,
        Err(error) => return refuse(&error.into()),
    };
    match blocking(move || shared.vote(slot)).await {
        Ok(Some(vote)) => json(&vote),
        Ok(None) => response(503, "text/plain", "this authority reaches no node"),
        Err(error) => {
            tracing::error!(%error, "a vote cannot be kept and is not given");
            refuse(&error)
        }
    }
}

async fn proposal(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let head = match proposal_head(&shared, &request) {
        Ok(head) => head,
        Err(error) => return refuse(&error),
    };
    let body = match shared.bodies.read(request.into_body(), MAX_PROPOSAL_BYTES).await {
        Ok(body) => body,
        Err(error) => return unread(error),
    };
    let signed = one_at_a_time(Arc::clone(&shared.examination), move || {
        let proposal = head.open(body.bytes())?;
        shared.sign(&proposal)
    });
    match signed.await {
        Ok(signature) => json(&signature),
        Err(error) => {
            tracing::warn!(%error, "a proposed list is not signed");
            refuse(&error)
        }
    }
}

/// Who proposes, known before a byte of the proposal is read: the authority whose turn it is.
fn proposal_head(shared: &Shared, request: &Request) -> Result<ProposalHead, AuthorityError> {
    let head = request.headers().get(PROPOSAL_HEADER).ok_or(ListError::Unsigned)?;
    let head: ProposalHead =
        serde_json::from_slice(head.as_bytes()).map_err(|_| ListError::Malformed)?;
    let asker = head.verify(&shared.keys, &shared.own_key())?;
    slot_of_proposer(&shared.keys, &shared.terms, head.sequence, &asker, now())?;
    Ok(head)
}

async fn list(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let body = match shared.bodies.read(request.into_body(), MAX_LIST_BYTES).await {
        Ok(body) => body,
        Err(error) => return unread(error),
    };
    let taken = one_at_a_time(Arc::clone(&shared.taking), move || {
        let signed = serde_json::from_slice(body.bytes());
        let signed: UnverifiedList = signed.map_err(|_| ListError::Malformed)?;
        let list = signed.verify(&shared.keys)?;
        list.header.check_time(now())?;
        shared.adopt(list, signed)
    });
    match taken.await {
        Ok(()) => response(200, "text/plain", ""),
        Err(error) => refuse(&error),
    }
}

/// Runs what takes many signatures and a disk beside the threads that answer others, and one after
/// the other: those that wait hold the room of their bodies.
async fn one_at_a_time<T: Send + 'static>(
    turns: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, AuthorityError> + Send + 'static,
) -> Result<T, AuthorityError> {
    let turn = turns.acquire_owned().await.map_err(|_| ListError::Malformed)?;
    blocking(move || {
        let done = work();
        drop(turn);
        done
    })
    .await
}

fn unread(error: BodyError) -> Response {
    response(error.status(), "text/plain", error.to_string())
}

async fn read<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
    most: usize,
) -> Result<T, Response> {
    let body = shared.bodies.read(request.into_body(), most).await;
    let body = body.map_err(unread)?;
    serde_json::from_slice(body.bytes())
        .map_err(|_| response(400, "text/plain", "the body is not what this path takes"))
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => response(200, "application/json", text),
        Err(_) => response(500, "text/plain", "request failed"),
    }
}

fn refuse(error: &AuthorityError) -> Response {
    let status = match error {
        AuthorityError::Consensus(_) => 409,
        AuthorityError::List(_) | AuthorityError::Announce(_) => 403,
        _ => 500,
    };
    // What is wrong with this machine is for its own log.
    let text = if status == 500 { "request failed".to_owned() } else { error.to_string() };
    response(status, "text/plain", text)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "examining a list holds its thread")]
    async fn proposals_are_examined_one_after_the_other() {
        let (turns, inside) = (Arc::new(Semaphore::new(1)), Arc::new(AtomicUsize::new(0)));
        let examined = (0..5).map(|_| {
            let inside = Arc::clone(&inside);
            one_at_a_time(Arc::clone(&turns), move || {
                let others = inside.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(20));
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok(others)
            })
        });
        let others = futures_util::future::try_join_all(examined).await.unwrap();
        assert_eq!(others, [0; 5]);
    }
}
