//! The list of each slot: one authority collects votes, proposes, gathers signatures, hands it out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use warren_crypto::hash::sha256;
use warren_node::consensus::{ConsensusError, Slot, Terms, derive, proposer};
use warren_transport::{Reply, TransportError};
use warren_wire::directory::exchange::{LIST_PATH, PROPOSAL_HEADER, PROPOSAL_PATH, VOTE_PATH};
use warren_wire::directory::{
    ListError, ListSignature, Proposal, ProposalHead, UnverifiedList, UnverifiedVote, VoteRequest,
};
use warren_wire::limits::SECOND;

use super::AuthorityError;
use super::shared::{Peer, Shared};
use crate::node::now;

/// The longest that another authority may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Goes through the slots for as long as the authority runs.
pub(super) async fn run(shared: Arc<Shared>) {
    catch_up(&shared).await;
    loop {
        let now = now();
        let wait = shared.terms.next(now).saturating_sub(now);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let slot = shared.terms.slot(crate::node::now());
        if proposer(&shared.keys, slot) == Some(&shared.own_key()) {
            if let Err(error) = propose(&shared, slot).await {
                tracing::warn!(sequence = slot.sequence(), %error, "no list in this slot");
            }
        } else {
            tokio::time::sleep(Duration::from_millis(shared.terms.interval / 2)).await;
            let newest = shared.newest().map_or(0, |list| list.header.sequence);
            if newest < slot.sequence() {
                catch_up(&shared).await;
            }
        }
    }
}

/// How long one question to the other authorities may take.
fn patience(terms: &Terms) -> Duration {
    Duration::from_millis((terms.interval / 4).max(SECOND / 2)).min(LONGEST_WAIT)
}

async fn propose(shared: &Arc<Shared>, slot: Slot) -> Result<(), AuthorityError> {
    let (votes, ()) = tokio::join!(collect_votes(shared, slot), catch_up(shared));
    let proposal = {
        let shared = Arc::clone(shared);
        blocking(move || make_proposal(&shared, slot, votes)).await?
    };
    let proposal = Arc::new(proposal);
    let own = {
        let (shared, proposal) = (Arc::clone(shared), Arc::clone(&proposal));
        blocking(move || shared.sign(&proposal)).await?
    };
    let mut signatures = vec![own];
    signatures.extend(gather_signatures(shared, slot, &proposal).await);
    finish(shared, UnverifiedList { list: proposal.list.clone(), signatures }).await
}

/// Checks the votes and derives the list.
fn make_proposal(
    shared: &Shared,
    slot: Slot,
    votes: Vec<UnverifiedVote>,
) -> Result<Proposal, AuthorityError> {
    let mut counted = Vec::new();
    let mut attached = Vec::new();
    for signed in votes {
        match signed.verify(&shared.keys) {
            Ok(vote) if vote.sequence == slot.sequence() => {
                counted.push(vote);
                attached.push(signed);
            }
            Ok(_) => tracing::warn!("a vote for another list is passed over"),
            Err(error) => tracing::warn!(%error, "a vote is passed over"),
        }
    }
    let published = shared.published();
    let newest = shared.newest();
    let body = derive(&shared.keys, &shared.terms, slot, newest.as_ref(), &counted)?;
    Ok(Proposal { list: body.text()?, votes: attached, previous: published.signed.clone() })
}

/// This authority's vote and those of the others that answer in time.
async fn collect_votes(shared: &Arc<Shared>, slot: Slot) -> Vec<UnverifiedVote> {
    let questions = shared.peers.iter().map(|peer| async {
        let request = VoteRequest::sign(slot.sequence(), &peer.key, shared.signing_key()).ok()?;
        let vote: UnverifiedVote = ask(shared, peer, VOTE_PATH, &request).await?;
        // An authority speaks for itself alone.
        (vote.key == hex::encode(peer.key.as_bytes())).then_some(vote)
    });
    let own = async {
        let shared = Arc::clone(shared);
        blocking(move || shared.vote(slot)).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the own vote cannot be kept and is not cast");
            None
        })
    };
    let (own, others) = tokio::join!(own, join_all(questions));
    own.into_iter().chain(others.into_iter().flatten()).collect()
}

/// The signatures of the others that derive the same list.
async fn gather_signatures(shared: &Shared, slot: Slot, proposal: &Proposal) -> Vec<ListSignature> {
    let Some(body) = text(proposal) else { return Vec::new() };
    let hash = sha256(body.as_bytes());
    let questions = shared.peers.iter().map(|peer| async {
        let key = shared.signing_key();
        let head = ProposalHead::sign(slot.sequence(), hash, &peer.key, key).ok()?;
        let header = (PROPOSAL_HEADER, text(&head)?);
        let patience = patience(&shared.terms);
        let sent = peer.endpoint.post_under(PROPOSAL_PATH, header, body.clone(), patience);
        let signature: ListSignature = answer(peer, sent.await)?;
        match signature.verify(&proposal.list, &shared.keys) {
            Ok(key) if key == peer.key => Some(signature),
            _ => {
                tracing::warn!(authority = %peer.endpoint.url(), "an authority's signature is wrong");
                None
            }
        }
    });
    join_all(questions).await.into_iter().flatten().collect()
}

