//! The one program a person runs: the command line.
//!
//! A library, so that tests reach its parts; `main` calls [`run`]. In the order of a start:
//!
//! | module | what |
//! |---|---|
//! | [`cli`] | what can be typed |
//! | [`failure`] | what can go wrong, with its code and exit status |
//! | [`output`] | results on stdout, errors and warnings on stderr, as text or JSON |
//! | [`hardening`] | no core dumps, nothing left in freed memory |
//! | [`passphrase`] | where the passphrase comes from |
//! | [`terminal_text`] | a stranger's text, made harmless for a terminal |
//! | [`start`] | from what was typed to an unlocked device |
//! | [`orders`] | what a duress code ordered, handed to another process |
//! | [`stop`] | Ctrl-C and SIGTERM |
//! | [`wording`] | how people, times and nodes are written |
//! | [`qr`] | QR codes, on a terminal and in files |
//! | [`people`] | whom a person means by what they typed |
//! | [`api`] | everything a device can do, for the command line and for apps |
//! | [`daemon`] | what keeps a home at work and serves the API |
//! | [`crash`] | what is kept of faults in the program |
//! | [`commands`] | one module for each command |

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;

pub mod api;
pub mod cli;
pub mod commands;
pub mod crash;
pub mod daemon;
pub mod failure;
pub mod hardening;
pub mod mentioning;
pub mod orders;
pub mod output;
pub mod passphrase;
pub mod people;
pub mod qr;
pub mod start;
pub mod stop;
pub mod terminal_text;
pub mod wording;

use cli::Cli;
use failure::{Exit, Failure};
use output::Output;
use start::Start;

/// Reads the command line, does what it says, and reports how it went.
pub fn run() -> ExitCode {
    hardening::harden();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    if matches!(&cli.command, cli::Command::Daemon(daemon) if daemon.runs()) {
        hardening::wipe_freed_memory();
    }
    logging();
    let output = Output::new(cli.global.json);
    let start = Start::new(cli.global);
    if let Ok(home) = start.home() {
        crash::install(home);
    }
    let result = tokio::runtime::Runtime::new()
        .map_err(Failure::Runtime)
        .and_then(|runtime| runtime.block_on(commands::run(start, cli.command)));
    match result {
        Ok(exit) => exit.into(),
        // Whoever read the output has seen enough.
        Err(Failure::OutputClosed) => Exit::Done.into(),
        Err(failure) => {
            output.error(&failure);
            failure.exit().into()
        }
    }
}

/// Help goes to stdout; a mistake to stderr, in the form that was asked for.
fn refuse(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let is_mistake = !matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    if wants_json && is_mistake {
        let text = error.render().to_string();
        let text = text.trim().trim_start_matches("error: ").to_owned();
        let failure = Failure::Usage(text);
        Output::new(true).error(&failure);
        return failure.exit().into();
    }
    // A closed pipe is no reason to complain about a help text.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// What is logged. These tell frames and headers, and with them content and people.
fn log_filter(asked: &str) -> EnvFilter {
    let silent = ["tungstenite", "hyper", "hyper_util", "h2", "axum", "tower"];
    let silent = silent.iter().filter_map(|name| format!("{name}=off").parse().ok());
    silent.fold(EnvFilter::new(asked), EnvFilter::add_directive)
}

/// Logs go to stderr, and there are none unless `WARREN_LOG` asks for them.
fn logging() {
    let Ok(filter) = std::env::var("WARREN_LOG") else { return };
    tracing_subscriber::fmt()
        .with_env_filter(log_filter(&filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
}
