//! What is written to the tripwire by whoever unlocks, and whether nobody did for too long.

use std::path::Path;

use warren_lock::tripwire::Sources;
use warren_lock::{Moment, Tripwire};

use super::TripwireError;
use super::file::{TripwireFile, fresh};
use crate::messenger::now;
use crate::vault::Home;

/// What became of an attempt to unlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unlocked {
    /// The code was wrong.
    Not,
    /// The store of before is open.
    AsBefore,
    /// What was before is destroyed: the home is that of a fresh install.
    Anew,
}

/// Writes the file as each attempt to unlock does, whatever became of it: the same bytes, the time of
/// unlocking, or another inbox and nobody's sets.
///
/// # Errors
/// Where the disk fails.
pub(crate) fn note(home: &Path, unlocked: Unlocked, moment: Moment) -> Result<(), TripwireError> {
    let (drawn, clock) = (fresh(moment), now());
    TripwireFile::of(home)?.change(|tripwire| {
        match unlocked {
            Unlocked::Not => {}
            Unlocked::AsBefore => tripwire.note_unlocked(clock, moment),
            Unlocked::Anew => *tripwire = drawn,
        }
        Ok(())
    })
}

/// Whether nobody has unlocked a home for longer than its owner said, as far as the device itself can
/// tell. It is never overdue where there is no tripwire yet.
///
/// # Errors
/// Where the disk fails.
pub(crate) fn is_overdue(home: &Path, moment: Moment) -> Result<bool, TripwireError> {
    Ok(read(home)?.is_some_and(|tripwire| {
        tripwire.dead_man().is_due(Sources { clock: now(), moment, network: None })
    }))
}

fn read(home: &Path) -> Result<Option<Tripwire>, TripwireError> {
    if Home::at(home).tripwire_file().exists() {
        return TripwireFile::of(home)?.read().map(Some);
    }
    Ok(None)
}
