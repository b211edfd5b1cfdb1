//! A client's request, carried out here and at all members at once; a quorum decides.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};
use warren_node::answer::MemberResult;
use warren_node::clock;
use warren_node::swarm_request::{Done, texts_of};
use warren_node::{Placement, SwarmRequest, quorum};
use warren_store::StoreError;
use warren_transport::TransportError;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Item, Record};
use warren_wire::rpc::member::{Call as Asked, Latest};
use warren_wire::value::Dict;
use warren_wire::{NodeId, Stamp, Value, bencode};

use super::extending::{KEEP, TooLittle, is_settled};
use super::member::{CLOCKS_APART, Member};
use super::writing::{apply_here, store_here};
use crate::telemetry;

/// What became of a request.
#[derive(Debug)]
pub struct Outcome {
    /// What each member says, the own entry first.
    pub members: Vec<(NodeId, MemberResult)>,
    /// Whether a quorum of the swarm has carried it out durably.
    pub agreed: bool,
}

impl Outcome {
    /// Whether nothing was agreed because a new list gave the mailbox to other nodes meanwhile.
    pub fn is_misdirected(&self) -> bool {
        let own = self.members.first().map(|(_, result)| result);
        !self.agreed && matches!(own, Some(MemberResult::Refused(MISDIRECTED, _)))
    }
}

/// What one member says of one attempt.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) result: MemberResult,
    /// The stamp of something later that the request does not prevail against.
    pub(super) overruled: Option<Stamp>,
    /// Set where it kept nothing of an extension: which of the named messages it has, one byte each.
    pub(super) unkept: Option<Vec<u8>>,
}

/// A request as it is attempted.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    request: &'a dyn SwarmRequest,
    placement: &'a Placement,
    /// Whether members keep it however little it is to them.
    must_keep: bool,
}

/// The status of a refusal by a node that does not keep the mailbox.
pub(super) const MISDIRECTED: u16 = 421;

type Call<'a> = Pin<Box<dyn Future<Output = (NodeId, Said)> + Send + 'a>>;

impl Said {
    pub(super) const fn plain(result: MemberResult) -> Self {
        Self { result, overruled: None, unkept: None }
    }
}

impl Member {
    /// Carries a client's request out here and at all members. Ends when all have answered, or when
    /// a quorum has it and those that usually answer had their time. What a member missed is noted.
    ///
    /// Must not be dropped half way: some members would have what others lack until they compare.
    pub async fn carry_out(&self, request: &dyn SwarmRequest) -> Outcome {
        let placement = self.placement();
        let mut before = Vec::new();
        if request.is_sweeping() {
            before = self.latest_of_all(request, &placement).await;
        }
        let attempt = Attempt { request, placement: &placement, must_keep: false };
        let first = self.attempt_after(attempt, before).await;
        let later: Vec<Stamp> = first.iter().filter_map(|(_, said)| said.overruled).collect();
        let settled = is_settled(&first);
        if later.is_empty() && settled {
            return self.conclude(first);
        }
        // It stands only where it prevails at all: one that has something later brings that back. But
        // what members refuse for its time no quorum of them can have kept.
        let again = self.attempt_after(Attempt { must_keep: true, ..attempt }, later).await;
        let keep_first = settled && is_refused_for_time(&again);
        if keep_first { self.conclude(first) } else { self.conclude(again) }
    }

    /// Attempts it with a stamp greater than all these, or, where members refuse that, greater than
    /// all but the greatest: a single member may claim what it likes.
    async fn attempt_after(
        &self,
        attempt: Attempt<'_>,
        mut stamps: Vec<Stamp>,
    ) -> Vec<(NodeId, Said)> {
        stamps.retain(|stamp| clock::admit(*stamp, self.now()).is_ok());
        stamps.sort_unstable();
        stamps.dedup();
        loop {
            let own = self.stamp();
            let greatest = stamps.pop().map(Stamp::next).filter(|stamp| *stamp > own);
            let said = self.attempt(attempt, greatest.unwrap_or(own)).await;
            if greatest.is_none() || !is_refused_for_time(&said) {
                return said;
            }
        }
    }

    /// The greatest stamps that members have in a mailbox, so that what is stamped next comes after
    /// all that a quorum of them keeps.
    async fn latest_of_all(&self, request: &dyn SwarmRequest, placement: &Placement) -> Vec<Stamp> {
        let owner = *request.owner();
        let ask = async |peer: &NodeRecord| -> Option<Stamp> {
            let body = self.ask_within(peer, Asked::Latest(owner), self.pace.call).await.ok()?;
            Latest::decode(&body).ok().map(|Latest(stamp)| stamp)
        };
        let healthy = |peer: &&NodeRecord| self.state().health.is_healthy(&peer.id);
        let peers: Vec<&NodeRecord> = placement.peers().filter(healthy).collect();
        let others = join_all(peers.into_iter().map(ask)).await;
        let own = self.latest_in(&owner).await.ok();
        others.into_iter().flatten().chain(own).collect()
    }

