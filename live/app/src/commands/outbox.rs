//! `warren outbox`: what waits to be delivered, and another try at it.

use serde_json::{Value, json};
use warren_client::Messenger;
use warren_client::database::{AccountDb, Content, DueCopy, Message, MessageState, Purpose};
use warren_wire::Millis;

use crate::cli::OutboxCommand;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::terminal_text;
use crate::wording::{count, json_time, local_time, peer_shown, sentence};

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails.
pub async fn run(start: &Start, command: Option<OutboxCommand>) -> Result<Exit, Failure> {
    let messenger = start.messenger()?;
    match command {
        None | Some(OutboxCommand::List) => list(start, &messenger),
        Some(OutboxCommand::Retry) => retry(start, &messenger).await,
    }
}

/// A message that waits, with the copies of it that do.
struct Waiting {
    message: Message,
    for_recipient: bool,
    attempts: u32,
}

fn waiting(db: &AccountDb) -> Result<Vec<Waiting>, Failure> {
    let mut waiting: Vec<Waiting> = Vec::new();
    for DueCopy { message, copy, attempts, .. } in db.due_outbox(Millis::MAX)? {
        let for_recipient = copy.purpose == Purpose::Recipient;
        if let Some(known) = waiting.iter_mut().find(|known| known.message.id == message) {
            known.for_recipient |= for_recipient;
            known.attempts = known.attempts.max(attempts);
        } else {
            let message = db.message(message)?;
            waiting.push(Waiting { message, for_recipient, attempts });
        }
    }
    waiting.sort_by_key(|one| one.message.position());
    Ok(waiting)
}

fn list(start: &Start, messenger: &Messenger) -> Result<Exit, Failure> {
    let waiting = messenger.db().with(|db| waiting(db))?;
    let value = json!({ "waiting": waiting.iter().map(waiting_json).collect::<Vec<_>>() });
    let mut lines = Vec::new();
    for one in &waiting {
        let name = messenger.db().with(|db| peer_shown(db, &one.message.conversation))?;
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

async fn retry(start: &Start, messenger: &Messenger) -> Result<Exit, Failure> {
    let before = messenger.db().with(|db| waiting(db))?;
    let failure = match messenger.deliver_all().await.map_err(Failure::from) {
        Err(failure) if !failure.is_network() => return Err(failure),
        tried => tried.err(),
    };
    let left = messenger.db().with(|db| waiting(db))?;
    let (mut delivered, mut failed) = (0, 0);
    for one in &before {
        if left.iter().any(|other| other.message.id == one.message.id) {
            continue;
        }
        match messenger.db().with(|db| db.message(one.message.id))?.state {
            MessageState::Failed => failed += 1,
            _ => delivered += 1,
        }
    }
    let reason = failure.as_ref().map(ToString::to_string);
    let value = json!({
        "delivered": delivered, "failed": failed, "waiting": left.len(), "reason": reason,
    });
    let mut parts = vec![format!("Delivered {}", count(delivered, "message"))];
    if failed > 0 {
        parts.push(format!("the network refused {} for good", count(failed, "message")));
    }
    if !left.is_empty() {
        parts.push(format!("{} waiting", count(left.len(), "message")));
    }
    let text = match &reason {
        _ if before.is_empty() => "Nothing waits.".to_owned(),
        Some(reason) => format!("{}: {}", parts.join("; "), sentence(reason)),
        None => format!("{}.", parts.join("; ")),
    };
    start.output.result(&value, text)?;
    Ok(if left.is_empty() && failed == 0 { Exit::Done } else { Exit::Waiting })
}

fn body(message: &Message) -> Option<&str> {
    match &message.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

fn waiting_json(one: &Waiting) -> Value {
    json!({
        "message_id": one.message.id.number(),
        "to": one.message.conversation.to_string(),
        "text": body(&one.message),
        "timestamp": one.message.timestamp,
        "time": json_time(one.message.timestamp),
        "for": if one.for_recipient { "recipient" } else { "own devices" },
        "attempts": one.attempts,
    })
}

fn waiting_line(one: &Waiting, name: &str) -> String {
    let time = local_time(one.message.timestamp);
    let text = terminal_text::block(body(&one.message).unwrap_or_default(), "    ");
    let tries = count(usize::try_from(one.attempts).unwrap_or(usize::MAX), "failed attempt");
    let whom = if one.for_recipient {
        format!("to {name}")
    } else {
        format!("copy of a message to {name}")
    };
    format!("{time}  {whom}, {tries}: {text}")
}
