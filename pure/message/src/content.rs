//! What a message says: a text, or something this version keeps without reading it.

use std::fmt;

use prost::Message;
use warren_wire::{AccountId, Millis};

use crate::proto;

/// Why there is no content to send, or none to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Nothing was typed.
    #[error("a message needs some text")]
    EmptyText,
    /// What the sender signed is not the protobuf of wire spec, section 2.
    #[error("the sender's client wrote content that cannot be read")]
    Malformed,
}

/// What a message says.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// Something to read.
    Text(Text),
    /// A typing indicator or a receipt: about a conversation, no part of it. The protobuf as signed.
    Signal(Vec<u8>),
    /// All else (reactions, calls, files without a word, ...): the protobuf as signed.
    Unknown(Vec<u8>),
}

impl fmt::Debug for Content {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Signal(raw) => write!(f, "Signal({} bytes)", raw.len()),
            Self::Unknown(raw) => write!(f, "Unknown({} bytes)", raw.len()),
        }
    }
}

/// A text that is not empty, with what goes along with it.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    body: String,
    display_name: Option<String>,
    sync_target: Option<AccountId>,
}

impl Text {
    /// A text to send.
    ///
    /// # Errors
    /// [`ContentError::EmptyText`] where there is not one character.
    pub fn new(body: impl Into<String>) -> Result<Self, ContentError> {
        let body = body.into();
        if body.is_empty() {
            return Err(ContentError::EmptyText);
        }
        Ok(Self { body, display_name: None, sync_target: None })
    }

    /// Tells the recipient what the sender wishes to be called; an empty name tells nothing.
    #[must_use]
    pub fn with_display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Marks the copy that an account seals to itself: its other devices file it under `peer`.
    #[must_use]
    pub fn with_sync_target(mut self, peer: AccountId) -> Self {
        self.sync_target = Some(peer);
        self
    }

    /// The text, never empty.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// What the sender wishes to be called.
    pub fn display_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    /// Whom the text was written to, in the copy for one's own devices.
    pub fn sync_target(&self) -> Option<AccountId> {
        self.sync_target
    }

    fn to_proto(&self, timestamp: Millis) -> proto::DataMessage {
        let profile = self
            .display_name
            .clone()
            .map(|name| proto::Profile { display_name: Some(name), ..Default::default() });
        proto::DataMessage {
            body: Some(self.body.clone()),
            timestamp: Some(timestamp),
            profile,
            sync_target: self.sync_target.map(|peer| peer.to_string()),
            ..Default::default()
        }
    }

    /// `None` where there is no text, or where it is to be filed under something that is no id.
    fn from_proto(message: proto::DataMessage) -> Option<Self> {
        let mut text = Self::new(message.body?).ok()?;
        if let Some(peer) = message.sync_target.filter(|peer| !peer.is_empty()) {
            text = text.with_sync_target(peer.parse().ok()?);
        }
        if let Some(name) = message.profile.and_then(|profile| profile.display_name) {
            text = text.with_display_name(name);
        }
        Some(text)
    }
}

impl fmt::Debug for Text {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.body.len())
    }
}

impl Content {
    /// The protobuf to be signed. `timestamp` goes under the signature as the content's
    /// `sigTimestamp` and, for a text, as the `timestamp` of its data message; unknown content is
    /// written as it was read.
    pub fn encode(&self, timestamp: Millis) -> Vec<u8> {
        match self {
            Self::Signal(raw) | Self::Unknown(raw) => raw.clone(),
            Self::Text(text) => proto::Content {
                data_message: Some(text.to_proto(timestamp)),
                sig_timestamp: Some(timestamp),
                ..Default::default()
            }
            .encode_to_vec(),
        }
    }

    /// Reads what a sender signed, with the time it says, where it says one: `sigTimestamp`, or
    /// else the `timestamp` of the data message.
    ///
    /// # Errors
    /// [`ContentError::Malformed`] where the bytes are no such protobuf.
    pub fn decode(raw: &[u8]) -> Result<(Self, Option<Millis>), ContentError> {
        let content = proto::Content::decode(raw).map_err(|_| ContentError::Malformed)?;
        let signal = content.typing_message.is_some() || content.receipt_message.is_some();
        let message = content.data_message;
        let timestamp =
            content.sig_timestamp.or_else(|| message.as_ref().and_then(|data| data.timestamp));
        let content = match message {
            None if signal => Self::Signal(raw.to_vec()),
            message => match message.and_then(Text::from_proto) {
                Some(text) => Self::Text(text),
                None => Self::Unknown(raw.to_vec()),
            },
        };
        Ok((content, timestamp))
    }
}

