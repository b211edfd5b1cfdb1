//! `warren account`: create, restore, show, list, remove, and the id of a phrase.

use std::fmt::Write;

use axum::http::Method;
use serde_json::{Value, json};
use warren_account::{Account as Keys, Mnemonic};
use warren_client::{ClientError, NotificationMode};

use super::message::report;
use crate::api::accounts::{
    Account, AccountChange, Accounts, CreatedAccount, NewAccount, RestoredAccount, Words,
};
use crate::api::settings::{Settings, SettingsChange};
use crate::cli::{AccountCommand, Switch};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::start::{Start, named};
use crate::wording::{count, json_time, local_time};
use crate::{passphrase, terminal_text, wording};

/// Carries the command out.
///
/// # Errors
/// Where words, passphrase or name do not fit, or the disk fails.
pub async fn run(start: &Start, command: &AccountCommand) -> Result<Exit, Failure> {
    match command {
        AccountCommand::Name { name } => {
            return settings(start, SettingsChange { display_name: name.clone(), ..no_change() })
                .await;
        }
        AccountCommand::Receipts { state } => {
            let read_receipts = state.map(|state| state == Switch::On);
            return settings(start, SettingsChange { read_receipts, ..no_change() }).await;
        }
        AccountCommand::Typing { state } => {
            let typing = state.map(|state| state == Switch::On);
            return settings(start, SettingsChange { typing, ..no_change() }).await;
        }
        AccountCommand::Previews { state, proxy, no_proxy } => {
            let link_previews = state.map(|state| state == Switch::On);
            let none = no_proxy.then(String::new);
            let preview_proxy = proxy.clone().or(none);
            return settings(start, SettingsChange { link_previews, preview_proxy, ..no_change() })
                .await;
        }
        AccountCommand::Create { name } => create(start, name.as_deref()).await,
        AccountCommand::Restore { name } => restore(start, name.as_deref()).await,
        AccountCommand::Rename { name } => rename(start, name).await,
        AccountCommand::Notifications { mode } => notifications(start, mode.as_deref()).await,
        AccountCommand::Show { mnemonic, id } => show(start, *mnemonic, *id).await,
        AccountCommand::List => list(start).await,
        AccountCommand::Remove { which, yes } => remove(start, which, *yes).await,
        AccountCommand::Id { .. } => id_of_phrase(start.output),
    }
    .map(|()| Exit::Done)
}

async fn create(start: &Start, name: Option<&str>) -> Result<(), Failure> {
    let name = name.map(wording::name).transpose()?.map(str::to_owned);
    let api = start.new_home_api().await?;
    let CreatedAccount { account, mnemonic } =
        api.send(Method::POST, "accounts", &NewAccount { name }).await?;
    let mut value = account_json(&account);
    put_mnemonic(&mut value, &mnemonic);
    let text = format!(
        "The account '{}' is made.\n\n  Account ID  {}\n\n\
         People need the Account ID to write to you; it is no secret.\n\n{}\n\n\
         Write the words down on paper, in this order, and keep them where nobody looks. Whoever\n\
         has them has the account; without them nobody can bring it back, not even you.",
        terminal_text::line(&account.name),
        account.account_id,
        mnemonic_text(&mnemonic),
    );
    start.output.result(&value, text)
}

async fn restore(start: &Start, name: Option<&str>) -> Result<(), Failure> {
    let name = name.map(wording::name).transpose()?.map(str::to_owned);
    let words = passphrase::recovery_words()?;
    // Wrong words are told before a home is made or a passphrase asked for.
    Mnemonic::parse(words.expose())?;
    let api = start.new_home_api().await?;
    let given = RestoredAccount { name, mnemonic: words.expose().to_owned() };
    let account: Account = api.send(Method::POST, "accounts/restore", &given).await?;
    let text = format!(
        "The account '{}' is back.\n\n  Account ID  {}\n\n\
         `warren read --all` fetches the messages that the network still keeps.",
        terminal_text::line(&account.name),
        account.account_id,
    );
    start.output.result(&account_json(&account), text)
}

async fn rename(start: &Start, name: &str) -> Result<(), Failure> {
    let of = start.account().await?;
    let path = format!("accounts/{}", of.account.account_id);
    let change = AccountChange { name: Some(name.to_owned()), notifications: None };
    let account: Account = of.api().send(Method::PATCH, &path, &change).await?;
    let text = format!("The account is called '{}' here.", terminal_text::line(&account.name));
    start.output.result(&account_json(&account), text)
}

fn no_change() -> SettingsChange {
    SettingsChange::default()
}

