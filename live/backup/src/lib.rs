//! An encrypted archive at a place: a folder, S3, WebDAV, SFTP or a cloud.
//!
//! Knows places and the format of `warren-archive`, and no account: what is backed up comes as named
//! parts that write themselves, and goes back the same way. A crate of its own so that the engine of a
//! device names no storage service, and a backup can be tested without a device.
//!
//! ```text
//! run      parts > cut, named, compressed (one thread) > packs > sealed, written, read back (some at once)
//!          > noted in the journal > the lock is still ours > the snapshot, written and read back
//! restore  snapshot > packs in the order they are needed (some at once) > chunks, each held against its
//!          name > parts
//! ```
//!
//! What is killed halfway leaves packs that no snapshot names; the next run takes those up that its
//! journal knows, and a prune removes the others.
//!
//! | module | what |
//! |---|---|
//! | [`target`] | where an archive lies, with the secrets that it takes |
//! | [`place`] | objects written, read back, listed and removed there |
//! | [`archive`] | an archive: its snapshots, and what this device remembers of it |
//! | [`part`] | what is backed up, and what takes it back |
//! | `packing` | parts become packs |
//! | [`run`] | a backup |
//! | [`restore`] | parts come back |
//! | [`verify`] | whether everything is there, by name |
//! | [`prune`] | what is not needed goes |
//! | `lock`, `memory` | one writer; the journal |
//! | [`progress`] | how far it got |
//! | [`error`] | what went wrong |

pub mod archive;
pub mod error;
mod lock;
mod memory;
mod packing;
pub mod part;
pub mod place;
pub mod progress;
pub mod prune;
pub mod restore;
pub mod run;
pub mod target;
pub mod verify;

pub use archive::{Archive, Found};
pub use error::BackupError;
pub use part::{PartSource, Restorer};
pub use place::Place;
pub use progress::{Progress, Stage};
pub use target::Target;
