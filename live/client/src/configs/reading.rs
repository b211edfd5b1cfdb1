//! How far conversations are read, on whichever device.

use warren_account::Account;
use warren_config::{ConversationId, ConvoInfoVolatile};
use warren_wire::{AccountId, AccountKind, Millis};

use super::change;
use crate::database::Tx;
use crate::error::ClientError;

/// What the configuration calls a conversation; `None` for kinds that it has no place for.
pub(crate) fn name_of(id: &AccountId) -> Option<ConversationId> {
    match id.kind() {
        AccountKind::Person => Some(ConversationId::Person(*id)),
        AccountKind::Group => Some(ConversationId::Group(*id)),
        AccountKind::Other(_) => None,
    }
}

/// Notes that a conversation is read up to a timestamp, never back.
///
/// # Errors
/// Where the database fails.
pub(crate) fn read_up_to(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    timestamp: Millis,
    now: Millis,
) -> Result<(), ClientError> {
    let Some(name) = name_of(id) else { return Ok(()) };
    change(tx, account, now, |volatile: &mut ConvoInfoVolatile| {
        let mut conversation = volatile.get_or_new(&name);
        if conversation.last_read >= timestamp && !conversation.unread {
            return Ok(());
        }
        conversation.last_read = conversation.last_read.max(timestamp);
        conversation.unread = false;
        volatile.set(&conversation, now)
    })
}

/// Notes that the owner marked a conversation as unread, or not any more.
///
/// # Errors
/// Where the database fails.
pub(crate) fn mark_unread(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    unread: bool,
    now: Millis,
) -> Result<(), ClientError> {
    let Some(name) = name_of(id) else { return Ok(()) };
    change(tx, account, now, |volatile: &mut ConvoInfoVolatile| {
        let mut conversation = volatile.get_or_new(&name);
        conversation.unread = unread;
        volatile.set(&conversation, now)
    })
}
