//! Where things lie under the home directory, and how a file there is replaced whole or not at all.

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
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The key slot.
    pub(super) fn key_file(&self) -> PathBuf {
        self.root.join("vault.key")
    }

    /// The database of accounts and settings.
    pub(crate) fn index_file(&self) -> PathBuf {
        self.root.join("index.db")
    }

    fn accounts(&self) -> PathBuf {
        self.root.join("accounts")
    }

    /// One account's database.
    pub(crate) fn account_file(&self, name: &FileName) -> PathBuf {
        self.accounts().join(format!("{}.db", name.as_str()))
    }

    /// The folder of one account's files, which is made where there is none.
    pub(crate) fn make_files_folder(&self, name: &FileName) -> io::Result<PathBuf> {
        let folder = self.files_folder(name);
        make_private(&folder)?;
        sync_directory(&self.accounts())?;
        Ok(folder)
    }

    fn files_folder(&self, name: &FileName) -> PathBuf {
        self.accounts().join(format!("{}.files", name.as_str()))
    }

    /// Makes the directories, for their owner alone.
    ///
    /// A directory that held something before keeps its permissions: it may be somebody's.
    pub(super) fn make(&self) -> io::Result<()> {
        make_private(&self.root)?;
        if fs::read_dir(&self.root)?.next().is_none() {
            restrict(&self.root)?;
        }
        make_private(&self.accounts())?;
        sync_directory(&self.root)
    }

    /// Writes a file that must not exist yet, durably.
    pub(super) fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.stage(bytes)?.persist_noclobber(path).map_err(|error| error.error)?;
        sync_directory(&self.root)
    }

    /// Writes a file over the one before, durably.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.stage(bytes)?.persist(path).map_err(|error| error.error)?;
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
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map(drop)
    }

    /// The names of all account databases that lie here, wanted or not.
    pub(crate) fn account_files(&self) -> io::Result<Vec<FileName>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.accounts())? {
            let name = entry?.file_name();
            let name = name.to_str().and_then(|name| name.split('.').next());
            if let Some(name) = name.and_then(FileName::parse)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Deletes one account's database with its log and shared memory, and its files.
    pub(crate) fn remove_account_file(&self, name: &FileName) -> io::Result<()> {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let path = self.accounts().join(format!("{}.db{suffix}", name.as_str()));
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match fs::remove_dir_all(self.files_folder(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        sync_directory(&self.accounts())
    }
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
