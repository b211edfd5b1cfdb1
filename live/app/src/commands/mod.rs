//! One module for each command, and the way from what was typed to its module.

use crate::cli::{ApiCommand, Command};
use crate::failure::{Exit, Failure};
use crate::start::Start;

pub mod account;
pub mod api;
pub mod backup;
pub mod border;
pub mod code_kind;
pub mod completions;
pub mod contacts;
pub mod conversations;
pub mod crash;
pub mod daemon;
pub mod demo;
pub mod files;
pub mod friends;
pub mod groups;
pub mod lock;
pub mod message;
pub mod outbox;
pub mod path;
pub mod picture;
pub mod read;
pub mod search;
pub mod send;
pub mod shares;
pub mod sync;
pub mod up;
pub mod update;
pub mod wipe;

/// Carries a command out.
///
/// # Errors
/// Where it fails; see [`Failure`].
pub async fn run(start: Start, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Account(command) => Box::pin(account::run(&start, &command)).await,
        Command::Shares(command) => Box::pin(shares::run(&start, &command)).await,
        Command::Friends(command) => Box::pin(friends::run(&start, &command)).await,
        Command::Send(args) => Box::pin(send::run(&start, &args)).await,
        Command::Read(args) => Box::pin(read::run(&start, &args)).await,
        Command::Sync { now } => Box::pin(sync::run(&start, now)).await,
        Command::Message(command) => Box::pin(message::run(&start, command)).await,
        Command::Files(command) => Box::pin(files::run(&start, command)).await,
        Command::Picture(command) => Box::pin(picture::run(&start, command)).await,
        Command::Contacts(args) => Box::pin(contacts::run(&start, args.command.as_ref())).await,
        Command::Conversations(args) => Box::pin(conversations::run(&start, args.command)).await,
        Command::Groups(args) => Box::pin(groups::run(&start, args)).await,
        Command::Search(args) => Box::pin(search::run(&start, &args)).await,
        Command::Path => Box::pin(path::run(&start)).await,
        Command::Outbox(args) => Box::pin(outbox::run(&start, args.command)).await,
        Command::Update(command) => Box::pin(update::run(&start, &command)).await,
        Command::Crash(command) => crash::run(&start, &command),
        Command::Backup(command) => Box::pin(backup::run(&start, command)).await,
        Command::Border(args) => Box::pin(border::run(&start, &args)).await,
        Command::Up(args) => Box::pin(up::run(&start, &args)).await,
        Command::Demo => Box::pin(demo::run(&start)).await,
        Command::Daemon(args) => Box::pin(daemon::run(&start, args)).await,
        Command::Lock(args) => Box::pin(lock::run(&start, args.command)).await,
        Command::Unlock => Box::pin(lock::unlock(&start)).await,
        Command::Wipe(args) => Box::pin(wipe::run(&start, &args)).await,
        Command::Api(ApiCommand::Openapi) => api::openapi(&start),
        Command::Completions { shell } => completions::completions(&start, shell),
        Command::Man { to } => completions::manual(&start, &to),
    }
}
