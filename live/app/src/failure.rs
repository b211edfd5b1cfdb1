//! What can go wrong, with a code for programs, an exit status, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use warren_account::MnemonicError;
use warren_account::shares::{CombineError, ShareError};
use warren_client::ClientError;
use warren_client::database::DatabaseError;
use warren_client::vault::VaultError;
use warren_noded::local_network::NetworkError;
use warren_transport::SeedError;

use crate::api::border::BorderError;

/// The exit codes; `warren --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done as asked.
    Done,
    /// Failed.
    Failed,
    /// The command line was not understood.
    Usage,
    /// Saved, and waiting for the network.
    Waiting,
    /// What is on this device was shown, and nothing could be fetched.
    Offline,
    /// The passphrase is missing or wrong.
    Passphrase,
    /// Ctrl-C before anything was saved.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Waiting => 3,
            Exit::Offline => 4,
            Exit::Passphrase => 5,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command failed. No text holds a passphrase, recovery words, a key or a message.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line; the text is the parser's.
    #[error("{0}")]
    Usage(String),
    /// The engine.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The seed that was given.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The platform names no data folder.
    #[error("this system names no folder for data: give one with --home DIR or WARREN_HOME")]
    NoDataFolder,
    /// There is nothing at the home yet.
    #[error(
        "there is no account on this device yet: `warren account create` makes one, `warren \
         account restore` brings one back from its recovery words (looked in {})",
        .0.display()
    )]
    NoHome(PathBuf),
    /// A share that cannot be read.
    #[error("share {position}: {error}")]
    Share {
        /// Which of those given, from 1.
        position: usize,
        /// What is wrong with it.
        error: ShareError,
    },
    /// A share that does not go with those before.
    #[error("share {position}: {error}")]
    OddShare {
        /// Which of those given, from 1.
        position: usize,
        /// Why.
        error: CombineError,
    },
    /// Shares that give no recovery phrase.
    #[error(transparent)]
    Combine(#[from] CombineError),
    /// No report of that number.
    #[error("there is no report {0}: `warren crash list` lists them")]
    NoReport(u32),
    /// A report is to be written out unread.
    #[error("that is all of report {0}: read it, and add --yes to write it to the file")]
    Unread(u32),
    /// Nothing came back from friends.
    #[error(
        "no friend has given a share back to this account yet: `warren shares ask` asks them, `warren \
         read` fetches what they send"
    )]
    NoSharesYet,
    /// Giving a share back without being sure.
    #[error(
        "whoever asks from {asker} can be anybody. Call the person they say they are, at a number you \
         had before, and have them read you the Account ID they ask from: it begins with {start} and \
         ends with {end}. Whoever gathers enough shares has the account. If you are sure, add --yes"
    )]
    GivesShare {
        /// Who asks.
        asker: String,
        /// How their id begins.
        start: String,
        /// How it ends.
        end: String,
    },
    /// Nobody can be asked for the passphrase.
    #[error(
        "a passphrase is needed and there is no terminal to ask on: give --passphrase-file FILE, \
         or set WARREN_PASSPHRASE_FILE or WARREN_PASSPHRASE"
    )]
    NoPassphrase,
    /// Nobody said what a new code is, and nobody can be asked.
    #[error(
        "say what the new code is: --pin (4 to 64 digits), --passphrase (any text) or --pattern \
         (cells of a grid, as 3x3:1-2-3-6-9)"
    )]
    NoCodeKind,
    /// The two passphrases differ.
    #[error("the two passphrases differ: try again")]
    PassphrasesDiffer,
    /// The file with the passphrase.
    #[error("the passphrase file {} cannot be read: {error}", path.display())]
    PassphraseFile {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The terminal.
    #[error("the terminal cannot be asked: {0}")]
    Terminal(io::Error),
    /// Stdin.
    #[error("stdin cannot be read: {0}")]
    Stdin(io::Error),
    /// Stdin holds more than can be meant.
    #[error("there is too much on stdin: at most {0} bytes of text are read")]
    TooMuchInput(usize),
    /// The network refused a message for good.
    #[error("the network will not take this message, and it is not tried again: {0}")]
    NotTaken(String),
    /// An empty message.
    #[error("there is no message: give it after the recipient, or on stdin")]
    EmptyMessage,
    /// A name that cannot be used.
    #[error("this name cannot be used: {0}")]
    Name(&'static str),
    /// An account of that name exists.
    #[error("an account on this device is called '{0}' already: choose another --name")]
    NameTaken(String),
    /// No Account ID.
    #[error("that is no Account ID: one has 66 hexadecimal digits and starts with 05")]
    NoAccountId,
    /// A name somebody gave themselves.
    #[error(
        "'{name}' is what {id} calls themselves, as anybody could: if that is who you mean, \
         `warren contacts add {id} --name NAME` first"
    )]
    NotYourName {
        /// The name.
        name: String,
        /// Whose it is.
        id: String,
    },
    /// No group of that name or id.
    #[error("there is no such group here: `warren groups` lists those you are in or invited to")]
    NoSuchGroup,
    /// Somebody stopped the transfer of a file.
    #[error("cancelled: nothing of the file is kept")]
    Cancelled,
    /// The API refused a request that makes no sense.
    #[error("the request cannot be understood: {0}")]
    BadRequest(String),
    /// The API knows no such path or method.
    #[error("the API has no such endpoint: GET /v1/openapi.json lists them")]
    NoSuchEndpoint,
    /// A request to the API took too long.
    #[error("the request took too long: what it began goes on, ask for it again")]
    TooSlow,
    /// The daemon has no keys.
    #[error("the daemon is locked: `warren unlock` opens it")]
    Locked,
    /// What only a daemon can do.
    #[error("no daemon runs for this home: `warren daemon run` starts one")]
    NoDaemon,
    /// Another daemon serves the home.
    #[error(
        "a daemon runs for this home already{}: `warren daemon stop` ends it",
        .0.map(|pid| format!(" (process {pid})")).unwrap_or_default()
    )]
    DaemonRuns(Option<u32>),
    /// The daemon does not answer as it must.
    #[error("the daemon does not answer: `warren daemon stop` and start it anew")]
    DaemonTrouble,
    /// The daemon is told to listen where others can reach it.
    #[error("{0} is not on loopback: other machines could reach it, so nothing listens there")]
    NotLoopback(SocketAddr),
    /// The daemon cannot listen.
    #[error("nothing can listen at {at}: {error}")]
    Listen {
        /// Where.
        at: String,
        /// The system's words.
        error: io::Error,
    },
    /// What the API says.
    #[error("{message}")]
    Api {
        /// Whether trying again later may help.
        is_network: bool,
        /// The code.
        code: String,
        /// The words.
        message: String,
    },
    /// Deleting without being sure.
    #[error(
        "this takes the account '{0}' and its messages off this device, and only its recovery \
         words bring it back: add --yes to do it"
    )]
    NotConfirmed(String),
    /// Deleting messages without being sure.
    #[error("this deletes the conversation with {0} on this device for good: add --yes to do it")]
    DeletesMessages(String),
    /// Wiping without being sure.
    #[error("this destroys everything on this device: type the word wipe to do it")]
    WipeNotConfirmed,
    /// A number that was asked for.
    #[error("{0}")]
    Value(&'static str),
    /// Leaving a group without being sure.
    #[error("this leaves {0} and deletes its messages on all your devices: add --yes to do it")]
    LeavesGroup(String),
    /// Ending a group without being sure.
    #[error("this ends {0} for all its members and for good: add --yes to do it")]
    EndsGroup(String),
    /// A backup of that name is set up.
    #[error(
        "a backup called '{0}' is set up already: choose another name with --backup NAME, or \
         `warren backup forget` it first"
    )]
    BackupExists(String),
    /// Nobody said where a backup lies.
    #[error(
        "say where the backup lies: --folder DIR, --place FILE, or the environment variable \
         WARREN_BACKUP_PLACE; `warren backup --help` shows how places are described"
    )]
    NoBackupPlace,
    /// The description of a place is none; where.
    #[error(
        "the place is not described well ({0}): `warren backup --help` shows how places are described"
    )]
    BackupPlace(String),
    /// Nothing is wiped before a border.
    #[error(transparent)]
    Border(#[from] BorderError),
    /// Something is done in the background already.
    #[error(
        "a backup, its trial or its restoring is at work already: wait until it is done, or stop it \
         (DELETE /v1/work)"
    )]
    Busy,
    /// Nothing is done in the background.
    #[error("nothing is done in the background, and nothing was since this home was unlocked")]
    NoWork,
    /// Somebody stopped it.
    #[error("stopped: what was backed up before stays as it is")]
    WorkStopped,
    /// Ctrl-C during a backup.
    #[error("interrupted: the last backup is as it was, and the next one goes on from here")]
    BackupInterrupted,
    /// Ctrl-C while a device comes back.
    #[error("interrupted: the same command goes on from here")]
    RestoreInterrupted,
    /// Ctrl-C.
    #[error("interrupted: nothing was saved")]
    Interrupted,
    /// The local network.
    #[error("the local network cannot run: {0}")]
    Network(NetworkError),
    /// A port that something else uses.
    #[error(
        "{address} is in use, perhaps by another `warren up`: choose another port with {option} \
         PORT, or {option} 0 for any"
    )]
    PortTaken {
        /// Where nobody can listen.
        address: String,
        /// The option that changes it.
        option: &'static str,
    },
    /// Another process runs a network on the same folder.
    #[error("another `warren up` runs on this folder: stop it, or choose another with --data DIR")]
    DataInUse,
    /// A step of the demo.
    #[error("the demo failed: {0}")]
    Demo(String),
    /// A file or folder that was named.
    #[error("{} cannot be used: {error}", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The program's runtime.
    #[error("the program cannot start: {0}")]
    Runtime(io::Error),
    /// Stdout.
    #[error("the result cannot be written: {0}")]
    Output(io::Error),
    /// Whoever read stdout has gone.
    #[error("nobody reads the output")]
    OutputClosed,
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Self::Client(error.into())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        Self::Client(error.into())
    }
}

