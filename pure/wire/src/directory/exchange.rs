//! What authorities send each other, and what they and the nodes say to each other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};
use warren_crypto::hash::sha256;

use super::keys::DirectoryKeys;
use super::list::UnverifiedList;
use super::vote::UnverifiedVote;
use super::{ListError, signed_text};
use crate::id::{NodeId, key_from_hex};
use crate::limits::Millis;

/// Where nodes announce themselves: a signed descriptor, answered with [`Announced`].
pub const ANNOUNCE_PATH: &str = "/directory/v1/announce";
/// Where an authority asks another for its vote: [`VoteRequest`], answered with a signed vote.
pub const VOTE_PATH: &str = "/directory/v1/vote";
/// Where an authority asks another for its signature: [`Proposal`], answered with a signature.
pub const PROPOSAL_PATH: &str = "/directory/v1/proposal";
/// Where an authority hands a finished list to another.
pub const LIST_PATH: &str = "/directory/v1/list";
/// Where an authority asks a node to prove its key: 32 bytes, answered with 64.
pub const REACH_PATH: &str = "/reach/v1";
/// What a question for a vote starts with, so that the signature fits nothing else.
const QUESTION_DOMAIN: &[u8] = b"warren directory question v2\n";
/// What the head of a proposal starts with, so that the signature fits nothing else.
const PROPOSAL_DOMAIN: &[u8] = b"warren directory proposal v1\n";
/// The HTTP header of a proposal: [`ProposalHead`] in JSON.
pub const PROPOSAL_HEADER: &str = "x-warren-proposal";
/// What a node's proof starts with, so that the signature fits nothing else.
const REACH_DOMAIN: &[u8] = b"warren reachability v1\n";

/// Asks for a vote. Signed, because a vote is large and not for everyone to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteRequest {
    /// For which list; it is as good as a time.
    pub sequence: u64,
    /// The asking authority's Ed25519 key, 64 hex digits.
    pub key: String,
    /// base64 of `Ed25519("warren directory question v2\n" || sequence in decimal || "\n" || the asked
    /// authority's key in hex)`.
    pub signature: String,
}

impl VoteRequest {
    /// Signs a question to one authority.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn sign(sequence: u64, to: &VerifyingKey, key: &SigningKey) -> Result<Self, CryptoError> {
        let signature = signed_text::sign(QUESTION_DOMAIN, &question(sequence, to), key)?;
        Ok(Self { sequence, key: hex::encode(key.verifying_key().as_bytes()), signature })
    }

    /// Which of the authorities asks the one with the key `own`.
    ///
    /// # Errors
    /// Where none of them does, or another is asked.
    pub fn verify(
        &self,
        keys: &DirectoryKeys,
        own: &VerifyingKey,
    ) -> Result<VerifyingKey, ListError> {
        let asker = authority(&self.key, keys)?;
        let text = question(self.sequence, own);
        signed_text::verify(QUESTION_DOMAIN, &text, &asker, &self.signature)?;
        Ok(asker)
    }
}

fn question(sequence: u64, to: &VerifyingKey) -> String {
    format!("{sequence}\n{}", hex::encode(to.as_bytes()))
}

fn authority(key: &str, keys: &DirectoryKeys) -> Result<VerifyingKey, ListError> {
    let key = key_from_hex(key).map_err(|_| ListError::WrongKey)?;
    let key = VerifyingKey::from_bytes(key);
    if keys.contains(&key) { Ok(key) } else { Err(ListError::WrongKey) }
}

/// Asks for a signature under a list, with all that the signer needs to derive the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The text of the list.
    pub list: String,
    /// The votes it follows from.
    pub votes: Vec<UnverifiedVote>,
    /// The list before, with its signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<UnverifiedList>,
}

/// Says who proposes, before the proposal itself, which is large and not for everyone to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalHead {
    /// The number of the proposed list.
    pub sequence: u64,
    /// SHA-256 of the proposal's bytes, 64 hex digits.
    pub proposal: String,
    /// The proposing authority's Ed25519 key, 64 hex digits.
    pub key: String,
    /// base64 of `Ed25519("warren directory proposal v1\n" || sequence in decimal || "\n" || the asked
    /// authority's key in hex || "\n" || proposal)`.
    pub signature: String,
}

impl ProposalHead {
    /// Signs the head of a proposal to one authority. `hash` is the SHA-256 of the proposal's bytes.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn sign(
        sequence: u64,
        hash: [u8; 32],
        to: &VerifyingKey,
        key: &SigningKey,
    ) -> Result<Self, CryptoError> {
        let proposal = hex::encode(hash);
        let text = format!("{}\n{proposal}", question(sequence, to));
        let signature = signed_text::sign(PROPOSAL_DOMAIN, &text, key)?;
        Ok(Self { sequence, proposal, key: hex::encode(key.verifying_key().as_bytes()), signature })
    }

    /// Which of the authorities proposes to the one with the key `own`.
    ///
    /// # Errors
    /// Where none of them does, or to another.
    pub fn verify(
        &self,
        keys: &DirectoryKeys,
        own: &VerifyingKey,
    ) -> Result<VerifyingKey, ListError> {
        let asker = authority(&self.key, keys)?;
        let text = format!("{}\n{}", question(self.sequence, own), self.proposal);
        signed_text::verify(PROPOSAL_DOMAIN, &text, &asker, &self.signature)?;
        Ok(asker)
    }

    /// Reads the proposal, where it is the one that the head was signed for.
    ///
    /// # Errors
    /// [`ListError::BadSignature`] where it is another, [`ListError::Malformed`] where it is none.
    pub fn open(&self, body: &[u8]) -> Result<Proposal, ListError> {
        if hex::encode(sha256(body)) != self.proposal {
            return Err(ListError::BadSignature);
        }
        serde_json::from_slice(body).map_err(|_| ListError::Malformed)
    }
}

/// What an authority has found out about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not tried yet.
    Untested,
    /// It proved its key at its address.
    Reachable,
    /// It did not.
    Unreachable,
}

/// The answer to an announcement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// What the authority has found out about the node.
    pub standing: Standing,
    /// Whether the newest list names it.
    pub listed: bool,
    /// How often there is a new list.
    pub interval: Millis,
    /// The number of the newest list the authority has; 0 where it has none.
    #[serde(default)]
    pub sequence: u64,
}

/// What a node signs to prove that it is the one that listens at its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Challenge(
    /// 32 random bytes of the authority's.
    pub [u8; 32],
);

impl Challenge {
    /// The node's answer: base64 of `Ed25519("warren reachability v1\n" || challenge)`.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn answer(&self, key: &SigningKey) -> Result<String, CryptoError> {
        key.sign(&self.signed_bytes()).map(|signature| STANDARD.encode(signature))
    }

    /// Whether an answer comes from this node.
    pub fn is_answered_by(&self, answer: &[u8], node: &NodeId) -> bool {
        STANDARD
            .decode(answer)
            .is_ok_and(|answer| node.verifying_key().verify(&self.signed_bytes(), &answer).is_ok())
    }

    fn signed_bytes(&self) -> Vec<u8> {
        [REACH_DOMAIN, &self.0].concat()
    }
}
