//! What all configurations share: the tree, the message, the merge, the encryption, the state.

pub(crate) mod bt;
mod config;
pub(crate) mod diff;
mod dump;
mod merge;
pub(crate) mod message;
pub(crate) mod parts;
pub(crate) mod resolve;
pub mod seal;
pub mod tree;

pub use bt::BtError;
pub use config::{Config, ConfigError, Kind, Push, Signing, State};
pub use message::MessageError;

#[cfg(test)]
mod tests;
