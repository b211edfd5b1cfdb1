//! Messages deleted, expiries moved and members' rights taken, at all members of a swarm.

use warren_onion::Reply;
use warren_wire::directory::NodeRecord;
use warren_wire::record::{Drawers, ExpireMode, SubaccountToken};
use warren_wire::rpc::reply::StoreReply;
use warren_wire::rpc::{
    DeleteAllRequest, DeleteRequest, ExpireRequest, GetExpiriesRequest, OrderRequest,
    RevokeRequest, UnverifiedAuth, signed,
};
use warren_wire::{MessageHash, MessageName, Millis};

use super::Access;
use super::members::{malformed, require_success, swarm_members};
use crate::error::ClientError;
use crate::messenger::now;
use crate::network::Network;
use crate::network::road::Question;

/// What is to be done with a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Remove these messages.
    Delete(Vec<MessageHash>),
    /// Remove all messages, of these drawers.
    DeleteAll(Drawers),
    /// Let these messages live until then, and no shorter than they do.
    Extend(Vec<MessageHash>, Millis),
    /// Let these messages live until then, and no longer than they do.
    Shorten(Vec<MessageHash>, Millis),
    /// Take these members' rights.
    Revoke(Vec<SubaccountToken>),
    /// Give these members their rights back.
    Unrevoke(Vec<SubaccountToken>),
}

impl Network {
    /// Has the swarm carry something out; how many of its members say that they did.
    ///
    /// # Errors
    /// Where no member answers or all refuse.
    pub(crate) async fn order(&self, access: &Access, deed: &Deed) -> Result<usize, ClientError> {
        let mut renewed = false;
        loop {
            let order = deed.request(access)?;
            let members = swarm_members(&*self.nodes().await?, &access.owner())?;
            let questions = Question::to_any(members, order.method(), &order.to_value());
            let judge = |_: &NodeRecord, reply: &Reply| {
                require_success(reply)?;
                Ok(count_done(&reply.body))
            };
            match self.ask(questions, judge).await {
                Err(ClientError::Refused { status: 421, .. })
                    if !renewed && self.renew_nodes().await? =>
                {
                    renewed = true;
                }
                outcome => return outcome.map(|(_, done)| done),
            }
        }
    }
}

impl Network {
    /// Until when the swarm keeps messages, by the later word of two members where two answer: one
    /// alone might have everything disappear. Those that neither has are left out.
    ///
    /// # Errors
    /// Where no member answers or all refuse.
    pub(crate) async fn expiries(
        &self,
        access: &Access,
        hashes: &[MessageHash],
    ) -> Result<Vec<(MessageHash, Millis)>, ClientError> {
        let mut members = self.members_of(&access.owner()).await?;
        let (first, mut expiries) = self.expiries_at(access, hashes, members.clone()).await?;
        members.retain(|member| member.id != first.id);
        if members.is_empty() {
            return Ok(expiries);
        }
        let Ok((_, others)) = self.expiries_at(access, hashes, members).await else {
            return Ok(expiries);
        };
        for (hash, other) in others {
            match expiries.iter_mut().find(|(known, _)| *known == hash) {
                Some((_, expiry)) => *expiry = other.max(*expiry),
                None => expiries.push((hash, other)),
            }
        }
        Ok(expiries)
    }

    async fn expiries_at(
        &self,
        access: &Access,
        hashes: &[MessageHash],
        members: Vec<NodeRecord>,
    ) -> Result<(NodeRecord, Vec<(MessageHash, Millis)>), ClientError> {
        let mut request = GetExpiriesRequest {
            account: access.owner(),
            messages: hashes.iter().map(ToString::to_string).collect(),
            timestamp: now(),
            auth: UnverifiedAuth { signature: [0; 64], ed25519: None, subaccount: None },
        };
        request.auth = access.authorise(signed::get_expiries(&request).as_bytes())?;
        let questions = Question::to_any(members, "get_expiries", &request.to_value());
        let judge = |_: &NodeRecord, reply: &Reply| {
            require_success(reply)?;
            let expiries = reply.body.get("expiries").ok_or_else(malformed)?;
            let known = hashes
                .iter()
                .filter_map(|hash| Some((*hash, expiries.get(hash.to_string())?.as_u64()?)));
            Ok(known.collect())
        };
        self.ask(questions, judge).await
    }
}

fn count_done(body: &serde_json::Value) -> usize {
    let reply: Result<StoreReply, _> = serde::Deserialize::deserialize(body);
    reply.map_or(0, |reply| reply.swarm.values().filter(|entry| !entry.failed).count())
}

impl Deed {
    fn request(&self, access: &Access) -> Result<OrderRequest, ClientError> {
        let mut order = self.unsigned(access, now());
        let auth = access.authorise(&signed::order(&order))?;
        *auth_of(&mut order) = auth;
        Ok(order)
    }

    fn unsigned(&self, access: &Access, timestamp: Millis) -> OrderRequest {
        let account = access.owner();
        let auth = UnverifiedAuth { signature: [0; 64], ed25519: None, subaccount: None };
        let names =
            |hashes: &[MessageHash]| hashes.iter().copied().map(MessageName::from).collect();
        let expire = |hashes: &[MessageHash], expiry, mode| {
            let (messages, expiries) = (names(hashes), vec![expiry]);
            OrderRequest::Expire(ExpireRequest {
                account,
                messages,
                expiries,
                mode,
                auth: auth.clone(),
            })
        };
        match self {
            Self::Delete(hashes) => {
                let messages = names(hashes);
                OrderRequest::Delete(DeleteRequest { account, messages, auth, required: false })
            }
            Self::DeleteAll(drawers) => {
                let drawers = *drawers;
                OrderRequest::DeleteAll(DeleteAllRequest { account, drawers, timestamp, auth })
            }
            Self::Extend(hashes, expiry) => expire(hashes, *expiry, ExpireMode::Extend),
            Self::Shorten(hashes, expiry) => expire(hashes, *expiry, ExpireMode::Shorten),
            Self::Revoke(tokens) => {
                let tokens = tokens.clone();
                OrderRequest::Revoke(RevokeRequest { account, tokens, timestamp, auth })
            }
            Self::Unrevoke(tokens) => {
                let tokens = tokens.clone();
                OrderRequest::Unrevoke(RevokeRequest { account, tokens, timestamp, auth })
            }
        }
    }
}

fn auth_of(order: &mut OrderRequest) -> &mut UnverifiedAuth {
    match order {
        OrderRequest::Delete(request) => &mut request.auth,
        OrderRequest::DeleteAll(request) => &mut request.auth,
        OrderRequest::DeleteBefore(request) => &mut request.auth,
        OrderRequest::Expire(request) => &mut request.auth,
        OrderRequest::ExpireAll(request) => &mut request.auth,
        OrderRequest::Revoke(request) | OrderRequest::Unrevoke(request) => &mut request.auth,
    }
}
