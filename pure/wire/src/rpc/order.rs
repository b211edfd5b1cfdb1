//! The requests that change what is already in a mailbox: carried out by all members of the swarm.

use super::auth::UnverifiedAuth;
use super::delete::{DeleteAllRequest, DeleteBeforeRequest, DeleteRequest};
use super::expire::{ExpireAllRequest, ExpireRequest};
use super::fields::{FieldError, Fields};
use super::subaccounts::RevokeRequest;
use crate::bencode::{self, BencodeError};
use crate::id::AccountId;
use crate::record::SubaccountToken;
use crate::value::Value;

/// An owner's order, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderRequest {
    /// `delete`: remove messages by name.
    Delete(DeleteRequest),
    /// `delete_all`: empty drawers.
    DeleteAll(DeleteAllRequest),
    /// `delete_before`: remove old messages.
    DeleteBefore(DeleteBeforeRequest),
    /// `expire`: move expiries by name.
    Expire(ExpireRequest),
    /// `expire_all`: let whole drawers expire earlier.
    ExpireAll(ExpireAllRequest),
    /// `revoke_subaccount`: end subaccounts' rights.
    Revoke(RevokeRequest),
    /// `unrevoke_subaccount`: give them back.
    Unrevoke(RevokeRequest),
}

impl OrderRequest {
    /// Reads the parameters; `None` where the method is no order.
    ///
    /// # Errors
    /// The first complaint, in the reference node's order.
    pub fn read(method: &str, fields: Fields<'_>) -> Result<Option<Self>, FieldError> {
        Ok(Some(match method {
            "delete" => Self::Delete(DeleteRequest::read(fields)?),
            "delete_all" => Self::DeleteAll(DeleteAllRequest::read(fields)?),
            "delete_before" => Self::DeleteBefore(DeleteBeforeRequest::read(fields)?),
            "expire" => Self::Expire(ExpireRequest::read(fields)?),
            "expire_all" => Self::ExpireAll(ExpireAllRequest::read(fields)?),
            "revoke_subaccount" => Self::Revoke(RevokeRequest::read_revoke(fields)?),
            "unrevoke_subaccount" => Self::Unrevoke(RevokeRequest::read_unrevoke(fields)?),
            _ => return Ok(None),
        }))
    }

    /// The method that carries it.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Delete(_) => "delete",
            Self::DeleteAll(_) => "delete_all",
            Self::DeleteBefore(_) => "delete_before",
            Self::Expire(_) => "expire",
            Self::ExpireAll(_) => "expire_all",
            Self::Revoke(_) => "revoke_subaccount",
            Self::Unrevoke(_) => "unrevoke_subaccount",
        }
    }

    /// Whose mailbox.
    pub const fn account(&self) -> &AccountId {
        match self {
            Self::Delete(request) => &request.account,
            Self::DeleteAll(request) => &request.account,
            Self::DeleteBefore(request) => &request.account,
            Self::Expire(request) => &request.account,
            Self::ExpireAll(request) => &request.account,
            Self::Revoke(request) | Self::Unrevoke(request) => &request.account,
        }
    }

    /// Who claims to give it.
    pub const fn auth(&self) -> &UnverifiedAuth {
        match self {
            Self::Delete(request) => &request.auth,
            Self::DeleteAll(request) => &request.auth,
            Self::DeleteBefore(request) => &request.auth,
            Self::Expire(request) => &request.auth,
            Self::ExpireAll(request) => &request.auth,
            Self::Revoke(request) | Self::Unrevoke(request) => &request.auth,
        }
    }

    /// The subaccount that gives it, whose rights may have been revoked.
    pub fn subaccount(&self) -> Option<&SubaccountToken> {
        self.auth().subaccount.as_ref().map(|signed| &signed.token)
    }

    /// The parameters as they go on the wire, always the same for one order.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Delete(request) => request.to_value(),
            Self::DeleteAll(request) => request.to_value(),
            Self::DeleteBefore(request) => request.to_value(),
            Self::Expire(request) => request.to_value(),
            Self::ExpireAll(request) => request.to_value(),
            Self::Revoke(request) => request.to_value("revoke"),
            Self::Unrevoke(request) => request.to_value("unrevoke"),
        }
    }

    /// `bencode{ "m": method, "p": parameters }`: what other members check the signature by.
    ///
    /// # Errors
    /// Never for what was read; the encoder's result is passed on.
    pub fn proof(&self) -> Result<Vec<u8>, BencodeError> {
        bencode::encode(&Value::dict([("m", self.method().into()), ("p", self.to_value())]))
    }
}
