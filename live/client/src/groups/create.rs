//! A new group: its keys, its configurations, its first members.

use std::sync::Arc;

use warren_account::Group;
use warren_config::{Member, Synced};
use warren_crypto::SystemEntropy;
use warren_wire::limits::SECOND;
use warren_wire::{AccountId, AccountKind};

use super::configs::Configs;
use super::membership;
use crate::database::{self, GroupState, Tx};
use crate::error::ClientError;
use crate::messenger::Messenger;

/// The most members a group has, as in Session's clients.
pub(super) const MOST_MEMBERS: usize = 100;

impl Messenger {
    /// Makes a group with the account as its admin and invites `members`; its id.
    ///
    /// From the moment this returns the group exists on this device. What the network did not take
    /// yet (keys, configurations, invitations) goes with the next [`Messenger::sync`].
    ///
    /// # Errors
    /// Where the name is empty or has more than 100 bytes, there are more than 100 members, one of
    /// them is no person, or the database fails. A network that fails is no error.
    pub async fn create_group(
        &self,
        name: &str,
        members: &[AccountId],
    ) -> Result<AccountId, ClientError> {
        if name.trim().is_empty() {
            return Err(ClientError::GroupName);
        }
        let invited = self.people(members)?;
        let admin = Arc::new(Group::random(&mut SystemEntropy)?);
        let group = admin.id();
        let mut own = Member::new(self.account.id());
        own.name = self.display_name().unwrap_or_default();
        own.promote(None);
        let create = |tx: &Tx<'_>| self.write_group(tx, &admin, name, &own, &invited);
        self.db.with(|db| db.transact(create))?;
        if !invited.is_empty() {
            self.tell_added(&group, &invited, false)?;
        }
        self.tell(vec![crate::Event::ConversationChanged { conversation: group }]);
        self.tend_soon(&group).await?;
        Ok(group)
    }

    fn write_group(
        &self,
        tx: &Tx<'_>,
        admin: &Arc<Group>,
        name: &str,
        own: &Member,
        invited: &[AccountId],
    ) -> Result<(), ClientError> {
        let now = self.now();
        let mut configs = Configs::fresh(Arc::clone(admin))?;
        configs.info.set_name(name)?;
        configs.info.set_created(Some(now / SECOND))?;
        configs.members.set(own)?;
        for id in invited {
            let mut member = Member::new(*id);
            member.name = tx.contact(id)?.map(|contact| contact.name).unwrap_or_default();
            configs.members.set(&member)?;
        }
        configs.rekey()?;
        debug_assert!(configs.info.needs_push() && configs.members.needs_push());
        let row = database::Group {
            id: admin.id(),
            name: name.to_owned(),
            auth: None,
            admin_seed: Some(admin.seed().duplicate()),
            state: GroupState::Joined,
            invited_by: None,
            joined_at: now,
        };
        membership::keep(tx, &self.account, &row, now)?;
        configs.save(tx, now)
    }

    /// Other people's ids, each once.
    pub(super) fn people(&self, ids: &[AccountId]) -> Result<Vec<AccountId>, ClientError> {
        let own = self.account.id();
        let mut people: Vec<AccountId> = ids.iter().copied().filter(|id| *id != own).collect();
        people.sort_unstable();
        people.dedup();
        if people.iter().any(|id| id.kind() != AccountKind::Person) {
            return Err(ClientError::NotAPerson);
        }
        if people.len() >= MOST_MEMBERS {
            return Err(ClientError::TooManyMembers);
        }
        Ok(people)
    }
}
