//! Saved, then sealed copies on their way, until a swarm has them.

use std::sync::{Mutex, PoisonError};

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::profile::Profile;
use warren_message::content::visible::Visible;
use warren_message::{Content, seal_direct};
use warren_onion::Reply;
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::limits::{MESSAGE_TTL, SECOND};
use warren_wire::rpc::reply::{StoreReply, SwarmEntry};
use warren_wire::rpc::{StoreRequest, signed};
use warren_wire::value::decode_base64;
use warren_wire::work::{Terms, WorkProof};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId, Value};

use crate::database::{
    self, DatabaseError, Details, DueCopy, MessageId, MessageState, NewOutgoing, Purpose,
    SealedCopy,
};
use crate::error::ClientError;
use crate::events::{DeliveryState, Event};
use crate::messenger::{Messenger, now};
use crate::network::road::Question;

/// The pause after a first failed delivery; it doubles from then on.
const FIRST_PAUSE: Millis = 5 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Millis = 15 * 60 * SECOND;

/// How often work is done for one delivery.
const MOST_WORKS: u32 = 2;

/// A message that was saved, and how far it got.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Its number on this device.
    pub message: MessageId,
    /// Its time, which the recipient sees too.
    pub timestamp: Millis,
    /// How far it got.
    pub state: Delivery,
}

/// How far a message got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// Its recipient's swarm has it.
    Delivered,
    /// It waits in the outbox; why.
    Waiting(String),
    /// The network will not take it, and it is not tried again; why.
    Failed(String),
}

impl Messenger {
    /// Saves a message, then tries to deliver it.
    ///
    /// From the moment it is saved it is delivered sooner or later, and once: every try stores the
    /// same bytes, which a swarm keeps once.
    ///
    /// # Errors
    /// Where it cannot be sealed or saved. A network that fails is no error: the message waits.
    pub async fn send(&self, to: &AccountId, body: &str) -> Result<Sent, ClientError> {
        let (message, timestamp) = self.save_text(to, body)?;
        let state = self.deliver_message(message).await?;
        Ok(Sent { message, timestamp, state })
    }

    /// Saves a message without sending it: its number here, and its time.
    ///
    /// # Errors
    /// Where it cannot be sealed or saved.
    pub fn save_text(
        &self,
        to: &AccountId,
        body: &str,
    ) -> Result<(MessageId, Millis), ClientError> {
        let (message, timestamp) = self.queue_in_turn(to, body)?;
        self.publish(Event::MessageNew { conversation: *to, message_id: message });
        Ok((message, timestamp))
    }

    /// Tries to deliver a message, whether it is due or not, and says how far it got.
    ///
    /// # Errors
    /// Where there is no such message or the database fails. A network that fails is no error.
    pub async fn deliver_message(&self, message: MessageId) -> Result<Delivery, ClientError> {
        let copies = self.db.with(|db| db.due_outbox(Millis::MAX))?;
        let own = copies.into_iter().filter(|due| due.message == message).collect();
        let failure = self.deliver_copies(own).await.err();
        Ok(match (self.db.with(|db| db.message(message))?.state, failure) {
            (MessageState::Sent, _) => Delivery::Delivered,
            (MessageState::Failed, error) => Delivery::Failed(
                error.map_or_else(|| "the network refused it".to_owned(), |e| e.to_string()),
            ),
            (_, Some(error)) => Delivery::Waiting(error.to_string()),
            (_, None) => Delivery::Waiting("it will be tried again".to_owned()),
        })
    }

    /// Tries what is due in the outbox again; the number of copies delivered.
    ///
    /// # Errors
    /// Where the network fails; what was not delivered stays in the outbox.
    pub async fn deliver_waiting(&self) -> Result<usize, ClientError> {
        let due = self.db.with(|db| db.due_outbox(now()))?;
        self.deliver_copies(due).await
    }

    /// Tries everything in the outbox, whether it is due or not.
    ///
    /// # Errors
    /// Where the network fails; what was not delivered stays in the outbox.
    pub async fn deliver_all(&self) -> Result<usize, ClientError> {
        let due = self.db.with(|db| db.due_outbox(Millis::MAX))?;
        self.deliver_copies(due).await
    }

