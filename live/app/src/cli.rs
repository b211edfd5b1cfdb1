//! What can be typed: commands, options, and the help that explains them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use warren_noded::local_network::{FEWEST_NODES, MOST_NODES};

mod account;
mod backup;
mod border;
mod contacts;
mod conversations;
mod crash;
mod daemon;
mod files;
mod friends;
mod groups;
mod lock;
mod message;
mod picture;
mod shares;
mod update;

pub use account::{AccountCommand, Switch};
use backup::BACKUP_HELP;
pub use backup::{BackupCommand, BackupName, Every, KeepArgs, PlaceArgs};
use border::BORDER_HELP;
pub use border::BorderArgs;
pub use contacts::{ContactsArgs, ContactsCommand};
pub use conversations::{ConversationArg, ConversationsArgs, ConversationsCommand, ListingArg};
use crash::CRASH_HELP;
pub use crash::CrashCommand;
use daemon::DAEMON_HELP;
pub use daemon::{ApiCommand, DaemonArgs, DaemonCommand, DaemonRunArgs};
use files::FILES_HELP;
pub use files::FilesCommand;
use friends::FRIENDS_HELP;
pub use friends::{DeadManArgs, FriendsCommand, FriendsWipeArgs, SetArg, TheirDevice, TrustArgs};
pub use groups::{GroupArg, GroupsArgs, GroupsCommand, MembersArg, SureArg};
pub use lock::{DuressCommand, KindArgs, LockArgs, LockCommand, WipeArgs};
use lock::{LOCK_HELP, WIPE_HELP};
use message::MESSAGE_HELP;
pub use message::{MessageCommand, NumberArg, WhomArg};
use picture::PICTURE_HELP;
pub use picture::PictureCommand;
use shares::SHARES_HELP;
pub use shares::{CombineArgs, SharesCommand, SplitArgs};
use update::UPDATE_HELP;
pub use update::{UpdateCheckArgs, UpdateCommand};

const AFTER_HELP: &str = "\
First steps:
  warren up                                  a network of your own; leave it running
  export WARREN_SEED='URL#KEY'               as `warren up` prints it, in another terminal
  warren account create --name alice         prints the recovery words: write them down
  warren send 05... \"Hello\"                  to somebody's Account ID
  warren read --follow                       what people write to you
  warren demo                                all of it by itself, in a temporary folder

Passphrase: asked for on the terminal, or taken from --passphrase-file, or from the
environment variable WARREN_PASSPHRASE. It is never an argument, because other users can see
arguments. A PIN and a pattern (3x3:1-2-3-6-9) are given in the same way.

Exit codes:
  0    done; `send`: delivered
  1    failed; stderr says why and what to do
  2    the command line was not understood
  3    the message is saved but waits: it is sent again by the next `send`, `outbox retry`
       or `read --follow`
  4    `read`, `sync` or `groups` could not reach the network, and has shown what is on this device
  5    the passphrase is missing or wrong
  130  interrupted before anything was saved

