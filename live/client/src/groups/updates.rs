//! What admins and members tell each other in a group.

use warren_config::{Member, Removal};
use warren_message::content::group::{GroupUpdate, InfoChange, MemberChange, MemberChangeKind};
use warren_wire::{AccountId, Millis};

use super::configs::{Configs, change};
use super::{about, deletion, membership};
use crate::database::Tx;
use crate::error::ClientError;
use crate::incoming::arrival::{self, Opened};
use crate::incoming::keep::Kept;
use crate::messenger::Messenger;
use crate::notice::Notice;

impl Messenger {
    /// Does what an update says and shows it. What only an admin can say is passed over where no admin
    /// signed it, and where somebody else brings it: neither names nor members are signed.
    pub(super) fn take_update(
        &self,
        tx: &Tx<'_>,
        configs: &Configs,
        opened: &Opened,
        update: GroupUpdate,
        kept: &mut Kept,
        now: Millis,
    ) -> Result<(), ClientError> {
        let (group, sender, time) = (opened.conversation, opened.author, opened.timestamp);
        let is_admin = configs.members.get(&sender).is_some_and(|member| member.admin);
        let notice = match update {
            GroupUpdate::InfoChange(_) | GroupUpdate::MemberChange(_) if !is_admin => None,
            GroupUpdate::InfoChange(claim) => claim.check(&group, time).ok().map(info_notice),
            GroupUpdate::MemberChange(claim) => match claim.check(&group, time) {
                Ok(change) => {
                    if matches!(change.kind, MemberChangeKind::Added { .. }) {
                        for member in &change.members {
                            has_returned(tx, &group, member, time, now)?;
                        }
                    }
                    Some(member_notice(&change))
                }
                Err(_) => None,
            },
            GroupUpdate::MemberLeftNotification => Some(Notice::MemberLeft),
            GroupUpdate::DeleteContent(claim) => {
                if let Ok(claim) = claim.check(&group, time) {
                    kept.events.extend(deletion::apply(tx, &group, &sender, claim, time)?);
                }
                None
            }
            GroupUpdate::InviteResponse { approved: true } => {
                has_returned(tx, &group, &sender, time, now)?;
                self.has_joined(tx, &group, &sender, opened, now)?;
                None
            }
            GroupUpdate::MemberLeft => {
                has_left(tx, &group, &sender, time, now)?;
                None
            }
            GroupUpdate::InviteResponse { .. }
            | GroupUpdate::Invite(_)
            | GroupUpdate::Promote(_) => None,
        };
        match notice {
            Some(notice) => {
                let row = arrival::notice(&self.account.id(), opened, &notice);
                kept.add(tx, &self.account, row, now)
            }
            None => Ok(()),
        }
    }

    /// An admin's device notes that somebody accepted their invitation, and what they are called.
    fn has_joined(
        &self,
        tx: &Tx<'_>,
        group: &AccountId,
        sender: &AccountId,
        opened: &Opened,
        now: Millis,
    ) -> Result<(), ClientError> {
        let name = arrival::profile(opened).and_then(|profile| profile.name.as_ref());
        let name = name.map(|name| name.as_str().to_owned());
        change(tx, group, now, |configs| {
            let waiting = |member: &Member| member.invitation.is_some();
            let Some(mut member) = configs.members.get(sender).filter(waiting) else {
                return Ok(());
            };
            if configs.is_admin() && member.removal.is_none() {
                member.accept_invitation();
                member.name = name.unwrap_or(member.name);
                configs.members.set(&member)?;
            }
            Ok(())
        })
    }
}

/// An admin's device marks who left to be removed, once for each time they leave: mailboxes bring
/// old messages again, and who came back since stays.
fn has_left(
    tx: &Tx<'_>,
    group: &AccountId,
    sender: &AccountId,
    time: Millis,
    now: Millis,
) -> Result<(), ClientError> {
    let name = format!("group left {group} {sender}");
    if time <= membership::number(tx, &name)? {
        return Ok(());
    }
    membership::put_number(tx, &name, time)?;
    if time < membership::number(tx, &returned_name(group, sender))? {
        return Ok(());
    }
    let is_marked = change(tx, group, now, |configs| {
        let stays = |member: &Member| member.removal.is_none();
        let member = configs.members.get(sender).filter(stays);
        let Some(mut member) = member.filter(|_| configs.is_admin()) else { return Ok(false) };
        member.remove(Removal::Member);
        configs.members.set(&member)?;
        Ok(true)
    })?;
    if is_marked {
        membership::put_number(tx, &marked_name(group, sender), time)?;
    }
    Ok(())
}

/// Notes that somebody was added, or joined, at this time; the mark that [`has_left`] made of an
/// earlier word of theirs goes.
fn has_returned(
    tx: &Tx<'_>,
    group: &AccountId,
    person: &AccountId,
    time: Millis,
    now: Millis,
) -> Result<(), ClientError> {
    let name = returned_name(group, person);
    if time <= membership::number(tx, &name)? {
        return Ok(());
    }
    membership::put_number(tx, &name, time)?;
    let marked = membership::number(tx, &marked_name(group, person))?;
    if marked == 0 || marked >= time {
        return Ok(());
    }
    tx.set_setting(&marked_name(group, person), None)?;
    change(tx, group, now, |configs| {
        let leaves = |member: &Member| member.removal == Some(Removal::Member);
        if let Some(mut member) = configs.members.get(person).filter(leaves) {
            member.removal = None;
            configs.members.set(&member)?;
        }
        Ok(())
    })
}

fn returned_name(group: &AccountId, person: &AccountId) -> String {
    format!("group returned {group} {person}")
}

fn marked_name(group: &AccountId, person: &AccountId) -> String {
    format!("group marked {group} {person}")
}

fn info_notice(change: InfoChange) -> Notice {
    match change {
        InfoChange::Name(name) => Notice::GroupName { name },
        InfoChange::Picture => Notice::GroupPicture,
        InfoChange::Timer(seconds) => about::timer_notice(seconds),
    }
}

fn member_notice(change: &MemberChange) -> Notice {
    let members = change.members.iter().map(ToString::to_string).collect();
    match change.kind {
        MemberChangeKind::Added { .. } => Notice::MembersAdded { members },
        MemberChangeKind::Removed => Notice::MembersRemoved { members },
        MemberChangeKind::Promoted => Notice::MembersPromoted { members },
    }
}
