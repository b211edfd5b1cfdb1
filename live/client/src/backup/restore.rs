//! A device comes back: a new vault, new keys of databases, all accounts, settings and files.
//!
//! What is half restored says so in its index, and opens for nothing else until it is whole. Run again,
//! it goes on behind the last part that was whole.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use warren_account::Account;
use warren_archive::snapshot::Part;
use warren_archive::{ObjectName, Snapshot};
use warren_backup::error::PartFailure;
use warren_backup::restore::Restored;
use warren_backup::{Archive, Restorer, Target};
use warren_crypto::password::Cost;
use warren_crypto::{Secret, SystemEntropy};

use super::made::{Progresses, archive};
use super::parts::{ACCOUNT, DEVICE, DevicePart, FILE, KINDS, VERSION};
use crate::clock::Clock;
use crate::database::{AccountDb, AccountKeys, Load};
use crate::device::Device;
use crate::error::ClientError;
use crate::vault::{FileName, VaultError, sync_directory};

/// What the index calls what is half restored.
const UNFINISHED: &str = "unfinished restore";
/// The longest part of a device that is read, in bytes.
const MOST_DEVICE_BYTES: usize = 64 << 20;

/// A snapshot that is to come back.
pub struct Restoring {
    archive: Archive,
    name: ObjectName,
    snapshot: Snapshot,
    reads_all: bool,
}

/// How far it got, as the index says.
#[derive(Serialize, Deserialize)]
struct Unfinished {
    snapshot: String,
    /// The accounts whose databases are whole.
    accounts: Vec<String>,
}

impl Restoring {
    /// Finds a snapshot at a place by the recovery words: that of a name, or the newest that can be
    /// read. Nothing is written anywhere.
    ///
    /// # Errors
    /// Where the words are wrong or lead to nothing, the snapshot is damaged, or the place fails.
    pub async fn find(
        words: &str,
        target: &Target,
        snapshot: Option<&str>,
    ) -> Result<Self, ClientError> {
        let account = Account::from_mnemonic(words)?;
        let archive = archive(account.seed32(), target, [0; 16], Clock::default())?;
        let (name, snapshot) = archive.snapshot(snapshot).await?;
        archive.check_presence(&snapshot).await?;
        Ok(Self { archive, name, snapshot, reads_all: false })
    }

    /// Tells how far it gets.
    #[must_use]
    pub fn watched_by(self, progresses: Progresses) -> Self {
        Self { archive: self.archive.watched_by(progresses), ..self }
    }

    /// Also reads the parts of kinds that this program does not know, and keeps nothing of them.
    pub(super) fn reading_all(self) -> Self {
        Self { reads_all: true, ..self }
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.name.to_string()
    }

    /// What it says.
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Brings it back into a home where there is none, or goes on with one that is half restored. Parts
    /// of kinds that this program does not know stay at the place, and are carried along by the next
    /// backup.
    ///
    /// # Errors
    /// Where there is a home already, the passphrase is not that of the half restored one, a part is
    /// damaged, or the place or the disk fails. What came back stays for the next try.
    pub async fn run(
        &self,
        home: &Path,
        passphrase: &str,
        cost: Cost,
    ) -> Result<Restored, ClientError> {
        let mut taker = Taker::begin(home, passphrase, cost, self.name)?;
        taker.reads_all = self.reads_all;
        let restored = self.archive.restore(&self.snapshot, Box::new(taker)).await?;
        let device = Device::unlock_unfinished(home, passphrase)?;
        device.adopt_backups(&self.name, self.snapshot.sequence)?;
        device.index.remove_setting(UNFINISHED)?;
        Ok(restored)
    }
}

impl std::fmt::Debug for Restoring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Restoring(..)")
    }
}

impl Device {
    /// Whether a backup came back into it half.
    pub(crate) fn is_unfinished(&self) -> Result<bool, ClientError> {
        Ok(self.index.setting(UNFINISHED)?.is_some())
    }

    /// Its backups go on from the snapshot it came from.
    fn adopt_backups(&self, from: &ObjectName, sequence: u64) -> Result<(), ClientError> {
        for (name, mut settings) in self.backups()? {
            settings.base = Some(from.to_string());
            settings.sequence = settings.sequence.max(sequence);
            self.set_backup(&name, settings)?;
        }
        Ok(())
    }
}

/// Takes parts back into a home.
struct Taker {
    device: Device,
    unfinished: Unfinished,
    open: Open,
    /// Reads what it does not know, too.
    reads_all: bool,
}

/// The part that began.
enum Open {
    Nothing,
    Unknown,
    Device(Vec<u8>),
    Account(Box<Load>, Box<AccountKeys>),
    File { file: NamedTempFile, path: PathBuf },
}

impl Taker {
    fn begin(
        home: &Path,
        passphrase: &str,
        cost: Cost,
        snapshot: ObjectName,
    ) -> Result<Self, ClientError> {
        let device = if Device::exists(home) {
            Device::unlock_unfinished(home, passphrase)?
        } else {
            Device::create(home, passphrase, cost)?
        };
        let fresh = Unfinished { snapshot: snapshot.to_string(), accounts: Vec::new() };
        let unfinished = match device.index.setting(UNFINISHED)? {
            Some(bytes) => {
                let kept: Unfinished =
                    serde_json::from_slice(&bytes).map_err(|_| ClientError::BackupSettings)?;
                // Another snapshot begins anew.
                if kept.snapshot == fresh.snapshot { kept } else { fresh }
            }
            // A home without an account is one whose restoring was stopped at its first step.
            None if device.accounts()?.is_empty() => fresh,
            None => return Err(VaultError::Exists.into()),
        };
        let taker = Self { device, unfinished, open: Open::Nothing, reads_all: false };
        taker.note()?;
        Ok(taker)
    }

