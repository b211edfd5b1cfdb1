//! Contacts in the configuration, and the settings of conversations with them.

use warren_account::Account;
use warren_config::{Contact, Contacts, Expiration, Notify, ProfilePicture, UserProfile};
use warren_crypto::Secret;
use warren_message::content::profile::MAX_PICTURE_URL_BYTES;
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, AccountKind, Millis};

use super::change;
use crate::database::{self, Conversation, Expiry, ExpiryMode, Setting, Tx};
use crate::error::ClientError;
use crate::groups::membership::change_entry;

/// The priority of what is not shown in the list.
const HIDDEN: i32 = -1;

/// Changes what the account's devices know of a person.
///
/// # Errors
/// Where the database fails or a value is too long for other clients.
pub(crate) fn change_person(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    now: Millis,
    work: impl FnOnce(&mut Contact),
) -> Result<(), ClientError> {
    if id.kind() != AccountKind::Person || *id == account.id() {
        return Ok(());
    }
    let known = tx.contact(id)?;
    change(tx, account, now, |contacts: &mut Contacts| {
        let mut contact = contacts.get_or_new(id);
        if contact.created == 0 {
            contact.created = now / SECOND;
        }
        if let Some(known) = known.filter(|known| !known.name.is_empty()) {
            contact.name = known.name;
            contact.picture = known.picture.and_then(picture_of);
            contact.profile_updated = known.profile_updated / SECOND;
        }
        work(&mut contact);
        contacts.set(&contact)
    })
}

/// A picture in the configuration's words; `None` where it cannot be fetched.
fn picture_of(picture: database::Picture) -> Option<ProfilePicture> {
    let key = Secret::from_slice(picture.key.expose())?;
    let fits = (1..=MAX_PICTURE_URL_BYTES).contains(&picture.url.len());
    fits.then_some(ProfilePicture { url: picture.url, key })
}

/// Notes that somebody wants the owner's messages.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_approved_me(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    now: Millis,
) -> Result<(), ClientError> {
    change_person(tx, account, id, now, |contact| contact.approved_me = true)
}

/// Notes that a hidden conversation is shown again, as a message brought it back.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_shown(
    tx: &Tx<'_>,
    account: &Account,
    before: Option<&Conversation>,
    now: Millis,
) -> Result<(), ClientError> {
    let Some(before) = before.filter(|before| before.priority < 0) else { return Ok(()) };
    let shown = tx.conversation(&before.id)?.is_some_and(|after| after.priority >= 0);
    if !shown {
        return Ok(());
    }
    note_setting(tx, account, &before.id, &Setting::Priority(0), now)
}

/// Notes that the owner declined somebody's request, or wants nothing of theirs any more.
///
/// A request stands in no configuration, so that its end stands there as what no request has: an
/// entry of somebody hidden and not approved. Its time tells one answer from the next.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_declined(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    block: bool,
    now: Millis,
) -> Result<(), ClientError> {
    change_person(tx, account, id, now, |contact| {
        contact.approved = false;
        contact.blocked |= block;
        contact.priority = HIDDEN;
        contact.created = contact.created.saturating_add(1).max(now / SECOND);
    })
}

/// Makes somebody a contact whose messages are wanted, whatever the answer was before.
pub(crate) fn approve(contact: &mut Contact) {
    if is_declined(contact) {
        contact.priority = 0;
    }
    contact.approved = true;
}

/// Whether an entry says what [`note_declined`] wrote.
pub(crate) const fn is_declined(contact: &Contact) -> bool {
    !contact.approved && contact.priority < 0
}

/// Tells the configuration of the contacts that this device had before there was one.
///
/// # Errors
/// Where the database fails.
pub(crate) fn seed(tx: &Tx<'_>, account: &Account, now: Millis) -> Result<(), ClientError> {
    if tx.config(&account.id(), Contacts::KIND.namespace)?.is_some() {
        return Ok(());
    }
    for known in tx.contacts()?.into_iter().filter(|known| known.approved || known.blocked) {
        change_person(tx, account, &known.id, now, |contact| {
            contact.nickname = known.petname.clone().unwrap_or_default();
            contact.approved = known.approved;
            contact.approved_me = known.approved_me;
            contact.blocked = known.blocked;
        })?;
    }
    Ok(())
}

