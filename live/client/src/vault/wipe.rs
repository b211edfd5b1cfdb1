//! Destroying: the slots first, durably, then what hung on them, then an empty home.

use std::fs;
use std::io;
use std::path::Path;

use warren_crypto::SystemEntropy;
use warren_lock::{Slots, SlotsError};

use super::slots_file::SlotsFile;
use super::{Home, VaultError};
use crate::tripwire::TripwireFile;

/// Wipes a home: its slots are destroyed before anything else happens, and from then on nothing in it
/// can be read. Where this is cut off, whatever this program does next with the home goes on with it.
///
/// # Errors
/// Where there is no home, or the disk fails.
pub fn wipe(root: &Path) -> Result<(), VaultError> {
    destroy(root)?;
    finish(root)
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
/// says that it runs stay.
///
/// # Errors
/// Where the disk fails.
pub fn finish_under_daemon(root: &Path) -> Result<(), VaultError> {
    delete(root, true)
}

fn delete(root: &Path, keeps_daemon: bool) -> Result<(), VaultError> {
    let home = Home::at(root);
    TripwireFile::overwrite(&home)?;
    Ok(home.remove_all(keeps_daemon)?)
}

/// Goes on with a wipe that was cut off, where there is one: from its beginning, as what is read here
/// may not have reached the disk, or one of the copies alone. A file that is deleted never does.
pub(super) fn go_on(home: &Home) -> Result<(), VaultError> {
    let bytes = match fs::read(home.slots_file()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        bytes => bytes?,
    };
    if !matches!(Slots::decode(&bytes), Err(SlotsError::Wiped)) {
        return Ok(());
    }
    match destroy(home.root()) {
        // Another process was faster.
        Ok(()) | Err(VaultError::Missing) => finish(home.root()),
        failed => failed,
    }
}