/// Goes by a list that enough signed, and hands it to the others.
async fn finish(shared: &Arc<Shared>, signed: UnverifiedList) -> Result<(), AuthorityError> {
    let list = signed.verify(&shared.keys)?;
    let taken = {
        let (shared, signed) = (Arc::clone(shared), signed.clone());
        blocking(move || shared.adopt(list, signed)).await
    };
    taken?;
    let hand_over = |peer| hand_over(shared, peer, &signed);
    join_all(shared.peers.iter().map(hand_over)).await;
    Ok(())
}

async fn hand_over(shared: &Shared, peer: &Peer, signed: &UnverifiedList) {
    if let Some(body) = text(signed) {
        let _ = peer.endpoint.post(LIST_PATH, body, patience(&shared.terms)).await;
    }
}

/// Takes the newest list that another authority has.
async fn catch_up(shared: &Arc<Shared>) {
    let fetches = shared.peers.iter().map(|peer| fetch_list(shared, peer));
    for signed in join_all(fetches).await.into_iter().flatten() {
        let shared = Arc::clone(shared);
        let taken = blocking(move || {
            let list = signed.verify(&shared.keys)?;
            list.header.check_time(now())?;
            let newest = shared.newest().map(|newest| newest.header.sequence);
            if newest < Some(list.header.sequence) { shared.adopt(list, signed) } else { Ok(()) }
        });
        if let Err(error) = taken.await {
            tracing::warn!(%error, "another authority's list is not taken");
        }
    }
}

async fn fetch_list(shared: &Shared, peer: &Peer) -> Option<UnverifiedList> {
    let question = json!({
        "jsonrpc": "2.0", "id": 0, "method": "get_n_service_nodes",
        "params": { "signed": true, "limit": 1, "fields": { "pubkey_ed25519": true } },
    });
    let reply: serde_json::Value = ask(shared, peer, "/json_rpc", &question).await?;
    serde_json::from_value(reply.pointer("/result/signed_list")?.clone()).ok()
}

/// Asks another authority; what it answers is for the caller to check.
async fn ask<Q: Serialize, A: DeserializeOwned>(
    shared: &Shared,
    peer: &Peer,
    path: &str,
    question: &Q,
) -> Option<A> {
    answer(peer, peer.endpoint.post(path, text(question)?, patience(&shared.terms)).await)
}

fn answer<A: DeserializeOwned>(peer: &Peer, reply: Result<Reply, TransportError>) -> Option<A> {
    let url = peer.endpoint.url();
    match reply {
        Ok(reply) if reply.status == 200 => serde_json::from_slice(&reply.body).ok(),
        Ok(reply) => {
            let reason: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
            tracing::warn!(authority = %url, status = reply.status, reason, "an authority refuses");
            None
        }
        Err(
            error @ (TransportError::Unreachable
            | TransportError::TimedOut
            | TransportError::Broken),
        ) => {
            tracing::warn!(authority = %url, %error, "an authority does not answer");
            None
        }
    }
}

fn text<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// Makes a list now, whatever the slot: for an authority that needs nobody else's signature.
pub(super) async fn make_alone(shared: &Arc<Shared>) -> Result<(), AuthorityError> {
    if !shared.peers.is_empty() {
        return Err(AuthorityError::NotAlone);
    }
    // Numbers are seconds: a second list in one second has to wait for the next.
    let second = Terms { interval: SECOND, ..shared.terms };
    let newest = shared.newest().map_or(0, |list| list.header.sequence);
    while second.slot(now()).sequence() <= newest {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let slot = second.slot(now());
    let vote = shared.vote(slot)?.ok_or(ConsensusError::NoNodes)?.verify(&shared.keys)?;
    let text =
        derive(&shared.keys, &shared.terms, slot, shared.newest().as_ref(), &[vote])?.text()?;
    let mut signed = UnverifiedList { list: text, signatures: Vec::new() };
    let signature = shared.sign_list(&signed.read()?, &signed.list)?;
    signed.signatures.push(signature);
    let list = signed.verify(&shared.keys)?;
    shared.adopt(list, signed)
}

/// Runs what takes long, or waits for a disk, beside the threads that answer.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuthorityError> + Send + 'static,
) -> Result<T, AuthorityError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(ListError::Malformed.into()),
    }
}
