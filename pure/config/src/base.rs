//! What all configurations share: the tree, the message, the merge, the encryption, the state.

pub(crate) mod bt;
pub(crate) mod diff;
pub(crate) mod message;
pub(crate) mod resolve;
pub mod seal;
pub mod tree;

pub use bt::BtError;
pub use message::MessageError;

#[cfg(test)]
mod tests;
