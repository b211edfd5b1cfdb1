//! The home directory and the one passphrase that opens it.
//!
//! ```text
//! passphrase --Argon2id--> slot key --opens--> master key --BLAKE2b, label--> subkey "index"
//!                          (vault.key)                                            |
//!                                                        index.db: seed and database key
//!                                                        of every account         |
//!                                                                    accounts/<random>.db
//! ```
//!
//! Without the slot nothing below it can be decrypted. The home directory holds no name, account
//! id or file name from which one could be guessed.

mod home;
mod slot;

use std::fmt;
use std::io;
use std::path::Path;

pub(crate) use home::sync_directory;
pub use home::{FileName, Home};
use warren_crypto::hash::blake2b_keyed;
pub use warren_crypto::password::Cost;
use warren_crypto::{CryptoError, Entropy, Secret};

use slot::{Slot, SlotError};

/// Why a vault could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// There is no vault in the home directory.
    #[error("there is no account on this device yet: create or restore one first")]
    Missing,
    /// There is a vault already, and it is not overwritten.
    #[error("this home directory is in use already: unlock it or choose another")]
    Exists,
    /// The passphrase does not open the vault. Says nothing more on purpose.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// An empty passphrase protects nothing.
    #[error("the passphrase must not be empty")]
    EmptyPassphrase,
    /// `vault.key` is not what was written.
    #[error(
        "the file vault.key is damaged: put it back from a copy, or restore your accounts from \
         their recovery words in another home directory"
    )]
    Damaged,
    /// `vault.key` comes from a newer Warren.
    #[error("the file vault.key has version {found}, this program knows {known}: update Warren")]
    NewerVersion {
        /// The version in the file.
        found: u8,
        /// The newest version known here.
        known: u8,
    },
    /// Argon2id refused the cost, or there is too little memory for it.
    #[error("the passphrase could not be checked: its cost is out of range or memory is short")]
    Cost,
    /// The home directory cannot be read or written.
    #[error("the home directory cannot be used: {0}")]
    Io(#[from] io::Error),
}

/// What the keys below the master key are for. Every label stands here and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subkey {
    /// Encrypts `index.db`.
    Index,
}

impl Subkey {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Index => b"warren index database v1",
        }
    }
}

/// An unlocked home directory: where things lie, and the key they are under.
pub struct Vault {
    home: Home,
    master: Secret<32>,
}

impl Vault {
    /// Whether the home directory holds a vault.
    pub fn exists(home: &Path) -> bool {
        Home::at(home).key_file().exists()
    }

    /// Makes the home directory and a fresh master key under `passphrase`.
    ///
    /// The file appears whole or not at all, and never over an existing one.
    ///
    /// # Errors
    /// Where the passphrase is empty, a vault exists, the cost is out of range or the disk fails.
    pub fn create(
        home: &Path,
        passphrase: &str,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        let home = Home::at(home);
        if home.key_file().exists() {
            return Err(VaultError::Exists);
        }
        let master = Secret::random(entropy);
        let slot = seal(&master, passphrase, cost, entropy)?;
        home.make()?;
        match home.write_new(&home.key_file(), &slot.encode()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(VaultError::Exists),
            Err(error) => Err(error.into()),
            Ok(()) => Ok(Self { home, master }),
        }
    }

