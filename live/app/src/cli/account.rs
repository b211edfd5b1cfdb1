//! `warren account`: who one is on this device.

use clap::{Subcommand, ValueEnum};

/// `warren account ...`
#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Create an account and print its recovery words
    #[command(after_help = CREATE_HELP)]
    Create {
        /// The account's name; the people you write to see it. Without one it is called `main` here and
        /// they see none
        #[arg(long)]
        name: Option<String>,
    },
    /// Bring an account back from its recovery words, read from stdin
    #[command(after_help = RESTORE_HELP)]
    Restore {
        /// The account's name; the people you write to see it. Without one it is called `main` here and
        /// they see none
        #[arg(long)]
        name: Option<String>,
    },
    /// Call an account something else on this device
    Rename {
        /// The new name
        name: String,
    },
    /// Show or choose what the people you write to are told you are called
    #[command(after_help = NAME_HELP)]
    Name {
        /// The name; none shows it
        name: Option<String>,
    },
    /// Show or choose whether others are told that you read their messages
    Receipts {
        /// Tell them, or not; none shows it
        state: Option<Switch>,
    },
    /// Show or choose whether others are told that you type
    Typing {
        /// Tell them, or not; none shows it
        state: Option<Switch>,
    },
    /// Show or choose whether links you send are looked up, to show the others where they lead
    #[command(after_help = PREVIEWS_HELP)]
    Previews {
        /// Look them up, or not; none shows it
        state: Option<Switch>,
        /// Look them up through a proxy: socks5://HOST:PORT or http://HOST:PORT
        #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
        proxy: Option<String>,
        /// Look them up without a proxy: sites see your address
        #[arg(long)]
        no_proxy: bool,
    },
    /// Show or choose how soon to hear of new messages: instant, slow (about every 15 minutes), manual
    Notifications {
        /// The mode; none shows it
        mode: Option<String>,
    },
    /// Show an account
    #[command(after_help = SHOW_HELP)]
    Show {
        /// Show its recovery words too; look behind you first
        #[arg(long)]
        mnemonic: bool,
        /// Print nothing but the Account ID
        #[arg(long, conflicts_with = "mnemonic")]
        id: bool,
    },
    /// List the accounts on this device
    List,
    /// Take an account and its messages off this device
    #[command(after_help = REMOVE_HELP)]
    Remove {
        /// Its name or its Account ID
        #[arg(value_name = "NAME|ID")]
        which: String,
        /// Do it: only the recovery words bring the account back
        #[arg(long)]
        yes: bool,
    },
    /// Print the Account ID that recovery words stand for; nothing is stored
    #[command(after_help = ID_HELP)]
    Id {
        /// Read the words from stdin, which is the only way
        #[arg(long, required = true)]
        phrase_stdin: bool,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

const PREVIEWS_HELP: &str = "\
Off unless you switch it on. Sending a message with an https link then asks the site for its
title and its image, which go along with the message; whoever gets it asks nobody. The site
learns that somebody sends its link, and without a proxy from which address.

Examples:
  warren account previews on --proxy socks5://127.0.0.1:9050
  warren account previews off";

const NAME_HELP: &str = "\
It goes with each message from then on, and to your other devices. What the account is called
on this device, `warren account rename` says.

Examples:
  warren account name
  warren account name \"Alice B.\"";

const CREATE_HELP: &str = "\
The first account also creates the home: choose a passphrase, which encrypts everything on
this device. What a guess at it costs is measured, so that it takes about as long on any
machine; with WARREN_GUESS_COST=least it is the least that is recommended. The thirteen
recovery words are the account. Whoever has them has it; without them nobody can bring it
back.

Examples:
  warren account create --name alice
  warren --passphrase-file pass.txt --json account create";

const RESTORE_HELP: &str = "\
The words are asked for on the terminal without showing them, or read from stdin. They are
never an argument, because other users can see arguments and shells remember them. Case, line
breaks and letters behind the third of each word do not matter.

Examples:
  warren account restore --name alice
  warren account restore --name alice < words.txt";

const SHOW_HELP: &str = "\
Examples:
  warren account show
  warren --account bob account show --id
  warren account show --mnemonic";

const REMOVE_HELP: &str = "\
Example:
  warren account remove bob --yes";

const ID_HELP: &str = "\
Touches no home and needs no passphrase.

Example:
  warren account id --phrase-stdin < words.txt";
