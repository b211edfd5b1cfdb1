//! What only an admin of a group can say, with the signature that shows it.
//!
//! What is signed is in [`crate::group::signed`]; the key is the group's, the time that under the
//! message's own signature.
//!
//! Neither the new name of a group nor the members of a change are signed: whoever may write to the
//! group can repeat an admin's signature of the same millisecond around others. What a group is
//! called and who belongs to it, its configuration says; these messages only tell of it.

use std::fmt;

use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
use warren_wire::{AccountId, AccountKind, Millis};

/// A claim with an admin's signature, which nobody has checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Unverified<T> {
    claim: T,
    signature: [u8; SIGNATURE_BYTES],
}

/// A claim of which one signature covers all that an admin is to vouch for.
pub trait AdminClaim {
    /// The bytes under the signature of a message sent at `time`.
    fn signed_form(&self, time: Millis) -> String;
}

impl<T> Unverified<T> {
    pub(super) fn new(claim: T, signature: &[u8]) -> Option<Self> {
        Some(Self { claim, signature: signature.try_into().ok()? })
    }

    /// What is claimed, for writing it again or telling whom it concerns.
    pub fn claim(&self) -> &T {
        &self.claim
    }

    pub(super) fn signature(&self) -> Vec<u8> {
        self.signature.to_vec()
    }

    /// Signs `form` with the group's key.
    pub(super) fn sign_form(claim: T, admin: &SigningKey, form: &str) -> Result<Self, CryptoError> {
        let signature = admin.sign(form.as_bytes())?;
        Ok(Self { claim, signature })
    }

    /// Gives the claim out where `group` signed `form`.
    pub(super) fn check_form(self, group: &AccountId, form: &str) -> Result<T, CryptoError> {
        if group.kind() != AccountKind::Group {
            return Err(CryptoError);
        }
        let key = VerifyingKey::from_bytes(group.key_bytes());
        key.verify(form.as_bytes(), &self.signature)?;
        Ok(self.claim)
    }
}

impl<T: AdminClaim> Unverified<T> {
    /// Signs a claim for a message that will say `time`.
    ///
    /// # Errors
    /// Never for a key of a group; the library's result is passed on.
    pub fn sign(claim: T, admin: &SigningKey, time: Millis) -> Result<Self, CryptoError> {
        let form = claim.signed_form(time);
        Self::sign_form(claim, admin, &form)
    }

    /// The claim, where an admin of `group` made it in a message of `time`.
    ///
    /// # Errors
    /// Where the signature is not the group's.
    pub fn check(self, group: &AccountId, time: Millis) -> Result<T, CryptoError> {
        let form = self.claim.signed_form(time);
        self.check_form(group, &form)
    }
}

impl<T> fmt::Debug for Unverified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unverified(..)")
    }
}
