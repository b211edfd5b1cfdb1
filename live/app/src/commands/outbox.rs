//! `warren outbox`: what waits to be delivered, and another try at it.

use axum::http::Method;
use serde_json::{Value, json};

use crate::api::AccountApi;
use crate::api::outbox::{Outbox, Retried, Waiting};
use crate::cli::OutboxCommand;
use crate::failure::{Exit, Failure};
use crate::people;
use crate::start::Start;
use crate::terminal_text;
use crate::wording::{count, json_time, local_time, sentence};

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails.
pub async fn run(start: &Start, command: Option<OutboxCommand>) -> Result<Exit, Failure> {
    let account = start.account().await?;
    match command {
        None | Some(OutboxCommand::List) => list(start, &account).await,
        Some(OutboxCommand::Retry) => retry(start, &account).await,
    }
}

async fn list(start: &Start, account: &AccountApi) -> Result<Exit, Failure> {
    let Outbox { waiting, .. } = account.get("outbox").await?;
    let value = json!({ "waiting": waiting.iter().map(waiting_json).collect::<Vec<_>>() });
    let mut lines = Vec::new();
    for one in &waiting {
        let name = people::shown(account, &one.message.conversation).await?;
        lines.push(waiting_line(one, &name));
    }
    if lines.is_empty() {
        lines.push("Nothing waits.".to_owned());
    } else {
        lines.push("\n`warren outbox retry` tries again.".to_owned());
    }
    start.output.result(&value, lines.join("\n"))?;
    Ok(Exit::Done)
}

async fn retry(start: &Start, account: &AccountApi) -> Result<Exit, Failure> {
    let retried: Retried = account.send(Method::POST, "outbox/retry", &()).await?;
    let Retried { tried, delivered, failed, waiting, reason } = retried;
    let value = json!({
        "delivered": delivered, "failed": failed, "waiting": waiting, "reason": reason,
    });
    let mut parts = vec![format!("Delivered {}", count(delivered, "message"))];
    if failed > 0 {
        parts.push(format!("the network refused {} for good", count(failed, "message")));
    }
    if waiting > 0 {
        parts.push(format!("{} waiting", count(waiting, "message")));
    }
    let text = match &reason {
        _ if tried == 0 => "Nothing waits.".to_owned(),
        Some(reason) => format!("{}: {}", parts.join("; "), sentence(reason)),
        None => format!("{}.", parts.join("; ")),
    };
    start.output.result(&value, text)?;
    Ok(if waiting == 0 && failed == 0 { Exit::Done } else { Exit::Waiting })
}

fn waiting_json(one: &Waiting) -> Value {
    json!({
        "message_id": one.message.message_id,
        "to": one.message.conversation,
        "text": one.message.text,
        "timestamp": one.message.timestamp,
        "time": json_time(one.message.timestamp),
        "for": if one.for_recipient { "recipient" } else { "own devices" },
        "attempts": one.attempts,
    })
}

fn waiting_line(one: &Waiting, name: &str) -> String {
    let time = local_time(one.message.timestamp);
    let text = terminal_text::block(one.message.text.as_deref().unwrap_or_default(), "    ");
    let tries = count(usize::try_from(one.attempts).unwrap_or(usize::MAX), "failed attempt");
    let whom = if one.for_recipient {
        format!("to {name}")
    } else {
        format!("copy of a message to {name}")
    };
    format!("{time}  {whom}, {tries}: {text}")
}
