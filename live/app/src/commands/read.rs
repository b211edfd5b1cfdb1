//! `warren read`: fetches, shows what is unread, and goes on for as long as it is told to.

use std::time::{Duration, Instant};

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;
use warren_client::ClientError;
use warren_client::notice::Notice;

use super::files;
use crate::api::AccountApi;
use crate::api::changes::MessageIds;
use crate::api::messages::{
    After, Arrived, Direction, Kind, Message, MessageState, Messages, Which,
};
use crate::api::network::{Network, Sync, Synced};
use crate::api::outbox::{Outbox, Retried};
use crate::cli::ReadArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::people::{Cast, Names};
use crate::start::Start;
use crate::stop::Stop;
use crate::terminal_text;
use crate::wording::{json_time, local_time, now};

/// How often the device is looked at: what other processes fetched, and what waits to be sent.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long one request for new messages waits for them.
const WAIT: u64 = 20;
/// The longest pause between two tries while the network cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The longest that one request may wait.
const LONGEST_WAIT: u64 = 60;
/// How many messages are read from the database at a time.
const PAGE: usize = 500;
/// How many characters of what a message answers are shown.
const QUOTED: usize = 60;
/// Behind the first line of a message.
const INDENT: &str = "    ";

/// Carries the command out.
///
/// # Errors
/// Where the home or the database fails. A network that cannot be reached is told on stderr, and
/// what is on this device is shown.
pub async fn run(start: &Start, args: &ReadArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    if args.follow || args.wait.is_some() {
        let network: Network = account.api().get("network").await?;
        if network.seed.is_none() {
            // No waiting helps here.
            return Err(ClientError::NoSeed.into());
        }
    }
    let mut reader = Reader {
        account,
        output: start.output,
        peer: None,
        numbers: args.numbers,
        is_failing: false,
    };
    if let Some(from) = &args.from {
        reader.peer = Some(reader.account.find(from.trim()).await?.account_id);
    }
    if args.follow {
        let listener = reader.account.clone();
        return until_stopped(Box::pin(reader.follow(listener, args)), Exit::Done).await;
    }
    reader.fetch().await?;
    let mut shown = reader.show_kept(args, None).await?;
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
    account: AccountApi,
    output: Output,
    /// Whose messages alone are shown.
    peer: Option<String>,
    /// Whether each stands with its number.
    numbers: bool,
    /// Whether the network could not be reached when last asked.
    is_failing: bool,
}

/// Fetches what is new, and waits so many seconds for it where nothing is.
async fn sync(account: &AccountApi, wait: u64) -> Result<Synced, Failure> {
    account.send(Method::POST, "sync", &Sync { wait }).await
}

impl Reader {
    /// Fetches what is new.
    async fn fetch(&mut self) -> Result<(), Failure> {
        let fetched = sync(&self.account, 0).await;
        self.heard(fetched).map(|_| ())
    }

    /// Tells of a network that stopped answering; whether it answers. What else failed is an error.
    fn heard(&mut self, fetched: Result<Synced, Failure>) -> Result<bool, Failure> {
        let failure = match fetched {
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
            let fetched = sync(&self.account, left.as_secs().clamp(1, LONGEST_WAIT)).await;
            let answered = self.heard(fetched)?;
            let shown = self.show_kept(args, None).await?;
            if shown > 0 || Instant::now() >= end {
                return Ok(shown);
            }
            if !answered {
                tokio::time::sleep_until((Instant::now() + INTERVAL).min(end).into()).await;
            }
        }
    }

    /// Shows what is in the database, oldest first, up to `last`; the number of messages.
    async fn show_kept(&mut self, args: &ReadArgs, last: Option<i64>) -> Result<usize, Failure> {
        let limit = args.limit.unwrap_or(usize::MAX);
        let mut which = Which {
            conversation: self.peer.clone(),
            unread: !args.all,
            before: None,
            limit: Some(PAGE),
        };
        let mut messages = Vec::new();
        loop {
            let page: Messages = self.account.query("messages", &which).await?;
            let wanted = |message: &Message| last.is_none_or(|last| message.message_id <= last);
            messages.extend(page.messages.into_iter().filter(wanted));
            which.before = page.older;
            if which.before.is_none() || messages.len() >= limit {
                break;
            }
        }
        messages.truncate(limit);
        messages.reverse();
        self.show(&messages).await?;
        Ok(messages.len())
    }

    /// Shows messages and marks them as read, once they have left this program.
    async fn show(&mut self, messages: &[Message]) -> Result<(), Failure> {
        let mut names = Names::new(self.account.clone());
        let mut unread = Vec::new();
        for message in messages {
            let cast = names.cast(message).await?;
            let value = message_json(message, &cast);
            let mut text = message_text(message, &cast);
            if self.numbers {
                text = format!("{:>5}  {text}", message.message_id);
            }
            if let Err(failure) = self.output.result(&value, text) {
                self.mark_read(unread).await?;
                return Err(failure);
            }
            if !message.read {
                unread.push(message.message_id);
            }
        }
        self.mark_read(unread).await
    }

