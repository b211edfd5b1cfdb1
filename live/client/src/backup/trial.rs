//! A trial: a backup comes back from the recovery words and the place alone, into a home of its own
//! beside this one, is read to its end and counted, and is wiped.
//!
//! What is there meanwhile is a home like any other, sealed under a key that nobody keeps. It lies where
//! a wipe of this home destroys it, too. Nothing that this device remembers of the place is made use of.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use warren_account::Mnemonic;
use warren_backup::restore::Restored;
use warren_backup::{BackupError, Target};
use warren_crypto::entropy::random;
use warren_crypto::password::Cost;
use warren_crypto::{SecretBytes, SystemEntropy};
use warren_wire::{AccountId, Millis};

use super::made::Progresses;
use super::restore::Restoring;
use crate::attachments::{AttachmentError, FileStore, StoredFile};
use crate::database::{AccountDb, AccountKeys};
use crate::device::Device;
use crate::error::ClientError;
use crate::vault::{Vault, wipe};

/// The folder of a trial, beside what is remembered of backups.
const FOLDER: &str = "trial";
/// Held by whoever tries.
const LOCK: &str = "trial.lock";
/// How much of a file is read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// What a device holds, account by account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// Its accounts, in the order they came.
    pub accounts: Vec<AccountCensus>,
}

/// What a device holds of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCensus {
    /// Which.
    pub id: AccountId,
    /// What the person calls it.
    pub label: String,
    /// Conversations, with people and in groups.
    pub conversations: u64,
    /// Messages in them.
    pub messages: u64,
    /// People who are known.
    pub contacts: u64,
    /// Files of messages that are here and could be read to their end.
    pub files: u64,
    /// Bytes of these.
    pub file_bytes: u64,
    /// Two that hold the same have the same.
    digest: [u8; 32],
}

impl Census {
    /// An account's.
    pub fn of(&self, id: &AccountId) -> Option<&AccountCensus> {
        self.accounts.iter().find(|account| account.id == *id)
    }

    /// The first account of `here` that is another in this one, or not in it.
    pub fn differs_from<'a>(&self, here: &'a Self) -> Option<&'a AccountCensus> {
        here.accounts.iter().find(|account| self.of(&account.id) != Some(*account))
    }
}

/// Accounts about to be counted, with all that it takes, so that the device is free meanwhile.
pub struct Counting {
    vault: Vault,
    accounts: Vec<AccountKeys>,
}

impl Counting {
    /// Counts. Reads every message and every file: for a thread that may wait for the disk.
    ///
    /// # Errors
    /// Where a database fails.
    pub fn count(&self) -> Result<Census, ClientError> {
        let accounts = self.accounts.iter().map(|keys| self.account(keys));
        Ok(Census { accounts: accounts.collect::<Result<_, _>>()? })
    }

    fn account(&self, keys: &AccountKeys) -> Result<AccountCensus, ClientError> {
        let db = AccountDb::open(&self.vault, keys)?;
        let held = db.held()?;
        let folder = self.vault.home().make_files_folder(keys.file());
        let store = FileStore::new(folder.map_err(AttachmentError::from)?);
        let (mut files, mut file_bytes) = (0, 0);
        for file in db.files_here()?.iter().filter_map(StoredFile::of_local) {
            if let Some(bytes) = read(&store, &file) {
                files += 1;
                file_bytes += bytes;
            }
        }
        Ok(AccountCensus {
            id: keys.entry.id,
            label: keys.entry.label.clone(),
            conversations: held.conversations,
            messages: held.messages,
            contacts: held.contacts,
            files,
            file_bytes,
            digest: held.digest,
        })
    }
}

impl std::fmt::Debug for Counting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counting(..)")
    }
}

/// The bytes of a file that opens to its end; `None` for one that does not, or is not there.
fn read(store: &FileStore, file: &StoredFile) -> Option<u64> {
    let mut reader = store.open(file).ok()?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        match reader.read(&mut piece).ok()? {
            0 => return (bytes == file.size).then_some(bytes),
            count => bytes += u64::try_from(count).ok()?,
        }
    }
}

