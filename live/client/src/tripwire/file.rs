//! The file `tripwire` of a home: made where there is none, written over itself, never replaced.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use warren_account::Account;
use warren_crypto::{Entropy, SystemEntropy};
use warren_lock::tripwire::Sources;
use warren_lock::tripwire::TripwireError as Rule;
use warren_lock::tripwire::file::{COPY_BYTES, FILE_BYTES};
use warren_lock::{Moment, Tripwire};
use warren_wire::AccountId;

use super::TripwireError;
use crate::messenger::now;
use crate::vault::{Home, moment};

/// The open file of one home. Every install has it, with or without friends, so that it says nothing.
pub struct TripwireFile(File);

impl TripwireFile {
    /// Opens a home's, and makes it where there is none. One of which neither copy is whole is made
    /// anew: whatever it held is lost, and an install without one is worse.
    ///
    /// # Errors
    /// Where a newer version wrote it, or the disk fails.
    pub fn of(home: &Path) -> Result<Self, TripwireError> {
        let home = Home::at(home);
        let path = home.tripwire_file();
        let open = || OpenOptions::new().read(true).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                home.make_root()?;
                match home.write_new(&path, &fresh(moment()).encode()) {
                    // Another process was faster.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error.into());
                    }
                    _ => open()?,
                }
            }
            opened => opened?,
        };
        let file = Self(file);
        match file.read() {
            Err(TripwireError::Rule(Rule::Damaged)) => file.mend()?,
            read => read.map(drop)?,
        }
        Ok(file)
    }

    /// What it says.
    ///
    /// # Errors
    /// Where it is damaged or newer, or the disk fails.
    pub fn read(&self) -> Result<Tripwire, TripwireError> {
        self.0.lock_shared()?;
        let read = self.decode();
        self.0.unlock()?;
        read
    }

    /// Changes it while no other process does, and writes it whatever was changed: one copy after the
    /// other, in place, so that one of them is whole whenever this is cut off. On the disk when this
    /// returns. Nothing is written where `change` fails. `change` opens no [`TripwireFile`].
    ///
    /// # Errors
    /// Those of `change`, and as [`TripwireFile::read`].
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Tripwire) -> Result<T, Rule>,
    ) -> Result<T, TripwireError> {
        self.alone(|| {
            let mut tripwire = self.decode()?;
            let done = change(&mut tripwire)?;
            self.write(&tripwire)?;
            Ok(done)
        })
    }

    /// Fills it with random bytes, in place and on the disk when this returns, so that its blocks hold
    /// nothing when the file is deleted. No error where there is none.
    ///
    /// # Errors
    /// Where the disk fails.
    pub(crate) fn overwrite(home: &Home) -> io::Result<()> {
        let file = match OpenOptions::new().write(true).open(home.tripwire_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut bytes = vec![0; FILE_BYTES];
        SystemEntropy.fill(&mut bytes);
        (&file).write_all(&bytes)?;
        file.sync_data()
    }

    /// Writes one with another inbox where neither copy is whole, unless another process was faster.
    fn mend(&self) -> Result<(), TripwireError> {
        self.alone(|| match self.decode() {
            Err(TripwireError::Rule(Rule::Damaged)) => self.write(&fresh(moment())),
            read => read.map(drop),
        })
    }

    fn alone<T>(
        &self,
        work: impl FnOnce() -> Result<T, TripwireError>,
    ) -> Result<T, TripwireError> {
        self.0.lock()?;
        let done = work();
        self.0.unlock()?;
        done
    }

    fn decode(&self) -> Result<Tripwire, TripwireError> {
        let mut bytes = Vec::with_capacity(FILE_BYTES + 1);
        (&self.0).seek(SeekFrom::Start(0))?;
        let most = u64::try_from(FILE_BYTES + 1).unwrap_or(u64::MAX);
        (&self.0).take(most).read_to_end(&mut bytes)?;
        Ok(Tripwire::decode(&bytes)?)
    }

    fn write(&self, tripwire: &Tripwire) -> Result<(), TripwireError> {
        let bytes = tripwire.encode();
        let (first, second) = bytes.split_at_checked(COPY_BYTES).unwrap_or_default();
        for (at, copy) in [(COPY_BYTES, second), (0, first)] {
            (&self.0).seek(SeekFrom::Start(u64::try_from(at).unwrap_or(0)))?;
            (&self.0).write_all(copy)?;
            self.0.sync_data()?;
        }
        // A file that was longer is damaged to whoever reads it.
        Ok(self.0.set_len(u64::try_from(FILE_BYTES).unwrap_or(0))?)
    }
}

/// The account that the seed of a tripwire's inbox gives: nobody but trusted friends hears of it.
///
/// # Errors
/// Never; the account's derivation is passed on.
pub fn inbox_id(tripwire: &Tripwire) -> Result<AccountId, TripwireError> {
    Ok(inbox_account(tripwire)?.id())
}

