//! Who is in a group: listed, promoted, removed; leaving it, and ending it.

use warren_config::{MemberStatus, Removal, Sending};
use warren_message::Content;
use warren_message::content::data::{Data, What};
use warren_message::content::group::{GroupUpdate, MemberChange, MemberChangeKind};
use warren_wire::AccountId;

use super::configs::{Configs, change};
use super::{about, membership};
use crate::database::{self, GroupState, SealedCopy, Task, Tx};
use crate::error::ClientError;
use crate::messenger::Messenger;
use crate::notice::Notice;

/// A member of a group, as its admins see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Who.
    pub id: AccountId,
    /// What they are called in the group; empty where nobody said.
    pub name: String,
    /// How they stand to it.
    pub standing: Standing,
}

/// How somebody stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Their invitation is still to be sent, or failed.
    ToBeInvited,
    /// Invited, and has not answered.
    Invited,
    /// In the group.
    Member,
    /// Made an admin, and does not know it yet.
    Promoted,
    /// An admin.
    Admin,
    /// Being removed.
    Leaving,
}

impl From<MemberStatus> for Standing {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Invited { invitation: Sending::Sent, .. } => Self::Invited,
            MemberStatus::Invited { .. } => Self::ToBeInvited,
            MemberStatus::Member => Self::Member,
            MemberStatus::Promoted { .. } => Self::Promoted,
            MemberStatus::Admin => Self::Admin,
            MemberStatus::Removed(_) => Self::Leaving,
        }
    }
}

impl Messenger {
    /// The members of a group by id, those who are invited included.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] for a group that is not known, or where the database fails.
    pub fn group_members(&self, group: &AccountId) -> Result<Vec<GroupMember>, ClientError> {
        let configs = self.db.with(|db| Configs::read(db, group, self.now()))?;
        let members = configs.members.iter().map(|member| {
            let standing = configs.members.status(&member).into();
            GroupMember { id: member.id, name: member.name, standing }
        });
        Ok(members.collect())
    }

    /// Makes members admins, for good: they get the group's own key. Admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], [`ClientError::NotAMember`] where somebody is not in the group,
    /// or where the database fails. What the network did not take goes with the next sync.
    pub async fn promote(
        &self,
        group: &AccountId,
        people: &[AccountId],
    ) -> Result<(), ClientError> {
        let people = self.people(people)?;
        self.change_members(group, |configs| {
            for id in &people {
                let member = configs.members.get(id).filter(|member| member.removal.is_none());
                let mut member = member.ok_or(ClientError::NotAMember)?;
                if !member.admin {
                    member.promote(Some(Sending::NotSent));
                    configs.members.set(&member)?;
                }
            }
            Ok(())
        })?;
        let kind = MemberChangeKind::Promoted;
        let members = people.iter().map(ToString::to_string).collect();
        let notice = Notice::MembersPromoted { members };
        let claim = MemberChange { kind, members: people };
        self.say_as_admin(group, claim, GroupUpdate::MemberChange, Some(&notice))?;
        self.tend_soon(group).await
    }

    /// Removes members: they lose access and read no further; with `messages`, what they wrote is
    /// deleted for everyone. Admins alone can, and no admin can be removed.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], [`ClientError::AdminStays`], or where the database fails. What
    /// the network did not take goes with the next sync.
    pub async fn remove_members(
        &self,
        group: &AccountId,
        people: &[AccountId],
        messages: bool,
    ) -> Result<(), ClientError> {
        let people = self.people(people)?;
        let removal = if messages { Removal::WithMessages } else { Removal::Member };
        let removed = self.change_members(group, |configs| {
            let mut removed = Vec::new();
            for id in &people {
                let Some(mut member) = configs.members.get(id) else { continue };
                if member.admin {
                    return Err(ClientError::AdminStays);
                }
                member.remove(removal);
                configs.members.set(&member)?;
                removed.push(*id);
            }
            Ok(removed)
        })?;
        if removed.is_empty() {
            return Ok(());
        }
        let kind = MemberChangeKind::Removed;
        let members = removed.iter().map(ToString::to_string).collect();
        let notice = Notice::MembersRemoved { members };
        let claim = MemberChange { kind, members: removed };
        self.say_as_admin(group, claim, GroupUpdate::MemberChange, Some(&notice))?;
        self.tend_soon(group).await
    }

    /// Leaves a group: its members are told, its messages go from all devices of the account.
    ///
    /// # Errors
    /// [`ClientError::LastAdmin`] where others would be left without an admin,
    /// [`ClientError::NotAMember`], or where the database fails. What the network did not take goes
    /// with the next sync.
    pub async fn leave_group(&self, group: &AccountId) -> Result<(), ClientError> {
        let own = self.account.id();
        let configs = self.db.with(|db| Configs::read(db, group, self.now()))?;
        let others = || configs.members.iter().filter(|member| member.id != own);
        let admins_left = others().any(|member| member.admin && member.promotion.is_none());
        if configs.is_admin() && others().next().is_some() && !admins_left {
            return Err(ClientError::LastAdmin);
        }
        let farewell = match self.db.with(|db| db.group(group))?.map(|row| row.state) {
            Some(GroupState::Joined) if configs.keys.current().is_some() => self.farewell(group)?,
            _ => Vec::new(),
        };
        let leave = |tx: &Tx<'_>| {
            let row = tx.group(group)?.ok_or(ClientError::NotAMember)?;
            // What lets the account act stays until its last words are stored.
            tx.put_group(&database::Group { state: GroupState::Left, ..row })?;
            for copy in farewell {
                tx.add_job(&Task::Store { message: None, copy }, &[], self.now())?;
            }
            membership::forget(tx, &self.account, group, self.now())
        };
        let event = self.db.with(|db| db.transact(leave))?;
        self.tell(vec![event]);
        self.deliver_soon().await
    }

    /// Ends a group for everybody and for good; admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], or where the database fails. Where the network fails, the group
    /// is ended with the next sync.
    pub async fn destroy_group(&self, group: &AccountId) -> Result<(), ClientError> {
        self.db.with(|db| db.transact(|tx| about::destroy(tx, group, self.now())))?;
        self.tend_soon(group).await
    }

    /// One message for the admins, who remove the sender, and one for all to see.
    fn farewell(&self, group: &AccountId) -> Result<Vec<SealedCopy>, ClientError> {
        let updates = [GroupUpdate::MemberLeft, GroupUpdate::MemberLeftNotification];
        let seal = |update| {
            let data = Data::from(What::Group(update)).with_profile(self.own_profile());
            self.seal_to_group(group, &Content::from(data), self.now())
        };
        updates.into_iter().map(seal).collect()
    }

    fn change_members<T>(
        &self,
        group: &AccountId,
        work: impl FnOnce(&mut Configs) -> Result<T, ClientError>,
    ) -> Result<T, ClientError> {
        let work = |configs: &mut Configs| {
            configs.admin()?;
            work(configs)
        };
        let done = self.db.with(|db| db.transact(|tx| change(tx, group, self.now(), work)))?;
        self.tell(vec![crate::Event::ConversationChanged { conversation: *group }]);
        Ok(done)
    }
}