    async fn mark_read(&self, message_ids: Vec<i64>) -> Result<(), Failure> {
        if message_ids.is_empty() {
            return Ok(());
        }
        self.account.tell(Method::POST, "messages/read", &MessageIds { message_ids }).await
    }

    /// Shows messages as they come, from this process or another, and sends those that wait.
    /// `listener` is the same account, and listens while messages are shown and sent.
    async fn follow(&mut self, listener: AccountApi, args: &ReadArgs) -> Result<Exit, Failure> {
        // First what is here, so that nobody waits for the network to read it.
        let last = self.arrived(i64::MAX).await?.last;
        self.show_kept(args, Some(last)).await?;
        let (news, heard) = mpsc::channel(1);
        tokio::select! {
            () = listen(listener, news) => Ok(Exit::Done),
            failed = self.show_news(heard, last) => failed.map(|()| Exit::Done),
        }
    }

    async fn show_news(
        &mut self,
        mut news: mpsc::Receiver<Result<Synced, Failure>>,
        mut last: i64,
    ) -> Result<(), Failure> {
        loop {
            if let Ok(Some(fetched)) = timeout(INTERVAL, news.recv()).await {
                let was_failing = self.is_failing;
                if self.heard(fetched)? && was_failing {
                    self.output.warning("connected", "the network answers again");
                }
            }
            last = self.show_arrived(last).await?;
            if !self.is_failing {
                self.send_waiting().await?;
            }
        }
    }

    /// Tries what waits; a failure is no news, because it waited before. A daemon does it itself.
    async fn send_waiting(&mut self) -> Result<(), Failure> {
        if self.account.api().is_daemon() {
            return Ok(());
        }
        let outbox: Outbox = self.account.get("outbox").await?;
        if outbox.next_attempt.is_none_or(|next| next > now()) {
            return Ok(());
        }
        match self.account.send::<Retried>(Method::POST, "outbox/retry?due=true", &()).await {
            Err(failure) if !failure.is_network() => Err(failure),
            _ => Ok(()),
        }
    }

    async fn arrived(&self, after: i64) -> Result<Arrived, Failure> {
        self.account.query("messages/arrived", &After { after, limit: Some(PAGE) }).await
    }

    /// Shows what came after `last`; the message that came last.
    async fn show_arrived(&mut self, mut last: i64) -> Result<i64, Failure> {
        loop {
            let Arrived { mut messages, .. } = self.arrived(last).await?;
            let Some(newest) = messages.last() else { return Ok(last) };
            last = newest.message_id;
            let peer = self.peer.as_ref();
            messages.retain(|message| peer.is_none_or(|peer| *peer == message.conversation));
            self.show(&messages).await?;
        }
    }
}

