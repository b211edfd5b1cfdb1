//! What came about friends who can wipe a device is kept and answered.

use warren_account::Account;
use warren_message::content::tripwire::{Offer, TripwireMessage};
use warren_wire::{AccountId, Millis};

use super::{held, send};
use crate::database::{HeldTripwire, Taking, Tx};
use crate::error::ClientError;
use crate::incoming::arrival::Opened;
use crate::notice::Notice;

/// Takes what somebody sent; gives what is to be shown of it, if anything. What the account's own
/// devices say to each other is not shown.
///
/// # Errors
/// Where the database fails or an answer cannot be sealed.
pub(crate) fn take(
    tx: &Tx<'_>,
    account: &Account,
    opened: &Opened,
    message: &TripwireMessage,
    now: Millis,
) -> Result<Option<Notice>, ClientError> {
    let (from, at) = (&opened.author, opened.timestamp);
    let notice = match message {
        TripwireMessage::Offer(offer) => keep(tx, account, from, offer, now)?,
        TripwireMessage::Taken { set, number } => {
            let is_news = tx.note_taken(from, set, *number, at)?;
            let known = tx.trusted_sets()?.into_iter().find(|known| known.set == *set);
            known.filter(|_| is_news).map(|known| Notice::TripwireTaken { device: known.device })
        }
        TripwireMessage::Declined { set, number } => {
            if *from == account.id() {
                held::dropped_elsewhere(tx, set, *number, now)?;
            }
            let is_news = tx.note_declined(from, set, *number, at)?;
            let known = tx.trusted_sets()?.into_iter().find(|known| known.set == *set);
            known.filter(|_| is_news).map(|known| Notice::TripwireDeclined { device: known.device })
        }
        TripwireMessage::Revoked { set } => {
            let held = tx.held_tripwires()?;
            let held = held.into_iter().find(|one| one.owner == *from && one.share.set == *set);
            if let Some(held) = &held {
                tx.let_go_of_tripwire(from, set, None, now)?;
                held::forget_jobs(tx, &held.inbox)?;
            }
            held.map(|held| Notice::TripwireRevoked { device: held.device })
        }
        TripwireMessage::Tested { set, number, at: heard } => {
            let device = tx.note_heard(from, set, *number, *heard)?;
            device.map(|device| Notice::TripwireTested { device, at: *heard })
        }
        // For the inbox of a device, which is no account's.
        TripwireMessage::Order(_) => None,
    };
    Ok(notice.filter(|_| *from != account.id()))
}

/// Keeps a share of somebody the owner accepted, or of another device of the owner's own, and says
/// so. What this device sent to those comes back to it and is not kept.
fn keep(
    tx: &Tx<'_>,
    account: &Account,
    from: &AccountId,
    offer: &Offer,
    now: Millis,
) -> Result<Option<Notice>, ClientError> {
    let share = offer.share.duplicate();
    let (set, number, threshold, count) = (share.set, share.number, share.threshold, share.count);
    if tx.made_set(&set)? {
        return Ok(None);
    }
    let is_own = *from == account.id();
    let is_trusted = is_own || tx.contact(from)?.is_some_and(|contact| contact.approved);
    let device = offer.device().to_owned();
    let held = HeldTripwire {
        owner: *from,
        share,
        inbox: offer.inbox,
        device: device.clone(),
        received_at: now,
        test_sent_at: None,
        heard_at: None,
        ordered_at: None,
    };
    let is_sound = is_trusted && tx.may_be_inbox(&offer.inbox)?;
    let taking = if is_sound { tx.hold_tripwire(&held)? } else { Taking::Full };
    if taking == Taking::Kept {
        send(tx, account, from, TripwireMessage::Taken { set, number }, now)?;
    }
    let kept = taking == Taking::Kept;
    Ok((taking != Taking::Known).then_some(Notice::TripwireOffered {
        device,
        threshold,
        count,
        kept,
    }))
}