    /// Seals the copies and saves them with the message, in one transaction.
    fn queue(&self, to: &AccountId, body: &str) -> Result<(MessageId, Millis), ClientError> {
        let own = self.account.id();
        let now = now();
        let timestamp = self.db.with(|db| db.free_timestamp(to, now))?;
        let profile = self.entry.display_name.as_deref().and_then(Profile::named);
        let text = Data::from(What::Visible(Visible::text(Body::new(body)?))).with_profile(profile);
        let mut copies = Vec::new();
        if *to != own {
            let content = Content::from(text.clone());
            copies.push(self.seal(Purpose::Recipient, to, &content, timestamp, timestamp)?);
        }
        let content = Content::from(text.with_sync_target(*to));
        let outer_time = timestamp.saturating_sub(blur());
        copies.push(self.seal(Purpose::Sync, &own, &content, timestamp, outer_time)?);
        let message = NewOutgoing {
            conversation: *to,
            content: &database::Content::Text(body.to_owned()),
            details: &Details::default(),
            timestamp,
            now,
            copies: &copies,
        };
        Ok((self.db.with(|db| db.queue_message(&message))?, timestamp))
    }

    /// As [`Messenger::queue`], again where another process took the same millisecond.
    fn queue_in_turn(
        &self,
        to: &AccountId,
        body: &str,
    ) -> Result<(MessageId, Millis), ClientError> {
        loop {
            match self.queue(to, body) {
                Err(ClientError::Database(DatabaseError::TimestampTaken)) => {}
                queued => return queued,
            }
        }
    }

    fn seal(
        &self,
        purpose: Purpose,
        target: &AccountId,
        content: &Content,
        timestamp: Millis,
        outer_time: Millis,
    ) -> Result<SealedCopy, ClientError> {
        let entropy = &mut SystemEntropy;
        let data = seal_direct(&self.account, target, content, timestamp, outer_time, entropy)?;
        Ok(SealedCopy {
            purpose,
            target: *target,
            namespace: Namespace::DIRECT,
            data,
            timestamp: outer_time,
            ttl: MESSAGE_TTL,
        })
    }

    /// Delivers copies one after the other; the first failure is told when all were tried, or at
    /// once where this device is offline.
    async fn deliver_copies(&self, copies: Vec<DueCopy>) -> Result<usize, ClientError> {
        let mut delivered = 0;
        let mut failure = None;
        for due in copies {
            match self.deliver(&due).await {
                Ok(hash) => {
                    self.db.with(|db| db.outbox_delivered(due.id, &hash, now()))?;
                    self.publish_delivery(due.message)?;
                    delivered += 1;
                }
                Err(error) => {
                    let next = next_attempt(&due, now()).filter(|_| !error.is_final());
                    let reason = error.to_string();
                    self.db.with(|db| db.job_failed(due.id, next, Some(&reason)))?;
                    self.publish_delivery(due.message)?;
                    let offline = matches!(error, ClientError::Offline);
                    failure.get_or_insert(error);
                    if offline {
                        break;
                    }
                }
            }
        }
        failure.map_or(Ok(delivered), Err)
    }

    fn publish_delivery(&self, message: MessageId) -> Result<(), ClientError> {
        let message = match self.db.with(|db| db.message(message)) {
            // Deleted while it was on its way.
            Err(DatabaseError::Gone) => return Ok(()),
            found => found?,
        };
        let state = match message.state {
            MessageState::Pending => DeliveryState::Waiting,
            MessageState::Failed => DeliveryState::Failed,
            MessageState::Sent | MessageState::Received => DeliveryState::Delivered,
        };
        self.publish(Event::Delivery {
            conversation: message.conversation,
            message_id: message.id,
            state,
        });
        Ok(())
    }

    /// Stores one copy at the swarm it is for, and wants two members to prove that they have it;
    /// where the others are down, one.
    async fn deliver(&self, due: &DueCopy) -> Result<MessageHash, ClientError> {
        let copy = &due.copy;
        let expected = MessageHash::compute(&copy.target, copy.namespace, &copy.data)?;
        let request = StoreRequest {
            account: copy.target,
            namespace: copy.namespace,
            timestamp: copy.timestamp,
            expiry: copy.timestamp.saturating_add(copy.ttl),
            data: copy.data.clone(),
            auth: None,
            signed_at: copy.timestamp,
            work: None,
        };
        let (mut proofs, mut renewed, mut works, mut worked) = (2, false, 0, None);
        loop {
            let list = self.network.nodes().await?;
            let members = swarm_members(&list, &copy.target)?;
            let ids: Vec<NodeId> = members.iter().map(|node| node.id).collect();
            let questions = match worked.take() {
                None => Question::to_any(members, "store", &request.to_value()),
                Some((node, work)) => {
                    let worked = StoreRequest { work: Some(work), ..request.clone() };
                    Question::to_any(vec![node], "store", &worked.to_value())
                }
            };
            let wanted = Mutex::new(None);
            let judge = |node: &NodeRecord, reply: &Reply| {
                note_terms(&wanted, node, reply);
                check_stored(&ids, reply, &expected, proofs.min(ids.len()))
            };
            let outcome = self.network.ask(questions, judge).await;
            let wanted = wanted.into_inner().unwrap_or_else(PoisonError::into_inner);
            match (outcome, wanted) {
                (Ok(_), _) => return Ok(expected),
                (Err(ClientError::Refused { status: 421, .. }), _)
                    if !renewed && self.network.renew_nodes().await? =>
                {
                    renewed = true;
                }
                (Err(ClientError::Unproven), _) if proofs > 1 => proofs = 1,
                (Err(ClientError::Flooded), Some((node, terms))) if works < MOST_WORKS => {
                    works += 1;
                    worked = Some((node, work_for(terms, &expected).await?));
                }
                (Err(error), _) => return Err(error),
            }
        }
    }
}

