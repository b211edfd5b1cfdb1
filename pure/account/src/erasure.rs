//! The right to empty a person's mailbox, which can be given away without the account: a subaccount
//! that may delete and nothing else (wire spec, section 4).
//!
//! ```text
//! token = 05 || DELETE || 00 || 00 || subaccount's Ed25519 key       signed by the owner
//! right = owner's Ed25519 key[32] || seed of the subaccount[32] || signature[64]
//! ```

use std::fmt;

use warren_crypto::ed25519::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
use warren_crypto::{CryptoError, Entropy, Secret};
use warren_wire::AccountId;
use warren_wire::record::{Rights, SubaccountToken};
use warren_wire::rpc::{SignedToken, UnverifiedAuth};

use crate::keys::Account;

/// How long an encoded right is.
pub const RIGHT_BYTES: usize = 128;

/// May delete what is in one person's mailbox, and read nothing of it.
pub struct ErasureRight {
    owner: VerifyingKey,
    account: AccountId,
    key: SigningKey,
    signed: SignedToken,
}

impl ErasureRight {
    /// Whose mailbox it is.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Signs a request to a node.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn authorise(&self, text: &[u8]) -> Result<UnverifiedAuth, CryptoError> {
        let ed25519 = Some(*self.owner.as_bytes());
        let signature = self.key.sign(text)?;
        Ok(UnverifiedAuth { signature, ed25519, subaccount: Some(self.signed) })
    }

    /// The 128 bytes of it.
    pub fn encode(&self) -> Secret<RIGHT_BYTES> {
        let mut bytes = [0; RIGHT_BYTES];
        let parts = self.owner.as_bytes().iter().chain(self.key.seed().expose());
        for (to, from) in bytes.iter_mut().zip(parts.chain(&self.signed.signature)) {
            *to = *from;
        }
        Secret::take(&mut bytes)
    }

    /// Reads what [`ErasureRight::encode`] wrote.
    ///
    /// # Errors
    /// Where the owner did not sign it.
    pub fn decode(bytes: &Secret<RIGHT_BYTES>) -> Result<Self, CryptoError> {
        let (owner, rest) = bytes.expose().split_first_chunk().ok_or(CryptoError)?;
        let (seed, signature) = rest.split_first_chunk::<32>().ok_or(CryptoError)?;
        let signature: [u8; SIGNATURE_BYTES] = signature.try_into().map_err(|_| CryptoError)?;
        let key = SigningKey::from_seed(Secret::from_slice(seed).ok_or(CryptoError)?)?;
        let owner = VerifyingKey::from_bytes(*owner);
        let account = AccountId::person(&owner.to_x25519()?);
        let token = token(&account, &key);
        owner.verify(&token.0, &signature)?;
        Ok(Self { owner, account, key, signed: SignedToken { token, signature } })
    }
}

impl Account {
    /// A right to empty this account's mailbox, drawn anew.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn grant_erasure(&self, entropy: &mut dyn Entropy) -> Result<ErasureRight, CryptoError> {
        let key = SigningKey::from_seed(Secret::random(entropy))?;
        let token = token(&self.id(), &key);
        let signature = self.signing_key().sign(&token.0)?;
        let (owner, account) = (self.signing_key().verifying_key(), self.id());
        Ok(ErasureRight { owner, account, key, signed: SignedToken { token, signature } })
    }
}

fn token(account: &AccountId, key: &SigningKey) -> SubaccountToken {
    let [prefix, ..] = *account.as_bytes();
    let header = [prefix, Rights::DELETE.bits(), 0, 0];
    let key = key.verifying_key();
    let mut token = [0; SubaccountToken::BYTES];
    for (to, from) in token.iter_mut().zip(header.iter().chain(key.as_bytes())) {
        *to = *from;
    }
    SubaccountToken(token)
}

impl fmt::Debug for ErasureRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErasureRight(..)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_types, reason = "a test draws from the system")]

    use proptest::prelude::*;
    use warren_crypto::SystemEntropy;

    use super::*;

    fn granted() -> (Account, ErasureRight) {
        let account = Account::random(&mut SystemEntropy).unwrap();
        let right = account.grant_erasure(&mut SystemEntropy).unwrap();
        (account, right)
    }

    #[test]
    fn a_right_deletes_in_its_owners_name_and_does_nothing_else() {
        let (account, right) = granted();
        let auth = right.authorise(b"delete_allall1").unwrap();
        let signed = auth.subaccount.unwrap();
        let owner = account.signing_key().verifying_key();
        assert_eq!((right.account(), auth.ed25519), (account.id(), Some(*owner.as_bytes())));
        assert_eq!(signed.token.0[..4], [5, 4, 0, 0]);
        owner.verify(&signed.token.0, &signed.signature).unwrap();
        let key = VerifyingKey::from_bytes(signed.token.key());
        key.verify(b"delete_allall1", &auth.signature).unwrap();
        for right in [Rights::READ, Rights::WRITE, Rights::ANY_PREFIX] {
            assert!(!signed.token.gives(right));
        }
    }

    #[test]
    fn a_node_empties_a_mailbox_by_it_and_hands_out_nothing() {
        let (account, right) = granted();
        let verify = |rights| {
            let auth = right.authorise(b"text").unwrap();
            warren_node::auth::verify(&account.id(), &auth, rights, b"text", &[])
        };
        assert_eq!(verify(Rights::DELETE), Ok(()));
        assert!(verify(Rights::READ).is_err() && verify(Rights::WRITE).is_err());
        let auth = right.authorise(b"text").unwrap();
        assert!(warren_node::auth::verify_owner(&account.id(), &auth, b"text").is_err());
        let other = Account::random(&mut SystemEntropy).unwrap().id();
        assert!(warren_node::auth::verify(&other, &auth, Rights::DELETE, b"text", &[]).is_err());
    }

    #[test]
    fn no_two_rights_of_an_account_are_the_same() {
        let (account, right) = granted();
        let other = account.grant_erasure(&mut SystemEntropy).unwrap();
        assert_ne!(right.encode(), other.encode());
    }

    proptest! {
        #[test]
        fn a_right_survives_being_written_and_an_altered_one_is_refused(
            at in 0..RIGHT_BYTES, bit in 0_u32..8,
        ) {
            let (account, right) = granted();
            let read = ErasureRight::decode(&right.encode()).unwrap();
            prop_assert_eq!(read.account(), account.id());
            prop_assert_eq!(read.encode(), right.encode());
            let mut bytes = *right.encode().expose();
            bytes[at] ^= 1 << bit;
            prop_assert!(ErasureRight::decode(&Secret::take(&mut bytes)).is_err());
        }
    }
}
