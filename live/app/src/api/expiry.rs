//! How long messages live.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use warren_client::database;

/// How long messages live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Expiry {
    /// From when on.
    pub mode: ExpiryMode,
    /// For how many seconds.
    pub seconds: u32,
}

/// From when on the time of a disappearing message runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExpiryMode {
    /// From its reading; at its author's, from its sending.
    AfterRead,
    /// From its sending.
    AfterSend,
}

impl From<database::Expiry> for Expiry {
    fn from(expiry: database::Expiry) -> Self {
        let mode = match expiry.mode {
            database::ExpiryMode::AfterRead => ExpiryMode::AfterRead,
            database::ExpiryMode::AfterSend => ExpiryMode::AfterSend,
        };
        Self { mode, seconds: expiry.seconds }
    }
}

impl From<Expiry> for database::Expiry {
    fn from(expiry: Expiry) -> Self {
        let mode = match expiry.mode {
            ExpiryMode::AfterRead => database::ExpiryMode::AfterRead,
            ExpiryMode::AfterSend => database::ExpiryMode::AfterSend,
        };
        Self { mode, seconds: expiry.seconds }
    }
}
