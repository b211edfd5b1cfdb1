//! A group's keys, info and members, read from the database and written back together.

use std::sync::Arc;

use warren_account::{Group, group};
use warren_config::{GroupInfo, GroupKeys, GroupMembers, Signing, Synced};
use warren_crypto::ed25519::SigningKey;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use crate::configs::kept;
use crate::database::{AccountDb, ConfigState, Task, Tx};
use crate::error::ClientError;

/// What a group's members agree on.
pub(crate) struct Configs {
    /// Which group.
    pub(crate) group: AccountId,
    /// Its keys.
    pub(crate) keys: GroupKeys,
    /// What it is.
    pub(crate) info: GroupInfo,
    /// Who is in it.
    pub(crate) members: GroupMembers,
    admin: Option<Arc<Group>>,
}

/// Info or members, where both are treated alike.
pub(crate) trait Part: Synced + Sized {
    /// The one of this kind.
    fn of(configs: &mut Configs) -> &mut Self;
}

impl Part for GroupInfo {
    fn of(configs: &mut Configs) -> &mut Self {
        &mut configs.info
    }
}

impl Part for GroupMembers {
    fn of(configs: &mut Configs) -> &mut Self {
        &mut configs.members
    }
}

impl Configs {
    /// Empty ones, of a group that is being made.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub(crate) fn fresh(admin: Arc<Group>) -> Result<Self, ClientError> {
        let group = admin.id();
        Ok(Self {
            group,
            keys: GroupKeys::new(group)?,
            info: GroupInfo::new(signing(&group, Some(&admin))?)?,
            members: GroupMembers::new(signing(&group, Some(&admin))?)?,
            admin: Some(admin),
        })
    }

    /// A group's, as far as they came.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] for a group that is not known, or where the database fails or
    /// what it keeps is damaged.
    pub(crate) fn read(
        db: &AccountDb,
        group: &AccountId,
        now: Millis,
    ) -> Result<Self, ClientError> {
        let row = db.group(group)?.ok_or(ClientError::NotAMember)?;
        let admin = row.admin_seed.map(Group::from_seed).transpose()?.map(Arc::new);
        let dump = |namespace| Ok::<_, ClientError>(db.config(group, namespace)?.map(|it| it.dump));
        let keys = match dump(Namespace::GROUP_KEYS)? {
            Some(dump) => GroupKeys::from_dump(*group, dump.expose())?,
            None => GroupKeys::new(*group)?,
        };
        let sign = || signing(group, admin.as_ref());
        let mut info = match dump(GroupInfo::KIND.namespace)? {
            Some(dump) => GroupInfo::load(sign()?, dump.expose(), now)?,
            None => GroupInfo::new(sign()?)?,
        };
        let mut members = match dump(GroupMembers::KIND.namespace)? {
            Some(dump) => GroupMembers::load(sign()?, dump.expose(), now)?,
            None => GroupMembers::new(sign()?)?,
        };
        keys.hand_to(&mut info, false)?;
        keys.hand_to(&mut members, false)?;
        Ok(Self { group: *group, keys, info, members, admin })
    }

    /// The group's own key.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`] where the account does not have it.
    pub(crate) fn admin(&self) -> Result<Arc<Group>, ClientError> {
        self.admin.clone().ok_or(ClientError::NotAnAdmin)
    }

    /// Whether the account has the group's own key.
    pub(crate) const fn is_admin(&self) -> bool {
        self.admin.is_some()
    }

    /// Makes a new key for all who are not to be removed, and has the rest written again under it.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], or where the group has no further generation.
    pub(crate) fn rekey(&mut self) -> Result<(), ClientError> {
        let admin = self.admin()?;
        let staying = self.members.iter().filter(|member| member.removal.is_none());
        let staying: Vec<AccountId> = staying.map(|member| member.id).collect();
        self.keys.rekey(&admin, &staying)?;
        self.keys.hand_to(&mut self.info, true)?;
        self.keys.hand_to(&mut self.members, true)?;
        Ok(())
    }

    /// Keeps what changed.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn save(&mut self, tx: &Tx<'_>, now: Millis) -> Result<(), ClientError> {
        if self.keys.needs_dump() {
            self.save_keys(tx, None)?;
        }
        if self.info.needs_dump() {
            kept::write(tx, &self.group, &mut self.info, None, now)?;
        }
        if self.members.needs_dump() {
            kept::write(tx, &self.group, &mut self.members, None, now)?;
        }
        Ok(())
    }

    /// Keeps the keys; `stored_at` where the swarm is known to have had them then.
    ///
    /// # Errors
    /// Where the database fails.
    pub(crate) fn save_keys(
        &mut self,
        tx: &Tx<'_>,
        stored_at: Option<Millis>,
    ) -> Result<(), ClientError> {
        let namespace = Namespace::GROUP_KEYS;
        let before = tx.config(&self.group, namespace)?.and_then(|state| state.pushed_at);
        let hashes = self.keys.active_hashes();
        let hashes = hashes.iter().filter_map(|hash| hash.parse::<MessageHash>().ok()).collect();
        Ok(tx.put_config(&ConfigState {
            owner: self.group,
            namespace,
            needs_push: self.keys.pending_message().is_some(),
            seqno: self.keys.generation(),
            hashes,
            pushed_at: stored_at.or(before),
            dump: self.keys.dump()?.into(),
        })?)
    }
}

/// Has the swarm delete what later messages of a part replaced.
///
/// # Errors
/// Where the database fails.
pub(crate) fn delete_obsolete(
    tx: &Tx<'_>,
    group: &AccountId,
    part: &mut impl Synced,
    now: Millis,
) -> Result<(), ClientError> {
    let current = part.active_hashes(now);
    let mut obsolete = part.take_obsolete();
    obsolete.retain(|name| !current.contains(name));
    let hashes: Vec<MessageHash> = obsolete.iter().filter_map(|name| name.parse().ok()).collect();
    if !hashes.is_empty() {
        tx.add_job(&Task::Delete { mailbox: *group, hashes }, &[], now)?;
    }
    Ok(())
}

/// Changes a group's configurations in a transaction.
///
/// # Errors
/// Those of `work`, or where the database fails.
pub(crate) fn change<T>(
    tx: &Tx<'_>,
    group: &AccountId,
    now: Millis,
    work: impl FnOnce(&mut Configs) -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let mut configs = Configs::read(tx, group, now)?;
    let done = work(&mut configs)?;
    configs.save(tx, now)?;
    Ok(done)
}

fn signing(id: &AccountId, admin: Option<&Arc<Group>>) -> Result<Signing, ClientError> {
    Ok(match admin {
        Some(admin) => Signing::Sign(SigningKey::from_seed(admin.seed().duplicate())?),
        None => Signing::Verify(group::verifying_key(id)?),
    })
}
