//! What a file server decides of a request: how long a file lives, which part of it is asked for,
//! and whether the asker has it already.

use std::ops::Range;

use warren_wire::limits::SECOND;
use warren_wire::{FileId, Millis};

/// How long files live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Where the client names none.
    pub default: Millis,
    /// The longest that a client may name.
    pub longest: Millis,
}

/// A lifetime that is no number of seconds, or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("X-FS-TTL must be a whole number of seconds up to the longest that the server allows")]
pub struct BadLifetime;

impl Lifetimes {
    /// Reads the header `X-FS-TTL`: whole seconds, 0 included.
    ///
    /// # Errors
    /// Where it is no such number or longer than allowed.
    pub fn read(&self, header: Option<&str>) -> Result<Millis, BadLifetime> {
        let Some(text) = header else { return Ok(self.default) };
        let seconds: u64 = text.trim().parse().map_err(|_| BadLifetime)?;
        let lifetime = seconds.checked_mul(SECOND).ok_or(BadLifetime)?;
        if lifetime > self.longest { Err(BadLifetime) } else { Ok(lifetime) }
    }
}

/// Which bytes of a file are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// All of them: HTTP 200.
    Whole,
    /// These, none of them outside the file: HTTP 206.
    Part(Range<u64>),
    /// None that the file has: HTTP 416.
    Nothing,
}

impl Asked {
    /// Reads the header `Range` for a file of this size (RFC 9110, section 14).
    ///
    /// What is malformed, of another unit, or several ranges at once is ignored, as the RFC lets a
    /// server do.
    pub fn read(header: Option<&str>, size: u64) -> Self {
        let Some(range) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
            return Self::Whole;
        };
        let Some((first, last)) = range.split_once('-') else { return Self::Whole };
        match (number(first), number(last)) {
            (Some(first), None) if last.is_empty() => Self::part(first, size, size),
            (Some(first), Some(last)) if first <= last => {
                Self::part(first, last.saturating_add(1).min(size), size)
            }
            (None, Some(count)) if first.is_empty() => {
                Self::part(size.saturating_sub(count), size, if count == 0 { 0 } else { size })
            }
            _ => Self::Whole,
        }
    }

    fn part(first: u64, end: u64, size: u64) -> Self {
        if first < size { Self::Part(first..end) } else { Self::Nothing }
    }
}

/// Digits and nothing else; a number beyond 64 bits is the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// The entity tag of a file, which never changes: its name, in quotes.
pub fn entity_tag(id: &FileId) -> String {
    format!("\"{id}\"")
}

/// Whether a header `If-None-Match` names this file, so that the asker has it: HTTP 304.
pub fn is_known(header: &str, id: &FileId) -> bool {
    let tag = entity_tag(id);
    header
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lifetime_is_a_number_of_seconds_up_to_the_longest() {
        let lifetimes = Lifetimes { default: 7 * SECOND, longest: 60 * SECOND };
        assert_eq!(lifetimes.read(None), Ok(7 * SECOND));
        assert_eq!(lifetimes.read(Some("60")), Ok(60 * SECOND));
        assert_eq!(lifetimes.read(Some("0")), Ok(0));
        for text in ["61", "-1", "", "1.5", "1 s", "99999999999999999999", "18446744073709551"] {
            assert_eq!(lifetimes.read(Some(text)), Err(BadLifetime), "{text}");
        }
    }

    #[test]
    fn ranges_are_read_as_the_rfc_has_them() {
        let read = |text: &str| Asked::read(Some(text), 100);
        assert_eq!(Asked::read(None, 100), Asked::Whole);
        assert_eq!(read("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(read("bytes=10-19"), Asked::Part(10..20));
        assert_eq!(read("bytes=10-"), Asked::Part(10..100));
        assert_eq!(read("bytes=10-1000"), Asked::Part(10..100));
        assert_eq!(read("bytes=-10"), Asked::Part(90..100));
        assert_eq!(read("bytes=-1000"), Asked::Part(0..100));
        assert_eq!(read("bytes=99-99999999999999999999"), Asked::Part(99..100));
        for text in ["bytes=100-", "bytes=100-200", "bytes=-0"] {
            assert_eq!(read(text), Asked::Nothing, "{text}");
        }
        for text in ["bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "lines=1-2", "bytes=0-1,5-6"] {
            assert_eq!(read(text), Asked::Whole, "{text}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_name_in_quotes() {
        let id = FileId::of(b"abc").unwrap();
        let tag = entity_tag(&id);
        for known in [&tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
            assert!(is_known(known, &id), "{known}");
        }
        for other in ["", "\"x\"", &id.to_string()] {
            assert!(!is_known(other, &id), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_range_leaves_the_file(text: String, first: u64, last: u64, size: u64) {
            for text in [text, format!("bytes={first}-{last}"), format!("bytes=-{last}")] {
                if let Asked::Part(part) = Asked::read(Some(&text), size) {
                    prop_assert!(part.start < part.end && part.end <= size);
                }
            }
        }
    }
}
