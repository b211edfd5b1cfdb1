//! Friends who can wipe this device, devices of friends that can be wiped from here, and the dead
//! man's switch.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::ClientError;
use warren_client::database::{self, Standing};
use warren_client::friends::trust::Trust;
use warren_client::friends::wipe::ORDER_LIFE;
use warren_client::friends::{parse_set_name, set_name};
use warren_wire::AccountId;

use super::extract::{Asked, Given, InSession, OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;

/// What a device is called where its owner does not say.
const DEVICE: &str = "my device";
/// The longest name of a device, in bytes.
const MOST_DEVICE_BYTES: usize = 64;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(trust))
        .routes(routes!(revoke))
        .routes(routes!(reissue))
        .routes(routes!(let_go))
        .routes(routes!(test))
        .routes(routes!(announce, stop))
        .routes(routes!(confirm))
        .routes(routes!(show_dead_man, set_dead_man))
}

/// Who can wipe this device, and which devices of others can be wiped from here.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Friends {
    /// Sets of friends who can wipe this device, the newest first.
    pub sets: Vec<TrustedSet>,
    /// Shares for devices of others, by owner and device.
    pub devices: Vec<HeldDevice>,
}

/// Friends who, so many of them together, can wipe a device of this account's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustedSet {
    /// Its name.
    pub set: String,
    /// What the friends are told that the device is called.
    pub device: String,
    /// Whether it is this device; else it is one from whose backup this came, or whose tripwire was
    /// made anew, and this one is not wiped.
    pub here: bool,
    /// How many of the friends together wipe it.
    pub threshold: u8,
    /// When the set was made.
    pub created: u64,
    /// The friends.
    pub friends: Vec<TrustedFriend>,
}

/// A friend of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrustedFriend {
    /// Their Account ID; the account's own for its other devices.
    pub friend: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// What their app said.
    pub state: FriendState,
    /// When it said so; absent where it has said nothing.
    pub since: Option<u64>,
    /// When this device last heard a test of theirs; absent where it has not.
    pub tested_at: Option<u64>,
}

/// Whether a friend can wipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FriendState {
    /// Their app has said nothing yet: do not count on them.
    Offered,
    /// Their app keeps the share.
    Taken,
    /// Their app does not keep it, or no longer.
    Declined,
}

/// A share for a device of somebody else, or for another device of this account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldDevice {
    /// The owner's Account ID.
    pub owner: String,
    /// What they call the device.
    pub device: String,
    /// The set of the share.
    pub set: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// How many friends together wipe the device.
    pub threshold: u8,
    /// How many friends have a share.
    pub count: u8,
    /// When it came.
    pub received_at: u64,
    /// When a test was last sent; absent where none was.
    pub test_sent_at: Option<u64>,
    /// When the device last heard one, by its own word; absent where it has not said so.
    pub heard_at: Option<u64>,
    /// When its wipe was ordered; absent where it was not, or the order is repeated no more.
    pub ordered_at: Option<u64>,
    /// Until when the order is repeated.
    pub ordered_until: Option<u64>,
}

/// Whom to trust with this device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewTrust {
    /// The Account IDs of the friends, at most eight.
    pub friends: Vec<String>,
    /// Whether the account's own other devices are one friend more.
    #[serde(default)]
    pub own_devices: bool,
    /// How many of the friends together wipe the device.
    pub threshold: u8,
    /// What the friends are told that the device is called, at most 64 bytes.
    pub device: Option<String>,
}

/// Which device of a person.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichDevice {
    /// What its owner calls it, or the beginning of its set's name; absent for all of the person's.
    pub device: Option<String>,
}

/// How many shares something concerned.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ShareCount {
    /// How many.
    pub shares: usize,
}

/// A wipe that waits for its second step.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AnnouncedWipe {
    /// What the second step takes.
    pub code: String,
    /// Until when it takes it.
    pub valid_until: u64,
    /// The shares it would reveal, all of one device.
    pub devices: Vec<HeldDevice>,
}

/// The second step of a wipe.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ConfirmedWipe {
    /// The code of the first.
    pub code: String,
}

/// A wipe that was ordered.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct OrderedWipe {
    /// The shares that are revealed to the device.
    pub devices: Vec<HeldDevice>,
}

/// The dead man's switch of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeadMan {
    /// After how many hours without unlocking the device is wiped; 0 for never. Whoever looks into
    /// the device's files can read it, also while it is locked.
    pub hours: u32,
}

