//! What a message carries beside its words: a quote, a link's preview, how long it lives.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, Millis};

use super::attachments::NewAttachment;
use super::column::Col;

/// What a message carries beside its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// What it answers.
    pub quote: Option<Quote>,
    /// What a link in it leads to. Its image is the attachment of kind
    /// [`super::AttachmentKind::Preview`].
    pub preview: Option<Preview>,
    /// Whether it names the owner.
    pub mentions_me: bool,
    /// When it disappears; `None` for never.
    pub expiry: Option<Expiry>,
    /// Its files, in their order.
    pub attachments: Vec<NewAttachment>,
}

/// What a message answers.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// Who said what is answered.
    pub author: AccountId,
    /// When they said it.
    pub timestamp: Millis,
    /// What the answer repeats of it; `None` where it was deleted since.
    pub text: Option<String>,
}

impl std::fmt::Debug for Quote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Quote({})", self.timestamp)
    }
}

/// What a link leads to, as the message's author saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    /// The link.
    pub url: String,
    /// The page's title.
    pub title: String,
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preview(..)")
    }
}

/// From when on the time of a disappearing message runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryMode {
    /// From its reading; at its author's, from its sending.
    AfterRead,
    /// From its sending.
    AfterSend,
}

impl ExpiryMode {
    pub(super) const fn number(self) -> i64 {
        match self {
            Self::AfterRead => 1,
            Self::AfterSend => 2,
        }
    }
}

impl FromSql for ExpiryMode {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            1 => Ok(Self::AfterRead),
            2 => Ok(Self::AfterSend),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

/// How long a message lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiry {
    /// From when on.
    pub mode: ExpiryMode,
    /// For how many seconds.
    pub seconds: u32,
}

impl Expiry {
    /// Where two columns hold a mode, 0 for none, and a timer.
    pub(super) fn from_row(row: &Row<'_>, mode: usize) -> rusqlite::Result<Option<Self>> {
        if row.get::<_, i64>(mode)? == 0 {
            return Ok(None);
        }
        Ok(Some(Self { mode: row.get(mode)?, seconds: row.get(mode + 1)? }))
    }

    /// Both columns.
    pub(super) fn columns(expiry: Option<Self>) -> (i64, u32) {
        expiry.map_or((0, 0), |expiry| (expiry.mode.number(), expiry.seconds))
    }

    /// When a message disappears whose time runs from `start`.
    pub(super) fn end(self, start: Millis) -> Millis {
        start.saturating_add(Millis::from(self.seconds) * SECOND)
    }
}

/// The quote in three columns from `at` on.
pub(super) fn quote_from(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Quote>> {
    let author: Option<Col<AccountId>> = row.get(at)?;
    let timestamp: Option<Col<Millis>> = row.get(at + 1)?;
    let (Some(Col(author)), Some(Col(timestamp))) = (author, timestamp) else { return Ok(None) };
    Ok(Some(Quote { author, timestamp, text: row.get(at + 2)? }))
}

/// The preview in two columns from `at` on.
pub(super) fn preview_from(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Preview>> {
    let url: Option<String> = row.get(at)?;
    let Some(url) = url else { return Ok(None) };
    Ok(Some(Preview { url, title: row.get::<_, Option<String>>(at + 1)?.unwrap_or_default() }))
}
