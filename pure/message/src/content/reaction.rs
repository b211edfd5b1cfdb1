//! An emoji under a message.

use std::fmt;

use warren_wire::{AccountId, Millis};

use super::ContentError;
use crate::proto;
use proto::data_message::reaction::Action;

/// More bytes than the longest sequence of code points that is one emoji.
const MAX_EMOJI_BYTES: usize = 64;

/// One emoji, as the sequence of code points that it is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Emoji(String);

impl Emoji {
    /// Takes what was picked.
    ///
    /// # Errors
    /// [`ContentError::NotAnEmoji`] where it is empty, blank or longer than an emoji is.
    pub fn new(text: impl Into<String>) -> Result<Self, ContentError> {
        let text = text.into();
        let blank = text.trim().is_empty() || text.contains(char::is_control);
        if blank || text.len() > MAX_EMOJI_BYTES {
            return Err(ContentError::NotAnEmoji);
        }
        Ok(Self(text))
    }

    /// The code points.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Emoji {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Emoji(..)")
    }
}

/// A reaction, or that it is taken back.
#[derive(Clone, PartialEq, Eq)]
pub struct Reaction {
    /// The timestamp of the message.
    pub to: Millis,
    /// Who wrote it.
    pub author: AccountId,
    /// What the sender thinks of it.
    pub emoji: Emoji,
    /// Whether the reaction is taken back.
    pub removed: bool,
}

impl Reaction {
    pub(super) fn to_proto(&self) -> proto::data_message::Reaction {
        let action = if self.removed { Action::Remove } else { Action::React };
        proto::data_message::Reaction {
            id: Some(self.to),
            author: Some(self.author.to_string()),
            emoji: Some(self.emoji.as_str().to_owned()),
            action: Some(action.into()),
        }
    }

    pub(super) fn read(reaction: proto::data_message::Reaction) -> Option<Self> {
        let removed = match Action::try_from(reaction.action?).ok()? {
            Action::React => false,
            Action::Remove => true,
        };
        Some(Self {
            to: reaction.id?,
            author: reaction.author?.parse().ok()?,
            emoji: Emoji::new(reaction.emoji?).ok()?,
            removed,
        })
    }
}

impl fmt::Debug for Reaction {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reaction(..)")
    }
}
