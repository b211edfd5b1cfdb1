//! The node program: keeps people's mail and passes their onions on.
//!
//! This crate does IO; what may be done is decided in `warren-node`. It cannot name a plaintext or
//! an end-to-end key.
//!
//! In the order a request meets them:
//!
//! | module | what |
//! |---|---|
//! | [`listen`] | how many connections there may be, and how long one may stay silent |
//! | [`http`] | the routes, statuses and content types |
//! | [`admission`] | who is put off, and what answers may hold in memory |
//! | [`bodies`] | how large and slow a request's body may be, and how many at once |
//! | [`limits`] | how much one client, node or mailbox may ask for |
//! | [`config`] | what an operator may set |
//! | [`onion_route`] | `/onion_req/v2`: peel, pass on or deliver |
//! | [`exit_route`] | asking a server on behalf of a client |
//! | [`files`] | the file server, a role that a node may have |
//! | [`storage_route`] | `/storage_rpc/v1`: carry a request out, alone or in a batch |
//! | [`held`] | requests held open until a message arrives |
//! | [`swarm_route`] | `/swarm/v1` |
//! | [`swarm`] | what a member does so that all members end with the same mail |
//! | [`node`] | one running node: its state, start and end |
//! | [`under_way`] | how many requests are being answered |
//! | [`identity`] | its keys and certificate on disk |
//! | [`authority`] | one authority of a directory: announcements, tries, votes, lists |
//! | [`follow`] | a node that announces itself and takes every new list |
//! | [`former_lists`] | the lists before, on disk: who kept mail that is still to be gathered |
//! | [`disk`] | how much room a disk has |
//! | [`directory`] | the signed list of nodes, and the seed that serves it |
//! | [`admin`], [`health`], [`telemetry`] | what the operator sees of it |
//! | [`metered`] | the storage engine, timed and counted |
//! | [`local_network`] | a whole network in one process, on loopback |

pub mod admin;
pub mod admission;
pub mod authority;
pub mod bodies;
pub mod config;
pub mod directory;
pub mod disk;
pub mod exit_route;
pub mod files;
pub mod follow;
pub mod former_lists;
mod gate;
pub mod health;
pub mod held;
pub mod http;
pub mod identity;
pub mod limits;
pub mod listen;
pub mod local_network;
pub mod metered;
pub mod node;
pub mod onion_route;
pub mod private_file;
pub mod storage_route;
pub mod swarm;
pub mod swarm_route;
pub mod telemetry;
pub mod under_way;

pub use identity::Identity;
pub use local_network::LocalNetwork;
pub use node::{Node, NodeError, RunningNode};
