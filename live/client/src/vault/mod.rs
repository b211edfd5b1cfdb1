//! The home directory and the codes that open it, as `spec/keys.md` says.
//!
//! ```text
//! code --Argon2id--> slot key --opens--> master key --BLAKE2b, label--> name and key of the index
//!                     (slots)                                           |
//!                                              in the index: seed, file name and key of every account
//!                                                                       |
//!                                                            data/<random>.db, data/<random>.files
//! ```
//!
//! Without its slot nothing below it can be decrypted. The home directory holds no name, account id or
//! file name from which one could be guessed.
//!
//! | module | what |
//! |---|---|
//! | `home` | paths and permissions |
//! | `slots_file` | the slots, written over themselves |
//! | `settle` | a code tried at the slots, and what is written whichever it is |
//! | `guard` | wrong codes are counted, and wait |
//! | [`change`] | other codes, another cost |
//! | [`calibrate`] | what a guess should cost here |
//! | [`tpm`] | a secret that this machine alone has |
//! | [`wipe`] | destroying |

pub mod calibrate;
pub mod change;
mod guard;
mod home;
mod settle;
mod slots_file;
pub mod tpm;
pub mod wipe;

use std::fmt;
use std::io;
use std::path::Path;

pub(crate) use guard::moment;
pub(crate) use home::sync_directory;
pub use home::{FileName, Home};
use warren_crypto::hash::blake2b_keyed;
pub use warren_crypto::password::Cost;
use warren_crypto::{CryptoError, Entropy, Secret};
use warren_lock::orders::{MOST_DEVICES, MOST_MAILBOXES};
use warren_lock::slots::VERSION;
use warren_lock::tripwire::Sources;
pub use warren_lock::{Code, CodeError, CodeKind, DuressOrders};
use warren_lock::{Moment, Payload, Slots, SlotsError};
use warren_wire::Millis;

use guard::Attempt;
use settle::{Found, Key, settle};
use slots_file::SlotsFile;

use crate::tripwire::TripwireError;
use crate::tripwire::file::clocks;
use crate::tripwire::unlocking::{self, Unlocked};

/// Why a vault could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no vault in the home directory.
    #[error("there is no account on this device yet: create or restore one first")]
    Missing,
    /// There is a vault already, and it is not overwritten.
    #[error("this home directory is in use already: unlock it or choose another")]
    Exists,
    /// The code does not open the vault. Says nothing more on purpose.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// An empty code protects nothing.
    #[error("the passphrase must not be empty")]
    EmptyPassphrase,
    /// The code cannot be one, or not of the kind that was said.
    #[error(transparent)]
    Code(CodeError),
    /// The code is in use for something else.
    #[error("this code is in use already: choose another")]
    CodeInUse,
    /// Too many wrong codes, too fast.
    #[error("too many wrong codes: try again in {}", in_words(*.wait))]
    TooSoon {
        /// How long to wait.
        wait: Millis,
    },
    /// More is to be done in the network than a duress code has room for.
    #[error(
        "a duress code tells at most {MOST_DEVICES} devices and empties at most {MOST_MAILBOXES} \
         mailboxes"
    )]
    TooManyOrders,
    /// Another process changed the slots at the same time.
    #[error("the lock was changed by another process: try again")]
    Changed,
    /// What is open here is not opened by a code of its own.
    #[error("this store has no code of its own")]
    NoCode,
    /// The slots are not what was written.
    #[error(
        "the file slots is damaged: restore your accounts from their recovery words in another \
         home directory"
    )]
    Damaged,
    /// The slots come from a newer Warren.
    #[error("the file slots has version {found}, this program knows {known}: update Warren")]
    NewerVersion {
        /// The version in the file.
        found: u8,
        /// The newest version known here.
        known: u8,
    },
    /// A home from before there were slots.
    #[error(
        "this home was made by an early version of Warren: move it away and bring your accounts \
         back with `warren account restore` and their recovery words"
    )]
    OldHome,
    /// Argon2id refused the cost, or there is too little memory for it.
    #[error("the passphrase could not be checked: its cost is out of range or memory is short")]
    Cost,
    /// The codes are bound to this machine's TPM, which does not do its part.
    #[error(transparent)]
    Tpm(#[from] tpm::TpmError),
    /// The file `tripwire`.
    #[error(transparent)]
    Tripwire(#[from] TripwireError),
    /// The home directory cannot be read or written.
    #[error("the home directory cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// What the keys below the master key are for. Every label stands here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subkey {
    /// Encrypts the index.
    Index,
    /// Is the name of the index.
    IndexName,
    /// Encrypts the profiles of browsers.
    BrowserProfiles,
}

impl Subkey {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Index => b"warren index database v1",
            Self::IndexName => b"warren index name v1",
            Self::BrowserProfiles => b"warren browser profiles v1",
        }
    }
}

