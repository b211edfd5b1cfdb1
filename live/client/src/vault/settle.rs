//! Trying a code at the slots, and what is written whichever code it is.

use warren_crypto::{CryptoError, Secret};
use warren_lock::slots::Opened;
use warren_lock::{Code, DuressOrders, Moment, Payload, SlotKind, Slots, Stretched};

use super::guard::Attempt;
use super::slots_file::SlotsFile;
use super::{Home, VaultError, tpm};
use crate::tripwire::unlocking::{self, Unlocked};

/// What opens a slot: a stretched code, and the device secret where one takes part.
pub(super) struct Key {
    pub(super) stretched: Stretched,
    pub(super) secret: Option<Secret<32>>,
}

impl Key {
    pub(super) fn of(home: &Home, slots: &Slots, code: &Code) -> Result<Self, VaultError> {
        let secret = slots.device().map(|kept| tpm::unseal(home.root(), &kept)).transpose()?;
        let stretched = slots.stretch(code).map_err(|_| VaultError::Cost)?;
        Ok(Self { stretched, secret })
    }

    /// As [`Key::of`]; where that fails, the attempt does not count, as no code was tried.
    pub(super) fn tried(
        home: &Home,
        slots: &Slots,
        code: &Code,
        attempt: Attempt,
    ) -> Result<(Attempt, Self), VaultError> {
        match Self::of(home, slots, code) {
            Ok(key) => Ok((attempt, key)),
            Err(error) => {
                attempt.void()?;
                Err(error)
            }
        }
    }

    pub(super) fn open(&self, slots: &Slots) -> Result<Option<Opened>, CryptoError> {
        slots.open(&self.stretched, self.secret.as_ref())
    }

    pub(super) fn seal(
        &self,
        slots: &mut Slots,
        at: usize,
        payload: &Payload,
    ) -> Result<(), CryptoError> {
        let entropy = &mut warren_crypto::SystemEntropy;
        slots.seal(at, &self.stretched, self.secret.as_ref(), payload, entropy)
    }
}

/// What a code opened.
pub(super) struct Found {
    /// At which place.
    pub(super) at: usize,
    /// What lies there.
    pub(super) payload: Payload,
    /// What else is to be done: nothing but for a duress code.
    pub(super) orders: DuressOrders,
    /// Whether it destroyed what was here.
    pub(super) is_anew: bool,
}

/// Tries a stretched code at the slots as they are, and writes the file over itself: the same bytes
/// where no slot or an ordinary one opens, and where it is a duress code's, the destroyed file with
/// one slot for that same code. Then the same with the file `tripwire`. Whichever code it is, as much
/// is written.
pub(super) fn settle(
    home: &Home,
    file: &SlotsFile,
    tried: &Slots,
    (key, now): (&Key, Moment),
) -> Result<Option<Found>, VaultError> {
    let mut slots = file.read()?;
    if (slots.salt(), slots.cost(), slots.device()) != (tried.salt(), tried.cost(), tried.device())
    {
        return Err(VaultError::Changed);
    }
    let entropy = &mut warren_crypto::SystemEntropy;
    let opened = key.open(&slots)?.map(|Opened { at, payload }| {
        let orders = slots.orders(&payload.orders);
        Found { at, payload, orders, is_anew: false }
    });
    let (opened, unlocked) = match opened {
        Some(found) if found.payload.kind == SlotKind::Duress => {
            let payload = Payload::ordinary(found.payload.master);
            let at = Slots::any_slot(None, entropy);
            slots.destroy_all_but(None, entropy);
            key.seal(&mut slots, at, &payload)?;
            (Some(Found { at, payload, orders: found.orders, is_anew: true }), Unlocked::Anew)
        }
        Some(found) => (Some(found), Unlocked::AsBefore),
        None => (None, Unlocked::Not),
    };
    file.write(&slots.encode())?;
    match unlocking::note(home.root(), unlocked, now) {
        // What was here is destroyed, and its orders are nowhere else: the next unlock makes up for it.
        Err(_) if unlocked == Unlocked::Anew => {}
        noted => noted?,
    }
    Ok(opened)
}
