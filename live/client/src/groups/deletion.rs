//! Messages of a group deleted for everyone: by their author, or by an admin.

use warren_message::Content;
use warren_message::content::admin::Unverified;
use warren_message::content::data::{Data, What};
use warren_message::content::group::{CheckedDeletion, Deletion, GroupUpdate, UncheckedDeletion};
use warren_wire::{AccountId, MessageName, Millis};

use super::configs::Configs;
use crate::database::{DatabaseError, Message, MessageId, SealedCopy, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;
use crate::outgoing::changes::remove_from_swarms;

impl Messenger {
    /// What tells a group that a message is deleted; nothing where no swarm has the message yet.
    ///
    /// # Errors
    /// [`ClientError::NotYours`] where it is another's and the account is no admin.
    pub(crate) fn group_deletion(&self, message: &Message) -> Result<Vec<SealedCopy>, ClientError> {
        let group = message.conversation;
        let configs = self.db.with(|db| Configs::read(db, &group, self.now()))?;
        let own = message.author == self.account.id();
        if !own && !configs.is_admin() {
            return Err(ClientError::NotYours);
        }
        let hashes = self.db.with(|db| db.message_hashes(message.id))?;
        let messages: Vec<_> = hashes.iter().map(|(_, hash)| MessageName::from(*hash)).collect();
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let (time, claim) = (self.now(), Deletion { members: Vec::new(), messages });
        let deletion = if own {
            UncheckedDeletion::ByAuthor(claim)
        } else {
            let admin = configs.admin()?;
            UncheckedDeletion::ByAdmin(Unverified::sign(claim, admin.signing_key(), time)?)
        };
        let data = Data::from(What::Group(GroupUpdate::DeleteContent(deletion)));
        self.copies(&group, &Content::from(data), time)
    }

    /// Whether the account may delete from a mailbox at its swarm: members of a group may not.
    pub(crate) fn may_delete_from(&self, mailbox: &AccountId) -> Result<bool, ClientError> {
        let group = self.db.with(|db| db.group(mailbox))?;
        Ok(group.is_none_or(|group| group.admin_seed.is_some()))
    }
}

/// Does what a checked deletion says.
///
/// # Errors
/// Where the database fails.
pub(super) fn apply(
    tx: &Tx<'_>,
    group: &AccountId,
    sender: &AccountId,
    deletion: CheckedDeletion,
    time: Millis,
) -> Result<Vec<Event>, ClientError> {
    let (members, names, author) = match deletion {
        CheckedDeletion::ByAdmin(deletion) => (deletion.members, deletion.messages, None),
        CheckedDeletion::ByAuthor(names) => (Vec::new(), names, Some(*sender)),
    };
    let mut doomed = Vec::new();
    for member in &members {
        doomed.extend(tx.messages_of(group, member, time)?);
    }
    for hash in names.iter().filter_map(MessageName::hash) {
        let Some(id) = tx.message_by_hash(&hash)? else { continue };
        let message = tx.message(id)?;
        if message.conversation == *group && author.is_none_or(|author| message.author == author) {
            doomed.push(id);
        }
    }
    erase(tx, group, &doomed)
}

/// Erases what a removed member wrote, here and from the swarm.
///
/// # Errors
/// Where the database fails.
pub(super) fn erase_all_of(
    tx: &Tx<'_>,
    group: &AccountId,
    members: &[AccountId],
    now: Millis,
) -> Result<Vec<Event>, ClientError> {
    let mut doomed = Vec::new();
    for member in members {
        doomed.extend(tx.messages_of(group, member, now)?);
    }
    let mut hashes = Vec::new();
    for id in &doomed {
        hashes.extend(tx.message_hashes(*id)?);
    }
    remove_from_swarms(tx, &hashes, now)?;
    erase(tx, group, &doomed)
}

fn erase(tx: &Tx<'_>, group: &AccountId, doomed: &[MessageId]) -> Result<Vec<Event>, ClientError> {
    let mut events = Vec::new();
    for message_id in doomed {
        match tx.delete_for_everyone(*message_id) {
            Err(DatabaseError::Gone) | Ok(false) => {}
            Err(error) => return Err(error.into()),
            Ok(true) => {
                let (conversation, message_id) = (*group, *message_id);
                events.push(Event::MessageChanged { conversation, message_id });
            }
        }
    }
    Ok(events)
}
