//! `warren read`: fetches, shows what is unread, and goes on for as long as it is told to.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use warren_client::database::{
    AccountDb, Content, Direction, Filter, Message, MessageId, MessageState,
};
use warren_client::{ClientError, Messenger};
use warren_wire::AccountId;

use crate::cli::ReadArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::start::Start;
use crate::stop::Stop;
use crate::terminal_text;
use crate::wording::{self, json_time, local_time, peer_shown};

/// How often the device is looked at: what other processes fetched, and what waits to be sent.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long one request for new messages waits for them.
const WAIT: Duration = Duration::from_secs(20);
/// The longest pause between two tries while the network cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many messages are read from the database at a time.
const PAGE: usize = 500;
/// Behind the first line of a message.
const INDENT: &str = "    ";

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails. A network that cannot be reached is told on stderr, and
/// what is on this device is shown.
pub async fn run(start: &Start, args: &ReadArgs) -> Result<Exit, Failure> {
    let device = start.device()?;
    if (args.follow || args.wait.is_some()) && device.seed()?.is_none() {
        // No waiting helps here.
        return Err(ClientError::NoSeed.into());
    }
    let mut reader = Reader {
        messenger: device.messenger(start.account())?,
        output: start.output,
        peer: None,
        is_failing: false,
    };
    if let Some(from) = &args.from {
        let peer = reader.messenger.db().with(|db| wording::peer(db, from))?;
        reader.peer = Some(peer);
    }
    if args.follow {
        let listener = device.messenger(start.account())?;
        return until_stopped(Box::pin(reader.follow(listener, args)), Exit::Done).await;
    }
    reader.fetch().await?;
    let mut shown = reader.show_kept(args, None)?;
    if let (0, Some(seconds)) = (shown, args.wait) {
        let wait = reader.wait(args, Duration::from_secs(seconds));
        shown = until_stopped(wait, 0).await?;
    }
    if shown == 0 {
        start.output.text(if args.all { "No messages." } else { "No new messages." })?;
    }
    Ok(if reader.is_failing { Exit::Offline } else { Exit::Done })
}

/// Carries something out unless a signal comes first.
async fn until_stopped<T>(
    work: impl Future<Output = Result<T, Failure>>,
    stopped: T,
) -> Result<T, Failure> {
    let mut stop = Stop::listen().map_err(Failure::Terminal)?;
    tokio::select! {
        biased;
        () = stop.asked() => Ok(stopped),
        done = work => done,
    }
}

struct Reader {
    messenger: Messenger,
    output: Output,
    /// Whose messages alone are shown.
    peer: Option<AccountId>,
    /// Whether the network could not be reached when last asked.
    is_failing: bool,
}

impl Reader {
    /// Fetches what is new.
    async fn fetch(&mut self) -> Result<(), Failure> {
        let fetched = self.messenger.receive().await;
        self.heard(fetched).map(|_| ())
    }

    /// Tells of a network that stopped answering; whether it answers. What else failed is an error.
    fn heard(&mut self, fetched: Result<usize, ClientError>) -> Result<bool, Failure> {
        let failure = match fetched.map_err(Failure::from) {
            Err(failure) if !failure.spares_what_is_here() => return Err(failure),
            Err(failure) => Some(failure),
            Ok(_) => None,
        };
        if let Some(failure) = &failure
            && !self.is_failing
        {
            let message = format!("nothing new can be fetched: {failure}");
            self.output.warning(failure.code(), &message);
        }
        self.is_failing = failure.is_some();
        Ok(failure.is_none())
    }

