//! What can be typed about newer releases.

use clap::{Args, Subcommand};

pub(super) const UPDATE_HELP: &str = "\
Asks only when you do: nothing looks for updates by itself. What is fetched comes through the
onion from a file server, in a request that says nothing of you or of your version. A manifest
counts only where the key built into this program signed it, where it has not expired, and
where it is not older than one that this device has seen. Nothing is installed.

Examples:
  warren update check --from 'https://1.2.3.4:22021/file/ID#p=KEY' --signature 'https://...'
  warren update check --from manifest.json        a file, with manifest.json.minisig beside it";

/// `warren update ...`
#[derive(Debug, Subcommand)]
pub enum UpdateCommand {
    /// Look whether there is a newer release
    Check(UpdateCheckArgs),
    /// Put a small file, such as a manifest, at a node that keeps files, for everybody to read
    Publish {
        /// The file
        file: std::path::PathBuf,
        /// For how many days
        #[arg(long, default_value_t = 14, value_name = "DAYS")]
        days: u64,
    },
}

/// `warren update check`
#[derive(Debug, Args)]
pub struct UpdateCheckArgs {
    /// The manifest: the address of a file at a file server, or a file
    #[arg(long, value_name = "URL|FILE")]
    pub from: String,
    /// Its signature, by minisign [default: beside a file, with .minisig at the end]
    #[arg(long, value_name = "URL|FILE")]
    pub signature: Option<String>,
}
