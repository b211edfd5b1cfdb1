//! Results on stdout, errors and warnings on stderr, as text or as JSON.

use std::fmt::Display;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::terminal_text;

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// As text, or as JSON.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON was asked for.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Prints a result: `value` on one line where JSON was asked for, else `text`.
    ///
    /// `text` is printed as it stands: strangers' words in it must have gone through
    /// [`terminal_text`] already.
    ///
    /// # Errors
    /// Where stdout is closed or its disk is full.
    pub fn result(self, value: &Value, text: impl Display) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        if self.json {
            writeln!(stdout, "{}", terminal_text::json(&value.to_string()))?;
        } else {
            writeln!(stdout, "{text}")?;
        }
        Ok(stdout.flush()?)
    }

    /// Prints a line for people alone.
    ///
    /// # Errors
    /// Where stdout is closed or its disk is full.
    pub fn text(self, text: impl Display) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{text}")?;
        Ok(stdout.flush()?)
    }

    /// Prints bytes as they are, such as a script for a shell.
    ///
    /// # Errors
    /// Where stdout is closed or its disk is full.
    pub fn raw(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes)?;
        Ok(stdout.flush()?)
    }

    /// Reports why the command failed.
    pub fn error(self, failure: &Failure) {
        self.report("error", failure.code(), &failure.to_string());
    }

    /// Reports what does not stop the command.
    pub fn warning(self, code: &str, message: &str) {
        self.report("warning", code, message);
    }

    /// Tells a person how far something is, on stderr; nothing where JSON was asked for.
    pub fn progress(self, text: &str) {
        if !self.json {
            // A closed stderr is no reason to stop.
            let _ = writeln!(io::stderr().lock(), "{}", terminal_text::line(text));
        }
    }

    /// A closed stderr is no reason to stop.
    fn report(self, kind: &str, code: &str, message: &str) {
        let mut stderr = io::stderr().lock();
        let _ = if self.json {
            let value = json!({ kind: { "code": code, "message": message } });
            writeln!(stderr, "{}", terminal_text::json(&value.to_string()))
        } else {
            // A node's words may be part of it.
            writeln!(stderr, "warren: {kind}: {}", terminal_text::block(message, "  "))
        };
    }
}