With --json results are JSON on stdout: one object, or one object a line for `read`. Errors
are one line on stderr, {\"error\":{\"code\":...,\"message\":...}}, warnings likewise under
\"warning\".

WARREN_LOG=debug prints a log on stderr. It names nodes, and neither people nor content.";

/// A private messenger: no phone number, no e-mail, an onion-routed network of nodes.
#[derive(Debug, Parser)]
#[command(
    name = "warren",
    version,
    after_help = AFTER_HELP,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Where accounts and messages lie on this device [default: the platform's data folder]
    #[arg(long, global = true, env = "WARREN_HOME", value_name = "DIR", hide_env_values = true)]
    pub home: Option<PathBuf>,
    /// Which account, where there are several: its name or its Account ID
    #[arg(
        long,
        global = true,
        env = "WARREN_ACCOUNT",
        value_name = "NAME|ID",
        hide_env_values = true
    )]
    pub account: Option<String>,
    /// Where the list of nodes comes from, as `warren up` prints it; remembered once used
    #[arg(
        long,
        global = true,
        env = "WARREN_SEED",
        value_name = "URL#KEYS",
        hide_env_values = true
    )]
    pub seed: Option<String>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Work in the store that the duress code opens, to put decoys into it
    #[arg(long, global = true)]
    pub decoy: bool,
    /// Read the passphrase from the first line of a file
    #[arg(
        long,
        global = true,
        env = "WARREN_PASSPHRASE_FILE",
        value_name = "FILE",
        hide_env_values = true
    )]
    pub passphrase_file: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create, restore, show, list and remove accounts
    #[command(subcommand, arg_required_else_help = true)]
    Account(AccountCommand),
    /// Split recovery words among people, any few of whom bring them back
    #[command(subcommand, arg_required_else_help = true, after_help = SHARES_HELP)]
    Shares(SharesCommand),
    /// Friends who can wipe this device after it was taken, and whose devices you can wipe
    #[command(subcommand, arg_required_else_help = true, after_help = FRIENDS_HELP)]
    Friends(FriendsCommand),
    /// Send a message
    Send(SendArgs),
    /// Fetch and show messages
    Read(ReadArgs),
    /// Send what waits, fetch what is new, and tell your other devices what changed; show nothing
    #[command(after_help = SYNC_HELP)]
    Sync {
        /// Carries out what another process hands over
        #[arg(long, hide = true)]
        now: bool,
    },
    /// Edit, delete, react to and look into a message
    #[command(subcommand, arg_required_else_help = true, after_help = MESSAGE_HELP)]
    Message(MessageCommand),
    /// The files of a message: list them, fetch them, write them out
    #[command(subcommand, arg_required_else_help = true, after_help = FILES_HELP)]
    Files(FilesCommand),
    /// What you and your groups look like, and others
    #[command(subcommand, arg_required_else_help = true, after_help = PICTURE_HELP)]
    Picture(PictureCommand),
    /// The list of conversations, and what you set for each
    #[command(args_conflicts_with_subcommands = true)]
    Conversations(ConversationsArgs),
    /// Groups: make, join, lead and leave them
    #[command(args_conflicts_with_subcommands = true)]
    Groups(GroupsArgs),
    /// Look for messages on this device
    #[command(after_help = SEARCH_HELP)]
    Search(SearchArgs),
    /// The people you know by name
    #[command(args_conflicts_with_subcommands = true)]
    Contacts(ContactsArgs),
    /// Show the nodes that your requests pass through
    #[command(after_help = PATH_HELP)]
    Path,
    /// Messages that wait to be delivered
    #[command(args_conflicts_with_subcommands = true)]
    Outbox(OutboxArgs),
    /// Encrypted backups: make, verify, prune and schedule them, and bring a device back
    #[command(subcommand, arg_required_else_help = true, after_help = BACKUP_HELP)]
    Backup(BackupCommand),
    /// Before a border: back up, try that it comes back, and wipe this device
    #[command(after_help = BORDER_HELP)]
    Border(BorderArgs),
    /// Run a complete local network until Ctrl-C
    Up(UpArgs),
    /// Watch a whole conversation, in a temporary folder
    #[command(after_help = DEMO_HELP)]
    Demo,
    /// Keep accounts at work, and serve the API to apps and to the other commands
    #[command(args_conflicts_with_subcommands = true, after_help = DAEMON_HELP)]
    Daemon(DaemonArgs),
    /// Newer releases: looked for when you ask, and never else
    #[command(subcommand, arg_required_else_help = true, after_help = UPDATE_HELP)]
    Update(UpdateCommand),
    /// Reports of faults in the program: they stay on this device
    #[command(subcommand, arg_required_else_help = true, after_help = CRASH_HELP)]
    Crash(CrashCommand),
    /// Lock the daemon, or change codes and what they do
    #[command(args_conflicts_with_subcommands = true, after_help = LOCK_HELP)]
    Lock(LockArgs),
    /// Unlock the daemon with a code
    Unlock,
    /// Destroy everything on this device, and what the network keeps
    #[command(after_help = WIPE_HELP)]
    Wipe(WipeArgs),
    /// The local API
    #[command(subcommand, arg_required_else_help = true)]
    Api(ApiCommand),
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write manual pages
    #[command(after_help = MAN_HELP)]
    Man {
        /// The folder to write them to, or `-` for the main page on stdout
        #[arg(value_name = "DIR|-")]
        to: PathBuf,
    },
}

