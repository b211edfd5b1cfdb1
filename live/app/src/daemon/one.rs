//! One daemon for each home: a file that is locked while it runs, and says which process it is.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// The lock of a home, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct OnlyDaemon(#[expect(dead_code, reason = "holds the lock")] File);

impl OnlyDaemon {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Failure::DaemonRuns`] where another process has it.
    pub fn of_home(home: &Path) -> Result<Self, Failure> {
        let path = path(home);
        let failed = |error| Failure::Path { path: path.clone(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Failure::DaemonRuns(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self(file))
    }

    /// Whether some process has the lock.
    pub fn runs(home: &Path) -> bool {
        let file = File::open(path(home));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn path(home: &Path) -> PathBuf {
    home.join("daemon.lock")
}

/// The process that has the lock, as it wrote; `None` where it did not come to it yet.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_the_first_is() {
        let home = tempfile::tempdir().unwrap();
        assert!(!OnlyDaemon::runs(home.path()));
        let first = OnlyDaemon::of_home(home.path()).unwrap();
        assert!(OnlyDaemon::runs(home.path()));
        let second = OnlyDaemon::of_home(home.path()).unwrap_err();
        assert!(matches!(second, Failure::DaemonRuns(Some(pid)) if pid == std::process::id()));
        drop(first);
        assert!(!OnlyDaemon::runs(home.path()));
        OnlyDaemon::of_home(home.path()).unwrap();
    }
}
