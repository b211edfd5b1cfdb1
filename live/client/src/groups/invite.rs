//! Invitations: people added by an admin; what comes of an invitation or a promotion that was read.

use warren_account::Group;
use warren_config::{Member, Synced};
use warren_message::Content;
use warren_message::Kind;
use warren_message::content::admin::Unverified;
use warren_message::content::data::{Data, What};
use warren_message::content::group::{
    GroupUpdate, Invite, MemberChange, MemberChangeKind, Promote,
};
use warren_message::expiration::CONFIG_TTL;
use warren_wire::{AccountId, Millis, Namespace};

use super::configs::Configs;
use super::create::MOST_MEMBERS;
use super::membership;
use crate::database::{self, GroupState, Purpose, SealedCopy, Task, Tx};
use crate::error::ClientError;
use crate::events::Event;
use crate::incoming::arrival::Opened;
use crate::messenger::Messenger;
use crate::notice::Notice;

/// So many invitations by strangers wait for an answer; the oldest go first.
pub(super) const MOST_UNANSWERED: usize = 32;

impl Messenger {
    /// Adds people to a group; with `history` they get the keys of what was said before. Admins
    /// alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], [`ClientError::TooManyMembers`], [`ClientError::NotAPerson`], or
    /// where the database fails. With history also where the network fails before the group's own
    /// keys are in its swarm. Otherwise what the network did not take goes with the next sync.
    pub async fn invite_to_group(
        &self,
        group: &AccountId,
        people: &[AccountId],
        history: bool,
    ) -> Result<(), ClientError> {
        let people = self.people(people)?;
        if people.is_empty() {
            return Ok(());
        }
        if history {
            // Keys that are handed on come from the swarm.
            self.push_group(group).await?;
        }
        self.db.with(|db| db.transact(|tx| add(tx, group, &people, history, self.now())))?;
        self.tell_added(group, &people, history)?;
        self.tend_soon(group).await
    }

    pub(super) fn tell_added(
        &self,
        group: &AccountId,
        people: &[AccountId],
        with_history: bool,
    ) -> Result<(), ClientError> {
        let kind = MemberChangeKind::Added { with_history };
        let claim = MemberChange { kind, members: people.to_vec() };
        let members = people.iter().map(ToString::to_string).collect();
        let notice = Notice::MembersAdded { members };
        self.say_as_admin(group, claim, GroupUpdate::MemberChange, Some(&notice))
    }

