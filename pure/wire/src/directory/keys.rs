//! Whose signatures a list needs: the authorities' keys, and how many of them must have signed.

use std::fmt;
use std::str::FromStr;

use warren_crypto::ed25519::VerifyingKey;
use warren_crypto::hash::sha256;

use crate::id::key_from_hex;

/// The most authorities a directory may have.
pub const MAX_AUTHORITIES: usize = 32;
/// What the name of a set of keys is the hash of, so that it is the hash of nothing else.
const ID_DOMAIN: &[u8] = b"warren directory keys v1\n";

/// Why a text names no set of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Not 64 hex digits.
    #[error("a directory's key has 64 hexadecimal digits")]
    Key,
    /// No key, or more than [`MAX_AUTHORITIES`].
    #[error("a directory has 1 to {MAX_AUTHORITIES} keys")]
    Count,
    /// A key twice.
    #[error("a directory's key is named twice")]
    Twice,
    /// A threshold that no list can meet, or that every list meets.
    #[error(
        "say how many of the directory's keys must have signed: between 1 and all of them, as in 2:KEY,KEY,KEY"
    )]
    Threshold,
}

/// The keys of a directory's authorities, and how many of them must sign a list.
///
/// Written as `KEY` for one, and `2:KEY,KEY,KEY` for two of three.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryKeys {
    /// Sorted, so that two ways to write one set are equal.
    keys: Vec<VerifyingKey>,
    threshold: usize,
}

impl DirectoryKeys {
    /// Takes keys over, in any order.
    ///
    /// # Errors
    /// Where there are none, too many, one twice, or the threshold does not fit.
    pub fn new(mut keys: Vec<VerifyingKey>, threshold: usize) -> Result<Self, KeysError> {
        if keys.is_empty() || keys.len() > MAX_AUTHORITIES {
            return Err(KeysError::Count);
        }
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        if keys.len() != count {
            return Err(KeysError::Twice);
        }
        if threshold == 0 || threshold > count {
            return Err(KeysError::Threshold);
        }
        Ok(Self { keys, threshold })
    }

    /// A directory of one authority.
    pub fn single(key: VerifyingKey) -> Self {
        Self { keys: vec![key], threshold: 1 }
    }

    /// The keys, sorted.
    pub fn keys(&self) -> &[VerifyingKey] {
        &self.keys
    }

    /// How many of them must have signed.
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// Whether a key is one of them.
    pub fn contains(&self, key: &VerifyingKey) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// A name for this set: what was seen of one directory says nothing about another.
    pub fn id(&self) -> [u8; 32] {
        sha256(&[ID_DOMAIN, self.to_string().as_bytes()].concat())
    }
}

impl FromStr for DirectoryKeys {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Self, KeysError> {
        let (threshold, keys) = match text.split_once(':') {
            None => (None, text),
            Some((number, keys)) => {
                (Some(number.trim().parse().map_err(|_| KeysError::Threshold)?), keys)
            }
        };
        let keys = keys
            .split(',')
            .map(|key| key_from_hex(key.trim()).map(VerifyingKey::from_bytes))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| KeysError::Key)?;
        match threshold {
            None if keys.len() > 1 => Err(KeysError::Threshold),
            threshold => Self::new(keys, threshold.unwrap_or(1)),
        }
    }
}

impl fmt::Display for DirectoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.keys.len() > 1 {
            write!(f, "{}:", self.threshold)?;
        }
        let keys: Vec<String> = self.keys.iter().map(|key| hex::encode(key.as_bytes())).collect();
        f.write_str(&keys.join(","))
    }
}
