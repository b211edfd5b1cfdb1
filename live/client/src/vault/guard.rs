//! The file `attempts`: each attempt is counted before it is made, and one is made at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use warren_lock::attempts::FILE_BYTES;
use warren_lock::{Attempts, Moment};
use warren_wire::Millis;

use super::home::private_options;
use super::{Home, VaultError};

/// An attempt on its way. No other process makes one meanwhile.
pub(super) struct Attempt {
    file: File,
    attempts: Attempts,
    /// What was kept before this one.
    before: Attempts,
}

impl Attempt {
    /// Waits for other processes' attempts, and counts this one as wrong.
    ///
    /// # Errors
    /// [`VaultError::TooSoon`] where it must wait; then it does not count.
    pub(super) fn begin(home: &Home, now: Moment) -> Result<Self, VaultError> {
        let mut attempt = Self::read(home, now)?;
        let wait = attempt.attempts.wait(now);
        if wait > 0 {
            attempt.write()?;
            return Err(VaultError::TooSoon { wait });
        }
        attempt.attempts.begin(now);
        attempt.write()?;
        Ok(attempt)
    }

    /// The code was right.
    pub(super) fn succeed(mut self) -> io::Result<()> {
        self.attempts.succeed();
        self.write()
    }

    /// The code was right, and destroyed what was here: the home is that of a fresh install.
    pub(super) fn succeed_anew(mut self) -> io::Result<()> {
        self.attempts = Attempts::default();
        self.write()
    }

    /// The code could not be tried, for a reason of this machine's.
    pub(super) fn void(mut self) -> io::Result<()> {
        self.attempts = self.before;
        self.write()
    }

    /// Whether it was the last one before everything is wiped.
    pub(super) fn wipes(&self) -> bool {
        self.attempts.wipes()
    }

    fn read(home: &Home, now: Moment) -> Result<Self, VaultError> {
        let mut file = private_options().read(true).truncate(false).open(home.attempts_file())?;
        file.lock()?;
        let mut bytes = Vec::with_capacity(FILE_BYTES + 1);
        let most = u64::try_from(FILE_BYTES + 1).unwrap_or(u64::MAX);
        Read::by_ref(&mut file).take(most).read_to_end(&mut bytes)?;
        let attempts = Attempts::decode(&bytes).unwrap_or_else(|| Attempts::unknown(now));
        Ok(Self { file, attempts, before: attempts })
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.attempts.encode())?;
        self.file.sync_data()
    }
}

/// The file of a home in which nobody has typed anything.
pub(super) fn make(home: &Home) -> io::Result<()> {
    let mut file = private_options().truncate(true).open(home.attempts_file())?;
    file.write_all(&Attempts::default().encode())?;
    file.sync_all()
}

/// After how many wrong codes all is wiped; 0 for never.
pub(super) fn wipe_after(home: &Home) -> Result<u32, VaultError> {
    Ok(Attempt::read(home, moment())?.attempts.wipe_after)
}

/// Says so.
pub(super) fn set_wipe_after(home: &Home, count: u32) -> Result<(), VaultError> {
    let mut attempt = Attempt::read(home, moment())?;
    attempt.attempts.wipe_after = count;
    Ok(attempt.write()?)
}

/// How long the next attempt must wait.
pub(super) fn wait(home: &Home) -> Result<Millis, VaultError> {
    let now = moment();
    Ok(Attempt::read(home, now)?.attempts.wait(now))
}

/// The point of time within this run of the machine, which no clock that is set moves.
#[cfg(target_os = "linux")]
pub(crate) fn moment() -> Moment {
    use rustix::time::{ClockId, clock_gettime};
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let mut boot = [0; 16];
    // Where the system does not say, all runs are one.
    let _ = hex::decode_to_slice(text.trim().replace('-', ""), &mut boot);
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);
    Moment { boot, since: seconds.saturating_mul(1_000).saturating_add(millis) }
}

/// The point of time by the clock, which is all that other systems tell.
#[cfg(not(target_os = "linux"))]
pub(crate) fn moment() -> Moment {
    Moment { boot: [0; 16], since: crate::messenger::now() }
}
