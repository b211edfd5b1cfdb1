//! What a backup is: parts cut into chunks, chunks in sealed packs, snapshots that name both.
//!
//! Decides and computes; `warren-backup` reads and writes. Everything at the place of a backup is an
//! *object*: bytes that look random, under a name that looks random, of a size out of few.
//!
//! ```text
//! part     "account/1", a stream of bytes       --cut by content-->  chunks of about 512 KiB
//! chunk    its id is a keyed hash of it         --compressed-->      into a pack, each id once
//! pack     up to 8 MiB                          --padded, sealed-->  an object
//! snapshot parts, chunks and packs by name      --padded, sealed-->  an object
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`keys`] | all keys follow from an account's seed |
//! | [`object`] | sealing and opening what lies at the place |
//! | [`size`] | the few sizes objects have |
//! | [`chunk`] | where a stream is cut, what a chunk is called, how it is compressed |
//! | [`pack`] | chunks put together |
//! | [`snapshot`] | what a device held at one time, read from untrusted bytes |
//! | [`wire`] | the messages inside objects |
//! | [`lock`] | one writer at a time |
//! | [`retention`] | which snapshots stay |

pub mod chunk;
pub mod keys;
pub mod lock;
pub mod object;
pub mod pack;
pub mod retention;
pub mod size;
pub mod snapshot;
pub mod wire;

pub use chunk::ChunkId;
pub use keys::ArchiveKeys;
pub use object::{Kind, ObjectName};
pub use snapshot::{Snapshot, UncheckedSnapshot};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Altered, cut short, of another name or under another key.
    #[error("it does not open: altered, cut short, or not of this archive")]
    Sealed,
    /// Opened, and is not what such an object holds.
    #[error("its content makes no sense: {0}")]
    Content(&'static str),
    /// Written by a newer program.
    #[error("it has version {found}, this program knows {known}: update Warren")]
    Newer {
        /// The version found.
        found: u32,
        /// The newest version known.
        known: u32,
    },
}

impl From<warren_crypto::CryptoError> for ArchiveError {
    fn from(_: warren_crypto::CryptoError) -> Self {
        Self::Sealed
    }
}
