//! How much room the disk of a folder has.

use std::io;
use std::path::Path;

/// Free bytes that this process may use.
///
/// # Errors
/// Where the operating system does not say.
pub fn free(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}