const PATH_HELP: &str = "\
The first node, the guard, sees your address. The node behind the last, which keeps the mail,
sees which mailbox is asked for. None sees both. The guard is kept, so that over time few
nodes learn your address.";

const DEMO_HELP: &str = "\
Starts a network of seven nodes on free ports of this machine, or uses the one of --seed or
WARREN_SEED. Creates two accounts, sends messages both ways, shows the path, deletes one
person's device, restores it from the recovery words, and reads the messages again. Leaves
nothing on this device. Exit code 0 if every step held.

Examples:
  warren demo
  warren demo --json
  warren --seed 'http://127.0.0.1:22023#KEY' demo";

const COMPLETIONS_HELP: &str = "\
Examples:
  warren completions bash > ~/.local/share/bash-completion/completions/warren
  warren completions zsh > ~/.zfunc/_warren
  warren completions fish > ~/.config/fish/completions/warren.fish";

const MAN_HELP: &str = "\
Examples:
  warren man - | man -l -
  warren man ~/.local/share/man/man1";

/// `warren send`
#[derive(Debug, Args)]
#[command(after_help = SEND_HELP)]
pub struct SendArgs {
    /// A contact's name, an Account ID, or a group's name or id
    pub to: String,
    /// The number of the message that this one answers; `warren read --numbers` shows numbers
    #[arg(long, value_name = "NUMBER")]
    pub reply_to: Option<i64>,
    /// A file to send with it; may be given several times
    #[arg(long = "file", short, value_name = "PATH")]
    pub files: Vec<PathBuf>,
    /// Let images keep what they tell of the one who took them: place, time, device
    #[arg(long, requires = "files")]
    pub keep_metadata: bool,
    /// What stands under a file: the first is for the first file, and so on
    #[arg(long = "caption", value_name = "TEXT", requires = "files")]
    pub captions: Vec<String>,
    /// The file is a voice message
    #[arg(long, requires = "files")]
    pub voice: bool,
    /// The message; `-` or nothing reads it from stdin, unless there are files
    pub text: Vec<String>,
}

const SEND_HELP: &str = "\
The message is saved on this device before anything is sent. Messages that wait from earlier are
sent along with it.

Images are sent without what they tell of the one who took them; one of a kind from which that
cannot be taken is refused. Names of files are sent, the folders they lie in are not.

`@name` names somebody of the conversation, by what you call them or else by what they call
themselves: they are told that they are meant.

Exit code 0: stored in the recipient's mailbox. 3: saved, and waits until the network can be
reached.

Examples:
  warren send bob Hello there
  warren send 05aa65...5aa74 \"Hello there\"
  warren send bob -- --json is an option, unless it stands behind two dashes
  fortune | warren send bob
  warren send runners \"@bob, do you run?\"
  warren send bob --file photo.jpg --file plan.pdf Have a look
  warren send bob --file photo.jpg --caption \"The house\"
  warren send bob --file memo.ogg --voice";

