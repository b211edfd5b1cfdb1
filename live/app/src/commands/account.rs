//! `warren account`: create, restore, show, list, remove, and the id of a phrase.

use std::fmt::Write;

use serde_json::{Value, json};
use warren_account::{Account, Mnemonic};
use warren_client::database::AccountEntry;
use warren_client::{ClientError, Device};

use crate::cli::AccountCommand;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::start::Start;
use crate::wording::{count, json_time, local_time};
use crate::{passphrase, terminal_text, wording};

/// What an account is called where nobody says.
const DEFAULT_NAME: &str = "main";

/// Carries the command out.
///
/// # Errors
/// Where words, passphrase or name do not fit, or the disk fails.
pub fn run(start: &Start, command: &AccountCommand) -> Result<Exit, Failure> {
    match command {
        AccountCommand::Create { name } => create(start, name.as_deref()),
        AccountCommand::Restore { name } => restore(start, name.as_deref()),
        AccountCommand::Show { mnemonic, id } => show(start, *mnemonic, *id),
        AccountCommand::List => list(start),
        AccountCommand::Remove { which, yes } => remove(start, which, *yes),
        AccountCommand::Id { .. } => id_of_phrase(start.output),
    }
    .map(|()| Exit::Done)
}

fn create(start: &Start, name: Option<&str>) -> Result<(), Failure> {
    let name = name.map(wording::name).transpose()?;
    let mut device = start.new_device()?;
    let label = free_name(&device, name)?;
    let (entry, mnemonic) = device.create_account(&label, name)?;
    let mut value = entry_json(&entry);
    put_mnemonic(&mut value, &mnemonic);
    let text = format!(
        "The account '{}' is made.\n\n  Account ID  {}\n\n\
         People need the Account ID to write to you; it is no secret.\n\n{}\n\n\
         Write the words down on paper, in this order, and keep them where nobody looks. Whoever\n\
         has them has the account; without them nobody can bring it back, not even you.",
        terminal_text::line(&entry.label),
        entry.id,
        mnemonic_text(&mnemonic),
    );
    start.output.result(&value, text)
}

fn restore(start: &Start, name: Option<&str>) -> Result<(), Failure> {
    let name = name.map(wording::name).transpose()?;
    let words = passphrase::recovery_words()?;
    // Wrong words are told before a home is made or a passphrase asked for.
    Mnemonic::parse(words.expose())?;
    let mut device = start.new_device()?;
    let label = free_name(&device, name)?;
    let entry = device.restore_account(words.expose(), &label, name)?;
    let text = format!(
        "The account '{}' is back.\n\n  Account ID  {}\n\n\
         `warren read --all` fetches the messages that the network still keeps.",
        terminal_text::line(&entry.label),
        entry.id,
    );
    start.output.result(&entry_json(&entry), text)
}

fn show(start: &Start, mnemonic: bool, id_alone: bool) -> Result<(), Failure> {
    let device = start.device()?;
    let entry = device.messenger(start.account())?.account().clone();
    let mut value = entry_json(&entry);
    let id = entry.id.to_string();
    if id_alone {
        return start.output.result(&value, id);
    }
    let mut text = format!(
        "{}\n  Account ID        {id}\n  On this device    since {}",
        terminal_text::line(&entry.label),
        local_time(entry.created),
    );
    if mnemonic {
        let mnemonic = device.mnemonic(&id)?;
        put_mnemonic(&mut value, &mnemonic);
        // Writing to a String does not fail.
        let _ = write!(text, "\n\n{}", mnemonic_text(&mnemonic));
    }
    start.output.result(&value, text)
}

fn list(start: &Start) -> Result<(), Failure> {
    let accounts = start.device()?.accounts()?;
    let value = json!({ "accounts": accounts.iter().map(entry_json).collect::<Vec<_>>() });
    if accounts.is_empty() {
        let text = "There is no account here: `warren account create` makes one.";
        return start.output.result(&value, text);
    }
    let line =
        |entry: &AccountEntry| format!("{}  {}", entry.id, terminal_text::line(&entry.label));
    start.output.result(&value, accounts.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn remove(start: &Start, which: &str, yes: bool) -> Result<(), Failure> {
    if !yes {
        return Err(Failure::NotConfirmed(which.to_owned()));
    }
    let mut device = start.device()?;
    let entry = device.remove_account(which)?;
    let left = device.accounts()?.len();
    let text = format!(
        "The account '{}' is off this device, with its messages. {} left.",
        terminal_text::line(&entry.label),
        count(left, "account"),
    );
    start.output.result(&entry_json(&entry), text)
}

fn id_of_phrase(output: Output) -> Result<(), Failure> {
    let words = passphrase::recovery_words()?;
    let account = Account::from_mnemonic(words.expose()).map_err(ClientError::from)?;
    let id = account.id().to_string();
    output.result(&json!({ "account_id": id }), &id)
}

/// The chosen name, or `main`, `main-2` and so on.
fn free_name(device: &Device, chosen: Option<&str>) -> Result<String, Failure> {
    let taken: Vec<String> = device.accounts()?.into_iter().map(|entry| entry.label).collect();
    let is_free = |name: &str| !taken.iter().any(|other| other.eq_ignore_ascii_case(name));
    if let Some(chosen) = chosen {
        return if is_free(chosen) {
            Ok(chosen.to_owned())
        } else {
            Err(Failure::NameTaken(chosen.to_owned()))
        };
    }
    let numbered = (2..).map(|number| format!("{DEFAULT_NAME}-{number}"));
    let mut names = std::iter::once(DEFAULT_NAME.to_owned()).chain(numbered);
    Ok(names.find(|name| is_free(name)).unwrap_or_default())
}

fn entry_json(entry: &AccountEntry) -> Value {
    json!({
        "account_id": entry.id.to_string(),
        "name": entry.label,
        "created": json_time(entry.created),
    })
}

fn put_mnemonic(value: &mut Value, mnemonic: &Mnemonic) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("mnemonic".to_owned(), mnemonic.expose().into());
    }
}

/// The words in numbered rows, to be copied by hand.
fn mnemonic_text(mnemonic: &Mnemonic) -> String {
    let words: Vec<&str> = mnemonic.words().collect();
    let mut text = "Recovery words".to_owned();
    for (row, words) in words.chunks(4).enumerate() {
        text.push_str("\n  ");
        for (column, word) in words.iter().enumerate() {
            // Writing to a String does not fail.
            let _ = write!(text, "{:>2} {word:<13}", row * 4 + column + 1);
        }
        text.truncate(text.trim_end().len());
    }
    text
}

#[cfg(test)]
mod tests {
    use warren_client::vault::Cost;

    use super::*;

    #[test]
    fn the_words_are_numbered_in_order() {
        let phrase = ["session"; 13].join(" ");
        let seed = Mnemonic::parse(&phrase).unwrap();
        let text = mnemonic_text(&Mnemonic::encode(&seed));
        assert_eq!(text.lines().count(), 5);
        assert!(text.ends_with("\n  13 session"), "{text}");
    }

    #[test]
    fn accounts_without_a_chosen_name_get_different_ones() {
        let home = tempfile::tempdir().unwrap();
        let mut device = Device::create(home.path(), "x", Cost::LEAST).unwrap();
        for expected in ["main", "main-2", "main-3"] {
            let name = free_name(&device, None).unwrap();
            assert_eq!(name, expected);
            device.create_account(&name, None).unwrap();
        }
        assert!(matches!(free_name(&device, Some("MAIN")), Err(Failure::NameTaken(_))));
    }
}
