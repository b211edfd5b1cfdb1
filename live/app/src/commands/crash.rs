//! `warren crash`: reports of faults, shown, written out and deleted. Needs no passphrase.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::CrashCommand;
use crate::crash;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::terminal_text;

/// Carries the command out.
///
/// # Errors
/// Where there is no such report, or a file cannot be read or written.
pub fn run(start: &Start, command: &CrashCommand) -> Result<Exit, Failure> {
    let home = start.home()?;
    match command {
        CrashCommand::List => list(start, &home),
        CrashCommand::Show { number } => show(start, &home, *number),
        CrashCommand::Export { number, to, yes } => export(start, &home, *number, to, *yes),
        CrashCommand::Delete { number } => {
            crash::delete(&home, *number).map_err(|error| missing(&home, *number, error))?;
            start.output.result(&json!({ "deleted": number }), "Deleted.")
        }
    }
    .map(|()| Exit::Done)
}

fn list(start: &Start, home: &Path) -> Result<(), Failure> {
    let numbers = crash::list(home).map_err(|error| Failure::Path { path: home.into(), error })?;
    let mut reports = Vec::new();
    let mut lines = Vec::new();
    for number in numbers {
        let place = crash::read(home, number).map(|(report, _)| report.place);
        let place = place.unwrap_or_else(|_| "(damaged)".to_owned());
        lines.push(format!("{number}  {}", terminal_text::line(&place)));
        reports.push(json!({ "number": number, "place": place }));
    }
    if lines.is_empty() {
        lines.push("There are no reports of faults.".to_owned());
    }
    start.output.result(&json!({ "reports": reports }), lines.join("\n"))
}

fn show(start: &Start, home: &Path, number: u32) -> Result<(), Failure> {
    let (report, text) = crash::read(home, number).map_err(|error| missing(home, number, error))?;
    let value: Value = serde_json::to_value(&report).unwrap_or_default();
    start.output.result(&value, terminal_text::block(&text, ""))
}

fn export(start: &Start, home: &Path, number: u32, to: &Path, yes: bool) -> Result<(), Failure> {
    show(start, home, number)?;
    if !yes {
        return Err(Failure::Unread(number));
    }
    let (_, text) = crash::read(home, number).map_err(|error| missing(home, number, error))?;
    crash::write_new(to, text.as_bytes())
        .map_err(|error| Failure::Path { path: to.to_owned(), error })
}

fn missing(home: &Path, number: u32, error: io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::NoReport(number);
    }
    let path: PathBuf = home.join(format!("crashes/{number}.json"));
    Failure::Path { path, error }
}
