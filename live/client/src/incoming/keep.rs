//! What came is kept, in the transaction that moves the cursor behind it.

use warren_wire::{AccountId, Millis};

use super::arrival::{self, Arrival};
use crate::configs;
use crate::database::{Applied, Change, Direction, ExpiryMode, MessageId, Recorded, Signal, Tx};
use crate::disappearing::ask_later;
use crate::error::ClientError;
use crate::events::Event;
use crate::recovery;

/// What became of some arrivals.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How many rows are new.
    pub(crate) new: usize,
    /// What to tell, once it is on the disk.
    pub(crate) events: Vec<Event>,
    /// What is about groups.
    pub(crate) groups: Vec<arrival::Opened>,
}

impl Kept {
    /// Keeps one arrival.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn add(
        &mut self,
        tx: &Tx<'_>,
        account: &warren_account::Account,
        arrival: Arrival,
        now: Millis,
    ) -> Result<(), ClientError> {
        let author = arrival.direct_author().filter(|author| **author != account.id());
        if let Some(author) = author
            && tx.is_blocked(author)?
        {
            return Ok(());
        }
        match arrival {
            Arrival::Message(message, approves) => {
                let conversation = message.conversation;
                let before = tx.conversation(&conversation)?;
                let is_first = before.is_none();
                if let Recorded::New(message_id) = tx.record(&message)? {
                    if is_first {
                        configs::follow::read_before(tx, account, &conversation, now)?;
                    }
                    if !is_first && is_read_elsewhere(tx, message_id)? {
                        ask_later(tx, &[message_id], now)?;
                    }
                    self.new += 1;
                    self.events.push(Event::MessageNew { conversation, message_id });
                    if approves {
                        self.approved_me(tx, account, &conversation, now)?;
                    }
                    configs::people::note_shown(tx, account, before.as_ref(), now)?;
                }
            }
            Arrival::Signal(signal) => self.signal(tx, &signal, now)?,
            Arrival::Typing(conversation, author, typing) => {
                if author != account.id() {
                    self.events.push(Event::Typing { conversation, author, typing });
                }
            }
            Arrival::Share(opened, share) => {
                if let Some(notice) = recovery::take(tx, account, &opened.author, &share, now)? {
                    let row = arrival::notice(&account.id(), &opened, &notice);
                    return self.add(tx, account, row, now);
                }
            }
            Arrival::Group(opened) => self.groups.push(*opened),
            Arrival::Looks { author, picture, timestamp, .. } => {
                if tx.note_sender_picture(&author, picture.as_ref(), timestamp, now)? {
                    self.events.push(Event::ContactChanged { contact: author });
                }
            }
        }
        Ok(())
    }

    /// Who writes to somebody wants to be written to.
    fn approved_me(
        &mut self,
        tx: &Tx<'_>,
        account: &warren_account::Account,
        peer: &AccountId,
        now: Millis,
    ) -> Result<(), ClientError> {
        let known = tx.contact(peer)?;
        if known.as_ref().is_some_and(|contact| contact.approved_me) {
            return Ok(());
        }
        tx.note_approved_me(peer, now)?;
        // A stranger changes nothing that goes to the other devices, however many there are.
        if known.is_some_and(|contact| contact.approved) {
            configs::people::note_approved_me(tx, account, peer, now)?;
        }
        self.events.push(Event::ContactChanged { contact: *peer });
        Ok(())
    }

    fn signal(&mut self, tx: &Tx<'_>, signal: &Signal, now: Millis) -> Result<(), ClientError> {
        let known =
            tx.find_message(signal.conversation.as_ref(), &signal.author, signal.timestamp)?;
        if known.is_none() && !may_wait(tx, signal)? {
            return Ok(());
        }
        let before = known.map(|id| tx.message(id)).transpose()?;
        let Applied::Done(message_id) = tx.apply_signal(signal, now)? else { return Ok(()) };
        let Some(before) = before else { return Ok(()) };
        let conversation = before.conversation;
        let gone = matches!(signal.change, Change::Delete) && tx.message(message_id).is_err();
        self.events.push(if gone {
            Event::MessageDeleted { conversation, message_id }
        } else {
            Event::MessageChanged { conversation, message_id }
        });
        Ok(())
    }
}

/// Whether the time of a new message runs because another device has read it.
fn is_read_elsewhere(tx: &Tx<'_>, id: MessageId) -> Result<bool, ClientError> {
    let message = tx.message(id)?;
    let after_read = message.expiry.is_some_and(|expiry| expiry.mode == ExpiryMode::AfterRead);
    Ok(after_read && message.direction == Direction::Incoming && message.expires_at.is_some())
}

/// Whether a signal may wait for its message: receipts do not, nor anything of strangers.
fn may_wait(tx: &Tx<'_>, signal: &Signal) -> Result<bool, ClientError> {
    let known = match &signal.conversation {
        Some(conversation) => tx.conversation(conversation)?.is_some(),
        None => true,
    };
    Ok(known && !matches!(signal.change, Change::Read))
}
