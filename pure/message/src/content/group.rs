//! What admins and members of a group tell each other, and whom they invite.

use std::fmt;

use warren_crypto::ed25519::SigningKey;
use warren_crypto::{CryptoError, Secret};
use warren_wire::{AccountId, AccountKind, MessageName, Millis};

use super::admin::{AdminClaim, Unverified};
use crate::group::signed;
use crate::proto;
use proto::{group_update_info_change, group_update_member_change};

/// Bytes of what an admin hands a member to sign with (wire spec, section 2, subaccounts).
pub const MEMBER_AUTH_BYTES: usize = 100;
/// Bytes of the seed of a group's key.
const SEED_BYTES: usize = 32;

/// News of a group. The first two come in direct messages, the others in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupUpdate {
    /// The recipient is asked to join.
    Invite(Unverified<Invite>),
    /// The recipient becomes an admin.
    Promote(Promote),
    /// The group's name, picture or timer changed.
    InfoChange(Unverified<InfoChange>),
    /// Members were added, removed or promoted.
    MemberChange(Unverified<MemberChange>),
    /// The sender leaves: an admin is to remove them.
    MemberLeft,
    /// The sender answers an invitation.
    InviteResponse {
        /// Whether they join.
        approved: bool,
    },
    /// Messages are to be deleted.
    DeleteContent(UncheckedDeletion),
    /// The sender left, for the others to see.
    MemberLeftNotification,
}

/// An invitation to a group.
#[derive(PartialEq, Eq)]
pub struct Invite {
    /// The group: an id of kind `03`.
    pub group: AccountId,
    /// What it is called.
    pub name: String,
    /// What the invited person signs requests for the group with.
    pub member_auth: Secret<MEMBER_AUTH_BYTES>,
}

impl Invite {
    /// `invited` is not part of the message: it is whoever reads it.
    fn signed_form(invited: &AccountId, time: Millis) -> String {
        signed::invite(invited, time)
    }
}

impl Unverified<Invite> {
    /// Signs an invitation for `invited`, in a message that will say `time`.
    ///
    /// # Errors
    /// Where `admin` is not the key of the group.
    pub fn invite(
        invite: Invite,
        admin: &SigningKey,
        invited: &AccountId,
        time: Millis,
    ) -> Result<Self, CryptoError> {
        if *admin.verifying_key().as_bytes() != invite.group.key_bytes() {
            return Err(CryptoError);
        }
        Self::sign_form(invite, admin, &Invite::signed_form(invited, time))
    }

    /// The invitation, where an admin of the group it names wrote it to `invited` at `time`.
    ///
    /// # Errors
    /// Where the signature is not the group's.
    pub fn check_invite(self, invited: &AccountId, time: Millis) -> Result<Invite, CryptoError> {
        let group = self.claim().group;
        self.check_form(&group, &Invite::signed_form(invited, time))
    }
}

impl Clone for Invite {
    fn clone(&self) -> Self {
        let member_auth = self.member_auth.duplicate();
        Self { group: self.group, name: self.name.clone(), member_auth }
    }
}

/// The key of a group, for a new admin. Whoever has it is one: there is nothing to check.
#[derive(PartialEq, Eq)]
pub struct Promote {
    /// The seed of the group's key, from which its id follows.
    pub seed: Secret<SEED_BYTES>,
    /// What the group is called.
    pub name: String,
}

impl Clone for Promote {
    fn clone(&self) -> Self {
        Self { seed: self.seed.duplicate(), name: self.name.clone() }
    }
}

impl fmt::Debug for Promote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Promote(..)")
    }
}

/// What changed of a group.
#[derive(Clone, PartialEq, Eq)]
pub enum InfoChange {
    /// It has another name.
    Name(String),
    /// It has another picture.
    Picture,
    /// Its messages disappear so many seconds after they are sent; 0 where they stay.
    Timer(u32),
}

impl InfoChange {
    const fn kind(&self) -> group_update_info_change::Type {
        match self {
            Self::Name(_) => group_update_info_change::Type::Name,
            Self::Picture => group_update_info_change::Type::Avatar,
            Self::Timer(_) => group_update_info_change::Type::DisappearingMessages,
        }
    }
}

impl AdminClaim for InfoChange {
    fn signed_form(&self, time: Millis) -> String {
        signed::info_change(self.kind().into(), time)
    }
}

/// What happened to members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberChangeKind {
    /// They were added.
    Added {
        /// Whether they can read what was said before.
        with_history: bool,
    },
    /// They were removed.
    Removed,
    /// They became admins.
    Promoted,
}

