//! What can be typed about the daemon and its API.

use std::net::SocketAddr;

use clap::{Args, Subcommand};

/// `warren daemon ...`
#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// What to do; nothing runs it
    #[command(subcommand)]
    pub command: Option<DaemonCommand>,
    /// How to run it
    #[command(flatten)]
    pub run: DaemonRunArgs,
}

pub(super) const DAEMON_HELP: &str = "\
The daemon asks for the passphrase once. While it runs, commands need none: they ask it
through a socket in the home directory that no other user can open. Ctrl-C, SIGTERM and
`warren daemon stop` end it. It locks by itself when nothing is asked of it for 15 minutes,
and once the machine slept; `warren lock auto` changes that. While it is locked no mail is
fetched.

With --listen it listens on loopback too, for apps that cannot open the socket. Each request
must carry the token of the file api-token in the home directory.

Examples:
  warren daemon run
  warren daemon run --listen 127.0.0.1:7450
  warren daemon status                       exit code 1 if none runs
  warren daemon run --locked                 at the start of the machine; `warren unlock` later
  warren lock                                drops all keys; `warren unlock` brings them back
  warren daemon stop";

impl DaemonArgs {
    /// Whether this process is to be the daemon.
    pub const fn runs(&self) -> bool {
        matches!(self.command, None | Some(DaemonCommand::Run(_)))
    }
}

/// What to do with the daemon.
#[derive(Debug, Subcommand)]
pub enum DaemonCommand {
    /// Run it until Ctrl-C
    Run(DaemonRunArgs),
    /// Say whether one runs
    Status,
    /// Drop all keys and end all work, until somebody unlocks
    Lock,
    /// Unlock it with the passphrase
    Unlock,
    /// End it
    Stop,
}

/// How to run the daemon.
#[derive(Debug, Default, Args)]
pub struct DaemonRunArgs {
    /// Listen on loopback too; port 0 takes any
    #[arg(long, value_name = "IP:PORT")]
    pub listen: Option<SocketAddr>,
    /// Start locked, and ask for nothing: `warren unlock` opens it
    #[arg(long)]
    pub locked: bool,
    /// Let pages of this origin ask over loopback, with the token; may be repeated
    #[arg(long, value_name = "ORIGIN", requires = "listen")]
    pub allow_origin: Vec<String>,
}

/// `warren api ...`
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ApiCommand {
    /// Print its description in OpenAPI
    Openapi,
}
