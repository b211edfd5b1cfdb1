//! Another text for a message that was sent (decision 0010).
//!
//! Session has no edits. Warren's is an ordinary message with the new text, which answers the one it
//! corrects, and one field more that says so: a Session client shows it as that answer, a Warren
//! client in place of the first text.

use std::fmt;

use warren_wire::{AccountId, Millis};

use super::body::Body;
use super::visible::{Quote, Visible};
use crate::proto;

/// A correction: from here on, the message says `body`. What else it holds (files, the message that
/// it answers, when it disappears) stays.
#[derive(Clone, PartialEq, Eq)]
pub struct Edit {
    /// The timestamp of the message.
    pub original: Millis,
    /// Who wrote it. [`crate::open_direct`] gives out no edit by anyone else.
    pub author: AccountId,
    /// The whole new text.
    pub body: Body,
}

impl Edit {
    /// Whether `sender` may make this change: nobody corrects what others said.
    pub fn is_by(&self, sender: &AccountId) -> bool {
        self.author == *sender
    }

    /// The message that clients without edits see: the new text, as an answer to the old one.
    pub fn as_visible(&self) -> Visible {
        let quote = Quote::of(self.original, self.author);
        Visible::text(self.body.clone()).with_quote(quote)
    }

    pub(super) fn write(&self, message: &mut proto::DataMessage) {
        self.as_visible().write(message);
        message.replaces = Some(self.original);
    }

    /// `None` where it is no edit, or one that contradicts itself: then it is a message of its own.
    pub(super) fn read(message: &proto::DataMessage) -> Option<Self> {
        let original = message.replaces?;
        let quote = message.quote.as_ref().filter(|quote| quote.id == Some(original))?;
        let author = quote.author.as_ref()?.parse().ok()?;
        if !message.attachments.is_empty() {
            return None;
        }
        Some(Self { original, author, body: Body::read(message.body.clone())? })
    }
}

impl fmt::Debug for Edit {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edit(..)")
    }
}
