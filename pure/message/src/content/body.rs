//! The text of a message, never empty, and how long it may be.

use std::fmt;

use super::ContentError;

/// The most characters (Unicode scalar values) that can be sent. Session's clients cut what is longer
/// at this place, without a word to anyone.
pub const MAX_CHARACTERS: usize = 10_000;
/// Where Session's clients of a network with paid features cut the text of a sender who does not pay.
/// Warren sends what is longer and leaves it to its user interface to say so.
pub const FREE_CHARACTERS: usize = 2_000;

/// A text that is not empty.
///
/// One that is written has at most [`MAX_CHARACTERS`]. One that is read may have more, as much as
/// fits into a message: it is neither refused nor cut.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// A text to send.
    ///
    /// # Errors
    /// Where there is not one character, or there are more than [`MAX_CHARACTERS`].
    pub fn new(text: impl Into<String>) -> Result<Self, ContentError> {
        let text = text.into();
        match text.chars().count() {
            0 => Err(ContentError::EmptyText),
            characters if characters > MAX_CHARACTERS => {
                Err(ContentError::TextTooLong { characters, limit: MAX_CHARACTERS })
            }
            _ => Ok(Self(text)),
        }
    }

    /// A text that arrived, of any length; `None` where it is empty.
    pub(super) fn read(text: Option<String>) -> Option<Self> {
        text.filter(|text| !text.is_empty()).map(Self)
    }

    /// The text, never empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Body {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_nothing_is_refused() {
        assert_eq!(Body::new(""), Err(ContentError::EmptyText));
        assert_eq!(Body::read(Some(String::new())), None);
    }

    #[test]
    fn ten_thousand_characters_are_sent_and_one_more_is_not() {
        assert!(Body::new("ß".repeat(10_000)).is_ok());
        let error = ContentError::TextTooLong { characters: 10_001, limit: 10_000 };
        assert_eq!(Body::new("ß".repeat(10_001)), Err(error));
    }

    #[test]
    fn a_longer_text_of_somebody_else_is_read() {
        let long = "x".repeat(60_000);
        assert_eq!(Body::read(Some(long.clone())).unwrap().as_str(), long);
    }
}
