//! What a sender claims of Session's paid features: kept and passed on, judged by nobody here.

use crate::proto;

/// A claim to paid features. Warren asks for no proof of any feature, so it checks none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pro {
    /// The proof, where there is one.
    pub proof: Option<ProProof>,
    /// Features of the profile, one bit each.
    pub profile_features: Option<u64>,
    /// Features of the message, one bit each.
    pub message_features: Option<u64>,
    /// The signature that only messages in communities have.
    pub community_signature: Option<Vec<u8>>,
}

/// What Session's server signed about a payment. Unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProProof {
    /// By which a proof is revoked.
    pub revocation_tag: Option<Vec<u8>>,
    /// The key that signs messages with paid features.
    pub rotating_key: Option<Vec<u8>>,
    /// When the proof ends, in seconds since the epoch.
    pub expires: Option<u64>,
    /// The server's signature.
    pub signature: Option<Vec<u8>>,
}

impl Pro {
    pub(super) fn write(&self, content: &mut proto::Content) {
        let proof = self.proof.clone().map(|proof| proto::ProProof {
            revocation_tag: proof.revocation_tag,
            rotating_public_key: proof.rotating_key,
            expiry_unix_ts: proof.expires,
            sig: proof.signature,
        });
        content.pro_message = Some(proto::ProMessage {
            proof,
            profile_bitset: self.profile_features,
            msg_bitset: self.message_features,
        });
        content.pro_sig_for_community_message_only.clone_from(&self.community_signature);
    }

    /// Takes the claim out of `content`; `None` where there is none.
    pub(super) fn read(content: &mut proto::Content) -> Option<Self> {
        let community_signature = content.pro_sig_for_community_message_only.take();
        let message = content.pro_message.take();
        if message.is_none() && community_signature.is_none() {
            return None;
        }
        let message = message.unwrap_or_default();
        let proof = message.proof.map(|proof| ProProof {
            revocation_tag: proof.revocation_tag,
            rotating_key: proof.rotating_public_key,
            expires: proof.expiry_unix_ts,
            signature: proof.sig,
        });
        Some(Self {
            proof,
            profile_features: message.profile_bitset,
            message_features: message.msg_bitset,
            community_signature,
        })
    }
}
