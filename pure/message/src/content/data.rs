//! What belongs to a conversation, with the sender's profile and whom the copy is filed under.

use std::fmt;

use prost::Message;
use warren_wire::{AccountId, Millis};

use super::edit::Edit;
use super::group::GroupUpdate;
use super::invitation::CommunityInvitation;
use super::profile::Profile;
use super::reaction::Reaction;
use super::visible::Visible;
use crate::proto;

/// The flag of a message that changes when the messages of its conversation disappear.
const TIMER_UPDATE: u32 = 2;

/// Part of a conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Data {
    /// What it is.
    pub what: What,
    /// What the sender wishes to be called and to look like.
    pub profile: Option<Profile>,
    /// In a copy that an account seals to itself: whom the message was written to.
    pub sync_target: Option<AccountId>,
    /// Whether the sender refuses messages from strangers in communities.
    pub blocks_community_requests: Option<bool>,
}

/// What part of a conversation it is.
#[derive(Clone, PartialEq, Eq)]
pub enum What {
    /// A message to look at.
    Visible(Visible),
    /// Another text for an earlier message.
    Edit(Edit),
    /// An emoji under a message, or its removal.
    Reaction(Reaction),
    /// From here on, messages disappear as the content's expiration says.
    TimerUpdate,
    /// The way to a community.
    Invitation(CommunityInvitation),
    /// What happened to a group.
    Group(GroupUpdate),
}

impl fmt::Debug for Data {
    /// A log holds nothing of what people say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}

impl fmt::Debug for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visible(visible) => visible.fmt(f),
            Self::Edit(edit) => edit.fmt(f),
            Self::Reaction(reaction) => reaction.fmt(f),
            Self::TimerUpdate => f.write_str("TimerUpdate"),
            Self::Invitation(invitation) => invitation.fmt(f),
            Self::Group(update) => write!(f, "Group({update:?})"),
        }
    }
}

impl From<What> for Data {
    fn from(what: What) -> Self {
        Self { what, profile: None, sync_target: None, blocks_community_requests: None }
    }
}

impl Data {
    /// Tells the recipient about the sender.
    #[must_use]
    pub fn with_profile(mut self, profile: Option<Profile>) -> Self {
        self.profile = profile;
        self
    }

    /// Marks the copy that an account seals to itself: its other devices file it under `peer`.
    #[must_use]
    pub fn with_sync_target(mut self, peer: AccountId) -> Self {
        self.sync_target = Some(peer);
        self
    }

    pub(super) fn to_proto(&self, timestamp: Millis) -> proto::DataMessage {
        let mut message = proto::DataMessage {
            timestamp: Some(timestamp),
            sync_target: self.sync_target.map(|peer| peer.to_string()),
            blocks_community_message_requests: self.blocks_community_requests,
            ..Default::default()
        };
        if let Some(profile) = &self.profile {
            (message.profile, message.profile_key) = profile.to_proto();
        }
        match &self.what {
            What::Visible(visible) => visible.write(&mut message),
            What::Edit(edit) => edit.write(&mut message),
            What::Reaction(reaction) => message.reaction = Some(reaction.to_proto()),
            What::TimerUpdate => message.flags = Some(TIMER_UPDATE),
            What::Invitation(invitation) => {
                message.open_group_invitation = Some(invitation.to_proto());
            }
            What::Group(update) => message.group_update_message = Some(update.to_proto()),
        }
        message
    }

    /// `None` where it says nothing, has flags of a later version, or is to be filed under something
    /// that is no id.
    pub(super) fn read(mut message: proto::DataMessage) -> Option<Self> {
        let sync_target = match message.sync_target.take().filter(|peer| !peer.is_empty()) {
            Some(peer) => Some(peer.parse().ok()?),
            None => None,
        };
        let profile = Profile::read(message.profile.take(), message.profile_key.take());
        let blocks_community_requests = message.blocks_community_message_requests;
        let what = What::read(message)?;
        Some(Self { what, profile, sync_target, blocks_community_requests })
    }
}

impl What {
    /// The first of which there is something, in the order in which Session's clients look.
    fn read(message: proto::DataMessage) -> Option<Self> {
        if let Some(update) = message.group_update_message {
            return GroupUpdate::read(update).map(Self::Group);
        }
        match message.flags.unwrap_or_default() {
            0 => {}
            TIMER_UPDATE => return Some(Self::TimerUpdate),
            _ => return None,
        }
        if let Some(reaction) = message.reaction {
            return Reaction::read(reaction).map(Self::Reaction);
        }
        if let Some(invitation) = message.open_group_invitation {
            return CommunityInvitation::read(invitation).map(Self::Invitation);
        }
        match Edit::read(&message) {
            Some(edit) => Some(Self::Edit(edit)),
            None => Visible::read(message).map(Self::Visible),
        }
    }
}

/// Whom a copy of unknown content is to be filed under.
pub(super) fn sync_target(raw: &[u8]) -> Option<AccountId> {
    let content = proto::Content::decode(raw).ok()?;
    content.data_message?.sync_target?.parse().ok()
}
