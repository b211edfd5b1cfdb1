//! The tripwire of a home: what lets friends wipe the device, locked or not (`spec/tripwire.md`).
//!
//! | module | what |
//! |---|---|
//! | [`file`] | the file `tripwire`, of every install |
//! | [`inbox`] | what friends send to it, heard whether the device is locked or not |
//! | [`unlocking`] | what is written to it by whoever unlocks, and whether nobody did for too long |

pub mod file;
pub mod inbox;
pub mod unlocking;

use std::io;

pub use file::{TripwireFile, inbox_id};
pub use inbox::{Heard, HeardTest, Inbox};
pub use unlocking::{USE_INTERVAL, correct, is_overdue, note_use};

/// Why a tripwire could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TripwireError {
    /// A rule of the file: it is damaged or newer, or there is no room.
    #[error(transparent)]
    Rule(#[from] warren_lock::tripwire::TripwireError),
    /// The seed gives no account, which no seed does.
    #[error("the inbox of the file tripwire is damaged: delete the file and start again")]
    Inbox,
    /// The disk.
    #[error("the file tripwire cannot be used: {0}")]
    Io(#[from] io::Error),
}
