//! The folder where one account's files lie, each sealed under a key of its own.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use warren_crypto::{Secret, SystemEntropy};

use super::error::AttachmentError;
use super::part::{self, Part};
use super::sealed::{CHUNK_BYTES, SealedReader, SealedWriter};
use super::state::{file_name, secret};
use crate::database::{AccountDb, DatabaseError, LocalFile};
use crate::vault::{FileName, sync_directory};

/// Files younger than this are not swept: whoever made them may be about to note them.
pub const GRACE: Duration = Duration::from_secs(60 * 60);
/// Bytes that are overwritten at a time.
const ERASER_BYTES: usize = 1 << 20;

/// A file at rest: where it lies and what opens it. Belongs into the encrypted database.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Its name in the folder.
    #[serde(with = "file_name")]
    pub name: FileName,
    /// Its key.
    #[serde(with = "secret")]
    pub key: Secret<32>,
    /// Bytes of content.
    pub size: u64,
}

impl StoredFile {
    /// What the database keeps of the file.
    pub fn to_local(&self) -> LocalFile {
        let (name, key) = (self.name.as_str().to_owned(), self.key.duplicate());
        LocalFile { name, key, size: self.size }
    }

    /// A file as the database has it; `None` where its name is none.
    pub fn of_local(local: &LocalFile) -> Option<Self> {
        let (name, key) = (FileName::parse(&local.name)?, local.key.duplicate());
        Some(Self { name, key, size: local.size })
    }
}

impl Clone for StoredFile {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), key: self.key.duplicate(), size: self.size }
    }
}

/// One account's files at rest. Its functions wait for the disk: call them where that is allowed.
#[derive(Clone)]
pub struct FileStore {
    folder: PathBuf,
}

impl FileStore {
    /// The files in this folder, which exists.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Begins a file under a fresh name and key.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn create(&self) -> Result<SealedWriter, AttachmentError> {
        let name = FileName::random(&mut SystemEntropy);
        self.begin(name, Secret::random(&mut SystemEntropy))
    }

    pub(super) fn begin(
        &self,
        name: FileName,
        key: Secret<32>,
    ) -> Result<SealedWriter, AttachmentError> {
        Ok(SealedWriter::new(Part::create(&self.folder, name)?, key, 0))
    }

    /// Goes on with a file that was kept unfinished; begins it where nothing is left.
    pub(super) fn resume(
        &self,
        name: &FileName,
        key: &Secret<32>,
    ) -> Result<SealedWriter, AttachmentError> {
        match Part::resume(&self.folder, name.clone(), CHUNK_BYTES as u64) {
            Ok((part, chunks)) => Ok(SealedWriter::new(part, key.duplicate(), chunks)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.begin(name.clone(), key.duplicate())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Seals bytes as a file.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn put(&self, content: &[u8]) -> Result<StoredFile, AttachmentError> {
        let mut writer = self.create()?;
        writer.write_all(content)?;
        writer.finish()
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`AttachmentError::Missing`] where it is not there, [`AttachmentError::Damaged`] where it is
    /// not what was written.
    pub fn open(&self, file: &StoredFile) -> Result<SealedReader, AttachmentError> {
        SealedReader::new(File::open(self.folder.join(file.name.as_str()))?, file)
    }

    /// Overwrites a file as far as the disk lets anyone, and deletes it, whole or half. One that is
    /// gone is no error.
    ///
    /// What makes a file unreadable is that its key is forgotten; this is for the case that it is not.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn remove(&self, name: &FileName) -> Result<(), AttachmentError> {
        for path in [self.folder.join(name.as_str()), part::path(&self.folder, name)] {
            erase(&path)?;
        }
        Ok(sync_directory(&self.folder)?)
    }

    /// As [`FileStore::remove`], by a name from the database; whether nothing of that name is left.
    pub(crate) fn remove_named(&self, name: &str) -> bool {
        FileName::parse(name).is_none_or(|name| self.remove(&name).is_ok())
    }

    /// Deletes the files that the database gave up, and those that it does not know. What the disk
    /// refuses is left for another time.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn tidy(&self, db: &AccountDb) -> Result<(), DatabaseError> {
        for text in db.doomed_files()? {
            if self.remove_named(&text) {
                db.doomed_file_deleted(&text)?;
            }
        }
        let kept = db.kept_files()?;
        let kept: Vec<_> = kept.iter().filter_map(|name| FileName::parse(name)).collect();
        let _ = self.sweep(&kept);
        Ok(())
    }

    /// Deletes what no `kept` name claims and is older than [`GRACE`]; how many files that were.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn sweep(&self, kept: &[FileName]) -> Result<usize, AttachmentError> {
        let kept: HashSet<&FileName> = kept.iter().collect();
        let mut swept = 0;
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.split('.').next());
            let name = name.and_then(FileName::parse);
            let claimed = name.is_some_and(|name| kept.contains(&name));
            if !claimed && is_old(&entry)? {
                erase(&entry.path())?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

fn is_old(entry: &fs::DirEntry) -> io::Result<bool> {
    let modified = entry.metadata()?.modified()?;
    Ok(SystemTime::now().duration_since(modified).is_ok_and(|age| age > GRACE))
}

fn erase(path: &Path) -> io::Result<()> {
    let overwritten = OpenOptions::new().write(true).open(path).and_then(|mut file| {
        let zeros = vec![0; ERASER_BYTES];
        let mut left = file.metadata()?.len();
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(ERASER_BYTES);
            file.write_all(zeros.get(..count).unwrap_or_default())?;
            left -= count as u64;
        }
        file.sync_data()
    });
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Best effort: a disk too full or too broken to be overwritten is no reason to keep the file.
        removed => removed.map(|()| drop(overwritten)),
    }
}

impl std::fmt::Debug for FileStore {
    /// Names no path: it would name the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileStore(..)")
    }
}

#[cfg(test)]
mod tests;
