//! A page of a group's mailbox is kept: keys before info, info before members, then messages.
//!
//! What no key opens yet is not lost: it is noted that there is something, and once another key is
//! here the mailbox is read again from its beginning.

use std::collections::BTreeSet;

use warren_account::Account;
use warren_config::group_keys::{Reader, kicked};
use warren_config::{GroupInfo, GroupMembers};
use warren_message::content::data::What;
use warren_message::expiration::Conversation;
use warren_message::group::{GroupOpenError, open_group};
use warren_message::{Content, Kind};
use warren_wire::limits::DAY;
use warren_wire::rpc::reply::RetrievedMessage;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::configs::{Configs, Part, delete_obsolete};
use super::{about, membership};
use crate::configs::kept::write;
use crate::database::{GroupState, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::incoming::arrival::{Arrival, Opened, arrivals, time_of};
use crate::incoming::fetch::Mailbox;
use crate::incoming::keep::Kept;
use crate::mailbox::fetch::Page;
use crate::messenger::Messenger;

/// So long after this device has a newer key, what is sealed with an older one may be on its way.
const IN_FLIGHT: Millis = DAY;

/// Keys open info, info and members say who may speak; word of a removal comes last.
const DRAWERS: &[Namespace] = &[
    Namespace::GROUP_KEYS,
    GroupInfo::KIND.namespace,
    GroupMembers::KIND.namespace,
    Namespace::GROUP_MESSAGES,
    Namespace::GROUP_REMOVALS,
];

impl Messenger {
    /// The mailboxes of all groups that the account is in.
    pub(crate) fn group_mailboxes(&self) -> Result<Vec<Mailbox>, ClientError> {
        let groups = self.db.with(|db| db.groups())?;
        let joined = groups.iter().filter(|group| group.state == GroupState::Joined);
        // One whose right to act is damaged is no reason to read no other.
        let mailboxes = joined.filter_map(|group| self.group_mailbox(&group.id).ok());
        Ok(mailboxes.collect())
    }

    pub(crate) fn group_mailbox(&self, group: &AccountId) -> Result<Mailbox, ClientError> {
        let access = self.access_to(group)?;
        Ok(Mailbox { access, drawers: DRAWERS, main: Namespace::GROUP_MESSAGES })
    }

    /// Whether the mailbox of a group must be read again, for keys came that may open what none did
    /// before; then it is read from its beginning by whatever fetches next.
    pub(crate) fn is_to_be_read_again(&self, group: &AccountId) -> Result<bool, ClientError> {
        let again = |tx: &Tx<'_>| {
            let Some(before) = tx.setting(&unopened_name(group))? else { return Ok(false) };
            let Some(state) = tx.config(group, Namespace::GROUP_KEYS)? else { return Ok(false) };
            let keys = warren_config::GroupKeys::from_dump(*group, state.dump.expose())?;
            if before == known_keys(&keys) {
                return Ok(false);
            }
            tx.forget_cursors_of(group)?;
            tx.set_setting(&unopened_name(group), None)?;
            Ok::<_, ClientError>(true)
        };
        self.db.with(|db| db.transact(again))
    }

    /// Keeps a page of a group's mailbox.
    pub(crate) fn keep_group_page(
        &self,
        tx: &Tx<'_>,
        group: &AccountId,
        page: &Page,
        now: Millis,
    ) -> Result<Kept, ClientError> {
        let mut kept = Kept::default();
        let joined = tx.group(group)?.is_some_and(|row| row.state == GroupState::Joined);
        if page.messages.is_empty() || !joined {
            return Ok(kept);
        }
        let mut configs = Configs::read(tx, group, now)?;
        let unopened = match page.namespace {
            Namespace::GROUP_KEYS => {
                self.keep_keys(tx, &mut configs, page, now)?;
                false
            }
            Namespace::GROUP_MESSAGES => self.keep_messages(tx, &configs, page, &mut kept, now)?,
            Namespace::GROUP_REMOVALS => {
                kept.events.extend(self.keep_removals(tx, &configs, page, now)?);
                false
            }
            other if other == GroupInfo::KIND.namespace => {
                let unopened = merge::<GroupInfo>(tx, &mut configs, page, now)?;
                kept.events.extend(about::follow_info(tx, &self.account, &configs, now)?);
                unopened
            }
            _ => {
                kept.events.push(Event::ConversationChanged { conversation: *group });
                merge::<GroupMembers>(tx, &mut configs, page, now)?
            }
        };
        if unopened {
            tx.set_setting(&unopened_name(group), Some(&known_keys(&configs.keys)))?;
        }
        Ok(kept)
    }

    fn keep_keys(
        &self,
        tx: &Tx<'_>,
        configs: &mut Configs,
        page: &Page,
        now: Millis,
    ) -> Result<(), ClientError> {
        let admin = configs.admin().ok();
        let mut latest = None;
        for message in &page.messages {
            let Some(name) = name_of(&configs.group, page.namespace, message) else { continue };
            let mut load = |reader| {
                let (data, stored) = (&message.data, message.timestamp);
                configs.keys.load_seen(reader, &name, data, stored, Some(now)).is_ok()
            };
            // A supplement is for members alone, and who is an admin may have been one before.
            let mut loaded = load(Reader::Member(&self.account));
            if let Some(admin) = &admin {
                loaded |= load(Reader::Admin(admin));
            }
            if loaded {
                // A node that says it was in the future keeps it from no renewal.
                latest = latest.max(Some(message.timestamp.min(now)));
            }
        }
        configs.save_keys(tx, latest)?;
        // What was pushed under an older key stays; what is written from here on is under the newest.
        configs.keys.hand_to(&mut configs.info, false)?;
        configs.keys.hand_to(&mut configs.members, false)?;
        configs.save(tx, now)
    }

    /// Authors are not looked up in the list of members where the key is in use: the list may lag
    /// behind either way. What somebody said while they were a member stays; with a key that was
    /// replaced a while ago, members alone are heard.
    fn keep_messages(
        &self,
        tx: &Tx<'_>,
        configs: &Configs,
        page: &Page,
        kept: &mut Kept,
        now: Millis,
    ) -> Result<bool, ClientError> {
        let mut unopened = false;
        for message in &page.messages {
            match open(configs, message, now) {
                Ok(Some(opened)) => self.keep_message(tx, configs, opened, kept, now)?,
                Ok(None) => {}
                Err(NoKey) => unopened = true,
            }
        }
        kept.finish(tx, now)?;
        Ok(unopened)
    }

    fn keep_message(
        &self,
        tx: &Tx<'_>,
        configs: &Configs,
        opened: Opened,
        kept: &mut Kept,
        now: Millis,
    ) -> Result<(), ClientError> {
        if let Kind::Data(data) = &opened.content.kind
            && let What::Group(update) = &data.what
        {
            return self.take_update(tx, configs, &opened, update.clone(), kept, now);
        }
        // How long messages of a group live, its info says; requests are between two people.
        let is_timer = matches!(&opened.content.kind, Kind::Data(data) if matches!(data.what, What::TimerUpdate));
        if is_timer || matches!(opened.content.kind, Kind::RequestResponse(_)) {
            return Ok(());
        }
        for arrival in arrivals(&self.account.id(), opened) {
            let arrival = match arrival {
                Arrival::Message(message, _) => Arrival::Message(message, false),
                other => other,
            };
            kept.add(tx, &self.account, arrival, now)?;
        }
        Ok(())
    }

    fn keep_removals(
        &self,
        tx: &Tx<'_>,
        configs: &Configs,
        page: &Page,
        now: Millis,
    ) -> Result<Option<Event>, ClientError> {
        // Without a key it cannot be said from when the word is; and an admin cannot be removed.
        if configs.is_admin() || configs.keys.current().is_none() {
            return Ok(None);
        }
        let (group, known) = (configs.group, configs.keys.generation());
        // What was obeyed once says nothing against whoever was invited again since.
        let obeyed = membership::last_removal(tx, &group)?;
        let concerns = |generation: &i64| {
            kicked::holds(*generation, known) && obeyed.is_none_or(|obeyed| *generation > obeyed)
        };
        let words = page.messages.iter();
        let words = words.filter_map(|message| says_removed(&self.account, configs, message));
        let Some(generation) = words.filter(concerns).max() else { return Ok(None) };
        membership::note_removal(tx, &group, generation)?;
        membership::lose(tx, &self.account, &group, GroupState::Kicked, now)
    }
}

