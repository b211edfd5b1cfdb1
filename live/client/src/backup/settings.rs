//! The backups that are set up, kept in the sealed index.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use warren_archive::retention::Retention;
use warren_backup::Target;
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random;
use warren_wire::{AccountId, Millis};

use crate::device::Device;
use crate::error::ClientError;

/// What the index calls them.
pub(super) const NAME: &str = "backups";
/// What the index calls this device's number.
const DEVICE: &str = "backup device";

/// A backup that is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSettings {
    /// Where it lies, with the secrets that takes.
    pub target: Target,
    /// Whose recovery words open it, as its account's id.
    pub key_account: String,
    /// Which accounts are in it, as ids; `None` for all, also those to come.
    pub accounts: Option<Vec<String>>,
    /// Which snapshots a prune keeps.
    pub retention: Retention,
    /// How often the daemon makes one, in milliseconds; `None` for never.
    pub every: Option<Millis>,
    /// The highest number of a snapshot that this device knows of.
    pub sequence: u64,
    /// The snapshot this device was restored from.
    pub base: Option<String>,
    /// The last one that was made.
    pub last: Option<LastRun>,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When.
    pub at: Millis,
    /// The snapshot's name.
    pub snapshot: String,
    /// How many bytes were backed up.
    pub bytes: u64,
    /// How many of them were written.
    pub written: u64,
}

impl BackupSettings {
    /// A backup of `accounts` at `target`, that the words of `key_account` open.
    pub fn new(target: Target, key_account: &AccountId, accounts: Option<Vec<String>>) -> Self {
        Self {
            target,
            key_account: key_account.to_string(),
            accounts,
            retention: Retention::default(),
            every: None,
            sequence: 0,
            base: None,
            last: None,
        }
    }

    /// Whether the daemon has to make one.
    pub fn is_due(&self, now: Millis) -> bool {
        let last = self.last.as_ref().map_or(0, |last| last.at);
        // A clock that was set back must not keep it waiting for years.
        self.every.is_some_and(|every| now.saturating_sub(last) >= every || last > now)
    }

    pub(super) fn key_account(&self) -> Result<AccountId, ClientError> {
        self.key_account.parse().map_err(|_| ClientError::BackupSettings)
    }
}

impl Device {
    /// The backups that are set up, by name.
    ///
    /// # Errors
    /// Where the index fails.
    pub fn backups(&self) -> Result<BTreeMap<String, BackupSettings>, ClientError> {
        match self.index.setting(NAME)? {
            None => Ok(BTreeMap::new()),
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| ClientError::BackupSettings),
        }
    }

    /// One backup that is set up.
    ///
    /// # Errors
    /// Where there is none of that name, or the index fails.
    pub fn backup(&self, name: &str) -> Result<BackupSettings, ClientError> {
        self.backups()?.remove(name).ok_or_else(|| ClientError::NoBackup(name.to_owned()))
    }

    /// Sets a backup up, or changes it.
    ///
    /// # Errors
    /// Where the index fails.
    pub fn set_backup(&self, name: &str, settings: BackupSettings) -> Result<(), ClientError> {
        let mut backups = self.backups()?;
        backups.insert(name.to_owned(), settings);
        self.keep_backups(&backups)
    }

    /// Forgets a backup. What lies at the place stays there.
    ///
    /// # Errors
    /// Where there is none of that name, or the index fails.
    pub fn forget_backup(&self, name: &str) -> Result<(), ClientError> {
        let mut backups = self.backups()?;
        backups.remove(name).ok_or_else(|| ClientError::NoBackup(name.to_owned()))?;
        self.keep_backups(&backups)
    }

    fn keep_backups(&self, backups: &BTreeMap<String, BackupSettings>) -> Result<(), ClientError> {
        let bytes = serde_json::to_vec(backups).map_err(|_| ClientError::BackupSettings)?;
        Ok(self.index.set_setting(NAME, &bytes)?)
    }

    /// What snapshots call this device: drawn once, and said to nobody else.
    pub(super) fn backup_device(&self) -> Result<[u8; 16], ClientError> {
        if let Some(kept) = self.index.setting(DEVICE)? {
            return kept.try_into().map_err(|_| ClientError::BackupSettings);
        }
        let drawn: [u8; 16] = random(&mut SystemEntropy);
        self.index.set_setting(DEVICE, &drawn)?;
        Ok(drawn)
    }
}
