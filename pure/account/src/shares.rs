//! A recovery phrase split among people: any k of n shares bring it back, fewer say nothing of it.
//!
//! The scheme is SLIP-0039 with a single group, so that other programs that know it combine Warren's
//! shares too (decision 0011). A share is 20 words: a random name of the set, the threshold, the
//! share's number, its value and a checksum over all of it. The polynomials hold the seed at 255 and
//! a digest of it at 254, so that what comes out of altered shares is known to be wrong.
//!
//! ```text
//! phrase  -->  seed  --encrypt-->  f(255)     f(254) = digest || random     f(0), f(1), ...: the shares
//! ```

use std::fmt;

use warren_crypto::hash::hmac_sha256;
use warren_crypto::shamir::{Point, interpolate};
use warren_crypto::{CryptoError, Entropy, Secret, entropy};

use crate::mnemonic::Seed;
use material::Material;

mod checksum;
mod material;
mod share;
#[cfg(test)]
mod tests;

pub use share::{Set, Share, ShareError, ShareWords};

/// The fewest shares that may bring a phrase back: one alone would be the phrase.
pub const FEWEST: u8 = 2;
/// The most shares of a set.
pub const MOST: u8 = 16;
/// Where the polynomials hold the seed.
const SECRET_AT: u8 = 255;
/// Where they hold its digest.
const DIGEST_AT: u8 = 254;
/// Bytes of the digest.
const DIGEST_BYTES: usize = 4;
/// What the sets made here cost: 20,000 iterations, as the reference implementation chooses.
const EXPONENT: u8 = 1;
/// No passphrase: a share is read with nothing but the others.
const NO_PASSPHRASE: &[u8] = b"";

/// Why there are no shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// Fewer than two, or more than there are.
    #[error(
        "a threshold is at least {FEWEST} and at most the number of shares: choose how many of them are \
         to bring the phrase back"
    )]
    Threshold,
    /// More shares than a set may have.
    #[error("a phrase is split into at most {MOST} shares")]
    TooMany,
    /// The cryptographic library refused, which it does for none of these.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Why shares do not give a phrase. Shares are named by the order in which they came, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Not enough of them yet.
    #[error("{have} of {need} shares are here: {} more of the same set are needed", need - have)]
    TooFew {
        /// How many there are.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// A share of another set.
    #[error(
        "this share belongs to another set: it does not begin with the same two words, or asks for \
         another number of shares"
    )]
    OtherSet,
    /// The same share again.
    #[error("this share is the same as share {earlier}: another one of the set is needed")]
    Again {
        /// The one it repeats.
        earlier: usize,
    },
    /// Another share with the number of an earlier one: one of the two is none of this set.
    #[error(
        "this share has the number of share {earlier} and says something else: one of the two was \
         altered, or is of another set"
    )]
    Contradiction {
        /// The one it contradicts.
        earlier: usize,
    },
    /// The digest does not fit, whichever shares are combined.
    #[error(
        "these shares do not belong together: at least one was altered, or is of another set. A further \
         share of the set tells which"
    )]
    Altered,
}

/// Splits a seed into `count` shares, `threshold` of which bring it back.
///
/// # Errors
/// Where `threshold` is no number of [`FEWEST`] to `count`, or `count` above [`MOST`].
pub fn split(
    seed: &Seed,
    threshold: u8,
    count: u8,
    entropy: &mut dyn Entropy,
) -> Result<Vec<Share>, SplitError> {
    if count > MOST {
        return Err(SplitError::TooMany);
    }
    if !(FEWEST..=count).contains(&threshold) {
        return Err(SplitError::Threshold);
    }
    let id = u16::from_be_bytes(entropy::random(entropy)) & 0x7fff;
    let set = Set { id, extendable: true, exponent: EXPONENT, threshold };
    let secret = Material::of_seed(seed).encrypt(&set, NO_PASSPHRASE);
    let chosen = threshold - FEWEST;
    let mut points: Vec<(u8, Material)> =
        (0..chosen).map(|at| (at, Material::random(secret.length(), entropy))).collect();
    points.push((DIGEST_AT, digest_point(&secret, entropy)));
    points.push((SECRET_AT, secret));
    let mut shares = Vec::with_capacity(usize::from(count));
    for index in 0..count {
        let value = match points.iter().find(|(at, _)| *at == index) {
            Some((_, value)) => value.duplicate(),
            None => at(points.iter().map(|(at, value)| (*at, value)), index)?,
        };
        shares.push(Share { set, index, value });
    }
    Ok(shares)
}

/// `HMAC-SHA-256(random, secret)[0..4] || random`, as long as the secret.
fn digest_point(secret: &Material, entropy: &mut dyn Entropy) -> Material {
    let drawn = Material::random(secret.length(), entropy);
    let mut bytes = [0; 32];
    let (digest, rest) = bytes.split_at_mut(DIGEST_BYTES);
    let random = drawn.expose().get(DIGEST_BYTES..).unwrap_or_default();
    for (to, from) in rest.iter_mut().zip(random) {
        *to = *from;
    }
    for (to, from) in digest.iter_mut().zip(hmac_sha256(random, secret.expose())) {
        *to = from;
    }
    Material::take(&mut bytes, secret.length())
}

/// The value of the polynomials at a point that is none of those given.
fn at<'a>(
    points: impl Iterator<Item = (u8, &'a Material)>,
    at: u8,
) -> Result<Material, CryptoError> {
    let points: Vec<_> = points.map(|(at, value)| Point { at, values: value.expose() }).collect();
    let length = points.first().map_or(0, |point| point.values.len());
    let mut bytes = [0; 32];
    interpolate(&points, at, bytes.get_mut(..length).ok_or(CryptoError)?)?;
    Ok(Material::take(&mut bytes, length))
}

