//! What other devices pushed is merged, and the tables follow.

use warren_account::Account;
use warren_config::{
    Contact, Contacts, ConversationId, ConvoInfoVolatile, Lost, UserGroups, UserProfile,
};
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::kept::{self, Kept};
use super::people::{expiry_from, is_declined, millis, notify_from};
use super::reading::name_of;
use super::wrapper::unwrap;
use crate::database::{self, Group, GroupState, Picture, Setting, Task, Tx};
use crate::disappearing::ask_later;
use crate::error::ClientError;
use crate::events::Event;
use crate::groups::membership::{self, change_entry};
use crate::mailbox::fetch::Page;

/// Merges a page of one of the account's configuration drawers; what to tell of it.
///
/// # Errors
/// Where the database fails or what it keeps is damaged.
pub(crate) fn merge(
    tx: &Tx<'_>,
    account: &Account,
    page: &Page,
    now: Millis,
) -> Result<Vec<Event>, ClientError> {
    match page.namespace.number() {
        2 => Follow { tx, account, now }.merged(page, Follow::profile),
        3 => Follow { tx, account, now }.merged(page, Follow::contacts),
        4 => Follow { tx, account, now }.merged(page, Follow::reading),
        5 => Follow { tx, account, now }.merged(page, Follow::groups),
        _ => Ok(Vec::new()),
    }
}

/// Marks what another device has read of a conversation of which the first message came only now.
///
/// # Errors
/// Where the database fails or what it keeps is damaged.
pub(crate) fn read_before(
    tx: &Tx<'_>,
    account: &Account,
    id: &AccountId,
    now: Millis,
) -> Result<(), ClientError> {
    let Some(name) = name_of(id) else { return Ok(()) };
    let volatile = kept::read::<ConvoInfoVolatile>(tx, account, now)?;
    match volatile.iter().find(|conversation| conversation.id == name) {
        Some(conversation) => Follow { tx, account, now }.read(&conversation).map(drop),
        None => Ok(()),
    }
}

struct Follow<'a> {
    tx: &'a Tx<'a>,
    account: &'a Account,
    now: Millis,
}