fn says_removed(account: &Account, configs: &Configs, message: &RetrievedMessage) -> Option<i64> {
    kicked::open(&configs.group, account, &message.data).ok()
}

/// No key that is here opens it.
struct NoKey;

/// Opens a message; `None` for what is none.
fn open(
    configs: &Configs,
    message: &RetrievedMessage,
    received_at: Millis,
) -> Result<Option<Opened>, NoKey> {
    let group = configs.group;
    let in_use = configs.keys.keys_not_superseded_before(received_at.saturating_sub(IN_FLIGHT));
    let opened = match open_group(&group, in_use, &message.data) {
        Err(GroupOpenError::Key) => match open_group(&group, configs.keys.keys(), &message.data) {
            Err(GroupOpenError::Key) => return Err(NoKey),
            Ok(late) if may_be_late(configs, &late.sender) => late,
            _ => return Ok(None),
        },
        Err(_) => return Ok(None),
        Ok(opened) => opened,
    };
    let hash = MessageHash::compute(&group, Namespace::GROUP_MESSAGES, &message.data);
    let (Ok(hash), Ok((mut content, signed))) = (hash, Content::decode(&opened.content)) else {
        return Ok(None);
    };
    let of_group = Conversation::Group;
    content.expiration = content.expiration.map(|expiration| expiration.within(of_group));
    let said = signed.or(opened.timestamp);
    let time = said.and_then(|said| time_of(said, message.timestamp, received_at));
    Ok(time.map(|timestamp| Opened {
        hash,
        conversation: group,
        author: opened.sender,
        timestamp,
        received_at,
        content: content.seen_from(&opened.sender),
        raw: opened.content,
    }))
}