    /// Opens the vault.
    ///
    /// # Errors
    /// Where there is none, it is damaged or newer, or the passphrase is wrong.
    pub fn unlock(home: &Path, passphrase: &str) -> Result<Self, VaultError> {
        let home = Home::at(home);
        let bytes = match std::fs::read(home.key_file()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::Missing);
            }
            read => read?,
        };
        let slot = Slot::decode(&bytes)?;
        if passphrase.is_empty() {
            return Err(VaultError::EmptyPassphrase);
        }
        let master = slot.open(passphrase)?;
        Ok(Self { home, master })
    }

    /// Puts the same master key under another passphrase and cost.
    ///
    /// After a crash either the old or the new passphrase opens the vault, never neither.
    ///
    /// # Errors
    /// Where the passphrase is empty, the cost is out of range or the disk fails.
    pub fn change_passphrase(
        &self,
        passphrase: &str,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<(), VaultError> {
        let slot = seal(&self.master, passphrase, cost, entropy)?;
        Ok(self.home.replace(&self.home.key_file(), &slot.encode())?)
    }

    /// Where things lie.
    pub fn home(&self) -> &Home {
        &self.home
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

fn seal(
    master: &Secret<32>,
    passphrase: &str,
    cost: Cost,
    entropy: &mut dyn Entropy,
) -> Result<Slot, VaultError> {
    if passphrase.is_empty() {
        return Err(VaultError::EmptyPassphrase);
    }
    Ok(Slot::seal(master, passphrase, cost, entropy)?)
}

impl From<SlotError> for VaultError {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Damaged => Self::Damaged,
            SlotError::Newer { found } => Self::NewerVersion { found, known: slot::VERSION },
            SlotError::Cost => Self::Cost,
            SlotError::WrongPassphrase => Self::WrongPassphrase,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use warren_crypto::SystemEntropy;

    use super::*;

    fn create(home: &Path, passphrase: &str) -> Vault {
        Vault::create(home, passphrase, Cost::LEAST, &mut SystemEntropy).unwrap()
    }

    #[test]
    fn the_passphrase_opens_the_same_keys_and_another_opens_none() {
        let home = tempfile::tempdir().unwrap();
        assert!(!Vault::exists(home.path()));
        let made = create(home.path(), "right");
        assert!(Vault::exists(home.path()));
        let unlocked = Vault::unlock(home.path(), "right").unwrap();
        assert_eq!(made.subkey(Subkey::Index).unwrap(), unlocked.subkey(Subkey::Index).unwrap());
        let error = Vault::unlock(home.path(), "wrong").unwrap_err();
        assert!(matches!(error, VaultError::WrongPassphrase));
        assert_eq!(error.to_string(), "the passphrase is wrong");
    }

    #[test]
    fn a_missing_vault_says_to_create_an_account_first() {
        let home = tempfile::tempdir().unwrap();
        let error = Vault::unlock(&home.path().join("none"), "x").unwrap_err();
        assert!(matches!(error, VaultError::Missing));
        assert!(error.to_string().contains("create or restore one first"));
    }

    #[test]
    fn an_empty_passphrase_is_refused_and_leaves_no_file() {
        let home = tempfile::tempdir().unwrap();
        let error = Vault::create(home.path(), "", Cost::LEAST, &mut SystemEntropy).unwrap_err();
        assert!(matches!(error, VaultError::EmptyPassphrase));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn an_existing_vault_is_not_overwritten() {
        let home = tempfile::tempdir().unwrap();
        create(home.path(), "first");
        let error =
            Vault::create(home.path(), "second", Cost::LEAST, &mut SystemEntropy).unwrap_err();
        assert!(matches!(error, VaultError::Exists));
        Vault::unlock(home.path(), "first").unwrap();
    }

    #[test]
    fn changing_the_passphrase_keeps_the_keys_and_retires_the_old_one() {
        let home = tempfile::tempdir().unwrap();
        let vault = create(home.path(), "old");
        vault.change_passphrase("new", Cost::LEAST, &mut SystemEntropy).unwrap();
        assert!(matches!(
            Vault::unlock(home.path(), "old").unwrap_err(),
            VaultError::WrongPassphrase
        ));
        let unlocked = Vault::unlock(home.path(), "new").unwrap();
        assert_eq!(vault.subkey(Subkey::Index).unwrap(), unlocked.subkey(Subkey::Index).unwrap());
        assert!(vault.change_passphrase("", Cost::LEAST, &mut SystemEntropy).is_err());
    }

    #[test]
    fn a_file_of_another_version_or_with_one_flipped_bit_is_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        create(home.path(), "x");
        let file = home.path().join("vault.key");
        let good = fs::read(&file).unwrap();

        let mut newer = good.clone();
        newer[8] = 9;
        fs::write(&file, newer).unwrap();
        assert!(matches!(
            Vault::unlock(home.path(), "x").unwrap_err(),
            VaultError::NewerVersion { found: 9, known: 1 }
        ));

        for at in (0..good.len()).filter(|at| *at != 8) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&file, bad).unwrap();
            let error = Vault::unlock(home.path(), "x").unwrap_err();
            assert!(matches!(error, VaultError::Damaged), "byte {at}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_home_or_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let home = parent.path().join("a/b");
        create(&home, "x");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&home), 0o700);
        assert_eq!(mode(&home.join("accounts")), 0o700);
        assert_eq!(mode(&home.join("vault.key")), 0o600);
    }
}
