//! What a group is called, what it is about, and how long its messages live.

use warren_config::{GroupInfo, ProfilePicture};
use warren_message::Content;
use warren_message::content::admin::{AdminClaim, Unverified};
use warren_message::content::data::{Data, What};
use warren_message::content::group::{GroupUpdate, InfoChange};
use warren_wire::{AccountId, Millis};

use super::configs::{Configs, change};
use super::membership;
use crate::database::{
    self, Details, Expiry, ExpiryMode, GroupState, NewOutgoing, Setting, Task, Tx,
};
use crate::error::ClientError;
use crate::events::Event;
use crate::messenger::Messenger;
use crate::notice::{Notice, TimerMode};

/// What is known of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupAbout {
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// After how many seconds its messages disappear.
    pub timer: Option<u32>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Option<u64>,
    /// How the account stands to it.
    pub state: GroupState,
    /// Whether the account is one of its admins.
    pub admin: bool,
    /// Who invited the account.
    pub invited_by: Option<AccountId>,
    /// Where its picture is.
    pub picture: Option<String>,
}

impl Messenger {
    /// What is known of a group.
    ///
    /// # Errors
    /// [`ClientError::NotAMember`] for a group that is not known, or where the database fails.
    pub fn group_about(&self, group: &AccountId) -> Result<GroupAbout, ClientError> {
        self.db.with(|db| {
            let row = db.group(group)?.ok_or(ClientError::NotAMember)?;
            let configs = Configs::read(db, group, self.now())?;
            Ok(GroupAbout {
                name: row.name,
                description: configs.info.description(),
                timer: timer_of(&configs.info),
                created: configs.info.created(),
                state: row.state,
                admin: configs.is_admin(),
                invited_by: row.invited_by,
                picture: configs.info.picture().map(|picture| picture.url),
            })
        })
    }

    /// Gives a group another name; admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], where the name is empty or has more than 100 bytes, or the
    /// database fails. A network that fails is no error: the change goes with the next sync.
    pub async fn rename_group(&self, group: &AccountId, name: &str) -> Result<(), ClientError> {
        if name.trim().is_empty() {
            return Err(ClientError::GroupName);
        }
        self.change_info(group, |info| Ok(info.set_name(name)?))?;
        let notice = Notice::GroupName { name: name.to_owned() };
        self.tell_info(group, InfoChange::Name(name.to_owned()), &notice)?;
        self.tend_soon(group).await
    }

    /// Says what a group is about; an empty text says nothing. Admins alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], where the text has more than 2000 bytes, or the database fails.
    pub async fn describe_group(&self, group: &AccountId, text: &str) -> Result<(), ClientError> {
        self.change_info(group, |info| Ok(info.set_description(text)?))?;
        self.tend_soon(group).await
    }

    /// Has all messages of a group disappear so many seconds after they are sent, or stay; admins
    /// alone can.
    ///
    /// # Errors
    /// [`ClientError::NotAnAdmin`], or where the database fails.
    pub async fn set_group_timer(
        &self,
        group: &AccountId,
        seconds: Option<u32>,
    ) -> Result<(), ClientError> {
        self.set_group_timer_here(group, seconds)?;
        self.tend_soon(group).await
    }

    pub(crate) fn set_group_timer_here(
        &self,
        group: &AccountId,
        seconds: Option<u32>,
    ) -> Result<(), ClientError> {
        self.change_info(group, |info| Ok(info.set_expiry_timer(seconds.map(u64::from))?))?;
        let seconds = seconds.unwrap_or(0);
        self.tell_info(group, InfoChange::Timer(seconds), &timer_notice(seconds))
    }

    /// Notes where a group's picture is, or that it has none, and says so in the group.
    pub(crate) async fn tell_group_picture(
        &self,
        group: &AccountId,
        picture: Option<&ProfilePicture>,
    ) -> Result<(), ClientError> {
        self.change_info(group, |info| Ok(info.set_picture(picture)?))?;
        self.tell_info(group, InfoChange::Picture, &Notice::GroupPicture)?;
        self.tend_soon(group).await
    }

    /// Notes where the same picture of a group was stored again, of which nobody needs to be told.
    pub(crate) fn note_group_picture(
        &self,
        group: &AccountId,
        picture: &ProfilePicture,
    ) -> Result<(), ClientError> {
        self.change_info(group, |info| Ok(info.set_picture(Some(picture))?))
    }

