//! What a conversation looks like on a device, in a form that tests can compare.

use std::time::Instant;

use serde_json::Value;

use crate::at_work::{AtWork, PATIENCE, PAUSE};

/// A conversation as a device shows it, oldest message first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript(pub Vec<Value>);

impl Transcript {
    /// Reads it; what merely happened in the conversation is left out.
    pub async fn of(device: &AtWork, conversation: &str) -> Self {
        let path = format!("messages?limit=500&conversation={conversation}");
        let page = device.get(&path).await;
        let mut messages = page["messages"].as_array().unwrap().clone();
        messages.retain(|message| message["kind"] != "control");
        messages.reverse();
        Self(messages)
    }

    /// Looks again and again until a device shows these lines.
    pub async fn becomes(
        device: &AtWork,
        conversation: &str,
        names: &dyn Fn(&Value) -> String,
        lines: &[String],
    ) {
        let began = Instant::now();
        loop {
            let shown = Self::of(device, conversation).await.lines(names);
            if shown == lines {
                return;
            }
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "{} shows {shown:#?} and not {lines:#?}", device.what());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// One line for each message that is not deleted: who says what, whether that was changed, what
    /// it answers, which files come with it, and what stands under it.
    pub fn lines(&self, names: &dyn Fn(&Value) -> String) -> Vec<String> {
        let there = self.0.iter().filter(|message| message["kind"] != "deleted");
        there.map(|message| line(message, names)).collect()
    }

    /// The message with a text, which must be there once.
    pub fn called(&self, text: &str) -> &Value {
        let mut found = self.0.iter().filter(|message| message["text"] == text);
        let message = found.next().unwrap_or_else(|| panic!("no {text}: {:?}", self.0));
        assert!(found.next().is_none(), "twice: {text}");
        message
    }
}

fn line(message: &Value, names: &dyn Fn(&Value) -> String) -> String {
    let mut line = format!("{}: ", names(&message["author"]));
    line.push_str(message["text"].as_str().unwrap_or("?"));
    if !message["edited_at"].is_null() {
        line.push_str(" (edited)");
    }
    if let Some(quote) = message["quote"].as_object() {
        line.push_str(&format!(" (to {}'s {})", names(&quote["author"]), text(&quote["text"])));
    }
    for file in message["files"].as_array().unwrap() {
        line.push_str(&format!(" [{} {}]", text(&file["kind"]), text(&file["name"])));
    }
    for reaction in message["reactions"].as_array().unwrap() {
        line.push_str(&format!(" {} {}", text(&reaction["emoji"]), names(&reaction["author"])));
    }
    line
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
