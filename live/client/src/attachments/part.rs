//! A file that is being written: under a name of its own until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::vault::{FileName, sync_directory};

/// What a file is called while it is written, behind its name.
pub(super) const EXTENSION: &str = "part";

/// A file that is being written. It goes away with this value, unless it was finished or is to be
/// kept for another time.
pub(super) struct Part {
    folder: PathBuf,
    name: FileName,
    file: File,
    /// Whether the file stays where it is when this value goes.
    keep: bool,
}

impl Part {
    /// Begins a file.
    pub(super) fn create(folder: &Path, name: FileName) -> io::Result<Self> {
        let file = private().create_new(true).open(path(folder, &name))?;
        Ok(Self { folder: folder.to_owned(), name, file, keep: false })
    }

    /// Goes on with one, behind its first whole units of `unit` bytes; and how many those are.
    pub(super) fn resume(folder: &Path, name: FileName, unit: u64) -> io::Result<(Self, u64)> {
        let mut file = private().open(path(folder, &name))?;
        let whole = file.metadata()?.len() / unit;
        file.set_len(whole * unit)?;
        file.seek(SeekFrom::End(0))?;
        Ok((Self { folder: folder.to_owned(), name, file, keep: false }, whole))
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    pub(super) fn keep_when_dropped(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Brings all to the disk, then gives the file its name.
    pub(super) fn finish(&mut self) -> io::Result<FileName> {
        self.file.sync_all()?;
        fs::rename(path(&self.folder, &self.name), self.folder.join(self.name.as_str()))?;
        self.keep = true;
        sync_directory(&self.folder)?;
        Ok(self.name.clone())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed is swept at the next start.
            let _ = fs::remove_file(path(&self.folder, &self.name));
        }
    }
}

/// Where a file lies that is being written.
pub(super) fn path(folder: &Path, name: &FileName) -> PathBuf {
    folder.join(format!("{}.{EXTENSION}", name.as_str()))
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