    fn change_info(
        &self,
        group: &AccountId,
        work: impl FnOnce(&mut GroupInfo) -> Result<(), ClientError>,
    ) -> Result<(), ClientError> {
        let change = |tx: &Tx<'_>| {
            let mut configs = Configs::read(tx, group, self.now())?;
            configs.admin()?;
            work(&mut configs.info)?;
            configs.save(tx, self.now())?;
            follow_info(tx, &self.account, &configs, self.now())
        };
        let events = self.db.with(|db| db.transact(change))?;
        self.tell(events);
        Ok(())
    }

    fn tell_info(
        &self,
        group: &AccountId,
        claim: InfoChange,
        notice: &Notice,
    ) -> Result<(), ClientError> {
        self.say_as_admin(group, claim, GroupUpdate::InfoChange, Some(notice))
    }

    /// Says something in the group under the group's own signature.
    pub(super) fn say_as_admin<T: AdminClaim>(
        &self,
        group: &AccountId,
        claim: T,
        kind: impl FnOnce(Unverified<T>) -> GroupUpdate,
        notice: Option<&Notice>,
    ) -> Result<(), ClientError> {
        let admin = self.db.with(|db| Configs::read(db, group, self.now())?.admin())?;
        let sign = |time| Ok(kind(Unverified::sign(claim, admin.signing_key(), time)?));
        self.say_of_group(group, sign, notice)
    }

    /// Says something about the group in it, and shows it here where there is a notice.
    pub(super) fn say_of_group(
        &self,
        group: &AccountId,
        update: impl FnOnce(Millis) -> Result<GroupUpdate, ClientError>,
        notice: Option<&Notice>,
    ) -> Result<(), ClientError> {
        let now = self.now();
        let timestamp = self.db.with(|db| db.free_timestamp(group, now))?;
        let data = Data::from(What::Group(update(timestamp)?)).with_profile(self.own_profile());
        let copies = self.copies(group, &Content::from(data), timestamp)?;
        let save = |tx: &Tx<'_>| {
            let Some(notice) = notice else {
                for copy in copies {
                    tx.add_job(&Task::Store { message: None, copy }, &[], now)?;
                }
                return Ok(None);
            };
            let message = tx.queue_message(&NewOutgoing {
                conversation: *group,
                content: &database::Content::Control(notice.to_json()),
                details: &Details::default(),
                timestamp,
                now,
                copies: &copies,
            })?;
            Ok::<_, ClientError>(Some(message))
        };
        if let Some(message_id) = self.db.with(|db| db.transact(save))? {
            self.tell(vec![Event::MessageNew { conversation: *group, message_id }]);
        }
        Ok(())
    }
}

/// How a timer is shown among the messages.
pub(super) fn timer_notice(seconds: u32) -> Notice {
    Notice::Timer { mode: (seconds > 0).then_some(TimerMode::AfterSend), seconds }
}

fn timer_of(info: &GroupInfo) -> Option<u32> {
    info.expiry_timer().and_then(|timer| u32::try_from(timer).ok())
}

/// The tables follow what the group's info says: name, timer, deletions, its end.
pub(super) fn follow_info(
    tx: &Tx<'_>,
    account: &warren_account::Account,
    configs: &Configs,
    now: Millis,
) -> Result<Vec<Event>, ClientError> {
    let (group, info) = (configs.group, &configs.info);
    let Some(row) = tx.group(&group)? else { return Ok(Vec::new()) };
    let mut events = vec![Event::ConversationChanged { conversation: group }];
    if info.is_destroyed() {
        // The admin's own word of it is still to be pushed under this key.
        if !tx.config(&group, GroupInfo::KIND.namespace)?.is_some_and(|state| state.needs_push) {
            events.extend(membership::lose(tx, account, &group, GroupState::Destroyed, now)?);
        }
        return Ok(events);
    }
    if let Some(name) = info.name().filter(|name| *name != row.name) {
        membership::change_entry(tx, account, &group, now, |entry| entry.name.clone_from(&name))?;
        tx.put_group(&database::Group { name, ..row })?;
    }
    tx.ensure_conversation(&group, now)?;
    let picture = info.picture();
    let at = picture.as_ref().map(|it| (it.url.as_str(), it.key.expose().as_slice()));
    tx.want_picture(&group, at, now)?;
    let mode = ExpiryMode::AfterSend;
    let expiry = timer_of(info).map(|seconds| Expiry { mode, seconds });
    tx.set_conversation(&group, &Setting::Expiry(expiry))?;
    if let Some(before) = info.delete_before() {
        let doomed = tx.messages_before(&group, before.saturating_mul(1_000))?;
        tx.delete_here(&doomed, now)?;
    }
    Ok(events)
}

/// Marks a group as ended in a transaction.
pub(super) fn destroy(tx: &Tx<'_>, group: &AccountId, now: Millis) -> Result<(), ClientError> {
    change(tx, group, now, |configs| {
        configs.admin()?;
        Ok(configs.info.destroy()?)
    })
}
