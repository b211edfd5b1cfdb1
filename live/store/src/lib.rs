//! The node's storage engines behind one trait.
//!
//! An engine keeps messages by owner and namespace in the order in which they arrived, answers a
//! store only when the message would survive a power cut, and never serves what is past its
//! expiry. It cannot name a plaintext: what it keeps are bytes it has no key for. Who may store,
//! read or delete is not asked here but in `warren-node`.
//!
//! | module | what |
//! |---|---|
//! | [`mail`] | the trait |
//! | [`shapes`] | what goes in and comes out |
//! | [`union`], [`revocations`] | what follows from a set of messages and orders, for all engines alike |
//! | [`quota`] | how many orders of an owner are kept |
//! | [`error`] | what an engine reports |
//! | [`embedded`] | the engine inside the node's own process, on fjall |
//! | [`memory`] | the engine that lasts as long as the process: simulations, and the model of the others |
//! | [`location`] | which engine a node's configuration means |
//! | `postgres` | the engine in a database that several processes share (feature `postgres`) |
//! | `conformance` | the behaviours every engine must show (feature `conformance`) |

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
pub mod error;
pub mod location;
pub mod mail;
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod quota;
pub mod replacements;
pub mod revocations;
pub mod shapes;
pub mod union;

pub use embedded::{EmbeddedStore, Options};
pub use error::StoreError;
pub use location::open;
pub use mail::MailStore;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use revocations::Revocations;
pub use shapes::{Applied, Counts, Merged, Page, Query, Stored, StoredMessage};
