//! What is backed up, and what takes it back.

use std::io::Write;

use warren_archive::snapshot::Part;

use crate::error::PartFailure;

/// Writes the bytes of a part.
pub type Writer = Box<dyn FnOnce(&mut dyn Write) -> Result<(), PartFailure> + Send>;

/// Something to be backed up.
pub struct PartSource {
    /// What reads it again.
    pub kind: String,
    /// Which of its kind. No two parts of a kind have one name.
    pub name: String,
    /// Of its kind's format.
    pub version: u32,
    /// What its source is like: where that is as it was, the part is not read again. Empty where
    /// nobody can tell.
    pub state: Vec<u8>,
    /// Whether compressing is in vain: it is sealed already.
    pub sealed: bool,
    /// About how many bytes, for a progress bar.
    pub size_hint: u64,
    /// Writes its bytes.
    pub write: Writer,
}

impl std::fmt::Debug for PartSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PartSource({}/{})", self.kind, self.name)
    }
}

/// Takes parts back. Called on one thread, where it may wait for the disk.
pub trait Restorer: Send {
    /// Whether a part is wanted. Asked for all before anything is written.
    fn wants(&mut self, part: &Part) -> bool;

    /// A wanted part begins.
    ///
    /// # Errors
    /// Where it cannot be taken; then nothing follows.
    fn begin(&mut self, part: &Part) -> Result<(), PartFailure>;

    /// The next bytes of the part that began, each held against its name.
    ///
    /// # Errors
    /// Where they cannot be taken; then nothing follows.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PartFailure>;

    /// The part that began is whole.
    ///
    /// # Errors
    /// Where it makes no sense or cannot be kept; then nothing follows.
    fn end(&mut self, part: &Part) -> Result<(), PartFailure>;
}
