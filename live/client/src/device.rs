//! An unlocked home directory: its accounts and the network it belongs to.

use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use warren_account::mnemonic::Seed as PhraseSeed;
use warren_account::shares::{self, Share};
use warren_account::{Account, Mnemonic};
use warren_config::UserProfile;
use warren_crypto::password::Cost;
use warren_crypto::{Secret, SystemEntropy};
use warren_lock::DuressOrders;
use warren_lock::tripwire::Order;
use warren_lock::tripwire::order::Action;
use warren_transport::Seed;
use warren_wire::AccountId;

use crate::attachments::{AttachmentError, FileStore};
use crate::clock::Clock;
use crate::configs;
use crate::database::{AccountDb, AccountEntry, AccountKeys, HeldTripwire, Index, stores};
use crate::error::ClientError;
use crate::events::Events;
use crate::messenger::Messenger;
use crate::notification::NotificationMode;
use crate::outgoing::DRAFT_LIFE;
use crate::tripwire::TripwireFile;
use crate::vault::Vault;

const IDLE_LOCK: &str = "lock when idle for seconds";
const SUSPEND_LOCK: &str = "lock on suspend";

/// A store of a home directory, unlocked.
pub struct Device {
    pub(crate) vault: Vault,
    pub(crate) index: Index,
    events: Events,
    clock: Clock,
    /// Whether it is the store of decoys, opened by the home's own.
    pub(crate) is_other: bool,
    /// Makes room behind whoever unlocked.
    settling: Option<JoinHandle<()>>,
}

/// When the daemon locks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoLock {
    /// After so long without a request that needs keys; `None` for never.
    pub idle: Option<Duration>,
    /// Once the machine slept.
    pub on_suspend: bool,
}

impl Default for AutoLock {
    fn default() -> Self {
        Self { idle: Some(Duration::from_secs(15 * 60)), on_suspend: true }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        if let Some(settling) = self.settling.take() {
            // How it ended says nothing: the next start does what it left.
            let _ = settling.join();
        }
    }
}

impl Device {
    /// Whether the directory holds a vault.
    pub fn exists(home: &Path) -> bool {
        Vault::exists(home)
    }

    /// Makes a vault under a code. `cost` is what one guess at it costs an attacker.
    ///
    /// # Errors
    /// Where there is one already, the passphrase is empty or the disk fails.
    pub fn create(home: &Path, passphrase: &str, cost: Cost) -> Result<Self, ClientError> {
        let vault = Vault::create(home, passphrase, cost, &mut SystemEntropy)?;
        let device = Self::open(vault)?;
        stores::settle(&device.vault)?;
        Ok(device)
    }

    /// Opens the vault with whichever code it has, and deletes behind the answer what no store claims.
    ///
    /// # Errors
    /// Where there is none, the code is wrong or came too soon, a file is damaged, or a backup came
    /// back into it half.
    pub fn unlock(home: &Path, passphrase: &str) -> Result<Self, ClientError> {
        let device = Self::unlock_unfinished(home, passphrase)?;
        if device.is_unfinished()? { Err(ClientError::UnfinishedRestore) } else { Ok(device) }
    }

    /// As [`Device::unlock`], and a backup may have come back into it half.
    pub(crate) fn unlock_unfinished(home: &Path, passphrase: &str) -> Result<Self, ClientError> {
        let mut device = Self::open(Vault::unlock(home, passphrase)?)?;
        let vault = device.vault.again();
        device.settling = Some(thread::spawn(move || {
            // What it leaves is done at the next start.
            let _ = settle(&vault);
        }));
        Ok(device)
    }

    fn open(vault: Vault) -> Result<Self, ClientError> {
        let index = Index::open(&vault)?;
        let (events, clock) = (Events::default(), Clock::default());
        Ok(Self { vault, index, events, clock, is_other: false, settling: None })
    }

