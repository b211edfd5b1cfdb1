//! One module for each command, and the way from what was typed to its module.

use crate::cli::Command;
use crate::failure::{Exit, Failure};
use crate::start::Start;

pub mod account;
pub mod completions;
pub mod contacts;
pub mod demo;
pub mod outbox;
pub mod path;
pub mod read;
pub mod send;
pub mod up;

/// Carries a command out.
///
/// # Errors
/// Where it fails; see [`Failure`].
pub async fn run(start: Start, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Account(command) => account::run(&start, &command),
        Command::Send(args) => Box::pin(send::run(&start, &args)).await,
        Command::Read(args) => Box::pin(read::run(&start, &args)).await,
        Command::Contacts(args) => contacts::run(&start, args.command.as_ref()),
        Command::Path => Box::pin(path::run(&start)).await,
        Command::Outbox(args) => Box::pin(outbox::run(&start, args.command)).await,
        Command::Up(args) => Box::pin(up::run(&start, &args)).await,
        Command::Demo => Box::pin(demo::run(&start)).await,
        Command::Completions { shell } => completions::completions(&start, shell),
        Command::Man { to } => completions::manual(&start, &to),
    }
}
