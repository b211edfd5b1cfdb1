//! Groups: listed, made, joined, led, left and ended.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::ClientError;
use warren_client::database::{self, AccountDb, DatabaseError};
use warren_client::groups::members::{self, GroupMember};
use warren_wire::{AccountId, AccountKind};

use super::conversations::LONGEST_TIMER;
use super::extract::{Given, OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;
use crate::wording;

/// The most bytes of what a group says about itself, as Session's clients keep it.
const MOST_DESCRIPTION_BYTES: usize = 2000;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, destroy))
        .routes(routes!(show_members, invite))
        .routes(routes!(promote))
        .routes(routes!(remove))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(leave))
}

/// A group, as the account knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Group {
    /// Its id, 66 hexadecimal digits that start with 03.
    pub group_id: String,
    /// What its admins call it.
    pub name: String,
    /// What it is about; absent where nobody said.
    pub description: Option<String>,
    /// After how many seconds its messages disappear; absent where they stay.
    pub timer: Option<u32>,
    /// When it was made; absent where that is not known yet.
    pub created: Option<u64>,
    /// How the account stands to it.
    pub state: GroupState,
    /// Whether the account is one of its admins.
    pub admin: bool,
    /// Who invited the account.
    pub invited_by: Option<String>,
    /// Where its picture is; another one means that it changed. Absent where it has none. What it
    /// shows, `pictures` says once it was fetched.
    pub picture: Option<String>,
}

/// How an account stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// Invited, and has not answered.
    Invited,
    /// A member.
    Joined,
    /// Removed by an admin.
    Removed,
    /// The group was ended by an admin.
    Ended,
    /// Left by itself.
    Left,
}

/// Groups by their names.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Groups {
    /// The groups.
    pub groups: Vec<Group>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Their Account ID.
    pub account_id: String,
    /// What they are called in the group, as they or an admin said; absent where nobody did.
    pub name: Option<String>,
    /// How they stand to it.
    pub standing: Standing,
}

/// How somebody stands to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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

/// Members by their Account IDs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Members {
    /// The members, those who are invited included.
    pub members: Vec<Member>,
}

/// A group to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewGroup {
    /// What it is called.
    pub name: String,
    /// The Account IDs of those to be invited: 99 at most, for the account is the first of 100.
    #[serde(default)]
    pub members: Vec<String>,
}

/// What changes of a group; what is absent stays. Admins alone can.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct GroupChange {
    /// What it is called.
    pub name: Option<String>,
    /// What it is about; an empty text says nothing.
    pub description: Option<String>,
    /// After how many seconds its messages disappear; 0 lets them stay.
    pub timer: Option<u32>,
}

/// People to be invited.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Their Account IDs.
    pub people: Vec<String>,
    /// Whether they may read what was said before.
    #[serde(default)]
    pub history: bool,
}

/// Members to be made admins.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Promotion {
    /// Their Account IDs.
    pub people: Vec<String>,
}

/// Members to be removed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Removal {
    /// Their Account IDs.
    pub people: Vec<String>,
    /// Whether what they wrote is deleted for everyone.
    #[serde(default)]
    pub messages: bool,
}

/// Lists the groups the account is invited to, in, or was removed from.
#[utoipa::path(
    get, path = "/accounts/{account}/groups", tag = "groups",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Groups), (status = "default", body = ErrorBody)),
)]
async fn list(of: OfAccount) -> Result<Json<Groups>, Failure> {
    let mut rows = of.db().with(|db| db.groups())?;
    rows.retain(|row| row.state != database::GroupState::Left);
    let groups = rows.into_iter().map(|row| shown(&of, row)).collect::<Result<_, _>>()?;
    Ok(Json(Groups { groups }))
}

/// Makes a group with the account as its admin, and invites people to it. It exists even where the
/// network fails: invitations then leave with the next `sync`.
#[utoipa::path(
    post, path = "/accounts/{account}/groups", tag = "groups", request_body = NewGroup,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 201, body = Group), (status = "default", body = ErrorBody)),
)]
async fn create(
    of: OfAccount,
    Given(new): Given<NewGroup>,
) -> Result<(StatusCode, Json<Group>), Failure> {
    let (name, members) = (wording::name(&new.name)?, ids(&new.members)?);
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    let group = of.create_group(name, &members).await?;
    Ok((StatusCode::CREATED, Json(known(&of, &group)?)))
}

