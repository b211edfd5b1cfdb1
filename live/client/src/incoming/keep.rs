//! What came is kept, in the transaction that moves the cursor behind it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use warren_account::Account;
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, Millis};

use super::arrival::{self, Arrival};
use crate::configs;
use crate::database::{
    Applied, Change, Contact, Content, Direction, ExpiryMode, Fetched, MessageId, Recorded, Signal,
    Tx,
};
use crate::disappearing::ask_later;
use crate::error::ClientError;
use crate::events::Event;
use crate::friends;
use crate::recovery;

/// How long it is of interest that somebody types.
const TYPING_LASTS: Millis = 60 * SECOND;

/// When each person last said that they type, or stopped: every member of the swarm tells it once
/// more.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypingHeard(Arc<Mutex<HashMap<AccountId, Millis>>>);

impl TypingHeard {
    /// Whether it was said lately and not heard before.
    fn is_news(&self, author: AccountId, time: Millis, now: Millis) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|_, time| time.saturating_add(TYPING_LASTS) > now);
        let is_news = time.saturating_add(TYPING_LASTS) > now
            && heard.get(&author).is_none_or(|before| *before < time);
        if is_news {
            heard.insert(author, time);
        }
        is_news
    }
}

/// What became of some arrivals.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// How many rows are new.
    pub(crate) new: usize,
    /// What to tell, once it is on the disk.
    pub(crate) events: Vec<Event>,
    /// New messages that another device has read, whose end it knows.
    read_elsewhere: Vec<MessageId>,
    /// What is about groups.
    pub(crate) groups: Vec<arrival::Opened>,
    /// What was heard of typing before.
    typing: TypingHeard,
}

impl Kept {
    /// For what comes after what was heard.
    pub(crate) fn after(heard: &TypingHeard) -> Self {
        Self { typing: heard.clone(), ..Self::default() }
    }

    /// Keeps one arrival.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn add(
        &mut self,
        tx: &Tx<'_>,
        account: &Account,
        arrival: Arrival,
        now: Millis,
    ) -> Result<(), ClientError> {
        let author = arrival.direct_author().filter(|author| **author != account.id());
        if let Some(author) = author
            && tx.is_blocked(author)?
        {
            if let Arrival::Message(message, _) = arrival {
                // Not after they are unblocked either, from a node that is read only then.
                tx.bury_unseen(&message)?;
            }
            return Ok(());
        }
        match arrival {
            Arrival::Message(message, approves) => {
                self.message(tx, account, *message, approves, now)?;
            }
            Arrival::Signal(signal) => self.signal(tx, account, &signal, now)?,
            Arrival::Typing { conversation, author, typing, time } => {
                if author != account.id() && self.typing.is_news(author, time, now) {
                    self.events.push(Event::Typing { conversation, author, typing });
                }
            }
            Arrival::Share(opened, share) => {
                if let Some(notice) = recovery::take(tx, account, &opened.author, &share, now)? {
                    let row = arrival::notice(&account.id(), &opened, &notice);
                    return self.add(tx, account, row, now);
                }
            }
            Arrival::Tripwire(opened, tripwire) => {
                let notice = friends::take(tx, account, &opened, &tripwire, now)?;
                self.events.push(Event::ContactChanged { contact: opened.author });
                if let Some(notice) = notice {
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

    fn message(
        &mut self,
        tx: &Tx<'_>,
        account: &Account,
        mut message: Fetched,
        approves: bool,
        now: Millis,
    ) -> Result<(), ClientError> {
        let conversation = message.conversation;
        if let Some(quote) = &mut message.details.quote {
            quote.text = tx.quoted_text(&conversation, quote)?;
        }
        let before = tx.conversation(&conversation)?;
        let known = if approves { tx.contact(&conversation)? } else { None };
        let Recorded::New(message_id) = tx.record(&message)? else { return Ok(()) };
        tx.fill_quotes(&message)?;
        if before.is_none() {
            configs::follow::read_before(tx, account, &conversation, now)?;
        } else if is_read_elsewhere(tx, message_id)? {
            self.read_elsewhere.push(message_id);
        }
        self.new += 1;
        self.events.push(Event::MessageNew { conversation, message_id });
        if approves {
            self.approved_me(tx, account, &conversation, now)?;
            note_name(tx, account, known.as_ref(), &message, now)?;
        }
        configs::people::note_shown(tx, account, before.as_ref(), now)
    }

    /// Saves what is to be asked about all that was kept of a page.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn finish(&mut self, tx: &Tx<'_>, now: Millis) -> Result<(), ClientError> {
        ask_later(tx, &std::mem::take(&mut self.read_elsewhere), now)
    }

    /// Who writes to somebody wants to be written to.
    fn approved_me(
        &mut self,
        tx: &Tx<'_>,
        account: &Account,
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

    fn signal(
        &mut self,
        tx: &Tx<'_>,
        account: &Account,
        signal: &Signal,
        now: Millis,
    ) -> Result<(), ClientError> {
        let known =
            tx.find_message(signal.conversation.as_ref(), &signal.author, signal.timestamp)?;
        if known.is_none() && !may_wait(tx, account, signal)? {
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

/// Tells the other devices what a contact is called from this message on.
fn note_name(
    tx: &Tx<'_>,
    account: &Account,
    before: Option<&Contact>,
    message: &Fetched,
    now: Millis,
) -> Result<(), ClientError> {
    let Some(before) = before.filter(|before| before.approved) else { return Ok(()) };
    if message.sender_name.as_ref().is_none_or(|name| *name == before.name) {
        return Ok(());
    }
    let is_new = tx.contact(&before.id)?.is_some_and(|after| after.name != before.name);
    if is_new {
        configs::people::change_person(tx, account, &before.id, now, |_| {})?;
    }
    Ok(())
}

/// Whether the time of a new message runs because another device has read it. Notices are seen where
/// they come: nobody has read them elsewhere.
fn is_read_elsewhere(tx: &Tx<'_>, id: MessageId) -> Result<bool, ClientError> {
    let message = tx.message(id)?;
    let after_read = message.expiry.is_some_and(|expiry| expiry.mode == ExpiryMode::AfterRead);
    Ok(after_read
        && message.direction == Direction::Incoming
        && message.expires_at.is_some()
        && !matches!(message.content, Content::Control(_)))
}

/// Whether a signal may wait for its message: receipts do not, nor anything of strangers.
fn may_wait(tx: &Tx<'_>, account: &Account, signal: &Signal) -> Result<bool, ClientError> {
    if matches!(signal.change, Change::Read) {
        return Ok(false);
    }
    if signal.sender == account.id() {
        return Ok(true);
    }
    let Some(conversation) = &signal.conversation else { return Ok(false) };
    Ok(tx.conversation(conversation)?.is_some_and(|known| !known.is_request))
}
