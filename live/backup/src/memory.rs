//! What this device remembers of an archive: a journal of packs that no snapshot names yet, and a copy
//! of its newest snapshot. Sealed as at the place; all of it may be lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::NamedTempFile;
use warren_archive::{ArchiveKeys, ObjectName};

use crate::error::BackupError;

/// The largest entry of a journal, in bytes.
const MOST_ENTRY_BYTES: usize = 16 << 20;

/// This device's files on one archive.
#[derive(Debug)]
pub(crate) struct Memory {
    folder: PathBuf,
    name: String,
    journal: Mutex<()>,
}

/// While it lives, no other process of this device writes to the archive.
pub(crate) struct Alone(
    #[expect(dead_code, reason = "the lock ends when the file is closed")] File,
);

impl Memory {
    /// The files of an archive in a folder, which is made, for its owner alone.
    pub(crate) fn open(folder: &Path, keys: &ArchiveKeys) -> io::Result<Self> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.to_owned(), name: keys.file_name(), journal: Mutex::new(()) })
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", self.name))
    }

    /// Keeps other processes of this device out.
    pub(crate) fn be_alone(&self) -> Result<Alone, BackupError> {
        let file = private().write(true).create(true).truncate(false).open(self.path("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Alone(file)),
            Err(fs::TryLockError::WouldBlock) => Err(BackupError::Busy),
            Err(fs::TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Notes a sealed entry, durably.
    pub(crate) fn note(&self, name: &ObjectName, sealed: &[u8]) -> io::Result<()> {
        let _mine = self.journal.lock();
        let mut file = private().append(true).create(true).open(self.path("journal"))?;
        let length = u32::try_from(sealed.len()).unwrap_or(u32::MAX);
        let entry = [name.as_bytes().as_slice(), &length.to_le_bytes(), sealed].concat();
        file.write_all(&entry)?;
        file.sync_data()
    }

    /// All entries that were written whole.
    pub(crate) fn noted(&self) -> io::Result<Vec<(ObjectName, Vec<u8>)>> {
        let mut file = match File::open(self.path("journal")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => io::BufReader::new(file?),
        };
        let mut entries = Vec::new();
        while let Some(entry) = entry(&mut file)? {
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Forgets the journal: a snapshot names what it did, or nothing needs it.
    pub(crate) fn forget_notes(&self) -> io::Result<()> {
        match fs::remove_file(self.path("journal")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Keeps a copy of a snapshot's object in place of the one before.
    pub(crate) fn keep(&self, name: &ObjectName, sealed: &[u8]) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(name.as_bytes())?;
        file.write_all(sealed)?;
        file.as_file().sync_data()?;
        file.persist(self.path("snapshot")).map_err(|error| error.error)?;
        Ok(())
    }

    /// The copy of a snapshot's object.
    pub(crate) fn kept(&self) -> Option<(ObjectName, Vec<u8>)> {
        let mut bytes = fs::read(self.path("snapshot")).ok()?;
        let name = ObjectName::of_bytes(*bytes.first_chunk()?);
        bytes.drain(..ObjectName::BYTES);
        Some((name, bytes))
    }
}

/// The next entry; `None` at the end, or where the last one was cut off.
fn entry(file: &mut impl Read) -> io::Result<Option<(ObjectName, Vec<u8>)>> {
    let (mut name, mut length) = ([0; ObjectName::BYTES], [0; 4]);
    let whole = file.read_exact(&mut name).and_then(|()| file.read_exact(&mut length));
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    let mut sealed = vec![0; length.min(MOST_ENTRY_BYTES)];
    match whole.and_then(|()| file.read_exact(&mut sealed)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
        Ok(()) if length > MOST_ENTRY_BYTES => Ok(None),
        Ok(()) => Ok(Some((ObjectName::of_bytes(name), sealed))),
    }
}

fn private() -> OpenOptions {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "permissions are of Unix"))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use warren_crypto::Secret;

    use super::*;

    #[test]
    fn an_entry_that_was_cut_off_ends_the_journal_and_spoils_none_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let keys = ArchiveKeys::of_seed(&Secret::take(&mut [1; 32])).unwrap();
        let memory = Memory::open(folder.path(), &keys).unwrap();
        assert_eq!(memory.noted().unwrap(), []);
        let name = |n: u8| ObjectName::of_bytes([n; 16]);
        memory.note(&name(1), b"one").unwrap();
        memory.note(&name(2), b"two").unwrap();
        let path = memory.path("journal");
        let whole = fs::read(&path).unwrap();
        for end in whole.len() / 2..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(memory.noted().unwrap(), [(name(1), b"one".to_vec())]);
        }
        memory.forget_notes().unwrap();
        memory.forget_notes().unwrap();
        assert_eq!(memory.noted().unwrap(), []);
    }

    #[test]
    fn a_second_process_is_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let keys = ArchiveKeys::of_seed(&Secret::take(&mut [1; 32])).unwrap();
        let memory = Memory::open(folder.path(), &keys).unwrap();
        let alone = memory.be_alone().unwrap();
        assert!(matches!(memory.be_alone(), Err(BackupError::Busy)));
        drop(alone);
        assert!(memory.be_alone().is_ok());
    }
}
