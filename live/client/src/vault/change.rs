//! Other codes and another cost for an open vault. Each change wants the present code once more.

use warren_crypto::{Secret, SystemEntropy};
use warren_lock::payload::no_orders;
use warren_lock::{Code, CodeKind, DuressOrders, Payload, SlotKind, Slots};

use super::guard::{self, Attempt};
use super::settle::Key;
use super::slots_file::SlotsFile;
use super::{Cost, Vault, VaultError, tpm};

/// The present code, proven.
struct Proven {
    file: SlotsFile,
    slots: Slots,
    at: usize,
    key: Key,
}

impl Vault {
    /// Puts the vault under another code. Where this is cut off, one of the two opens it. A duress code
    /// that is the same is gone: to refuse would say that there is one.
    ///
    /// # Errors
    /// Where the present code is wrong, the new one is not what its kind must be, or the disk fails.
    pub fn change_code(&self, present: &str, kind: CodeKind, new: &str) -> Result<(), VaultError> {
        let new = Code::choose(kind, new)?;
        let proven = self.prove(present)?;
        let key = proven.key_of(&new)?;
        let mut slots = proven.slots.clone();
        if key.open(&slots)?.is_some_and(|opened| opened.at != proven.at) {
            slots.destroy_all_but(Some(proven.at), &mut SystemEntropy);
        }
        key.seal(&mut slots, proven.at, &self.own())?;
        proven.change(&slots)
    }

    /// Puts the vault under a fresh salt and another cost. Other codes than the present one are gone
    /// afterwards, as nobody typed them.
    ///
    /// # Errors
    /// Where the code is wrong, the cost out of range, or the disk fails.
    pub fn change_cost(&self, present: &str, cost: Cost) -> Result<(), VaultError> {
        let proven = self.prove(present)?;
        let mut slots = Slots::fresh(cost, &mut SystemEntropy);
        if let Some(kept) = proven.slots.device() {
            slots = slots.bound(&kept);
        }
        let stretched = slots.stretch(&Code::of(present)?).map_err(|_| VaultError::Cost)?;
        let key = Key { stretched, secret: proven.key.secret.as_ref().map(Secret::duplicate) };
        key.seal(&mut slots, proven.at, &self.own())?;
        proven.change(&slots)
    }

    /// Has a secret that only this machine's TPM gives out take part in the code, or no longer. Other
    /// codes than the present one are gone afterwards.
    ///
    /// # Errors
    /// Where the code is wrong, the TPM refuses, or the disk fails.
    pub fn change_binding(&self, present: &str, bound: bool) -> Result<(), VaultError> {
        let proven = self.prove(present)?;
        let mut slots = Slots::fresh(proven.slots.cost(), &mut SystemEntropy);
        let mut secret = None;
        if bound {
            let (kept, drawn) = tpm::seal(self.home.root(), &mut SystemEntropy)?;
            slots = slots.bound(&kept);
            secret = Some(drawn);
        }
        let stretched = slots.stretch(&Code::of(present)?).map_err(|_| VaultError::Cost)?;
        Key { stretched, secret }.seal(&mut slots, proven.at, &self.own())?;
        proven.change(&slots)
    }

    /// Sets a code that destroys this store and opens the one of another master key, and what it does
    /// beyond this device. One that was set before is gone.
    ///
    /// # Errors
    /// Where the present code is wrong or the same, there are more orders than there is room for, or
    /// the disk fails.
    pub fn set_duress(
        &self,
        present: &str,
        (kind, new): (CodeKind, &str),
        master: Secret<32>,
        orders: &DuressOrders,
    ) -> Result<(), VaultError> {
        let new = Code::choose(kind, new)?;
        let proven = self.prove(present)?;
        let key = proven.key_of(&new)?;
        if key.open(&proven.slots)?.is_some_and(|opened| opened.at == proven.at) {
            return Err(VaultError::CodeInUse);
        }
        let entropy = &mut SystemEntropy;
        let mut slots = proven.slots.clone();
        slots.destroy_all_but(Some(proven.at), entropy);
        let orders = match orders.is_empty() {
            true => no_orders(),
            false => slots.put_orders(orders, entropy).map_err(|_| VaultError::TooManyOrders)?,
        };
        let payload = Payload { kind: SlotKind::Duress, master, orders };
        let at = Slots::any_slot(Some(proven.at), entropy);
        key.seal(&mut slots, at, &payload)?;
        proven.change(&slots)
    }

    /// Takes away every code but the present one.
    ///
    /// # Errors
    /// Where the present code is wrong or the disk fails.
    pub fn remove_other_codes(&self, present: &str) -> Result<(), VaultError> {
        let proven = self.prove(present)?;
        let mut slots = proven.slots.clone();
        slots.destroy_all_but(Some(proven.at), &mut SystemEntropy);
        proven.change(&slots)
    }

    /// Says after how many wrong codes in a row everything is wiped; 0 for never.
    ///
    /// # Errors
    /// Where the present code is wrong or the disk fails.
    pub fn set_wipe_after(&self, present: &str, count: u32) -> Result<(), VaultError> {
        self.prove(present)?;
        guard::set_wipe_after(&self.home, count)
    }

    /// After how many wrong codes in a row everything is wiped; 0 for never.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn wipe_after(&self) -> Result<u32, VaultError> {
        guard::wipe_after(&self.home)
    }

    /// Whether a code is the one that opened this vault. Wrong ones count as they do when unlocking.
    ///
    /// # Errors
    /// Where it is not.
    pub fn check_code(&self, present: &str) -> Result<(), VaultError> {
        self.prove(present).map(drop)
    }

    fn prove(&self, present: &str) -> Result<Proven, VaultError> {
        let own = self.slot.ok_or(VaultError::NoCode)?;
        let code = Code::of(present)?;
        let file = SlotsFile::open(&self.home)?;
        let attempt = Attempt::begin(&self.home, guard::moment())?;
        let slots = file.read()?;
        let (attempt, key) = Key::tried(&self.home, &slots, &code, attempt)?;
        let opened = key.open(&slots)?;
        let is_own = |at, payload: &Payload| at == own && payload.master == self.master;
        match opened {
            Some(opened) if is_own(opened.at, &opened.payload) => {
                attempt.succeed()?;
                Ok(Proven { file, slots, at: opened.at, key })
            }
            _ if attempt.wipes() => {
                super::wipe::wipe(self.home.root())?;
                Err(VaultError::WrongPassphrase)
            }
            _ => Err(VaultError::WrongPassphrase),
        }
    }

    fn own(&self) -> Payload {
        Payload::ordinary(self.master.duplicate())
    }
}

impl Proven {
    /// What a further code opens here.
    fn key_of(&self, code: &Code) -> Result<Key, VaultError> {
        let stretched = self.slots.stretch(code).map_err(|_| VaultError::Cost)?;
        Ok(Key { stretched, secret: self.key.secret.as_ref().map(Secret::duplicate) })
    }

    /// Writes other slots in the place of those that were read, unless somebody else did meanwhile.
    fn change(&self, slots: &Slots) -> Result<(), VaultError> {
        self.file.alone(|| {
            if self.file.read()? != self.slots {
                return Err(VaultError::Changed);
            }
            Ok(self.file.change(slots)?)
        })
    }
}
