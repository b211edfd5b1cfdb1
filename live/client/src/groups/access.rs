//! What lets the account act for a mailbox: its own, or a group's that it is in.

use std::sync::Arc;

use warren_account::{Group, MemberAuth, UncheckedMemberAuth, subaccount};
use warren_config::GroupKeys;
use warren_crypto::SystemEntropy;
use warren_message::Content;
use warren_message::group::seal_group;
use warren_wire::{AccountId, AccountKind, Millis, Namespace};

use crate::database::{GroupState, Purpose, SealedCopy};
use crate::error::ClientError;
use crate::mailbox::Access;
use crate::messenger::Messenger;

impl Messenger {
    /// What lets the account act for a mailbox.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] where it may not.
    pub(crate) fn access_to(&self, mailbox: &AccountId) -> Result<Access, ClientError> {
        if *mailbox == self.account.id() {
            return Ok(Access::Person(Arc::clone(&self.account)));
        }
        let group = self.db.with(|db| db.group(mailbox))?.ok_or(ClientError::NotAMember)?;
        if let Some(seed) = group.admin_seed {
            return Ok(Access::Admin(Arc::new(Group::from_seed(seed)?)));
        }
        let auth = group.auth.ok_or(ClientError::NotAMember)?;
        Ok(Access::Member(*mailbox, Arc::new(self.check_auth(mailbox, auth.expose())?)))
    }

    /// What signs a copy, where not everyone may store there.
    pub(crate) fn access_to_store(&self, copy: &SealedCopy) -> Result<Option<Access>, ClientError> {
        if copy.namespace.takes_from_anyone() {
            return Ok(None);
        }
        self.access_to(&copy.target).map(Some)
    }

    pub(crate) fn check_auth(
        &self,
        group: &AccountId,
        auth: &[u8],
    ) -> Result<MemberAuth, ClientError> {
        let unchecked =
            UncheckedMemberAuth::from_bytes(auth).map_err(|_| ClientError::NotAMember)?;
        let checked = unchecked.check(group, &self.account, subaccount::MEMBER_RIGHTS);
        checked.map_err(|_| ClientError::NotAMember)
    }

    /// The group's keys, as far as they came.
    ///
    /// # Errors
    /// Where the database fails or what it keeps is damaged.
    pub(crate) fn group_keys(&self, group: &AccountId) -> Result<GroupKeys, ClientError> {
        debug_assert_eq!(group.kind(), AccountKind::Group);
        let state = self.db.with(|db| db.config(group, Namespace::GROUP_KEYS))?;
        Ok(match state {
            Some(state) => GroupKeys::from_dump(*group, state.dump.expose())?,
            None => GroupKeys::new(*group)?,
        })
    }

    /// What is said in a group, sealed under its current key.
    pub(crate) fn seal_to_group(
        &self,
        group: &AccountId,
        content: &Content,
        timestamp: Millis,
    ) -> Result<SealedCopy, ClientError> {
        let row = self.db.with(|db| db.group(group))?;
        if row.is_none_or(|row| row.state != GroupState::Joined) {
            return Err(ClientError::NotAMember);
        }
        self.seal_with(&self.group_keys(group)?, content, timestamp)
    }

    /// What is said in a group, sealed under the current one of these keys.
    pub(super) fn seal_with(
        &self,
        keys: &GroupKeys,
        content: &Content,
        timestamp: Millis,
    ) -> Result<SealedCopy, ClientError> {
        let (group, key) = (keys.group(), keys.current().ok_or(ClientError::NotAMember)?);
        let ttl = content.ttl();
        let content = content.encode(timestamp);
        let data = seal_group(&self.account, &group, key, content, timestamp, &mut SystemEntropy)?;
        Ok(SealedCopy {
            purpose: Purpose::Recipient,
            target: group,
            namespace: Namespace::GROUP_MESSAGES,
            data,
            timestamp,
            ttl,
        })
    }
}
