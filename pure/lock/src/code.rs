//! Typed text to the bytes that are stretched: one mapping for PIN, passphrase and pattern.
//!
//! Whoever unlocks is not asked which kind a code is: every text is mapped alike. A text in the
//! notation of a pattern is one, everything else is Unicode NFKC in UTF-8, and a PIN is its digits
//! either way. The kind matters where a code is chosen, for what it must be.

use unicode_normalization::UnicodeNormalization;
use warren_crypto::secret::SecretBytes;

use crate::pattern::{Pattern, PatternError};

/// The most bytes of a code, after mapping.
pub const MOST_BYTES: usize = 1024;
/// The fewest and the most digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=64;

/// What a code is meant to be, by whoever chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// Digits alone.
    Pin,
    /// Any text.
    Passphrase,
    /// Cells of a grid, as `3x3:1-2-3-6-9`.
    Pattern,
}

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Nothing protects nothing.
    #[error("the passphrase must not be empty")]
    Empty,
    /// Too long.
    #[error("a code has at most {MOST_BYTES} bytes")]
    TooLong,
    /// Not what a PIN must be.
    #[error("a PIN has {} to {} digits and nothing else", PIN_DIGITS.start(), PIN_DIGITS.end())]
    Pin,
    /// Not what a pattern must be.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

/// The bytes of a code, ready to be stretched. Wiped on drop, never printed.
pub struct Code(SecretBytes);

impl Code {
    /// What a typed text stands for, whichever kind it is.
    ///
    /// # Errors
    /// Where it is empty or too long.
    pub fn of(typed: &str) -> Result<Self, CodeError> {
        let text = normalised(typed)?;
        match Pattern::parse(as_text(&text)) {
            Ok(pattern) => pattern.code().map(Self),
            Err(_) => Ok(Self(text)),
        }
    }

    /// A code that somebody chooses.
    ///
    /// # Errors
    /// Where the text is not what the kind must be.
    pub fn choose(kind: CodeKind, typed: &str) -> Result<Self, CodeError> {
        let text = normalised(typed)?;
        let chosen = as_text(&text);
        match kind {
            CodeKind::Passphrase => {}
            CodeKind::Pin => {
                let digits = chosen.bytes().all(|byte| byte.is_ascii_digit());
                if !digits || !PIN_DIGITS.contains(&chosen.len()) {
                    return Err(CodeError::Pin);
                }
            }
            CodeKind::Pattern => drop(Pattern::parse(chosen)?),
        }
        Self::of(typed)
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

/// NFKC (Unicode Standard Annex 15), in memory that never moves and is wiped.
fn normalised(typed: &str) -> Result<SecretBytes, CodeError> {
    let mut bytes = SecretBytes::with_capacity(MOST_BYTES);
    for character in typed.nfkc() {
        let mut buffer = [0; 4];
        let fits = bytes.push(character.encode_utf8(&mut buffer).as_bytes());
        if !fits {
            return Err(CodeError::TooLong);
        }
    }
    if bytes.expose().is_empty() { Err(CodeError::Empty) } else { Ok(bytes) }
}

fn as_text(bytes: &SecretBytes) -> &str {
    // Made of whole characters.
    std::str::from_utf8(bytes.expose()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Vec<u8> {
        Code::of(text).unwrap().expose().to_vec()
    }

    #[test]
    fn a_pin_typed_in_wide_digits_is_the_same_pin() {
        assert_eq!(of("１２３４"), b"1234");
        assert_eq!(Code::choose(CodeKind::Pin, "１２３４").unwrap().expose(), b"1234");
    }

    #[test]
    fn a_passphrase_is_the_same_however_a_keyboard_composes_it() {
        assert_eq!(of("caf\u{e9}"), of("cafe\u{301}"));
        assert_eq!(of("\u{fb01}sh"), b"fish");
        assert_ne!(of("word"), of("word "));
    }

    #[test]
    fn a_pattern_is_known_by_its_notation_when_unlocking() {
        assert_eq!(of("3x3:1-3-9"), b"pattern 3x3 1-2-3-6-9");
        assert_eq!(of("3x3:1-2-3-6-9"), of("3x3:1-3-9"));
        assert_eq!(of("3x3:1-1"), b"3x3:1-1", "no pattern, so a text");
    }

    #[test]
    fn who_chooses_a_kind_must_keep_to_it() {
        let refused = |kind, text: &str| Code::choose(kind, text).unwrap_err();
        let long = "1".repeat(65);
        for text in ["123", "12a4", "12 34", "", &long] {
            let error = refused(CodeKind::Pin, text);
            assert!(matches!(error, CodeError::Pin | CodeError::Empty), "{text}");
        }
        assert!(matches!(refused(CodeKind::Pattern, "1234"), CodeError::Pattern(_)));
        assert_eq!(refused(CodeKind::Passphrase, ""), CodeError::Empty);
        assert_eq!(refused(CodeKind::Passphrase, &"a".repeat(1025)), CodeError::TooLong);
        assert!(Code::choose(CodeKind::Passphrase, &"a".repeat(1024)).is_ok());
        assert!(Code::choose(CodeKind::Pin, &"1".repeat(64)).is_ok());
    }

    #[test]
    fn a_code_is_not_printed() {
        assert_eq!(format!("{:?}", Code::of("swordfish").unwrap()), "Code(..)");
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_or_an_error_and_mapping_again_changes_nothing(text: String) {
            if let Ok(code) = Code::of(&text) {
                let mapped = String::from_utf8(code.expose().to_vec()).unwrap();
                prop_assert_eq!(of(&mapped), mapped.as_bytes());
            }
        }

        #[test]
        fn a_chosen_code_is_the_one_that_unlocks(text in ".{1,40}|[0-9]{4,9}|[345]x[345]:[1-9-]{7,20}") {
            for kind in [CodeKind::Pin, CodeKind::Passphrase, CodeKind::Pattern] {
                if let Ok(chosen) = Code::choose(kind, &text) {
                    prop_assert_eq!(chosen.expose(), of(&text));
                }
            }
        }
    }
}
