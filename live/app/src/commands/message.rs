//! `warren message`: edits, reactions, reading, deleting, sending again, and what is known of one.

use axum::http::Method;
use serde_json::{Value, json};

use super::read::{message_json, message_text};
use crate::api::AccountApi;
use crate::api::about::MessageInfo;
use crate::api::changes::{MessageEdit, ReactionChange};
use crate::api::messages::{DeliveryReport, Message, MessageState};
use crate::api::network::{Sync, Synced};
use crate::cli::{MessageCommand, WhomArg};
use crate::failure::{Exit, Failure};
use crate::mentioning;
use crate::output::Output;
use crate::people::{self, Names};
use crate::start::Start;
use crate::wording::{local_time, sentence, short_id};

/// Carries the command out.
///
/// # Errors
/// Where there is no such message, or it may not be changed. A network that cannot be reached is no
/// error: the change waits.
pub async fn run(start: &Start, command: MessageCommand) -> Result<Exit, Failure> {
    use MessageCommand as Do;
    let account = &start.account().await?;
    let output = start.output;
    match command {
        Do::Info(which) => info(account, output, which.number).await,
        Do::Edit { which, text } => {
            let path = format!("messages/{}", which.number);
            let message: Message = account.get(&path).await?;
            let text = text.join(" ");
            let text = mentioning::with_ids(account, &message.conversation, &text).await?;
            let edit = MessageEdit { text };
            let message = account.send(Method::PATCH, &path, &edit).await?;
            changed(account, output, &message, "Changed").await
        }
        Do::React { which, emoji } => react(account, output, which.number, emoji, true).await,
        Do::Unreact { which, emoji } => react(account, output, which.number, emoji, false).await,
        Do::Read(which) => {
            let path = format!("messages/{}/read", which.number);
            account.tell(Method::POST, &path, &()).await?;
            done(account, output, which.number, "read", "Marked as read").await
        }
        Do::Resend(which) => resend(account, output, which.number).await,
        Do::Delete { which, whom } => {
            let whom = match whom {
                WhomArg::Me => "me",
                WhomArg::Devices => "my_devices",
                WhomArg::Everyone => "everyone",
            };
            let path = format!("messages/{}?for={whom}", which.number);
            account.tell(Method::DELETE, &path, &()).await?;
            done(account, output, which.number, "deleted", "Deleted").await
        }
    }
}

/// Tells the others what changed; why it waits where it does.
///
/// # Errors
/// Where something else than the network fails.
pub async fn settle(account: &AccountApi) -> Result<Option<String>, Failure> {
    match account.send::<Synced>(Method::POST, "sync", &Sync::default()).await {
        Ok(_) => Ok(None),
        Err(failure) if failure.spares_what_is_here() => Ok(Some(failure.to_string())),
        Err(failure) => Err(failure),
    }
}

/// Fetches what is new before something is looked up; whether the network answers. One that does not
/// is told on stderr.
///
/// # Errors
/// Where something else than the network fails.
pub async fn fetch(account: &AccountApi, output: Output) -> Result<bool, Failure> {
    match account.send::<Synced>(Method::POST, "sync", &Sync::default()).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.spares_what_is_here() => {
            let message = format!("nothing new can be fetched: {failure}");
            output.warning(failure.code(), &message);
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// Settles, then reports.
///
/// # Errors
/// Where something else than the network fails.
pub async fn report(
    account: &AccountApi,
    output: Output,
    mut value: Value,
    text: &str,
) -> Result<Exit, Failure> {
    let waiting = settle(account).await?;
    if let Some(value) = value.as_object_mut() {
        value.insert("waiting".to_owned(), json!(waiting));
    }
    let waits = waiting.as_deref().map_or_else(String::new, |reason| {
        format!(" The others learn of it later: {}", sentence(reason))
    });
    output.result(&value, format!("{text}{waits}"))?;
    Ok(if waiting.is_some() { Exit::Waiting } else { Exit::Done })
}

async fn done(
    account: &AccountApi,
    output: Output,
    number: i64,
    what: &str,
    text: &str,
) -> Result<Exit, Failure> {
    let value = json!({ "message_id": number, "done": what });
    report(account, output, value, &format!("{text}.")).await
}

async fn changed(
    account: &AccountApi,
    output: Output,
    message: &Message,
    text: &str,
) -> Result<Exit, Failure> {
    let cast = Names::new(account.clone()).cast(message).await?;
    report(account, output, message_json(message, &cast), &format!("{text}.")).await
}

async fn react(
    account: &AccountApi,
    output: Output,
    number: i64,
    emoji: String,
    on: bool,
) -> Result<Exit, Failure> {
    let path = format!("messages/{number}/reactions");
    let change = ReactionChange { emoji, on };
    let message = account.send(Method::PUT, &path, &change).await?;
    changed(account, output, &message, if on { "Reacted" } else { "Taken back" }).await
}

async fn resend(account: &AccountApi, output: Output, number: i64) -> Result<Exit, Failure> {
    let _: Message = account.send(Method::POST, &format!("messages/{number}/resend"), &()).await?;
    let path = format!("messages/{number}/deliver");
    let DeliveryReport { state, reason } = account.send(Method::POST, &path, &()).await?;
    if state == MessageState::Failed {
        return Err(Failure::NotTaken(reason.unwrap_or_default()));
    }
    let value = json!({ "message_id": number, "state": state, "reason": reason });
    let waits = state == MessageState::Waiting;
    let text = if waits {
        format!("It waits: {}", sentence(&reason.unwrap_or_default()))
    } else {
        "Delivered.".to_owned()
    };
    output.result(&value, text)?;
    Ok(if waits { Exit::Waiting } else { Exit::Done })
}

async fn info(account: &AccountApi, output: Output, number: i64) -> Result<Exit, Failure> {
    let info: MessageInfo = account.get(&format!("messages/{number}/info")).await?;
    let cast = Names::new(account.clone()).cast(&info.message).await?;
    let mut lines = vec![message_text(&info.message, &cast)];
    for one in &info.receipts {
        let reader = people::shown(account, &one.reader).await?;
        lines.push(format!("read by {reader} at {}", local_time(one.read_at)));
    }
    for one in &info.stored {
        lines.push(format!("kept in the mailbox of {} as {}", short_id(&one.mailbox), one.hash));
    }
    for one in &info.open {
        let when = one.next_attempt.map_or_else(
            || "given up, or waits for another step".to_owned(),
            |next| format!("next attempt at {}", local_time(next)),
        );
        lines.push(format!("still to be done after {} attempts: {when}", one.attempts));
    }
    let value = serde_json::to_value(&info).unwrap_or_default();
    output.result(&value, lines.join("\n"))?;
    Ok(Exit::Done)
}