    /// Has its accounts go by another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The other store of the home, which a duress code opens: a device of its own, into which decoys
    /// can be put.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn other(&self) -> Result<Self, ClientError> {
        let master = self.index.other_store(&mut SystemEntropy)?;
        let mut other = Self::open(self.vault.other(master))?;
        other.is_other = true;
        Ok(other)
    }

    /// Its keys, for whoever changes codes.
    pub const fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What the code that opened this store wants done in the network, which is there once.
    pub fn take_orders(&mut self) -> DuressOrders {
        self.vault.take_orders()
    }

    /// What a duress code is to have: orders to the other devices of the accounts here that trust them
    /// with it, and rights to empty the accounts' mailboxes.
    ///
    /// # Errors
    /// Where devices are to be told and none can be, or the database fails.
    pub fn duress_orders(
        &self,
        tell_devices: bool,
        delete_mail: bool,
    ) -> Result<DuressOrders, ClientError> {
        let network = self.index.seed()?.unwrap_or_default();
        let mut orders = DuressOrders { network, ..DuressOrders::default() };
        for entry in self.index.accounts()? {
            let keys = self.index.account(&entry.id)?;
            if tell_devices {
                let mut held = AccountDb::open(&self.vault, &keys)?.held_tripwires()?;
                held.retain(|held| held.owner == entry.id);
                // Too few shares of a set wipe nothing.
                let sets: Vec<_> = held.iter().map(|held| held.share.set).collect();
                let have = |set| sets.iter().filter(|one| **one == set).count();
                held.retain(|held| have(held.share.set) >= usize::from(held.share.threshold));
                let order = |held: &HeldTripwire| Order::of(&held.share, Action::Wipe);
                orders
                    .devices
                    .extend(held.iter().map(|held| (*held.inbox.as_bytes(), order(held))));
            }
            if delete_mail {
                let account = self.open_account(&keys)?;
                orders.mailboxes.push(account.grant_erasure(&mut SystemEntropy)?.encode());
            }
        }
        if tell_devices && orders.devices.is_empty() {
            return Err(ClientError::NoDeviceToTell);
        }
        Ok(orders)
    }

    /// The master key of the other store, which a duress code is to carry.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn other_master(&self) -> Result<Secret<32>, ClientError> {
        Ok(self.index.other_store(&mut SystemEntropy)?)
    }

    /// When the daemon locks by itself.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn auto_lock(&self) -> Result<AutoLock, ClientError> {
        let ours = AutoLock::default();
        let idle = self.index.number(IDLE_LOCK)?.map(Duration::from_secs);
        let on_suspend = self.index.number(SUSPEND_LOCK)?.map_or(ours.on_suspend, |on| on != 0);
        let idle = idle.map_or(ours.idle, |idle| Some(idle).filter(|idle| !idle.is_zero()));
        Ok(AutoLock { idle, on_suspend })
    }

    /// Says so.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_auto_lock(&self, lock: AutoLock) -> Result<(), ClientError> {
        self.index.set_number(IDLE_LOCK, lock.idle.map_or(0, |idle| idle.as_secs()))?;
        Ok(self.index.set_number(SUSPEND_LOCK, u64::from(lock.on_suspend))?)
    }

    /// Remembers where the directory of the network answers and what signs its list.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn use_seed(&mut self, seed: &Seed) -> Result<(), ClientError> {
        self.index.set_seed(&seed.to_string())?;
        note_network(&self.vault, &self.index)
    }

    /// The remembered network.
    ///
    /// # Errors
    /// Where the database fails or what it holds is no seed.
    pub fn seed(&self) -> Result<Option<Seed>, ClientError> {
        Ok(self.index.seed()?.as_deref().map(str::parse).transpose()?)
    }

    /// Makes an account and gives its recovery words, which are shown once and kept by the person.
    ///
    /// `label` stays on this device; `display_name` goes out with every message.
    ///
    /// # Errors
    /// Where the display name has more than 100 bytes, or the database fails; then there is no
    /// account.
    pub fn create_account(
        &mut self,
        label: &str,
        display_name: Option<&str>,
    ) -> Result<(AccountEntry, Mnemonic), ClientError> {
        let account = Account::random(&mut SystemEntropy)?;
        // Before anything is kept: the words of an account that is kept must have been shown.
        check_name(&account, display_name)?;
        let entry = self.add(&account, label, display_name)?;
        if let Some(name) = display_name {
            self.messenger(Some(&entry.id.to_string()))?.set_display_name(name)?;
        }
        Ok((entry, account.mnemonic()))
    }

    /// Brings an account onto this device from its recovery words.
    ///
    /// # Errors
    /// Where the words are wrong, the account is here already, the display name has more than 100
    /// bytes, or the database fails.
    pub fn restore_account(
        &mut self,
        phrase: &str,
        label: &str,
        display_name: Option<&str>,
    ) -> Result<AccountEntry, ClientError> {
        let account = Account::from_mnemonic(phrase)?;
        check_name(&account, display_name)?;
        self.add(&account, label, display_name)
    }

    fn add(
        &mut self,
        account: &Account,
        label: &str,
        display_name: Option<&str>,
    ) -> Result<AccountEntry, ClientError> {
        let seed = account.seed32().duplicate();
        let entropy = &mut SystemEntropy;
        let keys = self.index.add_account(
            &account.id(),
            label,
            display_name,
            seed,
            self.clock.now(),
            entropy,
        )?;
        Ok(keys.entry)
    }

    /// The account of a name or an id; the only one where none is named.
    ///
    /// # Errors
    /// Where none fits, or several.
    pub fn account(&self, which: Option<&str>) -> Result<AccountEntry, ClientError> {
        Ok(self.keys(which)?.entry)
    }

    fn keys(&self, which: Option<&str>) -> Result<AccountKeys, ClientError> {
        match which {
            Some(which) => Ok(self.index.find_account(which)?),
            None => match self.index.accounts()?.as_slice() {
                [] => Err(ClientError::NoAccount),
                [only] => Ok(self.index.account(&only.id)?),
                several => Err(ClientError::WhichAccount(several.len())),
            },
        }
    }

    /// The accounts on this device.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn accounts(&self) -> Result<Vec<AccountEntry>, ClientError> {
        Ok(self.index.accounts()?)
    }

    /// What the people an account writes to are told, whether it is at work or not; `None` where they
    /// are told nothing.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn display_name(&self, id: &AccountId) -> Result<Option<String>, ClientError> {
        let keys = self.index.account(id)?;
        let account = self.open_account(&keys)?;
        let db = AccountDb::open(&self.vault, &keys)?;
        let profile = configs::read::<UserProfile>(&db, &account, self.clock.now())?;
        Ok(profile.name().or(keys.entry.display_name))
    }

    /// The recovery words of an account, named by its name or id.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn mnemonic(&self, which: &str) -> Result<Mnemonic, ClientError> {
        Ok(self.open_account(&self.index.find_account(which)?)?.mnemonic())
    }

    /// Splits the recovery phrase of an account, named by its name or id, into `count` shares, any
    /// `threshold` of which bring it back. Nothing of them is kept.
    ///
    /// # Errors
    /// Where the numbers make no sense, there is no such account or the database fails.
    pub fn split_phrase(
        &self,
        which: &str,
        threshold: u8,
        count: u8,
    ) -> Result<Vec<Share>, ClientError> {
        let account = self.open_account(&self.index.find_account(which)?)?;
        let seed = PhraseSeed::from_seed32(account.seed32());
        Ok(shares::split(&seed, threshold, count, &mut SystemEntropy)?)
    }

    /// Removes an account with its messages from this device. What its swarm keeps stays there.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn remove_account(&mut self, which: &str) -> Result<AccountEntry, ClientError> {
        let keys = self.index.find_account(which)?;
        self.disarm_account(&keys.entry.id)?;
        self.index.remove_account(&keys.entry.id)?;
        Ok(keys.entry)
    }

    /// Puts an account to work: the named one, or the only one.
    ///
    /// # Errors
    /// Where there is no such account, several and none named, or the database fails.
    pub fn messenger(&self, which: Option<&str>) -> Result<Messenger, ClientError> {
        let keys = self.keys(which)?;
        let account = self.open_account(&keys)?;
        let mut db = AccountDb::open(&self.vault, &keys)?;
        db.transact(|tx| configs::people::seed(tx, &account, self.clock.now()))?;
        db.sweep_tombstones(self.clock.now())?;
        db.sweep_draft_files(self.clock.now().saturating_sub(DRAFT_LIFE))?;
        db.sweep_early(self.clock.now())?;
        let folder = self.vault.home().make_files_folder(keys.file());
        let files = FileStore::new(folder.map_err(AttachmentError::from)?);
        files.tidy(&db)?;
        let (events, clock) = (self.events.clone(), self.clock.clone());
        let messenger = Messenger::new(account, keys.entry, db, files, self.seed()?, events, clock);
        messenger.expire_due()?;
        Ok(messenger)
    }

    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The clock its accounts go by.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What happens to the accounts of this device.
    pub const fn events(&self) -> &Events {
        &self.events
    }

    /// Calls an account something else on this device.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn label_account(&mut self, id: &AccountId, label: &str) -> Result<(), ClientError> {
        Ok(self.index.set_label(id, label)?)
    }

    /// How soon the owner of an account wants to hear of new messages.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn notification_mode(&self, id: &AccountId) -> Result<NotificationMode, ClientError> {
        Ok(self.index.notification_mode(id)?)
    }

    /// Says so.
    ///
    /// # Errors
    /// Where there is no such account or the database fails.
    pub fn use_notification_mode(
        &mut self,
        id: &AccountId,
        mode: NotificationMode,
    ) -> Result<(), ClientError> {
        Ok(self.index.set_notification_mode(id, mode)?)
    }

    fn open_account(&self, keys: &AccountKeys) -> Result<Account, ClientError> {
        let account = Account::from_seed32(keys.seed.duplicate().kept_from_swap())?;
        warren_crypto::secret::clean_stack();
        if account.id() == keys.entry.id { Ok(account) } else { Err(ClientError::DamagedKey) }
    }
}

/// Does behind an unlock what nobody waits for.
fn settle(vault: &Vault) -> Result<(), ClientError> {
    stores::settle(vault)?;
    note_network(vault, &Index::open(vault)?)
}

/// Has a locked home know which network to ask for orders of friends: that of the store that is its
/// own. Written whether it is another one or not, as each unlock does it.
fn note_network(vault: &Vault, index: &Index) -> Result<(), ClientError> {
    if !vault.is_homes_own() {
        return Ok(());
    }
    let mut seed = Ok(None);
    TripwireFile::of(vault.home().root())?.change(|tripwire| {
        // Read while nobody else writes it there, so that the last one to do so writes the newest.
        seed = index.seed();
        match &seed {
            Ok(seed) => tripwire.set_network(seed.as_deref().unwrap_or_default()),
            Err(_) => Ok(()),
        }
    })?;
    seed?;
    Ok(())
}

/// Whether people can be told a name, by the rule of the configuration that keeps it.
fn check_name(account: &Account, name: Option<&str>) -> Result<(), ClientError> {
    let Some(name) = name else { return Ok(()) };
    let mut profile = UserProfile::new(account.seed32().duplicate())?;
    Ok(profile.set_name(name, 0)?)
}
