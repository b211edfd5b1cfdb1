//! Saved, then sealed copies on their way, until a swarm has them.

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_message::{Content, Text, seal_direct};
use warren_onion::Reply;
use warren_wire::directory::{NodeList, NodeRecord};
use warren_wire::limits::{MESSAGE_TTL, SECOND};
use warren_wire::rpc::reply::StoreReply;
use warren_wire::rpc::{StoreRequest, signed};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId};

use crate::database::{DueCopy, MessageId, MessageState, NewOutgoing, Purpose, SealedCopy};
use crate::error::ClientError;
use crate::messenger::{Messenger, now};
use crate::road::Question;

/// The pause after a first failed delivery; it doubles from then on.
const FIRST_PAUSE: Millis = 5 * SECOND;
/// The longest pause.
const LONGEST_PAUSE: Millis = 15 * 60 * SECOND;

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
}

impl Messenger {
    /// Saves a message, then tries to deliver it and whatever else is due.
    ///
    /// From the moment it is saved it is delivered sooner or later, and once: every try stores the
    /// same bytes, which a swarm keeps once.
    ///
    /// # Errors
    /// Where it cannot be sealed or saved. A network that fails is no error: the message waits.
    pub async fn send(&mut self, to: &AccountId, body: &str) -> Result<Sent, ClientError> {
        let (message, timestamp) = self.queue(to, body)?;
        let failure = self.deliver_due(now()).await.err();
        let state = match (self.db.message(message)?.state, failure) {
            (MessageState::Sent, _) => Delivery::Delivered,
            (_, Some(error)) => Delivery::Waiting(error.to_string()),
            (_, None) => Delivery::Waiting("it will be tried again".to_owned()),
        };
        Ok(Sent { message, timestamp, state })
    }

    /// Tries what is due in the outbox again; the number of copies delivered.
    ///
    /// # Errors
    /// Where the network fails; what was not delivered stays in the outbox.
    pub async fn deliver_waiting(&mut self) -> Result<usize, ClientError> {
        self.deliver_due(now()).await
    }

    /// Tries everything in the outbox, whether it is due or not.
    ///
    /// # Errors
    /// Where the network fails; what was not delivered stays in the outbox.
    pub async fn deliver_all(&mut self) -> Result<usize, ClientError> {
        self.deliver_due(now().saturating_add(LONGEST_PAUSE)).await
    }

    /// Seals the copies and saves them with the message, in one transaction.
    fn queue(&mut self, to: &AccountId, body: &str) -> Result<(MessageId, Millis), ClientError> {
        let own = self.account.id();
        let now = now();
        let timestamp = self.db.free_timestamp(to, now)?;
        let text = Text::new(body)?.with_display_name(self.entry.label.clone());
        let mut copies = Vec::new();
        if *to != own {
            let content = Content::Text(text.clone());
            copies.push(self.seal(Purpose::Recipient, to, &content, timestamp)?);
        }
        let content = Content::Text(text.with_sync_target(*to));
        copies.push(self.seal(Purpose::Sync, &own, &content, timestamp)?);
        let message = NewOutgoing { peer: *to, body, timestamp, now, copies: &copies };
        Ok((self.db.queue_message(&message)?, timestamp))
    }

    fn seal(
        &self,
        purpose: Purpose,
        target: &AccountId,
        content: &Content,
        timestamp: Millis,
    ) -> Result<SealedCopy, ClientError> {
        let data = seal_direct(&self.account, target, content, timestamp, &mut SystemEntropy)?;
        let namespace = Namespace::DIRECT;
        Ok(SealedCopy { purpose, target: *target, namespace, data, timestamp, ttl: MESSAGE_TTL })
    }

    /// Delivers every copy due at `time`; the first failure is told when all were tried.
    async fn deliver_due(&mut self, time: Millis) -> Result<usize, ClientError> {
        let mut delivered = 0;
        let mut failure = None;
        for due in self.db.due_outbox(time)? {
            match self.deliver(&due).await {
                Ok(hash) => {
                    self.db.outbox_delivered(due.id, &hash)?;
                    delivered += 1;
                }
                Err(error) => {
                    self.db.outbox_failed(due.id, next_attempt(&due, now()))?;
                    failure.get_or_insert(error);
                }
            }
        }
        failure.map_or(Ok(delivered), Err)
    }

    /// Stores one copy at the swarm it is for.
    async fn deliver(&mut self, due: &DueCopy) -> Result<MessageHash, ClientError> {
        let copy = &due.copy;
        let expected = MessageHash::compute(&copy.target, copy.namespace, &copy.data)?;
        let params = StoreRequest {
            account: copy.target,
            namespace: copy.namespace,
            timestamp: copy.timestamp,
            expiry: copy.timestamp.saturating_add(copy.ttl),
            data: copy.data.clone(),
            auth: None,
            signed_at: copy.timestamp,
        }
        .to_value();
        let mut list = self.nodes().await?;
        for renewed in [false, true] {
            let members = swarm_members(&list, &copy.target)?;
            let questions = Question::to_any(members, "store", &params);
            let (node, reply) = self.ask(questions).await?;
            if reply.status == 421 && !renewed {
                list = self.refresh_nodes().await?;
                continue;
            }
            return check_stored(&list, &node, &reply, &expected).map(|()| expected);
        }
        Err(ClientError::NoSwarm)
    }
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
        status => {
            let reason = reply.body.as_str().unwrap_or("no reason given");
            let reason = reason.chars().filter(|c| !c.is_control()).take(200).collect();
            Err(ClientError::Refused { status, reason })
        }
    }
}

/// Believes a store only with the signature of a listed node over the hash of what was sent.
fn check_stored(
    list: &NodeList,
    node: &NodeRecord,
    reply: &Reply,
    expected: &MessageHash,
) -> Result<(), ClientError> {
    require_success(reply)?;
    let unproven = || ClientError::Refused {
        status: reply.status,
        reason: "the node does not prove that it stored the message".to_owned(),
    };
    let stored: StoreReply =
        serde::Deserialize::deserialize(&reply.body).map_err(|_| unproven())?;
    let text = signed::stored(expected);
    let proven = stored.swarm.iter().filter(|(_, entry)| !entry.failed).any(|(id, entry)| {
        let signature = entry.signature.as_deref().and_then(warren_wire::value::decode_base64);
        let member = id.parse::<NodeId>().ok();
        let member = member.filter(|id| *id == node.id || list.get(id).is_some());
        match (member, signature) {
            (Some(id), Some(signature)) => {
                id.verifying_key().verify(text.as_bytes(), &signature).is_ok()
            }
            _ => false,
        }
    });
    if proven { Ok(()) } else { Err(unproven()) }
}
