//! What a person does to messages that exist: edits, reactions, deletions, receipts; and typing.

use warren_message::content::body::Body;
use warren_message::content::data::{Data, What};
use warren_message::content::edit::Edit;
use warren_message::content::notice::{Extraction, Receipt, Typing, Unsend};
use warren_message::content::reaction::{Emoji, Reaction};
use warren_message::{Content, Kind};
use warren_wire::{AccountId, AccountKind, MessageHash};

use crate::configs::reading;
use crate::database::{
    Change, DatabaseError, Direction, Message, MessageId, Purpose, Setting, Signal, Task, Tx,
};
use crate::disappearing::shorten_unread;
use crate::error::ClientError;
use crate::events::Event;
use crate::incoming::arrival::MOST_RECEIPTS;
use crate::messenger::Messenger;

/// For whom a message is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteFor {
    /// On this device.
    Me,
    /// On all devices of the account, and from its mailbox.
    MyDevices,
    /// For everybody who has it, where they follow; own messages, and others' where the account is
    /// an admin of the group.
    Everyone,
}

/// Settings of the account, both off unless the owner turns them on.
const RECEIPTS: &str = "send read receipts";
const TYPING: &str = "send typing indicators";

impl Messenger {
    /// Another text for an own message.
    ///
    /// # Errors
    /// Where the message is gone or another's, or the text is empty or too long.
    pub fn edit(&self, message: MessageId, body: &str) -> Result<(), ClientError> {
        let original = self.own_message(message)?;
        let (author, body) = (self.account.id(), Body::new(body)?);
        let edit = Edit { original: original.timestamp, author, body: body.clone() };
        let data = Data::from(What::Edit(edit)).with_profile(self.own_profile());
        let expiration = self.expiration_in(&original.conversation)?;
        let content = Content { expiration, ..Content::from(data) };
        self.change(&original, Change::Edit(body.as_str().to_owned()), &content)
    }

    /// Puts an emoji under a message, or takes it back.
    ///
    /// # Errors
    /// Where the message is gone or it is no emoji.
    pub fn react(&self, message: MessageId, emoji: &str, on: bool) -> Result<(), ClientError> {
        let original = self.db.with(|db| db.message(message))?;
        let emoji = Emoji::new(emoji)?;
        let text = emoji.as_str().to_owned();
        let (to, author) = (original.timestamp, original.author);
        let reaction = Reaction { to, author, emoji, removed: !on };
        let data = Data::from(What::Reaction(reaction)).with_profile(self.own_profile());
        let change = if on { Change::React(text) } else { Change::Unreact(text) };
        self.change(&original, change, &Content::from(data))
    }

    /// Deletes messages; those that are gone are passed over.
    ///
    /// # Errors
    /// Where others' messages are to be deleted for everyone and the account is no admin, or the
    /// database fails.
    pub fn delete(&self, messages: &[MessageId], whom: DeleteFor) -> Result<(), ClientError> {
        for id in messages {
            match self.db.with(|db| db.message(*id)) {
                Err(DatabaseError::Gone) => {}
                Err(error) => return Err(error.into()),
                Ok(message) => self.delete_one(&message, whom)?,
            }
        }
        Ok(())
    }

    fn delete_one(&self, message: &Message, whom: DeleteFor) -> Result<(), ClientError> {
        let now = self.now();
        let own = self.account.id();
        let in_group = message.conversation.kind() == AccountKind::Group;
        if whom == DeleteFor::Everyone && message.direction != Direction::Outgoing && !in_group {
            return Err(ClientError::NotYours);
        }
        // What a group keeps is everybody's, and only admins delete it there.
        let from_swarm = match whom {
            DeleteFor::Me => false,
            DeleteFor::MyDevices => !in_group,
            DeleteFor::Everyone => self.may_delete_from(&message.conversation)?,
        };
        let (author, timestamp) = (message.author, message.timestamp);
        let content = Content::from(Kind::Unsend(Unsend { message: timestamp, author }));
        let copies = match whom {
            DeleteFor::Me => Vec::new(),
            DeleteFor::MyDevices => vec![self.seal(Purpose::Sync, &own, &content, now)?],
            DeleteFor::Everyone if in_group => self.group_deletion(message)?,
            DeleteFor::Everyone => self.copies(&message.conversation, &content, now)?,
        };
        let delete = |tx: &Tx<'_>| {
            let hashes = tx.message_hashes(message.id)?;
            if whom == DeleteFor::Everyone {
                // What was not sent yet is not sent any more.
                tx.delete_for_everyone(message.id)?;
            } else {
                tx.delete_here(&[message.id], now)?;
            }
            for copy in copies {
                tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
            }
            if from_swarm {
                remove_from_swarms(tx, &hashes, now)?;
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(delete))?;
        self.remove_doomed_files()?;
        let (conversation, message_id) = (message.conversation, message.id);
        self.publish(match whom {
            DeleteFor::Everyone => Event::MessageChanged { conversation, message_id },
            _ => Event::MessageDeleted { conversation, message_id },
        });
        Ok(())
    }

