//! The file `slots`: read, and written over itself, never replaced, by one process at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use warren_lock::Slots;
use warren_lock::slots::{COPY_BYTES, FILE_BYTES, MAGIC};

use super::{Home, VaultError};

/// The open file.
pub(super) struct SlotsFile(File);

impl SlotsFile {
    pub(super) fn open(home: &Home) -> Result<Self, VaultError> {
        match OpenOptions::new().read(true).write(true).open(home.slots_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_old = home.old_key_file().exists();
                Err(if is_old { VaultError::OldHome } else { VaultError::Missing })
            }
            opened => Ok(Self(opened?)),
        }
    }

    /// Whether there is one that was not wiped.
    pub(super) fn is_there(home: &Home) -> bool {
        let mut start = [0; MAGIC.len()];
        let read = File::open(home.slots_file()).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == MAGIC
    }

    pub(super) fn read(&self) -> Result<Slots, VaultError> {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        (&self.0).seek(SeekFrom::Start(0))?;
        let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        (&self.0).take(most).read_to_end(&mut bytes)?;
        Ok(Slots::decode(&bytes)?)
    }

    /// Does something while no other process does.
    pub(super) fn alone<T>(
        &self,
        work: impl FnOnce() -> Result<T, VaultError>,
    ) -> Result<T, VaultError> {
        self.0.lock()?;
        let done = work();
        self.0.unlock()?;
        done
    }

    /// Writes both copies at once, in place: durable when this returns.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_at(0, bytes)
    }

    /// Writes one copy after the other, in place: whatever happens, one of them is whole.
    pub(super) fn change(&self, slots: &Slots) -> io::Result<()> {
        let file = slots.encode();
        let (first, second) = file.split_at_checked(COPY_BYTES).unwrap_or_default();
        self.write_at(COPY_BYTES, second)?;
        self.write_at(0, first)
    }

    fn write_at(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        (&self.0).seek(SeekFrom::Start(u64::try_from(at).unwrap_or(0)))?;
        (&self.0).write_all(bytes)?;
        self.0.sync_data()
    }
}
