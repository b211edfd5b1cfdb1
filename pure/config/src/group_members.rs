//! Who is in a group, as its admins say: signed by the group's key.
//!
//! `m` holds a dictionary by 33-byte account id:
//!
//! | key | what |
//! |---|---|
//! | `n` | name; always there, so that an empty entry is not pruned |
//! | `p`, `q` | picture and its key |
//! | `A` | 1: an admin, or promoted to be one |
//! | `I` | invitation: 1 sent, 2 failed, 3 not sent; missing once accepted, and for admins |
//! | `P` | promotion: 1 sent, 2 failed, 3 not sent; missing once accepted |
//! | `s` | 1: invited with the keys of earlier messages |
//! | `R` | to be removed: 1, or 2 together with their messages |
//!
//! Whose invitation or promotion this device is sending is kept on this device alone:
//! `pending_send_ids`, a list of hexadecimal ids, in the dump's extra data.

use std::collections::BTreeSet;

use warren_wire::{AccountId, AccountKind, Millis};

use crate::base::bt::{Bt, write_bytes, write_texts};
use crate::base::tree::{Dict, Value};
use crate::base::{Config, ConfigError};
use crate::entry::Entry;
use crate::synced::{Synced, group_config};
use crate::values::{MAX_NAME_BYTES, ProfilePicture, flag, integer, text, truncated};

const PENDING: &[u8] = b"pending_send_ids";

/// Who is in a group: namespace 14 of the group.
pub struct GroupMembers {
    config: Config,
    /// To whom this device is sending an invitation or promotion.
    pending: BTreeSet<AccountId>,
}

group_config!(GroupMembers, 14, "groups::Members");

/// How far an invitation or a promotion got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// It was sent and not answered.
    Sent,
    /// It could not be sent.
    Failed,
    /// It is still to be sent.
    NotSent,
    /// Something that a newer client wrote.
    Unknown(i64),
}

impl Sending {
    const fn from_number(number: i64) -> Option<Self> {
        match number {
            ..=0 => None,
            1 => Some(Self::Sent),
            2 => Some(Self::Failed),
            3 => Some(Self::NotSent),
            other => Some(Self::Unknown(other)),
        }
    }

    const fn number(sending: Option<Self>) -> i64 {
        match sending {
            None => 0,
            Some(Self::Sent) => 1,
            Some(Self::Failed) => 2,
            Some(Self::NotSent) => 3,
            Some(Self::Unknown(other)) => other,
        }
    }
}

/// That a member is to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Their messages stay.
    Member,
    /// Their messages are deleted.
    WithMessages,
    /// Something that a newer client wrote.
    Unknown(i64),
}

impl Removal {
    const fn from_number(number: i64) -> Option<Self> {
        match number {
            ..=0 => None,
            1 => Some(Self::Member),
            2 => Some(Self::WithMessages),
            other => Some(Self::Unknown(other)),
        }
    }

    const fn number(removal: Option<Self>) -> i64 {
        match removal {
            None => 0,
            Some(Self::Member) => 1,
            Some(Self::WithMessages) => 2,
            Some(Self::Unknown(other)) => other,
        }
    }
}

/// What a member's fields come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStatus {
    /// Invited; how far that is, and whether this device is at it.
    Invited {
        /// How far it is.
        invitation: Sending,
        /// Whether this device is sending it.
        sending: bool,
    },
    /// In the group.
    Member,
    /// Promoted; how far that is, and whether this device is at it.
    Promoted {
        /// How far it is.
        promotion: Sending,
        /// Whether this device is sending it.
        sending: bool,
    },
    /// An admin.
    Admin,
    /// To be removed.
    Removed(Removal),
}

/// A member of a group.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: AccountId,
    /// What they call themselves; cut to 100 bytes when stored.
    pub name: String,
    /// Their picture.
    pub picture: Option<ProfilePicture>,
    /// Whether they are an admin or promoted to be one.
    pub admin: bool,
    /// The invitation they have not accepted.
    pub invitation: Option<Sending>,
    /// The promotion they have not accepted.
    pub promotion: Option<Sending>,
    /// Whether they are to be removed.
    pub removal: Option<Removal>,
    /// Whether they were invited with the keys of earlier messages.
    pub supplement: bool,
}

impl Member {
    /// Somebody who is still to be invited.
    pub const fn new(id: AccountId) -> Self {
        Self {
            id,
            name: String::new(),
            picture: None,
            admin: false,
            invitation: Some(Sending::NotSent),
            promotion: None,
            removal: None,
            supplement: false,
        }
    }

    /// Makes them a member who accepted.
    pub fn accept_invitation(&mut self) {
        (self.invitation, self.supplement) = (None, false);
    }

    /// Makes them an admin; `promotion` says how far telling them is, `None` that they accepted.
    pub fn promote(&mut self, promotion: Option<Sending>) {
        (self.admin, self.invitation, self.promotion) = (true, None, promotion);
    }

    /// Marks them to be removed.
    pub fn remove(&mut self, removal: Removal) {
        (self.invitation, self.promotion, self.removal) = (None, None, Some(removal));
    }

