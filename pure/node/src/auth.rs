//! Whether a claimed signature proves the owner of an account, or a subaccount that the owner gave rights.

use warren_crypto::CryptoError;
use warren_crypto::ed25519::VerifyingKey;
use warren_wire::record::{Rights, SubaccountToken};
use warren_wire::rpc::{SignedToken, UnverifiedAuth};
use warren_wire::{AccountId, AccountKind};

/// Checks that the account's owner signed `text`, or a subaccount with these rights did.
///
/// `revoked` are the subaccounts whose rights the owner took back.
///
/// # Errors
/// Where key or signature do not fit, or the subaccount has not these rights.
pub fn verify(
    account: &AccountId,
    auth: &UnverifiedAuth,
    rights: Rights,
    text: &[u8],
    revoked: &[SubaccountToken],
) -> Result<(), CryptoError> {
    let owner = owner_key(account, auth.ed25519)?;
    let key = match &auth.subaccount {
        None => owner,
        Some(signed) if revoked.contains(&signed.token) => return Err(CryptoError),
        Some(signed) => {
            verify_token(account, &owner, signed, rights).map_err(|_| CryptoError)?;
            VerifyingKey::from_bytes(signed.token.key())
        }
    };
    key.verify(text, &auth.signature)
}

/// Checks that the account's owner signed `text`, and nobody in the owner's stead.
///
/// # Errors
/// Where key or signature do not fit, or a subaccount signs.
pub fn verify_owner(
    account: &AccountId,
    auth: &UnverifiedAuth,
    text: &[u8],
) -> Result<(), CryptoError> {
    match auth.subaccount {
        None => owner_key(account, auth.ed25519)?.verify(text, &auth.signature),
        Some(_) => Err(CryptoError),
    }
}

/// The Ed25519 key of an account.
///
/// A person's id is an X25519 key, so a request names the Ed25519 key it was made from, which must
/// map to the id. Every other id is an Ed25519 key itself.
///
/// # Errors
/// Where the named key does not map to the id.
pub fn owner_key(
    account: &AccountId,
    named: Option<[u8; 32]>,
) -> Result<VerifyingKey, CryptoError> {
    match (account.kind(), named) {
        (AccountKind::Person, Some(key)) => {
            let key = VerifyingKey::from_bytes(key);
            if key.to_x25519()? == account.x25519() { Ok(key) } else { Err(CryptoError) }
        }
        _ => Ok(VerifyingKey::from_bytes(account.key_bytes())),
    }
}

/// Why a subaccount's token does not help. The texts are the reference node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The token is for accounts of another prefix.
    Prefix,
    /// The token lacks a right.
    Rights,
    /// The owner did not sign it.
    Signature,
}

impl TokenRefusal {
    /// What is said of it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Prefix => "subaccount network prefix mismatch",
            Self::Rights => "subaccount is missing the required permissions",
            Self::Signature => "subaccount token signature verification failed",
        }
    }
}

/// Checks that the owner gave the subaccount these rights.
///
/// # Errors
/// Which part does not fit.
pub fn verify_token(
    account: &AccountId,
    owner: &VerifyingKey,
    signed: &SignedToken,
    rights: Rights,
) -> Result<(), TokenRefusal> {
    if !signed.token.is_for(account) {
        return Err(TokenRefusal::Prefix);
    }
    if !signed.token.gives(rights) {
        return Err(TokenRefusal::Rights);
    }
    owner.verify(&signed.token.0, &signed.signature).map_err(|_| TokenRefusal::Signature)
}