/// `warren read`
#[derive(Debug, Args)]
#[command(after_help = READ_HELP)]
pub struct ReadArgs {
    /// Keep going until Ctrl-C: show messages as they come, send those that wait
    #[arg(long, short)]
    pub follow: bool,
    /// Where nothing is new, wait for it: so many seconds, 60 where none are given
    #[arg(
        long,
        value_name = "SECONDS",
        num_args = 0..=1,
        default_missing_value = "60",
        conflicts_with_all = ["follow", "all"]
    )]
    pub wait: Option<u64>,
    /// Show the whole history: what was read before, and your own messages
    #[arg(long, short)]
    pub all: bool,
    /// Only the conversation with a contact or a group: its name or id
    #[arg(long, value_name = "CONTACT")]
    pub from: Option<String>,
    /// Show the number of each message, as `warren message` wants it
    #[arg(long, short)]
    pub numbers: bool,
    /// At most so many, the newest; the others stay unread
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

const READ_HELP: &str = "\
Shows unread messages, oldest first, in local time, and marks them as read. Characters that
could steer a terminal or turn the direction of text are shown as \\u{...}.

With --wait and --follow a node holds the request open and answers as soon as a message arrives.

Exit code 4: the network cannot be reached, and what is on this device was shown.

Examples:
  warren read
  warren read --wait 300                     the next message within five minutes
  warren read --follow
  warren read --all --from bob --limit 20
  warren read --json | jq -r .text";

/// `warren search`
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// What to look for
    #[arg(required = true)]
    pub text: Vec<String>,
    /// Only in the conversation with a contact or a group: its name or id
    #[arg(long, value_name = "CONTACT")]
    pub from: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
    /// Those first that say it often, in few words; else the newest
    #[arg(long)]
    pub best: bool,
}

const SYNC_HELP: &str = "\
Marks nothing as read. A daemon does all this by itself.

Exit code 3: something waits until it can be delivered. 4: the network cannot be reached.

Examples:
  warren sync
  warren sync --json | jq .new";

const SEARCH_HELP: &str = "\
All words must be there, in any order; the last may go on. A text in double quotes is looked
for as it stands. Nothing leaves this device, and nothing is marked as read.

Examples:
  warren search meet tues
  warren search '\"next tuesday\"' --from bob
  warren search --json meet | jq -r .text";

/// `warren outbox ...`
#[derive(Debug, Args)]
#[command(after_help = OUTBOX_HELP)]
pub struct OutboxArgs {
    /// What to do with them; nothing lists them
    #[command(subcommand)]
    pub command: Option<OutboxCommand>,
}

const OUTBOX_HELP: &str = "\
Examples:
  warren outbox
  warren outbox retry          exit code 3 if messages still wait";

/// What to do with the messages that wait.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum OutboxCommand {
    /// List them
    List,
    /// Try to send them now
    Retry,
}

fn node_count(text: &str) -> Result<usize, String> {
    let range = FEWEST_NODES..=MOST_NODES;
    let count = text.parse().ok().filter(|count| range.contains(count));
    count.ok_or_else(|| format!("a local network has {FEWEST_NODES} to {MOST_NODES} nodes"))
}

/// `warren up`
#[derive(Debug, Args)]
#[command(after_help = UP_HELP)]
pub struct UpArgs {
    /// How many nodes, 4 to 254; every seven make one more swarm
    #[arg(long, default_value_t = 7, value_name = "N", value_parser = node_count)]
    pub nodes: usize,
    /// Where the nodes keep their keys and mail [default: local-network in the data folder]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The port of the directory; 0 takes any
    #[arg(long, default_value_t = 22023, value_name = "PORT")]
    pub seed_port: u16,
    /// The port of every node, each on an address of its own; 0 takes any
    #[arg(long, default_value_t = 22100, value_name = "PORT")]
    pub node_port: u16,
}

const UP_HELP: &str = "\
Everything is on loopback: no other machine can reach it. The same folder gives the same
nodes, with the mail they keep. With --json one line is printed once the network is ready:
{\"seed\":...,\"seed_url\":...,\"directory_key\":...,\"nodes\":[...],\"data\":...}

Examples:
  warren up
  warren up --nodes 14                       two swarms
  warren up --data net --seed-port 0 --node-port 0 --json";