/// Lists who can wipe this device, and which devices of others can be wiped from here.
#[utoipa::path(
    get, path = "/accounts/{account}/friends", tag = "friends", operation_id = "list_friends",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Friends), (status = "default", body = ErrorBody)),
)]
async fn list(of: OfAccount) -> Result<Json<Friends>, Failure> {
    let inbox = of.session.device(|device| device.inbox())?;
    let (sets, held) = of
        .db()
        .with(|db| Ok::<_, database::DatabaseError>((db.trusted_sets()?, db.held_tripwires()?)))?;
    let sets = sets.iter().map(|set| trusted_set(set, &inbox)).collect();
    Ok(Json(Friends { sets, devices: held.iter().map(HeldDevice::from).collect() }))
}

/// Lets friends wipe this device: each is sent a share, of which nothing stays here.
#[utoipa::path(
    post, path = "/accounts/{account}/friends/sets", tag = "friends", request_body = NewTrust,
    operation_id = "trust_friends",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 201, body = TrustedSet), (status = "default", body = ErrorBody)),
)]
async fn trust(
    of: OfAccount,
    Given(given): Given<NewTrust>,
) -> Result<(StatusCode, Json<TrustedSet>), Failure> {
    let friends = given.friends.iter().map(|id| id.parse().map_err(|_| Failure::NoAccountId));
    let device = given.device.as_deref().unwrap_or(DEVICE).trim();
    if device.is_empty() || device.len() > MOST_DEVICE_BYTES {
        return Err(Failure::Name("a device's name has 1 to 64 bytes"));
    }
    let trust = Trust {
        friends: friends.collect::<Result<_, _>>()?,
        own_devices: given.own_devices,
        threshold: given.threshold,
        device: device.to_owned(),
    };
    let made = of.session.device(|device| device.trust(&of, &trust))?;
    Ok((StatusCode::CREATED, Json(trusted_set(&made, &made.inbox))))
}

/// Has the shares of a set do nothing any more, at once, and tells the friends.
#[utoipa::path(
    delete, path = "/accounts/{account}/friends/sets/{set}", tag = "friends",
    operation_id = "revoke_friends",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("set" = String, Path, description = "the set's name"),
    ),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn revoke(
    of: OfAccount,
    Path((_, set)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let set = parse_set_name(&set).ok_or(ClientError::NoTrustedSet)?;
    of.session.device(|device| device.revoke_trust(&of, &set))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a new set of the same friends and revokes the old one.
#[utoipa::path(
    post, path = "/accounts/{account}/friends/sets/{set}/reissue", tag = "friends",
    operation_id = "reissue_friends",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("set" = String, Path, description = "the set's name"),
    ),
    responses((status = 201, body = TrustedSet), (status = "default", body = ErrorBody)),
)]
async fn reissue(
    of: OfAccount,
    Path((_, set)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TrustedSet>), Failure> {
    let set = parse_set_name(&set).ok_or(ClientError::NoTrustedSet)?;
    let made = of.session.device(|device| device.reissue_trust(&of, &set))?;
    Ok((StatusCode::CREATED, Json(trusted_set(&made, &made.inbox))))
}

/// Keeps no share for devices of somebody any more. They are told.
#[utoipa::path(
    delete, path = "/accounts/{account}/friends/devices/{peer}", tag = "friends",
    operation_id = "drop_friends_devices",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose devices"),
        WhichDevice,
    ),
    responses((status = 200, body = ShareCount), (status = "default", body = ErrorBody)),
)]
async fn let_go(
    of: OfAccount,
    OfPeer(owner): OfPeer,
    Asked(which): Asked<WhichDevice>,
) -> Result<Json<ShareCount>, Failure> {
    Ok(Json(ShareCount { shares: of.drop_devices(&owner, which.device.as_deref())? }))
}

/// Asks devices of somebody whether they would hear an order. It wipes nothing; they answer once they
/// are unlocked.
#[utoipa::path(
    post, path = "/accounts/{account}/friends/devices/{peer}/test", tag = "friends",
    operation_id = "test_friends_devices", request_body = WhichDevice,
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose devices"),
    ),
    responses((status = 200, body = ShareCount), (status = "default", body = ErrorBody)),
)]
async fn test(
    of: OfAccount,
    OfPeer(owner): OfPeer,
    Given(which): Given<WhichDevice>,
) -> Result<Json<ShareCount>, Failure> {
    Ok(Json(ShareCount { shares: of.test_devices(&owner, which.device.as_deref())? }))
}