/// What happened to which members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberChange {
    /// What.
    pub kind: MemberChangeKind,
    /// To whom.
    pub members: Vec<AccountId>,
}

impl MemberChange {
    const fn kind(&self) -> group_update_member_change::Type {
        match self.kind {
            MemberChangeKind::Added { .. } => group_update_member_change::Type::Added,
            MemberChangeKind::Removed => group_update_member_change::Type::Removed,
            MemberChangeKind::Promoted => group_update_member_change::Type::Promoted,
        }
    }
}

impl AdminClaim for MemberChange {
    fn signed_form(&self, time: Millis) -> String {
        signed::member_change(self.kind().into(), time)
    }
}

/// Messages to be deleted: all of some members, and single ones by their hashes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Deletion {
    /// Whose messages.
    pub members: Vec<AccountId>,
    /// Which messages.
    pub messages: Vec<MessageName>,
}

impl AdminClaim for Deletion {
    fn signed_form(&self, time: Millis) -> String {
        signed::delete_content(time, &self.members, &self.messages)
    }
}

/// Messages that somebody wishes deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UncheckedDeletion {
    /// An admin says so; of anyone's messages.
    ByAdmin(Unverified<Deletion>),
    /// A member says so: of their own messages alone, so `members` counts for nothing.
    ByAuthor(Deletion),
}

/// Messages that are to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedDeletion {
    /// Anyone's messages that are named.
    ByAdmin(Deletion),
    /// Those of these messages that the sender wrote.
    ByAuthor(Vec<MessageName>),
}

impl UncheckedDeletion {
    /// What is to be deleted of `group` by a message of `time`.
    ///
    /// # Errors
    /// Where there is a signature, and it is not the group's.
    pub fn check(self, group: &AccountId, time: Millis) -> Result<CheckedDeletion, CryptoError> {
        match self {
            Self::ByAdmin(deletion) => deletion.check(group, time).map(CheckedDeletion::ByAdmin),
            Self::ByAuthor(deletion) => Ok(CheckedDeletion::ByAuthor(deletion.messages)),
        }
    }
}

impl GroupUpdate {
    pub(super) fn to_proto(&self) -> proto::GroupUpdateMessage {
        let mut update = proto::GroupUpdateMessage::default();
        match self {
            Self::Invite(invite) => update.invite = Some(write_invite(invite)),
            Self::Promote(promote) => {
                update.promote = Some(proto::GroupUpdatePromote {
                    group_identity_seed: Some(promote.seed.expose().to_vec()),
                    name: Some(promote.name.clone()),
                });
            }
            Self::InfoChange(change) => update.info_change = Some(write_info_change(change)),
            Self::MemberChange(change) => update.member_change = Some(write_member_change(change)),
            Self::MemberLeft => update.member_left = Some(proto::GroupUpdateMemberLeft {}),
            Self::InviteResponse { approved } => {
                let response = proto::GroupUpdateInviteResponse { is_approved: Some(*approved) };
                update.invite_response = Some(response);
            }
            Self::DeleteContent(deletion) => {
                update.delete_member_content = Some(write_deletion(deletion));
            }
            Self::MemberLeftNotification => {
                let left = proto::GroupUpdateMemberLeftNotification {};
                update.member_left_notification = Some(left);
            }
        }
        update
    }

    /// The first of which there is something, in the order in which Session's clients look.
    pub(super) fn read(update: proto::GroupUpdateMessage) -> Option<Self> {
        if let Some(invite) = update.invite {
            return read_invite(invite).map(Self::Invite);
        }
        if let Some(promote) = update.promote {
            let seed = Secret::from_slice(&promote.group_identity_seed?)?;
            return Some(Self::Promote(Promote { seed, name: promote.name? }));
        }
        if let Some(change) = update.member_change {
            return read_member_change(change).map(Self::MemberChange);
        }
        if let Some(change) = update.info_change {
            return read_info_change(change).map(Self::InfoChange);
        }
        if update.member_left.is_some() {
            return Some(Self::MemberLeft);
        }
        if update.member_left_notification.is_some() {
            return Some(Self::MemberLeftNotification);
        }
        if let Some(deletion) = update.delete_member_content {
            return read_deletion(deletion).map(Self::DeleteContent);
        }
        let approved = update.invite_response?.is_approved?;
        Some(Self::InviteResponse { approved })
    }
}

