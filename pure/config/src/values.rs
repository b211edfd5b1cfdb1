//! Kinds of values that several configurations have: pictures, notifications, timers, times, names.

use std::fmt;

use warren_crypto::Secret;
use warren_wire::Millis;

use crate::base::ConfigError;
use crate::base::tree::{Dict, Scalar, Value};

/// Seconds since the Unix epoch, or of a timer.
pub type Seconds = u64;

/// The most bytes of UTF-8 in a person's or group's name.
pub const MAX_NAME_BYTES: usize = 100;

/// The most bytes in the address of a picture.
pub const MAX_PICTURE_URL_BYTES: usize = 223;

/// A picture on a file server, and the key it is encrypted with.
#[derive(PartialEq, Eq)]
pub struct ProfilePicture {
    /// Where it is; 1 to 223 bytes.
    pub url: String,
    /// What decrypts it.
    pub key: Secret<32>,
}

impl ProfilePicture {
    pub(crate) fn read(dict: &Dict) -> Option<Self> {
        Self::read_keys(dict, b"p", b"q")
    }

    pub(crate) fn read_keys(dict: &Dict, url: &[u8], key: &[u8]) -> Option<Self> {
        let url = text(dict, url);
        let key = Secret::from_slice(bytes(dict, key)?)?;
        (!url.is_empty()).then_some(Self { url, key })
    }

    pub(crate) fn check(picture: Option<&Self>) -> Result<(), ConfigError> {
        let fits = |picture: &Self| (1..=MAX_PICTURE_URL_BYTES).contains(&picture.url.len());
        if picture.is_none_or(fits) { Ok(()) } else { Err(ConfigError::Value) }
    }
}

impl fmt::Debug for ProfilePicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfilePicture(..)")
    }
}

/// When to notify of messages in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notify {
    /// As the app is set.
    #[default]
    Default,
    /// Of all.
    All,
    /// Of none.
    Nothing,
    /// Of those that mention the user; groups only.
    Mentions,
}

impl Notify {
    pub(crate) const fn from_number(number: i64) -> Self {
        match number {
            1 => Self::All,
            2 => Self::Nothing,
            3 => Self::Mentions,
            _ => Self::Default,
        }
    }

    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Default => 0,
            Self::All => 1,
            Self::Nothing => 2,
            Self::Mentions => 3,
        }
    }

    /// In a conversation of two there is no difference between mentions and all.
    pub(crate) const fn of_two(self) -> Self {
        match self {
            Self::Mentions => Self::All,
            other => other,
        }
    }
}

/// When messages of a conversation disappear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiration {
    /// Never.
    #[default]
    Off,
    /// So many seconds after they were sent.
    AfterSend(Seconds),
    /// So many seconds after they were read.
    AfterRead(Seconds),
}

impl Expiration {
    pub(crate) fn read(dict: &Dict) -> Self {
        match (integer(dict, b"e"), seconds(dict, b"E")) {
            (_, 0) => Self::Off,
            (1, timer) => Self::AfterSend(timer),
            (2, timer) => Self::AfterRead(timer),
            _ => Self::Off,
        }
    }

    /// Mode and timer, as they are stored; `None` for neither.
    pub(crate) const fn numbers(self) -> Option<(i64, Seconds)> {
        match self {
            Self::Off | Self::AfterSend(0) | Self::AfterRead(0) => None,
            Self::AfterSend(timer) => Some((1, timer)),
            Self::AfterRead(timer) => Some((2, timer)),
        }
    }
}

/// The seconds of a time.
pub(crate) const fn to_seconds(time: Millis) -> Seconds {
    time / 1000
}

/// Seconds of what some client stored as milliseconds or microseconds.
pub(crate) const fn tame_seconds(time: Seconds) -> Seconds {
    match time {
        0..=9_000_000_000 => time,
        9_000_000_001..=9_000_000_000_000 => time / 1_000,
        _ => time / 1_000_000,
    }
}

/// As much of a text as fits into so many bytes of UTF-8.
pub fn truncated(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

/// Refuses a text of more than so many bytes.
pub(crate) const fn check_length(text: &str, bytes: usize) -> Result<(), ConfigError> {
    if text.len() <= bytes { Ok(()) } else { Err(ConfigError::Value) }
}

// ---- Fields of an entry -------------------------------------------------------------------------

/// A number; 0 where there is none.
pub(crate) fn integer(dict: &Dict, key: &[u8]) -> i64 {
    dict.get(key).and_then(Value::as_integer).unwrap_or(0)
}

/// A number that cannot be negative; 0 where it is or there is none.
pub(crate) fn seconds(dict: &Dict, key: &[u8]) -> Seconds {
    Seconds::try_from(integer(dict, key)).unwrap_or(0)
}

/// A number within 32 bits.
pub(crate) fn small(dict: &Dict, key: &[u8]) -> i32 {
    let number = integer(dict, key);
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

/// Whether a number is there and not 0.
pub(crate) fn flag(dict: &Dict, key: &[u8]) -> bool {
    integer(dict, key) != 0
}

/// A byte string.
pub(crate) fn bytes<'a>(dict: &'a Dict, key: &[u8]) -> Option<&'a [u8]> {
    dict.get(key).and_then(Value::as_bytes)
}

/// A text; empty where there is none. What is no UTF-8 in it is replaced.
pub(crate) fn text(dict: &Dict, key: &[u8]) -> String {
    String::from_utf8_lossy(bytes(dict, key).unwrap_or_default()).into_owned()
}

/// Bits stored as the set of their positions.
pub(crate) fn bits(dict: &Dict, key: &[u8]) -> u64 {
    let set = dict.get(key).and_then(Value::as_set).into_iter().flatten();
    set.fold(0, |bits, member| match member {
        Scalar::Integer(at @ 0..64) => bits | 1 << at,
        _ => bits,
    })
}
