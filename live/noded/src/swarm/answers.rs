//! What a member does for other members: requests passed on, comparisons, records.

use std::collections::BTreeMap;
use std::sync::Arc;

use negentropy::Negentropy;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use warren_node::answer::MemberResult;
use warren_node::swarm_request::COUNTED;
use warren_node::{Answer, accept};
use warren_store::StoreError;
use warren_wire::record::{Item, ItemId, Positions, Record};
use warren_wire::rpc::member::{Call, Compared, Given, Latest, Ready, Taken};
use warren_wire::rpc::peer::{self, PeerError, PeerRequest};
use warren_wire::{AccountId, NodeId, Stamp, swarm};

use super::coordinator::{MISDIRECTED, write_entry};
use super::extending::KEEP;
use super::member::Member;
use super::reconcile::{FRAME_BYTES, LENIENCE, sealed};

/// What was done for another node.
#[derive(Debug)]
pub struct Answered {
    /// The answer, in bencode.
    pub body: Vec<u8>,
    /// Whose mailbox took a message in that another member had from somebody without an address.
    pub took_for: Option<AccountId>,
}

/// How many calls of one node are answered at once. One that keeps to the rules makes a few: two
/// slices compared, each fetched and pushed, notes handed off.
const MOST_AT_ONCE: usize = 64;
/// How many more of those wait for their turn that clients wait for: as many as may read or sweep
/// their mailboxes there at once.
const MOST_WAITING: usize = 1_024;

/// The turns of one node's calls.
pub(super) struct Turns {
    answering: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        let answering = Arc::new(Semaphore::new(MOST_AT_ONCE));
        Self { answering, waiting: Semaphore::new(MOST_WAITING) }
    }
}

impl Member {
    /// Opens an envelope and does what it asks for; the answer in bencode.
    ///
    /// # Errors
    /// The refusal, for a client's request as the client would get it.
    pub async fn answer(&self, envelope: &[u8]) -> Result<Vec<u8>, Answer> {
        let request = self.open(envelope)?;
        Ok(self.answer_opened(request).await?.body)
    }

    /// Opens an envelope that a node of the list sealed, of this list or of one that others may still
    /// go by.
    ///
    /// # Errors
    /// The refusal.
    pub fn open(&self, envelope: &[u8]) -> Result<PeerRequest, Answer> {
        let request =
            peer::open(envelope, &self.own, self.now()).map_err(|error| refuse_envelope(&error))?;
        let listed = self.holds_by_a_list(|it| it.list().get(&request.from).is_some());
        if listed { Ok(request) } else { Err(no_member()) }
    }

    /// Whether a node keeps the same mail as this one: what it asks for is work that both share.
    pub fn shares_work_with(&self, node: &NodeId) -> bool {
        self.holds_by_a_list(|placement| placement.is_peer(node))
    }

    /// Does what an opened envelope asks for.
    ///
    /// # Errors
    /// As [`Member::answer`].
    pub async fn answer_opened(&self, request: PeerRequest) -> Result<Answered, Answer> {
        let call = Call::read(&request.method, &request.params)
            .map_err(|_| refuse_envelope(&PeerError::Malformed))?;
        self.called_by(&request.from);
        match call {
            Some(call) => {
                let body = self.answer_call(&request.from, call).await?;
                Ok(Answered { body, took_for: None })
            }
            None => self.carry_out_for(&request).await,
        }
    }

