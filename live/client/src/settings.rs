//! What the owner sets: for themselves, for a person, for a conversation.

use warren_config::UserProfile;
use warren_message::Content;
use warren_message::content::data::{Data, What};
use warren_wire::{AccountId, AccountKind};

use crate::configs::{self, people};
use crate::database::{Contact, Expiry, NewOutgoing, Setting, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;
use crate::notice::{Notice, TimerMode};

impl Messenger {
    /// What the people one writes to are told; `None` tells them nothing.
    pub fn display_name(&self) -> Option<String> {
        let read = |db: &mut crate::database::AccountDb| {
            configs::read::<UserProfile>(db, &self.account, self.now())
        };
        let profile = self.db.with(read).ok();
        profile.and_then(|profile| profile.name()).or_else(|| self.entry.display_name.clone())
    }

    /// Sets what the people one writes to are told.
    ///
    /// # Errors
    /// Where it has more than 100 bytes or the database fails.
    pub fn set_display_name(&self, name: &str) -> Result<(), ClientError> {
        self.set(|tx| {
            configs::change(tx, &self.account, self.now(), |profile: &mut UserProfile| {
                profile.set_name(name, self.now())
            })
        })?;
        self.publish(Event::AccountChanged);
        Ok(())
    }

    /// Sets something for a conversation, on all of the account's devices where it concerns them.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_conversation(&self, id: &AccountId, setting: &Setting) -> Result<(), ClientError> {
        self.set(|tx| {
            tx.ensure_conversation(id, self.now())?;
            tx.set_conversation(id, setting)?;
            people::note_setting(tx, &self.account, id, setting, self.now())
        })?;
        self.publish(Event::ConversationChanged { conversation: *id });
        Ok(())
    }

    /// Has one's own messages in a conversation disappear from here on, or stay. The other side is
    /// told. Of a group it is everybody's messages, counted from sending, and admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], or where the database fails.
    pub fn set_timer(&self, id: &AccountId, expiry: Option<Expiry>) -> Result<(), ClientError> {
        if id.kind() == AccountKind::Group {
            return self.set_group_timer_here(id, expiry.map(|expiry| expiry.seconds));
        }
        let now = self.now();
        let expiration = expiry.and_then(|expiry| self.expiration(id, expiry));
        let data = Data::from(What::TimerUpdate).with_profile(self.own_profile());
        let content = Content { expiration, ..Content::from(data) };
        let timestamp = self.db.with(|db| db.free_timestamp(id, now))?;
        let copies = self.copies(id, &content, timestamp)?;
        let notice = Notice::Timer {
            mode: expiry.map(|expiry| TimerMode::from(expiry.mode)),
            seconds: expiry.map_or(0, |expiry| expiry.seconds),
        };
        let row = NewOutgoing {
            conversation: *id,
            content: &crate::database::Content::Control(notice.to_json()),
            details: &crate::database::Details { expiry, ..Default::default() },
            timestamp,
            now,
            copies: &copies,
        };
        let message = self.set(|tx| {
            tx.ensure_conversation(id, now)?;
            let setting = Setting::Expiry(expiry);
            tx.set_conversation(id, &setting)?;
            people::note_setting(tx, &self.account, id, &setting, now)?;
            Ok(tx.queue_message(&row)?)
        })?;
        self.publish(Event::MessageNew { conversation: *id, message_id: message });
        self.publish(Event::ConversationChanged { conversation: *id });
        Ok(())
    }

    /// Accepts somebody's request: they are told, and are a contact from here on.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn accept_request(&self, id: &AccountId) -> Result<(), ClientError> {
        let profile = self.own_profile();
        self.set(|tx| self.approve(tx, id, profile, self.now()))?;
        self.contact_changed(id);
        Ok(())
    }

    /// Declines somebody's request on all of the account's devices: what they wrote goes; they may
    /// ask again unless they are blocked.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn decline_request(&self, id: &AccountId, block: bool) -> Result<(), ClientError> {
        let now = self.now();
        self.set(|tx| {
            tx.decline_request(id, now)?;
            if block {
                tx.set_blocked(id, true, now)?;
            }
            people::note_declined(tx, &self.account, id, block, now)
        })?;
        self.contact_changed(id);
        Ok(())
    }

    /// Keeps nothing of what somebody writes, or does again.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn set_blocked(&self, id: &AccountId, blocked: bool) -> Result<(), ClientError> {
        self.set(|tx| {
            tx.set_blocked(id, blocked, self.now())?;
            people::change_person(tx, &self.account, id, self.now(), |contact| {
                contact.blocked = blocked;
            })
        })?;
        self.contact_changed(id);
        Ok(())
    }

    /// Gives somebody a name, or takes it back; who has a name is a contact.
    ///
    /// # Errors
    /// Where another contact has the name, it is too long, or the database fails.
    pub fn set_nickname(&self, id: &AccountId, nickname: Option<&str>) -> Result<(), ClientError> {
        self.set(|tx| {
            let known = tx.contact(id)?.unwrap_or_else(|| Contact::new(*id, self.now()));
            let petname = nickname.map(str::to_owned);
            tx.put_contact(&Contact { petname, approved: true, ..known })?;
            people::change_person(tx, &self.account, id, self.now(), |contact| {
                contact.nickname = nickname.unwrap_or_default().to_owned();
                people::approve(contact);
            })
        })?;
        self.contact_changed(id);
        Ok(())
    }

    /// Takes back that somebody is a contact whose messages are wanted, on all of the account's
    /// devices; messages stay.
    ///
    /// # Errors
    /// Where the database fails or the person is not known.
    pub fn withdraw_approval(&self, id: &AccountId) -> Result<(), ClientError> {
        self.set(|tx| {
            tx.approve_contact(id, false)?;
            people::change_person(tx, &self.account, id, self.now(), |contact| {
                contact.approved = false;
            })
        })?;
        self.contact_changed(id);
        Ok(())
    }

    /// Forgets a contact, on all of the account's devices; messages stay.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn remove_contact(&self, id: &AccountId) -> Result<(), ClientError> {
        self.set(|tx| {
            tx.remove_contact(id)?;
            configs::change(
                tx,
                &self.account,
                self.now(),
                |contacts: &mut warren_config::Contacts| contacts.erase(id).map(drop),
            )
        })?;
        self.contact_changed(id);
        Ok(())
    }

    fn contact_changed(&self, id: &AccountId) {
        self.publish(Event::ContactChanged { contact: *id });
        self.publish(Event::ConversationChanged { conversation: *id });
    }

    fn set<T>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        self.db.with(|db| db.transact(work))
    }
}
