//! What went wrong with a backup, and what to do.

use std::io;

use warren_archive::{ArchiveError, ObjectName};

/// An error of whoever gives or takes a part.
pub type PartFailure = Box<dyn std::error::Error + Send + Sync>;

/// Why a backup was not made, read or pruned. No text holds content or a secret.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The place does not answer, or refuses.
    #[error("the place of the backup cannot be used: {0}")]
    Place(#[from] opendal::Error),
    /// The description of a place makes no sense.
    #[error("the place of the backup is not described well: {0}")]
    Target(String),
    /// What was written is not what is read.
    #[error("the place of the backup does not keep what is written to it ({0}): use another")]
    NotKept(ObjectName),
    /// Another device writes.
    #[error(
        "another device is writing to this backup, last {minutes} minutes ago: try again when it \
         is done, or in half an hour if it died"
    )]
    Locked {
        /// How long ago it said so.
        minutes: u64,
    },
    /// Another process of this device writes.
    #[error("this backup is being written or pruned by another Warren process on this device")]
    Busy,
    /// The lock was lost on the way.
    #[error("somebody else began to write to this backup meanwhile: run it again")]
    LockLost,
    /// The phrase leads to no archive.
    #[error(
        "there is no backup of this account at that place: check the recovery words and the place"
    )]
    Nothing,
    /// No snapshot of that name.
    #[error("there is no such snapshot: `warren backup list` shows them")]
    NoSuchSnapshot,
    /// A snapshot does not open.
    #[error("the snapshot {name} is damaged and is not used: {error}")]
    Snapshot {
        /// Its name.
        name: ObjectName,
        /// Why.
        error: ArchiveError,
    },
    /// A part does not come back.
    #[error("the part {kind}/{name} is damaged and is not restored: {reason}")]
    Part {
        /// What reads it.
        kind: String,
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
    /// The place shows less than it did.
    #[error(
        "the place of the backup shows an older state than it did: its newest snapshot has number \
         {found}, this device knows number {known}"
    )]
    RolledBack {
        /// The newest there.
        found: u64,
        /// The newest known.
        known: u64,
    },
    /// Removing could remove what a snapshot needs.
    #[error(
        "{} snapshots cannot be read, so nothing is removed that they may need: verify the backup, \
         or give them up with --drop-damaged", .0.len()
    )]
    UnreadableSnapshots(Vec<ObjectName>),
    /// Whoever gives or takes a part refused.
    #[error("the part {kind}/{name}: {error}")]
    Given {
        /// What reads it.
        kind: String,
        /// Which.
        name: String,
        /// Why.
        error: PartFailure,
    },
    /// What an archive holds cannot be written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A primitive refused.
    #[error(transparent)]
    Crypto(#[from] warren_crypto::CryptoError),
    /// The disk of this device.
    #[error("this device's own notes on the backup cannot be kept: {0}")]
    Io(#[from] io::Error),
    /// A thread ended; its own message is on stderr.
    #[error("the backup stopped: a part of this program failed")]
    Stopped,
}

impl BackupError {
    /// A name for programs, which stays the same where the words change.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Place(_) => "backup_place",
            Self::Target(_) => "backup_target",
            Self::NotKept(_) => "backup_not_kept",
            Self::Locked { .. } | Self::Busy | Self::LockLost => "backup_locked",
            Self::Nothing => "no_backup",
            Self::NoSuchSnapshot => "no_such_snapshot",
            Self::Snapshot { .. } | Self::Part { .. } => "backup_damaged",
            Self::RolledBack { .. } => "backup_rolled_back",
            Self::UnreadableSnapshots(_) => "backup_unreadable",
            Self::Given { .. } => "backup_part",
            Self::Archive(_) | Self::Crypto(_) | Self::Io(_) | Self::Stopped => "backup",
        }
    }

    /// Whether trying again later may help.
    pub fn is_network(&self) -> bool {
        matches!(self, Self::Place(error) if error.is_temporary())
    }
}
