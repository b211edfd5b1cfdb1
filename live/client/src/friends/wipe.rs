//! A friend's order to wipe a device: announced, confirmed with a code, repeated until it is stopped.

use warren_crypto::SystemEntropy;
use warren_crypto::entropy::random_index;
use warren_lock::tripwire::SetId;
use warren_lock::tripwire::order::Action;
use warren_wire::{AccountId, Millis};

use super::held::{chosen, order};
use crate::database::{HeldTripwire, Task, Tx, WipeCode};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;

/// What an order that is to be repeated is called among the things to do.
pub(crate) const REPEAT: &str = "repeat order to wipe";
/// For how long a code can be typed.
pub const CODE_LIFE: Millis = 10 * 60 * 1_000;
/// For how long an order is repeated where nobody stops it.
pub const ORDER_LIFE: Millis = 60 * DAY;

/// How often: the swarm keeps each for two weeks.
const EVERY: Millis = 7 * DAY;
const DAY: Millis = 24 * 60 * 60 * 1_000;
const CODE_LENGTH: usize = 6;
/// Letters and digits that nobody takes for one another.
const CODE_LETTERS: &[u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

/// What would be wiped, and the code that does it.
#[derive(Debug)]
pub struct Announced {
    /// The code, and until when it can be typed.
    pub code: WipeCode,
    /// The shares that would be revealed: all of one device.
    pub shares: Vec<HeldTripwire>,
}

impl Messenger {
    /// The first step of wiping a device: gives the code that the second takes. Nothing is sent.
    ///
    /// # Errors
    /// Where there is no such device, several and none named, or the database fails.
    pub fn announce_wipe(
        &self,
        owner: &AccountId,
        device: Option<&str>,
    ) -> Result<Announced, ClientError> {
        let letters: Option<String> = (0..CODE_LENGTH)
            .map(|_| {
                let at = random_index(&mut SystemEntropy, CODE_LETTERS.len())?;
                CODE_LETTERS.get(at).map(|letter| char::from(*letter))
            })
            .collect();
        let valid_until = self.now().saturating_add(CODE_LIFE);
        let announce = |tx: &Tx<'_>| {
            let shares = chosen(tx, owner, device)?;
            let inbox = shares.first().map(|held| held.inbox).ok_or(ClientError::NoTripwire)?;
            if shares.iter().any(|held| held.inbox != inbox) {
                return Err(ClientError::WhichDevice);
            }
            let code = letters.ok_or(ClientError::DamagedKey)?;
            let code = WipeCode { owner: *owner, inbox, code, valid_until };
            tx.put_wipe_code(&code)?;
            Ok(Announced { code, shares: of_inbox(tx, owner, &inbox)? })
        };
        self.db.with(|db| db.transact(announce))
    }

    /// The second step: has every share for the device stored in its inbox, again and again for as
    /// long as [`ORDER_LIFE`]. Saved when this returns; a network that fails is no error.
    ///
    /// # Errors
    /// Where the code is another one, is too old or was used, or the database fails.
    pub fn order_wipe(
        &self,
        owner: &AccountId,
        typed: &str,
    ) -> Result<Vec<HeldTripwire>, ClientError> {
        let now = self.now();
        let confirm = |tx: &Tx<'_>| {
            let code = tx.wipe_code(owner)?.ok_or(ClientError::NoWipeCode)?;
            if code.valid_until < now {
                return Err(ClientError::WipeCodeExpired);
            }
            if !typed.trim().eq_ignore_ascii_case(&code.code) {
                return Err(ClientError::WrongWipeCode);
            }
            tx.drop_wipe_code(owner)?;
            tx.drop_jobs_for(&code.inbox)?;
            tx.note_ordered(owner, &code.inbox, Some(now))?;
            let shares = of_inbox(tx, owner, &code.inbox)?;
            for held in &shares {
                give(tx, held, now)?;
            }
            if shares.is_empty() { Err(ClientError::NoTripwire) } else { Ok(shares) }
        };
        let ordered = self.db.with(|db| db.transact(confirm))?;
        self.publish(Event::ContactChanged { contact: *owner });
        Ok(ordered)
    }

    /// Repeats an order no more; how many shares it was of. What a swarm has of it stays there for two
    /// weeks: a device that hears it then is wiped nevertheless.
    ///
    /// # Errors
    /// Where there is no such device or nothing of it was ordered, or the database fails.
    pub fn stop_wipe(&self, owner: &AccountId, device: Option<&str>) -> Result<usize, ClientError> {
        let stop = |tx: &Tx<'_>| {
            let mut stopped = 0;
            let mut inboxes: Vec<_> =
                chosen(tx, owner, device)?.iter().map(|held| held.inbox).collect();
            inboxes.dedup();
            for inbox in inboxes {
                stopped += tx.note_ordered(owner, &inbox, None)?;
                tx.drop_jobs_for(&inbox)?;
            }
            tx.drop_wipe_code(owner)?;
            Ok::<_, ClientError>(stopped)
        };
        let stopped = self.db.with(|db| db.transact(stop))?;
        if stopped == 0 {
            return Err(ClientError::NothingOrdered);
        }
        self.publish(Event::ContactChanged { contact: *owner });
        Ok(stopped)
    }

    /// Gives an order once more, unless it was stopped or is too old.
    pub(crate) fn repeat_order(&self, inbox: &AccountId, which: &[u8]) -> Result<(), ClientError> {
        let now = self.now();
        let Some((number, set)) = which.split_last() else { return Ok(()) };
        let repeat = |tx: &Tx<'_>| {
            let mut held = tx.held_tripwires()?;
            held.retain(|held| {
                let since = held.ordered_at.filter(|at| now < at.saturating_add(ORDER_LIFE));
                let is_meant = held.share.set.0 == *set && held.share.number == *number;
                held.inbox == *inbox && is_meant && since.is_some()
            });
            held.iter().try_for_each(|held| give(tx, held, now))
        };
        self.db.with(|db| db.transact(repeat))
    }
}

fn of_inbox(
    tx: &Tx<'_>,
    owner: &AccountId,
    inbox: &AccountId,
) -> Result<Vec<HeldTripwire>, ClientError> {
    let mut shares = tx.held_tripwires()?;
    shares.retain(|held| held.owner == *owner && held.inbox == *inbox);
    Ok(shares)
}

/// Gives an order, and has it given again.
fn give(tx: &Tx<'_>, held: &HeldTripwire, now: Millis) -> Result<(), ClientError> {
    order(tx, held, Action::Wipe, now)?;
    let SetId(set) = held.share.set;
    let again = Task::Other {
        name: REPEAT.to_owned(),
        message: None,
        target: Some(held.inbox),
        data: set.into_iter().chain([held.share.number]).collect(),
    };
    tx.add_job(&again, &[], now.saturating_add(EVERY))?;
    Ok(())
}