    /// Joins a group that the account is invited to: its members are told.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] where there is no invitation, or where the database fails. A
    /// network that fails is no error: the group is fetched with the next sync.
    pub async fn accept_invite(&self, group: &AccountId) -> Result<(), ClientError> {
        let accept = |tx: &Tx<'_>| {
            let row = tx.group(group)?.filter(|row| row.state == GroupState::Invited);
            let row = row.ok_or(ClientError::NotAMember)?;
            let joined =
                database::Group { state: GroupState::Joined, joined_at: self.now(), ..row };
            owe_answer(tx, group)?;
            membership::keep(tx, &self.account, &joined, self.now())
        };
        let event = self.db.with(|db| db.transact(accept))?;
        self.tell(vec![event]);
        match self.receive_group(group).await {
            Err(error) if !error.is_network() => return Err(error),
            _ => {}
        }
        self.tend_soon(group).await
    }

    /// Declines an invitation; nobody is told.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] where there is no invitation, or where the database fails.
    pub fn decline_invite(&self, group: &AccountId) -> Result<(), ClientError> {
        let decline = |tx: &Tx<'_>| {
            let row = tx.group(group)?.filter(|row| row.state == GroupState::Invited);
            row.ok_or(ClientError::NotAMember)?;
            let event = membership::forget(tx, &self.account, group, self.now())?;
            tx.remove_group(group)?;
            Ok::<_, ClientError>(event)
        };
        let event = self.db.with(|db| db.transact(decline))?;
        self.tell(vec![event]);
        Ok(())
    }

    /// Takes in what somebody wrote to this account about a group.
    pub(crate) fn take_group_mail(
        &self,
        tx: &Tx<'_>,
        mail: Opened,
    ) -> Result<Vec<Event>, ClientError> {
        let Opened { author, timestamp, content, .. } = mail;
        let Kind::Data(data) = content.kind else { return Ok(Vec::new()) };
        if author == self.account.id() || tx.is_blocked(&author)? {
            return Ok(Vec::new());
        }
        match data.what {
            What::Group(GroupUpdate::Invite(invite)) => {
                let own = self.account.id();
                match invite.check_invite(&own, timestamp) {
                    Ok(invite) => self.take_invite(tx, invite, &author, timestamp),
                    Err(_) => Ok(Vec::new()),
                }
            }
            What::Group(GroupUpdate::Promote(promote)) => {
                self.take_promotion(tx, &promote, &author, timestamp)
            }
            _ => Ok(Vec::new()),
        }
    }

    fn take_invite(
        &self,
        tx: &Tx<'_>,
        invite: Invite,
        inviter: &AccountId,
        timestamp: Millis,
    ) -> Result<Vec<Event>, ClientError> {
        let group = invite.group;
        if self.check_auth(&group, invite.member_auth.expose()).is_err() {
            return Ok(Vec::new());
        }
        let known = tx.group(&group)?;
        let state = known.as_ref().map(|known| known.state);
        let is_member = known.as_ref().is_some_and(|known| known.admin_seed.is_some());
        if is_member
            || state == Some(GroupState::Destroyed)
            || !membership::is_news(tx, &group, timestamp)?
        {
            return Ok(Vec::new());
        }
        let row = database::Group {
            id: group,
            name: invite.name,
            auth: Some(invite.member_auth),
            admin_seed: None,
            state: self.state_of_invited(tx, state, inviter)?,
            invited_by: Some(*inviter),
            joined_at: timestamp,
        };
        self.enter(tx, &row, timestamp)
    }

    fn take_promotion(
        &self,
        tx: &Tx<'_>,
        promote: &Promote,
        inviter: &AccountId,
        timestamp: Millis,
    ) -> Result<Vec<Event>, ClientError> {
        let Ok(admin) = Group::from_seed(promote.seed.duplicate()) else {
            return Ok(Vec::new());
        };
        let known = tx.group(&admin.id())?;
        let state = known.as_ref().map(|known| known.state);
        let is_admin = known.as_ref().is_some_and(|known| known.admin_seed.is_some());
        // A member's promotion holds whenever it comes; one of long ago brings nobody back.
        let present = matches!(state, Some(GroupState::Joined | GroupState::Invited));
        if is_admin
            || state == Some(GroupState::Destroyed)
            || !(present || membership::is_news(tx, &admin.id(), timestamp)?)
        {
            return Ok(Vec::new());
        }
        let inviter = known.as_ref().and_then(|known| known.invited_by).unwrap_or(*inviter);
        let row = database::Group {
            id: admin.id(),
            name: known.as_ref().map_or_else(|| promote.name.clone(), |known| known.name.clone()),
            auth: None,
            admin_seed: Some(promote.seed.duplicate()),
            state: self.state_of_invited(tx, state, &inviter)?,
            invited_by: Some(inviter),
            joined_at: timestamp,
        };
        self.enter(tx, &row, timestamp)
    }

    /// A member stays one; whom a contact invites becomes one; who is invited by a stranger is asked.
    fn state_of_invited(
        &self,
        tx: &Tx<'_>,
        before: Option<GroupState>,
        inviter: &AccountId,
    ) -> Result<GroupState, ClientError> {
        let trusted = tx.contact(inviter)?.is_some_and(|contact| contact.approved);
        let joins = trusted || before == Some(GroupState::Joined);
        Ok(if joins { GroupState::Joined } else { GroupState::Invited })
    }

    fn enter(
        &self,
        tx: &Tx<'_>,
        row: &database::Group,
        timestamp: Millis,
    ) -> Result<Vec<Event>, ClientError> {
        membership::note_answered(tx, &row.id, timestamp)?;
        let mut events = if row.state == GroupState::Joined {
            owe_answer(tx, &row.id)?;
            Vec::new()
        } else {
            self.make_room(tx, &row.id)?
        };
        events.push(membership::keep(tx, &self.account, row, self.now())?);
        Ok(events)
    }

    /// Drops the oldest unanswered invitations but for so many that another one has its place:
    /// strangers can make as many groups as they like.
    fn make_room(&self, tx: &Tx<'_>, group: &AccountId) -> Result<Vec<Event>, ClientError> {
        let mut unanswered = tx.groups()?;
        unanswered.retain(|row| row.state == GroupState::Invited && row.id != *group);
        unanswered.sort_by_key(|row| std::cmp::Reverse(row.joined_at));
        let mut events = Vec::new();
        for row in unanswered.iter().skip(MOST_UNANSWERED - 1) {
            events.push(membership::forget(tx, &self.account, &row.id, self.now())?);
            tx.remove_group(&row.id)?;
        }
        Ok(events)
    }

    /// Tells a group that the account joined it, once its keys are here.
    pub(super) fn answer_if_owed(&self, group: &AccountId) -> Result<(), ClientError> {
        let name = owed_name(group);
        if self.db.with(|db| db.setting(&name))?.is_none()
            || self.group_keys(group)?.current().is_none()
        {
            return Ok(());
        }
        let update = GroupUpdate::InviteResponse { approved: true };
        let data = Data::from(What::Group(update)).with_profile(self.own_profile());
        let now = self.now();
        let copy = self.seal_to_group(group, &Content::from(data), now)?;
        let answer = |tx: &Tx<'_>| {
            tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
            Ok::<_, ClientError>(tx.set_setting(&name, None)?)
        };
        self.db.with(|db| db.transact(answer))
    }

    /// The direct message that hands somebody what a member acts with.
    pub(super) fn invitation(
        &self,
        configs: &Configs,
        name: &str,
        member: &AccountId,
        time: Millis,
    ) -> Result<GroupUpdate, ClientError> {
        let admin = configs.admin()?;
        let auth = admin.member_auth(member, warren_account::subaccount::MEMBER_RIGHTS)?;
        let member_auth = warren_crypto::Secret::from_slice(auth.as_bytes());
        let member_auth = member_auth.ok_or(ClientError::DamagedKey)?;
        let invite = Invite { group: configs.group, name: name.to_owned(), member_auth };
        let signed = Unverified::<Invite>::invite(invite, admin.signing_key(), member, time)?;
        Ok(GroupUpdate::Invite(signed))
    }
}