/// The account itself, whose secrets lie in the file in the open.
pub(crate) fn inbox_account(tripwire: &Tripwire) -> Result<Account, TripwireError> {
    Account::from_seed32(tripwire.inbox()).map_err(|_| TripwireError::Inbox)
}

/// One of an install that was made just then.
pub(crate) fn fresh(moment: Moment) -> Tripwire {
    Tripwire::fresh(now(), moment, &mut SystemEntropy)
}

/// What the device's own clocks say: the wall's, and the one that counts from the machine's start.
pub fn clocks() -> Sources {
    Sources { clock: now(), moment: moment(), network: None }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use warren_lock::tripwire::{Order, Verifier, order::Action};

    use super::*;

    fn home() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn inbox(home: &Path) -> AccountId {
        inbox_id(&TripwireFile::of(home).unwrap().read().unwrap()).unwrap()
    }

    #[test]
    fn every_home_gets_one_of_its_own_and_keeps_it() {
        let (one, other) = (home(), home());
        let made = inbox(one.path());
        assert_eq!(fs::metadata(one.path().join("tripwire")).unwrap().len(), 16_384);
        assert_eq!(inbox(one.path()), made);
        assert!(inbox(other.path()) != made);
        assert_eq!(fs::read_dir(one.path()).unwrap().count(), 1, "and nothing beside it");
    }

    #[test]
    fn it_is_made_where_there_is_no_home_yet() {
        let folder = home();
        let home = folder.path().join("of").join("nobody");
        inbox(&home);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&home), mode(&home.join("tripwire"))), (0o700, 0o600));
        }
    }

    #[test]
    fn a_change_is_in_both_copies_and_one_that_fails_in_none() {
        let home = home();
        let file = TripwireFile::of(home.path()).unwrap();
        file.change(|tripwire| tripwire.set_term(48)).unwrap();
        let bytes = fs::read(home.path().join("tripwire")).unwrap();
        assert!(bytes[..COPY_BYTES] == bytes[COPY_BYTES..]);
        assert_eq!(Tripwire::decode(&bytes).unwrap().dead_man().hours, 48);
        let failed = file.change(|tripwire| {
            tripwire.set_term(72)?;
            tripwire.set_term(u32::MAX)
        });
        assert!(matches!(failed.unwrap_err(), TripwireError::Rule(Rule::Term)));
        assert!(fs::read(home.path().join("tripwire")).unwrap() == bytes);
    }

    #[test]
    fn one_copy_is_enough_and_a_file_without_any_is_made_anew() {
        let home = home();
        let (path, made) = (home.path().join("tripwire"), inbox(home.path()));
        for damaged in [0, COPY_BYTES] {
            let mut bytes = fs::read(&path).unwrap();
            bytes[damaged + 100] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert_eq!(inbox(home.path()), made);
            TripwireFile::of(home.path()).unwrap().change(|_| Ok(())).unwrap();
        }
        let most = fs::read(&path).unwrap().split_off(1);
        for bad in [Vec::new(), vec![0; 5], vec![7; 20_000], most] {
            fs::write(&path, bad).unwrap();
            assert!(inbox(home.path()) != made);
            assert_eq!(fs::metadata(&path).unwrap().len(), 16_384);
        }
    }

    #[test]
    fn changes_of_several_at_once_are_all_kept() {
        let home = home();
        TripwireFile::of(home.path()).unwrap();
        let draw = || Verifier::draw(1, 1, &mut SystemEntropy).unwrap();
        let sets: Vec<_> = (0..8).map(|_| draw()).collect();
        std::thread::scope(|scope| {
            for (place, (verifier, _)) in sets.iter().enumerate() {
                let root = home.path();
                scope.spawn(move || {
                    let file = TripwireFile::of(root).unwrap();
                    file.change(|tripwire| tripwire.arm(place, verifier, &mut SystemEntropy))
                });
            }
        });
        let mut tripwire = TripwireFile::of(home.path()).unwrap().read().unwrap();
        for (place, (_, shares)) in sets.iter().enumerate() {
            let heard = tripwire.hear(&Order::of(&shares[0], Action::Test));
            assert_eq!(heard, warren_lock::tripwire::Heard::Test { place, number: 1 });
        }
    }

    #[test]
    fn nothing_of_it_is_left_where_it_was_overwritten() {
        let home = home();
        TripwireFile::of(home.path()).unwrap();
        let before = fs::read(home.path().join("tripwire")).unwrap();
        TripwireFile::overwrite(&Home::at(home.path())).unwrap();
        let after = fs::read(home.path().join("tripwire")).unwrap();
        assert_eq!(after.len(), before.len());
        let kept =
            (0..before.len()).step_by(16).filter(|at| before[*at..at + 16] == after[*at..at + 16]);
        assert_eq!(kept.count(), 0);
        TripwireFile::overwrite(&Home::at(&home.path().join("none"))).unwrap();
    }
}
