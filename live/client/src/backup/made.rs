//! Backups made, verified and pruned.

use std::sync::{Arc, Mutex, PoisonError};

use warren_archive::{ArchiveKeys, ObjectName};
use warren_backup::prune::Pruned;
use warren_backup::run::{Made, Work};
use warren_backup::verify::{Depth, Verified};
use warren_backup::{Archive, Found, Place, Progress};
use warren_crypto::Secret;

use super::parts::KINDS;
use super::settings::{BackupSettings, LastRun};
use crate::clock::Clock;
use crate::device::Device;
use crate::error::ClientError;

/// Whoever wants to know how far it got. Called from several threads.
pub type Progresses = Arc<dyn Fn(Progress) + Send + Sync>;

/// What snapshots are said to be written by.
const PROGRAM: &str = concat!("warren ", env!("CARGO_PKG_VERSION"));

/// A backup with all that it takes from the device, so that the device is free while it is made.
pub struct Job {
    name: String,
    settings: BackupSettings,
    archive: Archive,
    /// In a lock so that a job can be looked at from several threads.
    work: Mutex<Option<Work>>,
    now: Clock,
}

/// The archive at a place that a seed opens.
pub(super) fn archive(
    seed: &Secret<32>,
    settings_target: &warren_backup::Target,
    device: [u8; 16],
    clock: Clock,
) -> Result<Archive, ClientError> {
    let keys = ArchiveKeys::of_seed(seed)?;
    let place = Place::open(settings_target, &keys)?;
    Ok(Archive::new(keys, place, device, Arc::new(move || clock.now())))
}

impl Device {
    /// Takes from the device what it takes to work on a backup that is set up.
    ///
    /// # Errors
    /// Where none of that name is set up, its account is gone, or the index or disk fails.
    pub fn backup_job(&self, name: &str) -> Result<Job, ClientError> {
        let settings = self.backup(name)?;
        let keys = self.index.account(&settings.key_account()?)?;
        let clock = self.clock().clone();
        let archive = archive(&keys.seed, &settings.target, self.backup_device()?, clock.clone())?;
        let archive = archive.with_memory(&self.vault.home().backup_folder())?;
        let (parts, total) = self.parts(self.chosen(settings.accounts.as_deref())?)?;
        let base = settings.base.as_deref().and_then(ObjectName::parse);
        let work = Work {
            parts,
            kinds: KINDS,
            base,
            known_sequence: settings.sequence,
            total,
            program: PROGRAM.to_owned(),
        };
        Ok(Job {
            name: name.to_owned(),
            settings,
            archive,
            work: Mutex::new(Some(work)),
            now: clock,
        })
    }

    /// Remembers a backup that was made.
    ///
    /// # Errors
    /// Where it is set up no more, or the index fails.
    pub fn note_backup(&self, name: &str, made: &Made, at: u64) -> Result<(), ClientError> {
        let mut settings = self.backup(name)?;
        settings.sequence = settings.sequence.max(made.sequence);
        settings.base = None;
        settings.last = Some(LastRun {
            at,
            snapshot: made.snapshot.to_string(),
            bytes: made.bytes,
            written: made.written,
        });
        self.set_backup(name, settings)
    }
}

impl Job {
    /// Tells how far it gets.
    #[must_use]
    pub fn watched_by(self, progresses: Progresses) -> Self {
        Self { archive: self.archive.watched_by(progresses), ..self }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is set up.
    pub const fn settings(&self) -> &BackupSettings {
        &self.settings
    }

    /// The time on this device.
    pub fn now(&self) -> u64 {
        self.now.now()
    }

    /// Makes the backup; [`Device::note_backup`] is told of it then.
    ///
    /// # Errors
    /// Where another writer is at work, a part cannot be read, or the place fails.
    pub async fn run(&mut self) -> Result<Made, ClientError> {
        let work = self.work.get_mut().unwrap_or_else(PoisonError::into_inner);
        let work = work.take().ok_or(ClientError::BackupSettings)?;
        Ok(self.archive.run(work).await?)
    }

    /// Gives the place back after a run that was stopped halfway.
    ///
    /// # Errors
    /// Where the place fails.
    pub async fn unlock(&self) -> Result<(), ClientError> {
        Ok(self.archive.unlock().await?)
    }

    /// All snapshots, oldest first, those that cannot be read last.
    ///
    /// # Errors
    /// Where the place fails.
    pub async fn snapshots(&self) -> Result<Vec<Found>, ClientError> {
        Ok(self.archive.snapshots().await?)
    }

    /// Whether everything is there.
    ///
    /// # Errors
    /// Where the place fails or holds nothing.
    pub async fn verify(&self, depth: Depth) -> Result<Verified, ClientError> {
        Ok(self.archive.verify(depth, self.settings.sequence).await?)
    }

    /// Removes what the retention does not keep, and what nothing needs.
    ///
    /// # Errors
    /// Where another writer is at work, a snapshot cannot be read, or the place fails.
    pub async fn prune(&self, drop_damaged: bool) -> Result<Pruned, ClientError> {
        Ok(self.archive.prune(self.settings.retention, drop_damaged).await?)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job(..)")
    }
}
