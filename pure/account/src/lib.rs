//! An account: the recovery phrase, the seed and the keys that follow from it.
//!
//! Not here: how a seed is kept on a disk, what an account says (`warren-message`), the id itself
//! (`warren_wire::AccountId`). This crate is told its randomness and knows no file.
//!
//! ```text
//! 13 words  <-mnemonic->  16-byte seed  --keys-->  Ed25519 pair  -->  X25519 pair  -->  05...
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`mnemonic`] | words to seed and back (wire spec, section 1) |
//! | [`keys`] | seed to keys and id |
//! | [`shares`] | a recovery phrase split among people, k of whom bring it back (SLIP-0039) |
//! | [`group`] | the account that a group's admins hold together |
//! | [`subaccount`] | what lets a member act for the group towards a node |
//! | [`erasure`] | what lets somebody empty a person's mailbox, and no more |

pub mod erasure;
pub mod group;
pub mod keys;
pub mod mnemonic;
mod phrase;
pub mod shares;
pub mod subaccount;

pub use erasure::ErasureRight;
pub use group::Group;
pub use keys::{Account, AccountError};
pub use mnemonic::{Mnemonic, MnemonicError, Seed};
pub use shares::{Collection, Share, ShareError};
pub use subaccount::{MemberAuth, MemberAuthError, UncheckedMemberAuth};
