//! What goes wrong with files, and what a person can do.

use std::io;

use warren_message::attachment::FileError;

use crate::error::ClientError;

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
    /// What a server has is not what the sender stored.
    #[error(transparent)]
    Corrupt(#[from] FileError),
    /// The way to the server.
    #[error(transparent)]
    Network(Box<ClientError>),
    /// No node of the network keeps files.
    #[error("no node of this network keeps files: name a file server, or ask an operator for one")]
    NoServer,
    /// The address names a server whose key is not known.
    #[error("the file is on a server that is not known: ask for it to be sent again")]
    UnknownServer,
    /// The server has it no longer.
    #[error("the server has the file no longer: ask for it to be sent again")]
    Expired,
    /// It is larger than allowed, or than its sender said.
    #[error("the file is too large")]
    TooLarge,
    /// The server has no room or too much to do.
    #[error("the file server has no room at this time: try again later")]
    Busy,
    /// The server refused.
    #[error("the file server refused with status {0}")]
    Refused(u16),
    /// An image that is damaged, or of a format that is not known well enough.
    #[error(
        "the image cannot be read, so that nobody can say what it tells besides the picture: convert \
         it to JPEG, PNG, WebP or GIF, or send it with all its data"
    )]
    Image,
    /// The server does not keep to the protocol.
    #[error("the file server's answer makes no sense: use another server")]
    Nonsense,
}

impl AttachmentError {
    /// A name for programs, which stays the same where the words change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "file_missing",
            Self::Damaged => "file_damaged",
            Self::Disk(_) => "disk",
            Self::Corrupt(_) => "file_corrupt",
            Self::Network(error) => error.code(),
            Self::NoServer => "no_file_server",
            Self::UnknownServer => "unknown_file_server",
            Self::Expired => "file_expired",
            Self::TooLarge => "file_too_large",
            Self::Busy => "file_server_busy",
            Self::Image => "bad_image",
            Self::Refused(_) | Self::Nonsense => "file_server",
        }
    }

    /// Whether trying again later cannot help: the file itself is not there or cannot be sent.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Missing | Self::Damaged | Self::TooLarge | Self::Image => true,
            Self::Refused(status) => *status < 500,
            _ => false,
        }
    }

    /// Whether trying again later may help.
    pub fn is_network(&self) -> bool {
        match self {
            Self::Network(error) => error.is_network(),
            Self::Busy => true,
            Self::Refused(status) => *status >= 500,
            _ => false,
        }
    }
}

impl From<ClientError> for AttachmentError {
    fn from(error: ClientError) -> Self {
        Self::Network(Box::new(error))
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