    /// Marks what a conversation holds up to a message as read, here and on the other devices; where
    /// the owner wants that, the authors are told.
    ///
    /// # Errors
    /// Where the message is gone or the database fails.
    pub fn mark_read_up_to(&self, message: MessageId) -> Result<(), ClientError> {
        self.expire_due()?;
        let last = self.db.with(|db| db.message(message))?;
        let (conversation, now) = (last.conversation, self.now());
        let receipts = self.db.with(|db| db.setting(RECEIPTS))?.is_some();
        let may_know = self.may_be_told(&conversation)?;
        let unread = if receipts && may_know {
            self.db.with(|db| db.unread_up_to(&conversation, last.timestamp))?
        } else {
            Vec::new()
        };
        let mut copies = Vec::new();
        for messages in unread.chunks(MOST_RECEIPTS) {
            let receipt = Receipt { read: true, messages: messages.to_vec() };
            let content = Content::from(Kind::Receipt(receipt));
            copies.extend(self.copies(&conversation, &content, now)?);
        }
        let mark = |tx: &Tx<'_>| {
            shorten_unread(tx, &conversation, last.timestamp, now)?;
            tx.mark_read_up_to(&conversation, last.timestamp, now)?;
            tx.set_conversation(&conversation, &Setting::MarkedUnread(false))?;
            reading::read_up_to(tx, &self.account, &conversation, last.timestamp, now)?;
            for copy in copies {
                tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(mark))?;
        self.publish(Event::ConversationChanged { conversation });
        Ok(())
    }

    /// Tells the other side that the owner types, or stopped, where the owner wants that.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn typing(&self, conversation: &AccountId, types: bool) -> Result<(), ClientError> {
        let wanted = self.db.with(|db| db.setting(TYPING))?.is_some();
        if !wanted || !self.may_be_told(conversation)? {
            return Ok(());
        }
        let kind = Kind::Typing(if types { Typing::Started } else { Typing::Stopped });
        let now = self.now();
        for copy in self.copies(conversation, &Content::from(kind), now)? {
            let task = Task::Store { message: None, copy };
            self.db.with(|db| db.add_job(&task, &[], now))?;
        }
        Ok(())
    }

    /// Tells the other side that the owner took a screenshot of the conversation, as Session's clients
    /// do. Groups are not told.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn tell_screenshot(&self, conversation: &AccountId) -> Result<(), ClientError> {
        if !self.may_be_told(conversation)? {
            return Ok(());
        }
        let now = self.now();
        let timestamp = self.db.with(|db| db.free_timestamp(conversation, now))?;
        let content = Content::from(Kind::Extraction(Extraction::Screenshot));
        for copy in self.copies(conversation, &content, timestamp)? {
            let task = Task::Store { message: None, copy };
            self.db.with(|db| db.add_job(&task, &[], now))?;
        }
        Ok(())
    }

    /// Whether somebody may learn what the owner does: a contact who is wanted, and no other.
    fn may_be_told(&self, conversation: &AccountId) -> Result<bool, ClientError> {
        if conversation.kind() != AccountKind::Person {
            return Ok(false);
        }
        let known = self.db.with(|db| db.contact(conversation))?;
        Ok(known.is_some_and(|contact| contact.approved && !contact.blocked))
    }

    /// Whether authors are told when the owner read their messages, and others that the owner types.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn tells(&self) -> Result<(bool, bool), ClientError> {
        let set = |name| self.db.with(|db| db.setting(name)).map(|value| value.is_some());
        Ok((set(RECEIPTS)?, set(TYPING)?))
    }

    /// Sets what [`Messenger::tells`] gives.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_tells(&self, receipts: bool, typing: bool) -> Result<(), ClientError> {
        for (name, on) in [(RECEIPTS, receipts), (TYPING, typing)] {
            self.db.with(|db| db.set_setting(name, on.then_some(b"1".as_slice())))?;
        }
        self.publish(Event::AccountChanged);
        Ok(())
    }

    fn own_message(&self, message: MessageId) -> Result<Message, ClientError> {
        let message = self.db.with(|db| db.message(message))?;
        if message.direction == Direction::Outgoing {
            Ok(message)
        } else {
            Err(ClientError::NotYours)
        }
    }

    /// Does something to a message here, and saves the copies that have it done elsewhere.
    fn change(
        &self,
        message: &Message,
        change: Change,
        content: &Content,
    ) -> Result<(), ClientError> {
        let now = self.now();
        let copies = self.copies(&message.conversation, content, now)?;
        let signal = Signal {
            conversation: Some(message.conversation),
            author: message.author,
            timestamp: message.timestamp,
            sender: self.account.id(),
            sent_at: now,
            change,
        };
        let save = |tx: &Tx<'_>| {
            tx.apply_signal(&signal, now)?;
            for copy in copies {
                tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
            }
            Ok::<_, ClientError>(())
        };
        self.db.with(|db| db.transact(save))?;
        let (conversation, message_id) = (message.conversation, message.id);
        self.publish(Event::MessageChanged { conversation, message_id });
        Ok(())
    }
}

/// Saves that messages are to be deleted from their mailboxes.
pub(crate) fn remove_from_swarms(
    tx: &Tx<'_>,
    hashes: &[(AccountId, MessageHash)],
    now: warren_wire::Millis,
) -> Result<(), ClientError> {
    let mut mailboxes: Vec<AccountId> = hashes.iter().map(|(mailbox, _)| *mailbox).collect();
    mailboxes.sort_unstable();
    mailboxes.dedup();
    for mailbox in mailboxes {
        let of_it = hashes.iter().filter(|(other, _)| *other == mailbox);
        let hashes = of_it.map(|(_, hash)| *hash).collect();
        tx.add_job(&Task::Delete { mailbox, hashes }, &[], now)?;
    }
    Ok(())
}
