//! From what was typed to an unlocked device.

use std::path::PathBuf;

use directories::ProjectDirs;
use warren_client::vault::Cost;
use warren_client::{Device, Messenger};
use warren_transport::Seed;

use crate::cli::Global;
use crate::failure::Failure;
use crate::output::Output;
use crate::passphrase;

/// What every command starts from.
#[derive(Debug)]
pub struct Start {
    global: Global,
    /// Where results go.
    pub output: Output,
}

impl Start {
    /// Takes over the options.
    pub const fn new(global: Global) -> Self {
        let output = Output::new(global.json);
        Self { global, output }
    }

    /// Where accounts and messages lie.
    ///
    /// # Errors
    /// Where none was given and the platform names none.
    pub fn home(&self) -> Result<PathBuf, Failure> {
        self.global.home.clone().map_or_else(data_folder, Ok)
    }

    /// The account that was named.
    pub fn account(&self) -> Option<&str> {
        self.global.account.as_deref()
    }

    /// The seed that was given.
    ///
    /// # Errors
    /// Where it is none.
    pub fn seed(&self) -> Result<Option<Seed>, Failure> {
        self.global.seed.as_deref().map(str::parse).transpose().map_err(Failure::Seed)
    }

    /// Unlocks the home, and has it remember the seed.
    ///
    /// # Errors
    /// Where there is no home, the passphrase is wrong or the seed is none.
    pub fn device(&self) -> Result<Device, Failure> {
        let home = self.home()?;
        // Before anybody is asked for a passphrase.
        let seed = self.seed()?;
        if !Device::exists(&home) {
            return Err(Failure::NoHome(home));
        }
        let passphrase = passphrase::of_home(self.global.passphrase_file.as_deref())?;
        let mut device = Device::unlock(&home, passphrase.expose())?;
        remember(&mut device, seed)?;
        Ok(device)
    }

    /// Unlocks the home, or makes it.
    ///
    /// # Errors
    /// Where the passphrase is wrong, the folder cannot be made or the seed is none.
    pub fn new_device(&self) -> Result<Device, Failure> {
        let home = self.home()?;
        if Device::exists(&home) {
            return self.device();
        }
        let seed = self.seed()?;
        let passphrase = passphrase::of_new_home(self.global.passphrase_file.as_deref())?;
        let mut device = Device::create(&home, passphrase.expose(), Cost::DEFAULT)?;
        remember(&mut device, seed)?;
        Ok(device)
    }

    /// Unlocks the home and opens the account.
    ///
    /// # Errors
    /// As [`Start::device`], and where no account fits.
    pub fn messenger(&self) -> Result<Messenger, Failure> {
        Ok(self.device()?.messenger(self.account())?)
    }
}

fn remember(device: &mut Device, seed: Option<Seed>) -> Result<(), Failure> {
    if let Some(seed) = seed
        && device.seed()?.as_ref() != Some(&seed)
    {
        device.use_seed(&seed)?;
    }
    Ok(())
}

/// Where the platform keeps this program's data.
///
/// # Errors
/// Where the platform names no such folder.
pub fn data_folder() -> Result<PathBuf, Failure> {
    ProjectDirs::from("", "", "warren")
        .map(|folders| folders.data_dir().to_owned())
        .ok_or(Failure::NoDataFolder)
}