/// Keeps what a flooded node asks for. The proof is good at that node alone.
fn note_terms(wanted: &Mutex<Option<(NodeRecord, Terms)>>, node: &NodeRecord, reply: &Reply) {
    if let Some(terms) = terms_of(reply) {
        *wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((node.clone(), terms));
    }
}

/// What a node asks for that gets too many messages for one mailbox; `None` where the reply asks
/// for nothing, or for more than is fair.
fn terms_of(reply: &Reply) -> Option<Terms> {
    let challenge = reply.body.get("challenge").filter(|_| reply.status == 429)?;
    let json = challenge.to_string();
    Terms::read(&Value::from_json(json.as_bytes()).ok()?)
}

/// Does the work, some guesses at Argon2id, away from the executor's own threads.
async fn work_for(terms: Terms, message: &MessageHash) -> Result<WorkProof, ClientError> {
    let target = *message.as_bytes();
    let work = tokio::task::spawn_blocking(move || terms.solve(&target, &mut SystemEntropy));
    work.await.ok().and_then(Result::ok).ok_or(ClientError::Flooded)
}

/// How much earlier the copy for one's own devices says it was stored: up to two minutes, so that
/// the two copies of a message do not carry the same time past the nodes.
fn blur() -> Millis {
    const LONGEST: usize = 120_000;
    let drawn = random_index(&mut SystemEntropy, LONGEST).unwrap_or(0);
    u64::try_from(drawn).unwrap_or(0)
}

/// When to try a copy again; never where the nodes would no longer keep it.
fn next_attempt(due: &DueCopy, now: Millis) -> Option<Millis> {
    let doublings = due.attempts.min(10);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
    let next = now.saturating_add(pause);
    (next < due.copy.timestamp.saturating_add(due.copy.ttl)).then_some(next)
}

/// The nodes that keep an account's mail, in random order.
pub(crate) fn swarm_members(
    list: &NodeList,
    account: &AccountId,
) -> Result<Vec<NodeRecord>, ClientError> {
    let swarm = list.swarm_of(account).ok_or(ClientError::NoSwarm)?;
    let mut members: Vec<NodeRecord> = list.members(swarm).cloned().collect();
    for last in (1..members.len()).rev() {
        if let Some(other) = random_index(&mut SystemEntropy, last + 1) {
            members.swap(last, other);
        }
    }
    Ok(members)
}

/// Turns a node's refusal into an error.
pub(crate) fn require_success(reply: &Reply) -> Result<(), ClientError> {
    match reply.status {
        200 => Ok(()),
        406 => Err(ClientError::Clock),
        429 if terms_of(reply).is_some() => Err(ClientError::Flooded),
        status => {
            let reason = reply.body.as_str().unwrap_or("no reason given");
            let reason = reason.chars().filter(|c| !c.is_control()).take(200).collect();
            Err(ClientError::Refused { status, reason })
        }
    }
}

/// Believes a store only with so many members' signatures over the hash of what was sent.
fn check_stored(
    members: &[NodeId],
    reply: &Reply,
    expected: &MessageHash,
    proofs: usize,
) -> Result<(), ClientError> {
    require_success(reply)?;
    let stored: StoreReply =
        serde::Deserialize::deserialize(&reply.body).map_err(|_| ClientError::Unproven)?;
    let text = signed::stored(expected);
    let proves = |id: &str, entry: &SwarmEntry| {
        let id = id.parse::<NodeId>().ok().filter(|id| members.contains(id));
        let signature = entry.signature.as_deref().and_then(decode_base64);
        match (id, signature) {
            (Some(id), Some(signature)) => {
                id.verifying_key().verify(text.as_bytes(), &signature).is_ok()
            }
            _ => false,
        }
    };
    let proven = stored.swarm.iter().filter(|(id, entry)| proves(id, entry)).take(proofs).count();
    if proven >= proofs.max(1) { Ok(()) } else { Err(ClientError::Unproven) }
}