    fn conclude(&self, said: Vec<(NodeId, Said)>) -> Outcome {
        let agreed = is_agreed(&said);
        for (id, said) in said.iter().filter(|(id, _)| *id != self.own) {
            telemetry::replication(id, &said.result);
        }
        if !agreed {
            telemetry::quorum_failed();
        }
        let mut members: Vec<_> = said.into_iter().map(|(id, said)| (id, said.result)).collect();
        members.sort_by_key(|(id, _)| (*id != self.own, *id));
        Outcome { members, agreed }
    }

    async fn attempt(&self, attempt: Attempt<'_>, stamp: Stamp) -> Vec<(NodeId, Said)> {
        let Attempt { request, must_keep, .. } = attempt;
        let Ok(record) = request.record(stamp) else {
            return vec![(self.own, Said::plain(MemberResult::StorageFailed))];
        };
        let item = item_of(&record);
        let said = if stamp.time() > self.now().saturating_add(clock::FOLLOWED) {
            self.ask_others_first(attempt, record, stamp).await
        } else {
            let own = async { (self.own, self.carry_out_here(request, record, must_keep).await) };
            self.ask_all(attempt, Some(Box::pin(own)), stamp).await
        };
        // Those that know something later miss nothing.
        let missed = |said: &Said| !said.result.is_done() && said.overruled.is_none();
        let missing =
            said.iter().filter(|(id, said)| *id != self.own && missed(said)).map(|(id, _)| *id);
        if let Some(item) = item {
            join_all(missing.map(|peer| self.note(peer, item))).await;
        }
        said
    }

    /// What is stamped so far ahead that members may refuse it is carried out here only where enough
    /// of them have not: it would withstand what is stamped by right clocks.
    async fn ask_others_first(
        &self,
        attempt: Attempt<'_>,
        record: Record,
        stamp: Stamp,
    ) -> Vec<(NodeId, Said)> {
        let mut said = self.ask_all(attempt, None, stamp).await;
        let done = said.iter().filter(|(_, said)| said.result.is_done()).count();
        let own = if done + 1 >= quorum::to_keep(said.len() + 1) {
            self.carry_out_here(attempt.request, record, attempt.must_keep).await
        } else {
            let why = clock::TooFarAhead.to_string();
            Said::plain(MemberResult::Refused(CLOCKS_APART, why))
        };
        said.push((self.own, own));
        said
    }

    /// Asks all others, and carries it out here if that is asked for.
    async fn ask_all(
        &self,
        attempt: Attempt<'_>,
        own: Option<Call<'_>>,
        stamp: Stamp,
    ) -> Vec<(NodeId, Said)> {
        let peers: Vec<&NodeRecord> = attempt.placement.peers().collect();
        let enough = quorum::to_keep(peers.len() + 1) - usize::from(own.is_none());
        let mut waited: BTreeSet<NodeId> = {
            let state = self.state();
            peers.iter().map(|peer| peer.id).filter(|id| state.health.is_healthy(id)).collect()
        };
        let mut open: BTreeSet<NodeId> = peers.iter().map(|peer| peer.id).collect();
        let mut calls: FuturesUnordered<Call<'_>> = FuturesUnordered::new();
        if let Some(own) = own {
            waited.insert(self.own);
            open.insert(self.own);
            calls.push(own);
        }
        for peer in peers {
            calls.push(Box::pin(async { (peer.id, self.pass_on(attempt, peer, stamp).await) }));
        }
        let mut said = Vec::new();
        let mut done = 0;
        let grace = sleep_until(Instant::now() + self.pace.grace);
        tokio::pin!(grace);
        let mut grace_over = false;
        while !(done >= enough && (grace_over || waited.is_disjoint(&open))) {
            tokio::select! {
                biased;
                next = calls.next() => {
                    let Some((id, one)) = next else { break };
                    open.remove(&id);
                    done += usize::from(one.result.is_done());
                    said.push((id, one));
                }
                () = &mut grace, if !grace_over => grace_over = true,
            }
        }
        drop(calls);
        said.extend(open.into_iter().map(|id| (id, Said::plain(MemberResult::TimedOut))));
        said
    }