fn write_invite(invite: &Unverified<Invite>) -> proto::GroupUpdateInvite {
    let claim = invite.claim();
    proto::GroupUpdateInvite {
        group_session_id: Some(claim.group.to_string()),
        name: Some(claim.name.clone()),
        member_auth_data: Some(claim.member_auth.expose().to_vec()),
        admin_signature: Some(invite.signature()),
    }
}

fn read_invite(invite: proto::GroupUpdateInvite) -> Option<Unverified<Invite>> {
    let group: AccountId = invite.group_session_id?.parse().ok()?;
    if group.kind() != AccountKind::Group {
        return None;
    }
    let member_auth = Secret::from_slice(&invite.member_auth_data?)?;
    let claim = Invite { group, name: invite.name.unwrap_or_default(), member_auth };
    Unverified::new(claim, &invite.admin_signature?)
}

fn write_info_change(change: &Unverified<InfoChange>) -> proto::GroupUpdateInfoChange {
    let (updated_name, updated_expiration) = match change.claim() {
        InfoChange::Name(name) => (Some(name.clone()), None),
        InfoChange::Picture => (None, None),
        InfoChange::Timer(seconds) => (None, Some(*seconds)),
    };
    proto::GroupUpdateInfoChange {
        r#type: Some(change.claim().kind().into()),
        updated_name,
        updated_expiration,
        admin_signature: Some(change.signature()),
    }
}

fn read_info_change(change: proto::GroupUpdateInfoChange) -> Option<Unverified<InfoChange>> {
    let claim = match group_update_info_change::Type::try_from(change.r#type?).ok()? {
        group_update_info_change::Type::Name => InfoChange::Name(change.updated_name?),
        group_update_info_change::Type::Avatar => InfoChange::Picture,
        group_update_info_change::Type::DisappearingMessages => {
            InfoChange::Timer(change.updated_expiration.unwrap_or_default())
        }
    };
    Unverified::new(claim, &change.admin_signature?)
}

fn write_member_change(change: &Unverified<MemberChange>) -> proto::GroupUpdateMemberChange {
    let claim = change.claim();
    let shared = claim.kind == MemberChangeKind::Added { with_history: true };
    proto::GroupUpdateMemberChange {
        r#type: Some(claim.kind().into()),
        member_session_ids: claim.members.iter().map(ToString::to_string).collect(),
        history_shared: shared.then_some(true),
        admin_signature: Some(change.signature()),
    }
}

fn read_member_change(change: proto::GroupUpdateMemberChange) -> Option<Unverified<MemberChange>> {
    let kind = match group_update_member_change::Type::try_from(change.r#type?).ok()? {
        group_update_member_change::Type::Added => {
            MemberChangeKind::Added { with_history: change.history_shared.unwrap_or_default() }
        }
        group_update_member_change::Type::Removed => MemberChangeKind::Removed,
        group_update_member_change::Type::Promoted => MemberChangeKind::Promoted,
    };
    let members = parse_all(&change.member_session_ids)?;
    Unverified::new(MemberChange { kind, members }, &change.admin_signature?)
}

fn write_deletion(deletion: &UncheckedDeletion) -> proto::GroupUpdateDeleteMemberContent {
    let (claim, admin_signature) = match deletion {
        UncheckedDeletion::ByAdmin(signed) => (signed.claim(), Some(signed.signature())),
        UncheckedDeletion::ByAuthor(claim) => (claim, None),
    };
    proto::GroupUpdateDeleteMemberContent {
        member_session_ids: claim.members.iter().map(ToString::to_string).collect(),
        message_hashes: claim.messages.iter().map(ToString::to_string).collect(),
        admin_signature,
    }
}

fn read_deletion(deletion: proto::GroupUpdateDeleteMemberContent) -> Option<UncheckedDeletion> {
    let claim = Deletion {
        members: parse_all(&deletion.member_session_ids)?,
        messages: parse_all(&deletion.message_hashes)?,
    };
    match deletion.admin_signature.filter(|signature| !signature.is_empty()) {
        None => Some(UncheckedDeletion::ByAuthor(claim)),
        Some(signature) => Unverified::new(claim, &signature).map(UncheckedDeletion::ByAdmin),
    }
}

/// All of the texts, or nothing: what is signed must be written again as it was.
fn parse_all<T: std::str::FromStr>(texts: &[String]) -> Option<Vec<T>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

impl fmt::Debug for InfoChange {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InfoChange(..)")
    }
}

impl fmt::Debug for Deletion {
    /// A log holds nothing of what people say, nor when.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deletion(..)")
    }
}
