//! Why a file is not kept or not given, and the status that says so.

use std::io;

/// Why a file is not kept or not given.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// Empty, or larger than the largest.
    #[error("the file is empty or too large")]
    Size,
    /// A lifetime that is none.
    #[error("the lifetime is no number of seconds or too long")]
    Lifetime,
    /// Never kept, expired, or no name at all.
    #[error("there is no such file")]
    NotFound,
    /// The quota or the disk.
    #[error("there is no room for the file")]
    Full,
    /// All readers, writers or places for unfinished uploads are taken.
    #[error("too many files are read and written")]
    Busy,
    /// An upload that another request is writing to.
    #[error("another request writes to this upload")]
    Locked,
    /// A part that does not begin where the last one ended.
    #[error("the upload stands at another offset")]
    Offset,
    /// The client sent no more.
    #[error("the body broke off")]
    BrokenOff,
    /// The client was too slow.
    #[error("the body took too long")]
    TooSlow,
    /// Of a form that the route does not take.
    #[error("the request makes no sense")]
    Malformed,
    /// Where content is kept.
    #[error("the content cannot be kept or read: {0}")]
    Content(#[source] Box<opendal::Error>),
    /// Where it is noted what is kept.
    #[error("the index of files cannot be read or written: {0}")]
    Index(#[source] Box<redb::Error>),
    /// The folder.
    #[error(transparent)]
    Folder(#[from] io::Error),
    /// A setting.
    #[error("{0}")]
    Setting(String),
    /// The runtime or a library failed.
    #[error("internal error")]
    Internal,
}

impl FilesError {
    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Lifetime | Self::BrokenOff | Self::Malformed => 400,
            Self::NotFound => 404,
            Self::TooSlow => 408,
            Self::Offset => 409,
            Self::Size => 413,
            Self::Locked => 423,
            Self::Busy => 503,
            Self::Full => 507,
            Self::Content(_)
            | Self::Index(_)
            | Self::Folder(_)
            | Self::Setting(_)
            | Self::Internal => 500,
        }
    }

    /// Whether the operator should hear of it.
    pub const fn is_fault(&self) -> bool {
        self.status() == 500
    }
}

impl From<opendal::Error> for FilesError {
    fn from(error: opendal::Error) -> Self {
        if error.kind() == opendal::ErrorKind::NotFound {
            return Self::NotFound;
        }
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(io) = inner.downcast_ref::<io::Error>()
                && matches!(
                    io.kind(),
                    io::ErrorKind::StorageFull
                        | io::ErrorKind::QuotaExceeded
                        | io::ErrorKind::FileTooLarge
                )
            {
                return Self::Full;
            }
            cause = inner.source();
        }
        Self::Content(Box::new(error))
    }
}

/// redb has an error type for each step, all of which fit into one.
impl<E: Into<redb::Error>> From<IndexFault<E>> for FilesError {
    fn from(IndexFault(error): IndexFault<E>) -> Self {
        match error.into() {
            redb::Error::Io(io) if io.kind() == io::ErrorKind::StorageFull => Self::Full,
            other => Self::Index(Box::new(other)),
        }
    }
}

/// An error of the index on its way to becoming a [`FilesError`].
pub(super) struct IndexFault<E>(pub(super) E);
