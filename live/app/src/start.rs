//! From what was typed to an unlocked device.

use std::path::PathBuf;

use axum::http::Method;
use directories::ProjectDirs;
use warren_client::database::DatabaseError;
use warren_client::vault::Cost;
use warren_client::vault::calibrate::calibrate;
use warren_client::{ClientError, Device};
use warren_transport::Seed;
use warren_wire::AccountId;

use crate::api::accounts::{Account, Accounts};
use crate::api::network::NewSeed;
use crate::api::session::Home;
use crate::api::{AccountApi, Api};
use crate::cli::Global;
use crate::failure::Failure;
use crate::orders;
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
        let passphrase = self.passphrase()?;
        let mut device = Device::unlock(&home, passphrase.expose())?;
        orders::hand_over(&mut device);
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
        let mut device = Device::create(&home, passphrase.expose(), cost())?;
        remember(&mut device, seed)?;
        Ok(device)
    }

    /// The API of the home as [`Start::api`] gives it, and the code that opened it or was asked for,
    /// as whoever changes the lock must show it once more.
    ///
    /// # Errors
    /// As [`Start::api`].
    pub async fn api_with_code(&self) -> Result<(Api, passphrase::SecretText), Failure> {
        let home = self.home()?;
        if !Device::exists(&home) {
            return Err(Failure::NoHome(home));
        }
        let code = self.passphrase()?;
        if let Some(api) = Api::of_daemon(&home).await {
            return Ok((api, code));
        }
        let mut device = Device::unlock(&home, code.expose())?;
        orders::hand_over(&mut device);
        Ok((Api::here(Home::for_one_command(home, device)), code))
    }

    /// The account that was named.
    pub fn account_name(&self) -> Option<&str> {
        self.global.account.as_deref()
    }

    /// Whether the store that the duress code opens was asked for.
    pub const fn is_decoy(&self) -> bool {
        self.global.decoy
    }

    /// A passphrase for a home that is to be made.
    ///
    /// # Errors
    /// Where it was not given, and nobody can be asked.
    pub fn new_passphrase(&self) -> Result<passphrase::SecretText, Failure> {
        passphrase::of_new_home(self.global.passphrase_file.as_deref())
    }

    /// The passphrase of a home that exists.
    ///
    /// # Errors
    /// Where it was not given, and nobody can be asked.
    pub fn passphrase(&self) -> Result<passphrase::SecretText, Failure> {
        passphrase::of_home(self.global.passphrase_file.as_deref())
    }

    /// The API of the home: its daemon's where one runs, else in this process, unlocked.
    ///
    /// # Errors
    /// As [`Start::device`].
    pub async fn api(&self) -> Result<Api, Failure> {
        let home = self.home()?;
        let seed = self.seed()?;
        if self.global.decoy {
            let other = self.device()?.other()?;
            return Ok(Api::here(Home::for_one_command(home, other)));
        }
        let Some(api) = Api::of_daemon(&home).await else {
            let device = self.device()?;
            return Ok(Api::here(Home::for_one_command(home, device)));
        };
        if let Some(seed) = seed {
            let seed = NewSeed { seed: seed.to_string() };
            api.tell(Method::PUT, "network", &seed).await?;
        }
        Ok(api)
    }

    /// As [`Start::api`], and makes a home where there is none.
    ///
    /// # Errors
    /// As [`Start::new_device`].
    pub async fn new_home_api(&self) -> Result<Api, Failure> {
        let home = self.home()?;
        if Device::exists(&home) {
            return self.api().await;
        }
        let device = self.new_device()?;
        Ok(Api::here(Home::for_one_command(home, device)))
    }

    /// The API of the account that was named, or of the only one.
    ///
    /// # Errors
    /// As [`Start::api`], and where no account fits.
    pub async fn account(&self) -> Result<AccountApi, Failure> {
        let api = self.api().await?;
        let account = match self.global.account.as_deref() {
            Some(which) => named(&api, which).await?,
            None => only(&api).await?,
        };
        Ok(AccountApi::new(api, account))
    }
}

/// The account of a name or an id.
///
/// # Errors
/// Where none fits, or several.
pub async fn named(api: &Api, which: &str) -> Result<Account, Failure> {
    let Accounts { mut accounts } = api.get("accounts").await?;
    match which.parse::<AccountId>() {
        Ok(id) => accounts.retain(|account| account.account_id == id.to_string()),
        Err(_) => accounts.retain(|account| account.name == which),
    }
    match accounts.len() {
        0 | 1 => accounts.pop().ok_or_else(|| DatabaseError::UnknownAccount.into()),
        count => Err(DatabaseError::AmbiguousName { count }.into()),
    }
}

async fn only(api: &Api) -> Result<Account, Failure> {
    let Accounts { mut accounts } = api.get("accounts").await?;
    match accounts.len() {
        0 | 1 => accounts.pop().ok_or_else(|| ClientError::NoAccount.into()),
        several => Err(ClientError::WhichAccount(several).into()),
    }
}

/// What a guess at a new home's code costs: measured, unless somebody says that the least will do.
fn cost() -> Cost {
    let is_least = std::env::var("WARREN_GUESS_COST").is_ok_and(|cost| cost == "least");
    if is_least { Cost::DEFAULT } else { calibrate().cost }
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