impl Follow<'_> {
    fn merged<C: Kept>(
        &self,
        page: &Page,
        follow: fn(&Self, &C, &C) -> Result<Vec<Event>, ClientError>,
    ) -> Result<Vec<Event>, ClientError> {
        let own = self.account.id();
        let inner = |message: &warren_wire::rpc::reply::RetrievedMessage| {
            // What a node calls it is not believed: what is obsolete is deleted by this name.
            let name = MessageHash::compute(&own, page.namespace, &message.data).ok()?;
            Some((name.to_string(), unwrap(self.account, &message.data)))
        };
        let messages: Vec<_> = page.messages.iter().filter_map(inner).collect();
        let mut config = kept::read::<C>(self.tx, self.account, self.now)?;
        let before = kept::read::<C>(self.tx, self.account, self.now)?;
        config.merge(&messages, self.now)?;
        let obsolete = if config.needs_push() { Vec::new() } else { config.take_obsolete() };
        let obsolete: Vec<_> = obsolete.iter().filter_map(|hash| hash.parse().ok()).collect();
        if !obsolete.is_empty() {
            let task = Task::Delete { mailbox: own, hashes: obsolete };
            self.tx.add_job(&task, &[], self.now)?;
        }
        if !config.needs_dump() {
            return Ok(Vec::new());
        }
        // A node that says it was in the future keeps it from no renewal.
        let stored = page.messages.iter().map(|message| message.timestamp).max();
        let stored = stored.map(|stored| stored.min(self.now));
        kept::write(self.tx, &own, &mut config, stored, self.now)?;
        follow(self, &before, &config)
    }

    fn profile(&self, _: &UserProfile, profile: &UserProfile) -> Result<Vec<Event>, ClientError> {
        let own = self.account.id();
        self.tx.ensure_conversation(&own, self.now)?;
        let priority = profile.note_to_self_priority();
        self.tx.set_conversation(&own, &Setting::Priority(priority.into()))?;
        let seconds = profile.note_to_self_timer().and_then(|timer| u32::try_from(timer).ok());
        let mode = database::ExpiryMode::AfterSend;
        let expiry = seconds.map(|seconds| database::Expiry { mode, seconds });
        self.tx.set_conversation(&own, &Setting::Expiry(expiry))?;
        let picture = profile.picture();
        let at = picture.as_ref().map(|it| (it.url.as_str(), it.key.expose().as_slice()));
        self.tx.want_picture(&own, at, self.now)?;
        Ok(vec![Event::AccountChanged, Event::ConversationChanged { conversation: own }])
    }

    fn contacts(&self, before: &Contacts, contacts: &Contacts) -> Result<Vec<Event>, ClientError> {
        let mut events = Vec::new();
        for contact in contacts.iter().filter(|contact| contact.id != self.account.id()) {
            let before = before.get(&contact.id);
            if is_declined(&contact) && before.as_ref() != Some(&contact) {
                self.declined(&contact.id)?;
            }
            if self.contact(&contact)? {
                events.push(Event::ContactChanged { contact: contact.id });
                events.push(Event::ConversationChanged { conversation: contact.id });
            }
        }
        // Whom another device removed is removed here.
        for known in self.tx.contacts()? {
            let was_there = before.get(&known.id).is_some();
            if was_there && contacts.get(&known.id).is_none() {
                self.tx.remove_contact(&known.id)?;
                events.push(Event::ContactChanged { contact: known.id });
            }
        }
        Ok(events)
    }

    /// What waits of somebody's request goes, as another device declined it.
    fn declined(&self, id: &AccountId) -> Result<(), ClientError> {
        let conversation = self.tx.conversation(id)?;
        if conversation.is_some_and(|conversation| conversation.is_request) {
            self.tx.decline_request(id, self.now)?;
        }
        Ok(())
    }

    /// Whether anything of the person is new.
    fn contact(&self, contact: &Contact) -> Result<bool, ClientError> {
        let known = self.tx.contact(&contact.id)?;
        let picture = contact.picture.as_ref().map(|picture| Picture {
            url: picture.url.clone(),
            key: picture.key.expose().to_vec().into(),
        });
        let petname = Some(contact.nickname.clone()).filter(|name| !name.is_empty());
        let mut wanted = database::Contact {
            id: contact.id,
            name: contact.name.clone(),
            petname,
            approved: contact.approved,
            approved_me: contact.approved_me,
            blocked: contact.blocked,
            picture,
            profile_updated: millis(contact.profile_updated),
            created: millis(contact.created),
        };
        if let Some(known) = &known {
            wanted.created = known.created;
            // What came with a message may be newer than what the other device knew.
            if known.profile_updated > wanted.profile_updated || wanted.name.is_empty() {
                wanted.name.clone_from(&known.name);
                wanted.picture.clone_from(&known.picture);
                wanted.profile_updated = known.profile_updated;
            }
        }
        let mut changed = known.as_ref() != Some(&wanted);
        if changed && self.tx.put_contact(&wanted).is_err() {
            // Another contact has the nickname on this device.
            wanted.petname = known.and_then(|known| known.petname);
            self.tx.put_contact(&wanted)?;
        }
        // A request that was declined does not hide the next one.
        let priority = if is_declined(contact) { 0 } else { contact.priority };
        let settings = [
            Setting::Priority(priority.into()),
            Setting::Notify(notify_from(contact.notify)),
            Setting::MutedUntil(millis(contact.mute_until)),
            Setting::Expiry(expiry_from(contact.expiration)),
        ];
        changed |= self.settings(&contact.id, &settings)?;
        Ok(changed)
    }

    fn settings(&self, id: &AccountId, settings: &[Setting]) -> Result<bool, ClientError> {
        let before = self.tx.conversation(id)?;
        // A contact one never wrote with has no conversation, unless something is set for it.
        let plain = [
            Setting::Priority(0),
            Setting::Notify(database::Notify::All),
            Setting::MutedUntil(0),
            Setting::Expiry(None),
        ];
        if before.is_none() && settings.iter().all(|setting| plain.contains(setting)) {
            return Ok(false);
        }
        self.tx.ensure_conversation(id, self.now)?;
        for setting in settings {
            self.tx.set_conversation(id, setting)?;
        }
        Ok(self.tx.conversation(id)? != before)
    }

    fn reading(
        &self,
        _: &ConvoInfoVolatile,
        volatile: &ConvoInfoVolatile,
    ) -> Result<Vec<Event>, ClientError> {
        let mut events = Vec::new();
        for conversation in volatile.iter() {
            events.extend(self.read(&conversation)?);
        }
        Ok(events)
    }

    fn read(
        &self,
        conversation: &warren_config::Conversation,
    ) -> Result<Option<Event>, ClientError> {
        let (ConversationId::Person(id) | ConversationId::Group(id)) = conversation.id else {
            return Ok(None);
        };
        let Some(before) = self.tx.conversation(&id)? else { return Ok(None) };
        let read = self.tx.starts_when_read(&id, conversation.last_read)?;
        let read: Vec<_> = read.into_iter().map(|(id, _)| id).collect();
        self.tx.mark_read_elsewhere(&id, conversation.last_read, self.now)?;
        ask_later(self.tx, &read, self.now)?;
        self.tx.set_conversation(&id, &Setting::MarkedUnread(conversation.unread))?;
        let changed = self.tx.conversation(&id)?.as_ref() != Some(&before);
        Ok(changed.then_some(Event::ConversationChanged { conversation: id }))
    }

    fn groups(&self, _: &UserGroups, groups: &UserGroups) -> Result<Vec<Event>, ClientError> {
        let mut events = Vec::new();
        for group in groups.groups() {
            let known = self.tx.group(&group.id)?;
            let mut state = match group.lost {
                Some(Lost::Destroyed) => GroupState::Destroyed,
                Some(_) => GroupState::Kicked,
                None if group.membership.invited => GroupState::Invited,
                None => GroupState::Joined,
            };
            // Devices that take in an invitation while another accepts it say at once that there is
            // one and that there is none, and either may prevail. An answer is not taken back.
            let has_answered = known.as_ref().is_some_and(|known| {
                known.state == GroupState::Joined
                    && millis(group.membership.joined_at) <= known.joined_at
            });
            if has_answered && state == GroupState::Invited {
                state = GroupState::Joined;
                change_entry(self.tx, self.account, &group.id, self.now, |entry| {
                    entry.membership.invited = false;
                })?;
            }
            if state == GroupState::Kicked
                && known.as_ref().is_some_and(|known| known.state == GroupState::Joined)
                && let Some(keys) = self.tx.config(&group.id, Namespace::GROUP_KEYS)?
            {
                membership::note_removal(self.tx, &group.id, keys.seqno)?;
            }
            let invited_by = known.as_ref().and_then(|known| known.invited_by);
            self.tx.put_group(&Group {
                id: group.id,
                name: group.name.clone(),
                auth: group.member_auth.as_ref().map(warren_crypto::Secret::duplicate),
                admin_seed: group.seed.as_ref().map(warren_crypto::Secret::duplicate),
                state,
                invited_by,
                joined_at: millis(group.membership.joined_at),
            })?;
            let settings = [
                Setting::Priority(group.membership.priority.into()),
                Setting::Notify(notify_from(group.membership.notify)),
                Setting::MutedUntil(millis(group.membership.mute_until)),
            ];
            self.tx.ensure_conversation(&group.id, self.now)?;
            let request = Setting::Request(state == GroupState::Invited);
            self.tx.set_conversation(&group.id, &request)?;
            self.settings(&group.id, &settings)?;
            events.push(Event::ConversationChanged { conversation: group.id });
        }
        for known in self.tx.groups()? {
            if groups.group(&known.id).is_none() && known.state != GroupState::Left {
                self.tx.remove_group(&known.id)?;
                self.tx.remove_configs(&known.id)?;
                self.tx.delete_conversation(&known.id, self.now)?;
                events.push(Event::ConversationChanged { conversation: known.id });
            }
        }
        Ok(events)
    }
}
