//! What clients tell each other beside what people say.

use std::fmt;

use warren_wire::{AccountId, Millis};

use super::profile::Profile;
use crate::proto;
use proto::{call_message, data_extraction_notification, receipt_message, typing_message};

/// Somebody types, or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// Begins or goes on.
    Started,
    /// Ends.
    Stopped,
}

impl Typing {
    pub(super) fn to_proto(self, timestamp: Millis) -> proto::TypingMessage {
        let action = match self {
            Self::Started => typing_message::Action::Started,
            Self::Stopped => typing_message::Action::Stopped,
        };
        proto::TypingMessage { timestamp: Some(timestamp), action: Some(action.into()) }
    }

    pub(super) fn read(typing: proto::TypingMessage) -> Option<Self> {
        match typing_message::Action::try_from(typing.action.unwrap_or_default()).ok()? {
            typing_message::Action::Started => Some(Self::Started),
            typing_message::Action::Stopped => Some(Self::Stopped),
        }
    }
}

/// Messages of the recipient that the sender has.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Whether they were read, and not only delivered.
    pub read: bool,
    /// The timestamps of the messages.
    pub messages: Vec<Millis>,
}

impl Receipt {
    pub(super) fn to_proto(&self) -> proto::ReceiptMessage {
        let kind =
            if self.read { receipt_message::Type::Read } else { receipt_message::Type::Delivery };
        proto::ReceiptMessage { r#type: Some(kind.into()), timestamp: self.messages.clone() }
    }

    pub(super) fn read(receipt: proto::ReceiptMessage) -> Option<Self> {
        let read = match receipt_message::Type::try_from(receipt.r#type.unwrap_or_default()).ok()? {
            receipt_message::Type::Delivery => false,
            receipt_message::Type::Read => true,
        };
        Some(Self { read, messages: receipt.timestamp })
    }
}

/// The author takes a message back: it is deleted on every device that has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Unsend {
    /// The timestamp of the message.
    pub message: Millis,
    /// Who wrote it. Only they can take it back: compare with who signed the request.
    pub author: AccountId,
}

impl Unsend {
    pub(super) fn to_proto(self) -> proto::UnsendRequest {
        proto::UnsendRequest {
            timestamp: Some(self.message),
            author: Some(self.author.to_string()),
        }
    }

    pub(super) fn read(unsend: &proto::UnsendRequest) -> Option<Self> {
        let author = unsend.author.as_ref()?.parse().ok()?;
        Some(Self { message: unsend.timestamp?, author })
    }
}

/// The answer to a message request. Session's clients send it where they accept, and never else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestResponse {
    /// Whether the request was accepted.
    pub approved: bool,
    /// Who accepted.
    pub profile: Option<Profile>,
}

impl RequestResponse {
    pub(super) fn to_proto(&self) -> proto::MessageRequestResponse {
        let (profile, profile_key) =
            self.profile.as_ref().map(Profile::to_proto).unwrap_or_default();
        proto::MessageRequestResponse { is_approved: Some(self.approved), profile_key, profile }
    }

    pub(super) fn read(response: proto::MessageRequestResponse) -> Option<Self> {
        let profile = Profile::read(response.profile, response.profile_key);
        Some(Self { approved: response.is_approved?, profile })
    }
}

/// What the other side kept of a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extraction {
    /// They took a screenshot.
    Screenshot,
    /// They saved a file that was sent at this time, where they say which.
    MediaSaved(Option<Millis>),
}

impl Extraction {
    pub(super) fn to_proto(self) -> proto::DataExtractionNotification {
        let (kind, timestamp) = match self {
            Self::Screenshot => (data_extraction_notification::Type::Screenshot, None),
            Self::MediaSaved(sent) => (data_extraction_notification::Type::MediaSaved, sent),
        };
        proto::DataExtractionNotification { r#type: Some(kind.into()), timestamp }
    }

    pub(super) fn read(notification: proto::DataExtractionNotification) -> Option<Self> {
        match data_extraction_notification::Type::try_from(notification.r#type?).ok()? {
            data_extraction_notification::Type::Screenshot => Some(Self::Screenshot),
            data_extraction_notification::Type::MediaSaved => {
                Some(Self::MediaSaved(notification.timestamp))
            }
        }
    }
}

/// What step of a call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStep {
    /// A call is about to come: the one step that is worth showing.
    PreOffer,
    /// The caller's session description.
    Offer,
    /// The other side's session description.
    Answer,
    /// An answer before the call is taken.
    ProvisionalAnswer,
    /// Addresses to try.
    IceCandidates,
    /// The call is over.
    EndCall,
}

/// A step of a call.
#[derive(Clone, PartialEq, Eq)]
pub struct Call {
    /// Which step.
    pub step: CallStep,
    /// Which call.
    pub uuid: String,
    /// Session descriptions or addresses.
    pub sdps: Vec<String>,
    /// To which line of the description an address belongs.
    pub sdp_line_indexes: Vec<u32>,
    /// To which media stream an address belongs.
    pub sdp_mids: Vec<String>,
}

impl Call {
    pub(super) fn to_proto(&self) -> proto::CallMessage {
        let step = match self.step {
            CallStep::PreOffer => call_message::Type::PreOffer,
            CallStep::Offer => call_message::Type::Offer,
            CallStep::Answer => call_message::Type::Answer,
            CallStep::ProvisionalAnswer => call_message::Type::ProvisionalAnswer,
            CallStep::IceCandidates => call_message::Type::IceCandidates,
            CallStep::EndCall => call_message::Type::EndCall,
        };
        proto::CallMessage {
            r#type: Some(step.into()),
            sdps: self.sdps.clone(),
            sdp_m_line_indexes: self.sdp_line_indexes.clone(),
            sdp_mids: self.sdp_mids.clone(),
            uuid: Some(self.uuid.clone()),
        }
    }

    pub(super) fn read(call: proto::CallMessage) -> Option<Self> {
        let step = match call_message::Type::try_from(call.r#type?).ok()? {
            call_message::Type::PreOffer => CallStep::PreOffer,
            call_message::Type::Offer => CallStep::Offer,
            call_message::Type::Answer => CallStep::Answer,
            call_message::Type::ProvisionalAnswer => CallStep::ProvisionalAnswer,
            call_message::Type::IceCandidates => CallStep::IceCandidates,
            call_message::Type::EndCall => CallStep::EndCall,
        };
        Some(Self {
            step,
            uuid: call.uuid.unwrap_or_default(),
            sdps: call.sdps,
            sdp_line_indexes: call.sdp_m_line_indexes,
            sdp_mids: call.sdp_mids,
        })
    }
}

impl fmt::Debug for Call {
    /// Session descriptions hold a person's addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({:?})", self.step)
    }
}

impl fmt::Debug for Receipt {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt(..)")
    }
}

impl fmt::Debug for Unsend {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsend(..)")
    }
}

impl fmt::Debug for Extraction {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extraction(..)")
    }
}
