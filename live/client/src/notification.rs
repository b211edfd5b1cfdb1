//! How soon the owner wants to hear of new messages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How soon the owner wants to hear of new messages. What is sent leaves at once in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationMode {
    /// A node holds the request open and answers as soon as a message arrives.
    #[default]
    Instant,
    /// About every quarter of an hour, at no regular time.
    Slow,
    /// Only when asked.
    Manual,
}

impl NotificationMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Instant, Self::Slow, Self::Manual];

    /// Its name, as [`FromStr`] reads it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Slow => "slow",
            Self::Manual => "manual",
        }
    }
}

/// A name that is no mode's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such notification mode: choose instant, slow or manual")]
pub struct UnknownMode;

impl FromStr for NotificationMode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or(UnknownMode)
    }
}

impl fmt::Display for NotificationMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
