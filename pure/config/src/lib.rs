//! What the devices of an account agree on: mergeable configuration messages.

pub mod base;