/// Shows a group.
#[utoipa::path(
    get, path = "/accounts/{account}/groups/{peer}", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 200, body = Group), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount, OfPeer(group): OfPeer) -> Result<Json<Group>, Failure> {
    known(&of, &group).map(Json)
}

/// Changes what a group is called, what it is about, or how long its messages live.
#[utoipa::path(
    patch, path = "/accounts/{account}/groups/{peer}", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    request_body = GroupChange,
    responses((status = 200, body = Group), (status = "default", body = ErrorBody)),
)]
async fn change(
    of: OfAccount,
    OfPeer(group): OfPeer,
    Given(change): Given<GroupChange>,
) -> Result<Json<Group>, Failure> {
    let name = change.name.as_deref().map(wording::name).transpose()?;
    let is_too_long = |text: &String| text.len() > MOST_DESCRIPTION_BYTES;
    if change.description.as_ref().is_some_and(is_too_long) {
        let reason = format!("`description` has more than {MOST_DESCRIPTION_BYTES} bytes");
        return Err(Failure::BadRequest(reason));
    }
    if change.timer.is_some_and(|seconds| seconds > LONGEST_TIMER) {
        return Err(Failure::BadRequest(format!("`timer` is more than {LONGEST_TIMER}")));
    }
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    if let Some(name) = name {
        of.rename_group(&group, name).await?;
    }
    if let Some(description) = change.description {
        of.describe_group(&group, &description).await?;
    }
    if let Some(seconds) = change.timer {
        of.set_group_timer(&group, (seconds > 0).then_some(seconds)).await?;
    }
    known(&of, &group).map(Json)
}

/// Ends a group for everybody and for good. Admins alone can.
#[utoipa::path(
    delete, path = "/accounts/{account}/groups/{peer}", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn destroy(of: OfAccount, OfPeer(group): OfPeer) -> Result<StatusCode, Failure> {
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.destroy_group(&group).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists who is in a group.
#[utoipa::path(
    get, path = "/accounts/{account}/groups/{peer}/members", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 200, body = Members), (status = "default", body = ErrorBody)),
)]
async fn show_members(of: OfAccount, OfPeer(group): OfPeer) -> Result<Json<Members>, Failure> {
    members_of(&of, &group).map(Json)
}

/// Invites people to a group. Admins alone can.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/members", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    request_body = Invitation,
    responses((status = 200, body = Members), (status = "default", body = ErrorBody)),
)]
async fn invite(
    of: OfAccount,
    OfPeer(group): OfPeer,
    Given(given): Given<Invitation>,
) -> Result<Json<Members>, Failure> {
    let people = ids(&given.people)?;
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.invite_to_group(&group, &people, given.history).await?;
    members_of(&of, &group).map(Json)
}

/// Makes members admins, for good. Admins alone can.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/admins", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    request_body = Promotion,
    responses((status = 200, body = Members), (status = "default", body = ErrorBody)),
)]
async fn promote(
    of: OfAccount,
    OfPeer(group): OfPeer,
    Given(given): Given<Promotion>,
) -> Result<Json<Members>, Failure> {
    let people = ids(&given.people)?;
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.promote(&group, &people).await?;
    members_of(&of, &group).map(Json)
}

/// Removes members, who read no further. Admins alone can, and admins stay.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/remove", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    request_body = Removal,
    responses((status = 200, body = Members), (status = "default", body = ErrorBody)),
)]
async fn remove(
    of: OfAccount,
    OfPeer(group): OfPeer,
    Given(given): Given<Removal>,
) -> Result<Json<Members>, Failure> {
    let people = ids(&given.people)?;
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.remove_members(&group, &people, given.messages).await?;
    members_of(&of, &group).map(Json)
}

