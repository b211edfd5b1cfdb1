//! What can be typed before a border.

use clap::Args;

/// Behind the help of `warren border`.
pub(super) const BORDER_HELP: &str = "\
Makes every backup that is set up, brings each back into a place of its own from the recovery
words and the place alone, reads every message and file of it, holds what came back against
what is here, and wipes that place again. Then it shows what is in the backups and what it takes
to come back, asks for some of the recovery words, asks once more, and wipes this device as
`warren wipe` does. Where anything fails, where you say no, or on Ctrl-C, nothing is wiped.

The trial needs as much free room as the accounts take up. What comes afterwards waits in the
network for two weeks. Not in a backup: the code of this device, a duress code and its decoys.

Examples:
  warren backup init --folder /media/disk    once
  warren border --dry-run                    all but the wiping
  warren border
  warren border --words-known --yes --json   in scripts
  warren backup restore --folder /media/disk     on the other side";

/// `warren border`
#[derive(Debug, Args)]
pub struct BorderArgs {
    /// Which backup; may be given several times [default: all that are set up]
    #[arg(long = "backup", value_name = "NAME")]
    pub backups: Vec<String>,
    /// An account that is in no backup and is to be destroyed nevertheless; may be given several times
    #[arg(long, value_name = "NAME|ID")]
    pub without: Vec<String>,
    /// Do all but the wiping
    #[arg(long)]
    pub dry_run: bool,
    /// You have the recovery words: none are asked for
    #[arg(long)]
    pub words_known: bool,
    /// Wipe without asking once more
    #[arg(long)]
    pub yes: bool,
    /// Also wipe what the network keeps: mail that comes later than the backup is lost
    #[arg(long)]
    pub network: bool,
    /// Go on where the network cannot be reached
    #[arg(long, requires = "network")]
    pub even_offline: bool,
}