/// Whether somebody is heard with a key that was replaced a while ago: a member, as far as is known.
fn may_be_late(configs: &Configs, author: &AccountId) -> bool {
    configs.members.is_empty() || configs.members.get(author).is_some()
}

/// Merges info or members; whether something could not be read.
fn merge<P: Part>(
    tx: &Tx<'_>,
    configs: &mut Configs,
    page: &Page,
    now: Millis,
) -> Result<bool, ClientError> {
    let (group, is_admin) = (configs.group, configs.is_admin());
    let part = P::of(configs);
    if part.config().key_count() == 0 {
        return Ok(true);
    }
    let named = page.messages.iter().filter_map(|message| {
        Some((name_of(&group, page.namespace, message)?, message.data.clone()))
    });
    let messages: Vec<(String, Vec<u8>)> = named.collect();
    let good: BTreeSet<String> = part.merge(&messages, now)?;
    // As if it had been renewed when the newest one was stored.
    let read = page.messages.iter().filter(|message| {
        name_of(&group, page.namespace, message).is_some_and(|name| good.contains(&name))
    });
    let stored_at = read.map(|message| message.timestamp.min(now)).max();
    if is_admin && !part.needs_push() {
        delete_obsolete(tx, &group, part, now)?;
    }
    if part.needs_dump() {
        write(tx, &group, part, stored_at, now)?;
    }
    Ok(good.len() < messages.len())
}

/// What the swarm calls a message, by its bytes: what a node calls it is not believed, for what is
/// obsolete is deleted by this name.
fn name_of(group: &AccountId, namespace: Namespace, message: &RetrievedMessage) -> Option<String> {
    let name = MessageHash::compute(group, namespace, &message.data).ok()?;
    Some(name.to_string())
}

/// What a device knew when it could not open something.
fn known_keys(keys: &warren_config::GroupKeys) -> Vec<u8> {
    format!("{}:{}", keys.generation(), keys.keys().count()).into_bytes()
}

fn unopened_name(group: &AccountId) -> String {
    format!("group unopened {group}")
}
