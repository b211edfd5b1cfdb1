//! `warren conversations`: the list, requests, and what the owner set for each.

use axum::http::Method;
use serde_json::{Value, json};
use warren_wire::Millis;
use warren_wire::limits::SECOND;

use super::message::report;
use crate::api::AccountApi;
use crate::api::conversations::{
    Conversation, ConversationChange, Conversations, FOR_EVER, Listing, Timer, Types,
    WhichConversations,
};
use crate::api::expiry::{Expiry, ExpiryMode};
use crate::cli::{ConversationArg, ConversationsCommand, ListingArg};
use crate::failure::{Exit, Failure};
use crate::people;
use crate::start::Start;
use crate::terminal_text;
use crate::wording::{count, json_time, local_time, now};

const HOUR: Millis = 60 * 60 * SECOND;

/// Carries the command out.
///
/// # Errors
/// Where nobody is meant, or the database fails.
pub async fn run(start: &Start, command: Option<ConversationsCommand>) -> Result<Exit, Failure> {
    use ConversationsCommand as Do;
    let account = start.account().await?;
    let set =
        async |which: ConversationArg, change| change_one(start, &account, &which, &change).await;
    let unchanged = ConversationChange::default;
    match command.unwrap_or(Do::List { part: ListingArg::Inbox }) {
        Do::List { part } => list(start, &account, part).await,
        Do::Pin(one) => set(one, ConversationChange { priority: Some(1), ..unchanged() }).await,
        Do::Unpin(one) => set(one, ConversationChange { priority: Some(0), ..unchanged() }).await,
        Do::Hide(one) => set(one, ConversationChange { priority: Some(-1), ..unchanged() }).await,
        Do::Archive(one) => {
            set(one, ConversationChange { archived: Some(true), ..unchanged() }).await
        }
        Do::Unarchive(one) => {
            set(one, ConversationChange { archived: Some(false), ..unchanged() }).await
        }
        Do::Mute { which, hours } => {
            let until = hours.map(|hours| now().saturating_add(hours.saturating_mul(HOUR)));
            let muted_until = Some(until.unwrap_or(FOR_EVER).min(FOR_EVER));
            set(which, ConversationChange { muted_until, ..unchanged() }).await
        }
        Do::Unmute(one) => {
            set(one, ConversationChange { muted_until: Some(0), ..unchanged() }).await
        }
        Do::Read(one) => tell(start, &account, &one, "read", "Marked as read").await,
        Do::Accept(one) => {
            let id = account.find(&one.with).await?.account_id;
            account.tell(Method::POST, &format!("conversations/{id}/accept"), &()).await?;
            let name = people::shown(&account, &id).await?;
            let value = json!({ "conversation": id, "done": "accept" });
            return report(&account, start.output, value, &format!("Accepted: {name}.")).await;
        }
        Do::Decline { which, block } => {
            let how = if block { "decline?block=true" } else { "decline" };
            tell(start, &account, &which, how, "Declined").await
        }
        Do::Timer { which, time, after_read, .. } => {
            return timer(start, &account, &which, time, after_read).await;
        }
        Do::Draft { which, text: None } => draft(start, &account, &which).await,
        Do::Draft { which, text } => {
            set(which, ConversationChange { draft: text, ..unchanged() }).await
        }
        Do::Typing { which, stop } => {
            let id = account.find(&which.with).await?.account_id;
            let types = Types { typing: !stop };
            account.tell(Method::POST, &format!("conversations/{id}/typing"), &types).await?;
            let value = json!({ "conversation": id, "typing": types.typing });
            start.output.result(&value, "Told, where you let others know that you type.")
        }
        Do::Screenshot(one) => tell(start, &account, &one, "screenshot", "Told").await,
        Do::Delete { which, yes } => delete(start, &account, &which, yes).await,
    }
    .map(|()| Exit::Done)
}

async fn list(start: &Start, account: &AccountApi, part: ListingArg) -> Result<(), Failure> {
    let listing = match part {
        ListingArg::Inbox => Listing::Inbox,
        ListingArg::Archived => Listing::Archived,
        ListingArg::Requests => Listing::Requests,
        ListingArg::Hidden => Listing::Hidden,
        ListingArg::All => Listing::All,
    };
    let mut which = WhichConversations { listing, ..WhichConversations::default() };
    let (mut values, mut lines) = (Vec::new(), Vec::new());
    loop {
        let page: Conversations = account.query("conversations", &which).await?;
        for one in &page.conversations {
            let name = people::shown(account, &one.conversation).await?;
            lines.push(line(one, &name));
            values.push(value(one));
        }
        which.after = page.next;
        if which.after.is_none() {
            break;
        }
    }
    if lines.is_empty() {
        lines.push("There is no conversation here.".to_owned());
    }
    start.output.result(&json!({ "conversations": values }), lines.join("\n"))
}

