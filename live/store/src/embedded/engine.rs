//! The open database, shared by those who read and the one who writes; opened anew after a failure.
//!
//! After a write or an fsync that fails, fjall refuses all other writes until it is opened anew
//! (`Error::Poisoned`), and rightly: the kernel may hold pages for written that are not on the
//! disk. So before it is opened anew the journals are copied as they read, synced and put in
//! place of the old ones: what is recovered from them is on the disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use super::folder::{self, sync_folder};
use super::tables::Tables;
use super::values::State;
use crate::StoreError;

/// How much is written to see whether the disk takes anything.
const PROBE_BYTES: usize = 1024 * 1024;
/// How long reads that are under way may take before the engine is opened anew.
const READS_END: Duration = Duration::from_secs(10);

/// The free space below which nothing more is stored, so that the engine itself never meets a
/// full disk and room can still be made by deleting.
#[derive(Debug)]
pub(super) struct Reserve {
    pub(super) folder: PathBuf,
    pub(super) bytes: u64,
}

impl Reserve {
    pub(super) fn is_left(&self) -> bool {
        #[cfg(unix)]
        if let Ok(found) = rustix::fs::statvfs(&self.folder) {
            return found.f_bavail.saturating_mul(found.f_frsize) >= self.bytes;
        }
        true
    }
}

/// A folder with its database.
pub(super) struct Engine {
    reserve: Reserve,
    lock: Arc<File>,
    tables: RwLock<Option<Arc<Tables>>>,
}

impl Engine {
    /// Opens the database in a folder, or makes both.
    pub(super) fn open(reserve: Reserve) -> Result<Self, StoreError> {
        let (lock, tables) = folder::open(&reserve.folder)?;
        Ok(Self { reserve, lock, tables: RwLock::new(Some(Arc::new(tables))) })
    }

    pub(super) const fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// The open database.
    pub(super) fn tables(&self) -> Result<Arc<Tables>, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        tables.clone().ok_or_else(|| StoreError::Engine("it could not be opened anew yet".into()))
    }

    /// Closes the database and opens it again, where the disk takes writes; as long as it does not,
    /// what is open stays open for reading. Returns where the writer goes on.
    pub(super) fn reopen(&self) -> Result<State, StoreError> {
        probe(&self.reserve.folder)?;
        let mut slot = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(tables) = slot.take() {
            let waited = Instant::now();
            while Arc::strong_count(&tables) > 1 {
                if waited.elapsed() > READS_END {
                    *slot = Some(tables);
                    return Err(StoreError::Engine("reads under way do not end".into()));
                }
                thread::park_timeout(Duration::from_millis(1));
            }
            drop(tables);
        }
        let mail = folder::mail(&self.reserve.folder);
        renew_journals(&mail)?;
        let tables = folder::open_mail(&mail, Arc::clone(&self.lock))?;
        let state = tables.state()?;
        *slot = Some(Arc::new(tables));
        drop(slot);
        Ok(state)
    }
}

/// Writes something durably and takes it away again.
fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join("probe");
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(&vec![0x5a; PROBE_BYTES])?;
        file.sync_all()
    });
    fs::remove_file(&path)?;
    written
}

/// Puts durable copies in the place of all journals.
fn renew_journals(database: &Path) -> io::Result<()> {
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let copy = path.with_extension("copy");
            fs::copy(&path, &copy)?;
            File::open(&copy)?.sync_all()?;
            fs::rename(&copy, &path)?;
        }
    }
    sync_folder(database)
}
