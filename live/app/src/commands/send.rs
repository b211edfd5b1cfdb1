//! `warren send`: saved first, then delivered, or waiting with the reason.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use axum::http::Method;
use serde_json::json;

use crate::api::AccountApi;
use crate::api::files::{HandedIn, HowHandedIn};
use crate::api::messages::{DeliveryReport, Message, MessageState, NewMessage};
use crate::api::outbox::{Outbox, Retried};
use crate::cli::SendArgs;
use crate::failure::{Exit, Failure};
use crate::mentioning;
use crate::people;
use crate::start::Start;
use crate::stop::Stop;
use crate::wording::{self, json_time};

/// More than a message can hold; the engine knows the exact limit.
const MOST_INPUT_BYTES: usize = 1024 * 1024;

/// Carries the command out.
///
/// # Errors
/// Where nobody is meant, nothing is said, or the message cannot be saved. A network that cannot
/// be reached is no error: the message waits.
pub async fn run(start: &Start, args: &SendArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let to = people::recipient(&account, &args.to).await?;
    let text = if args.files.is_empty() || !args.text.is_empty() {
        message_text(&args.text)?
    } else {
        String::new()
    };
    let text = mentioning::with_ids(&account, &to.account_id, &text).await?;
    if args.captions.len() > args.files.len() {
        return Err(Failure::Usage("there are more captions than files".to_owned()));
    }
    let captions = args.captions.iter().map(Some).chain(std::iter::repeat(None));
    let mut files = Vec::new();
    for (path, caption) in args.files.iter().zip(captions) {
        files.push(hand_in(&account, args, path, caption).await?.draft_id);
    }
    // From here on a signal ends nothing halfway.
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    let new = NewMessage { to: to.account_id, text, reply_to: args.reply_to, files };
    let message: Message = account.send(Method::POST, "messages", &new).await?;
    let delivered = tokio::select! {
        biased;
        delivered = deliver(&account, &message) => Some(delivered?),
        () = stop.asked() => None,
    };
    match delivered {
        Some(DeliveryReport { state: MessageState::Failed, reason }) => {
            Err(Failure::NotTaken(reason.unwrap_or_default()))
        }
        Some(DeliveryReport { state: MessageState::Waiting, reason }) => {
            show(start, &account, &message, Some(&reason.unwrap_or_default())).await
        }
        Some(_) => show(start, &account, &message, None).await,
        None => report_interrupted(start, &account, &message).await,
    }
}

/// Hands a file in. Its folder is nobody else's business.
async fn hand_in(
    account: &AccountApi,
    args: &SendArgs,
    path: &Path,
    caption: Option<&String>,
) -> Result<HandedIn, Failure> {
    let trouble = |error| Failure::Path { path: path.to_owned(), error };
    let file = File::open(path).map_err(trouble)?;
    if !file.metadata().map_err(trouble)?.is_file() {
        return Err(trouble(io::Error::other("it is no file")));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (keep_metadata, voice) = (args.keep_metadata, args.voice);
    let how = HowHandedIn { name, caption: caption.cloned(), keep_metadata, voice };
    account.upload("files", &how, file).await
}

/// Delivers the message, then whatever waits: that is tried again only once the network is there.
async fn deliver(account: &AccountApi, message: &Message) -> Result<DeliveryReport, Failure> {
    let path = format!("messages/{}/deliver", message.message_id);
    let report: DeliveryReport = account.send(Method::POST, &path, &()).await?;
    if report.state == MessageState::Delivered {
        let Outbox { waiting, .. } = account.get("outbox").await?;
        if !waiting.is_empty() {
            // This message has arrived; what becomes of older ones, `outbox` tells.
            let _: Result<Retried, _> = account.send(Method::POST, "outbox/retry", &()).await;
        }
    }
    Ok(report)
}

async fn report_interrupted(
    start: &Start,
    account: &AccountApi,
    message: &Message,
) -> Result<Exit, Failure> {
    let message: Message = account.get(&format!("messages/{}", message.message_id)).await?;
    let is_delivered = message.state == MessageState::Delivered;
    let reason = (!is_delivered).then_some("interrupted before the network had it");
    show(start, account, &message, reason).await
}

async fn show(
    start: &Start,
    account: &AccountApi,
    message: &Message,
    waiting: Option<&str>,
) -> Result<Exit, Failure> {
    let value = json!({
        "message_id": message.message_id,
        "to": message.conversation,
        "timestamp": message.timestamp,
        "time": json_time(message.timestamp),
        "state": if waiting.is_some() { "waiting" } else { "delivered" },
        "reason": waiting,
    });
    let name = people::shown(account, &message.conversation).await?;
    let text = waiting.map_or_else(
        || format!("Delivered to {name}."),
        |reason| {
            format!(
                "Saved for {name}, and waiting: {}\n\
                 It is sent by the next `warren send`, `warren outbox retry` or \
                 `warren read --follow`.",
                wording::sentence(reason),
            )
        },
    );
    start.output.result(&value, text)?;
    Ok(if waiting.is_some() { Exit::Waiting } else { Exit::Done })
}

/// The message from the arguments, or all of stdin without its last line break.
fn message_text(arguments: &[String]) -> Result<String, Failure> {
    let text = match arguments {
        [] => stdin_text()?,
        [dash] if dash == "-" => stdin_text()?,
        words => words.join(" "),
    };
    if text.trim().is_empty() { Err(Failure::EmptyMessage) } else { Ok(text) }
}

fn stdin_text() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        eprintln!("Type the message; Ctrl-D on an empty line ends it.");
    }
    let limit = u64::try_from(MOST_INPUT_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    io::stdin().lock().take(limit + 1).read_to_string(&mut text).map_err(Failure::Stdin)?;
    if text.len() > MOST_INPUT_BYTES {
        return Err(Failure::TooMuchInput(MOST_INPUT_BYTES));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_one_message_and_nothing_is_none() {
        let words = ["hello".to_owned(), "there".to_owned()];
        assert_eq!(message_text(&words).unwrap(), "hello there");
        assert!(matches!(message_text(&["  ".to_owned()]), Err(Failure::EmptyMessage)));
    }
}
