//! `/storage_rpc/v1`: carry a request out, alone or in a batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use warren_crypto::SystemEntropy;
use warren_node::answer::{self, MailboxMessage};
use warren_node::check::{EXPIRIES_UNVERIFIED, RETRIEVE_UNVERIFIED, STORE_UNVERIFIED};
use warren_node::{
    Answer, Body, CheckedOrder, CheckedRetrieve, CheckedStore, Origin, check, listing,
};
use warren_store::{Page, Query, StoreError, StoredMessage};
use warren_wire::directory::NodeList;
use warren_wire::limits::MAX_RETRIEVE_BYTES;
use warren_wire::rpc::{
    Batch, Encoding, GetExpiriesRequest, IfElse, OrderRequest, Request, RetrieveRequest,
    RevokedRequest, StoreRequest, UnverifiedAuth,
};
use warren_wire::{AccountId, Millis};

use crate::held::Share;
use crate::held::hold::{self, Waiting};
use crate::limits::network::Network;
use crate::node::{Node, now};
use crate::swarm::Outcome;
use crate::{admission, telemetry};

/// How many bytes of messages one answer may take: each retrieve of a batch has its own, within what
/// a relay passes back once the answer is sealed.
const MAX_ANSWER_BYTES: usize = 2 * MAX_RETRIEVE_BYTES;

/// Lists of fewer nodes may be described as often as one of so many.
const FEW_NODES: usize = 256;

/// How many bytes of messages one answer may still take, and how many nodes it has described.
pub(crate) struct Room {
    left: Mutex<usize>,
    /// How many nodes were described in it.
    described: AtomicUsize,
    /// The client that asks, where it has an address.
    client: Option<Network>,
}

/// Reads a body and carries the request out; holds it open where it asks for that. `share` is on whose
/// account it is held. The answer is in the encoding of the body.
pub async fn answer(node: &Arc<Node>, body: impl AsRef<[u8]>, share: Share) -> Answer {
    let encoding = Encoding::of(body.as_ref());
    let request = match Request::from_body(body.as_ref()) {
        Ok(request) => request,
        Err(error) => return Answer::refuse(400, error.to_string()),
    };
    // While a request is held, what came with it is not.
    drop(body);
    let waiting = Waiting::of(&request).map(Box::new);
    let client = match share {
        Share::Client(network) => Some(network),
        Share::Unknown => None,
    };
    let first = Box::pin(carry_out(node, request, client)).await;
    let answer = match waiting {
        Some(waiting) => Box::pin(hold::hold(node, waiting, first, share)).await,
        None => first,
    };
    answer.written(encoding)
}

async fn carry_out(node: &Arc<Node>, request: Request, client: Option<Network>) -> Answer {
    let room = Room { client, ..Room::new() };
    answer_any(node, request, &room).await
}

async fn answer_any(node: &Arc<Node>, request: Request, room: &Room) -> Answer {
    match request {
        Request::Batch(batch) => answer_batch(node, batch, room).await,
        Request::IfElse(if_else) => Box::pin(answer_if_else(node, if_else, room)).await,
        request => answer_one(node, request, room).await,
    }
}

/// Carries out the branch that the condition chooses, if there is one.
async fn answer_if_else(node: &Arc<Node>, request: IfElse, room: &Room) -> Answer {
    let circumstances = answer::circumstances(now());
    let holds = request.condition.holds(&circumstances);
    let branch = if holds { request.then } else { request.otherwise };
    let result = match branch {
        Some(branch) => Some(answer_any(node, *branch, room).await),
        None => None,
    };
    answer::if_else(&circumstances, holds, result)
}

/// Carries out all requests at once, or one after the other up to the first that fails.
async fn answer_batch(node: &Arc<Node>, batch: Batch, room: &Room) -> Answer {
    if !batch.stop_at_failure {
        let answers = batch.requests.into_iter().map(|request| answer_one(node, request, room));
        return answer::batch(join_all(answers).await);
    }
    let mut results = Vec::new();
    for request in batch.requests {
        let answer = answer_one(node, request, room).await;
        let success = answer.is_success();
        results.push(answer);
        if !success {
            break;
        }
    }
    answer::batch(results)
}