/// Whom a copy for one's own devices is to be filed under, of whatever kind its content is.
///
/// # Errors
/// [`ContentError::Malformed`] where the bytes are no such protobuf.
pub(crate) fn sync_target(raw: &[u8]) -> Result<Option<AccountId>, ContentError> {
    let content = proto::Content::decode(raw).map_err(|_| ContentError::Malformed)?;
    let target = content.data_message.and_then(|message| message.sync_target);
    Ok(target.and_then(|peer| peer.parse().ok()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::test_entropy::account;

    fn data(message: proto::DataMessage) -> Vec<u8> {
        proto::Content { data_message: Some(message), ..Default::default() }.encode_to_vec()
    }

    #[test]
    fn a_text_of_nothing_is_refused() {
        assert_eq!(Text::new(""), Err(ContentError::EmptyText));
    }

    #[test]
    fn a_file_without_a_word_is_kept_as_it_came() {
        let file = proto::AttachmentPointer { id: Some(7), ..Default::default() };
        let raw = data(proto::DataMessage {
            body: Some(String::new()),
            attachments: vec![file],
            timestamp: Some(5),
            ..Default::default()
        });
        let (content, timestamp) = Content::decode(&raw).unwrap();
        assert_eq!((content.encode(9), timestamp), (raw.clone(), Some(5)));
        assert_eq!(content, Content::Unknown(raw));
    }

    #[test]
    fn a_typing_indicator_is_no_part_of_the_conversation() {
        let typing = proto::TypingMessage { timestamp: Some(5), ..Default::default() };
        let raw = proto::Content { typing_message: Some(typing), ..Default::default() };
        let raw = raw.encode_to_vec();
        assert_eq!(Content::decode(&raw).unwrap().0, Content::Signal(raw));
    }

    #[test]
    fn fields_of_a_later_version_are_kept_as_they_came() {
        // Field 500, a string.
        let raw = hex::decode("a21f026869").unwrap();
        assert_eq!(Content::decode(&raw).unwrap(), (Content::Unknown(raw), None));
    }

    #[test]
    fn the_signed_time_of_the_content_goes_before_that_of_the_data_message() {
        let message = proto::DataMessage {
            body: Some("hi".into()),
            timestamp: Some(1),
            ..Default::default()
        };
        let mut content = proto::Content { data_message: Some(message), ..Default::default() };
        assert_eq!(Content::decode(&content.encode_to_vec()).unwrap().1, Some(1));
        content.sig_timestamp = Some(2);
        assert_eq!(Content::decode(&content.encode_to_vec()).unwrap().1, Some(2));
    }

    #[test]
    fn a_text_to_be_filed_under_no_id_is_not_shown_as_a_text() {
        let raw = data(proto::DataMessage {
            body: Some("hi".into()),
            sync_target: Some("nobody".into()),
            ..Default::default()
        });
        assert_eq!(Content::decode(&raw).unwrap().0, Content::Unknown(raw));
    }

    #[test]
    fn what_is_said_is_not_printed_by_debug() {
        let text = Text::new("secret").unwrap().with_display_name("Alice");
        assert_eq!(format!("{:?}", Content::Text(text)), "Text(6 bytes)");
    }

    proptest! {
        #[test]
        fn texts_survive_being_written_and_read(
            body in ".+",
            name in proptest::option::of(".*"),
            synced: bool,
            timestamp: Millis,
        ) {
            let mut text = Text::new(body).unwrap();
            if let Some(name) = name {
                text = text.with_display_name(name);
            }
            if synced {
                text = text.with_sync_target(account(3).id());
            }
            let content = Content::Text(text);
            prop_assert_eq!(
                Content::decode(&content.encode(timestamp)).unwrap(),
                (content, Some(timestamp))
            );
        }

        #[test]
        fn any_bytes_read_as_content_or_an_error(bytes: Vec<u8>) {
            if let Ok((Content::Unknown(raw), _)) = Content::decode(&bytes) {
                prop_assert_eq!(raw, bytes);
            }
        }
    }
}
