//! Sealing and opening what lies at the place of a backup.
//!
//! ```text
//! offset  bytes
//!      0     24  nonce, random
//!     24     32  commitment
//!     56      n  XChaCha20-Poly1305(key, nonce, length u64 LE || content || zeros)
//!   56+n     16  its tag
//!
//! key || commitment = BLAKE2b-64(key = sealing, kind || name || nonce)
//! associated data   = kind || name
//! ```
//!
//! An object opens under its own kind and name alone, so none can stand in for another. Poly1305 by
//! itself lets one ciphertext open under two keys; the commitment does not.

use std::fmt;

use warren_crypto::aead::{TAG_BYTES, XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::entropy::random;
use warren_crypto::hash::blake2b_keyed;
use warren_crypto::incremental::require_equal;
use warren_crypto::{Entropy, Secret};

use crate::{ArchiveError, ArchiveKeys, size};

const COMMITMENT_BYTES: usize = 32;
const LENGTH_BYTES: usize = 8;
/// What an object is larger than its content, padding apart.
pub const OVERHEAD: usize = XCHACHA_NONCE_BYTES + COMMITMENT_BYTES + LENGTH_BYTES + TAG_BYTES;
/// The largest object that is opened, in bytes.
pub const MOST_BYTES: usize = 1 << 30;

/// What an object is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Chunks.
    Pack,
    /// What a device held at one time.
    Snapshot,
    /// Somebody writes.
    Lock,
    /// What a device keeps for itself: never at a place.
    Journal,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Pack => 0,
            Self::Snapshot => 1,
            Self::Lock => 2,
            Self::Journal => 3,
        }
    }

    /// The folder of such objects within the archive's; the journal has none.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Pack => "0",
            Self::Snapshot => "1",
            Self::Lock => "2",
            Self::Journal => "3",
        }
    }
}

/// An object's name: 16 random bytes, shown as hexadecimal digits. Never used twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName([u8; Self::BYTES]);

impl ObjectName {
    /// Bytes of a name.
    pub const BYTES: usize = 16;

