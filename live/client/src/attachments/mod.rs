//! Files of messages: how they lie on this device, and how they travel.
//!
//! ```text
//! file --import, metadata taken off--> at rest --encrypted--> server        upload
//! server --as stored--> sealed once more --opened, checked--> at rest       download
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`import`] | a file of the person's comes in |
//! | [`metadata`] | images without what they say of the one who took them |
//! | [`thumbnail`] | small pictures |
//! | [`store`] | the folder of an account's files |
//! | [`sealed`] | a file at rest, in chunks that can be read in any order |
//! | `part` | a file that is being written |
//! | [`crypt`] | a file encrypted for its way, and opened after it, in both of Session's formats |
//! | [`server`] | a server that keeps files, and what it is asked |
//! | [`upload`], [`download`] | to the server and from it, resumable |
//! | [`error`] | what goes wrong |
//!
//! Nothing of a file is ever on the disk but sealed. Which message a file belongs to, and its key, are
//! the database's to know.

pub mod crypt;
pub mod download;
pub mod error;
pub mod import;
pub mod metadata;
mod part;
pub mod sealed;
pub mod server;
mod state;
pub mod store;
pub mod thumbnail;
pub mod upload;

use std::io;

pub use crypt::Format;
pub use download::Download;
pub use error::AttachmentError;
pub use import::{Imported, Metadata};
pub use sealed::{SealedReader, SealedWriter};
pub use server::FileServer;
pub use store::{FileStore, StoredFile};
pub use upload::{Upload, Uploaded};

/// Does work that waits for the disk or computes for long where that keeps nothing else waiting.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AttachmentError> + Send + 'static,
) -> Result<T, AttachmentError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| AttachmentError::Disk(io::Error::other("the work was broken off")))?
}