async fn answer_one(node: &Arc<Node>, request: Request, room: &Room) -> Answer {
    let (method, begun) = (telemetry::method_of(&request), Instant::now());
    let now = now();
    let outcome = match request {
        Request::Store(request) => store(node, request, room.client, now).await,
        Request::Retrieve(request) => retrieve(node, &request, room, now).await,
        Request::Order(request) => order(node, request, now).await,
        Request::GetExpiries(request) => get_expiries(node, &request, now).await,
        Request::Revoked(request) => revoked(node, &request, now).await,
        Request::GetSwarm(account) => Ok(node.placement().describe(&account, now)),
        Request::Info => Ok(answer::info(now)),
        Request::Directory(question) => {
            let placement = node.placement();
            let list = placement.list();
            room.describe(listing::described(&question, list), list).map(|()| {
                let result = listing::result(&question, list, now, &mut SystemEntropy);
                answer::directory_result(result, now)
            })
        }
        Request::ActiveNodes => {
            let placement = node.placement();
            let list = placement.list();
            room.describe(list.nodes().len(), list).map(|()| {
                let blob = listing::active_nodes_bin(list);
                Answer { status: 200, body: Body::Binary(blob) }
            })
        }
        // Reading a request refuses these where they may not stand.
        Request::Batch(_) | Request::IfElse(_) => Err(Answer::refuse(400, "request failed")),
    };
    let mut answer = outcome.unwrap_or_else(|refusal| refusal);
    if answer.status == 500 && node.meter.is_full() {
        answer = storage_failure(&StoreError::Full);
    }
    telemetry::rpc(method, answer.status, begun.elapsed());
    answer
}

async fn store(
    node: &Arc<Node>,
    mut request: StoreRequest,
    client: Option<Network>,
    now: Millis,
) -> Result<Answer, Answer> {
    node.placement().require(&request.account, now)?;
    let work = request.work.take();
    let checked = CheckedStore::check(request, now, Origin::Client, &[])?;
    let owner = &checked.request().account;
    refuse_revoked(node, owner, checked.needed_auth(), STORE_UNVERIFIED).await?;
    admission::admit_mail(node, &checked, work, client, now).await?;
    let checked = if client.is_none() { checked.counted() } else { checked };
    let acting = Arc::clone(node);
    let work = async move {
        let outcome = acting.member.carry_out(&checked).await;
        let elsewhere = elsewhere(&acting, &outcome, &checked.request().account, now);
        elsewhere.unwrap_or_else(|| {
            answer::stored(checked.hash(), &acting.identity.id(), outcome.members, now)
        })
    };
    to_its_end(node, work).await
}

async fn order(node: &Arc<Node>, request: OrderRequest, now: Millis) -> Result<Answer, Answer> {
    node.placement().require(request.account(), now)?;
    let checked = CheckedOrder::check(request, now, Origin::Client, &[])?;
    let order = checked.request();
    refuse_revoked(node, order.account(), Some(order.auth()), checked.unverified()).await?;
    let acting = Arc::clone(node);
    let work = async move {
        let outcome = acting.member.carry_out(&checked).await;
        let elsewhere = elsewhere(&acting, &outcome, checked.request().account(), now);
        elsewhere.unwrap_or_else(|| answer::ordered(checked.request(), outcome.members, now))
    };
    to_its_end(node, work).await
}

/// Who keeps the mailbox, where a new list gave it to others while it was to be changed here.
fn elsewhere(node: &Node, outcome: &Outcome, owner: &AccountId, now: Millis) -> Option<Answer> {
    if !outcome.is_misdirected() {
        return None;
    }
    node.placement().require(owner, now).err()
}

/// Refuses a subaccount whose rights the owner took. Its signature was checked before: to be
/// asked about strangers' forgeries, the swarm and the disk are too slow.
async fn refuse_revoked(
    node: &Node,
    account: &AccountId,
    auth: Option<&UnverifiedAuth>,
    refusal: &'static str,
) -> Result<(), Answer> {
    let Some(UnverifiedAuth { subaccount: Some(signed), .. }) = auth else { return Ok(()) };
    node.member.before_reading(account).await?;
    let revoked = node.store.revoked(*account).await.map_err(|error| storage_failure(&error))?;
    if revoked.contains(&signed.token) { Err(Answer::refuse(401, refusal)) } else { Ok(()) }
}

async fn get_expiries(
    node: &Node,
    request: &GetExpiriesRequest,
    now: Millis,
) -> Result<Answer, Answer> {
    node.placement().require(&request.account, now)?;
    check::check_get_expiries(request, now, &[])?;
    refuse_revoked(node, &request.account, Some(&request.auth), EXPIRIES_UNVERIFIED).await?;
    node.member.before_reading(&request.account).await?;
    let expiries = node.store.expiries(request.account, request.hashes(), now).await;
    let expiries = expiries.map_err(|error| storage_failure(&error))?;
    Ok(answer::expiries(&expiries))
}

