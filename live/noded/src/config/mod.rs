//! What an operator may set: one file, the environment and flags, each with where it came from.

mod limits;

pub use limits::{LimitsConfig, ProofConfig};