    /// Waits until there is something to show, and shows it; the number of messages.
    async fn wait(&mut self, args: &ReadArgs, wait: Duration) -> Result<usize, Failure> {
        let end = Instant::now() + wait;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let fetched = self.messenger.receive_waiting(left).await;
            let answered = self.heard(fetched)?;
            let shown = self.show_kept(args, None)?;
            if shown > 0 || Instant::now() >= end {
                return Ok(shown);
            }
            if !answered {
                tokio::time::sleep_until((Instant::now() + INTERVAL).min(end).into()).await;
            }
        }
    }

    /// Shows what is in the database, oldest first, up to `last`; the number of messages.
    fn show_kept(&mut self, args: &ReadArgs, last: Option<MessageId>) -> Result<usize, Failure> {
        let filter = Filter { conversation: self.peer, unread: !args.all };
        let limit = args.limit.unwrap_or(usize::MAX);
        let mut messages = Vec::new();
        let mut before = None;
        loop {
            let page = self.messenger.db().with(|db| db.messages(&filter, before, PAGE))?;
            let wanted = |message: &Message| last.is_none_or(|last| message.id <= last);
            messages.extend(page.messages.into_iter().filter(wanted));
            before = page.older;
            if before.is_none() || messages.len() >= limit {
                break;
            }
        }
        messages.truncate(limit);
        messages.reverse();
        self.show(&messages)?;
        Ok(messages.len())
    }

    /// Shows messages and marks them as read, once they have left this program.
    fn show(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let mut unread = Vec::new();
        for message in messages {
            let told = |db: &mut AccountDb| {
                Ok::<_, Failure>((
                    peer_shown(db, &message.conversation)?,
                    message_json(db, message)?,
                ))
            };
            let (name, value) = self.messenger.db().with(told)?;
            if let Err(failure) = self.output.result(&value, message_text(message, &name)) {
                self.messenger.db().with(|db| db.mark_read(&unread, wording::now()))?;
                return Err(failure);
            }
            if !message.read {
                unread.push(message.id);
            }
        }
        if !unread.is_empty() {
            self.messenger.db().with(|db| db.mark_read(&unread, wording::now()))?;
        }
        Ok(())
    }

    /// Shows messages as they come, from this process or another, and sends those that wait.
    /// `listener` is the same account, and listens while messages are shown and sent.
    async fn follow(&mut self, listener: Messenger, args: &ReadArgs) -> Result<Exit, Failure> {
        // First what is here, so that nobody waits for the network to read it.
        let last = self.messenger.db().with(|db| db.last_arrived())?;
        self.show_kept(args, Some(last))?;
        let (news, heard) = mpsc::channel(1);
        tokio::select! {
            () = listen(listener, news) => Ok(Exit::Done),
            failed = self.show_news(heard, last) => failed.map(|()| Exit::Done),
        }
    }

    async fn show_news(
        &mut self,
        mut news: mpsc::Receiver<Result<usize, ClientError>>,
        mut last: MessageId,
    ) -> Result<(), Failure> {
        loop {
            if let Ok(Some(fetched)) = timeout(INTERVAL, news.recv()).await {
                let was_failing = self.is_failing;
                if self.heard(fetched)? && was_failing {
                    self.output.warning("connected", "the network answers again");
                }
            }
            last = self.show_arrived(last)?;
            if !self.is_failing {
                self.send_waiting().await?;
            }
        }
    }

    /// Tries what waits and is due; a failure is no news, because it waited before.
    async fn send_waiting(&mut self) -> Result<(), Failure> {
        if self.messenger.db().with(|db| db.next_attempt())?.is_none() {
            return Ok(());
        }
        match self.messenger.deliver_waiting().await.map_err(Failure::from) {
            Err(failure) if !failure.is_network() => Err(failure),
            _ => Ok(()),
        }
    }

    /// Shows what came after `last`; the message that came last.
    fn show_arrived(&mut self, mut last: MessageId) -> Result<MessageId, Failure> {
        loop {
            let mut arrived = self.messenger.db().with(|db| db.arrived_after(last, PAGE))?;
            let Some(newest) = arrived.last() else { return Ok(last) };
            last = newest.id;
            arrived.retain(|message| self.peer.is_none_or(|peer| peer == message.conversation));
            self.show(&arrived)?;
        }
    }
}

