//! A message to look at: a text, files, or both, and what it answers.

use std::fmt;

use warren_wire::{AccountId, Millis};

use super::ContentError;
use super::body::Body;
use crate::attachment::pointer::Attachment;
use crate::proto;

/// The most files that Session's clients accept in one message.
pub const MAX_ATTACHMENTS: usize = 32;
/// The flag of a quoted voice message.
const VOICE_MESSAGE: u32 = 1;

/// A message with a text or a file, or both.
#[derive(Clone, PartialEq, Eq)]
pub struct Visible {
    body: Option<Body>,
    attachments: Vec<Attachment>,
    quote: Option<Quote>,
    previews: Vec<Preview>,
}

impl Visible {
    /// A text.
    pub fn text(body: Body) -> Self {
        Self { body: Some(body), attachments: Vec::new(), quote: None, previews: Vec::new() }
    }

    /// Files, with a text or without.
    ///
    /// # Errors
    /// Where there is neither, or there are more than [`MAX_ATTACHMENTS`] files.
    pub fn files(body: Option<Body>, attachments: Vec<Attachment>) -> Result<Self, ContentError> {
        if attachments.len() > MAX_ATTACHMENTS {
            let count = attachments.len();
            return Err(ContentError::TooManyAttachments { count, limit: MAX_ATTACHMENTS });
        }
        if body.is_none() && attachments.is_empty() {
            return Err(ContentError::EmptyText);
        }
        Ok(Self { body, attachments, quote: None, previews: Vec::new() })
    }

    /// Makes it an answer.
    #[must_use]
    pub fn with_quote(mut self, quote: Quote) -> Self {
        self.quote = Some(quote);
        self
    }

    /// Adds what a link in the text leads to.
    #[must_use]
    pub fn with_preview(mut self, preview: Preview) -> Self {
        self.previews.push(preview);
        self
    }

    /// The text, where there is one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The files. A message that was read may hold more than can be sent.
    pub fn attachments(&self) -> &[Attachment] {
        &self.attachments
    }

    /// What the message answers.
    pub fn quote(&self) -> Option<&Quote> {
        self.quote.as_ref()
    }

    /// What links in the text lead to.
    pub fn previews(&self) -> &[Preview] {
        &self.previews
    }

    pub(super) fn write(&self, message: &mut proto::DataMessage) {
        message.body = self.body.as_ref().map(|body| body.as_str().to_owned());
        message.attachments = self.attachments.iter().map(Attachment::to_proto).collect();
        message.quote = self.quote.as_ref().map(Quote::to_proto);
        message.preview = self.previews.iter().map(Preview::to_proto).collect();
    }

    /// `None` where there is neither text nor file. A quote or a preview that cannot be read is left
    /// out: the text does not depend on it.
    pub(super) fn read(message: proto::DataMessage) -> Option<Self> {
        let body = Body::read(message.body);
        let attachments: Vec<_> = message.attachments.into_iter().map(Attachment::read).collect();
        if body.is_none() && attachments.is_empty() {
            return None;
        }
        Some(Self {
            body,
            attachments,
            quote: message.quote.and_then(Quote::read),
            previews: message.preview.into_iter().filter_map(Preview::read).collect(),
        })
    }
}

impl fmt::Debug for Visible {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.as_ref().map_or(0, |body| body.as_str().len());
        write!(f, "Visible({bytes} bytes, {} files)", self.attachments.len())
    }
}

/// The message that is answered, by its author and its timestamp.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// The timestamp of the message.
    pub to: Millis,
    /// Who wrote it.
    pub author: AccountId,
    /// What it said, as older clients repeat it. Anyone can put words into others' mouths here: show
    /// the message itself where it is known.
    pub text: Option<String>,
    /// What files it had, as older clients repeat them.
    pub attachments: Vec<QuotedAttachment>,
}

/// What an older client repeats of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct QuotedAttachment {
    /// Its media type.
    pub media_type: Option<String>,
    /// Its name.
    pub file_name: Option<String>,
    /// A small picture of it.
    pub thumbnail: Option<Attachment>,
    /// Whether it is a voice message.
    pub voice: bool,
}

impl Quote {
    /// Points to a message without repeating it, as Session's clients do.
    pub fn of(to: Millis, author: AccountId) -> Self {
        Self { to, author, text: None, attachments: Vec::new() }
    }

    fn to_proto(&self) -> proto::data_message::Quote {
        let quoted = |file: &QuotedAttachment| proto::data_message::quote::QuotedAttachment {
            content_type: file.media_type.clone(),
            file_name: file.file_name.clone(),
            thumbnail: file.thumbnail.as_ref().map(Attachment::to_proto),
            flags: file.voice.then_some(VOICE_MESSAGE),
        };
        proto::data_message::Quote {
            id: Some(self.to),
            author: Some(self.author.to_string()),
            text: self.text.clone(),
            attachments: self.attachments.iter().map(quoted).collect(),
        }
    }

    fn read(quote: proto::data_message::Quote) -> Option<Self> {
        let quoted = |file: proto::data_message::quote::QuotedAttachment| QuotedAttachment {
            media_type: file.content_type,
            file_name: file.file_name,
            thumbnail: file.thumbnail.map(Attachment::read),
            voice: file.flags.unwrap_or_default() & VOICE_MESSAGE != 0,
        };
        Some(Self {
            to: quote.id?,
            author: quote.author?.parse().ok()?,
            text: quote.text,
            attachments: quote.attachments.into_iter().map(quoted).collect(),
        })
    }
}

impl fmt::Debug for Quote {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Quote(..)")
    }
}

/// What a link in the text leads to, as the sender's client saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    /// The link, never empty.
    url: String,
    /// The title of the page.
    pub title: Option<String>,
    /// A picture of the page.
    pub image: Option<Attachment>,
}

impl Preview {
    /// A preview of a link; `None` where there is no link.
    pub fn new(url: impl Into<String>) -> Option<Self> {
        let url = url.into();
        (!url.is_empty()).then_some(Self { url, title: None, image: None })
    }

    /// The link, never empty.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn to_proto(&self) -> proto::data_message::Preview {
        proto::data_message::Preview {
            url: Some(self.url.clone()),
            title: self.title.clone(),
            image: self.image.as_ref().map(Attachment::to_proto),
        }
    }

    fn read(preview: proto::data_message::Preview) -> Option<Self> {
        let image = preview.image.map(Attachment::read);
        Some(Self { title: preview.title, image, ..Self::new(preview.url?)? })
    }
}

impl fmt::Debug for Preview {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Preview(..)")
    }
}
