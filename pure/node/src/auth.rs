//! Whether a claimed signature proves the owner of an account.

use warren_crypto::CryptoError;
use warren_crypto::ed25519::VerifyingKey;
use warren_wire::rpc::UnverifiedAuth;
use warren_wire::{AccountId, AccountKind};

/// Checks that the account's owner signed `text`.
///
/// A person's id is an X25519 key, so the request names the Ed25519 key it was made from, which
/// must map to the id. Every other id is an Ed25519 key itself.
///
/// # Errors
/// Where key or signature do not fit, or a subaccount signs, which this node does not take yet.
pub fn verify(account: &AccountId, auth: &UnverifiedAuth, text: &str) -> Result<(), CryptoError> {
    if auth.subaccount {
        return Err(CryptoError);
    }
    let key = match (account.kind(), auth.ed25519) {
        (AccountKind::Person, Some(key)) => {
            let key = VerifyingKey::from_bytes(key);
            if key.to_x25519()? != account.x25519() {
                return Err(CryptoError);
            }
            key
        }
        _ => VerifyingKey::from_bytes(account.key_bytes()),
    };
    key.verify(text.as_bytes(), &auth.signature)
}
