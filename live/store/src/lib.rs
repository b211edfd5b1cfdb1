//! The node's storage engines behind one trait.
//!
//! An engine keeps messages by owner and namespace in the order in which they arrived, answers a
//! store only when the message would survive a power cut, and never serves what is past its
//! expiry. It cannot name a plaintext: what it keeps are bytes it has no key for. Who may store,
//! read or delete is not asked here but in `warren-node`.
//!
//! | module | what |
//! |---|---|
//! | [`mail`] | the trait and the shapes that go in and out |
//! | [`error`] | what an engine reports |
//! | [`embedded`] | the engine inside the node's own process, on fjall |
//! | `conformance` | the behaviours every engine must show (feature `conformance`) |

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
pub mod error;
pub mod mail;

pub use embedded::{EmbeddedStore, Options};
pub use error::StoreError;
pub use mail::{Counts, MailStore, NewMessage, Page, Query, Stored, StoredMessage};
