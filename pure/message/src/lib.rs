//! What people say to each other: content, padding, envelope and the v1 sealed message.
//!
//! Not here: where a message is stored and how it gets there (`warren-wire`, `warren-onion`), when
//! it is sent (`warren-client`). This crate knows no network, no clock and no disk.
//!
//! ```text
//! seal   content > padding > signature > sealed box > envelope > stored bytes
//! open   stored bytes > envelope > sealed box > signature > padding > content
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`direct`] | the two journeys above, from end to end |
//! | [`content`] | what is said: every kind that there is, or what this version cannot read |
//! | [`attachment`] | files beside a message |
//! | [`expiration`] | when messages disappear |
//! | [`padding`] | hides the length |
//! | [`sealed_v1`] | who said it, and that only one person reads it |
//! | [`envelope`] | the frame around the sealed box |
//! | [`group`] | the same journeys for a message to a group |
//!
//! Version 1 has no forward secrecy: whoever learns a recovery phrase can read all that was sealed
//! to it. It has no protection against replay either, beyond the name of the stored message.

pub mod attachment;
pub mod content;
pub mod direct;
pub mod envelope;
pub mod expiration;
pub mod group;
pub mod padding;
mod proto;
pub mod sealed_v1;
#[cfg(test)]
mod test_entropy;

pub use content::{Content, ContentError, Kind};
pub use direct::{
    OpenError, OpenedMessage, SealError, open_direct, seal_config, seal_direct,
    seal_to_self_deterministic,
};
