//! Where things lie under the home directory, and how a file there is replaced whole or not at all.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use warren_crypto::Entropy;
use warren_crypto::entropy::random;

/// A database's file name without its extension: 16 random hex digits that say nothing of whose
/// it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl FileName {
    const BYTES: usize = 8;

    /// A fresh name.
    pub fn random(entropy: &mut dyn Entropy) -> Self {
        Self(hex::encode(random::<{ Self::BYTES }>(entropy)))
    }

    /// Reads a name; `None` for anything but 16 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok().filter(|bytes| bytes.len() == Self::BYTES)?;
        Some(Self(hex::encode(bytes))).filter(|name| name.0 == text)
    }

    /// The name that follows from 8 bytes.
    pub(super) fn of(bytes: [u8; Self::BYTES]) -> Self {
        Self(hex::encode(bytes))
    }

    /// The name that an entry of `data/` begins with.
    pub(crate) fn of_entry(entry: &std::ffi::OsStr) -> Option<Self> {
        entry.to_str()?.split('.').next().and_then(Self::parse)
    }

    /// The 16 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The home directory's layout. Knows paths and permissions, no keys.
#[derive(Clone)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The key slots.
    pub(super) fn slots_file(&self) -> PathBuf {
        self.root.join("slots")
    }

    /// What is kept of wrong codes.
    pub(super) fn attempts_file(&self) -> PathBuf {
        self.root.join("attempts")
    }

    /// What lets friends wipe the device.
    pub(crate) fn tripwire_file(&self) -> PathBuf {
        self.root.join(TRIPWIRE)
    }

    /// What the tripwire's inbox knows of the network.
    pub(crate) fn inbox_file(&self) -> PathBuf {
        self.root.join(INBOX[0])
    }

    /// Empties that database where it is, and deletes what stands beside it while it is open. No error
    /// where there is none.
    pub(crate) fn empty_inbox(&self) -> io::Result<()> {
        for beside in INBOX.iter().skip(1) {
            remove(&self.root.join(beside))?;
        }
        match OpenOptions::new().write(true).open(self.inbox_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => opened?.set_len(0),
        }
    }

    /// What a daemon holds locked that serves the home.
    pub(super) fn daemon_lock(&self) -> PathBuf {
        self.root.join("daemon.lock")
    }

    /// What a home of the format before this one is known by.
    pub(super) fn old_key_file(&self) -> PathBuf {
        self.root.join("vault.key")
    }

    fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// A database, an index or an account's.
    pub(crate) fn database_file(&self, name: &FileName) -> PathBuf {
        self.data().join(format!("{}.db", name.as_str()))
    }

    /// The folder of one account's files, which is made where there is none.
    pub(crate) fn make_files_folder(&self, name: &FileName) -> io::Result<PathBuf> {
        let folder = self.data().join(format!("{}.files", name.as_str()));
        make_private(&folder)?;
        sync_directory(&self.data())?;
        Ok(folder)
    }

    /// Makes the directories, for their owner alone.
    ///
    /// A directory that held something before keeps its permissions: it may be somebody's.
    pub(super) fn make(&self) -> io::Result<()> {
        self.make_root()?;
        make_private(&self.data())?;
        sync_directory(&self.root)
    }

    /// Makes the directory itself alone, as [`Home::make`] does.
    pub(crate) fn make_root(&self) -> io::Result<()> {
        make_private(&self.root)?;
        if fs::read_dir(&self.root)?.next().is_none() {
            restrict(&self.root)?;
        }
        Ok(())
    }

    /// Writes a file that must not exist yet, durably.
    pub(crate) fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.stage(bytes)?.persist_noclobber(path).map_err(|error| error.error)?;
        sync_directory(&self.root)
    }

    /// The bytes in a nameless-to-be file, already on the disk and for its owner alone.
    fn stage(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new_in(&self.root)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Makes an empty file for its owner alone where there is none.
    ///
    /// SQLite gives its write-ahead log the permissions of the file it belongs to.
    pub(crate) fn touch(path: &Path) -> io::Result<()> {
        private_options().truncate(false).open(path).map(drop)
    }

    /// What lies in `data/`, wanted or not.
    pub(crate) fn data_entries(&self) -> io::Result<Vec<OsString>> {
        let entries = match fs::read_dir(self.data()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    /// Deletes entries of `data/`, durably. One that is gone is no error.
    pub(crate) fn remove_data(&self, entries: &[OsString]) -> io::Result<()> {
        let data = self.data();
        for entry in entries {
            remove(&data.join(entry))?;
        }
        if entries.is_empty() { Ok(()) } else { sync_directory(&data) }
    }

    /// Deletes what tells of an earlier store beside the stores themselves.
    pub(crate) fn remove_traces(&self) -> io::Result<()> {
        remove(&self.root.join(CRASHES))?;
        remove(&self.backup_folder())
    }

    /// What is remembered of a backup: a journal and a copy of its newest snapshot, both sealed.
    pub(crate) fn backup_folder(&self) -> PathBuf {
        self.root.join(BACKUP)
    }

    /// Deletes a database with its log and shared memory, and not the files that belong to it.
    pub(crate) fn remove_database_alone(&self, name: &FileName) -> io::Result<()> {
        let entries = [".db", ".db-wal", ".db-shm", ".db-journal"];
        let entries = entries.map(|suffix| OsString::from(format!("{}{suffix}", name.as_str())));
        self.remove_data(&entries)
    }

    /// Deletes a database with its log and shared memory, and the files that belong to it.
    pub(crate) fn remove_database(&self, name: &FileName) -> io::Result<()> {
        let entries = [".db", ".db-wal", ".db-shm", ".db-journal", ".files"];
        let entries = entries.map(|suffix| OsString::from(format!("{}{suffix}", name.as_str())));
        self.remove_data(&entries)
    }

    /// Deletes everything of this program but the slots, durably, and then the slots. What a daemon has
    /// there stays where one goes on serving the home.
    ///
    /// What somebody else keeps in the directory stays.
    pub(super) fn remove_all(&self, keeps_daemon: bool) -> io::Result<()> {
        if !self.root.exists() {
            return Ok(());
        }
        self.remove_data(&self.data_entries()?)?;
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let stays = |name: &str| keeps_daemon && DAEMON.contains(&name);
            if entry.file_name().to_str().is_some_and(|name| is_ours(name) && !stays(name)) {
                remove(&entry.path())?;
            }
        }
        sync_directory(&self.root)?;
        remove(&self.slots_file())?;
        sync_directory(&self.root)
    }
}

/// Where reports of faults lie, beside the stores.
const CRASHES: &str = "crashes";
/// What lets friends wipe the device.
const TRIPWIRE: &str = "tripwire";
/// What its inbox knows of the network, and what stands beside that while it is open.
const INBOX: [&str; 4] = ["inbox.db", "inbox.db-wal", "inbox.db-shm", "inbox.db-journal"];
/// What a daemon has there that serves the home.
const DAEMON: [&str; 3] = ["api.sock", "api-token", "daemon.lock"];
/// Where is kept what is remembered of a backup.
const BACKUP: &str = "backup";

/// Names in the home directory that this program makes, the slots apart.
fn is_ours(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "data",
        "attempts",
        TRIPWIRE,
        CRASHES,
        BACKUP,
        // Of the format before this one.
        "vault.key",
        "index.db",
        "index.db-wal",
        "index.db-shm",
        "accounts",
    ];
    // A file that is not yet whole, and the folder in which the socket is made.
    let begins = |start: &str, length: usize| name.starts_with(start) && name.len() == length;
    let is_named = [&NAMES[..], &INBOX, &DAEMON].iter().any(|names| names.contains(&name));
    is_named || begins(".tmp", 10) || begins(".s", 6)
}

/// Deletes a file, or a folder with all that is in it. One that is gone is no error.
fn remove(path: &Path) -> io::Result<()> {
    let is_folder = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata?.is_dir(),
    };
    match if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) } {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Opens for writing, and makes for the owner alone where there is none.
pub(super) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl fmt::Debug for Home {
    /// Names no path: it would name the person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Home(..)")
    }
}

fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes a rename durable. A directory cannot be opened as a file on Windows, and needs not be.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_sixteen_lower_case_digits_and_nothing_else() {
        let name = FileName::random(&mut warren_crypto::SystemEntropy);
        assert_eq!(FileName::parse(name.as_str()), Some(name));
        for bad in ["", "0011", "../../../../etc/x", "00112233445566FF", "00112233445566778"] {
            assert_eq!(FileName::parse(bad), None, "{bad}");
        }
    }
}
