//! What can be typed about reports of faults.

use std::path::PathBuf;

use clap::Subcommand;

pub(super) const CRASH_HELP: &str = "\
Where the program has a fault, it leaves a report in the home and sends nothing. A report
holds the version, the kind of machine, the place in the source and the names of functions: no
time, no message, no key, no id, no address, no path. Any other program of yours can read it,
so nothing else may be in it.

Examples:
  warren crash list
  warren crash show 1
  warren crash export 1 --to report.json --yes
  warren crash delete 1";

/// `warren crash ...`
#[derive(Debug, Subcommand)]
pub enum CrashCommand {
    /// List the reports
    List,
    /// Show a report in full
    Show {
        /// Its number
        number: u32,
    },
    /// Show a report in full, and write it to a file to give to somebody
    Export {
        /// Its number
        number: u32,
        /// The file
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// You have read it
        #[arg(long)]
        yes: bool,
    },
    /// Delete a report
    Delete {
        /// Its number
        number: u32,
    },
}
