//! A disk that can be read raw: ext4 in an image behind a loop device.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

const IMAGE_BYTES: u64 = 48 * 1024 * 1024;
/// The unit in which parts that were never written are left out.
const BLOCK: usize = 4096;

fn run(program: &str, arguments: &[&OsStr]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

/// Whether this machine lets images be mounted and programs be traced, or why not.
///
/// # Errors
/// What is missing.
pub fn available() -> Result<(), String> {
    run("strace", &["-o", "/dev/null", "true"].map(OsStr::new))?;
    run("mkfs.ext4", &["-V"].map(OsStr::new))?;
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::try_make(folder.path())?;
    disk.unmount();
    Ok(())
}

/// A mounted image.
pub struct Disk {
    folder: TempDir,
    is_mounted: bool,
}

impl Disk {
    /// Makes one in a folder, and mounts it.
    pub fn make(scratch: &Path) -> Self {
        Self::try_make(scratch).unwrap()
    }

    fn try_make(scratch: &Path) -> Result<Self, String> {
        let folder = tempfile::tempdir_in(scratch).unwrap();
        let mut disk = Self { folder, is_mounted: false };
        let (image, mount) = (disk.image(), disk.mount());
        fs::create_dir(&mount).unwrap();
        File::create_new(&image).unwrap().set_len(IMAGE_BYTES).unwrap();
        run("mkfs.ext4", &[OsStr::new("-q"), OsStr::new("-F"), image.as_os_str()])?;
        let options = ["-o", "loop"].map(OsStr::new);
        run("mount", &[&options[..], &[image.as_os_str(), mount.as_os_str()]].concat())?;
        disk.is_mounted = true;
        Ok(disk)
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The folder that it is seen as.
    pub fn folder(&self) -> PathBuf {
        self.mount()
    }

    /// Has everything that was written reach the disk.
    pub fn sync(&self) {
        run("sync", &[OsStr::new("-f"), self.mount().as_os_str()]).unwrap();
    }

    /// Every byte of the disk, in pieces: runs of blocks that are not all zero.
    pub fn unmount(mut self) -> Vec<Vec<u8>> {
        self.try_unmount().unwrap();
        self.runs()
    }

    /// As [`Disk::unmount`], while it is in use.
    pub fn read(&self) -> Vec<Vec<u8>> {
        self.sync();
        self.runs()
    }

    fn runs(&self) -> Vec<Vec<u8>> {
        let image = fs::read(self.image()).unwrap();
        let blocks: Vec<&[u8]> = image.chunks(BLOCK).collect();
        let runs = blocks.split(|block| **block == [0; BLOCK][..block.len()]);
        runs.filter(|run| !run.is_empty()).map(<[&[u8]]>::concat).collect()
    }

    fn try_unmount(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        for _ in 0..50 {
            outcome = run("umount", &[self.mount().as_os_str()]);
            if outcome.is_ok() {
                self.is_mounted = false;
                break;
            }
            // Whoever was killed may take a moment to end.
            std::thread::park_timeout(Duration::from_millis(100));
        }
        outcome
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            // The test is failing already.
            let _ = self.try_unmount();
        }
    }
}
