//! May this mailbox be changed so? The only way to a checked order.

use warren_wire::bencode::BencodeError;
use warren_wire::limits::MAX_PRIVATE_TTL;
use warren_wire::record::{Change, ExpireMode, Order, Record, Rights, SubaccountToken};
use warren_wire::rpc::{ExpireRequest, OrderRequest, signed};
use warren_wire::value::Dict;
use warren_wire::{AccountId, Millis, Stamp, Value};

use crate::answer::Answer;
use crate::auth;
use crate::check::Origin;
use crate::entry;
use crate::swarm_request::{Done, Entry, SwarmRequest};

/// An order that may be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOrder {
    request: OrderRequest,
    /// When it was checked, or taken in: expiries are cut by that where nothing was moved.
    time: Millis,
}

impl CheckedOrder {
    /// Checks clock, signature and rights. `now` is the time by the node's clock for a client's
    /// order, and the stamp's for one that another member took in.
    ///
    /// `revoked` are the subaccounts without rights. There are none for what another member took
    /// in, which has asked.
    ///
    /// # Errors
    /// 406 and 401 for a clock, 401 for a signature, 400 for what the subaccount may not ask.
    pub fn check(
        request: OrderRequest,
        now: Millis,
        origin: Origin,
        revoked: &[SubaccountToken],
    ) -> Result<Self, Answer> {
        check_time(&request, now, origin)?;
        let (account, auth, text) = (request.account(), request.auth(), signed::order(&request));
        match rights(&request) {
            Some(rights) => auth::verify(account, auth, rights, &text, revoked),
            None => auth::verify_owner(account, auth, &text),
        }
        .map_err(|_| Answer::refuse(401, unverified(&request)))?;
        if let OrderRequest::Expire(expire) = &request
            && expire.mode == ExpireMode::Shorten
            && only_extends(expire)
        {
            return Err(Answer::refuse(
                400,
                "expire: shorten parameter cannot be used with this subaccount token (missing \
                 delete access)",
            ));
        }
        Ok(Self { request, time: now })
    }

    /// What was asked for.
    pub const fn request(&self) -> &OrderRequest {
        &self.request
    }

    /// What is said of a signature that does not fit, or is by a revoked subaccount.
    pub const fn unverified(&self) -> &'static str {
        unverified(&self.request)
    }

    fn change(&self, stamp: Stamp) -> Change {
        match &self.request {
            OrderRequest::Delete(request) => Change::Delete(request.hashes()),
            OrderRequest::DeleteAll(request) => Change::DeleteAll(request.drawers),
            OrderRequest::DeleteBefore(request) => {
                Change::DeleteBefore(request.drawers, request.before)
            }
            OrderRequest::Expire(request) => {
                let moves = request.moves(latest_expiry(stamp.time()));
                Change::Expire(moves, applied_mode(request))
            }
            OrderRequest::ExpireAll(request) => Change::ExpireAll(request.drawers, request.expiry),
            OrderRequest::Revoke(request) => Change::Revoke(request.tokens.clone()),
            OrderRequest::Unrevoke(request) => Change::Unrevoke(request.tokens.clone()),
        }
    }
}

impl SwarmRequest for CheckedOrder {
    fn owner(&self) -> &AccountId {
        self.request.account()
    }

    fn method(&self) -> &'static str {
        self.request.method()
    }

    fn params(&self) -> Value {
        self.request.to_value()
    }

    fn is_sweeping(&self) -> bool {
        use OrderRequest::{Delete, DeleteAll, DeleteBefore, Expire, ExpireAll, Revoke, Unrevoke};
        match &self.request {
            DeleteAll(_) | DeleteBefore(_) | ExpireAll(_) => true,
            Delete(_) | Expire(_) | Revoke(_) | Unrevoke(_) => false,
        }
    }

    fn only_extends(&self) -> bool {
        matches!(&self.request, OrderRequest::Expire(request) if request.mode == ExpireMode::Extend)
    }

    fn record(&self, stamp: Stamp) -> Result<Record, BencodeError> {
        let (owner, change) = (*self.owner(), self.change(stamp));
        Ok(Record::Order(Order { owner, stamp, change, proof: self.request.proof()? }))
    }

    fn entry(&self, done: &Done) -> Option<Entry> {
        match done {
            Done::Changed(changed) => Some(entry::of(&self.request, changed, self.time)),
            Done::Stored { .. } => None,
        }
    }

    fn signed_by(&self, fields: &Dict) -> Option<Vec<u8>> {
        entry::signed_by(&self.request, fields)
    }
}

/// The latest that an expiry may be moved to at some time.
pub(crate) const fn latest_expiry(now: Millis) -> Millis {
    now.saturating_add(MAX_PRIVATE_TTL)
}

/// Which way expiries move: who may not delete may only put them off.
const fn applied_mode(request: &ExpireRequest) -> ExpireMode {
    if only_extends(request) { ExpireMode::Extend } else { request.mode }
}

const fn only_extends(request: &ExpireRequest) -> bool {
    match &request.auth.subaccount {
        Some(signed) => !signed.token.gives(Rights::DELETE),
        None => false,
    }
}

/// What a subaccount needs; `None` where the owner alone may order it.
const fn rights(request: &OrderRequest) -> Option<Rights> {
    match request {
        OrderRequest::Expire(_) => Some(Rights::WRITE),
        OrderRequest::Revoke(_) | OrderRequest::Unrevoke(_) => None,
        OrderRequest::Delete(_)
        | OrderRequest::DeleteAll(_)
        | OrderRequest::DeleteBefore(_)
        | OrderRequest::ExpireAll(_) => Some(Rights::DELETE),
    }
}

fn check_time(request: &OrderRequest, now: Millis, origin: Origin) -> Result<(), Answer> {
    let earliest = now.saturating_sub(origin.tolerance());
    let latest = now.saturating_add(origin.tolerance());
    let is_fresh = |time: Millis| (earliest..=latest).contains(&time);
    let (fits, status, text) = match request {
        OrderRequest::Delete(_) => return Ok(()),
        OrderRequest::DeleteAll(request) => {
            (is_fresh(request.timestamp), 406, "delete_all timestamp too far from current time")
        }
        OrderRequest::DeleteBefore(request) => {
            (request.before <= latest, 401, "delete_before timestamp too far in the future")
        }
        OrderRequest::Expire(request) => (
            request.expiries.iter().all(|time| *time >= earliest),
            401,
            "expire: timestamp should be >= current time",
        ),
        OrderRequest::ExpireAll(request) => {
            (request.expiry >= earliest, 406, "expire_all timestamp should be >= current time")
        }
        OrderRequest::Revoke(request) => (
            is_fresh(request.timestamp),
            406,
            "revoke_subaccount timestamp too far from current time",
        ),
        OrderRequest::Unrevoke(request) => (
            is_fresh(request.timestamp),
            406,
            "unrevoke_subaccount timestamp too far from current time",
        ),
    };
    if fits { Ok(()) } else { Err(Answer::refuse(status, text)) }
}

const fn unverified(request: &OrderRequest) -> &'static str {
    match request {
        OrderRequest::Delete(_) => "delete_msgs signature verification failed",
        OrderRequest::DeleteAll(_) => "delete_all signature verification failed",
        OrderRequest::DeleteBefore(_) => "delete_before signature verification failed",
        OrderRequest::Expire(_) => "expire: signature verification failed",
        OrderRequest::ExpireAll(_) => "expire_all signature verification failed",
        OrderRequest::Revoke(_) => "revoke_subaccount signature verification failed",
        OrderRequest::Unrevoke(_) => "unrevoke_subaccount signature verification failed",
    }
}