/// Joins a group the account is invited to.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/accept", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 200, body = Group), (status = "default", body = ErrorBody)),
)]
async fn accept(of: OfAccount, OfPeer(group): OfPeer) -> Result<Json<Group>, Failure> {
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.accept_invite(&group).await?;
    known(&of, &group).map(Json)
}

/// Declines an invitation. Nobody is told.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/decline", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn decline(of: OfAccount, OfPeer(group): OfPeer) -> Result<StatusCode, Failure> {
    of.decline_invite(&group)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Leaves a group. Its messages go from all devices of the account.
#[utoipa::path(
    post, path = "/accounts/{account}/groups/{peer}/leave", tag = "groups",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the group's id"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn leave(of: OfAccount, OfPeer(group): OfPeer) -> Result<StatusCode, Failure> {
    let delivering = of.session.delivering(&of.account().id);
    let _alone = delivering.lock().await;
    of.leave_group(&group).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The group of a name: one the account is in goes before one it is invited to or was removed from.
///
/// # Errors
/// [`DatabaseError::UnknownContact`] for none, [`DatabaseError::AmbiguousName`] for several.
pub fn called(db: &AccountDb, name: &str) -> Result<AccountId, DatabaseError> {
    let mut groups = db.groups()?;
    groups.retain(|group| {
        group.state != database::GroupState::Left && group.name.eq_ignore_ascii_case(name)
    });
    let is_joined = |group: &database::Group| group.state == database::GroupState::Joined;
    if groups.iter().any(is_joined) {
        groups.retain(is_joined);
    }
    match groups.as_slice() {
        [] => Err(DatabaseError::UnknownContact),
        [one] => Ok(one.id),
        several => Err(DatabaseError::AmbiguousName { count: several.len() }),
    }
}

fn ids(texts: &[String]) -> Result<Vec<AccountId>, Failure> {
    texts.iter().map(|text| wording::person(text)).collect()
}

fn known(of: &OfAccount, group: &AccountId) -> Result<Group, Failure> {
    let row =
        if group.kind() == AccountKind::Group { of.db().with(|db| db.group(group))? } else { None };
    shown(of, row.ok_or(Failure::NoSuchGroup)?)
}

fn shown(of: &OfAccount, row: database::Group) -> Result<Group, Failure> {
    let about = match of.group_about(&row.id) {
        Ok(about) => Some(about),
        // Of a group that is over nothing but its name is kept.
        Err(ClientError::NotAMember) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Group {
        group_id: row.id.to_string(),
        name: row.name,
        state: row.state.into(),
        admin: row.admin_seed.is_some(),
        invited_by: row.invited_by.map(|id| id.to_string()),
        created: about.as_ref().and_then(|about| about.created).map(|at| at.saturating_mul(1000)),
        timer: about.as_ref().and_then(|about| about.timer),
        picture: about.as_ref().and_then(|about| about.picture.clone()),
        description: about.and_then(|about| about.description).filter(|text| !text.is_empty()),
    })
}

fn members_of(of: &OfAccount, group: &AccountId) -> Result<Members, Failure> {
    let members = of.group_members(group)?.into_iter().map(Member::from).collect();
    Ok(Members { members })
}

impl From<GroupMember> for Member {
    fn from(member: GroupMember) -> Self {
        Self {
            account_id: member.id.to_string(),
            name: Some(member.name).filter(|name| !name.is_empty()),
            standing: match member.standing {
                members::Standing::ToBeInvited => Standing::ToBeInvited,
                members::Standing::Invited => Standing::Invited,
                members::Standing::Member => Standing::Member,
                members::Standing::Promoted => Standing::Promoted,
                members::Standing::Admin => Standing::Admin,
                members::Standing::Leaving => Standing::Leaving,
            },
        }
    }
}

impl From<database::GroupState> for GroupState {
    fn from(state: database::GroupState) -> Self {
        match state {
            database::GroupState::Invited => Self::Invited,
            database::GroupState::Joined => Self::Joined,
            database::GroupState::Kicked => Self::Removed,
            database::GroupState::Destroyed => Self::Ended,
            database::GroupState::Left => Self::Left,
        }
    }
}