async fn change_one(
    start: &Start,
    account: &AccountApi,
    which: &ConversationArg,
    change: &ConversationChange,
) -> Result<(), Failure> {
    let id = account.find(&which.with).await?.account_id;
    let path = format!("conversations/{id}");
    let changed: Conversation = account.send(Method::PATCH, &path, change).await?;
    let name = people::shown(account, &id).await?;
    start.output.result(&value(&changed), line(&changed, &name))
}

async fn tell(
    start: &Start,
    account: &AccountApi,
    which: &ConversationArg,
    what: &str,
    done: &str,
) -> Result<(), Failure> {
    let id = account.find(&which.with).await?.account_id;
    account.tell(Method::POST, &format!("conversations/{id}/{what}"), &()).await?;
    let name = people::shown(account, &id).await?;
    let what = what.split_once('?').map_or(what, |(what, _)| what);
    start.output.result(&json!({ "conversation": id, "done": what }), format!("{done}: {name}."))
}

async fn timer(
    start: &Start,
    account: &AccountApi,
    which: &ConversationArg,
    time: Option<u32>,
    after_read: bool,
) -> Result<Exit, Failure> {
    let id = account.find(&which.with).await?.account_id;
    let mode = if after_read { ExpiryMode::AfterRead } else { ExpiryMode::AfterSend };
    let timer = Timer { expiry: time.map(|seconds| Expiry { mode, seconds }) };
    let path = format!("conversations/{id}/timer");
    let changed: Conversation = account.send(Method::PUT, &path, &timer).await?;
    let name = people::shown(account, &id).await?;
    let text = match (time, after_read) {
        (None, _) => format!("What you write to {name} stays."),
        (Some(seconds), true) => {
            format!("What you write to {name} disappears {seconds} s after it is read.")
        }
        (Some(seconds), false) => {
            format!("What you write to {name} disappears {seconds} s after it is sent.")
        }
    };
    report(account, start.output, value(&changed), &text).await
}

async fn draft(
    start: &Start,
    account: &AccountApi,
    which: &ConversationArg,
) -> Result<(), Failure> {
    let id = account.find(&which.with).await?.account_id;
    let shown: Conversation = account.get(&format!("conversations/{id}")).await?;
    start.output.result(&value(&shown), terminal_text::block(&shown.draft, ""))
}

async fn delete(
    start: &Start,
    account: &AccountApi,
    which: &ConversationArg,
    yes: bool,
) -> Result<(), Failure> {
    let id = account.find(&which.with).await?.account_id;
    let name = people::shown(account, &id).await?;
    if !yes {
        return Err(Failure::DeletesMessages(name));
    }
    account.tell(Method::DELETE, &format!("conversations/{id}"), &()).await?;
    let value = json!({ "conversation": id, "deleted": true });
    start.output.result(&value, format!("The conversation with {name} is off this device."))
}

fn line(one: &Conversation, name: &str) -> String {
    let mut marks = Vec::new();
    if one.unread > 0 {
        marks.push(format!(
            "{} unread",
            count(usize::try_from(one.unread).unwrap_or(usize::MAX), "message")
        ));
    }
    let muted = one.muted_until > now();
    for (holds, mark) in [
        (one.priority > 0, "pinned"),
        (one.priority < 0, "hidden"),
        (one.archived, "archived"),
        (one.is_request, "request"),
        (muted, "muted"),
    ] {
        if holds {
            marks.push(mark.to_owned());
        }
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) };
    format!("{}  {name}{marks}", local_time(one.last_timestamp))
}

fn value(one: &Conversation) -> Value {
    json!({
        "conversation": one.conversation,
        "priority": one.priority,
        "archived": one.archived,
        "is_request": one.is_request,
        "muted_until": one.muted_until,
        "draft": one.draft,
        "expiry": one.expiry,
        "unread": one.unread,
        "mentioned": one.mentioned,
        "last_message_id": one.last_message_id,
        "last_timestamp": one.last_timestamp,
        "last_time": json_time(one.last_timestamp),
    })
}
