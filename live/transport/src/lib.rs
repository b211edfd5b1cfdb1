//! HTTPS between people and nodes, and between nodes: certificates, pins, connections kept open.
//!
//! TLS is transport here, never the protection a promise rests on: what a person says is sealed to
//! a person, what an onion hides is sealed to a node, and the list of nodes is signed. The pins
//! keep an eavesdropper between two nodes from becoming a third.
//!
//! | module | what |
//! |---|---|
//! | [`certificate`] | a node's self-signed certificate and its fingerprint |
//! | [`pin`] | which certificate a node must show |
//! | [`connections`] | one pool of open connections for each node |
//! | [`endpoint`] | a server reached by its URL, such as an authority of the directory |
//! | [`outside`] | servers outside the network |
//! | [`web`] | pages and images, for previews of links |
//! | [`seed`] | asking a directory who the nodes are |

pub mod certificate;
pub mod connections;
pub mod endpoint;
pub mod outside;
pub mod pin;
pub mod seed;
pub mod web;

pub use certificate::Certificate;
pub use connections::{Connections, Reply, TransportError};
pub use endpoint::Endpoint;
pub use outside::Outside;
pub use seed::{Seed, SeedError};
