//! The node as its clients and its neighbours meet it: over real sockets, from outside.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod answers;
mod authorities;
mod config;
mod directory;
mod file_processes;
mod files;
mod files_on_s3;
mod group;
mod held;
mod http;
mod killed;
mod limits;
mod lying_authority;
mod many_at_once;
mod monitor;
mod network;
mod onion;
mod operating;
mod orders;
mod person;
mod program;
mod quorum;
mod refusals;
mod restart;
mod storm;
mod subaccounts;
mod swarm;
