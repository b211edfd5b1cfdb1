//! Whether somebody has the recovery words: some of them are asked for.

use std::collections::BTreeMap;

use warren_client::ClientError;
use warren_client::database::DatabaseError;
use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random;

use super::error::BorderError;
use super::report::{BorderAccount, BorderReport};
use crate::api::session::Session;
use crate::failure::Failure;

/// How many words are asked for.
const ASKED: usize = 3;
/// How many words an account made here has; Session's longer phrases begin with as many.
const WORDS: u64 = 13;

/// Which words to ask for, counted from 1, in their order.
pub(super) fn ask() -> Vec<usize> {
    let mut left: Vec<usize> = (1..).take(usize::try_from(WORDS).unwrap_or(ASKED)).collect();
    let mut asked: Vec<usize> = (0..ASKED)
        .filter_map(|_| {
            let drawn = u64::from_le_bytes(random(&mut SystemEntropy));
            let at = usize::try_from(drawn % left.len().max(1) as u64).ok()?;
            (at < left.len()).then(|| left.remove(at))
        })
        .collect();
    asked.sort_unstable();
    asked
}

/// Checks the words of an account.
///
/// # Errors
/// Where they are others, or the account is gone.
pub(super) fn check(
    session: &Session,
    account: &BorderAccount,
    given: &[String],
) -> Result<(), Failure> {
    let phrase = session.device(|device| device.mnemonic(&account.account_id)).map_err(gone)?;
    let words: Vec<&str> = phrase.words().collect();
    let is_right = account.ask.len() == given.len()
        && account.ask.iter().zip(given).all(|(number, given)| {
            let word = number.checked_sub(1).and_then(|at| words.get(at));
            word.is_some_and(|word| given.trim().to_lowercase() == **word)
        });
    let wrong = || BorderError::WrongWords(account.name.clone()).into();
    if is_right { Ok(()) } else { Err(wrong()) }
}

/// Checks all that were given; those of accounts that open a backup must be among them.
///
/// # Errors
/// Where some are others, or are missing.
pub(super) fn check_all(
    session: &Session,
    report: &BorderReport,
    given: &BTreeMap<String, Vec<String>>,
) -> Result<(), Failure> {
    for account in &report.accounts {
        match given.get(&account.account_id) {
            Some(words) => check(session, account, words)?,
            None if account.opens => return Err(BorderError::NoWords(account.name.clone()).into()),
            None => {}
        }
    }
    Ok(())
}

fn gone(error: ClientError) -> Failure {
    match error {
        ClientError::Database(DatabaseError::UnknownAccount) => BorderError::Changed.into(),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words_are_asked_for_no_two_the_same() {
        for _ in 0..200 {
            let asked = ask();
            assert!(asked.windows(2).all(|two| two[0] < two[1]), "{asked:?}");
            assert_eq!(asked.len(), ASKED);
            assert!(asked.iter().all(|number| (1..=13).contains(number)));
        }
    }
}
