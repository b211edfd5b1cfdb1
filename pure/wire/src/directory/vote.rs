//! What one authority found when it tried the nodes, signed by the authority.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use warren_crypto::CryptoError;
use warren_crypto::ed25519::{SigningKey, VerifyingKey};

use super::descriptor::UnverifiedDescriptor;
use super::keys::DirectoryKeys;
use super::nodes::MAX_NODES;
use super::{ListError, signed_text};
use crate::id::{NodeId, key_from_hex};
use crate::limits::Millis;

/// What every signed vote starts with, so that the signature fits nothing else.
const DOMAIN: &[u8] = b"warren directory vote v1\n";
/// The most bytes of a vote's text.
pub const MAX_VOTE_BYTES: usize = 32 * 1024 * 1024;

/// What an authority found out about one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which node.
    pub node: NodeId,
    /// Whether it is reached where it says it is.
    pub reachable: bool,
    /// The node's own word, where the authority has it; not checked yet.
    pub descriptor: Option<UnverifiedDescriptor>,
}

/// What an authority found, its signature checked. Nodes that it did not try are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Who voted.
    pub authority: VerifyingKey,
    /// Which list the vote is for.
    pub sequence: u64,
    /// What was found, one finding for each node.
    pub findings: Vec<Finding>,
}

/// A vote as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnverifiedVote {
    /// JSON of the findings.
    pub vote: String,
    /// The authority's Ed25519 key, 64 hex digits.
    pub key: String,
    /// base64 of `Ed25519("warren directory vote v1\n" || vote)`.
    pub signature: String,
}

#[derive(Serialize, Deserialize)]
struct VoteJson {
    sequence: u64,
    made: Millis,
    nodes: Vec<FindingJson>,
}

#[derive(Serialize, Deserialize)]
struct FindingJson {
    id: String,
    reachable: bool,
    #[serde(flatten)]
    descriptor: Option<UnverifiedDescriptor>,
}

impl UnverifiedVote {
    /// Signs findings for the list with this number.
    ///
    /// # Errors
    /// Where the signing library refuses, which it does not for a well-made key.
    pub fn sign(
        sequence: u64,
        made: Millis,
        findings: Vec<Finding>,
        key: &SigningKey,
    ) -> Result<Self, CryptoError> {
        let nodes = findings
            .into_iter()
            .map(|finding| FindingJson {
                id: finding.node.to_string(),
                reachable: finding.reachable,
                descriptor: finding.descriptor,
            })
            .collect();
        let vote = serde_json::to_string(&VoteJson { sequence, made, nodes });
        let vote = vote.map_err(|_| CryptoError)?;
        let signature = signed_text::sign(DOMAIN, &vote, key)?;
        Ok(Self { vote, key: hex::encode(key.verifying_key().as_bytes()), signature })
    }

    /// Checks the vote against the keys of the authorities.
    ///
    /// # Errors
    /// Where another key signed, the signature does not fit, or the text is no vote.
    pub fn verify(&self, keys: &DirectoryKeys) -> Result<Vote, ListError> {
        if self.vote.len() > MAX_VOTE_BYTES {
            return Err(ListError::Malformed);
        }
        let key = key_from_hex(&self.key).map_err(|_| ListError::Malformed)?;
        let authority = VerifyingKey::from_bytes(key);
        if !keys.contains(&authority) {
            return Err(ListError::WrongKey);
        }
        signed_text::verify(DOMAIN, &self.vote, &authority, &self.signature)?;
        let vote: VoteJson = serde_json::from_str(&self.vote).map_err(|_| ListError::Malformed)?;
        if vote.nodes.len() > MAX_NODES {
            return Err(ListError::Malformed);
        }
        let findings = vote.nodes.into_iter().map(Finding::try_from);
        let findings = findings.collect::<Result<Vec<_>, _>>()?;
        let nodes: BTreeSet<&NodeId> = findings.iter().map(|finding| &finding.node).collect();
        if nodes.len() != findings.len() {
            return Err(ListError::Duplicate);
        }
        Ok(Vote { authority, sequence: vote.sequence, findings })
    }
}

impl TryFrom<FindingJson> for Finding {
    type Error = ListError;

    fn try_from(json: FindingJson) -> Result<Self, ListError> {
        let node = json.id.parse().map_err(|_| ListError::Malformed)?;
        Ok(Self { node, reachable: json.reachable, descriptor: json.descriptor })
    }
}
