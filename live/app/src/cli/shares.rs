//! What can be typed about shares of recovery words.

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) const SHARES_HELP: &str = "\
Recovery words are split into shares, so that any few of them, as many as you choose, bring
the words back, and fewer say nothing at all. Give each to another person or keep each in
another place. A share is 20 words; it names its set and its threshold and carries a checksum.
Shares are those of SLIP-0039, which other programs read too.

Examples:
  warren shares split --threshold 3 --shares 5
  warren shares split --threshold 3 --shares 5 --qr folder
  warren shares combine                        asks for one share after the other
  warren shares combine < shares.txt           one share a line, or blank lines between them
  warren shares combine --restore --name alice

Friends can keep shares in their own Warren. Hand them out while all is well; after a loss, make a new
account, tell each friend its Account ID by voice, ask, and gather what they give back:
  warren shares give --threshold 2 bob carol dave
  warren shares given                          who keeps one
  warren --account new shares ask --lost 05aa65...5aa74 05bb...bob 05cc...carol
  warren shares requests                       (the friend) who asks
  warren shares return 05dd...new --of alice   (the friend) after calling her
  warren --account new shares returned --restore --name alice";

/// `warren shares ...`
#[derive(Debug, Subcommand)]
pub enum SharesCommand {
    /// Split the account's recovery words, and print the shares once
    Split(SplitArgs),
    /// Bring recovery words back from shares, read from stdin
    Combine(CombineArgs),
    /// Split the recovery words among friends: the app of each keeps one share
    Give {
        /// How many friends together bring the words back, at least 2
        #[arg(long, value_name = "K")]
        threshold: u8,
        /// The friends: contacts' names or Account IDs
        #[arg(required = true, value_name = "FRIEND")]
        friends: Vec<String>,
    },
    /// List the friends who were given shares, and whether their apps keep them
    Given,
    /// List the shares you keep for others
    Held,
    /// Keep no share of somebody's recovery words any more
    Forget {
        /// A contact's name or Account ID
        owner: String,
    },
    /// After a loss, from a new account: ask friends for the shares they keep
    Ask {
        /// The Account ID that was lost
        #[arg(long, value_name = "ID")]
        lost: String,
        /// The friends: contacts' names or Account IDs
        #[arg(required = true, value_name = "FRIEND")]
        friends: Vec<String>,
    },
    /// List who says that they lost an account and asks for a share
    Requests,
    /// Give somebody who asked the shares you keep of a person, once you are sure that it is them
    Return {
        /// Who asked: a contact's name or Account ID
        asker: String,
        /// Whose shares: a contact's name or Account ID
        #[arg(long, value_name = "PERSON")]
        of: String,
        /// You have talked to them, and it is them
        #[arg(long)]
        yes: bool,
    },
    /// Show what friends gave back, and bring the lost account back once it is enough
    Returned {
        /// Bring the account back onto this device
        #[arg(long)]
        restore: bool,
        /// The account's name, as for `warren account restore`
        #[arg(long, requires = "restore")]
        name: Option<String>,
    },
}

/// `warren shares split`
#[derive(Debug, Args)]
pub struct SplitArgs {
    /// How many shares bring the words back, at least 2
    #[arg(long, value_name = "K")]
    pub threshold: u8,
    /// How many shares to make, at most 16
    #[arg(long, value_name = "N")]
    pub shares: u8,
    /// Write a QR code of each to this folder, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    pub qr: Option<PathBuf>,
    /// Show a QR code of each on the terminal
    #[arg(long)]
    pub show_qr: bool,
}

/// `warren shares combine`
#[derive(Debug, Args)]
pub struct CombineArgs {
    /// Bring the account back onto this device, without showing its recovery words
    #[arg(long)]
    pub restore: bool,
    /// The account's name, as for `warren account restore`
    #[arg(long, requires = "restore")]
    pub name: Option<String>,
}
