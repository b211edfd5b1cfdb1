//! A set of friends' shares: drawn together, verified one by one.
//!
//! Shares are independent random secrets. The device itself counts how many it was shown, so that
//! nothing has to be put together from them, and one friend's share says nothing of another's.

use std::fmt;

use warren_crypto::entropy::random;
use warren_crypto::hash::{blake2b, blake2b_keyed};
use warren_crypto::{Entropy, Secret};

/// The most friends of one set.
pub const MOST_FRIENDS: u8 = 8;
/// Bytes of a share's secret.
pub const SECRET_BYTES: usize = 32;
/// Bytes of an encoded share.
pub const SHARE_BYTES: usize = SET_BYTES + 3 + SECRET_BYTES;

const SET_BYTES: usize = 8;
pub(super) const SALT_BYTES: usize = 16;
pub(super) const HASH_BYTES: usize = 16;
const PROOF: &[u8] = b"warren tripwire proof v1";
const CHECK: &[u8] = b"warren tripwire check v1";

/// Which set a share belongs to. Random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub [u8; SET_BYTES]);

/// Why there is no set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// Nobody, or more than a place has room for.
    #[error("a set is made for 1 to {MOST_FRIENDS} friends")]
    Friends,
    /// None, or more than there are friends.
    #[error("at least one friend and at most all of them together wipe the device")]
    Threshold,
}

/// What one friend keeps.
#[derive(PartialEq, Eq)]
pub struct FriendShare {
    /// Of which set.
    pub set: SetId,
    /// How many of the set wipe the device.
    pub threshold: u8,
    /// How many friends have one.
    pub count: u8,
    /// Which of the set this is, from 1.
    pub number: u8,
    /// What the friend's order reveals.
    pub secret: Secret<SECRET_BYTES>,
}

impl FriendShare {
    /// `set[8] || threshold[1] || count[1] || number[1] || secret[32]`.
    pub fn encode(&self) -> Secret<SHARE_BYTES> {
        let mut bytes = [0; SHARE_BYTES];
        let numbers = [self.threshold, self.count, self.number];
        let parts = self.set.0.iter().chain(&numbers).chain(self.secret.expose());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        Secret::take(&mut bytes)
    }

    /// Reads what [`FriendShare::encode`] wrote; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SHARE_BYTES] = bytes.try_into().ok()?;
        let (set, rest) = bytes.split_first_chunk()?;
        let (&[threshold, count, number], secret) = rest.split_first_chunk()?;
        let is_sound = (1..=MOST_FRIENDS).contains(&count)
            && (1..=count).contains(&threshold)
            && (1..=count).contains(&number);
        let secret = Secret::from_slice(secret)?;
        is_sound.then_some(Self { set: SetId(*set), threshold, count, number, secret })
    }

    /// The same share again, for a message that is kept until it was sent.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { secret: self.secret.duplicate(), ..*self }
    }

    /// What proves to the device that this share is here, and wipes nothing:
    /// `BLAKE2b-32(key = secret, label || set || threshold || number)`.
    pub fn proof(&self) -> Secret<SECRET_BYTES> {
        proof(&self.secret, self.set, self.threshold, self.number)
    }
}

pub(super) fn proof(
    secret: &Secret<SECRET_BYTES>,
    set: SetId,
    threshold: u8,
    number: u8,
) -> Secret<SECRET_BYTES> {
    let parts: [&[u8]; 3] = [PROOF, &set.0, &[threshold, number]];
    // 32 is a length BLAKE2b has for key and hash, so there is no error to tell.
    Secret::take(&mut blake2b_keyed(secret.expose(), &parts).unwrap_or_default())
}

/// What is kept of a proof: `BLAKE2b-16(label || salt || proof)`.
pub(super) fn check(
    salt: &[u8; SALT_BYTES],
    proof: &Secret<SECRET_BYTES>,
) -> Option<[u8; HASH_BYTES]> {
    blake2b(&[CHECK, salt, proof.expose()]).ok()
}

/// What the device keeps of a set: nothing from which a share follows.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub(super) salt: [u8; SALT_BYTES],
    /// One for each friend, and random ones behind them.
    pub(super) checks: [[u8; HASH_BYTES]; MOST_FRIENDS as usize],
}

impl Verifier {
    /// Draws a set: a share for each of `count` friends, any `threshold` of whom wipe the device.
    ///
    /// # Errors
    /// Where the numbers make no sense.
    pub fn draw(
        threshold: u8,
        count: u8,
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Vec<FriendShare>), SetError> {
        if !(1..=MOST_FRIENDS).contains(&count) {
            return Err(SetError::Friends);
        }
        if !(1..=count).contains(&threshold) {
            return Err(SetError::Threshold);
        }
        let set = SetId(random(entropy));
        let share =
            |number| FriendShare { set, threshold, count, number, secret: Secret::random(entropy) };
        let shares: Vec<_> = (1..=count).map(share).collect();
        let mut verifier = Self { salt: random(entropy), checks: [[0; HASH_BYTES]; 8] };
        for place in &mut verifier.checks {
            *place = random(entropy);
        }
        for (place, share) in verifier.checks.iter_mut().zip(&shares) {
            *place = check(&verifier.salt, &share.proof()).unwrap_or(*place);
        }
        Ok((verifier, shares))
    }

    /// Whether a proof is that of share `number`, from 1.
    pub(super) fn verifies(&self, number: u8, proof: &Secret<SECRET_BYTES>) -> bool {
        let place = usize::from(number).checked_sub(1).and_then(|at| self.checks.get(at));
        let check = check(&self.salt, proof).map(|mut check| Secret::take(&mut check));
        place.zip(check).is_some_and(|(place, check)| Secret::from_slice(place) == Some(check))
    }
}

impl fmt::Debug for FriendShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FriendShare(..)")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}
