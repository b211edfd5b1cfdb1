//! What can be typed about backups.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::conversations::duration;

/// Behind the help of `warren backup`.
pub(super) const BACKUP_HELP: &str = "\
A backup holds accounts with their messages, files, contacts and settings, encrypted so that
the recovery words of one account open it and nothing else does. The place sees objects
without names, of few sizes, and when they come.

The place is described in JSON, in a file, on stdin (`--place -`) or in the environment variable
WARREN_BACKUP_PLACE, because other users can see arguments. It is kept encrypted in the home.
  {\"type\":\"folder\",\"path\":\"/media/disk\"}
  {\"type\":\"s3\",\"bucket\":\"B\",\"endpoint\":\"https://...\",\"region\":\"...\",
   \"access_key_id\":\"...\",\"secret_access_key\":\"...\"}
  {\"type\":\"webdav\",\"endpoint\":\"https://cloud.example/remote.php/dav/files/alice\",
   \"username\":\"alice\",\"password\":\"...\"}
  {\"type\":\"sftp\",\"endpoint\":\"alice@example.org\",\"key_file\":\"...\"}
  {\"type\":\"google_drive\"|\"dropbox\"|\"onedrive\",\"refresh_token\":\"...\",\"client_id\":\"...\",
   \"client_secret\":\"...\"}
Each but the first takes a folder as \"root\", too. A backup goes to its place directly, not through
the network: the place sees where it comes from.

Examples:
  warren backup init --folder /media/disk
  warren backup run
  warren backup verify --bytes
  warren backup schedule 1d
  warren --home NEW backup restore --folder /media/disk < words";

/// `warren backup ...`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Set a backup up; nothing is written to the place yet
    Init {
        /// Where
        #[command(flatten)]
        place: PlaceArgs,
        /// What it is called here
        #[command(flatten)]
        name: BackupName,
        /// An account to be in it, by name or id; may be given several times [default: all]
        #[arg(long, value_name = "NAME|ID")]
        only: Vec<String>,
        /// Which snapshots a prune keeps
        #[command(flatten)]
        keep: KeepArgs,
    },
    /// Back up what is new
    Run(BackupName),
    /// Show the backups that are set up, and their snapshots
    List(BackupName),
    /// See whether everything is there; exit code 1 where something is damaged
    Verify {
        /// Which
        #[command(flatten)]
        name: BackupName,
        /// Read every byte, too
        #[arg(long)]
        bytes: bool,
    },
    /// Bring a device back into a home where there is none, from recovery words on stdin or typed
    Restore {
        /// Where it lies
        #[command(flatten)]
        place: PlaceArgs,
        /// Which snapshot, by the beginning of its name [default: the newest that can be read]
        #[arg(long, value_name = "NAME")]
        snapshot: Option<String>,
    },
    /// Remove old snapshots, and what nothing needs any more
    Prune {
        /// Which
        #[command(flatten)]
        name: BackupName,
        /// Give up snapshots that cannot be read
        #[arg(long)]
        drop_damaged: bool,
        /// Which snapshots to keep from now on
        #[command(flatten)]
        keep: KeepArgs,
    },
    /// Have the daemon back up every so often; `off` ends that
    Schedule {
        /// How often, such as 12h, 1d or 1w; without it, what is set is shown
        #[arg(value_parser = every)]
        every: Option<Every>,
        /// Which
        #[command(flatten)]
        name: BackupName,
    },
    /// Forget a backup here; what lies at the place stays there
    Forget(BackupName),
}

/// Which backup.
#[derive(Debug, Clone, Args)]
pub struct BackupName {
    /// Which backup, where several are set up
    #[arg(long = "backup", default_value = "main", value_name = "NAME")]
    pub name: String,
}

/// Where a backup lies.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// A folder, which exists
    #[arg(long, value_name = "DIR", conflicts_with = "place")]
    pub folder: Option<PathBuf>,
    /// A file that describes the place in JSON, or `-` for stdin
    #[arg(long, value_name = "FILE|-")]
    pub place: Option<PathBuf>,
}

/// Which snapshots stay.
#[derive(Debug, Clone, Args)]
pub struct KeepArgs {
    /// How many of the newest [default: 3]
    #[arg(long, value_name = "NUMBER")]
    pub keep_last: Option<usize>,
    /// One a day, of so many days [default: 7]
    #[arg(long, value_name = "NUMBER")]
    pub keep_daily: Option<usize>,
    /// One a week, of so many weeks [default: 4]
    #[arg(long, value_name = "NUMBER")]
    pub keep_weekly: Option<usize>,
    /// One a month, of so many months [default: 12]
    #[arg(long, value_name = "NUMBER")]
    pub keep_monthly: Option<usize>,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// Never.
    Off,
    /// Every so many seconds.
    Seconds(u32),
}

fn every(text: &str) -> Result<Every, String> {
    if text == "off" { Ok(Every::Off) } else { duration(text).map(Every::Seconds) }
}