    /// A fresh name.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        Self(random(entropy))
    }

    /// A name of these bytes.
    pub const fn of_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// Reads 32 lower-case hexadecimal digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let name = Self(hex::decode(text).ok()?.try_into().ok()?);
        (name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seals `content` as the object `name`, padded.
///
/// # Errors
/// Where it is larger than [`MOST_BYTES`].
pub fn seal(
    keys: &ArchiveKeys,
    kind: Kind,
    name: &ObjectName,
    content: &[u8],
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, ArchiveError> {
    let bytes = content.len().checked_add(OVERHEAD).and_then(size::padded);
    let bytes = bytes.filter(|bytes| *bytes <= MOST_BYTES);
    let bytes = bytes.ok_or(ArchiveError::Content("it is too large"))?;
    let length = u64::try_from(content.len()).map_err(|_| ArchiveError::Sealed)?;
    let mut plain = Vec::with_capacity(bytes);
    plain.extend_from_slice(&length.to_le_bytes());
    plain.extend_from_slice(content);
    plain.resize(bytes - (OVERHEAD - LENGTH_BYTES), 0);
    let nonce = random(entropy);
    let associated = associated(kind, name);
    let (key, commitment) = derive(keys, &associated, &nonce)?;
    let sealed = xchacha_seal(&key, &nonce, &plain, &associated)?;
    let mut object = Vec::with_capacity(bytes);
    object.extend_from_slice(&nonce);
    object.extend_from_slice(&commitment);
    object.extend_from_slice(&sealed);
    Ok(object)
}

/// Opens the object `name`.
///
/// # Errors
/// Where any bit of it was altered, it was cut short, or it is another object.
pub fn open(
    keys: &ArchiveKeys,
    kind: Kind,
    name: &ObjectName,
    object: &[u8],
) -> Result<Vec<u8>, ArchiveError> {
    let (nonce, rest) =
        object.split_first_chunk::<XCHACHA_NONCE_BYTES>().ok_or(ArchiveError::Sealed)?;
    let (commitment, sealed) =
        rest.split_first_chunk::<COMMITMENT_BYTES>().ok_or(ArchiveError::Sealed)?;
    let associated = associated(kind, name);
    let (key, expected) = derive(keys, &associated, nonce)?;
    require_equal(commitment, &expected)?;
    let mut plain = xchacha_open(&key, nonce, sealed, &associated)?;
    let length = *plain.first_chunk().ok_or(ArchiveError::Content("it has no length"))?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok();
    let end = length.and_then(|length| length.checked_add(LENGTH_BYTES));
    let end = end.filter(|end| *end <= plain.len());
    plain.truncate(end.ok_or(ArchiveError::Content("it is shorter than it says"))?);
    plain.drain(..LENGTH_BYTES);
    Ok(plain)
}

fn associated(kind: Kind, name: &ObjectName) -> [u8; 1 + ObjectName::BYTES] {
    let mut bytes = [kind.byte(); 1 + ObjectName::BYTES];
    for (to, from) in bytes.iter_mut().skip(1).zip(name.0) {
        *to = from;
    }
    bytes
}

fn derive(
    keys: &ArchiveKeys,
    associated: &[u8],
    nonce: &[u8],
) -> Result<(Secret<32>, [u8; COMMITMENT_BYTES]), ArchiveError> {
    let mut both = blake2b_keyed::<64>(keys.sealing.expose(), &[associated, nonce])?;
    let both = Secret::take(&mut both);
    let (key, commitment) = both.expose().split_at(32);
    let key = Secret::from_slice(key).ok_or(ArchiveError::Sealed)?;
    Ok((key, commitment.try_into().map_err(|_| ArchiveError::Sealed)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Counts, so that no two draws are equal.
    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            self.0 = self.0.wrapping_add(1);
            buffer.fill(self.0);
        }
    }

    fn keys(byte: u8) -> ArchiveKeys {
        ArchiveKeys::of_seed(&Secret::take(&mut [byte; 32])).unwrap()
    }

    const NAME: ObjectName = ObjectName([3; 16]);

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let keys = keys(1);
        let good = seal(&keys, Kind::Pack, &NAME, b"a small pack", &mut Counting(0)).unwrap();
        assert_eq!(good.len(), size::LEAST);
        let mut bad = good.clone();
        for bit in 0..good.len() * 8 {
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&keys, Kind::Pack, &NAME, &bad), Err(ArchiveError::Sealed), "{bit}");
            bad[bit / 8] ^= 1 << (bit % 8);
        }
        for end in (0..good.len()).step_by(97) {
            assert!(open(&keys, Kind::Pack, &NAME, &good[..end]).is_err(), "{end}");
        }
        assert!(open(&keys, Kind::Pack, &NAME, &[&good[..], &[0]].concat()).is_err());
        assert_eq!(open(&keys, Kind::Pack, &NAME, &bad).unwrap(), b"a small pack");
    }

    #[test]
    fn an_object_stands_in_for_no_other() {
        let good = seal(&keys(1), Kind::Pack, &NAME, b"x", &mut Counting(0)).unwrap();
        let other = ObjectName([4; 16]);
        assert!(open(&keys(1), Kind::Snapshot, &NAME, &good).is_err());
        assert!(open(&keys(1), Kind::Pack, &other, &good).is_err());
        assert!(open(&keys(2), Kind::Pack, &NAME, &good).is_err());
    }

    #[test]
    fn a_name_is_thirty_two_lower_case_digits_and_nothing_else() {
        assert_eq!(ObjectName::parse(&NAME.to_string()), Some(NAME));
        for bad in ["", "00", "../../etc", &NAME.to_string()[1..], &"A".repeat(32)] {
            assert_eq!(ObjectName::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(content in prop::collection::vec(any::<u8>(), 0..40_000)) {
            let sealed = seal(&keys(1), Kind::Snapshot, &NAME, &content, &mut Counting(0)).unwrap();
            prop_assert_eq!(sealed.len(), size::padded(content.len() + OVERHEAD).unwrap());
            prop_assert_eq!(open(&keys(1), Kind::Snapshot, &NAME, &sealed).unwrap(), content);
        }

        #[test]
        fn any_bytes_open_or_do_not(bytes: Vec<u8>) {
            prop_assert!(open(&keys(1), Kind::Pack, &NAME, &bytes).is_err());
        }
    }
}
