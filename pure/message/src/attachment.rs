//! Files beside a message: how they are encrypted, and how a message points to them.
//!
//! A file is encrypted on its own, stored where files are kept, and pointed to by the message, which
//! holds the key. A mark in the address tells the formats apart:
//!
//! | module | format | until when nothing of a file is final |
//! |---|---|---|
//! | [`stream`] | deterministic: equal files of one sender are stored once | the last chunk is checked; each chunk is true and in its place |
//! | [`legacy`] | AES-256-CBC with a code and a digest over all | the last byte is checked; until then all of it may be anyone's |
//! | [`picture`] | AES-256-GCM, of older profile pictures | it is opened, in one piece |
//! | [`pointer`], [`url`] | what a message says of a file | |
//!
//! The first two are written and read piece by piece, in memory that does not grow with the file.

pub mod legacy;
pub mod picture;
pub mod pointer;
pub mod stream;
pub mod url;

/// Why a file cannot be encrypted or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The stored file is not what its sender stored, or the key is another file's. What was given
    /// out of it is to be thrown away.
    #[error("the file was altered, cut short, or is another one: ask for it to be sent again")]
    Corrupt,
    /// The file has another size than when its key was derived from it.
    #[error("the file changed while it was encrypted: try again")]
    Changed,
}

impl From<warren_crypto::CryptoError> for FileError {
    fn from(_: warren_crypto::CryptoError) -> Self {
        Self::Corrupt
    }
}