    /// Carries a request out in the own store; returns when that is durable. Of an extension that is
    /// too little nothing is kept unless it must be.
    pub(super) async fn carry_out_here(
        &self,
        request: &dyn SwarmRequest,
        record: Record,
        must_keep: bool,
    ) -> Said {
        self.note_whether_empty().await;
        let writing = self.begin_writing();
        if !writing.may_change(request.owner()) {
            let why = "the list of nodes has changed".to_owned();
            return Said::plain(MemberResult::Refused(MISDIRECTED, why));
        }
        if let Record::Order(order) = &record
            && !must_keep
        {
            match self.too_little(request, order).await {
                Ok(None) => {}
                Ok(Some(TooLittle { done, has })) => {
                    let unkept = Some(has);
                    return Said { unkept, ..Said::plain(self.entry(request, &done)) };
                }
                Err(error) => return storage_failed(&error),
            }
        }
        let (store, now) = (Arc::clone(&self.store), self.now());
        let outcome = match record {
            Record::Message(message) => {
                let arrivals = Arc::clone(&self.arrivals);
                writing.carry_through(store_here(store, arrivals, message, now)).await
            }
            Record::Order(order) => writing.carry_through(apply_here(store, order, now)).await,
        };
        let (done, overruled) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => return storage_failed(&error),
        };
        let Some(done) = done else { return overruled_by(overruled) };
        Said { overruled, ..Said::plain(self.entry(request, &done)) }
    }

    fn entry(&self, request: &dyn SwarmRequest, done: &Done) -> MemberResult {
        let Some(mut entry) = request.entry(done) else { return MemberResult::StorageFailed };
        let Ok(signature) = self.key.sign(&entry.signed) else {
            return MemberResult::StorageFailed;
        };
        entry.fields.insert("signature".to_owned(), Value::Bytes(signature.to_vec()));
        MemberResult::Done(entry.fields)
    }

    /// Asks one member to do the same and checks what it says of it.
    async fn pass_on(&self, attempt: Attempt<'_>, peer: &NodeRecord, stamp: Stamp) -> Said {
        let request = attempt.request;
        let (method, mut params) = (request.method(), request.params());
        if let Value::Dict(params) = &mut params
            && attempt.must_keep
        {
            params.insert(KEEP.to_owned(), true.into());
        }
        let reply = self.send(peer, method, params, Some(stamp), self.pace.call).await;
        let reply = match reply {
            Ok(reply) => reply,
            Err(TransportError::TimedOut) => return Said::plain(MemberResult::TimedOut),
            Err(_) => return Said::plain(MemberResult::Unreachable),
        };
        if reply.status != 200 {
            let reason = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
            return Said::plain(MemberResult::Refused(reply.status, reason));
        }
        read_entry(request, peer, &reply.body).unwrap_or_else(|| {
            tracing::warn!(peer = %peer.id, method, "a member's entry does not hold");
            self.failed(&peer.id);
            Said::plain(MemberResult::Unreachable)
        })
    }
}

fn is_agreed(said: &[(NodeId, Said)]) -> bool {
    let done = said.iter().filter(|(_, said)| said.result.is_done()).count();
    done >= quorum::to_keep(said.len())
}

/// Whether it is not agreed, and a member refused it for its time.
fn is_refused_for_time(said: &[(NodeId, Said)]) -> bool {
    let refused = |said: &Said| matches!(said.result, MemberResult::Refused(CLOCKS_APART, _));
    !is_agreed(said) && said.iter().any(|(_, said)| refused(said))
}

/// Reads a member's entry; `None` where it answers nothing, or the member did not sign it.
fn read_entry(request: &dyn SwarmRequest, peer: &NodeRecord, body: &[u8]) -> Option<Said> {
    let Ok(Value::Dict(mut fields)) = bencode::decode(body) else { return None };
    let overruled = match fields.remove("overruled") {
        None => None,
        Some(stamp) => Some(Stamp(u64::try_from(stamp.as_integer()?).ok()?)),
    };
    let unkept = match fields.remove("unkept") {
        None => None,
        Some(Value::Bytes(has)) => Some(has),
        Some(_) => return None,
    };
    let Some(Value::Bytes(signature)) = fields.get("signature") else {
        return overruled.map(|_| overruled_by(overruled));
    };
    let text = request.signed_by(&fields)?;
    peer.id.verifying_key().verify(&text, signature).ok()?;
    Some(Said { result: MemberResult::Done(texts_of(fields)), overruled, unkept })
}

/// Writes what this node says for the member that passed a request on; `None` where its store
/// failed.
pub(super) fn write_entry(said: Said) -> Option<Vec<u8>> {
    let mut fields = match said.result {
        MemberResult::Done(fields) => fields,
        _ if said.overruled.is_some() => Dict::new(),
        _ => return None,
    };
    if let Some(Stamp(stamp)) = said.overruled {
        fields.insert("overruled".to_owned(), stamp.into());
    }
    if let Some(has) = said.unkept {
        fields.insert("unkept".to_owned(), Value::Bytes(has));
    }
    bencode::encode(&Value::Dict(fields)).ok()
}

fn overruled_by(later: Option<Stamp>) -> Said {
    let result = MemberResult::Refused(409, "overruled by a later request".into());
    Said { overruled: later, ..Said::plain(result) }
}

fn storage_failed(error: &StoreError) -> Said {
    Said::plain(match error {
        StoreError::TooManyOrders => MemberResult::Refused(507, error.to_string()),
        _ => MemberResult::StorageFailed,
    })
}

fn item_of(record: &Record) -> Option<Item> {
    match record {
        Record::Message(message) => Item::message(
            &message.owner,
            message.namespace,
            &message.hash,
            message.stored,
            message.expiry,
        ),
        Record::Order(order) => Item::order(&order.owner, order.stamp, &order.proof),
    }
    .ok()
}
