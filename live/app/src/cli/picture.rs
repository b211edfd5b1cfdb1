//! What can be typed about pictures.

use std::path::PathBuf;

use clap::Subcommand;

/// Behind the help of `warren picture`.
pub(super) const PICTURE_HELP: &str = "\
The image is cut square and made small here; nothing but its pixels is sent, encrypted. The
people you write to see it from the next message on. Others' pictures come with `warren read`,
once you have accepted them.

Examples:
  warren picture set me.jpg
  warren picture set team.png --group runners
  warren picture get bob --out bob.jpg
  warren picture remove";

/// `warren picture ...`
#[derive(Debug, Subcommand)]
pub enum PictureCommand {
    /// Show others what you look like, or a group
    Set {
        /// The image: JPEG, PNG, WebP or GIF
        file: PathBuf,
        /// The group it is of, by its name or its id; its admins alone can
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Take the picture away
    Remove {
        /// The group it is of, by its name or its id; its admins alone can
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
    /// Write a picture out, yours or somebody's
    Get {
        /// A contact's name, an Account ID, or a group's name or id [default: yours]
        who: Option<String>,
        /// The file to write; nothing that is there is overwritten
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}