    async fn carry_out_for(&self, request: &PeerRequest) -> Result<Answered, Answer> {
        let placement = self.placement();
        let stamp = request.stamp;
        let stamp = stamp.ok_or_else(|| Answer::refuse(400, "swarm request without stamp"))?;
        let now = self.now();
        let checked = accept::read(&request.method, &request.params, stamp, now)?;
        placement.require(checked.owner(), now)?;
        self.require_keeper(&request.from, Positions::at(swarm::position(checked.owner())))?;
        self.observe(stamp).map_err(|error| Answer::refuse(406, error.to_string()))?;
        let record = checked.record(stamp).map_err(|_| Answer::refuse(500, "request failed"))?;
        let taken = match &record {
            Record::Message(message)
                if message.namespace.takes_from_anyone()
                    && request.params.contains_key(COUNTED) =>
            {
                Some(message.owner)
            }
            Record::Message(_) | Record::Order(_) => None,
        };
        let must_keep = request.params.contains_key(KEEP);
        let said = self.carry_out_here(checked.as_ref(), record, must_keep).await;
        if matches!(said.result, MemberResult::Refused(MISDIRECTED, _)) {
            self.placement().require(checked.owner(), now)?;
            return Err(failing("the list of nodes has changed"));
        }
        let took_for = taken.filter(|_| said.result.is_done());
        let body = write_entry(said).ok_or_else(|| failing("storage failure"))?;
        Ok(Answered { body, took_for })
    }

    async fn answer_call(&self, from: &NodeId, call: Call) -> Result<Vec<u8>, Answer> {
        let _turn = self.turn_of(from, &call).await?;
        let body = match call {
            Call::Ready => self.ready().await?.encode(),
            Call::Reconcile(positions, message) => {
                self.require_shared(from, positions)?;
                self.compare(positions, &message).await?.encode()
            }
            Call::Fetch(positions, ids) => {
                self.require_keeper(from, positions)?;
                self.fetched(positions, &ids).await?.encode()
            }
            Call::Records(records) => {
                let placement = self.placement();
                let may_give = |owner: &AccountId| self.kept_by(from, owner);
                let taken = self.take(records, placement.stretches(), may_give).await;
                Taken::encode(&taken.map_err(|error| storage(&error))?.taken)
            }
            Call::Latest(owner) => {
                self.require_keeper(from, Positions::at(swarm::position(&owner)))?;
                Latest(self.latest_in(&owner).await.map_err(|error| storage(&error))?).encode()
            }
            Call::Mailbox(owner, after) => {
                self.require_keeper(from, Positions::at(swarm::position(&owner)))?;
                self.mailbox(owner, after).await.map_err(|error| storage(&error))?.encode()
            }
        };
        body.map_err(|_| Answer::refuse(500, "request failed"))
    }

    /// Whether a node keeps that mailbox, or kept it by any list that is remembered. One that has
    /// just started without knowing an earlier list cannot tell who kept what before.
    fn kept_by(&self, node: &NodeId, owner: &AccountId) -> bool {
        let here = Positions::at(swarm::position(owner));
        self.held_by_a_list(|placement| placement.is_keeper(node, here))
            || self.knows_no_earlier_list()
    }

    /// Mail is given to those alone who keep it.
    fn require_keeper(&self, from: &NodeId, positions: Positions) -> Result<(), Answer> {
        let keeps = self.holds_by_a_list(|placement| placement.is_keeper(from, positions));
        if keeps { Ok(()) } else { Err(no_member()) }
    }

    /// What is compared is kept by both, or was by the one who compares.
    fn require_shared(&self, from: &NodeId, positions: Positions) -> Result<(), Answer> {
        let within = |stretch: &Positions| {
            stretch.contain(positions.first) && stretch.contain(positions.last)
        };
        let ours = self.placement().stretches().iter().any(within);
        if ours || self.held_by_a_list(|placement| placement.is_keeper(from, positions)) {
            return Ok(());
        }
        Err(no_member())
    }

    /// Lets a node ask if it does not ask for very much at once already. Calls that clients wait for,
    /// of which there are as many as there are clients, wait for their turn as long as the other
    /// waits for them.
    async fn turn_of(&self, from: &NodeId, call: &Call) -> Result<OwnedSemaphorePermit, Answer> {
        let too_many = || failing("too many calls at once");
        let turns = Arc::clone(self.state().asking.entry(*from).or_default());
        let answering = Arc::clone(&turns.answering);
        if !matches!(call, Call::Latest(_) | Call::Mailbox(..)) {
            return answering.try_acquire_owned().map_err(|_| too_many());
        }
        let _waiting = turns.waiting.try_acquire().map_err(|_| too_many())?;
        match timeout(self.pace.call, answering.acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(too_many()),
        }
    }

