//! What stands between the messages of a conversation without being one: a timer, a call, a change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::ExpiryMode;

/// Something that happened in a conversation and is shown there. Kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// Whoever wrote it has their messages disappear from here on; `mode` is absent where they stay.
    Timer {
        /// From when on the time runs.
        mode: Option<TimerMode>,
        /// How long it runs.
        seconds: u32,
    },
    /// The other side took a screenshot.
    Screenshot,
    /// The other side saved a file.
    FileSaved,
    /// The other side called, with a client that can.
    Call,
    /// The way to a community.
    Community {
        /// Its address.
        url: String,
        /// Its name.
        name: String,
    },
    /// The other side wants to be written to.
    RequestAccepted,
    /// The group has another name.
    GroupName {
        /// The name.
        name: String,
    },
    /// The group has another picture.
    GroupPicture,
    /// People were added to the group.
    MembersAdded {
        /// Their Account IDs.
        members: Vec<String>,
    },
    /// People were removed from the group.
    MembersRemoved {
        /// Their Account IDs.
        members: Vec<String>,
    },
    /// People were made admins of the group.
    MembersPromoted {
        /// Their Account IDs.
        members: Vec<String>,
    },
    /// Whoever wrote it left the group.
    MemberLeft,
    /// The other side handed over a share of their recovery words.
    ShareHanded {
        /// The two words that name its set.
        set: String,
        /// Which of the set, from 1.
        number: u8,
        /// How many of the set bring the words back.
        threshold: u8,
        /// Whether it is kept: those of people the owner accepted are.
        kept: bool,
    },
    /// The other side keeps a share of the owner's recovery words.
    ShareKept {
        /// The two words that name its set.
        set: String,
        /// Which of the set, from 1.
        number: u8,
    },
    /// Whoever wrote it says that an account of theirs was lost, and asks for shares of its recovery
    /// words. Anybody can say so.
    SharesAsked {
        /// The account's id.
        account: String,
    },
    /// The other side gave back a share of recovery words that the owner asked for.
    ShareReturned {
        /// The two words that name its set.
        set: String,
        /// Which of the set, from 1.
        number: u8,
        /// How many of the set bring the words back.
        threshold: u8,
    },
    /// The other side entrusted a share that wipes a device of theirs.
    TripwireOffered {
        /// What they call the device.
        device: String,
        /// How many friends together wipe it.
        threshold: u8,
        /// How many friends have a share.
        count: u8,
        /// Whether it is kept: those of people the owner accepted are, up to a number.
        kept: bool,
    },
    /// The other side keeps a share that wipes a device of the owner's.
    TripwireTaken {
        /// What the owner called the device.
        device: String,
    },
    /// The other side does not keep a share that wipes a device of the owner's.
    TripwireDeclined {
        /// What the owner called the device.
        device: String,
    },
    /// The share that wipes a device of the other side does nothing any more.
    TripwireRevoked {
        /// What they called the device.
        device: String,
    },
    /// A device of the other side heard a test.
    TripwireTested {
        /// What they call the device.
        device: String,
        /// When it heard it, by its own clock.
        at: u64,
    },
}

/// From when on the time of a disappearing message runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimerMode {
    /// From its reading.
    AfterRead,
    /// From its sending.
    AfterSend,
}

impl From<ExpiryMode> for TimerMode {
    fn from(mode: ExpiryMode) -> Self {
        match mode {
            ExpiryMode::AfterRead => Self::AfterRead,
            ExpiryMode::AfterSend => Self::AfterSend,
        }
    }
}

impl Notice {
    /// As it is kept.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what is kept; `None` where a later version wrote it.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}
