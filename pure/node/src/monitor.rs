//! May this subscription be made? The only way to a checked one.

use warren_crypto::ed25519::VerifyingKey;
use warren_wire::limits::{DAY, SECOND};
use warren_wire::record::{Rights, SubaccountToken};
use warren_wire::rpc::monitor::{MonitorError, MonitorRequest, Watched};
use warren_wire::{AccountId, Millis, Namespace};

use crate::auth;

/// How long ago a subscription may have been signed.
const OLDEST: Millis = 14 * DAY;
/// How far ahead.
const NEWEST: Millis = DAY;

/// A subscription whose signature fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedMonitor {
    account: AccountId,
    namespaces: Vec<Namespace>,
    want_data: bool,
}

impl CheckedMonitor {
    /// Checks clock and signature. Whether this node keeps the account's mail is for
    /// [`Placement`](crate::Placement) to say.
    ///
    /// # Errors
    /// What the subscriber is told.
    pub fn check(
        request: &MonitorRequest,
        now: Millis,
        revoked: &[SubaccountToken],
    ) -> Result<Self, MonitorError> {
        let signed = i128::from(request.signed_at) * i128::from(SECOND);
        if signed < i128::from(now) - i128::from(OLDEST) {
            return Err(MonitorError::TooOld);
        }
        if signed > i128::from(now) + i128::from(NEWEST) {
            return Err(MonitorError::InFuture);
        }
        let (account, owner) = account_and_key(request)?;
        let refuse = |reason: &str| {
            MonitorError::Signature(format!("Subaccount verification failed: {reason}"))
        };
        let key = match &request.subaccount {
            None => owner,
            Some(signed) if revoked.contains(&signed.token) => {
                return Err(refuse("subaccount is revoked"));
            }
            Some(signed) => {
                auth::verify_token(&account, &owner, signed, Rights::READ)
                    .map_err(|refusal| refuse(refusal.text()))?;
                VerifyingKey::from_bytes(signed.token.key())
            }
        };
        key.verify(request.signed_text(&account).as_bytes(), &request.signature)
            .map_err(|_| MonitorError::Signature("Signature verification failed".to_owned()))?;
        let namespaces = request.namespaces.clone();
        Ok(Self { account, namespaces, want_data: request.want_data })
    }

    /// Whose mailbox.
    pub const fn account(&self) -> &AccountId {
        &self.account
    }

    /// Which drawers, ascending.
    pub fn namespaces(&self) -> &[Namespace] {
        &self.namespaces
    }

    /// Whether the message's data is wanted.
    pub const fn want_data(&self) -> bool {
        self.want_data
    }
}

/// Whose mailbox an unchecked subscription names, so that its revoked subaccounts can be looked up.
///
/// # Errors
/// Where a person's key is none.
pub fn account(request: &MonitorRequest) -> Result<AccountId, MonitorError> {
    account_and_key(request).map(|(account, _)| account)
}

fn account_and_key(request: &MonitorRequest) -> Result<(AccountId, VerifyingKey), MonitorError> {
    match request.watched {
        Watched::Account(account) => Ok((account, VerifyingKey::from_bytes(account.key_bytes()))),
        Watched::Person(key) => {
            let key = VerifyingKey::from_bytes(key);
            let x25519 =
                key.to_x25519().map_err(|_| MonitorError::Key("Invalid P= ed25519 public key"))?;
            Ok((AccountId::person(&x25519), key))
        }
    }
}
