//! What a message says: every kind that Session's clients send, and what this version cannot read.
//!
//! A [`Content`] is one of the [`Kind`]s, with when it is to disappear and what it claims of paid
//! features. Its types hold checked values alone: whatever of a protobuf breaks a rule of its kind
//! is not cut down to fit, but kept whole as [`Unknown`]. Fields that a later version adds to a known
//! kind do no harm: they are not read, and the caller of [`crate::open_direct`] has all bytes.
//!
//! | module | what |
//! |---|---|
//! | [`body`], [`mention`] | the text, and who is named in it |
//! | [`data`] | what belongs to a conversation, with whose profile and for which of one's devices |
//! | [`visible`], [`edit`] | a message to look at; a correction of one |
//! | [`reaction`], [`invitation`] | an emoji under a message; the way to a community |
//! | [`profile`] | what a person wishes to be called and to look like |
//! | [`notice`] | typing, receipts, deletion, accepted requests, screenshots, calls |
//! | [`share`] | shares of recovery words: handed to a friend, asked for, returned |
//! | [`tripwire`] | friends who can wipe a device: shares, and orders to it |
//! | [`config`] | what an account tells its own devices |
//! | [`group`], [`admin`] | what admins and members of a group tell each other, and its proof |
//! | [`pro`] | paid features, kept and not judged |

use std::fmt;

use prost::Message;
use warren_wire::{AccountId, Millis};

use crate::expiration::{self, Expiration};
use crate::proto;

pub mod admin;
pub mod body;
pub mod config;
pub mod data;
pub mod edit;
pub mod group;
pub mod invitation;
pub mod mention;
pub mod notice;
pub mod pro;
pub mod profile;
pub mod reaction;
pub mod share;
#[cfg(test)]
mod tests;
pub mod tripwire;
pub mod visible;

use body::Body;
use config::SharedConfig;
use data::{Data, What};
use notice::{Call, Extraction, Receipt, RequestResponse, Typing, Unsend};
use pro::Pro;
use share::ShareMessage;
use tripwire::TripwireMessage;
use visible::Visible;

/// Why there is no content to send, or none to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// Nothing was typed.
    #[error("a message needs some text")]
    EmptyText,
    /// More was typed than clients show.
    #[error(
        "the text has {characters} characters and may have {limit}: shorten it, or send it as a file"
    )]
    TextTooLong {
        /// What was typed.
        characters: usize,
        /// The most that can be sent.
        limit: usize,
    },
    /// More files than clients accept in one message.
    #[error(
        "a message holds at most {limit} files and this one has {count}: send the rest in another"
    )]
    TooManyAttachments {
        /// How many were added.
        count: usize,
        /// The most that can be sent.
        limit: usize,
    },
    /// An emoji that is none, or far too long for one.
    #[error("a reaction is one emoji")]
    NotAnEmoji,
    /// What the sender signed is not the protobuf of wire spec, section 2.
    #[error("the sender's client wrote content that cannot be read")]
    Malformed,
}

/// What a message says, and for how long.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// What it says.
    pub kind: Kind,
    /// When it disappears; `None` where it stays. In a [`What::TimerUpdate`], the setting that the
    /// sender gives the conversation.
    pub expiration: Option<Expiration>,
    /// What the sender claims of paid features.
    pub pro: Option<Pro>,
}

/// The kinds of content.
#[derive(Clone, PartialEq, Eq)]
pub enum Kind {
    /// Part of a conversation: something to look at, or a change of what is there.
    Data(Box<Data>),
    /// Somebody types, or stopped.
    Typing(Typing),
    /// Messages have arrived or were read.
    Receipt(Receipt),
    /// The author takes a message back.
    Unsend(Unsend),
    /// A message request was accepted.
    RequestResponse(RequestResponse),
    /// The other side took a screenshot or saved a file.
    Extraction(Extraction),
    /// A step of a call, which this version shows and does not take.
    Call(Call),
    /// A share of recovery words, or a word about one.
    Share(ShareMessage),
    /// A share of a device's tripwire, an order to it, or a word about one.
    Tripwire(TripwireMessage),
    /// A configuration message of the account itself.
    Config(SharedConfig),
    /// Anything else.
    Unknown(Unknown),
}

/// Content that this version cannot read: the protobuf as it was signed.
///
/// It is only made by reading, and written as it was read: its expiration and claims are those
/// inside of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Unknown(Vec<u8>);

