//! What goes wrong with files, and what a person can do.

use std::io;

/// Why a file could not be kept, fetched or sent. No text holds a name, a key or an address.
#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    /// It does not lie on this device.
    #[error("the file is not on this device: download it again")]
    Missing,
    /// It lies on this device and is not what was written.
    #[error("the file on this device is damaged: download it again, or ask for it once more")]
    Damaged,
    /// The disk.
    #[error("the disk failed: {0}")]
    Disk(io::Error),
}

impl AttachmentError {
    /// A name for programs, which stays the same where the words change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "file_missing",
            Self::Damaged => "file_damaged",
            Self::Disk(_) => "disk",
        }
    }
}

impl From<io::Error> for AttachmentError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged,
            _ => Self::Disk(error),
        }
    }
}
