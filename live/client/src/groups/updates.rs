//! What admins and members tell each other in a group.

use warren_message::content::group::{GroupUpdate, InfoChange, MemberChange, MemberChangeKind};
use warren_wire::{AccountId, Millis};

use super::configs::change;
use super::{about, deletion, membership};
use crate::database::Tx;
use crate::error::ClientError;
use crate::incoming::arrival::{self, Opened};
use crate::incoming::keep::Kept;
use crate::messenger::Messenger;
use crate::notice::Notice;

impl Messenger {
    /// Does what an update says and shows it. What no admin signed that only an admin can say is
    /// passed over.
    pub(super) fn take_update(
        &self,
        tx: &Tx<'_>,
        opened: &Opened,
        update: GroupUpdate,
        kept: &mut Kept,
        now: Millis,
    ) -> Result<(), ClientError> {
        let (group, sender, time) = (opened.conversation, opened.author, opened.timestamp);
        let notice = match update {
            GroupUpdate::InfoChange(claim) => claim.check(&group, time).ok().map(info_notice),
            GroupUpdate::MemberChange(claim) => {
                claim.check(&group, time).ok().as_ref().map(member_notice)
            }
            GroupUpdate::MemberLeftNotification => Some(Notice::MemberLeft),
            GroupUpdate::DeleteContent(claim) => {
                if let Ok(claim) = claim.check(&group, time) {
                    kept.events.extend(deletion::apply(tx, &group, &sender, claim, time)?);
                }
                None
            }
            GroupUpdate::InviteResponse { approved: true } => {
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
            let waiting = |member: &warren_config::Member| member.invitation.is_some();
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
/// old messages again.
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
    change(tx, group, now, |configs| {
        if let (true, Some(mut member)) = (configs.is_admin(), configs.members.get(sender)) {
            member.remove(warren_config::Removal::Member);
            configs.members.set(&member)?;
        }
        Ok(())
    })
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
