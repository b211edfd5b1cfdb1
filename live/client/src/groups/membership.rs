//! How the account stands to a group: the row on this device, and the entry for its other devices.

use warren_account::Account;
use warren_config::{self as config, UserGroups};
use warren_crypto::Secret;
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, Millis};

use crate::configs;
use crate::database::{AccountDb, Group, GroupState, Setting, Tx};
use crate::error::ClientError;
use crate::events::Event;

/// Changes what the account's devices know of a group.
///
/// # Errors
/// Where the database fails.
pub(crate) fn change_entry(
    tx: &Tx<'_>,
    account: &Account,
    group: &AccountId,
    now: Millis,
    work: impl FnOnce(&mut config::Group),
) -> Result<(), ClientError> {
    configs::change(tx, account, now, |groups: &mut UserGroups| {
        let mut entry = groups.group_or_new(group);
        work(&mut entry);
        groups.set_group(&entry)
    })
}

/// Keeps a group that the account is in or invited to, here and for its other devices.
///
/// # Errors
/// Where the database fails.
pub(crate) fn keep(
    tx: &Tx<'_>,
    account: &Account,
    group: &Group,
    now: Millis,
) -> Result<Event, ClientError> {
    let invited = group.state == GroupState::Invited;
    tx.put_group(group)?;
    tx.ensure_conversation(&group.id, now)?;
    tx.set_conversation(&group.id, &Setting::Request(invited))?;
    change_entry(tx, account, &group.id, now, |entry| {
        entry.mark_invited();
        entry.name.clone_from(&group.name);
        entry.seed = group.admin_seed.as_ref().map(Secret::duplicate);
        entry.member_auth = group.auth.as_ref().map(Secret::duplicate);
        entry.membership.invited = invited;
        entry.membership.joined_at = group.joined_at / SECOND;
    })?;
    Ok(Event::ConversationChanged { conversation: group.id })
}

/// Notes that the account was removed from a group, or that the group was ended.
///
/// # Errors
/// Where the database fails.
pub(crate) fn lose(
    tx: &Tx<'_>,
    account: &Account,
    group: &AccountId,
    state: GroupState,
    now: Millis,
) -> Result<Option<Event>, ClientError> {
    let Some(row) = tx.group(group)? else { return Ok(None) };
    if row.state == state || row.state == GroupState::Destroyed {
        return Ok(None);
    }
    tx.put_group(&Group { auth: None, admin_seed: None, state, ..row })?;
    change_entry(tx, account, group, now, |entry| match state {
        GroupState::Destroyed => entry.mark_destroyed(),
        _ => entry.mark_removed(),
    })?;
    Ok(Some(Event::ConversationChanged { conversation: *group }))
}

/// Forgets a group on all of the account's devices, with what was said in it.
///
/// # Errors
/// Where the database fails.
pub(crate) fn forget(
    tx: &Tx<'_>,
    account: &Account,
    group: &AccountId,
    now: Millis,
) -> Result<Event, ClientError> {
    tx.remove_configs(group)?;
    tx.forget_cursors_of(group)?;
    tx.delete_conversation(group, now)?;
    configs::change(tx, account, now, |groups: &mut UserGroups| {
        groups.erase_group(group).map(drop)
    })?;
    note_answered(tx, group, now)?;
    Ok(Event::ConversationChanged { conversation: *group })
}

/// Whether an invitation of this time is newer than what the owner made of the last one. Mailboxes
/// bring old ones again.
///
/// # Errors
/// Where the database fails.
pub(crate) fn is_news(
    db: &AccountDb,
    group: &AccountId,
    timestamp: Millis,
) -> Result<bool, ClientError> {
    let answered = number(db, &answered_name(group))?;
    let joined = db.group(group)?.map_or(0, |group| group.joined_at);
    // From another device the time comes in whole seconds.
    let later = if joined % SECOND == 0 {
        timestamp / SECOND > joined / SECOND
    } else {
        timestamp > joined
    };
    Ok(later && timestamp > answered)
}

/// Notes that invitations up to this time are answered or known.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_answered(
    db: &AccountDb,
    group: &AccountId,
    timestamp: Millis,
) -> Result<(), ClientError> {
    let latest = timestamp.max(number(db, &answered_name(group))?);
    put_number(db, &answered_name(group), latest)
}

/// A number that was kept under a name, 0 where there is none.
///
/// # Errors
/// Where the database fails.
pub(crate) fn number(db: &AccountDb, name: &str) -> Result<u64, ClientError> {
    let bytes = db.setting(name)?.and_then(|bytes| bytes.try_into().ok());
    Ok(bytes.map_or(0, u64::from_le_bytes))
}

/// Keeps a number under a name.
///
/// # Errors
/// Where the database fails.
pub(crate) fn put_number(db: &AccountDb, name: &str, number: u64) -> Result<(), ClientError> {
    Ok(db.set_setting(name, Some(number.to_le_bytes().as_slice()))?)
}

/// Up to which generation of the keys word of the account's removal is obeyed and done with.
///
/// # Errors
/// Where the database fails.
pub(crate) fn last_removal(db: &AccountDb, group: &AccountId) -> Result<Option<i64>, ClientError> {
    let bytes = db.setting(&removal_name(group))?.and_then(|bytes| bytes.try_into().ok());
    Ok(bytes.map(i64::from_le_bytes))
}

/// Notes that word of the account's removal at this generation is obeyed.
///
/// # Errors
/// Where the database fails.
pub(crate) fn note_removal(
    db: &AccountDb,
    group: &AccountId,
    generation: i64,
) -> Result<(), ClientError> {
    let latest = last_removal(db, group)?.map_or(generation, |last| last.max(generation));
    Ok(db.set_setting(&removal_name(group), Some(latest.to_le_bytes().as_slice()))?)
}

fn removal_name(group: &AccountId) -> String {
    format!("group removal {group}")
}

fn answered_name(group: &AccountId) -> String {
    format!("group answered {group}")
}