/// Shares of one set, as they come in.
#[derive(Default)]
pub struct Collection {
    shares: Vec<Share>,
}

/// What shares give.
#[derive(Debug)]
pub struct Combined {
    /// The seed of the recovery phrase.
    pub seed: Seed,
    /// Which shares do not fit those that gave it, by the order in which they came, from 1. Whoever
    /// brought them brought something else than they were given.
    pub misfits: Vec<usize>,
}

impl Collection {
    /// Adds a share.
    ///
    /// # Errors
    /// Where it is of another set, or one of those that are here; the collection stays as it was.
    pub fn add(&mut self, share: Share) -> Result<(), CombineError> {
        let Some(first) = self.shares.first() else {
            self.shares.push(share);
            return Ok(());
        };
        if first.set != share.set || first.value.length() != share.value.length() {
            return Err(CombineError::OtherSet);
        }
        if let Some(at) = self.shares.iter().position(|known| known.index == share.index) {
            let same = self.shares.get(at).is_some_and(|known| is_same(known, &share));
            let earlier = at + 1;
            return Err(match same {
                true => CombineError::Again { earlier },
                false => CombineError::Contradiction { earlier },
            });
        }
        self.shares.push(share);
        Ok(())
    }

    /// How many shares there are.
    pub fn have(&self) -> usize {
        self.shares.len()
    }

    /// How many it takes; `None` before the first, which says it.
    pub fn need(&self) -> Option<usize> {
        self.set().map(|set| usize::from(set.threshold))
    }

    /// The set that the shares belong to.
    pub fn set(&self) -> Option<&Set> {
        self.shares.first().map(|share| &share.set)
    }

    /// Whether there are enough.
    pub fn is_complete(&self) -> bool {
        self.need().is_some_and(|need| self.have() >= need)
    }

    /// The seed. Where there are more shares than it takes, some may be wrong.
    ///
    /// # Errors
    /// Where there are too few, or where no choice among them has a right digest.
    pub fn combine(&self) -> Result<Combined, CombineError> {
        self.combine_under(NO_PASSPHRASE)
    }

    fn combine_under(&self, passphrase: &[u8]) -> Result<Combined, CombineError> {
        let need = self.need().unwrap_or(usize::from(FEWEST));
        let have = self.have();
        let set = self.set().filter(|_| have >= need);
        let set = set.ok_or(CombineError::TooFew { have, need })?;
        for chosen in choices(have, need) {
            if let Some(secret) = self.recover(chosen) {
                let misfits = self.misfits(chosen);
                let seed = secret.decrypt(set, passphrase).to_seed();
                return Ok(Combined { seed, misfits });
            }
        }
        Err(CombineError::Altered)
    }

    /// The chosen shares, as points.
    fn points(&self, chosen: u32) -> impl Iterator<Item = (u8, &Material)> {
        let is_chosen = move |at: &u32| chosen >> at & 1 == 1;
        let numbered = (0_u32..).zip(&self.shares);
        numbered.filter(move |(at, _)| is_chosen(at)).map(|(_, share)| (share.index, &share.value))
    }

    /// The encrypted secret, if the digest of the chosen shares is right.
    fn recover(&self, chosen: u32) -> Option<Material> {
        if chosen.count_ones() == 1 {
            // SLIP-0039 lets a single share be the secret, without a digest.
            return self.points(chosen).next().map(|(_, value)| value.duplicate());
        }
        let secret = at(self.points(chosen), SECRET_AT).ok()?;
        let digest = at(self.points(chosen), DIGEST_AT).ok()?;
        let (given, random) = digest.expose().split_first_chunk::<DIGEST_BYTES>()?;
        let right = hmac_sha256(random, secret.expose());
        let right = Secret::<DIGEST_BYTES>::from_slice(right.get(..DIGEST_BYTES)?);
        (Secret::from_slice(given) == right).then_some(secret)
    }

    /// Which of the shares that were not chosen do not lie where the chosen ones say.
    fn misfits(&self, chosen: u32) -> Vec<usize> {
        let others = (0_u32..).zip(&self.shares).filter(|(at, _)| chosen >> at & 1 == 0);
        let is_misfit = |share: &Share| {
            let right = at(self.points(chosen), share.index);
            !right.is_ok_and(|right| is_equal(&right, &share.value))
        };
        let wrong = others.filter(|(_, share)| chosen.count_ones() > 1 && is_misfit(share));
        wrong.filter_map(|(at, _)| usize::try_from(at + 1).ok()).collect()
    }
}

impl fmt::Debug for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collection({} shares)", self.shares.len())
    }
}

/// Every choice of `need` among `have` (at most 16), a bit for each; the first ones first.
fn choices(have: usize, need: usize) -> impl Iterator<Item = u32> {
    let need = u32::try_from(need).unwrap_or(u32::MAX);
    (1..1_u32 << have.min(usize::from(MOST))).filter(move |chosen| chosen.count_ones() == need)
}

fn is_same(one: &Share, other: &Share) -> bool {
    is_equal(&one.value, &other.value)
}

fn is_equal(one: &Material, other: &Material) -> bool {
    let padded = |value: &Material| {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(value.expose()) {
            *to = *from;
        }
        Secret::take(&mut bytes)
    };
    one.length() == other.length() && padded(one) == padded(other)
}