    fn read(id: AccountId, dict: &Dict) -> Self {
        let admin = flag(dict, b"A");
        let promotion = Sending::from_number(integer(dict, b"P"));
        let invitation = Sending::from_number(integer(dict, b"I")).filter(|_| !admin);
        Self {
            id,
            name: text(dict, b"n"),
            picture: ProfilePicture::read(dict),
            admin,
            invitation,
            promotion,
            removal: Removal::from_number(integer(dict, b"R")),
            supplement: invitation.is_some() && promotion.is_none() && flag(dict, b"s"),
        }
    }
}

impl Synced for GroupMembers {
    fn config(&self) -> &Config {
        &self.config
    }

    fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    fn dump(&mut self, now: Millis) -> Result<Vec<u8>, ConfigError> {
        let mut extra = b"d".to_vec();
        if !self.pending.is_empty() {
            write_bytes(&mut extra, PENDING);
            let ids: Vec<String> = self.pending.iter().map(AccountId::to_string).collect();
            write_texts(&mut extra, &ids);
        }
        extra.push(b'e');
        self.config.extra = extra;
        self.config.dump(now)
    }
}

impl GroupMembers {
    fn from_config(config: Config) -> Self {
        let extra = Bt::read(&config.extra).ok();
        let ids = extra.as_ref().and_then(|extra| extra.get(PENDING)?.list().ok());
        let read = |id: &Bt<'_>| std::str::from_utf8(id.bytes().ok()?).ok()?.parse().ok();
        let pending = ids.unwrap_or_default().iter().filter_map(read).collect();
        Self { config, pending }
    }

    /// A member, where they are one.
    pub fn get(&self, id: &AccountId) -> Option<Member> {
        let entry = self.config.get(&[b"m", id.as_bytes()])?.as_dict()?;
        Some(Member::read(*id, entry))
    }

    /// A member as stored, or as somebody who is still to be invited.
    pub fn get_or_new(&self, id: &AccountId) -> Member {
        self.get(id).unwrap_or_else(|| Member::new(*id))
    }

    /// All members by account id.
    pub fn iter(&self) -> impl Iterator<Item = Member> {
        let entries = self.config.get(&[b"m"]).and_then(Value::as_dict).into_iter().flatten();
        entries.filter_map(|(key, entry)| {
            let id = AccountId::from_bytes(key).ok()?;
            let entry = entry.as_dict()?;
            (id.kind() == AccountKind::Person).then(|| Member::read(id, entry))
        })
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a member's fields come to: a removal before a promotion before an invitation.
    pub fn status(&self, member: &Member) -> MemberStatus {
        let sending = |of: Sending| of == Sending::NotSent && self.pending.contains(&member.id);
        match (member.removal, member.admin, member.promotion, member.invitation) {
            (Some(removal), ..) => MemberStatus::Removed(removal),
            (_, true, Some(promotion), _) => {
                MemberStatus::Promoted { promotion, sending: sending(promotion) }
            }
            (_, true, None, _) => MemberStatus::Admin,
            (_, false, _, Some(invitation)) => {
                MemberStatus::Invited { invitation, sending: sending(invitation) }
            }
            (_, false, _, None) => MemberStatus::Member,
        }
    }

    /// Stores a member; fields that this program does not know stay as they are. Where an invitation
    /// or promotion is still to be sent, this device counts as the one that sends it.
    ///
    /// # Errors
    /// [`ConfigError::Value`] for an id that is no person's or a picture's address that is too long,
    /// [`ConfigError::ReadOnly`] for whoever is no admin.
    pub fn set(&mut self, member: &Member) -> Result<(), ConfigError> {
        ProfilePicture::check(member.picture.as_ref())?;
        if member.id.kind() != AccountKind::Person {
            return Err(ConfigError::Value);
        }
        let invitation = member.invitation.filter(|_| !member.admin);
        let mut entry = Entry::new(&mut self.config, &[b"m", member.id.as_bytes()]);
        entry.put(b"n", Some(truncated(&member.name, MAX_NAME_BYTES).into()))?;
        entry.picture(member.picture.as_ref())?;
        entry.flag(b"A", member.admin)?;
        entry.number(b"P", Sending::number(member.promotion))?;
        entry.number(b"I", Sending::number(invitation))?;
        entry.flag(b"s", member.supplement)?;
        entry.number(b"R", Removal::number(member.removal))?;
        let to_send = if member.admin { member.promotion } else { invitation };
        self.set_pending(&member.id, to_send == Some(Sending::NotSent));
        Ok(())
    }

    /// Notes whether this device is sending a member their invitation or promotion.
    pub fn set_pending(&mut self, id: &AccountId, pending: bool) {
        let changed = if pending { self.pending.insert(*id) } else { self.pending.remove(id) };
        self.config.needs_dump |= changed;
    }

    /// Whether this device is sending a member their invitation or promotion.
    pub fn is_pending(&self, id: &AccountId) -> bool {
        self.pending.contains(id)
    }

    /// Removes a member with all that is stored of them; whether there was anything.
    ///
    /// # Errors
    /// [`ConfigError::ReadOnly`] for whoever is no admin.
    pub fn erase(&mut self, id: &AccountId) -> Result<bool, ConfigError> {
        let path: [&[u8]; 2] = [b"m", id.as_bytes()];
        let known = self.config.get(&path).is_some();
        self.config.erase(&path)?;
        self.set_pending(id, false);
        Ok(known)
    }
}
