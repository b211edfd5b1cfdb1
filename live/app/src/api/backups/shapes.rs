//! What is said and answered about backups.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use warren_client::backup::{BackupSettings, Made, Retention, Verified};

/// The backups that are set up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Backups {
    /// By name.
    pub backups: Vec<Backup>,
}

/// A backup that is set up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// What it is called here.
    pub name: String,
    /// Where it lies, for a person: without what opens the place.
    pub place: String,
    /// The account whose recovery words open it.
    pub key_account: String,
    /// Which accounts are in it; absent for all, also those to come.
    pub accounts: Option<Vec<String>>,
    /// Which snapshots a prune keeps.
    pub keep: Keep,
    /// How often the daemon makes one; absent for never.
    pub every_seconds: Option<u64>,
    /// When the last one was made.
    pub last_at: Option<u64>,
    /// Its snapshot.
    pub last_snapshot: Option<String>,
}

/// Which snapshots a prune keeps.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
pub struct Keep {
    /// How many of the newest.
    pub last: usize,
    /// One a day, of so many days.
    pub daily: usize,
    /// One a week, of so many weeks.
    pub weekly: usize,
    /// One a month, of so many months.
    pub monthly: usize,
}

/// A backup to be set up.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct NewBackup {
    /// What it is to be called here.
    pub name: String,
    /// Where it is to lie, as `warren backup --help` describes places: `{"type":"folder","path":...}`.
    #[schema(value_type = Object)]
    pub place: Value,
    /// The account whose recovery words are to open it; the first one where none is named.
    pub key_account: Option<String>,
    /// The accounts to be in it; all where none are named.
    pub accounts: Option<Vec<String>>,
    /// Which snapshots a prune keeps.
    pub keep: Option<Keep>,
}

/// How often the daemon backs up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Every so many seconds; absent for never.
    pub every_seconds: Option<u64>,
}

/// How thoroughly to look.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Verify {
    /// Every byte is read, too.
    #[serde(default)]
    pub bytes: bool,
}

/// What to remove.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Prune {
    /// Give up snapshots that cannot be read.
    #[serde(default)]
    pub drop_damaged: bool,
    /// Which snapshots to keep from now on.
    pub keep: Option<Keep>,
}

/// What lies at a place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Snapshots {
    /// The oldest first, those that cannot be read last.
    pub snapshots: Vec<BackupSnapshot>,
}

/// A snapshot.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupSnapshot {
    /// Its name.
    pub name: String,
    /// Why it cannot be read.
    pub error: Option<String>,
    /// When it was made, where it can be read.
    pub created: Option<u64>,
    /// Its number.
    pub number: Option<u64>,
    /// How many parts there are in it.
    pub parts: Option<usize>,
    /// How many bytes these are.
    pub bytes: Option<u64>,
}

/// A backup that was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MadeBackup {
    /// The snapshot's name.
    pub snapshot: String,
    /// Its number.
    pub number: u64,
    /// When.
    pub created: u64,
    /// How many parts there are in it.
    pub parts: usize,
    /// How many of them are as they were.
    pub unchanged: usize,
    /// How many bytes they are.
    pub bytes: u64,
    /// How many were written, and read back.
    pub written: u64,
    /// Snapshots that cannot be read.
    pub unreadable: Vec<String>,
    /// The number of the newest snapshot that the place showed, where this device knows of a newer one.
    pub rolled_back_to: Option<u64>,
}

/// What was seen of a backup.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct VerifiedBackup {
    /// Nothing is wrong.
    pub good: bool,
    /// Snapshots that can be read.
    pub snapshots: usize,
    /// Bytes of what they need.
    pub bytes: u64,
    /// Why others cannot.
    pub unreadable: Vec<String>,
    /// Parts that would not come back.
    pub damaged: Vec<DamagedPart>,
    /// Snapshots of which everything comes back, the oldest first.
    pub good_snapshots: Vec<String>,
    /// The place shows an older state than this device knows.
    pub rolled_back: Option<String>,
}

/// A part that would not come back.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DamagedPart {
    /// Of which snapshot.
    pub snapshot: String,
    /// What it is of: `device`, `account` or `file`.
    pub kind: String,
    /// Which.
    pub name: String,
}

/// What was removed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PrunedBackup {
    /// Snapshots that stay.
    pub kept: usize,
    /// Snapshots that went.
    pub removed: usize,
    /// Bytes that went.
    pub bytes: u64,
}

impl Backup {
    pub(super) fn of(name: &str, settings: &BackupSettings) -> Self {
        let last = settings.last.as_ref();
        Self {
            name: name.to_owned(),
            place: settings.target.describe(),
            key_account: settings.key_account.clone(),
            accounts: settings.accounts.clone(),
            keep: settings.retention.into(),
            every_seconds: settings.every.map(|every| every / 1000),
            last_at: last.map(|last| last.at),
            last_snapshot: last.map(|last| last.snapshot.clone()),
        }
    }
}

impl From<Retention> for Keep {
    fn from(Retention { last, daily, weekly, monthly }: Retention) -> Self {
        Self { last, daily, weekly, monthly }
    }
}

impl From<Keep> for Retention {
    fn from(Keep { last, daily, weekly, monthly }: Keep) -> Self {
        Self { last, daily, weekly, monthly }
    }
}

impl MadeBackup {
    pub(super) fn of(made: &Made, created: u64) -> Self {
        Self {
            snapshot: made.snapshot.to_string(),
            number: made.sequence,
            created,
            parts: made.parts,
            unchanged: made.unchanged,
            bytes: made.bytes,
            written: made.written,
            unreadable: made.unreadable.iter().map(ToString::to_string).collect(),
            rolled_back_to: made.rolled_back_to,
        }
    }
}

impl VerifiedBackup {
    pub(super) fn of(verified: &Verified) -> Self {
        let damaged = verified.damaged.iter().map(|one| DamagedPart {
            snapshot: one.snapshot.to_string(),
            kind: one.kind.clone(),
            name: one.name.clone(),
        });
        Self {
            good: verified.is_good(),
            snapshots: verified.snapshots,
            bytes: verified.bytes,
            unreadable: verified.unreadable.iter().map(ToString::to_string).collect(),
            damaged: damaged.collect(),
            good_snapshots: verified.good.iter().map(ToString::to_string).collect(),
            rolled_back: verified.rolled_back.as_ref().map(ToString::to_string),
        }
    }
}