/// Fetches messages as they come, and tells of every try.
async fn listen(account: AccountApi, news: mpsc::Sender<Result<Synced, Failure>>) {
    let mut pause = INTERVAL;
    let mut answered = false;
    loop {
        // Whether the network answers is known before anything is waited for.
        let fetched = sync(&account, if answered { WAIT } else { 0 }).await;
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
pub(super) fn message_json(message: &Message, cast: &Cast) -> Value {
    let contact = cast.conversation.as_ref().and_then(|found| found.contact.as_ref());
    let group = cast.conversation.as_ref().and_then(|found| found.group.as_deref());
    json!({
        "message_id": message.message_id,
        "peer": message.conversation,
        "author": message.author,
        "group": group,
        "name": contact.and_then(|contact| contact.name.as_deref()),
        "calls_themselves": contact.and_then(|contact| contact.calls_themselves.as_deref()),
        "direction": message.direction,
        "text": message.text,
        "notice": message.control,
        "timestamp": message.timestamp,
        "time": json_time(message.timestamp),
        "state": message.state,
        "was_read": message.read,
        "kind": message.kind,
        "edited_at": message.edited_at,
        "expires_at": message.expires_at,
        "mentions_me": message.mentions_me,
        "mentions": message.mentions,
        "quote": message.quote,
        "preview": message.preview,
        "reactions": message.reactions,
        "files": message.files,
    })
}

/// What stands between messages without being one.
fn notice_text(control: Option<&Value>, cast: &Cast) -> String {
    let notice = control.and_then(|control| Notice::deserialize(control).ok());
    let text = match notice {
        None => "a kind of message this version cannot show".to_owned(),
        Some(Notice::Timer { mode: None, .. }) => "messages stay from here on".to_owned(),
        Some(Notice::Timer { seconds, .. }) => {
            format!("messages disappear from here on, after {seconds} s")
        }
        Some(Notice::Screenshot) => "took a screenshot".to_owned(),
        Some(Notice::FileSaved) => "saved a file".to_owned(),
        Some(Notice::Call) => "called".to_owned(),
        Some(Notice::Community { name, .. }) => {
            format!("invites to the community '{}'", terminal_text::line(&name))
        }
        Some(Notice::RequestAccepted) => "accepted the request to write".to_owned(),
        Some(Notice::GroupName { name }) => {
            format!("named the group '{}'", terminal_text::line(&name))
        }
        Some(Notice::GroupPicture) => "changed the group's picture".to_owned(),
        Some(Notice::MembersAdded { members }) => members_text("added", &members, cast),
        Some(Notice::MembersRemoved { members }) => members_text("removed", &members, cast),
        Some(Notice::MembersPromoted { members }) => members_text("made admins of", &members, cast),
        Some(Notice::MemberLeft) => "left the group".to_owned(),
        Some(notice) => share_text(&notice),
    };
    format!("[{text}]")
}

/// What is said about shares of recovery words.
fn share_text(notice: &Notice) -> String {
    match notice {
        Notice::ShareHanded { kept: true, .. } => {
            "gave you a share of their recovery words to keep: `warren shares held`".to_owned()
        }
        Notice::ShareHanded { .. } => {
            "offered a share of their recovery words, which is not kept: accept \
                                       them, then have them hand it out again"
                .to_owned()
        }
        Notice::ShareKept { number, .. } => {
            format!("keeps share {number} of your recovery words")
        }
        Notice::SharesAsked { account } => format!(
            "says that the account {} was theirs and is lost, and asks for the share that you keep: \
             anybody can say so. Call them before `warren shares return`",
            terminal_text::line(account)
        ),
        Notice::ShareReturned { .. } => {
            "gave back a share of your recovery words: `warren shares returned`".to_owned()
        }
        _ => tripwire_text(notice),
    }
}

/// What is said about friends who can wipe a device.
fn tripwire_text(notice: &Notice) -> String {
    let named = |device: &str| terminal_text::line(device);
    match notice {
        Notice::TripwireOffered { kept: true, device, threshold: 1, .. } => format!(
            "trusts you to wipe their device '{}' should it be taken: `warren friends --help`",
            named(device)
        ),
        Notice::TripwireOffered { kept: true, device, threshold, count } => format!(
            "trusts {count} friends, any {threshold} together, to wipe their device '{}' should it be \
             taken, and you are one: `warren friends --help`",
            named(device)
        ),
        Notice::TripwireOffered { device, .. } => format!(
            "would trust you to wipe their device '{}', which is not kept: accept them, then have \
             them offer it again",
            named(device)
        ),
        Notice::TripwireTaken { device } => {
            format!("can from here on help to wipe your device '{}'", named(device))
        }
        Notice::TripwireDeclined { device } => {
            format!("cannot wipe your device '{}': their app does not keep it", named(device))
        }
        Notice::TripwireRevoked { device } => {
            format!("trusts you no more to wipe their device '{}'", named(device))
        }
        Notice::TripwireTested { device, at } => {
            format!(
                "their device '{}' heard the test you sent at {}",
                named(device),
                local_time(*at)
            )
        }
        _ => "a kind of message this version cannot show".to_owned(),
    }
}

fn members_text(what: &str, members: &[String], cast: &Cast) -> String {
    let members = members.iter().map(|id| cast.person(id));
    format!("{what} {}", members.collect::<Vec<_>>().join(", "))
}

/// One message for people: `2026-01-31 18:05:09  bob: Hello`, in a group `bob in group 'runners': Hello`.
pub(super) fn message_text(message: &Message, cast: &Cast) -> String {
    let time = local_time(message.timestamp);
    let body = match &message.text {
        Some(text) => terminal_text::block(&cast.with_names(text), INDENT),
        None if message.kind == Kind::Deleted => "[deleted by its author]".to_owned(),
        None => notice_text(message.control.as_ref(), cast),
    };
    let body = with_surroundings(message, cast, body);
    let name = cast.conversation();
    let separator = if body.contains('\n') { format!("\n{INDENT}") } else { " ".to_owned() };
    match message.direction {
        Direction::Incoming if cast.is_group() => {
            let author = cast.person(&message.author);
            format!("{time}  {author} in {name}:{separator}{body}")
        }
        Direction::Incoming => format!("{time}  {name}:{separator}{body}"),
        Direction::Outgoing => {
            let note = match message.state {
                MessageState::Waiting => " (waiting)",
                MessageState::Failed => " (not delivered)",
                MessageState::Delivered | MessageState::Received => "",
            };
            format!("{time}  you to {name}{note}:{separator}{body}")
        }
    }
}

/// A body with what it answers before it, and what was done to it behind it.
fn with_surroundings(message: &Message, cast: &Cast, mut body: String) -> String {
    if let Some(quote) = &message.quote {
        let text = cast.with_names(quote.text.as_deref().unwrap_or("[gone]"));
        let start: String = text.chars().take(QUOTED).collect();
        let more = if start.len() < text.len() { "..." } else { "" };
        let author = cast.person(&quote.author);
        body = format!("> {author}: {}{more}\n{INDENT}{body}", terminal_text::line(&start));
    }
    if let Some(preview) = &message.preview {
        let (title, url) = (terminal_text::line(&preview.title), terminal_text::line(&preview.url));
        body.push_str(&format!("\n{INDENT}[{title} <{url}>]"));
    }
    for file in &message.files {
        let gap = if body.is_empty() { String::new() } else { format!("\n{INDENT}") };
        body.push_str(&format!("{gap}[{}]", files::line(file)));
    }
    if message.edited_at.is_some() && message.kind == Kind::Text {
        body.push_str(" (edited)");
    }
    if !message.reactions.is_empty() {
        let emoji = message.reactions.iter().map(|one| terminal_text::line(&one.emoji));
        body.push_str(&format!("  [{}]", emoji.collect::<Vec<_>>().join(" ")));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::contacts::{Contact, Found};

    fn message(text: &str, direction: Direction, state: MessageState) -> Message {
        Message {
            message_id: 1,
            conversation: "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74"
                .to_owned(),
            direction,
            author: "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74".to_owned(),
            kind: Kind::Text,
            text: Some(text.to_owned()),
            control: None,
            timestamp: 1_700_000_000_000,
            received_at: 1_700_000_000_000,
            state,
            failure: None,
            read: true,
            edited_at: None,
            mentions_me: false,
            mentions: Vec::new(),
            expiry: None,
            expires_at: None,
            quote: None,
            preview: None,
            reactions: Vec::new(),
            files: Vec::new(),
        }
    }

    const BOB: &str = "05aa654f00fc39fc69fd0db829410ca38177d7732a8d2f0934ab3872ac56d5aa74";

    fn cast() -> Cast {
        let contact = Contact {
            account_id: BOB.to_owned(),
            name: Some("bob".to_owned()),
            calls_themselves: None,
            approved: true,
            blocked: false,
            picture: None,
        };
        let found = Found { account_id: BOB.to_owned(), contact: Some(contact), group: None };
        Cast { conversation: Some(found), ..Cast::default() }
    }

    fn shown(text: &str) -> String {
        let message = message(text, Direction::Incoming, MessageState::Received);
        message_text(&message, &cast()).split_off("2023-11-14 22:13:20  ".len())
    }

    #[test]
    fn a_message_cannot_steer_the_terminal_or_pass_for_two() {
        assert_eq!(shown("hi"), "bob: hi");
        assert_eq!(shown("\u{1b}[2J\u{202e}"), "bob: \\u{1b}[2J\\u{202e}");
        let two = shown("hi\n2023-11-14 22:13:21  carol: send me money");
        assert_eq!(two, "bob:\n    hi\n    2023-11-14 22:13:21  carol: send me money");
    }

    #[test]
    fn what_stands_between_messages_is_told_in_words() {
        let told = |control: Value| notice_text(Some(&control), &Cast::default());
        let accepted = told(json!({ "notice": "request_accepted" }));
        assert_eq!(accepted, "[accepted the request to write]");
        let named = told(json!({ "notice": "group_name", "name": "\u{1b}[2J" }));
        assert_eq!(named, "[named the group '\\u{1b}[2J']");
        assert_eq!(
            told(json!({ "notice": "later" })),
            "[a kind of message this version cannot show]"
        );
    }

    #[test]
    fn in_a_group_the_author_is_told_and_the_group_is_called_one() {
        let group_id = BOB.replacen("05", "03", 1);
        let group = Some("bob\u{1b}".to_owned());
        let found = Found { account_id: group_id, contact: None, group };
        let people = [(BOB.to_owned(), "robert".to_owned())].into();
        let cast = Cast { conversation: Some(found), people };
        let told = message("hi", Direction::Incoming, MessageState::Received);
        let told = message_text(&told, &cast);
        assert!(told.ends_with("robert in group 'bob\\u{1b}': hi"), "{told}");
    }

    #[test]
    fn own_messages_are_marked_with_how_far_they_got() {
        let waiting = message("hi", Direction::Outgoing, MessageState::Waiting);
        assert!(message_text(&waiting, &cast()).ends_with("you to bob (waiting): hi"));
        let sent = message("hi", Direction::Outgoing, MessageState::Delivered);
        assert!(message_text(&sent, &cast()).ends_with("you to bob: hi"));
    }
}
