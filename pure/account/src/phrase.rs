//! Words that are a secret: lower-case, one space between, wiped on drop, never printed.

use std::fmt;

use warren_crypto::Secret;

/// Room for the longest phrase: 25 words of 12 letters and 24 spaces, or 33 of 8 and 32.
const PHRASE_BYTES: usize = 25 * 12 + 24;

/// Some secret words.
pub(crate) struct Phrase {
    text: Secret<PHRASE_BYTES>,
    length: usize,
}

impl Phrase {
    /// The whole text, for showing it to its owner.
    pub(crate) fn expose(&self) -> &str {
        let bytes = self.text.expose().get(..self.length).unwrap_or_default();
        // Only words of an ASCII list and spaces were written.
        str::from_utf8(bytes).unwrap_or_default()
    }

    /// The words in order.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.expose().split(' ')
    }
}

impl fmt::Debug for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phrase(..)")
    }
}

impl<'a> FromIterator<&'a str> for Phrase {
    /// Collects words in a buffer that does not grow, so that no copy is left behind.
    fn from_iter<I: IntoIterator<Item = &'a str>>(words: I) -> Self {
        let mut buffer = [0; PHRASE_BYTES];
        let mut length = 0;
        for word in words {
            let space = if length == 0 { "" } else { " " };
            let free = buffer.iter_mut().skip(length);
            for (to, from) in free.zip(space.bytes().chain(word.bytes())) {
                *to = from;
                length += 1;
            }
        }
        Self { text: Secret::take(&mut buffer), length }
    }
}