/// An unlocked store of a home directory: where things lie, and the key they are under.
pub struct Vault {
    home: Home,
    master: Secret<32>,
    /// Which slot opened it; none for a store that was reached through another.
    slot: Option<usize>,
    /// What the code that opened it wants done in the network.
    orders: DuressOrders,
}

impl Vault {
    /// Whether the home directory holds a vault. Goes on with a wipe that was cut off.
    pub fn exists(home: &Path) -> bool {
        let home = Home::at(home);
        // Where it cannot go on, unlocking says why.
        let _ = wipe::go_on(&home);
        home.slots_file().exists() || home.old_key_file().exists()
    }

    /// As [`Vault::exists`], and touches nothing: a wipe that was cut off is a vault still.
    pub fn is_made(home: &Path) -> bool {
        Home::at(home).slots_file().exists()
    }

    /// Makes the home directory and a fresh master key under a code.
    ///
    /// The slots appear whole or not at all, and never over existing ones.
    ///
    /// # Errors
    /// Where the code is empty, a vault exists, the cost is out of range or the disk fails.
    pub fn create(
        root: &Path,
        code: &str,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        if Self::exists(root) {
            return Err(VaultError::Exists);
        }
        let home = Home::at(root);
        let code = Code::of(code)?;
        let mut slots = Slots::fresh(cost, entropy);
        let payload = Payload::ordinary(Secret::random(entropy));
        let at = Slots::any_slot(None, entropy);
        let stretched = slots.stretch(&code).map_err(|_| VaultError::Cost)?;
        slots.seal(at, &stretched, None, &payload, entropy)?;
        home.make()?;
        guard::make(&home)?;
        unlocking::note(root, Unlocked::AsBefore, moment())?;
        match home.write_new(&home.slots_file(), &slots.encode()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(VaultError::Exists),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(Self::of(home, payload.master, Some(at))),
        }
    }

    fn of(home: Home, master: Secret<32>, slot: Option<usize>) -> Self {
        Self { home, master: master.kept_from_swap(), slot, orders: DuressOrders::default() }
    }

    /// Opens the vault with whichever code it has.
    ///
    /// A duress code destroys the slots before this returns; the vault is then the store that it
    /// opens, and nothing tells it from any other. Wrong codes are counted, and wipe everything where
    /// that was asked for.
    ///
    /// # Errors
    /// Where there is none, it is damaged or newer, the code is wrong, or it came too soon after
    /// wrong ones.
    pub fn unlock(root: &Path, code: &str) -> Result<Self, VaultError> {
        Self::unlock_at(root, code, moment())
    }

    fn unlock_at(root: &Path, code: &str, now: Moment) -> Result<Self, VaultError> {
        let home = Home::at(root);
        wipe::go_on(&home)?;
        if unlocking::is_overdue_at(root, Sources { moment: now, ..clocks() })? {
            wipe::wipe(root)?;
        }
        let file = SlotsFile::open(&home)?;
        let code = Code::of(code)?;
        // So that a damaged file is told, and no attempt counted.
        file.read()?;
        let attempt = Attempt::begin(&home, now)?;
        let slots = file.read()?;
        let (attempt, key) = Key::tried(&home, &slots, &code, attempt)?;
        let opened = file.alone(|| settle(&home, &file, &slots, (&key, now)))?;
        match opened {
            Some(Found { at, payload, orders, is_anew }) => {
                if is_anew { attempt.succeed_anew() } else { attempt.succeed() }?;
                Ok(Self { orders, ..Self::of(home, payload.master, Some(at)) })
            }
            None => {
                if attempt.wipes() {
                    wipe::wipe(home.root())?;
                }
                Err(VaultError::WrongPassphrase)
            }
        }
    }

