//! How a member of a group proves to a node what the group's admins let them do (wire spec, sections
//! 2 and 4).
//!
//! ```text
//! X     the member's X25519 key          T = |S|, the positive Ed25519 key behind it
//! k     = BLAKE2b-64(05 || X || 03 || group, key = H(group seed, "SessionGroupSubaccountMask")) mod L
//! token = 03 || rights || 00 || 00 || kT          auth data = 03 || rights || 00 || 00 || k || sig(token)
//! ```
//!
//! An admin knows `k` and `T`, a member `k` and `t`, a node `kT` alone, which tells it nothing of who
//! the member is in any other group.

use std::fmt;

use warren_crypto::ed25519::{SIGNATURE_BYTES, VerifyingKey};
use warren_crypto::scalar::{self, Scalar};
use warren_crypto::{CryptoError, Secret, hash};
use warren_wire::record::{Rights, SubaccountToken};
use warren_wire::rpc::{OrderRequest, RevokeRequest, SignedToken, UnverifiedAuth, signed};
use warren_wire::{AccountId, AccountKind, Millis};

use crate::group::{self, Group};
use crate::keys::Account;

/// What sets the blinding factors apart from other secrets of the admins.
const MASK_DOMAIN: &[u8] = b"SessionGroupSubaccountMask";
/// What sets the secret behind members' signatures apart from other uses of their seed.
const SEED_DOMAIN: &[u8] = b"SubaccountSeed";
/// What sets the hash behind members' signatures apart from other hashes.
const SIGNATURE_DOMAIN: &[u8] = b"SubaccountSig";
/// What Session's clients give a member: to read and to write.
pub const MEMBER_RIGHTS: Rights = Rights::READ.and(Rights::WRITE);

/// Why a member cannot use auth data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemberAuthError {
    /// Not 100 bytes.
    #[error("member auth data has {} bytes and no other number", UncheckedMemberAuth::BYTES)]
    Length,
    /// It lacks a right that is asked for, or is for accounts that are no groups.
    #[error("the member auth data does not give the rights")]
    Rights,
    /// No admin of this group gave it to this member.
    #[error("the member auth data was not signed for this member by an admin of the group")]
    Signature,
}

/// Auth data as an invitation carries it: `header(4) || k(32) || signature(64)`, from whomever.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UncheckedMemberAuth([u8; 100]);

impl UncheckedMemberAuth {
    /// How long auth data is.
    pub const BYTES: usize = 100;

    /// Reads 100 raw bytes.
    ///
    /// # Errors
    /// Where the length is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MemberAuthError> {
        bytes.try_into().map(Self).map_err(|_| MemberAuthError::Length)
    }

    /// The 100 bytes, which go to the member alone.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Checks that an admin of `group` gave `member` these rights, and the one to read.
    ///
    /// # Errors
    /// Which part does not fit.
    pub fn check(
        &self,
        group: &AccountId,
        member: &Account,
        rights: Rights,
    ) -> Result<MemberAuth, MemberAuthError> {
        let owner = group::verifying_key(group).map_err(|_| MemberAuthError::Signature)?;
        let (header, factor, signature) = self.split().ok_or(MemberAuthError::Length)?;
        let own = member.signing_key().verifying_key();
        let factor = Scalar::from_bytes(&factor);
        let key = factor.blind(&scalar::absolute(&own)).map_err(|_| MemberAuthError::Signature)?;
        let token = join(header, &key);
        if !token.is_for(group) || !token.gives(rights.and(Rights::READ)) {
            return Err(MemberAuthError::Rights);
        }
        owner.verify(&token.0, &signature).map_err(|_| MemberAuthError::Signature)?;
        let secret = own_scalar(member).map_err(|_| MemberAuthError::Signature)?;
        let mut seed = hash::blake2b_keyed(SEED_DOMAIN, &[member.seed32().expose()])
            .map_err(|_| MemberAuthError::Signature)?;
        Ok(MemberAuth {
            unchecked: *self,
            signed: SignedToken { token, signature },
            secret: factor.times(&secret),
            seed: Secret::take(&mut seed),
        })
    }

    fn split(&self) -> Option<([u8; 4], [u8; 32], [u8; SIGNATURE_BYTES])> {
        let (header, rest) = self.0.split_first_chunk()?;
        let (factor, rest) = rest.split_first_chunk()?;
        Some((*header, *factor, rest.try_into().ok()?))
    }
}

impl fmt::Debug for UncheckedMemberAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UncheckedMemberAuth(..)")
    }
}

/// Checked auth data: a member's means to sign requests to the nodes of a group.
pub struct MemberAuth {
    unchecked: UncheckedMemberAuth,
    signed: SignedToken,
    /// `kt`, the secret behind the token's key.
    secret: Scalar,
    /// `BLAKE2b-32(member seed, key = "SubaccountSeed")`.
    seed: Secret<32>,
}

