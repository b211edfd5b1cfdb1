//! What can be typed about the files of messages.

use std::path::PathBuf;

use clap::Subcommand;

use super::NumberArg;

/// Behind the help of `warren files`.
pub(super) const FILES_HELP: &str = "\
`warren read --numbers` shows the number of each message on this device. Files are kept
encrypted in the home; `get` fetches those that are not there yet and writes them out in plain
text. Nothing that is in the way is overwritten: `photo.jpg` then becomes `photo (2).jpg`.

Ctrl-C pauses: the next `get` goes on from there.

Examples:
  warren files list 12
  warren files get 12
  warren files get 12 --out ~/Downloads --only 0
  warren files cancel 12";

/// `warren files ...`
#[derive(Debug, Subcommand)]
pub enum FilesCommand {
    /// List the files of a message
    List(NumberArg),
    /// Fetch the files of a message and write them out
    Get {
        /// Which
        #[command(flatten)]
        which: NumberArg,
        /// The folder to write them to [default: the one you are in]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Only the one at this place, from 0; may be given several times
        #[arg(long, value_name = "PLACE")]
        only: Vec<u32>,
    },
    /// Stop fetching the files of a message, and forget what came of them
    Cancel(NumberArg),
}
