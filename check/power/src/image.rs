//! File systems in images behind loop devices.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::Outcome;

/// How large the file system is. The image is sparse.
const IMAGE_BYTES: u64 = 3 * 1024 * 1024 * 1024;
/// Longer than the clock of a file system takes to go on.
const TICK: Duration = Duration::from_millis(12);
/// How often a copy is tried during which the kernel writes to the image.
const COPIES: usize = 50;

/// Runs a program to its end.
pub(crate) fn run(program: &str, arguments: &[&Path]) -> Outcome<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}

/// Whether this machine lets images be mounted, or why not.
pub(crate) fn available() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("mounting an image needs root".into());
    }
    for program in ["mkfs.ext4", "losetup", "mount", "umount"] {
        if Command::new(program).arg("--version").output().is_err() {
            return Err(format!("{program} is not installed (Debian: e2fsprogs, mount)"));
        }
    }
    let found = run("losetup", &[Path::new("--find")]);
    found.map(|_| ()).map_err(|error| format!("no loop device is to be had: {error}"))
}

/// An image file, removed in the end.
pub(crate) struct Image {
    path: PathBuf,
}

impl Drop for Image {
    fn drop(&mut self) {
        // It lies in a scratch folder that goes as a whole.
        let _ = fs::remove_file(&self.path);
    }
}

impl Image {
    /// Makes an empty file system.
    pub(crate) fn create(path: PathBuf) -> Outcome<Self> {
        File::create_new(&path)?.set_len(IMAGE_BYTES)?;
        let image = Self { path };
        let quiet = ["-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1"].map(Path::new);
        run("mkfs.ext4", &[&quiet[..], &[&image.path]].concat())?;
        Ok(image)
    }

    /// Copies the image as it was at one moment: again, where it changed meanwhile.
    pub(crate) fn copy(&self, to: PathBuf) -> Outcome<Self> {
        let changed = || -> Outcome<SystemTime> { Ok(fs::metadata(&self.path)?.modified()?) };
        let copy = Self { path: to };
        for _ in 0..COPIES {
            let before = changed()?;
            thread::park_timeout(TICK);
            let sparse = [Path::new("--sparse=always"), &self.path, &copy.path];
            run("cp", &sparse)?;
            if changed()? == before {
                return Ok(copy);
            }
        }
        Err("the kernel writes to the image without end".into())
    }

    /// Mounts the file system.
    pub(crate) fn mount(&self, at: PathBuf) -> Outcome<Mount> {
        fs::create_dir_all(&at)?;
        run("mount", &[Path::new("-o"), Path::new("loop"), &self.path, &at])?;
        Ok(Mount { at })
    }
}

/// A mounted image, unmounted in the end.
pub(crate) struct Mount {
    at: PathBuf,
}

impl Mount {
    pub(crate) fn at(&self) -> &Path {
        &self.at
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Whoever had files open may take a moment to end.
        for _ in 0..50 {
            match run("umount", &[&self.at]) {
                Ok(_) => return,
                Err(_) => thread::park_timeout(Duration::from_millis(100)),
            }
        }
        eprintln!("{} stays mounted", self.at.display());
    }
}