/// The first of two steps of wiping a friend's device: gives the code of the second. Nothing is sent.
#[utoipa::path(
    post, path = "/accounts/{account}/friends/devices/{peer}/wipe", tag = "friends",
    operation_id = "announce_friends_wipe", request_body = WhichDevice,
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose device"),
    ),
    responses((status = 200, body = AnnouncedWipe), (status = "default", body = ErrorBody)),
)]
async fn announce(
    of: OfAccount,
    OfPeer(owner): OfPeer,
    Given(which): Given<WhichDevice>,
) -> Result<Json<AnnouncedWipe>, Failure> {
    let announced = of.announce_wipe(&owner, which.device.as_deref())?;
    Ok(Json(AnnouncedWipe {
        code: announced.code.code,
        valid_until: announced.code.valid_until,
        devices: announced.shares.iter().map(HeldDevice::from).collect(),
    }))
}

/// The second step: orders the wipe, and repeats the order for weeks. Nobody can undo it.
#[utoipa::path(
    post, path = "/accounts/{account}/friends/devices/{peer}/wipe/confirm", tag = "friends",
    operation_id = "confirm_friends_wipe", request_body = ConfirmedWipe,
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose device"),
    ),
    responses((status = 200, body = OrderedWipe), (status = "default", body = ErrorBody)),
)]
async fn confirm(
    of: OfAccount,
    OfPeer(owner): OfPeer,
    Given(confirmed): Given<ConfirmedWipe>,
) -> Result<Json<OrderedWipe>, Failure> {
    let ordered = of.order_wipe(&owner, &confirmed.code)?;
    Ok(Json(OrderedWipe { devices: ordered.iter().map(HeldDevice::from).collect() }))
}

/// Repeats an order no more. What was sent stays in the network for two weeks.
#[utoipa::path(
    delete, path = "/accounts/{account}/friends/devices/{peer}/wipe", tag = "friends",
    operation_id = "stop_friends_wipe",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose device"),
        WhichDevice,
    ),
    responses((status = 200, body = ShareCount), (status = "default", body = ErrorBody)),
)]
async fn stop(
    of: OfAccount,
    OfPeer(owner): OfPeer,
    Asked(which): Asked<WhichDevice>,
) -> Result<Json<ShareCount>, Failure> {
    Ok(Json(ShareCount { shares: of.stop_wipe(&owner, which.device.as_deref())? }))
}

/// Shows after how long without unlocking this device is wiped.
#[utoipa::path(
    get, path = "/dead-man", tag = "friends", operation_id = "show_dead_man",
    responses((status = 200, body = DeadMan), (status = "default", body = ErrorBody)),
)]
async fn show_dead_man(InSession(session): InSession) -> Result<Json<DeadMan>, Failure> {
    Ok(Json(DeadMan { hours: session.device(|device| device.dead_man_hours())? }))
}

/// Says after how long without unlocking this device is wiped. The time runs from here.
#[utoipa::path(
    put, path = "/dead-man", tag = "friends", operation_id = "set_dead_man",
    request_body = DeadMan,
    responses((status = 200, body = DeadMan), (status = "default", body = ErrorBody)),
)]
async fn set_dead_man(
    InSession(session): InSession,
    Given(dead_man): Given<DeadMan>,
) -> Result<Json<DeadMan>, Failure> {
    session.device(|device| device.set_dead_man(dead_man.hours))?;
    Ok(Json(dead_man))
}

fn trusted_set(set: &database::TrustedSet, inbox: &AccountId) -> TrustedSet {
    TrustedSet {
        set: set_name(&set.set),
        device: set.device.clone(),
        here: set.inbox == *inbox,
        threshold: set.threshold,
        created: set.created,
        friends: set.friends.iter().map(TrustedFriend::from).collect(),
    }
}

impl From<&database::TrustedFriend> for TrustedFriend {
    fn from(friend: &database::TrustedFriend) -> Self {
        let (state, since) = match friend.standing() {
            Standing::Offered => (FriendState::Offered, None),
            Standing::Taken => (FriendState::Taken, friend.taken_at),
            Standing::Declined => (FriendState::Declined, friend.declined_at),
        };
        Self {
            friend: friend.friend.to_string(),
            number: friend.number,
            state,
            since,
            tested_at: friend.tested_at,
        }
    }
}

impl From<&database::HeldTripwire> for HeldDevice {
    fn from(held: &database::HeldTripwire) -> Self {
        Self {
            owner: held.owner.to_string(),
            device: held.device.clone(),
            set: set_name(&held.share.set),
            number: held.share.number,
            threshold: held.share.threshold,
            count: held.share.count,
            received_at: held.received_at,
            test_sent_at: held.test_sent_at,
            heard_at: held.heard_at,
            ordered_at: held.ordered_at,
            ordered_until: held.ordered_at.map(|at| at.saturating_add(ORDER_LIFE)),
        }
    }
}
