//! Where the passphrase and the recovery words come from: a file, the environment, a terminal.

use std::fmt;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use crate::failure::Failure;

/// The most bytes a passphrase or a phrase may have.
const MOST_BYTES: usize = 4096;
/// Where the environment may hold a passphrase.
pub const VARIABLE: &str = "WARREN_PASSPHRASE";
/// Where it may name a file with one, which counts before it.
pub const FILE_VARIABLE: &str = "WARREN_PASSPHRASE_FILE";
const NEW_VARIABLE: &str = "WARREN_NEW_CODE";

/// A text nobody but its owner may see. Overwritten when dropped, and never printed.
pub struct SecretText(Vec<u8>);

impl SecretText {
    /// Takes over a text.
    pub fn new(text: String) -> Self {
        Self(text.into_bytes())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        // Made from a String, and cut at ASCII characters alone.
        str::from_utf8(&self.0).unwrap_or_default()
    }

    fn first_line(mut self) -> Self {
        let end = self.0.iter().position(|byte| b"\r\n".contains(byte));
        if let Some(end) = end {
            self.0.drain(end..).for_each(drop);
        }
        self
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        let capacity = self.0.capacity();
        self.0.clear();
        self.0.resize(capacity, 0);
        // The compiler must not find the writing useless.
        black_box(&self.0);
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// Whether there is somebody to ask. Stdin alone may be a pipe, with a message in it.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

/// The passphrase of a home that exists.
///
/// # Errors
/// Where the file cannot be read, or nobody can be asked.
pub fn of_home(file: Option<&Path>) -> Result<SecretText, Failure> {
    match given(file)? {
        Some(passphrase) => Ok(passphrase),
        None => ask("Passphrase: "),
    }
}

/// A passphrase for a new home; asked for twice.
///
/// # Errors
/// Where the file cannot be read, nobody can be asked, or the two differ.
pub fn of_new_home(file: Option<&Path>) -> Result<SecretText, Failure> {
    if let Some(passphrase) = given(file)? {
        return Ok(passphrase);
    }
    let first = ask("Choose a passphrase for this device: ")?;
    let second = ask("The same passphrase again: ")?;
    if first.expose() == second.expose() { Ok(first) } else { Err(Failure::PassphrasesDiffer) }
}

/// A code that is to take the place of another, or to stand beside it; asked for twice.
///
/// # Errors
/// As [`of_new_home`].
pub fn new_code(file: Option<&Path>, what: &str) -> Result<SecretText, Failure> {
    if let Some(code) = given_by(file, NEW_VARIABLE)? {
        return Ok(code);
    }
    let first = ask(&format!("{what}: "))?;
    let second = ask("The same again: ")?;
    if first.expose() == second.expose() { Ok(first) } else { Err(Failure::PassphrasesDiffer) }
}

/// A word that somebody types to be sure; `None` where nobody can be asked.
///
/// # Errors
/// Where the terminal cannot be asked.
pub fn confirmation(prompt: &str) -> Result<Option<String>, Failure> {
    if !is_interactive() {
        return Ok(None);
    }
    let mut typed = String::new();
    eprint!("{prompt}");
    io::stdin().read_line(&mut typed).map_err(Failure::Terminal)?;
    Ok(Some(typed.trim().to_owned()))
}

/// Recovery words: typed without being shown, or all of stdin where that is no terminal.
///
/// # Errors
/// Where stdin cannot be read or holds more than a phrase.
pub fn recovery_words() -> Result<SecretText, Failure> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password("Recovery words (not shown while you type): ")
            .map(SecretText::new)
            .map_err(Failure::Terminal);
    }
    read(io::stdin().lock(), MOST_BYTES, Failure::Stdin)
}

/// The passphrase in the environment, where it counts and the first line of a file could hold it.
pub fn taken_from_environment() -> Option<SecretText> {
    if std::env::var_os(FILE_VARIABLE).is_some() {
        return None;
    }
    let text = SecretText::new(std::env::var(VARIABLE).ok()?);
    let is_line = text.expose().len() <= MOST_BYTES && !text.expose().contains(['\r', '\n']);
    is_line.then_some(text)
}

fn given(file: Option<&Path>) -> Result<Option<SecretText>, Failure> {
    given_by(file, VARIABLE)
}

fn given_by(file: Option<&Path>, variable: &str) -> Result<Option<SecretText>, Failure> {
    if let Some(path) = file {
        let failed = |error| Failure::PassphraseFile { path: path.to_owned(), error };
        let file = File::open(path).map_err(failed)?;
        return read(file, MOST_BYTES, failed).map(SecretText::first_line).map(Some);
    }
    Ok(std::env::var(variable).ok().map(SecretText::new))
}

fn ask(prompt: &str) -> Result<SecretText, Failure> {
    if !is_interactive() {
        return Err(Failure::NoPassphrase);
    }
    rpassword::prompt_password(prompt).map(SecretText::new).map_err(Failure::Terminal)
}

/// Reads at most so many bytes into a buffer that never moves, so that no copy is left behind.
///
/// # Errors
/// Where it cannot be read, holds more, or is no text.
pub fn read(
    from: impl Read,
    most: usize,
    failed: impl Fn(io::Error) -> Failure,
) -> Result<SecretText, Failure> {
    let mut text = SecretText(Vec::with_capacity(most + 1));
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let size = from.take(limit + 1).read_to_end(&mut text.0).map_err(&failed)?;
    if size > most {
        return Err(Failure::TooMuchInput(most));
    }
    match str::from_utf8(&text.0) {
        Ok(_) => Ok(text),
        Err(_) => Err(failed(io::ErrorKind::InvalidData.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_passphrase_file_ends_at_its_first_line() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all("correct horse \r\nsecond line\n".as_bytes()).unwrap();
        let passphrase = of_home(Some(file.path())).unwrap();
        assert_eq!(passphrase.expose(), "correct horse ");
    }

    #[test]
    fn a_missing_file_is_named() {
        let failure = of_home(Some(Path::new("no/such/file"))).unwrap_err();
        assert!(failure.to_string().contains("no/such/file"), "{failure}");
    }

    #[test]
    fn more_than_can_be_a_passphrase_is_refused() {
        let long = vec![b'a'; MOST_BYTES + 1];
        assert!(matches!(
            read(&long[..], MOST_BYTES, Failure::Stdin),
            Err(Failure::TooMuchInput(_))
        ));
        assert!(read(&long[1..], MOST_BYTES, Failure::Stdin).is_ok());
    }

    #[test]
    fn a_secret_text_is_not_printed() {
        assert_eq!(format!("{:?}", SecretText::new("swordfish".into())), "SecretText(..)");
    }
}