/// Shows what others are told, after changing it where something changes.
async fn settings(start: &Start, change: SettingsChange) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let is_change = change != no_change();
    let settings: Settings = if is_change {
        account.send(Method::PATCH, "settings", &change).await?
    } else {
        account.get("settings").await?
    };
    let name = settings.display_name.as_deref();
    let told = |on| if on { "told" } else { "not told" };
    let text = format!(
        "{}\nOthers are {} when you read their messages, and {} when you type.\n{}",
        name.map_or_else(
            || "The people you write to see no name.".to_owned(),
            |name| format!("The people you write to see '{}'.", terminal_text::line(name)),
        ),
        told(settings.read_receipts),
        told(settings.typing),
        previews_text(&settings),
    );
    let value = serde_json::to_value(&settings).unwrap_or_default();
    if change.display_name.is_some() {
        // The owner's other devices are told.
        return report(&account, start.output, value, &text).await;
    }
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

fn previews_text(settings: &Settings) -> String {
    match (settings.link_previews, &settings.preview_proxy) {
        (false, _) => "Links that you send are not looked up.".to_owned(),
        (true, Some(proxy)) => {
            let proxy = terminal_text::line(proxy);
            format!("Links that you send are looked up through {proxy}.")
        }
        (true, None) => "Links that you send are looked up, and the sites see the address of this \
                         device: --proxy hides it."
            .to_owned(),
    }
}

async fn notifications(start: &Start, mode: Option<&str>) -> Result<(), Failure> {
    let mode = mode.map(str::parse::<NotificationMode>).transpose();
    let mode = mode.map_err(|error| Failure::Usage(error.to_string()))?;
    let of = start.account().await?;
    let path = format!("accounts/{}", of.account.account_id);
    let change = AccountChange { name: None, notifications: mode };
    let account: Account = match mode {
        Some(_) => of.api().send(Method::PATCH, &path, &change).await?,
        None => of.account,
    };
    let mode = account.notifications.name();
    let value = json!({ "account_id": account.account_id, "notifications": mode });
    start.output.result(&value, mode)
}

async fn show(start: &Start, mnemonic: bool, id_alone: bool) -> Result<(), Failure> {
    let of = start.account().await?;
    let account = &of.account;
    let mut value = account_json(account);
    let id = &account.account_id;
    if id_alone {
        return start.output.result(&value, id);
    }
    let mut text = format!(
        "{}\n  Account ID        {id}\n  On this device    since {}",
        terminal_text::line(&account.name),
        local_time(account.created),
    );
    if mnemonic {
        let Words { mnemonic } = of.get("mnemonic").await?;
        put_mnemonic(&mut value, &mnemonic);
        // Writing to a String does not fail.
        let _ = write!(text, "\n\n{}", mnemonic_text(&mnemonic));
    }
    start.output.result(&value, text)
}

async fn list(start: &Start) -> Result<(), Failure> {
    let Accounts { accounts } = start.api().await?.get("accounts").await?;
    let value = json!({ "accounts": accounts.iter().map(account_json).collect::<Vec<_>>() });
    if accounts.is_empty() {
        let text = "There is no account here: `warren account create` makes one.";
        return start.output.result(&value, text);
    }
    let line = |account: &Account| {
        format!("{}  {}", account.account_id, terminal_text::line(&account.name))
    };
    start.output.result(&value, accounts.iter().map(line).collect::<Vec<_>>().join("\n"))
}

async fn remove(start: &Start, which: &str, yes: bool) -> Result<(), Failure> {
    if !yes {
        return Err(Failure::NotConfirmed(which.to_owned()));
    }
    let api = start.api().await?;
    let path = format!("accounts/{}", named(&api, which).await?.account_id);
    let account: Account = api.send(Method::DELETE, &path, &()).await?;
    let Accounts { accounts: left } = api.get("accounts").await?;
    let text = format!(
        "The account '{}' is off this device, with its messages. {} left.",
        terminal_text::line(&account.name),
        count(left.len(), "account"),
    );
    start.output.result(&account_json(&account), text)
}

fn id_of_phrase(output: Output) -> Result<(), Failure> {
    let words = passphrase::recovery_words()?;
    let account = Keys::from_mnemonic(words.expose()).map_err(ClientError::from)?;
    let id = account.id().to_string();
    output.result(&json!({ "account_id": id }), &id)
}

fn account_json(account: &Account) -> Value {
    json!({
        "account_id": account.account_id,
        "name": account.name,
        "display_name": account.display_name,
        "notifications": account.notifications,
        "created": json_time(account.created),
    })
}

fn put_mnemonic(value: &mut Value, mnemonic: &str) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert("mnemonic".to_owned(), mnemonic.into());
    }
}

/// The words under their heading, to be copied by hand.
pub(super) fn mnemonic_text(mnemonic: &str) -> String {
    format!("Recovery words{}", numbered_words(mnemonic))
}

/// Words in numbered rows, each on a line of its own.
pub(super) fn numbered_words(words: &str) -> String {
    let words: Vec<&str> = words.split(' ').collect();
    let mut text = String::new();
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
    use super::*;

    #[test]
    fn the_words_are_numbered_in_order() {
        let text = mnemonic_text(&["session"; 13].join(" "));
        assert_eq!(text.lines().count(), 5);
        assert!(text.ends_with("\n  13 session"), "{text}");
    }
}