/// A trial of a backup, with all that it takes from the device.
pub struct Trial {
    words: Mnemonic,
    target: Target,
    folder: PathBuf,
    progresses: Option<Progresses>,
}

/// A backup that came back.
#[derive(Debug)]
pub struct Tried {
    /// The snapshot's name.
    pub snapshot: String,
    /// When it was made.
    pub created: Millis,
    /// What came back.
    pub restored: Restored,
    /// What it held.
    pub census: Census,
}

impl Device {
    /// Takes from the device what it takes to count what it holds of the accounts that a backup is of.
    ///
    /// # Errors
    /// Where none of that name is set up, or the index fails.
    pub fn counting(&self, backup: &str) -> Result<Counting, ClientError> {
        let chosen = self.backup(backup)?.accounts;
        Ok(Counting { vault: self.vault.again(), accounts: self.chosen(chosen.as_deref())? })
    }

    /// Takes from the device what it takes to try a backup that is set up.
    ///
    /// # Errors
    /// Where none of that name is set up, its account is gone, or the index fails.
    pub fn backup_trial(&self, name: &str) -> Result<Trial, ClientError> {
        let settings = self.backup(name)?;
        let words = self.mnemonic(&settings.key_account()?.to_string())?;
        let folder = self.vault.home().backup_folder();
        Ok(Trial { words, target: settings.target, folder, progresses: None })
    }
}

impl Trial {
    /// Tells how far it gets.
    #[must_use]
    pub fn watched_by(self, progresses: Progresses) -> Self {
        Self { progresses: Some(progresses), ..self }
    }

    /// Brings a snapshot back, reads every object of it and every message and file in it, and wipes what
    /// came back. Needs as much free room as the accounts take up.
    ///
    /// # Errors
    /// Where another trial is at work, the snapshot is not there, a part of it is damaged, or the place or
    /// the disk fails.
    pub async fn run(&self, snapshot: &str) -> Result<Tried, ClientError> {
        fs::create_dir_all(&self.folder).map_err(BackupError::from)?;
        let _alone = be_alone(&self.folder.join(LOCK))?;
        let home = TrialHome::begin(self.folder.join(FOLDER))?;
        let found = Restoring::find(self.words.expose(), &self.target, Some(snapshot)).await?;
        let found = found.reading_all();
        let found = match &self.progresses {
            Some(progresses) => found.watched_by(progresses.clone()),
            None => found,
        };
        let passphrase = passphrase();
        let text = str::from_utf8(passphrase.expose()).unwrap_or_default();
        // Nobody guesses at 32 random bytes.
        let restored = found.run(&home.0, text, Cost::LEAST).await?;
        let device = Device::unlock(&home.0, text)?;
        let counting = Counting { vault: device.vault.again(), accounts: device.chosen(None)? };
        drop(device);
        let counted = tokio::task::spawn_blocking(move || counting.count()).await;
        let census = counted.map_err(|_| BackupError::Stopped)??;
        home.end()?;
        let created = found.snapshot().created;
        Ok(Tried { snapshot: found.name(), created, restored, census })
    }
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trial(..)")
    }
}

fn passphrase() -> SecretBytes {
    let mut bytes: [u8; 32] = random(&mut SystemEntropy);
    let text = SecretBytes::take(hex::encode(bytes).into_bytes());
    bytes.fill(0);
    text
}

fn be_alone(path: &Path) -> Result<fs::File, BackupError> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(BackupError::Busy),
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

/// The home of a trial; wiped with its value.
struct TrialHome(PathBuf);

impl TrialHome {
    /// An empty one, where one that was cut off may lie.
    fn begin(folder: PathBuf) -> Result<Self, ClientError> {
        let home = Self(folder);
        home.wipe()?;
        Ok(home)
    }

    fn end(self) -> Result<(), ClientError> {
        self.wipe()
    }

    fn wipe(&self) -> Result<(), ClientError> {
        if Device::exists(&self.0) {
            wipe::wipe(&self.0)?;
        }
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(BackupError::from(error).into())
            }
            _ => Ok(()),
        }
    }
}

impl Drop for TrialHome {
    fn drop(&mut self) {
        // What it leaves, the next trial or a wipe of the home takes.
        let _ = self.wipe();
    }
}
