//! What is written to the tripwire by whoever unlocks, and whether nobody did for too long.

use std::path::Path;

use warren_lock::Moment;
use warren_lock::tripwire::{DeadMan, Sources};
use warren_wire::Millis;

use super::TripwireError;
use super::file::{TripwireFile, fresh};
use super::inbox::store;
use crate::error::ClientError;
use crate::messenger::now;
use crate::vault::{Home, moment};

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

/// Makes a home's tripwire that of a fresh install, its inbox's database with it where there is one:
/// whoever compares the two finds that one opens the other. One that was told no network and no term is
/// that of a fresh install already.
///
/// # Errors
/// Where the disk fails.
pub(crate) fn make_anew(home: &Home) -> Result<(), ClientError> {
    let file = TripwireFile::of(home.root())?;
    let tripwire = file.read()?;
    if tripwire.network().is_some() || tripwire.dead_man().hours != 0 {
        note(home.root(), Unlocked::Anew, moment())?;
    }
    if home.inbox_file().exists() {
        store(home, &file.read()?)?;
    }
    Ok(())
}

/// So often it is noted that a home that stays unlocked is used.
pub const USE_INTERVAL: Millis = 10 * 60 * 1_000;

/// Notes that a home is used that was unlocked before, where it has a dead man's term: whoever uses it
/// each day may never have to unlock it. Nothing is written within [`USE_INTERVAL`] of the last time.
///
/// # Errors
/// Where the disk fails.
pub fn note_use(home: &Path) -> Result<(), TripwireError> {
    note_use_at(home, now(), moment())
}

pub(crate) fn note_use_at(home: &Path, clock: Millis, moment: Moment) -> Result<(), TripwireError> {
    if !Home::at(home).tripwire_file().exists() {
        return Ok(());
    }
    let file = TripwireFile::of(home)?;
    let known = file.read()?.dead_man();
    if known.hours == 0 || clock < known.unlocked.saturating_add(USE_INTERVAL) {
        return Ok(());
    }
    file.change(|tripwire| {
        tripwire.note_unlocked(clock, moment);
        Ok(())
    })
}

/// Makes up for a clock that was behind when somebody unlocked, once the network says what time it is.
///
/// # Errors
/// Where the disk fails.
pub fn correct(home: &Path, network: Millis) -> Result<(), TripwireError> {
    if !Home::at(home).tripwire_file().exists() {
        return Ok(());
    }
    let file = TripwireFile::of(home)?;
    let corrected = |known: DeadMan| known.corrected(moment(), network);
    let known = file.read()?.dead_man();
    if known.hours == 0 || corrected(known).is_none() {
        return Ok(());
    }
    file.change(|tripwire| {
        if let Some(DeadMan { unlocked, moment, .. }) = corrected(tripwire.dead_man()) {
            tripwire.note_unlocked(unlocked, moment);
        }
        Ok(())
    })
}

/// Whether nobody has unlocked a home for longer than its owner said, by this device's clocks and what
/// the network said, where it was reached. Never where there is no tripwire yet.
///
/// # Errors
/// Where the disk fails.
pub fn is_overdue(home: &Path, network: Option<Millis>) -> Result<bool, TripwireError> {
    is_overdue_at(home, Sources { clock: now(), moment: moment(), network })
}

pub(crate) fn is_overdue_at(home: &Path, sources: Sources) -> Result<bool, TripwireError> {
    if !Home::at(home).tripwire_file().exists() {
        return Ok(false);
    }
    Ok(TripwireFile::of(home)?.read()?.dead_man().is_due(sources))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 60 * 60 * 1_000;

    #[test]
    fn a_home_that_is_used_each_day_is_not_overdue_though_nobody_unlocks_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path();
        let begun = now();
        let run = |since| Moment { boot: [1; 16], since };
        let due = |hours: Millis| {
            let (clock, moment) = (begun + hours * HOUR, run(hours * HOUR));
            is_overdue_at(home, Sources { clock, moment, network: Some(clock) }).unwrap()
        };
        let read = || std::fs::read(home.join("tripwire")).unwrap();
        note(home, Unlocked::AsBefore, run(0)).unwrap();
        let without_term = read();
        note_use_at(home, begun + 10 * HOUR, run(10 * HOUR)).unwrap();
        assert_eq!(read(), without_term, "no term, nothing to note");

        TripwireFile::of(home).unwrap().change(|tripwire| tripwire.set_term(24)).unwrap();
        assert!(due(25));
        note_use_at(home, begun + 20 * HOUR, run(20 * HOUR)).unwrap();
        assert!(!due(25) && due(45));
        let noted = read();
        note_use_at(home, begun + 20 * HOUR + USE_INTERVAL - 1, run(21 * HOUR)).unwrap();
        assert_eq!(read(), noted, "not at every request");
    }
}