    /// How long the next attempt to unlock must wait; 0 for not at all.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn wait(root: &Path) -> Result<Millis, VaultError> {
        guard::wait(&Home::at(root))
    }

    /// Whether the codes of a home work with this machine's TPM alone.
    ///
    /// # Errors
    /// Where there is no vault or it is damaged.
    pub fn is_bound(root: &Path) -> Result<bool, VaultError> {
        Ok(SlotsFile::open(&Home::at(root))?.read()?.device().is_some())
    }

    /// What a guess at the codes of a home costs.
    ///
    /// # Errors
    /// Where there is no vault or it is damaged.
    pub fn cost(root: &Path) -> Result<Cost, VaultError> {
        Ok(SlotsFile::open(&Home::at(root))?.read()?.cost())
    }

    /// The other store of the same home, by its master key. It has no code of its own.
    pub(crate) fn other(&self, master: Secret<32>) -> Self {
        Self::of(self.home.clone(), master, None)
    }

    /// Whether what was opened is still there: the slots are not destroyed, and neither is the index. A
    /// look at the disk, cheap enough for each second.
    pub fn is_there(&self) -> bool {
        let is_slots = SlotsFile::is_there(&self.home);
        let index = self.index_name().map(|name| self.home.database_file(&name));
        is_slots && index.is_ok_and(|index| index.exists())
    }

    /// What the code that opened the vault wants done in the network, which is there once: nothing
    /// but for a duress code. Where nobody takes it, it is lost.
    pub fn take_orders(&mut self) -> DuressOrders {
        std::mem::take(&mut self.orders)
    }

    /// The same vault, for another thread.
    pub fn again(&self) -> Self {
        Self::of(self.home.clone(), self.master.duplicate(), self.slot)
    }

    /// Whether a code of its own opens it, so that it is the store of its home.
    pub(crate) const fn is_homes_own(&self) -> bool {
        self.slot.is_some()
    }

    /// Where things lie.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// The name of the index in `data/`.
    ///
    /// # Errors
    /// As [`Vault::subkey`].
    pub(crate) fn index_name(&self) -> Result<FileName, CryptoError> {
        let key = self.subkey(Subkey::IndexName)?;
        key.expose().first_chunk().map(|start| FileName::of(*start)).ok_or(CryptoError)
    }

    /// `BLAKE2b-32(key = master, label)`, RFC 7693.
    ///
    /// # Errors
    /// Never; the hash library's result is passed on.
    pub fn subkey(&self, subkey: Subkey) -> Result<Secret<32>, CryptoError> {
        let mut key = blake2b_keyed(self.master.expose(), &[subkey.label()])?;
        Ok(Secret::take(&mut key))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

/// A wait for a person: whole seconds, or minutes where it is long.
fn in_words(wait: Millis) -> String {
    let seconds = wait.div_ceil(1_000);
    if seconds < 120 {
        format!("{seconds} seconds")
    } else {
        format!("{} minutes", seconds.div_ceil(60))
    }
}

impl From<CodeError> for VaultError {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::Empty => Self::EmptyPassphrase,
            error => Self::Code(error),
        }
    }
}

impl From<SlotsError> for VaultError {
    fn from(error: SlotsError) -> Self {
        match error {
            SlotsError::Damaged => Self::Damaged,
            SlotsError::Newer { found } => Self::NewerVersion { found, known: VERSION },
            SlotsError::Older => Self::OldHome,
            SlotsError::Wiped => Self::Missing,
        }
    }
}

impl From<CryptoError> for VaultError {
    /// What the slots hold is checked before it is used, so this is a file that was tampered with.
    fn from(_: CryptoError) -> Self {
        Self::Damaged
    }
}

#[cfg(test)]
mod tests;