async fn revoked(node: &Node, request: &RevokedRequest, now: Millis) -> Result<Answer, Answer> {
    node.placement().require(&request.account, now)?;
    check::check_revoked(request, now)?;
    node.member.before_reading(&request.account).await?;
    let tokens = node.store.revoked(request.account).await;
    let tokens = tokens.map_err(|error| storage_failure(&error))?;
    Ok(answer::revoked(&tokens, now))
}

/// Reads a mailbox. `since` is when the request came, by which the time that its owner signed is
/// judged: it may have been held open meanwhile.
///
/// # Errors
/// The refusal.
pub(crate) async fn retrieve(
    node: &Node,
    request: &RetrieveRequest,
    room: &Room,
    since: Millis,
) -> Result<Answer, Answer> {
    let now = now();
    node.placement().require(&request.account, now)?;
    let checked = CheckedRetrieve::check(request, since, &[])?;
    // In some drawers they may read still.
    let auth = request.auth.as_ref().filter(|_| !request.namespace.outlives_revocation());
    let auth = auth.map(|(auth, _)| auth);
    refuse_revoked(node, &request.account, auth, RETRIEVE_UNVERIFIED).await?;
    node.member.before_reading(&checked.account).await?;
    if checked.max_count == Some(0) {
        return Ok(answer::messages(Vec::new(), false, now));
    }
    let query = Query {
        owner: checked.account,
        namespace: checked.namespace,
        after: checked.after,
        max_count: checked.max_count,
        max_size: checked.max_size,
        newest_first: checked.newest_first,
    };
    let page = room.read(node, query, now).await.map_err(|error| storage_failure(&error))?;
    let messages = page
        .messages
        .into_iter()
        .map(|message| MailboxMessage {
            hash: message.hash,
            timestamp: message.timestamp,
            expiry: message.expiry,
            data: message.data,
        })
        .collect();
    Ok(answer::messages(messages, page.more, now))
}

impl Room {
    /// As much as one answer may have.
    pub(crate) fn new() -> Self {
        Self { left: Mutex::new(MAX_ANSWER_BYTES), described: AtomicUsize::new(0), client: None }
    }

    /// Takes room for the descriptions of so many nodes: in one answer, for as many as the list has
    /// twice over.
    ///
    /// # Errors
    /// 413 where a batch asks for them again and again.
    fn describe(&self, nodes: usize, list: &NodeList) -> Result<(), Answer> {
        let before = self.described.fetch_add(nodes, Ordering::Relaxed);
        if before.saturating_add(nodes) <= 2 * list.nodes().len().max(FEW_NODES) {
            return Ok(());
        }
        Err(Answer::refuse(
            413,
            "this answer has described all nodes already: ask again on its own",
        ))
    }

    /// Reads one page after the other, each within what those before it left. A page has one message
    /// at least, so that every reader comes further; `more` tells those that want the rest.
    async fn read(&self, node: &Node, query: Query, now: Millis) -> Result<Page, StoreError> {
        let mut left = self.left.lock().await;
        let max_size = query.max_size.min(*left);
        let page = node.store.retrieve(Query { max_size, ..query }, now).await?;
        let taken: usize = page.messages.iter().map(StoredMessage::wire_size).sum();
        *left = left.saturating_sub(taken);
        Ok(page)
    }
}

/// Carries out what must not stop half way, even where the client goes away: part of a swarm would
/// have a message that the rest lacks. Counts as under way until it is done.
async fn to_its_end(
    node: &Arc<Node>,
    work: impl Future<Output = Answer> + Send + 'static,
) -> Result<Answer, Answer> {
    let counting = Arc::clone(node);
    let task = tokio::spawn(async move {
        let _begun = counting.under_way.begin();
        work.await
    });
    task.await.map_err(|_| Answer::refuse(500, "request failed"))
}

/// The node's own fault: 503, so that a client goes on to another member of the swarm.
pub fn storage_failure(error: &StoreError) -> Answer {
    match error {
        StoreError::Full => Answer::refuse(503, "Service node is not ready: disk full\n"),
        StoreError::Closed => Answer::refuse(503, "Service node is not ready: shutting down\n"),
        _ => Answer::refuse(503, "Service node is not ready: storage failure\n"),
    }
}