/// Puts a setting of a conversation into the configuration it belongs to. Drafts, archives and
/// requests are this device's own.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_setting(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    setting: &Setting,
    now: Millis,
) -> Result<(), ClientError> {
    if *id == account.id() {
        return note_to_self(tx, account, setting, now);
    }
    match setting {
        Setting::Draft(_) | Setting::Archived(_) | Setting::Request(_) => Ok(()),
        Setting::MarkedUnread(unread) => super::reading::mark_unread(tx, account, id, *unread, now),
        _ if id.kind() == AccountKind::Group => group_setting(tx, account, id, setting, now),
        _ => change_person(tx, account, id, now, |contact| match setting {
            Setting::Priority(priority) => {
                contact.priority = i32::try_from(*priority).unwrap_or(i32::MAX);
            }
            Setting::MutedUntil(time) => contact.mute_until = time / SECOND,
            Setting::Notify(notify) => contact.notify = notify_of(*notify),
            Setting::Expiry(expiry) => contact.expiration = expiration_of(*expiry),
            _ => {}
        }),
    }
}

/// How long a group's messages live is no setting of a single member.
fn group_setting(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    setting: &Setting,
    now: Millis,
) -> Result<(), ClientError> {
    if tx.group(id)?.is_none_or(|group| group.state == database::GroupState::Left) {
        return Ok(());
    }
    change_entry(tx, account, id, now, |entry| match setting {
        Setting::Priority(priority) => {
            entry.membership.priority = i32::try_from(*priority).unwrap_or(i32::MAX);
        }
        Setting::MutedUntil(time) => entry.membership.mute_until = time / SECOND,
        Setting::Notify(notify) => entry.membership.notify = notify_of(*notify),
        _ => {}
    })
}

fn note_to_self(
    tx: &Tx<'_>,
    account: &Account,
    setting: &Setting,
    now: Millis,
) -> Result<(), ClientError> {
    change(tx, account, now, |profile: &mut UserProfile| match setting {
        Setting::Priority(priority) => {
            profile.set_note_to_self_priority(i32::try_from(*priority).unwrap_or(i32::MAX))
        }
        Setting::Expiry(expiry) => {
            profile.set_note_to_self_timer(expiry.map(|expiry| expiry.seconds.into()))
        }
        _ => Ok(()),
    })
}

fn notify_of(notify: database::Notify) -> Notify {
    match notify {
        database::Notify::All => Notify::All,
        database::Notify::Mentions => Notify::Mentions,
        database::Notify::Nothing => Notify::Nothing,
    }
}

/// The database's word for what a configuration says of notifications.
pub(crate) fn notify_from(notify: Notify) -> database::Notify {
    match notify {
        Notify::Default | Notify::All => database::Notify::All,
        Notify::Mentions => database::Notify::Mentions,
        Notify::Nothing => database::Notify::Nothing,
    }
}

fn expiration_of(expiry: Option<Expiry>) -> Expiration {
    match expiry {
        None => Expiration::Off,
        Some(Expiry { mode: ExpiryMode::AfterSend, seconds }) => {
            Expiration::AfterSend(seconds.into())
        }
        Some(Expiry { mode: ExpiryMode::AfterRead, seconds }) => {
            Expiration::AfterRead(seconds.into())
        }
    }
}

/// The database's word for what a configuration says of disappearing messages.
pub(crate) fn expiry_from(expiration: Expiration) -> Option<Expiry> {
    let (mode, seconds) = match expiration {
        Expiration::Off => return None,
        Expiration::AfterSend(seconds) => (ExpiryMode::AfterSend, seconds),
        Expiration::AfterRead(seconds) => (ExpiryMode::AfterRead, seconds),
    };
    Some(Expiry { mode, seconds: u32::try_from(seconds).ok()? })
}

/// Milliseconds of a time that a configuration gives in seconds.
pub(crate) fn millis(seconds: u64) -> Millis {
    seconds.saturating_mul(SECOND)
}