impl Unknown {
    /// The protobuf, for a version that can read it.
    pub fn raw(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Kind {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => data.fmt(f),
            Self::Typing(typing) => write!(f, "Typing({typing:?})"),
            Self::Receipt(receipt) => receipt.fmt(f),
            Self::Unsend(unsend) => unsend.fmt(f),
            Self::RequestResponse(response) => response.fmt(f),
            Self::Extraction(extraction) => extraction.fmt(f),
            Self::Call(call) => call.fmt(f),
            Self::Share(share) => share.fmt(f),
            Self::Tripwire(tripwire) => tripwire.fmt(f),
            Self::Config(config) => config.fmt(f),
            Self::Unknown(unknown) => unknown.fmt(f),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl From<Kind> for Content {
    fn from(kind: Kind) -> Self {
        Self { kind, expiration: None, pro: None }
    }
}

impl From<Data> for Content {
    fn from(data: Data) -> Self {
        Kind::Data(Box::new(data)).into()
    }
}

impl Content {
    /// A text and nothing else.
    ///
    /// # Errors
    /// Where the text is empty or too long.
    pub fn text(text: impl Into<String>) -> Result<Self, ContentError> {
        Ok(Data::from(What::Visible(Visible::text(Body::new(text)?))).into())
    }

    /// The text, of a message that has one.
    pub fn body(&self) -> Option<&str> {
        match &self.kind {
            Kind::Data(data) => match &data.what {
                What::Visible(visible) => visible.body().map(Body::as_str),
                What::Edit(edit) => Some(edit.body.as_str()),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whom a copy for one's own devices is to be filed under.
    pub fn sync_target(&self) -> Option<AccountId> {
        match &self.kind {
            Kind::Data(data) => data.sync_target,
            Kind::Unknown(unknown) => data::sync_target(unknown.raw()),
            _ => None,
        }
    }

    /// What it is in the hands of a reader who knows who signed it: a correction of what somebody
    /// else said is a message of its own. [`crate::open_direct`] has done so; who opens a message
    /// to a group does it with the member who signed.
    #[must_use]
    pub fn seen_from(mut self, sender: &AccountId) -> Self {
        if let Kind::Data(data) = &mut self.kind
            && let What::Edit(edit) = &data.what
            && !edit.is_by(sender)
        {
            data.what = What::Visible(edit.as_visible());
        }
        self
    }

    /// How long a node keeps a copy (wire spec, section 4).
    pub fn ttl(&self) -> Millis {
        match &self.kind {
            Kind::Typing(_) => expiration::TYPING_TTL,
            Kind::Call(_) => expiration::CALL_TTL,
            Kind::Config(_) => expiration::CONFIG_TTL,
            _ => expiration::ttl(self.expiration),
        }
    }

    /// The protobuf to be signed. `timestamp` goes under the signature as the content's
    /// `sigTimestamp` and wherever a kind repeats it; a configuration message has no time, as every
    /// device is to write the same bytes, and unknown content is written as it was read.
    pub fn encode(&self, timestamp: Millis) -> Vec<u8> {
        let mut content = proto::Content { sig_timestamp: Some(timestamp), ..Default::default() };
        match &self.kind {
            Kind::Data(data) => content.data_message = Some(data.to_proto(timestamp)),
            Kind::Typing(typing) => content.typing_message = Some(typing.to_proto(timestamp)),
            Kind::Receipt(receipt) => content.receipt_message = Some(receipt.to_proto()),
            Kind::Unsend(unsend) => content.unsend_request = Some(unsend.to_proto()),
            Kind::RequestResponse(response) => {
                content.message_request_response = Some(response.to_proto());
            }
            Kind::Extraction(extraction) => {
                content.data_extraction_notification = Some(extraction.to_proto());
            }
            Kind::Call(call) => content.call_message = Some(call.to_proto()),
            Kind::Share(share) => content.warren_share = Some(share.to_proto()),
            Kind::Tripwire(tripwire) => content.warren_tripwire = Some(tripwire.to_proto()),
            Kind::Config(config) => {
                content.shared_config_message = Some(config.to_proto());
                content.sig_timestamp = None;
            }
            Kind::Unknown(Unknown(raw)) => return raw.clone(),
        }
        if self.expiration.is_some() || self.kind.may_expire() {
            Expiration::write(self.expiration, &mut content);
        }
        if let Some(pro) = &self.pro {
            pro.write(&mut content);
        }
        content.encode_to_vec()
    }

    /// Reads what a sender signed, with the time it says, where it says one: `sigTimestamp`, or
    /// else the `timestamp` of the data message.
    ///
    /// # Errors
    /// [`ContentError::Malformed`] where the bytes are no such protobuf.
    pub fn decode(raw: &[u8]) -> Result<(Self, Option<Millis>), ContentError> {
        let mut content = proto::Content::decode(raw).map_err(|_| ContentError::Malformed)?;
        let of_data = content.data_message.as_ref().and_then(|data| data.timestamp);
        let timestamp = content.sig_timestamp.or(of_data);
        let expiration = Expiration::read(&content);
        let pro = Pro::read(&mut content);
        let kind = Kind::read(content).unwrap_or_else(|| Kind::Unknown(Unknown(raw.to_vec())));
        Ok((Self { kind, expiration, pro }, timestamp))
    }
}

impl Kind {
    /// Whether it stays in a conversation, so that it could disappear from there.
    fn may_expire(&self) -> bool {
        matches!(self, Self::Data(_) | Self::Extraction(_) | Self::Call(_))
    }

    /// The first kind of which there is something, in the order in which Session's clients look.
    /// `None` where there is nothing, or something that breaks a rule of its kind.
    fn read(content: proto::Content) -> Option<Self> {
        if let Some(data) = content.data_message {
            return Data::read(data).map(|data| Self::Data(Box::new(data)));
        }
        if let Some(receipt) = content.receipt_message {
            return Receipt::read(receipt).map(Self::Receipt);
        }
        if let Some(typing) = content.typing_message {
            return Typing::read(typing).map(Self::Typing);
        }
        if let Some(extraction) = content.data_extraction_notification {
            return Extraction::read(extraction).map(Self::Extraction);
        }
        if let Some(unsend) = content.unsend_request {
            return Unsend::read(&unsend).map(Self::Unsend);
        }
        if let Some(call) = content.call_message {
            return Call::read(call).map(Self::Call);
        }
        if let Some(response) = content.message_request_response {
            return RequestResponse::read(response).map(Self::RequestResponse);
        }
        if let Some(share) = content.warren_share {
            return ShareMessage::read(&share).map(Self::Share);
        }
        if let Some(tripwire) = content.warren_tripwire {
            return TripwireMessage::read(&tripwire).map(Self::Tripwire);
        }
        SharedConfig::read(content.shared_config_message?).map(Self::Config)
    }
}
