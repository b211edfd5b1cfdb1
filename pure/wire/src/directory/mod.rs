//! The directory: who the nodes are, who says so, and how k of n authorities agree on it.
//!
//! | module | what |
//! |---|---|
//! | [`nodes`] | a node's record and the checked list of all |
//! | [`descriptor`] | what a node says of itself, signed by the node |
//! | [`vote`] | what one authority found, signed by the authority |
//! | [`list`] | what the authorities agreed on, signed by several of them |
//! | [`keys`] | whose signatures a list needs |
//! | [`exchange`] | what authorities and nodes send each other |
//!
//! Every signed document travels as the exact text that was signed, so that no two encoders need
//! agree (wire spec, section 7).

pub mod descriptor;
pub mod exchange;
pub mod keys;
pub mod list;
pub mod nodes;
mod signed_text;
pub mod vote;

pub use descriptor::{Descriptor, UnverifiedDescriptor};
pub use exchange::{Announced, Challenge, Proposal, ProposalHead, Standing, VoteRequest};
pub use keys::{DirectoryKeys, KeysError};
pub use list::{ListBody, ListHeader, ListSignature, ListTimes, UnverifiedList, VerifiedList};
pub use nodes::{NodeJson, NodeList, NodeRecord, Roles};
pub use vote::{Finding, UnverifiedVote, Vote};

/// Why a document of the directory is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Neither the shape of a list nor of a signed list.
    #[error("the directory's answer is not a list of nodes")]
    Malformed,
    /// The list carries no signature where one is demanded.
    #[error("the directory's list is not signed")]
    Unsigned,
    /// None of the pinned keys signed.
    #[error("the directory's list is signed by another key than the pinned one")]
    WrongKey,
    /// Some of the pinned keys signed, and not enough of them.
    #[error("the directory's list has {found} of the {needed} signatures it needs")]
    TooFewSignatures {
        /// How many of the pinned keys signed.
        found: usize,
        /// How many must.
        needed: usize,
    },
    /// A signature does not fit what it is said to sign.
    #[error("the signature of the directory's list is wrong")]
    BadSignature,
    /// Older than a list that was seen before.
    #[error("the directory's list is older than the one seen last: somebody may be replaying it")]
    RolledBack,
    /// Another list of the same number was seen before.
    #[error(
        "the directory signed two different lists with one number: some of its authorities lie"
    )]
    Conflict,
    /// Not to be used any more.
    #[error(
        "the directory's newest list has expired: its authorities may be down, or this machine's clock is wrong"
    )]
    Expired,
    /// Not to be used yet.
    #[error("the directory's list is from the future: is this machine's clock right?")]
    NotYetValid,
    /// Two records with one key.
    #[error("the directory's list names a node twice")]
    Duplicate,
}
