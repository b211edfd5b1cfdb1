//! Files of messages: how they lie on this device, and how they travel.
//!
//! | module | what |
//! |---|---|
//! | [`store`] | the folder of an account's files |
//! | [`sealed`] | a file at rest, in chunks that can be read in any order |
//! | [`error`] | what goes wrong |
//!
//! Nothing of a file is ever on the disk but sealed. Which message a file belongs to, and its key, are
//! the database's to know.

pub mod error;
mod part;
pub mod sealed;
mod state;
pub mod store;

pub use error::AttachmentError;
pub use sealed::{SealedReader, SealedWriter};
pub use store::{FileStore, StoredFile};
