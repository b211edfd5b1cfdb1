//! Power cuts: loads a store on a file system of its own, takes the disk away at random moments,
//! and counts what it had acknowledged and does not have.
//!
//! The file system is ext4 in an image behind a loop device. At a cut the loading process is
//! stopped and the image copied as it is: what the kernel had not written to it is missing from
//! the copy, as after a power cut. The copy is mounted, the store in it opened and read. It needs
//! root.

mod client;
mod cuts;
mod image;
mod load;
mod log;
mod numbers;
mod redis;
mod warren;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Whatever kept a run from its end.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
/// What this program's functions return.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// Counts what power cuts take from a store.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Cut the power of each store so many times, and say what was lost.
    Cut {
        /// The stores; all of them where none is named.
        subjects: Vec<Subject>,
        /// How many times.
        #[arg(long, default_value_t = 20)]
        cuts: usize,
        /// Where images are kept; a memory file system is fast.
        #[arg(long)]
        scratch: Option<PathBuf>,
    },
    /// Store into a folder without end; each acknowledgement is a line. (For `cut`.)
    Load { subject: Subject, folder: PathBuf, first: u64 },
    /// Open the store in a folder and print what it holds. (For `cut`.)
    List { subject: Subject, folder: PathBuf },
}

/// What is tested, and what tests the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The embedded engine.
    Warren,
    /// A person's encrypted database.
    Client,
    /// Control: a log that is synced before it answers. It must lose nothing.
    Log,
    /// Control: the same log, never synced. It must lose something.
    Unsynced,
    /// Control: redis with `appendfsync always`. It must lose nothing.
    Redis,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Cut { subjects, cuts, scratch } => cut(&subjects, cuts, scratch),
        Command::Load { subject, folder, first } => {
            load::load(subject, &folder, first).map(|()| true)
        }
        Command::List { subject, folder } => load::list(subject, &folder).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn cut(subjects: &[Subject], cuts: usize, scratch: Option<PathBuf>) -> Outcome<bool> {
    if let Err(reason) = image::available() {
        println!("skipped, no power is cut: {reason}");
        return Ok(true);
    }
    let scratch = scratch.unwrap_or_else(std::env::temp_dir);
    let all = [Subject::Warren, Subject::Client, Subject::Log, Subject::Unsynced, Subject::Redis];
    let subjects = if subjects.is_empty() { &all } else { subjects };
    let mut good = true;
    for subject in subjects {
        let tally = cuts::run(*subject, cuts, &scratch)?;
        println!("{}", tally.describe(*subject));
        good &= tally.is_as_expected(*subject);
    }
    Ok(good)
}