    async fn ready(&self) -> Result<Ready, Answer> {
        let counts = self.store.counts().await.map_err(|error| storage(&error))?;
        let (placement, now) = (self.placement(), self.now());
        let caught_up = self.is_caught_up();
        Ok(Ready {
            items: counts.messages.saturating_add(counts.orders),
            list: placement.digest().map_err(|_| Answer::refuse(500, "request failed"))?,
            gathering: self.state().gathering.awaits_former_keepers(now),
            caught_up,
        })
    }

    async fn compare(&self, positions: Positions, message: &[u8]) -> Result<Compared, Answer> {
        let items = self.few_items(positions).await.map_err(|error| storage(&error))?;
        let Some(items) = items else {
            let many = LENIENCE.saturating_mul(self.pace.slice_items).saturating_add(1);
            return Ok(Compared::TooMany(u64::try_from(many).unwrap_or(u64::MAX)));
        };
        sealed(&items)
            .and_then(|storage| Negentropy::owned(storage, FRAME_BYTES)?.reconcile(message))
            .map(Compared::Message)
            .map_err(|_| Answer::refuse(400, "malformed comparison"))
    }

    /// As many of the records as fit, in the order of the ids.
    async fn fetched(&self, positions: Positions, ids: &[ItemId]) -> Result<Given, Answer> {
        let items = self.few_items(positions).await.map_err(|error| storage(&error))?;
        let items = items.ok_or_else(|| Answer::refuse(400, "stretch with too many items"))?;
        let items: BTreeMap<ItemId, Item> = items.into_iter().map(|it| (it.id, it)).collect();
        let found: Vec<(usize, Item)> = ids
            .iter()
            .enumerate()
            .filter_map(|(number, id)| Some((number, *items.get(id)?)))
            .collect();
        let wanted = found.iter().map(|(_, item)| *item).collect();
        let (records, count) = self.given(wanted).await.map_err(|error| storage(&error))?;
        let next = found.get(count).and_then(|(number, _)| u64::try_from(*number).ok());
        Ok(Given { records, next })
    }

    /// The items of a stretch, unless they are too many to look at at once; those of one place on
    /// the ring however many.
    pub(super) async fn few_items(
        &self,
        positions: Positions,
    ) -> Result<Option<Vec<Item>>, StoreError> {
        let now = self.now();
        if positions.first == positions.last {
            return self.store.items(positions, now).await.map(Some);
        }
        let most = LENIENCE.saturating_mul(self.pace.slice_items);
        let items = self.store.some_items(positions, most.saturating_add(1), now).await?;
        Ok((items.len() <= most).then_some(items))
    }

    /// The greatest stamp in a mailbox.
    pub(super) async fn latest_in(&self, owner: &AccountId) -> Result<Stamp, StoreError> {
        let here = Positions::at(swarm::position(owner));
        let items = self.store.items(here, self.now()).await?;
        Ok(items.last().map(|item| item.stamp).unwrap_or_default())
    }

    /// A part of a mailbox, from a stamp on.
    async fn mailbox(&self, owner: AccountId, after: Option<u64>) -> Result<Given, StoreError> {
        let here = Positions::at(swarm::position(&owner));
        let mut items = self.store.items(here, self.now()).await?;
        items.retain(|item| item.stamp >= Stamp(after.unwrap_or(0)));
        let (records, count) = self.given(items.clone()).await?;
        Ok(Given { records, next: items.get(count).map(|item| item.stamp.0) })
    }
}

fn no_member() -> Answer {
    Answer::refuse(401, "swarm request from a node that is no member")
}

fn failing(why: &str) -> Answer {
    Answer::refuse(503, format!("Service node is not ready: {why}\n"))
}

fn storage(_: &StoreError) -> Answer {
    failing("storage failure")
}

fn refuse_envelope(error: &PeerError) -> Answer {
    let status = match error {
        PeerError::Malformed | PeerError::WrongReceiver => 400,
        PeerError::Stale => 406,
        PeerError::BadSignature => 401,
    };
    Answer::refuse(status, error.to_string())
}
