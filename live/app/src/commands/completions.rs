//! `warren completions` and `warren man`: what a packager installs beside the program.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};
use crate::start::Start;

/// Prints the script for a shell.
///
/// # Errors
/// Where stdout is closed.
pub fn completions(start: &Start, shell: Shell) -> Result<Exit, Failure> {
    // The generator panics where writing fails, so that it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "warren", &mut script);
    if start.output.is_json() {
        let script = String::from_utf8_lossy(&script);
        start.output.result(&json!({ "shell": shell.to_string(), "script": script }), "")?;
    } else {
        start.output.raw(&script)?;
    }
    Ok(Exit::Done)
}

/// Writes a page for each command to a folder, or the main page to stdout.
///
/// # Errors
/// Where the folder cannot be written or stdout is closed.
pub fn manual(start: &Start, to: &Path) -> Result<Exit, Failure> {
    let failed = |error| Failure::Path { path: to.to_owned(), error };
    if to.as_os_str() == "-" {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(failed)?;
        start.output.raw(&page)?;
        return Ok(Exit::Done);
    }
    std::fs::create_dir_all(to).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), to).map_err(failed)?;
    let value = json!({ "folder": to.display().to_string() });
    start.output.result(&value, format!("The manual pages are in {}.", to.display()))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}
