//! `warren shares combine`: shares typed one after the other, or read from stdin.

use std::io::IsTerminal;

use axum::http::Method;
use serde_json::{Value, json};
use warren_account::{Collection, Share, ShareError};

use crate::api::accounts::{Account, RestoredAccount};
use crate::api::shares::{Gathered, gathered};
use crate::cli::CombineArgs;
use crate::commands::account::mnemonic_text;
use crate::failure::Failure;
use crate::passphrase::{self, SecretText};
use crate::start::Start;
use crate::{terminal_text, wording};

/// The most bytes of shares on stdin.
const MOST_BYTES: usize = 64 * 1024;
/// How many words the longest share has.
const MOST_WORDS: usize = 33;

pub(super) async fn combine(start: &Start, args: &CombineArgs) -> Result<(), Failure> {
    let name = args.name.as_deref().map(wording::name).transpose()?.map(str::to_owned);
    let collection = if std::io::stdin().is_terminal() { typed(start)? } else { piped()? };
    let gathered = complete(&collection)?;
    for misfit in &gathered.misfits {
        start.output.warning(
            "altered_share",
            &format!(
                "share {misfit} does not go with the others: whoever brought it brought something else \
                 than they were given. The words came from the other shares"
            ),
        );
    }
    if args.restore { restore(start, name, &gathered).await } else { show(start, &gathered) }
}

fn show(start: &Start, gathered: &Gathered) -> Result<(), Failure> {
    let words = gathered.mnemonic.as_deref().unwrap_or_default();
    let text = format!(
        "The shares of the set '{}' bring this account back:\n\n  Account ID  {}\n\n{}\n\n\
         Compare the Account ID with what you or your friends know. `warren account restore` takes the\n\
         words.",
        gathered.set,
        gathered.account_id.as_deref().unwrap_or_default(),
        mnemonic_text(words),
    );
    start.output.result(&serde_json::to_value(gathered).unwrap_or_default(), text)
}

async fn restore(start: &Start, name: Option<String>, gathered: &Gathered) -> Result<(), Failure> {
    let api = start.new_home_api().await?;
    let mnemonic = gathered.mnemonic.clone().unwrap_or_default();
    let given = RestoredAccount { name, mnemonic };
    let account: Account = api.send(Method::POST, "accounts/restore", &given).await?;
    let text = format!(
        "The account '{}' is back.\n\n  Account ID  {}",
        terminal_text::line(&account.name),
        account.account_id
    );
    let value: Value =
        json!({ "account_id": account.account_id, "name": account.name, "set": gathered.set });
    start.output.result(&value, text)
}

/// What a collection gives, where it is complete.
fn complete(collection: &Collection) -> Result<Gathered, Failure> {
    if !collection.is_complete() {
        // The error says how many are missing.
        collection.combine()?;
    }
    gathered(collection)
}

/// Asks for one share after the other, and says how many are missing. What is wrong is asked again.
fn typed(start: &Start) -> Result<Collection, Failure> {
    let mut collection = Collection::default();
    let mut position = 1;
    while !collection.is_complete() {
        let prompt = format!("Share {position} (not shown while you type): ");
        let text = rpassword::prompt_password(prompt).map(SecretText::new);
        let text = text.map_err(Failure::Terminal)?;
        match add(&mut collection, plain_words(text.expose()).expose(), position) {
            Ok(()) => position += 1,
            Err(failure) => {
                start.output.error(&failure);
                continue;
            }
        }
        let (have, need) = (collection.have(), collection.need().unwrap_or_default());
        let set = collection.set().map(warren_account::shares::Set::name).unwrap_or_default();
        start.output.progress(&format!("{have} of {need} shares of the set '{set}'"));
    }
    Ok(collection)
}

/// Reads all shares from stdin.
fn piped() -> Result<Collection, Failure> {
    let text = passphrase::read(std::io::stdin().lock(), MOST_BYTES, Failure::Stdin)?;
    let mut collection = Collection::default();
    for (share, position) in apart(text.expose()).into_iter().zip(1..) {
        add(&mut collection, share.expose(), position)?;
    }
    Ok(collection)
}

fn add(collection: &mut Collection, text: &str, position: usize) -> Result<(), Failure> {
    let share = Share::parse(text).map_err(|error| Failure::Share { position, error })?;
    collection.add(share).map_err(|error| Failure::OddShare { position, error })
}

/// The words of a line, without the numbers that people write in front of them.
fn plain_words(line: &str) -> SecretText {
    let is_number = |word: &&str| {
        word.trim_end_matches(['.', ')', ':']).bytes().all(|byte| byte.is_ascii_digit())
    };
    let words: Vec<_> = line.split_whitespace().filter(|word| !is_number(word)).collect();
    SecretText::new(words.join(" "))
}

/// Where one share ends and the next begins: at a blank line, or where the words are a share.
fn apart(text: &str) -> Vec<SecretText> {
    let mut shares = Vec::new();
    let mut words = String::with_capacity(text.len());
    for line in text.lines() {
        let line = plain_words(line);
        let line = line.expose();
        if !line.is_empty() {
            words.push(' ');
            words.push_str(line);
        }
        let count = words.split_whitespace().count();
        let is_whole =
            !matches!(Share::parse(&words), Err(ShareError::Count { .. } | ShareError::Checksum));
        if count > 0 && (line.is_empty() || is_whole || count >= MOST_WORDS) {
            shares.push(SecretText::new(std::mem::take(&mut words)));
            words.reserve(text.len());
        }
    }
    if !words.is_empty() {
        shares.push(SecretText::new(words));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "shadow pistol academic always adequate wildlife fancy gross oasis cylinder mustang wrist rescue view short owner flip making coding armed";
    const TWO: &str = "shadow pistol academic acid actress prayer class unknown daughter sweater depict flip twice unkind craft early superior advocate guest smoking";

    fn parts(text: &str) -> Vec<String> {
        apart(text).iter().map(|share| share.expose().trim().to_owned()).collect()
    }

    #[test]
    fn shares_stand_on_a_line_each_or_in_numbered_rows() {
        assert_eq!(parts(&format!("{ONE}\n{TWO}\n")), [ONE, TWO]);
        let rows = |text: &str| {
            let words: Vec<_> = text.split(' ').collect();
            let numbered = words.iter().zip(1..).map(|(word, number)| format!("{number}. {word}"));
            let numbered: Vec<_> = numbered.collect();
            numbered.chunks(4).map(|row| row.join(" ")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(parts(&format!("\n{}\n\n{}", rows(ONE), rows(TWO))), [ONE, TWO]);
        assert_eq!(parts(&format!("{}\n{}", rows(ONE), rows(TWO))), [ONE, TWO]);
    }

    #[test]
    fn a_share_with_a_slip_ends_where_a_blank_line_says() {
        let wrong = ONE.replace("wildlife", "acid");
        assert_eq!(parts(&format!("{wrong}\n\n{TWO}")), [wrong.as_str(), TWO]);
        assert!(parts("\n \n").is_empty());
    }
}
