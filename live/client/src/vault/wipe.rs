//! Destroying: the slots first, durably, then what hung on them, then an empty home.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use warren_crypto::SystemEntropy;
use warren_lock::{Slots, SlotsError};

use super::slots_file::SlotsFile;
use super::{Home, VaultError};
use crate::tripwire::TripwireFile;

/// Wipes a home: its slots are destroyed before anything else happens, and from then on nothing in it
/// can be read. Where this is cut off, whatever this program does next with the home goes on with it.
/// What a daemon has there that serves the home stays.
///
/// # Errors
/// Where there is no home, or the disk fails.
pub fn wipe(root: &Path) -> Result<(), VaultError> {
    destroy(root)?;
    delete(root, is_served(&Home::at(root)))
}

/// Whether the slots say that a wipe has begun, and is to be gone on with.
pub fn is_begun(root: &Path) -> bool {
    is_wiped(&Home::at(root)).unwrap_or(false)
}

/// The first step of [`wipe`] alone: destroys the slots.
///
/// # Errors
/// As [`wipe`].
pub fn destroy(root: &Path) -> Result<(), VaultError> {
    let file = SlotsFile::open(&Home::at(root))?;
    file.alone(|| Ok(file.write(&Slots::wiped(&mut SystemEntropy))?))
}

/// The second step: deletes everything of a home whose slots are destroyed.
///
/// # Errors
/// Where the disk fails.
pub fn finish(root: &Path) -> Result<(), VaultError> {
    delete(root, false)
}

/// As [`finish`], for a daemon that goes on serving the home: its socket, its token and the file that
/// says that it runs stay. A home that somebody made anew since is none of this one's.
///
/// # Errors
/// Where the disk fails.
pub fn finish_under_daemon(root: &Path) -> Result<(), VaultError> {
    delete(root, true)
}

fn delete(root: &Path, keeps_daemon: bool) -> Result<(), VaultError> {
    let home = Home::at(root);
    if keeps_daemon && home.slots_file().exists() && !is_wiped(&home)? {
        return Ok(());
    }
    TripwireFile::overwrite(&home)?;
    Ok(home.remove_all(keeps_daemon)?)
}

/// Goes on with a wipe that was cut off, where there is one: from its beginning, as what is read here
/// may not have reached the disk, or one of the copies alone. A file that is deleted never does.
pub(super) fn go_on(home: &Home) -> Result<(), VaultError> {
    if !is_wiped(home)? {
        return Ok(());
    }
    match destroy(home.root()) {
        // Another process was faster.
        Ok(()) | Err(VaultError::Missing) => delete(home.root(), is_served(home)),
        failed => failed,
    }
}

fn is_wiped(home: &Home) -> io::Result<bool> {
    match fs::read(home.slots_file()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        bytes => Ok(matches!(Slots::decode(&bytes?), Err(SlotsError::Wiped))),
    }
}

/// Whether a daemon runs, this process or another: it holds its lock.
fn is_served(home: &Home) -> bool {
    let lock = File::open(home.daemon_lock());
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}
