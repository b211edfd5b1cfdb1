//! `warren send`: saved first, then delivered, or waiting with the reason.

use std::io::{self, IsTerminal, Read};

use serde_json::json;
use warren_client::database::{Direction, MessageId, MessageState};
use warren_client::{Delivery, Messenger, Sent};
use warren_wire::AccountId;
use warren_wire::Millis;

use crate::cli::SendArgs;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::stop::Stop;
use crate::wording::{self, json_time, peer_shown};

/// More than a message can hold; the engine knows the exact limit.
const MOST_INPUT_BYTES: usize = 1024 * 1024;

/// Carries the command out.
///
/// # Errors
/// Where nobody is meant, nothing is said, or the message cannot be saved. A network that cannot
/// be reached is no error: the message waits.
pub async fn run(start: &Start, args: &SendArgs) -> Result<Exit, Failure> {
    let messenger = start.messenger()?;
    let to = messenger.db().with(|db| wording::recipient(db, &args.to))?;
    let text = message_text(&args.text)?;
    let before = messenger.db().with(|db| db.last_arrived())?;
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    // The engine comes first: the message is saved before a signal is looked at.
    let sent = tokio::select! {
        biased;
        sent = send(&messenger, &to, &text) => Some(sent?),
        () = stop.asked() => None,
    };
    match sent {
        Some(sent) => report(start, &messenger, &to, &sent),
        None => report_interrupted(start, &messenger, &to, before),
    }
}

/// Sends the message and whatever waits; what waits is tried again only once the network is there.
async fn send(messenger: &Messenger, to: &AccountId, text: &str) -> Result<Sent, Failure> {
    let sent = messenger.send(to, text).await?;
    if sent.state == Delivery::Delivered && messenger.db().with(|db| db.next_attempt())?.is_some() {
        // This message has arrived; what becomes of older ones, `outbox` tells.
        let _ = messenger.deliver_all().await;
    }
    Ok(sent)
}

fn report(
    start: &Start,
    messenger: &Messenger,
    to: &AccountId,
    sent: &Sent,
) -> Result<Exit, Failure> {
    match &sent.state {
        Delivery::Delivered => {
            show(start, messenger, to, (sent.message, sent.timestamp), None)?;
            Ok(Exit::Done)
        }
        Delivery::Waiting(reason) => {
            show(start, messenger, to, (sent.message, sent.timestamp), Some(reason))?;
            Ok(Exit::Waiting)
        }
        Delivery::Failed(reason) => Err(Failure::NotTaken(reason.clone())),
    }
}

fn report_interrupted(
    start: &Start,
    messenger: &Messenger,
    to: &AccountId,
    before: MessageId,
) -> Result<Exit, Failure> {
    let arrived = messenger.db().with(|db| db.arrived_after(before, 1000))?;
    let own = |message: &&_| is_own(message, to);
    let saved = arrived.iter().rfind(own).ok_or(Failure::Interrupted)?;
    let delivered = saved.state == MessageState::Sent;
    let reason = (!delivered).then_some("interrupted before the network had it");
    show(start, messenger, to, (saved.id, saved.timestamp), reason)?;
    Ok(if delivered { Exit::Done } else { Exit::Waiting })
}

fn is_own(message: &warren_client::database::Message, to: &AccountId) -> bool {
    message.direction == Direction::Outgoing && message.conversation == *to
}

fn show(
    start: &Start,
    messenger: &Messenger,
    to: &AccountId,
    (message, timestamp): (MessageId, Millis),
    waiting: Option<&str>,
) -> Result<(), Failure> {
    let value = json!({
        "message_id": message.number(),
        "to": to.to_string(),
        "timestamp": timestamp,
        "time": json_time(timestamp),
        "state": if waiting.is_some() { "waiting" } else { "delivered" },
        "reason": waiting,
    });
    let name = messenger.db().with(|db| peer_shown(db, to))?;
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
    start.output.result(&value, text)
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
