//! What the authorities agreed on: the list of nodes, its number and times, and who signed it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::hash::sha256;

use super::keys::{DirectoryKeys, MAX_AUTHORITIES};
use super::nodes::{NodeJson, NodeList, NodeRecord};
use super::{ListError, signed_text};
use crate::id::key_from_hex;
use crate::limits::{Millis, SECOND};

/// What every signed list starts with, so that the signature fits nothing else.
const DOMAIN: &[u8] = b"warren directory list v2\n";
/// The most bytes of a list's text.
pub const MAX_LIST_BYTES: usize = 16 * 1024 * 1024;
/// So far ahead of this machine's clock a list may begin.
pub const CLOCK_TOLERANCE: Millis = 60 * 60 * SECOND;

/// From when to when a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListTimes {
    /// From then on.
    pub valid_after: Millis,
    /// From then on there should be a newer one.
    pub fresh_until: Millis,
    /// From then on it is not to be used.
    pub valid_until: Millis,
}

impl ListTimes {
    /// The times of a list that begins now.
    pub const fn starting(now: Millis, fresh: Millis, valid: Millis) -> Self {
        Self {
            valid_after: now,
            fresh_until: now.saturating_add(fresh),
            valid_until: now.saturating_add(valid),
        }
    }
}

/// All of a list but its nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListHeader {
    /// Grows with every list of a directory.
    pub sequence: u64,
    /// From when to when it holds.
    pub times: ListTimes,
    /// SHA-256 of the text of the list before; `None` for the first.
    pub previous: Option<[u8; 32]>,
    /// SHA-256 of the list's own text.
    pub hash: [u8; 32],
}

impl ListHeader {
    /// Whether the list may be used now.
    ///
    /// # Errors
    /// Where it has expired, or begins more than [`CLOCK_TOLERANCE`] from now.
    pub const fn check_time(&self, now: Millis) -> Result<(), ListError> {
        if self.times.valid_after > now.saturating_add(CLOCK_TOLERANCE) {
            Err(ListError::NotYetValid)
        } else if self.times.valid_until <= now {
            Err(ListError::Expired)
        } else {
            Ok(())
        }
    }

    /// Whether the list is the same as one seen before from the same directory, or newer.
    ///
    /// # Errors
    /// Where it is older, or another one with the same number.
    pub fn check_follows(&self, seen: &Self) -> Result<(), ListError> {
        let position = |header: &Self| (header.sequence, header.times.valid_after);
        if self.hash == seen.hash {
            return Ok(());
        }
        if self.sequence == seen.sequence {
            return Err(ListError::Conflict);
        }
        if position(self) < position(seen) || self.times.valid_after < seen.times.valid_after {
            return Err(ListError::RolledBack);
        }
        Ok(())
    }
}

/// A list that enough of the pinned keys signed. Whether its time has come, and whether it is older
/// than one seen before, is for [`ListHeader`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedList {
    /// Its number and times.
    pub header: ListHeader,
    /// Its nodes.
    pub nodes: Arc<NodeList>,
}

/// What is signed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListBody {
    /// Grows with every list of a directory.
    pub sequence: u64,
    /// From when on the list holds.
    pub valid_after: Millis,
    /// From when on there should be a newer one.
    pub fresh_until: Millis,
    /// From when on it is not to be used.
    pub valid_until: Millis,
    /// SHA-256 of the text of the list before, 64 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The nodes.
    pub nodes: Vec<NodeJson>,
}

impl ListBody {
    /// A list's content.
    pub fn new<'a>(
        sequence: u64,
        times: ListTimes,
        previous: Option<[u8; 32]>,
        nodes: impl IntoIterator<Item = &'a NodeRecord>,
    ) -> Self {
        Self {
            sequence,
            valid_after: times.valid_after,
            fresh_until: times.fresh_until,
            valid_until: times.valid_until,
            previous: previous.map(hex::encode),
            nodes: nodes.into_iter().map(NodeJson::from).collect(),
        }
    }

    /// The text that is signed.
    ///
    /// # Errors
    /// [`ListError::Malformed`] where it would be larger than any list may be.
    pub fn text(&self) -> Result<String, ListError> {
        let text = serde_json::to_string(self).map_err(|_| ListError::Malformed)?;
        if text.len() > MAX_LIST_BYTES { Err(ListError::Malformed) } else { Ok(text) }
    }
}

