//! What a node decides: whether a request may be obeyed, and what the answer says.
//!
//! Pure: the shell (`warren-noded`) brings the bytes, the clock and the storage engine. This crate
//! cannot name a plaintext or an end-to-end key; `cargo xtask tidy` holds it to that.
//!
//! In the order a request meets them:
//!
//! | module | what |
//! |---|---|
//! | [`placement`] | is this node one of those that keep the account's mail? |
//! | [`auth`] | does the signature prove the owner? |
//! | [`check`], [`order`] | may this be stored, read, deleted? The only ways to a checked request |
//! | [`monitor`] | may this subscription be made? |
//! | [`challenge`] | who has to prove work, and does the proof hold? |
//! | [`swarm_request`], [`entry`] | what all members of the swarm carry out |
//! | [`accept`] | may be kept what another member brings? |
//! | [`clock`], [`quorum`] | when the swarm took something in, and how many members are enough |
//! | [`gathering`] | what a node must hear from others before it answers for the swarm |
//! | [`answer`] | the shape and text of each reply |
//! | [`exit`] | which servers are asked on a client's behalf |
//! | [`files`] | how long a file lives, and which part of it is asked for |
//! | [`listing`] | the directory's JSON-RPC: who the nodes are |
//! | [`following`] | how a node goes by what authorities say of the newest list |
//!
//! What an authority of the directory decides:
//!
//! | module | what |
//! |---|---|
//! | [`reachability`], `newcomers` | who announced itself, and who proved to be there |
//! | [`consensus`] | the list that follows from the authorities' votes, and what may be signed |
//! | [`assignment`] | which node keeps mail for which swarm |

pub mod accept;
pub mod answer;
pub mod assignment;
pub mod auth;
pub mod challenge;
pub mod check;
pub mod clock;
pub mod consensus;
pub mod entry;
pub mod exit;
pub mod files;
pub mod following;
pub mod gathering;
pub mod listing;
pub mod monitor;
mod newcomers;
pub mod order;
pub mod placement;
pub mod quorum;
pub mod reachability;
pub mod swarm_request;

pub use answer::{Answer, Body};
pub use check::{CheckedRetrieve, CheckedStore, Origin};
pub use monitor::CheckedMonitor;
pub use order::CheckedOrder;
pub use placement::Placement;
pub use swarm_request::SwarmRequest;
