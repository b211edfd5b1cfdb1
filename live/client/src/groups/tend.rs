//! What is due in a group is done: changes pushed, people invited, promoted and removed, an answer
//! given, what the swarm keeps renewed.

use std::sync::Arc;

use warren_account::Group;
use warren_account::subaccount::MEMBER_RIGHTS;
use warren_config::group_keys::{Reader, kicked};
use warren_config::{GroupInfo, GroupMembers, Member, MemberStatus, Removal, Sending};
use warren_crypto::SystemEntropy;
use warren_message::Content;
use warren_message::content::admin::Unverified;
use warren_message::content::data::{Data, What};
use warren_message::content::group::{Deletion, GroupUpdate, Promote, UncheckedDeletion};
use warren_message::content::profile::Profile;
use warren_message::expiration::CONFIG_TTL;
use warren_wire::{AccountId, MessageHash, Namespace};

use super::configs::{Configs, Part, change, delete_obsolete};
use super::{about, deletion};
use crate::configs::kept;
use crate::configs::push::is_old;
use crate::database::{GroupState, Purpose, Task, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::mailbox::Access;
use crate::mailbox::order::Deed;
use crate::mailbox::store::Letter;
use crate::messenger::{Messenger, now};

impl Messenger {
    /// Does what is due in all groups; one that fails keeps no other from it.
    pub(crate) async fn tend_groups(&self) -> Result<usize, ClientError> {
        let (mut pushed, mut failure) = (0, None);
        for group in self.db.with(|db| db.groups())? {
            if group.state == GroupState::Joined {
                match self.tend(&group.id).await {
                    Ok(done) => pushed += usize::from(done),
                    Err(error) => {
                        failure.get_or_insert(error);
                    }
                }
            }
        }
        failure.map_or(Ok(pushed), Err)
    }

    /// Tends a group right away and delivers what waits; a network that fails is tried again with
    /// the next sync.
    pub(super) async fn tend_soon(&self, group: &AccountId) -> Result<(), ClientError> {
        match self.tend(group).await {
            Err(error) if !error.is_network() => return Err(error),
            _ => {}
        }
        self.deliver_soon().await
    }

    /// Delivers what waits, as far as the network lets it.
    pub(super) async fn deliver_soon(&self) -> Result<(), ClientError> {
        match self.deliver_waiting().await {
            Err(error) if !error.is_network() => Err(error),
            _ => Ok(()),
        }
    }

    async fn tend(&self, group: &AccountId) -> Result<bool, ClientError> {
        let _alone = self.tending.lock().await;
        self.answer_if_owed(group)?;
        let access = self.access_to(group)?;
        let mut pushed = false;
        if let Access::Admin(admin) = &access {
            self.db.with(|db| db.transact(|tx| self.settle(tx, group)))?;
            pushed |= self.push_changes(group).await?;
            self.carry_out_removals(group, admin).await?;
            self.send_invitations(group, &access).await?;
            pushed |= self.push_changes(group).await?;
            if self.db.with(|db| Configs::read(db, group, now()))?.info.is_destroyed() {
                // The key that old messages are deleted with goes with the end.
                self.deliver_soon().await?;
                self.note_end(group)?;
                return Ok(pushed);
            }
        }
        self.renew_group(group, &access).await?;
        Ok(pushed)
    }

    /// What an admin's device has to do without the network: accept its own promotion, and make a
    /// new key where two were made at once.
    fn settle(&self, tx: &Tx<'_>, group: &AccountId) -> Result<(), ClientError> {
        let own = self.account.id();
        change(tx, group, now(), |configs| {
            if configs.keys.current().is_none() {
                return Ok(());
            }
            let waits = |member: &Member| !member.admin || member.promotion.is_some();
            let own = configs.members.get(&own).filter(|member| member.removal.is_none());
            if let Some(mut member) = own.filter(waits) {
                member.promote(None);
                configs.members.set(&member)?;
            }
            if configs.keys.needs_rekey() && configs.keys.pending_message().is_none() {
                configs.rekey()?;
            }
            Ok(())
        })
    }

    // ---- Pushing --------------------------------------------------------------------------------

    /// Pushes what an admin changed: keys first, so that nobody meets what they cannot open.
    pub(super) async fn push_group(&self, group: &AccountId) -> Result<bool, ClientError> {
        let _alone = self.tending.lock().await;
        self.push_changes(group).await
    }

    async fn push_changes(&self, group: &AccountId) -> Result<bool, ClientError> {
        let access = self.access_to(group)?;
        let Access::Admin(admin) = &access else { return Err(ClientError::NotAnAdmin) };
        let keys = self.push_keys(group, &access, admin).await?;
        let info = self.push_part::<GroupInfo>(group, &access).await?;
        let members = self.push_part::<GroupMembers>(group, &access).await?;
        Ok(keys || info || members)
    }

    async fn push_keys(
        &self,
        group: &AccountId,
        access: &Access,
        admin: &Arc<Group>,
    ) -> Result<bool, ClientError> {
        let keys = self.group_keys(group)?;
        let Some(message) = keys.pending_message() else { return Ok(false) };
        let (data, stored_at) = (message.to_vec(), now());
        let hash = self.store_config(group, Namespace::GROUP_KEYS, data.clone(), access).await?;
        let confirm = |tx: &Tx<'_>| {
            let mut configs = Configs::read(tx, group, now())?;
            let reader = Reader::Admin(admin);
            configs.keys.load(reader, &hash.to_string(), &data, stored_at)?;
            configs.save_keys(tx, Some(stored_at))
        };
        self.db.with(|db| db.transact(confirm))?;
        Ok(true)
    }

    async fn push_part<P: Part>(
        &self,
        group: &AccountId,
        access: &Access,
    ) -> Result<bool, ClientError> {
        let begin = |tx: &Tx<'_>| {
            let mut configs = Configs::read(tx, group, now())?;
            let part = P::of(&mut configs);
            let state = tx.config(group, part.namespace())?;
            // Of one that is only old: the same bytes, which live for another thirty days.
            let due = part.needs_push() || state.as_ref().is_some_and(is_old);
            if !due || part.config().key_count() == 0 {
                return Ok(None);
            }
            let mut push = part.push(now())?;
            // Named until they are deleted, wherever this program ends.
            part.keep_obsolete(std::mem::take(&mut push.obsolete));
            kept::write(tx, group, part, None, now())?;
            Ok::<_, ClientError>(Some((part.namespace(), push)))
        };
        let begun = self.db.with(|db| db.transact(begin))?;
        let Some((namespace, push)) = begun else { return Ok(false) };
        let mut hashes: Vec<MessageHash> = Vec::new();
        for data in push.messages {
            hashes.push(self.store_config(group, namespace, data, access).await?);
        }
        let confirm = |tx: &Tx<'_>| {
            let mut configs = Configs::read(tx, group, now())?;
            let part = P::of(&mut configs);
            part.confirm_pushed(push.seqno, hashes.iter().map(ToString::to_string).collect());
            if !part.needs_push() {
                delete_obsolete(tx, group, part, now())?;
            }
            kept::write(tx, group, part, Some(now()), now())
        };
        self.db.with(|db| db.transact(confirm))?;
        Ok(true)
    }

    async fn store_config(
        &self,
        group: &AccountId,
        namespace: Namespace,
        data: Vec<u8>,
        access: &Access,
    ) -> Result<MessageHash, ClientError> {
        let letter = Letter { target: *group, namespace, data, timestamp: now(), ttl: CONFIG_TTL };
        self.network.store(&letter, Some(access)).await
    }

    /// Has the swarm keep keys and configurations for another thirty days: any member may. What an
    /// admin can store anew is stored; where the newest key is lost, there is a newer one from here on.
    async fn renew_group(&self, group: &AccountId, access: &Access) -> Result<(), ClientError> {
        let states = self.db.with(|db| db.configs())?;
        for state in states.into_iter().filter(|state| state.owner == *group && is_old(state)) {
            let until = now().saturating_add(CONFIG_TTL);
            self.network.order(access, &Deed::Extend(state.hashes.clone(), until)).await?;
            let is_admin = matches!(access, Access::Admin(_));
            if is_admin
                && state.namespace == Namespace::GROUP_KEYS
                && self.newest_keys_are_lost(group, access).await?
            {
                let rekey = |tx: &Tx<'_>| change(tx, group, now(), Configs::rekey);
                self.db.with(|db| db.transact(rekey))?;
                self.push_changes(group).await?;
                continue;
            }
            self.db.with(|db| db.note_renewed(&state, now()))?;
        }
        Ok(())
    }

    async fn newest_keys_are_lost(
        &self,
        group: &AccountId,
        access: &Access,
    ) -> Result<bool, ClientError> {
        let keys = self.group_keys(group)?;
        let newest = keys.newest_hashes().filter_map(|name| name.parse().ok());
        let newest: Vec<MessageHash> = newest.collect();
        let known = self.network.expiries(access, &newest).await?;
        Ok(newest.iter().any(|name| known.iter().all(|(other, _)| other != name)))
    }

    // ---- Invitations and promotions -------------------------------------------------------------

    async fn send_invitations(
        &self,
        group: &AccountId,
        access: &Access,
    ) -> Result<(), ClientError> {
        let Access::Admin(admin) = access else { return Ok(()) };
        let configs = self.db.with(|db| Configs::read(db, group, now()))?;
        let due: Vec<Member> =
            configs.members.iter().filter(|member| is_due(&configs, member)).collect();
        let invited = due.iter().filter(|member| !member.admin);
        let tokens = invited.map(|member| admin.token(&member.id, MEMBER_RIGHTS));
        let tokens: Vec<_> = tokens.collect::<Result<_, _>>()?;
        if !tokens.is_empty() {
            // Whoever was removed before may act again.
            self.network.order(access, &Deed::Unrevoke(tokens)).await?;
        }
        for member in due {
            self.send_invitation(&configs, admin, &member.id, member.admin)?;
        }
        Ok(())
    }

    pub(super) fn send_invitation(
        &self,
        configs: &Configs,
        admin: &Arc<Group>,
        id: &AccountId,
        promotion: bool,
    ) -> Result<(), ClientError> {
        let (group, now) = (configs.group, self.now());
        let name = configs.info.name().unwrap_or_default();
        let update = if promotion {
            GroupUpdate::Promote(Promote { seed: admin.seed().duplicate(), name })
        } else {
            self.invitation(configs, &name, id, now)?
        };
        let data = Data::from(What::Group(update)).with_profile(self.own_profile());
        let copy = self.seal(Purpose::Recipient, id, &Content::from(data), now)?;
        let save = |tx: &Tx<'_>| {
            let is_sent = change(tx, &group, now, |configs| {
                let member = configs.members.get(id);
                let member = member.filter(|it| it.admin == promotion && is_due(configs, it));
                let Some(mut member) = member else { return Ok(false) };
                let sending =
                    if promotion { &mut member.promotion } else { &mut member.invitation };
                *sending = Some(Sending::Sent);
                configs.members.set(&member)?;
                Ok(true)
            })?;
            if is_sent {
                // Whoever joins finds the keys that they are given.
                let keys = tx.waiting_stores(&group, Namespace::GROUP_KEYS)?;
                tx.add_job(&Task::Store { message: None, copy }, &keys, now)?;
            }
            Ok(())
        };
        self.db.with(|db| db.transact(save))
    }

    // ---- Removals -------------------------------------------------------------------------------

    /// Removes who is marked to be: rights taken, word left for them, a new key for the others.
    async fn carry_out_removals(
        &self,
        group: &AccountId,
        admin: &Arc<Group>,
    ) -> Result<(), ClientError> {
        let configs = self.db.with(|db| Configs::read(db, group, now()))?;
        let marked: Vec<Member> =
            configs.members.iter().filter(|member| member.removal.is_some()).collect();
        if marked.is_empty() {
            return Ok(());
        }
        let removed: Vec<AccountId> = marked.iter().map(|member| member.id).collect();
        let access = Access::Admin(Arc::clone(admin));
        let tokens = removed.iter().map(|id| admin.token(id, MEMBER_RIGHTS));
        let tokens: Vec<_> = tokens.collect::<Result<_, _>>()?;
        self.network.order(&access, &Deed::Revoke(tokens)).await?;
        let word = kicked::seal(admin, &removed, configs.keys.generation(), &mut SystemEntropy)?;
        self.store_config(group, Namespace::GROUP_REMOVALS, word, &access).await?;
        let profile = self.own_profile();
        let finish = |tx: &Tx<'_>| self.finish_removals(tx, group, &removed, profile);
        let events = self.db.with(|db| db.transact(finish))?;
        self.tell(events);
        Ok(())
    }

    /// Erases those who are still marked, and has what is to go with them deleted everywhere; whoever
    /// was invited again meanwhile stays. Word was left at this generation: there is a newer one.
    pub(super) fn finish_removals(
        &self,
        tx: &Tx<'_>,
        group: &AccountId,
        removed: &[AccountId],
        profile: Option<Profile>,
    ) -> Result<Vec<Event>, ClientError> {
        let now = self.now();
        let mut configs = Configs::read(tx, group, now)?;
        let mut with_messages = Vec::new();
        for id in removed {
            let Some(removal) = configs.members.get(id).and_then(|it| it.removal) else { continue };
            configs.members.erase(id)?;
            if removal == Removal::WithMessages {
                with_messages.push(*id);
            }
        }
        configs.rekey()?;
        configs.save(tx, now)?;
        let events = deletion::erase_all_of(tx, group, &with_messages, now)?;
        if with_messages.is_empty() {
            return Ok(events);
        }
        let (admin, timestamp) = (configs.admin()?, tx.free_timestamp(group, now)?);
        let claim = Deletion { members: with_messages, messages: Vec::new() };
        let claim = Unverified::sign(claim, admin.signing_key(), timestamp)?;
        let update = GroupUpdate::DeleteContent(UncheckedDeletion::ByAdmin(claim));
        let content = Content::from(Data::from(What::Group(update)).with_profile(profile));
        let copy = self.seal_with(&configs.keys, &content, timestamp)?;
        tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
        Ok(events)
    }

    /// Notes that the group is over, once its swarm knows.
    fn note_end(&self, group: &AccountId) -> Result<(), ClientError> {
        let note = |tx: &Tx<'_>| {
            let configs = Configs::read(tx, group, now())?;
            about::follow_info(tx, &self.account, &configs, self.now())
        };
        let events = self.db.with(|db| db.transact(note))?;
        self.tell(events);
        Ok(())
    }
}

/// Whether somebody's invitation or promotion is this device's to send.
fn is_due(configs: &Configs, member: &Member) -> bool {
    match configs.members.status(member) {
        MemberStatus::Invited { sending, .. } | MemberStatus::Promoted { sending, .. } => sending,
        _ => false,
    }
}
