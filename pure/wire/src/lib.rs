//! Every byte that two processes must agree on.
//!
//! Not here: what people say to each other (`warren-message`), how an onion is wrapped
//! (`warren-onion`), what a node makes of a request (`warren-node`). This crate does no IO and
//! decides nothing: it names, encodes, decodes and says what is signed.
//!
//! Facts are those of the Session wire; the section numbers in the comments are those of the wire
//! notes in `spec/`.
//!
//! | module | what |
//! |---|---|
//! | [`id`] | account ids, node ids, message hashes |
//! | [`namespace`] | the drawers of a mailbox and who may open which |
//! | [`limits`] | sizes, lifetimes, tolerances |
//! | [`swarm`], [`positions`] | which swarm keeps whose mail, and stretches of the ring |
//! | [`directory`] | node records and the signed list of them |
//! | [`file`] | the names of files |
//! | [`address`] | which addresses are public |
//! | [`value`], [`bencode`] | a tree of values and its two encodings |
//! | [`rpc`] | requests, what is signed, replies |
//! | [`work`] | proofs of work that a flooded node asks for |
//! | [`stamp`], [`record`] | what the members of a swarm keep and compare |

pub mod address;
pub mod bencode;
pub mod directory;
pub mod file;
pub mod id;
mod json;
pub mod limits;
pub mod namespace;
pub mod positions;
pub mod record;
pub mod rpc;
pub mod stamp;
pub mod swarm;
pub mod value;
pub mod work;

pub use file::FileId;
pub use id::{AccountId, AccountKind, MessageHash, MessageName, NodeId};
pub use limits::Millis;
pub use namespace::{Access, Namespace};
pub use positions::Positions;
pub use stamp::Stamp;
pub use swarm::SwarmId;
pub use value::Value;
