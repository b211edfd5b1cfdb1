//! A whole swarm in one thread: members without sockets, a network that can be cut, time that jumps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod agreeing;
mod changing;
mod extending;
mod healing;
mod misbehaving;
mod slow;
mod world;