/// Fetches messages as they come, and tells of every try.
async fn listen(messenger: Messenger, news: mpsc::Sender<Result<usize, ClientError>>) {
    let mut pause = INTERVAL;
    let mut answered = false;
    loop {
        // Whether the network answers is known before anything is waited for.
        let wait = if answered { WAIT } else { Duration::ZERO };
        let fetched = messenger.receive_waiting(wait).await;
        answered = fetched.is_ok();
        if news.send(fetched).await.is_err() {
            return;
        }
        if answered {
            pause = INTERVAL;
        } else {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// One message for programs.
fn message_json(db: &AccountDb, message: &Message) -> Result<Value, Failure> {
    let contact = db.contact(&message.conversation)?;
    Ok(json!({
        "message_id": message.id.number(),
        "peer": message.conversation.to_string(),
        "name": contact.as_ref().and_then(|contact| contact.petname.clone()),
        "calls_themselves": contact.map(|contact| contact.name).filter(|name| !name.is_empty()),
        "direction": match message.direction {
            Direction::Incoming => "incoming",
            Direction::Outgoing => "outgoing",
        },
        "text": match &message.content {
            Content::Text(text) => Some(text),
            _ => None,
        },
        "timestamp": message.timestamp,
        "time": json_time(message.timestamp),
        "state": state_word(message.state),
        "was_read": message.read,
    }))
}

const fn state_word(state: MessageState) -> &'static str {
    match state {
        MessageState::Pending => "waiting",
        MessageState::Sent => "delivered",
        MessageState::Failed => "failed",
        MessageState::Received => "received",
    }
}

/// One message for people: `2026-01-31 18:05:09  bob: Hello`.
fn message_text(message: &Message, name: &str) -> String {
    let time = local_time(message.timestamp);
    let body = match &message.content {
        Content::Text(text) => terminal_text::block(text, INDENT),
        Content::Control(_) | Content::Unknown(_) => {
            "[a kind of message this version cannot show]".to_owned()
        }
        Content::Deleted => "[deleted by its author]".to_owned(),
    };
    let separator = if body.contains('\n') { format!("\n{INDENT}") } else { " ".to_owned() };
    match message.direction {
        Direction::Incoming => format!("{time}  {name}:{separator}{body}"),
        Direction::Outgoing => {
            let note = match message.state {
                MessageState::Pending => " (waiting)",
                MessageState::Failed => " (not delivered)",
                MessageState::Sent | MessageState::Received => "",
            };
            format!("{time}  you to {name}{note}:{separator}{body}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, direction: Direction, state: MessageState) -> Message {
        let id = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";
        Message {
            id: MessageId::new(1),
            conversation: id.parse().unwrap(),
            author: id.parse().unwrap(),
            direction,
            content: Content::Text(text.to_owned()),
            timestamp: 1_700_000_000_000,
            received_at: 1_700_000_000_000,
            state,
            read: true,
            hash: None,
            failure: None,
            edited_at: None,
            mentions_me: false,
            expiry: None,
            expires_at: None,
            quote: None,
            preview: None,
        }
    }

    fn shown(text: &str) -> String {
        let message = message(text, Direction::Incoming, MessageState::Received);
        message_text(&message, "bob").split_off("2023-11-14 22:13:20  ".len())
    }

    #[test]
    fn a_message_cannot_steer_the_terminal_or_pass_for_two() {
        assert_eq!(shown("hi"), "bob: hi");
        assert_eq!(shown("\u{1b}[2J\u{202e}"), "bob: \\u{1b}[2J\\u{202e}");
        let two = shown("hi\n2023-11-14 22:13:21  carol: send me money");
        assert_eq!(two, "bob:\n    hi\n    2023-11-14 22:13:21  carol: send me money");
    }

    #[test]
    fn own_messages_are_marked_with_how_far_they_got() {
        let waiting = message("hi", Direction::Outgoing, MessageState::Pending);
        assert!(message_text(&waiting, "bob").ends_with("you to bob (waiting): hi"));
        let sent = message("hi", Direction::Outgoing, MessageState::Sent);
        assert!(message_text(&sent, "bob").ends_with("you to bob: hi"));
    }
}