/// Writes new members into the group's configurations, and gives them keys: all, or a new one.
fn add(
    tx: &Tx<'_>,
    group: &AccountId,
    people: &[AccountId],
    history: bool,
    now: Millis,
) -> Result<(), ClientError> {
    let mut configs = Configs::read(tx, group, now)?;
    let admin = configs.admin()?;
    for id in people {
        if configs.members.get(id).is_some_and(|known| known.removal.is_none() && known.admin) {
            continue;
        }
        let name = tx.contact(id)?.map(|contact| contact.name).unwrap_or_default();
        configs.members.set(&Member { name, supplement: history, ..Member::new(*id) })?;
    }
    if configs.members.len() > MOST_MEMBERS {
        return Err(ClientError::TooManyMembers);
    }
    if history {
        let copy = SealedCopy {
            purpose: Purpose::Recipient,
            target: *group,
            namespace: Namespace::GROUP_KEYS,
            data: configs.keys.supplement(&admin, people)?,
            timestamp: now,
            ttl: CONFIG_TTL,
        };
        tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
    } else {
        configs.rekey()?;
    }
    debug_assert!(configs.members.needs_push());
    configs.save(tx, now)
}

fn owed_name(group: &AccountId) -> String {
    format!("group answer owed {group}")
}

fn owe_answer(tx: &Tx<'_>, group: &AccountId) -> Result<(), ClientError> {
    Ok(tx.set_setting(&owed_name(group), Some(b"1"))?)
}
