//! The folder of the embedded engine: created as a whole or not at all, opened by one process.
//!
//! ```text
//! lock       held while open
//! mail/      the database
//! mail.new/  a database that was never finished; removed when seen
//! mail.old/  a database of an older format; removed once the new one is in its place
//! ```
//!
//! fjall makes the files of a fresh database durable, but neither the entry of the database's own
//! folder nor those of its keyspaces' folders, and it cannot open what an interrupted creation
//! left. So a database is made under another name, synced as a whole, and renamed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fjall::{CompressionType, Database};

use super::journal_tail::{self, Tail};
use super::keys::{FORMAT, READ_FROM};
use super::tables::{self, Tables};
use super::upgrade;
use super::values::State;
use crate::StoreError;

/// How much of what was read is kept in memory.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// Where the database lies in a folder.
pub(super) fn mail(folder: &Path) -> PathBuf {
    folder.join("mail")
}

/// Opens the database in a folder, or makes both; an older format is upgraded.
pub(super) fn open(folder: &Path) -> Result<(Arc<File>, Tables), StoreError> {
    create_folder(folder)?;
    let lock = Arc::new(lock(folder)?);
    let mail = mail(folder);
    let old = folder.join("mail.old");
    if old.try_exists()? && !mail.try_exists()? {
        // An upgrade stopped between its two renames: it is begun again.
        fs::rename(&old, &mail)?;
    }
    if !mail.try_exists()? {
        create_database(folder, &mail)?;
    }
    let database = open_database(&mail)?;
    let found = tables::format(&database)?;
    if found >= READ_FROM {
        remove_folder(&old)?;
        let tables = Tables::open(database, Arc::clone(&lock))?;
        if found < FORMAT {
            tables.note_format()?;
        }
        return Ok((lock, tables));
    }
    upgrade_database(folder, database)?;
    let tables = open_mail(&mail, Arc::clone(&lock))?;
    Ok((lock, tables))
}

/// Opens a database of this format.
pub(super) fn open_mail(mail: &Path, lock: Arc<File>) -> Result<Tables, StoreError> {
    let database = open_database(mail)?;
    tables::format(&database)?;
    Tables::open(database, lock)
}

fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it, durably.
fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = match folder.parent() {
        None => return Ok(()),
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
    };
    create_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(above),
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let file = File::options().create(true).append(true).open(folder.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn create_database(folder: &Path, mail: &Path) -> Result<(), StoreError> {
    let unfinished = folder.join("mail.new");
    remove_folder(&unfinished)?;
    let database = open_journaled(&unfinished)?;
    drop(Tables::create(&database, State::default())?);
    drop(database);
    sync_tree(&unfinished)?;
    fs::rename(&unfinished, mail)?;
    Ok(sync_folder(folder)?)
}

/// Copies a database of an older format into one of this, beside it, and puts that in its place.
/// For a while it takes twice the room.
fn upgrade_database(folder: &Path, database: Database) -> Result<(), StoreError> {
    tracing::info!("the store has an older format: copying it into the new one");
    let (mail, old, unfinished) = (mail(folder), folder.join("mail.old"), folder.join("mail.new"));
    remove_folder(&unfinished)?;
    let new = open_journaled(&unfinished)?;
    upgrade::copy(&database, &new)?;
    drop((new, database));
    sync_tree(&unfinished)?;
    remove_folder(&old)?;
    fs::rename(&mail, &old)?;
    sync_folder(folder)?;
    fs::rename(&unfinished, &mail)?;
    sync_folder(folder)?;
    Ok(remove_folder(&old)?)
}

fn open_journaled(path: &Path) -> fjall::Result<Database> {
    Database::builder(path)
        .cache_size(CACHE_BYTES)
        // Messages are sealed; the repair of a torn tail reads uncompressed items only.
        .journal_compression(CompressionType::None)
        .open()
}

/// Opens a database that exists, without the batch that a power cut tore, if it did.
fn open_database(path: &Path) -> Result<Database, StoreError> {
    let torn = fjall::JournalRecoveryError::ChecksumMismatch;
    match open_journaled(path) {
        Err(fjall::Error::JournalRecovery(cause)) if cause == torn => {
            if journal_tail::repair(path)? == Tail::Cut {
                tracing::warn!("a write that was cut short, and never acknowledged, is dropped");
            }
            Ok(open_journaled(path)?)
        }
        other => Ok(other?),
    }
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

/// Makes the entries of a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows keeps a folder's entries by itself.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::keys::FORMAT_KEY;

    #[test]
    fn an_interrupted_creation_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = folder.path().join("mail.new");
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("0.jnl"), b"half a file").unwrap();
        drop(open(folder.path()).unwrap());
        assert!(!unfinished.exists());
    }

    #[test]
    fn folders_above_are_made_too() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(&folder.path().join("a/b/c")).unwrap());
        drop(open(&folder.path().join("a/b/c")).unwrap());
    }

    #[test]
    fn a_second_opener_is_turned_away() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path()).unwrap();
        assert_eq!(open(folder.path()).err(), Some(StoreError::InUse));
        drop(first);
        drop(open(folder.path()).unwrap());
    }

    #[test]
    fn a_format_that_lacks_little_is_noted_as_the_present_one() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, tables) = open(folder.path()).unwrap();
        tables.meta.insert(FORMAT_KEY, READ_FROM.to_be_bytes()).unwrap();
        drop((lock, tables));
        let (_lock, tables) = open(folder.path()).unwrap();
        assert_eq!(tables::format(&tables.database), Ok(FORMAT));
    }

    #[test]
    fn a_newer_format_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, tables) = open(folder.path()).unwrap();
        tables.meta.insert(FORMAT_KEY, 4_u32.to_be_bytes()).unwrap();
        drop((lock, tables));
        let error = open(folder.path()).err().unwrap();
        assert_eq!(error, StoreError::Newer { found: 4, known: 3 });
        assert!(error.to_string().contains("newer version"), "{error}");
    }
}
