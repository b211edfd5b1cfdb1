//! The processes that load a store, and that read what is left of it.
//!
//! A loader prints a line for each acknowledgement: `+ 17` once message 17 is stored, `- 17` before
//! its deletion is asked for, `= 17` once it is deleted. A reader prints the numbers of the messages
//! that are there and whole; it fails where the store does not open.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::{Outcome, Subject, client, log, redis, warren};

/// What a loader says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is stored.
    Stored(u64),
    /// It is about to be deleted.
    Deleting(u64),
    /// It is deleted.
    Deleted(u64),
}

impl Said {
    /// Prints it at once: a process may be stopped at any moment.
    pub(crate) fn print(self) -> Outcome<()> {
        let line = match self {
            Self::Stored(number) => format!("+ {number}\n"),
            Self::Deleting(number) => format!("- {number}\n"),
            Self::Deleted(number) => format!("= {number}\n"),
        };
        Ok(std::io::stdout().lock().write_all(line.as_bytes())?)
    }

    pub(crate) fn read(line: &str) -> Option<Self> {
        let (sign, number) = line.split_once(' ')?;
        let number = number.parse().ok()?;
        match sign {
            "+" => Some(Self::Stored(number)),
            "-" => Some(Self::Deleting(number)),
            "=" => Some(Self::Deleted(number)),
            _ => None,
        }
    }
}

/// Stores without end.
pub(crate) fn load(subject: Subject, folder: &Path, first: u64) -> Outcome<()> {
    match subject {
        Subject::Warren => warren::load(folder, first),
        Subject::Client => client::load(folder, first),
        Subject::Log => log::load(folder, first, true),
        Subject::Unsynced => log::load(folder, first, false),
        Subject::Redis => redis::load(folder, first),
    }
}

/// Prints what a store holds.
pub(crate) fn list(subject: Subject, folder: &Path) -> Outcome<()> {
    let numbers = match subject {
        Subject::Warren => warren::list(folder)?,
        Subject::Client => client::list(folder)?,
        Subject::Log | Subject::Unsynced => log::list(folder)?,
        Subject::Redis => redis::list(folder)?,
    };
    let lines: Vec<_> = numbers.into_iter().map(|number| format!("{number}\n")).collect();
    Ok(std::io::stdout().lock().write_all(lines.concat().as_bytes())?)
}

/// Starts this program as a loader, in a process group of its own.
pub(crate) fn start(
    subject: Subject,
    folder: &Path,
    first: u64,
) -> Outcome<(Child, BufReader<ChildStdout>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["load", name(subject)])
        .arg(folder)
        .arg(first.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let lines = child.stdout.take().ok_or("the loader has no output")?;
    Ok((child, BufReader::new(lines)))
}

/// Runs this program as a reader; the numbers, or why the store did not open.
pub(crate) fn read(subject: Subject, folder: &Path) -> Outcome<Result<Vec<u64>, String>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["list", name(subject)])
        .arg(folder)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Ok(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut numbers = Vec::new();
    for line in output.stdout.lines() {
        numbers.push(line?.parse()?);
    }
    Ok(Ok(numbers))
}

const fn name(subject: Subject) -> &'static str {
    match subject {
        Subject::Warren => "warren",
        Subject::Client => "client",
        Subject::Log => "log",
        Subject::Unsynced => "unsynced",
        Subject::Redis => "redis",
    }
}
