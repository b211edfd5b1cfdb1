//! A friend's side: whose devices the owner of this account can wipe, and whether they hear it.

use warren_account::Account;
use warren_crypto::SystemEntropy;
use warren_lock::tripwire::order::Action;
use warren_lock::tripwire::{Order, SetId};
use warren_message::content::tripwire::{CarriedOrder, TripwireMessage};
use warren_wire::{AccountId, Millis};

use super::{send, set_name};
use crate::database::{HeldTripwire, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

impl Messenger {
    /// Keeps no share of somebody's any more, of one device or of all; how many those were. They are
    /// told, and so are the account's other devices.
    ///
    /// # Errors
    /// Where there is none, or the database fails.
    pub fn drop_devices(
        &self,
        owner: &AccountId,
        device: Option<&str>,
    ) -> Result<usize, ClientError> {
        let (own, now) = (self.account.id(), self.now());
        let let_go = |tx: &Tx<'_>| {
            let chosen = chosen(tx, owner, device)?;
            // No two messages of one author have one time.
            for (held, at) in chosen.iter().zip(now..) {
                let (set, number) = (held.share.set, held.share.number);
                tx.let_go_of_tripwire(owner, &set, Some(number), now)?;
                forget_jobs(tx, &held.inbox)?;
                let mut told = vec![own, *owner];
                told.dedup();
                for to in told {
                    let declined = TripwireMessage::Declined { set, number };
                    send(tx, &self.account, &to, declined, at)?;
                }
            }
            tx.drop_wipe_code(owner)?;
            Ok::<_, ClientError>(chosen.len())
        };
        let dropped = self.db.with(|db| db.transact(let_go))?;
        self.publish(Event::ContactChanged { contact: *owner });
        Ok(dropped)
    }

    /// Asks devices of somebody whether they would hear an order; how many shares that were. It wipes
    /// nothing, and the answer comes once the device is unlocked.
    ///
    /// # Errors
    /// Where there is none, or the database fails.
    pub fn test_devices(
        &self,
        owner: &AccountId,
        device: Option<&str>,
    ) -> Result<usize, ClientError> {
        let now = self.now();
        let test = |tx: &Tx<'_>| {
            let chosen = chosen(tx, owner, device)?;
            for held in &chosen {
                order(tx, held, Action::Test, now)?;
                tx.note_test_sent(held, now)?;
            }
            Ok::<_, ClientError>(chosen.len())
        };
        self.db.with(|db| db.transact(test))
    }
}

/// The shares for the devices of somebody that a name means: what the owner calls the device, or the
/// beginning of a set's name. All where none is named.
pub(super) fn chosen(
    tx: &Tx<'_>,
    owner: &AccountId,
    device: Option<&str>,
) -> Result<Vec<HeldTripwire>, ClientError> {
    let is_meant = |held: &HeldTripwire| {
        device.is_none_or(|name| held.device == name || set_name(&held.share.set).starts_with(name))
    };
    let mut chosen = tx.held_tripwires()?;
    chosen.retain(|held| held.owner == *owner && is_meant(held));
    if chosen.is_empty() { Err(ClientError::NoTripwire) } else { Ok(chosen) }
}

/// Has an order stored in the inbox of a device, from an account that nobody hears of again.
pub(super) fn order(
    tx: &Tx<'_>,
    held: &HeldTripwire,
    action: Action,
    now: Millis,
) -> Result<(), ClientError> {
    let nobody = Account::random(&mut SystemEntropy)?;
    let order = CarriedOrder(Order::of(&held.share, action));
    send(tx, &nobody, &held.inbox, TripwireMessage::Order(order), now)
}

/// What waits for the inbox of a device goes, where no share for it is left.
pub(super) fn forget_jobs(tx: &Tx<'_>, inbox: &AccountId) -> Result<(), ClientError> {
    if !tx.held_tripwires()?.iter().any(|held| held.inbox == *inbox) {
        tx.drop_jobs_for(inbox)?;
    }
    Ok(())
}

/// Another device of the account dropped a share.
pub(super) fn dropped_elsewhere(
    tx: &Tx<'_>,
    set: &SetId,
    number: u8,
    now: Millis,
) -> Result<(), ClientError> {
    let is_meant = |held: &HeldTripwire| held.share.set == *set && held.share.number == number;
    for held in tx.held_tripwires()?.into_iter().filter(is_meant) {
        tx.let_go_of_tripwire(&held.owner, set, Some(number), now)?;
        forget_jobs(tx, &held.inbox)?;
    }
    Ok(())
}