/// One authority's signature under a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSignature {
    /// The authority's Ed25519 key, 64 hex digits.
    pub key: String,
    /// base64 of `Ed25519("warren directory list v2\n" || list)`.
    pub signature: String,
}

impl ListSignature {
    /// Signs a list's text.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn sign(list: &str, key: &SigningKey) -> Result<Self, CryptoError> {
        let signature = signed_text::sign(DOMAIN, list, key)?;
        Ok(Self { key: hex::encode(key.verifying_key().as_bytes()), signature })
    }

    /// Which of the keys signed this text.
    ///
    /// # Errors
    /// [`ListError::WrongKey`] where none of them did, [`ListError::BadSignature`] where the
    /// signature does not fit.
    pub fn verify(&self, list: &str, keys: &DirectoryKeys) -> Result<VerifyingKey, ListError> {
        let key = key_from_hex(&self.key).map_err(|_| ListError::WrongKey)?;
        let key = VerifyingKey::from_bytes(key);
        if !keys.contains(&key) {
            return Err(ListError::WrongKey);
        }
        signed_text::verify(DOMAIN, list, &key, &self.signature)?;
        Ok(key)
    }
}

/// A list as the directory publishes it: the signed text, and who signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedList {
    /// JSON of [`ListBody`].
    pub list: String,
    /// The signatures under it.
    pub signatures: Vec<ListSignature>,
}

impl UnverifiedList {
    /// Signs the list of a directory that has one authority.
    ///
    /// # Errors
    /// Where the list is too large, or the signing library refuses.
    pub fn sign(body: &ListBody, key: &SigningKey) -> Result<Self, ListError> {
        let list = body.text()?;
        let signature = ListSignature::sign(&list, key).map_err(|_| ListError::BadSignature)?;
        Ok(Self { list, signatures: vec![signature] })
    }

    /// Checks the signatures against the pinned keys and gives what enough of them signed.
    ///
    /// A signature by another key counts for nothing; neither does a second by the same.
    ///
    /// # Errors
    /// Where too few of the pinned keys signed, or the list is malformed.
    pub fn verify(&self, keys: &DirectoryKeys) -> Result<VerifiedList, ListError> {
        if self.signatures.len() > MAX_AUTHORITIES || self.list.len() > MAX_LIST_BYTES {
            return Err(ListError::Malformed);
        }
        if self.signatures.is_empty() {
            return Err(ListError::Unsigned);
        }
        let mut signers = BTreeSet::new();
        let mut complaint = ListError::WrongKey;
        for signature in &self.signatures {
            match signature.verify(&self.list, keys) {
                Ok(key) => {
                    signers.insert(key);
                }
                Err(ListError::WrongKey) => {}
                Err(error) => complaint = error,
            }
        }
        match signers.len() {
            0 => Err(complaint),
            found if found < keys.threshold() => {
                Err(ListError::TooFewSignatures { found, needed: keys.threshold() })
            }
            _ => self.read(),
        }
    }

    /// Reads the list whoever signed it: worth no more than the place it comes from.
    ///
    /// # Errors
    /// Where it is malformed, or larger than [`MAX_LIST_BYTES`].
    pub fn read(&self) -> Result<VerifiedList, ListError> {
        if self.list.len() > MAX_LIST_BYTES {
            return Err(ListError::Malformed);
        }
        let body: ListBody = serde_json::from_str(&self.list).map_err(|_| ListError::Malformed)?;
        let hash = |text: &String| key_from_hex(text).map_err(|_| ListError::Malformed);
        let header = ListHeader {
            sequence: body.sequence,
            times: ListTimes {
                valid_after: body.valid_after,
                fresh_until: body.fresh_until,
                valid_until: body.valid_until,
            },
            previous: body.previous.as_ref().map(hash).transpose()?,
            hash: sha256(self.list.as_bytes()),
        };
        let nodes = body.nodes.into_iter().map(NodeRecord::try_from).collect::<Result<_, _>>()?;
        Ok(VerifiedList { header, nodes: Arc::new(NodeList::new(nodes)?) })
    }

    /// The keys that the signatures name, whether they signed or not.
    pub fn claimed_keys(&self) -> Vec<VerifyingKey> {
        let keys = self.signatures.iter().filter_map(|signature| key_from_hex(&signature.key).ok());
        keys.map(VerifyingKey::from_bytes).collect()
    }
}
