//! The command line of `warren-node`: what can be asked, and who carries it out.

mod authority;
mod check_config;
mod init;
mod join;
mod logging;
mod manual;
mod repetitions;
mod run;
mod service;
mod sign_list;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use warren_noded::NodeError;
use warren_noded::authority::AuthorityError;
use warren_noded::config::ConfigError;
use warren_noded::directory::DirectoryError;
use warren_noded::identity::IdentityError;
use warren_transport::TransportError;
use warren_wire::directory::ListError;

/// Runs one node of a Warren network: it keeps people's sealed mail and passes their onions on.
///
/// A network has a directory: one `authority`, or several that sign together. `init` on every machine
/// gives a node its keys; `run --authority` announces it and follows the directory's lists.
///
/// Without a directory, `sign-list` makes one signed list of the records that `init` prints, and
/// `run --list` serves with it. To try a whole network on one machine, use `warren up` instead.
#[derive(Debug, Parser)]
#[command(name = "warren-node", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    SignList(sign_list::SignList),
    Run(run::Run),
    CheckConfig(check_config::CheckConfig),
    #[command(hide = true)]
    Manual(manual::Manual),
    Authority(authority::Authority),
}

/// Why a command failed; each text says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// A file of the user's.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A record that `init` did not print.
    #[error("{} is no node's record: give the JSON that `warren-node init` prints ({source})", path.display())]
    NoRecord {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: RecordError,
    },
    /// `run` before `init`.
    #[error("{} holds no identity: run `warren-node init` first", .0.display())]
    NoIdentity(PathBuf),
    /// The executor or the signals.
    #[error("the operating system refuses: {0}")]
    System(#[from] std::io::Error),
    /// The log filter.
    #[error("the log filter is not understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The configuration.
    #[error("the configuration is not usable:\n{0}")]
    Config(#[from] ConfigError),
    /// The file with the store's address.
    #[error("the file of store.url_file cannot be read: {0}")]
    StoreUrl(std::io::Error),
    /// The numbers.
    #[error("nothing can be counted: {0}")]
    Numbers(String),
    /// A second signal came while requests were ending.
    #[error("ended at once: requests under way were cut off")]
    EndedAtOnce,
    /// The node.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node's keys.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// An authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A configuration file.
    #[error("{} is not understood: {reason}", path.display())]
    Setting {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Something that has no default.
    #[error("{0} is missing: give it as a flag or in the configuration file")]
    Missing(&'static str),
    /// The connections to the directory.
    #[error("cannot connect to the directory: {0}")]
    Transport(#[from] TransportError),
}

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Not the JSON of a record.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A key, address or fingerprint in it is malformed.
    #[error("a key, the address or the fingerprint is malformed")]
    Field,
}

impl CommandError {
    /// 2 for what only a change of the command or the configuration mends, 1 for all else.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Filter(_) | Self::Setting { .. } | Self::Missing(_) => 2,
            _ => 1,
        }
    }
}

impl From<ListError> for CommandError {
    fn from(error: ListError) -> Self {
        Self::Directory(error.into())
    }
}

/// Carries a command out.
///
/// # Errors
/// Where it fails; usage errors ended the program before.
pub(crate) fn execute(arguments: Arguments) -> Result<ExitCode, CommandError> {
    match arguments.command {
        Command::CheckConfig(command) => return command.execute(),
        Command::Init(command) => command.execute(),
        Command::SignList(command) => command.execute(),
        Command::Run(command) => command.execute(),
        Command::Manual(command) => command.execute(),
        Command::Authority(command) => command.execute(),
    }?;
    Ok(ExitCode::SUCCESS)
}
