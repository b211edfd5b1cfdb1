//! What can be typed about the lock and about wiping.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Switch;

/// `warren lock ...`
#[derive(Debug, Args)]
pub struct LockArgs {
    /// What to do; nothing locks the daemon
    #[command(subcommand)]
    pub command: Option<LockCommand>,
}

pub(super) const LOCK_HELP: &str = "\
A code is a PIN, a passphrase or a pattern. A pattern is typed as its grid and its cells,
numbered row by row from 1: 3x3:1-2-3-6-9. Every change asks for the present code; a new one
is asked for twice, or taken from --new-code-file or from the environment variable
WARREN_NEW_CODE. What it is to be is asked on a terminal, where no option says it.

The duress code is typed in place of the ordinary one. It destroys everything here and opens
an empty store, or the decoys that `warren --decoy account create` and other commands with
--decoy put there. Nobody is told whether one is set, not even with everything unlocked. It is
gone after `lock calibrate`, `lock bind` and `lock unbind`.

What can be copied from the disk can be guessed at elsewhere, without waits: `warren lock set`
says what that means for a PIN. After `warren lock bind` a copy is worth nothing without this
machine; so is the disk in another one. It uses the programs of tpm2-tools.

Examples:
  warren lock                                drops all keys; `warren unlock` brings them back
  warren lock show
  warren lock set                            asks what the new code is to be
  warren lock set --pin
  warren lock auto --idle 5 --suspend on
  warren lock duress set --pin
  warren lock wipe-after 10";

/// What to do with the lock.
#[derive(Debug, Subcommand)]
pub enum LockCommand {
    /// Show how the lock is set
    Show,
    /// Choose another code
    Set {
        /// What it is
        #[command(flatten)]
        kind: KindArgs,
    },
    /// Measure what a guess should cost on this machine, and use it; other codes are gone
    Calibrate,
    /// Show or choose when the daemon locks by itself
    Auto {
        /// After so many minutes without a command or a request; `never` for never
        #[arg(long, value_name = "MINUTES|never")]
        idle: Option<String>,
        /// Once the machine slept
        #[arg(long)]
        suspend: Option<Switch>,
    },
    /// Choose after how many wrong codes in a row everything is wiped
    WipeAfter {
        /// How many; `never` for never
        #[arg(value_name = "COUNT|never")]
        count: String,
    },
    /// Have the code work with this machine's TPM 2.0 alone; other codes are gone
    Bind,
    /// Have the code work without it; other codes are gone
    Unbind,
    /// Set or remove the code that destroys everything here
    #[command(subcommand, arg_required_else_help = true)]
    Duress(DuressCommand),
}

/// `warren lock duress ...`
#[derive(Debug, Subcommand)]
pub enum DuressCommand {
    /// Set it; one that was set before is gone
    Set {
        /// What it is
        #[command(flatten)]
        kind: KindArgs,
        /// What it does beyond this device
        #[command(flatten)]
        beyond: BeyondArgs,
    },
    /// Take it away, where there is one
    Remove,
}

/// What a duress code does beyond this device.
#[derive(Debug, Args)]
pub struct BeyondArgs {
    /// It also wipes the devices that trust this account's other devices: see `warren friends trust
    /// --own-devices`
    #[arg(long)]
    pub tell_devices: bool,
    /// It also deletes the mail of all accounts here from the network
    #[arg(long)]
    pub delete_mail: bool,
}

/// What a code is, and where it comes from.
#[derive(Debug, Args)]
pub struct KindArgs {
    /// 4 to 64 digits
    #[arg(long)]
    pub pin: bool,
    /// Any text
    #[arg(long, conflicts_with = "pin")]
    pub passphrase: bool,
    /// Cells of a grid of 3x3 to 5x5, as 3x3:1-2-3-6-9
    #[arg(long, conflicts_with_all = ["pin", "passphrase"])]
    pub pattern: bool,
    /// Read the new code from the first line of a file
    #[arg(long, value_name = "FILE")]
    pub new_code_file: Option<PathBuf>,
}

/// `warren wipe`
#[derive(Debug, Args)]
pub struct WipeArgs {
    /// Also what the network keeps for every account here: messages and configurations
    #[arg(long)]
    pub network: bool,
    /// Go on where the network cannot be reached
    #[arg(long, requires = "network")]
    pub even_offline: bool,
    /// The word `wipe`, where nobody can be asked to type it
    #[arg(long, value_name = "WORD")]
    pub confirm: Option<String>,
}

pub(super) const WIPE_HELP: &str = "\
Destroys the keys first, so that nothing here can be read from then on, then deletes what is
here. If it is cut off, whatever is next done with this home goes on with it. It needs no
passphrase, except with --network. Recovery words and backups bring accounts back; nothing
else does.

--network has every account's swarm delete all messages and configurations. Where it cannot be
reached nothing is wiped, unless --even-offline says so. Files at servers cannot be deleted by
anybody; they expire within weeks, and their keys were in the messages.

Examples:
  warren wipe
  warren wipe --network --confirm wipe --json";
