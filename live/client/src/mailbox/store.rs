//! One message stored at the swarm of its mailbox, and proven to be.

use std::sync::{Mutex, PoisonError};

use warren_crypto::SystemEntropy;
use warren_onion::Reply;
use warren_wire::directory::NodeRecord;
use warren_wire::rpc::reply::{StoreReply, SwarmEntry};
use warren_wire::rpc::{StoreRequest, signed};
use warren_wire::work::{Terms, WorkProof};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId};

use super::Access;
use super::members::{is_signed, require_success, swarm_members, terms_of};
use crate::error::ClientError;
use crate::messenger::now;
use crate::network::Network;
use crate::network::road::Question;

/// How often work is done for one delivery.
const MOST_WORKS: u32 = 2;

/// A message for a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// Whose mailbox it goes to.
    pub(crate) target: AccountId,
    /// Which drawer of it.
    pub(crate) namespace: Namespace,
    /// The bytes to store.
    pub(crate) data: Vec<u8>,
    /// The store's timestamp.
    pub(crate) timestamp: Millis,
    /// How long after it the nodes keep the message.
    pub(crate) ttl: Millis,
}

impl Network {
    /// Stores one message at the swarm it is for, and wants two members to prove that they have it;
    /// where the others are down, one. `access` signs where not everyone may store.
    pub(crate) async fn store(
        &self,
        letter: &Letter,
        access: Option<&Access>,
    ) -> Result<MessageHash, ClientError> {
        let expected = MessageHash::compute(&letter.target, letter.namespace, &letter.data)?;
        let (mut proofs, mut renewed, mut works, mut worked) = (2, false, 0, None);
        loop {
            let request = letter.request(access)?;
            let list = self.nodes().await?;
            let members = swarm_members(&list, &letter.target)?;
            let ids: Vec<NodeId> = members.iter().map(|node| node.id).collect();
            let questions = match worked.take() {
                None => Question::to_any(members, "store", &request.to_value()),
                Some((node, work)) => {
                    let worked = StoreRequest { work: Some(work), ..request };
                    Question::to_any(vec![node], "store", &worked.to_value())
                }
            };
            let wanted = Mutex::new(None);
            let judge = |node: &NodeRecord, reply: &Reply| {
                note_terms(&wanted, node, reply);
                check_stored(&ids, reply, &expected, proofs.min(ids.len()))
            };
            let outcome = self.ask(questions, judge).await;
            let wanted = wanted.into_inner().unwrap_or_else(PoisonError::into_inner);
            match (outcome, wanted) {
                (Ok(_), _) => return Ok(expected),
                (Err(ClientError::Refused { status: 421, .. }), _)
                    if !renewed && self.renew_nodes().await? =>
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

impl Letter {
    /// The request, signed at this moment where it is signed: signatures are good for a minute.
    fn request(&self, access: Option<&Access>) -> Result<StoreRequest, ClientError> {
        let signed_at = access.map_or(self.timestamp, |_| now());
        let text = signed::store(self.namespace, signed_at);
        let auth = access.map(|access| access.authorise(text.as_bytes())).transpose()?;
        Ok(StoreRequest {
            account: self.target,
            namespace: self.namespace,
            timestamp: self.timestamp,
            expiry: self.timestamp.saturating_add(self.ttl),
            data: self.data.clone(),
            auth,
            signed_at,
            work: None,
        })
    }
}

/// Keeps what a flooded node asks for. The proof is good at that node alone.
fn note_terms(wanted: &Mutex<Option<(NodeRecord, Terms)>>, node: &NodeRecord, reply: &Reply) {
    if let Some(terms) = terms_of(reply) {
        *wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some((node.clone(), terms));
    }
}

/// Does the work, some guesses at Argon2id, away from the executor's own threads.
async fn work_for(terms: Terms, message: &MessageHash) -> Result<WorkProof, ClientError> {
    let target = *message.as_bytes();
    let work = tokio::task::spawn_blocking(move || terms.solve(&target, &mut SystemEntropy));
    work.await.ok().and_then(Result::ok).ok_or(ClientError::Flooded)
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
    let proves = |id: &String, entry: &SwarmEntry| is_signed(members, id, entry, text.as_bytes());
    let proven = stored.swarm.iter().filter(|(id, entry)| proves(id, entry)).take(proofs).count();
    if proven >= proofs.max(1) { Ok(()) } else { Err(ClientError::Unproven) }
}
