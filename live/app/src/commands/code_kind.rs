//! What a new code is: as an option says, or as somebody chooses from a menu on the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::api::lock::Kind;
use crate::cli::KindArgs;
use crate::failure::Failure;

const MENU: &str = "\
What is the new code to be?
  1  a PIN, 4 to 64 digits: quick to type, and soon guessed by whoever copies this disk,
     unless it works with this machine's TPM alone (`warren lock bind`)
  2  a passphrase, any text: six random words hold, also against a copy
  3  a pattern over the dots of a grid, typed as 3x3:1-2-3-6-9: worth about as much as a PIN
";

/// What a new code is to be.
///
/// # Errors
/// [`Failure::NoCodeKind`] where no option says it and nobody can be asked, or nobody answers.
pub fn of(args: &KindArgs) -> Result<Kind, Failure> {
    match (args.pin, args.passphrase, args.pattern) {
        (true, _, _) => Ok(Kind::Pin),
        (_, true, _) => Ok(Kind::Passphrase),
        (_, _, true) => Ok(Kind::Pattern),
        _ if io::stdin().is_terminal() => chosen(&mut io::stdin().lock(), &mut io::stderr())
            .map_err(Failure::Terminal)?
            .ok_or(Failure::NoCodeKind),
        _ => Err(Failure::NoCodeKind),
    }
}

/// Asks until one of the kinds is named; `None` where the answers end.
fn chosen(answers: &mut impl BufRead, screen: &mut impl Write) -> io::Result<Option<Kind>> {
    screen.write_all(MENU.as_bytes())?;
    loop {
        screen.write_all(b"1, 2 or 3: ")?;
        screen.flush()?;
        let mut answer = String::new();
        if answers.read_line(&mut answer)? == 0 {
            return Ok(None);
        }
        match answer.trim().to_ascii_lowercase().as_str() {
            "1" | "pin" => return Ok(Some(Kind::Pin)),
            "2" | "passphrase" => return Ok(Some(Kind::Passphrase)),
            "3" | "pattern" => return Ok(Some(Kind::Pattern)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(answers: &str) -> (Option<Kind>, String) {
        let mut screen = Vec::new();
        let kind = chosen(&mut answers.as_bytes(), &mut screen).unwrap();
        (kind, String::from_utf8(screen).unwrap())
    }

    #[test]
    fn a_kind_is_chosen_by_its_number_or_its_name() {
        assert_eq!(answered("1\n").0, Some(Kind::Pin));
        assert_eq!(answered(" Passphrase\r\n").0, Some(Kind::Passphrase));
        assert_eq!(answered("3").0, Some(Kind::Pattern));
    }

    #[test]
    fn whoever_answers_something_else_is_asked_again_and_a_closed_terminal_chooses_nothing() {
        let (kind, screen) = answered("4\n\n1234\n2\n");
        assert_eq!(kind, Some(Kind::Passphrase));
        assert_eq!(screen.matches("1, 2 or 3: ").count(), 4);
        assert_eq!(screen.matches("What is the new code").count(), 1);
        assert!(!screen.contains("1234"), "a code typed too early is not shown");
        assert_eq!(answered("").0, None);
    }
}