impl MemberAuth {
    /// The 100 bytes it was read from, to be kept.
    pub fn as_bytes(&self) -> &[u8; UncheckedMemberAuth::BYTES] {
        self.unchecked.as_bytes()
    }

    /// What a node knows the member by.
    pub fn token(&self) -> SubaccountToken {
        self.signed.token
    }

    /// Signs a request to a node as the member.
    ///
    /// ```text
    /// r = BLAKE2b-64(BLAKE2b-32(seed, key = "SubaccountSeed") || kT || text, key = "SubaccountSig") mod L
    /// ```
    ///
    /// # Errors
    /// Never; the cryptographic library's result is passed on.
    pub fn authorise(&self, text: &[u8]) -> Result<UnverifiedAuth, CryptoError> {
        let key = self.signed.token.key();
        let wide = hash::blake2b_keyed(SIGNATURE_DOMAIN, &[self.seed.expose(), &key, text])?;
        let signature = self.secret.sign(&Scalar::reduce(&wide), text);
        Ok(UnverifiedAuth { signature, ed25519: None, subaccount: Some(self.signed) })
    }
}

impl fmt::Debug for MemberAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberAuth(..)")
    }
}

impl Group {
    /// Auth data for a member: the same from every admin. Reading is always among the rights.
    ///
    /// # Errors
    /// Where the id is no person's.
    pub fn member_auth(
        &self,
        member: &AccountId,
        rights: Rights,
    ) -> Result<UncheckedMemberAuth, CryptoError> {
        let token = self.token(member, rights)?;
        let factor = self.blinding_factor(member)?.to_bytes();
        let signature = self.signing_key().sign(&token.0)?;
        let (header, _) = token.0.split_at(4);
        let bytes = [header, factor.expose(), &signature].concat();
        bytes.try_into().map(UncheckedMemberAuth).map_err(|_| CryptoError)
    }

    /// The token of a member, for revoking it or giving it back. `rights` must be the given ones.
    ///
    /// # Errors
    /// Where the id is no person's.
    pub fn token(
        &self,
        member: &AccountId,
        rights: Rights,
    ) -> Result<SubaccountToken, CryptoError> {
        let positive = scalar::positive_key(&member.x25519())?;
        let key = self.blinding_factor(member)?.blind(&positive)?;
        let rights = rights.and(Rights::READ).bits();
        let [prefix, ..] = *self.id().as_bytes();
        Ok(join([prefix, rights, 0, 0], &key))
    }

    /// Signs the order to a node that ends what `members` may do, or with `again` gives it back.
    ///
    /// A node keeps 50 revoked tokens at most, and ends no request that is under way: a removal
    /// takes a new group key too. `rights` must be those that the members were given.
    ///
    /// # Errors
    /// Where an id is no person's.
    pub fn revocation(
        &self,
        members: &[AccountId],
        rights: Rights,
        again: bool,
        timestamp: Millis,
    ) -> Result<OrderRequest, CryptoError> {
        let tokens = members.iter().map(|member| self.token(member, rights));
        let order = |tokens, auth| {
            let request = RevokeRequest { account: self.id(), tokens, timestamp, auth };
            if again { OrderRequest::Unrevoke(request) } else { OrderRequest::Revoke(request) }
        };
        let tokens: Vec<_> = tokens.collect::<Result<_, _>>()?;
        let unsigned =
            UnverifiedAuth { signature: [0; SIGNATURE_BYTES], ed25519: None, subaccount: None };
        let text = signed::order(&order(tokens.clone(), unsigned));
        Ok(order(tokens, self.authorise(&text)?))
    }

    fn blinding_factor(&self, member: &AccountId) -> Result<Scalar, CryptoError> {
        if member.kind() != AccountKind::Person {
            return Err(CryptoError);
        }
        let mask = self.derive(MASK_DOMAIN)?;
        let wide = hash::blake2b_keyed(mask.expose(), &[member.as_bytes(), self.id().as_bytes()])?;
        Ok(Scalar::reduce(&wide))
    }
}

/// `t` of `T = tB = |S|`.
fn own_scalar(member: &Account) -> Result<Scalar, CryptoError> {
    let secret = Scalar::of_key(member.signing_key())?;
    let negative = scalar::is_negative(&member.signing_key().verifying_key());
    Ok(if negative { secret.negated() } else { secret })
}

fn join(header: [u8; 4], key: &VerifyingKey) -> SubaccountToken {
    let mut token = [0; SubaccountToken::BYTES];
    for (to, from) in token.iter_mut().zip(header.iter().chain(key.as_bytes())) {
        *to = *from;
    }
    SubaccountToken(token)
}

#[cfg(test)]
mod tests;