    fn note(&self) -> Result<(), ClientError> {
        let bytes = serde_json::to_vec(&self.unfinished);
        let bytes = bytes.map_err(|_| ClientError::BackupSettings)?;
        Ok(self.device.index.set_setting(UNFINISHED, &bytes)?)
    }

    /// Where a file of a part goes, and its keys' account.
    fn file_path(&self, name: &str) -> Result<PathBuf, PartFailure> {
        let (id, file) = name.split_once('/').ok_or("it has no name of a file")?;
        let file = FileName::parse(file).ok_or("it has no name of a file")?;
        let keys = self.device.index.account(&id.parse()?)?;
        let folder = self.device.vault.home().make_files_folder(keys.file())?;
        Ok(folder.join(file.as_str()))
    }

    /// Accounts and settings. What a try before brought is replaced.
    fn take_device(&self, bytes: &[u8]) -> Result<(), PartFailure> {
        let part: DevicePart = serde_json::from_slice(bytes)?;
        let index = &self.device.index;
        let here: HashSet<String> =
            index.accounts()?.iter().map(|entry| entry.id.to_string()).collect();
        for account in part.accounts {
            let seed = Secret::from_slice(&hex::decode(&account.seed)?).ok_or("a seed is none")?;
            let of_seed = Account::from_seed32(seed.duplicate())?;
            let id = account.id.parse()?;
            if of_seed.id() != id {
                return Err("an account has the seed of another".into());
            }
            if !here.contains(&account.id) {
                let display_name = account.display_name.as_deref();
                let (label, created) = (&account.label, account.created);
                index.add_account(&id, label, display_name, seed, created, &mut SystemEntropy)?;
            }
            index.set_notification_mode(&id, account.notifications)?;
        }
        for (name, value) in part.settings {
            index.set_setting(&name, &hex::decode(value)?)?;
        }
        Ok(())
    }

    fn begin_account(&self, part: &Part) -> Result<Open, PartFailure> {
        let keys = self.device.index.account(&part.name.parse()?)?;
        let home = self.device.vault.home();
        // What a try before left of it.
        home.remove_database_alone(keys.file())?;
        let load = Load::begin(&home.database_file(keys.file()), keys.database_key())?;
        Ok(Open::Account(Box::new(load), Box::new(keys)))
    }

    fn end_account(&mut self, load: Load, keys: &AccountKeys) -> Result<(), PartFailure> {
        load.finish()?;
        let mut db = AccountDb::open(&self.device.vault, keys)?;
        db.transact(|tx| tx.settle_restored())?;
        drop(db);
        self.unfinished.accounts.push(keys.entry.id.to_string());
        Ok(self.note()?)
    }
}

impl Restorer for Taker {
    fn wants(&mut self, part: &Part) -> bool {
        match part.kind.as_str() {
            DEVICE => true,
            ACCOUNT => !self.unfinished.accounts.contains(&part.name),
            FILE => {
                let there =
                    self.file_path(&part.name).ok().and_then(|path| fs::metadata(path).ok());
                there.is_none_or(|metadata| metadata.len() != part.size)
            }
            _ => self.reads_all,
        }
    }

    fn begin(&mut self, part: &Part) -> Result<(), PartFailure> {
        if !KINDS.contains(&part.kind.as_str()) {
            self.open = Open::Unknown;
            return Ok(());
        }
        if part.version > VERSION {
            return Err("a newer Warren made it: update this one".into());
        }
        self.open = match part.kind.as_str() {
            DEVICE => Open::Device(Vec::new()),
            ACCOUNT => self.begin_account(part)?,
            _ => {
                let path = self.file_path(&part.name)?;
                let folder = path.parent().ok_or("it has no folder")?;
                Open::File { file: NamedTempFile::new_in(folder)?, path }
            }
        };
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PartFailure> {
        match &mut self.open {
            Open::Nothing => Err("nothing was begun".into()),
            Open::Unknown => Ok(()),
            Open::Device(so_far) if so_far.len() + bytes.len() > MOST_DEVICE_BYTES => {
                Err("it is too large".into())
            }
            Open::Device(so_far) => {
                so_far.extend_from_slice(bytes);
                Ok(())
            }
            Open::Account(load, _) => Ok(load.take(bytes)?),
            Open::File { file, .. } => Ok(file.write_all(bytes)?),
        }
    }

    fn end(&mut self, _part: &Part) -> Result<(), PartFailure> {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => Err("nothing was begun".into()),
            Open::Unknown => Ok(()),
            Open::Device(bytes) => self.take_device(&bytes),
            Open::Account(load, keys) => self.end_account(*load, &keys),
            Open::File { file, path } => {
                file.as_file().sync_all()?;
                file.persist(&path)?;
                Ok(path.parent().map_or(Ok(()), sync_directory)?)
            }
        }
    }
}
