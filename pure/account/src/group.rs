//! The account of a group: an Ed25519 key that its admins hold together (wire spec, section 2).

use std::fmt;

use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::{CryptoError, Entropy, Secret, hash, x25519};
use warren_wire::rpc::UnverifiedAuth;
use warren_wire::{AccountId, AccountKind};

/// The keys of a group. Who has them is an admin, and cannot be made a mere member again.
///
/// ```text
/// Ed25519 = keypair(seed)      X25519 = SHA-512(seed)[0..32], clamped
/// id      = 03 || Ed25519 public
/// ```
pub struct Group {
    signing_key: SigningKey,
    x25519: x25519::SecretKey,
    id: AccountId,
}

impl Group {
    /// A fresh group.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn random(entropy: &mut dyn Entropy) -> Result<Self, CryptoError> {
        Self::from_seed(Secret::random(entropy))
    }

    /// The group of a 32-byte seed, as a promotion carries it.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn from_seed(seed: Secret<32>) -> Result<Self, CryptoError> {
        let signing_key = SigningKey::from_seed(seed)?;
        let x25519 = signing_key.to_x25519()?;
        let id = AccountId::group(&signing_key.verifying_key());
        Ok(Self { signing_key, x25519, id })
    }

    /// The group of a seed of 32 bytes or a libsodium key of 64 (seed, then public key), where it is
    /// the group that `id` names.
    ///
    /// # Errors
    /// Where the length is another, or the seed is another group's.
    pub fn promoted(id: &AccountId, secret: &[u8]) -> Result<Self, CryptoError> {
        let seed = match secret.len() {
            32 => secret,
            64 => secret.get(..32).ok_or(CryptoError)?,
            _ => return Err(CryptoError),
        };
        let group = Self::from_seed(Secret::from_slice(seed).ok_or(CryptoError)?)?;
        let rest = secret.get(32..).unwrap_or_default();
        let own = group.signing_key.verifying_key();
        let fits = group.id == *id && (rest.is_empty() || rest == own.as_bytes());
        if fits { Ok(group) } else { Err(CryptoError) }
    }

    /// The group's id, `03...`.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// The seed, for a sealed file or a promotion.
    pub fn seed(&self) -> &Secret<32> {
        self.signing_key.seed()
    }

    /// The key the group signs with.
    pub fn signing_key(&self) -> &SigningKey {
        &self.signing_key
    }

    /// The key that new group keys are sealed to the members with.
    pub fn x25519(&self) -> &x25519::SecretKey {
        &self.x25519
    }

    /// `BLAKE2b-32(seed, key = domain)`: a secret of all admins for one purpose.
    ///
    /// # Errors
    /// Where the domain is empty or longer than 64 bytes.
    pub fn derive(&self, domain: &[u8]) -> Result<Secret<32>, CryptoError> {
        let mut secret = hash::blake2b_keyed(domain, &[self.seed().expose()])?;
        Ok(Secret::take(&mut secret))
    }

    /// Signs a request to a node as the owner of the group's mailbox.
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn authorise(&self, text: &[u8]) -> Result<UnverifiedAuth, CryptoError> {
        let signature = self.signing_key.sign(text)?;
        Ok(UnverifiedAuth { signature, ed25519: None, subaccount: None })
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Group(..)")
    }
}

/// The Ed25519 key in a group's id.
///
/// # Errors
/// Where the id is not a group's.
pub fn verifying_key(group: &AccountId) -> Result<VerifyingKey, CryptoError> {
    match group.kind() {
        AccountKind::Group => Ok(VerifyingKey::from_bytes(group.key_bytes())),
        _ => Err(CryptoError),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_is_taken_with_the_groups_own_seed_alone() {
        let group = Group::from_seed(Secret::from_slice(&[3; 32]).unwrap()).unwrap();
        let public = *group.signing_key().verifying_key().as_bytes();
        let long = [&[3; 32], &public[..]].concat();
        for secret in [&[3; 32][..], &long] {
            assert_eq!(Group::promoted(&group.id(), secret).unwrap().id(), group.id());
        }
        let wrong_half = [[3; 32], [4; 32]].concat();
        for secret in [&[4; 32][..], &[3; 31], &[3; 33], &[], &wrong_half] {
            assert!(Group::promoted(&group.id(), secret).is_err());
        }
    }

    #[test]
    fn an_id_of_a_person_is_no_key_of_a_group() {
        let group = Group::from_seed(Secret::from_slice(&[3; 32]).unwrap()).unwrap();
        assert_eq!(verifying_key(&group.id()), Ok(group.signing_key().verifying_key()));
        let person = AccountId::person(&group.x25519().public_key());
        assert_eq!(verifying_key(&person), Err(CryptoError));
        assert_eq!(format!("{group:?}"), "Group(..)");
    }
}