impl From<MnemonicError> for Failure {
    fn from(error: MnemonicError) -> Self {
        Self::Client(error.into())
    }
}

impl From<io::Error> for Failure {
    /// An error of stdout: every other place wraps its own.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::OutputClosed
        } else {
            Self::Output(error)
        }
    }
}

impl Failure {
    /// A name for programs, which stays the same where the words change.
    pub fn code(&self) -> &str {
        match self {
            Self::Usage(_) | Self::NoCodeKind => "usage",
            Self::Api { code, .. } => code,
            Self::Client(ClientError::Database(DatabaseError::Gone)) => "gone",
            Self::Client(ClientError::Database(DatabaseError::PetnameTaken)) => "name_taken",
            Self::BadRequest(_) => "bad_request",
            Self::NoSuchEndpoint => "no_such_endpoint",
            Self::TooSlow => "too_slow",
            Self::Locked => "locked",
            Self::NoDaemon => "no_daemon",
            Self::DaemonRuns(_) => "daemon_runs",
            Self::DaemonTrouble => "daemon_trouble",
            Self::NotLoopback(_) => "not_loopback",
            Self::Listen { .. } => "listen",
            Self::Client(error) => error.code(),
            Self::Seed(_) => "bad_seed",
            Self::NoDataFolder => "no_data_folder",
            Self::NoHome(_) => "no_account",
            Self::NoReport(_) => "no_report",
            Self::NoSharesYet => "no_shares",
            Self::Share { .. } => "bad_share",
            Self::OddShare { error, .. } | Self::Combine(error) => shares_code(error),
            Self::NoPassphrase => "no_passphrase",
            Self::PassphrasesDiffer => "passphrases_differ",
            Self::PassphraseFile { .. } => "passphrase_file",
            Self::Terminal(_) => "terminal",
            Self::Stdin(_) => "stdin",
            Self::TooMuchInput(_) => "too_much_input",
            Self::NotTaken(_) => "refused",
            Self::EmptyMessage => "empty_message",
            Self::Name(_) => "bad_name",
            Self::NameTaken(_) => "name_taken",
            Self::NoAccountId => "bad_account_id",
            Self::NotYourName { .. } => "not_your_name",
            Self::Cancelled => "cancelled",
            Self::NoSuchGroup => "no_such_group",
            Self::NotConfirmed(_)
            | Self::GivesShare { .. }
            | Self::Unread(_)
            | Self::DeletesMessages(_)
            | Self::LeavesGroup(_)
            | Self::WipeNotConfirmed
            | Self::EndsGroup(_) => "not_confirmed",
            Self::Value(_) => "bad_value",
            Self::BackupExists(_) => "backup_exists",
            Self::NoBackupPlace => "no_backup_place",
            Self::BackupPlace(_) => "backup_target",
            Self::Border(error) => error.code(),
            Self::Busy => "busy",
            Self::NoWork => "no_work",
            Self::WorkStopped => "stopped",
            Self::Interrupted | Self::BackupInterrupted | Self::RestoreInterrupted => "interrupted",
            Self::Network(_) => "local_network",
            Self::PortTaken { .. } => "port_taken",
            Self::DataInUse => "data_in_use",
            Self::Demo(_) => "demo",
            Self::Path { .. } => "path",
            Self::Runtime(_) => "runtime",
            Self::Output(_) => "output",
            Self::OutputClosed => "output_closed",
        }
    }

    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::NoCodeKind => Exit::Usage,
            Self::Interrupted
            | Self::BackupInterrupted
            | Self::RestoreInterrupted
            | Self::Border(BorderError::Interrupted) => Exit::Interrupted,
            Self::NoPassphrase
            | Self::PassphrasesDiffer
            | Self::PassphraseFile { .. }
            | Self::Client(ClientError::Vault(
                VaultError::WrongPassphrase
                | VaultError::EmptyPassphrase
                | VaultError::TooSoon { .. },
            )) => Exit::Passphrase,
            Self::Api { code, .. } if code == "wrong_passphrase" || code == "too_soon" => {
                Exit::Passphrase
            }
            _ => Exit::Failed,
        }
    }

    /// Whether trying again later may help.
    pub fn is_network(&self) -> bool {
        match self {
            Self::Client(error) => error.is_network(),
            Self::Api { is_network, .. } => *is_network,
            _ => false,
        }
    }

    /// Whether what is on this device can be shown nevertheless.
    pub fn spares_what_is_here(&self) -> bool {
        let has_no_network = |code: &str| ["no_seed", "directory"].contains(&code);
        self.is_network() || matches!(self, Self::Api { code, .. } if has_no_network(code))
    }
}

const fn shares_code(error: &CombineError) -> &'static str {
    match error {
        CombineError::TooFew { .. } => "too_few_shares",
        CombineError::OtherSet => "other_set",
        CombineError::Again { .. } => "same_share",
        CombineError::Contradiction { .. } | CombineError::Altered => "altered_share",
    }
}
