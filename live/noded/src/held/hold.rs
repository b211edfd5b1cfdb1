//! `retrieve` with `wait`: held open until a message arrives, alone or in a batch.
//!
//! A request is first carried out as any other. Only where that brings no message is it held: then it
//! takes a place, looks again, and sleeps. Of the request nothing stays in memory but what looking
//! again needs, and it is checked again at each look: a subaccount that is revoked meanwhile, or a
//! mailbox that moved, is refused.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_node::{Answer, Body};
use warren_wire::rpc::{Batch, Request, RetrieveRequest};
use warren_wire::{Millis, Value};

use super::registry::{Drawer, Share, Wanted};
use crate::node::{Node, now};
use crate::storage_route::{self, Room};

/// The longest wait: relays give up after 30 s.
pub const LONGEST_WAIT: Duration = Duration::from_secs(25);
/// How long a request sleeps before it looks by itself, where other processes write to the store.
const LOOK: Duration = Duration::from_secs(1);
/// By how much that is varied, in milliseconds, so that not all look at once.
const JITTER: usize = 500;
/// How many of those that wait may look by themselves in a second.
const LOOKS_PER_SECOND: usize = 5_000;
/// How much the other answers of a batch may weigh, in bytes, to be kept while it waits.
const MOST_KEPT: usize = 16 * 1024;

/// The part of a request that may be held open.
#[derive(Debug)]
pub struct Waiting {
    retrieves: Vec<Retrieve>,
    /// Of a batch: the places of all other retrieves in it.
    others: Vec<usize>,
    in_batch: bool,
    wait: Duration,
    since: Millis,
}

/// One mailbox that is waited for.
#[derive(Debug)]
struct Retrieve {
    /// Its place in the batch.
    at: usize,
    request: RetrieveRequest,
}

impl Waiting {
    /// What of a request waits; `None` where nothing does. A batch waits as long as the least patient
    /// of its retrieves.
    pub fn of(request: &Request) -> Option<Self> {
        let mut waiting = Self {
            retrieves: Vec::new(),
            others: Vec::new(),
            in_batch: false,
            wait: LONGEST_WAIT,
            since: now(),
        };
        match request {
            Request::Retrieve(request) => waiting.add(0, request),
            Request::Batch(Batch { requests, .. }) => {
                waiting.in_batch = true;
                for (at, request) in requests.iter().enumerate() {
                    if let Request::Retrieve(request) = request {
                        waiting.add(at, request);
                    }
                }
            }
            _ => {}
        }
        (!waiting.retrieves.is_empty()).then_some(waiting)
    }

    fn add(&mut self, at: usize, request: &RetrieveRequest) {
        match request.wait {
            Some(wait) if wait > 0 => {
                self.wait = self.wait.min(Duration::from_millis(wait));
                self.retrieves.push(Retrieve { at, request: request.clone() });
            }
            _ => self.others.push(at),
        }
    }

    fn wanted(&self) -> Wanted {
        let drawers = |counts: fn(&RetrieveRequest) -> bool| {
            let requests = self.retrieves.iter().map(|retrieve| &retrieve.request);
            let counted = requests.filter(|request| counts(request));
            let mut drawers: Vec<Drawer> =
                counted.map(|request| (request.account, request.namespace)).collect();
            drawers.sort_unstable();
            drawers.dedup();
            drawers.shrink_to_fit();
            drawers
        };
        let signed = drawers(|request| request.auth.is_some());
        let mut unsigned = drawers(|request| request.auth.is_none());
        unsigned.retain(|drawer| !signed.contains(drawer));
        Wanted { drawers: drawers(|_| true), unsigned }
    }

    /// Takes the first answer apart: what of it is kept while the request waits. The answer itself
    /// comes back where there is nothing to wait for: a message, or a failure.
    fn keep(&self, first: Answer) -> Result<Kept, Answer> {
        if !self.in_batch {
            return if is_empty(&first) { Ok(Kept(Vec::new())) } else { Err(first) };
        }
        let Answer { status: 200, body: Body::Json(Value::Dict(mut dict)) } = first else {
            return Err(first);
        };
        let Some(Value::List(mut results)) = dict.remove("results") else {
            return Err(Answer::ok(Value::Dict(dict)));
        };
        if self.are_quiet(&results) {
            for retrieve in &self.retrieves {
                if let Some(result) = results.get_mut(retrieve.at) {
                    *result = Value::Null;
                }
            }
            return Ok(Kept(results));
        }
        dict.insert("results".to_owned(), Value::List(results));
        Err(Answer::ok(Value::Dict(dict)))
    }

    /// Whether the answers of a batch hold no message and no failure, and are little to keep.
    fn are_quiet(&self, results: &[Value]) -> bool {
        let succeeded = |result: &Value| {
            let code = result.get("code").and_then(Value::as_integer);
            code.is_some_and(|code| (200..300).contains(&code))
        };
        let own = self.retrieves.iter().map(|retrieve| retrieve.at);
        let mut retrieves = own.chain(self.others.iter().copied());
        let empty = |at: usize| {
            results.get(at).and_then(|result| result.get("body")).is_some_and(has_no_messages)
        };
        results.iter().all(succeeded)
            && retrieves.all(empty)
            && results.iter().map(weight).sum::<usize>() <= MOST_KEPT
    }

    /// Looks into all mailboxes: the whole answer, and whether it says anything.
    async fn look(&self, node: &Arc<Node>, kept: &mut Kept) -> (bool, Option<Answer>) {
        let room = Room::new();
        let mut says_something = false;
        let mut last = None;
        for Retrieve { at, request } in &self.retrieves {
            let answer = storage_route::retrieve(node, request, &room, self.since).await;
            let answer = answer.unwrap_or_else(|refusal| refusal);
            says_something |= !is_empty(&answer);
            if self.in_batch {
                if let Some(result) = kept.0.get_mut(*at) {
                    *result = answer.into_batch_entry();
                }
            } else {
                last = Some(answer);
            }
        }
        (says_something, last)
    }
}

/// What the other requests of a batch were answered.
struct Kept(Vec<Value>);

impl Kept {
    fn into_answer(self) -> Answer {
        Answer::ok(Value::dict([("results", Value::List(self.0))]))
    }
}

/// Holds a request open whose first answer brought nothing, until there is something to say or its
/// wait ends. Where there is no place for it, the first answer is the answer.
pub async fn hold(node: &Arc<Node>, waiting: Box<Waiting>, first: Answer, share: Share) -> Answer {
    let end = Instant::now() + waiting.wait;
    let Some(place) = node.held.hold(share, waiting.wanted()) else { return first };
    let mut kept = match waiting.keep(first) {
        Ok(kept) => kept,
        Err(first) => return first,
    };
    loop {
        // Looking takes far more memory than sleeping does, so it is given back in between.
        let (says_something, answer) = Box::pin(waiting.look(node, &mut kept)).await;
        if says_something || Instant::now() >= end || node.held.is_closed() {
            return answer.unwrap_or_else(|| kept.into_answer());
        }
        drop(answer);
        tokio::select! {
            () = place.woken() => {}
            () = sleep_until(end.min(next_look(node))) => {}
        }
    }
}

/// When a request looks by itself: soon where other processes write to the store, else never.
fn next_look(node: &Node) -> Instant {
    let pause = if node.store.is_shared() {
        let crowd = node.held.requests() / LOOKS_PER_SECOND;
        let seconds = u32::try_from(crowd).unwrap_or(u32::MAX).max(1);
        let jitter = random_index(&mut SystemEntropy, JITTER).unwrap_or(0);
        LOOK * seconds + Duration::from_millis(u64::try_from(jitter).unwrap_or(0))
    } else {
        LONGEST_WAIT
    };
    Instant::now() + pause
}

/// Whether an answer to `retrieve` says that there is no message.
fn is_empty(answer: &Answer) -> bool {
    match answer {
        Answer { status: 200, body: Body::Json(body) } => has_no_messages(body),
        _ => false,
    }
}

fn has_no_messages(body: &Value) -> bool {
    matches!(body.get("messages"), Some(Value::List(messages)) if messages.is_empty())
}

/// Roughly how many bytes a value takes in memory.
fn weight(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Dict(dict) => dict.iter().map(|(key, value)| 32 + key.len() + weight(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) => 0,
    };
    size_of::<Value>() + inside
}
