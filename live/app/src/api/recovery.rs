//! Shares of recovery words between friends: handed out, kept, asked for and given back.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_account::shares::Set;
use warren_client::database;
use warren_wire::AccountId;

use super::accounts::{self, Account};
use super::extract::{Given, OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::session::Home;
use super::shares::{Gathered, gathered};
use crate::failure::Failure;
use crate::wording;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list_given, give))
        .routes(routes!(list_held))
        .routes(routes!(forget))
        .routes(routes!(ask))
        .routes(routes!(list_requests))
        .routes(routes!(give_back))
        .routes(routes!(list_returned))
        .routes(routes!(restore))
}

/// How a recovery phrase is to be split among friends.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HandOut {
    /// How many friends together bring it back, at least 2.
    pub threshold: u8,
    /// The Account IDs of the friends, each of whom is handed one share.
    pub friends: Vec<String>,
}

/// A share that a friend was handed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenShare {
    /// The friend's Account ID.
    pub friend: String,
    /// The two words that name its set.
    pub set: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// How many of the set bring the recovery words back.
    pub threshold: u8,
    /// When it was handed out.
    pub given_at: u64,
    /// When the friend's app said that it keeps it; absent where it has not said so.
    pub kept_at: Option<u64>,
}

/// The shares that friends were handed, the newest set first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GivenShares {
    /// The shares.
    pub shares: Vec<GivenShare>,
}

/// A share of somebody else's recovery words that is kept here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldShare {
    /// Whose recovery words they are: an Account ID.
    pub owner: String,
    /// The two words that name its set.
    pub set: String,
    /// Which of the set, from 1.
    pub number: u8,
    /// How many of the set bring the recovery words back.
    pub threshold: u8,
    /// When it came.
    pub received_at: u64,
}

/// The shares that are kept for others.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct HeldShares {
    /// The shares.
    pub shares: Vec<HeldShare>,
}

/// Friends who are asked for shares, and of what.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Asking {
    /// The Account IDs of the friends.
    pub friends: Vec<String>,
    /// The Account ID that was lost.
    pub lost: String,
}

/// Somebody who says that they lost an account. Anybody can say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareRequest {
    /// Who asks: the Account ID they ask from.
    pub asker: String,
    /// The Account ID that they say was theirs.
    pub account: String,
    /// Whether shares of that account are kept here.
    pub held: bool,
    /// When they asked last.
    pub asked_at: u64,
    /// When they were given shares; absent where they were not.
    pub returned_at: Option<u64>,
}

/// Who says that they lost an account, the latest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ShareRequests {
    /// The requests.
    pub requests: Vec<ShareRequest>,
}

/// Whose shares are given to whoever asked.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GiveBack {
    /// The Account ID whose shares these are. To be sure that the asker is that person, by voice or in
    /// person, is up to whoever sends this.
    pub owner: String,
}

/// How many shares were given back.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GaveBack {
    /// How many.
    pub shares: usize,
}

/// The sets of shares that friends gave back, the fullest first.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Returned {
    /// How far each set is. Recovery words are not among it.
    pub sets: Vec<ReturnedSet>,
}

/// How far a set of shares is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReturnedSet {
    /// The two words that name it.
    pub set: String,
    /// How many of its shares are here.
    pub have: usize,
    /// How many it takes.
    pub need: usize,
    /// The account they bring back; absent while there are too few.
    pub account_id: Option<String>,
    /// What is wrong with them; absent where nothing is.
    pub trouble: Option<String>,
}

/// What the account that comes back is called here.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct RestoredName {
    /// Its name here, as for a new one.
    pub name: Option<String>,
}

/// Lists who was handed shares, and whether they keep them.
#[utoipa::path(
    get, path = "/accounts/{account}/shares/given", tag = "shares",
    operation_id = "list_given_shares",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = GivenShares), (status = "default", body = ErrorBody)),
)]
async fn list_given(of: OfAccount) -> Result<Json<GivenShares>, Failure> {
    let shares = of.db().with(|db| db.given_shares())?;
    Ok(Json(GivenShares { shares: shares.into_iter().map(GivenShare::from).collect() }))
}

/// Splits the recovery words and hands each friend one share. The shares are kept nowhere here.
#[utoipa::path(
    post, path = "/accounts/{account}/shares/given", tag = "shares", request_body = HandOut,
    operation_id = "hand_out_shares",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = GivenShares), (status = "default", body = ErrorBody)),
)]
async fn give(of: OfAccount, Given(how): Given<HandOut>) -> Result<Json<GivenShares>, Failure> {
    let friends = people(&how.friends)?;
    let shares = of.hand_out_shares(&friends, how.threshold)?;
    Ok(Json(GivenShares { shares: shares.into_iter().map(GivenShare::from).collect() }))
}

/// Lists the shares that are kept for others.
#[utoipa::path(
    get, path = "/accounts/{account}/shares/held", tag = "shares",
    operation_id = "list_held_shares",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = HeldShares), (status = "default", body = ErrorBody)),
)]
async fn list_held(of: OfAccount) -> Result<Json<HeldShares>, Failure> {
    let shares = of.db().with(|db| db.held_shares())?;
    Ok(Json(HeldShares { shares: shares.into_iter().map(HeldShare::from).collect() }))
}

/// Keeps nothing of somebody's recovery words any more. They are not told.
#[utoipa::path(
    delete, path = "/accounts/{account}/shares/held/{peer}", tag = "shares",
    operation_id = "forget_held_shares",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "whose shares they are"),
    ),
    responses((status = 200, body = GaveBack), (status = "default", body = ErrorBody)),
)]
async fn forget(of: OfAccount, OfPeer(owner): OfPeer) -> Result<Json<GaveBack>, Failure> {
    let shares = of.db().with(|db| db.drop_held_shares(&owner))?;
    if shares == 0 {
        return Err(warren_client::ClientError::NoShares.into());
    }
    Ok(Json(GaveBack { shares }))
}

/// Asks friends, from this account, for the shares they keep of one that was lost.
#[utoipa::path(
    post, path = "/accounts/{account}/shares/asked", tag = "shares", request_body = Asking,
    operation_id = "ask_for_shares",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 204), (status = "default", body = ErrorBody)),
)]
async fn ask(of: OfAccount, Given(asking): Given<Asking>) -> Result<StatusCode, Failure> {
    of.ask_for_shares(&people(&asking.friends)?, &person(&asking.lost)?)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists who says that they lost an account. Anybody can say so: make sure by voice or in person.
#[utoipa::path(
    get, path = "/accounts/{account}/shares/requests", tag = "shares",
    operation_id = "list_share_requests",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = ShareRequests), (status = "default", body = ErrorBody)),
)]
async fn list_requests(of: OfAccount) -> Result<Json<ShareRequests>, Failure> {
    let (requests, held) = of
        .db()
        .with(|db| Ok::<_, database::DatabaseError>((db.share_requests()?, db.held_shares()?)))?;
    let requests = requests.into_iter().map(|request| ShareRequest {
        asker: request.asker.to_string(),
        account: request.account.to_string(),
        held: held.iter().any(|held| held.owner == request.account),
        asked_at: request.asked_at,
        returned_at: request.returned_at,
    });
    Ok(Json(ShareRequests { requests: requests.collect() }))
}

/// Gives whoever asked the shares that are kept of somebody. There is no taking back.
#[utoipa::path(
    post, path = "/accounts/{account}/shares/requests/{peer}/return", tag = "shares",
    operation_id = "return_shares", request_body = GiveBack,
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "who asked"),
    ),
    responses((status = 200, body = GaveBack), (status = "default", body = ErrorBody)),
)]
async fn give_back(
    of: OfAccount,
    OfPeer(asker): OfPeer,
    Given(what): Given<GiveBack>,
) -> Result<Json<GaveBack>, Failure> {
    let shares = of.return_shares(&asker, &person(&what.owner)?)?;
    Ok(Json(GaveBack { shares }))
}

/// Lists what friends gave back, set by set.
#[utoipa::path(
    get, path = "/accounts/{account}/shares/returned", tag = "shares",
    operation_id = "list_returned_shares",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Returned), (status = "default", body = ErrorBody)),
)]
async fn list_returned(of: OfAccount) -> Result<Json<Returned>, Failure> {
    let sets = of.gathered_shares()?;
    let how_far = sets.iter().map(|set| {
        let (account_id, trouble) = match gathered(set) {
            Ok(Gathered { account_id, .. }) => (account_id, None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        ReturnedSet {
            set: set.set().map(Set::name).unwrap_or_default(),
            have: set.have(),
            need: set.need().unwrap_or_default(),
            account_id,
            trouble,
        }
    });
    Ok(Json(Returned { sets: how_far.collect() }))
}

/// Brings the lost account onto this device from what friends gave back, and forgets the shares.
#[utoipa::path(
    post, path = "/accounts/{account}/shares/returned/restore", tag = "shares",
    operation_id = "restore_from_shares", request_body = RestoredName,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 201, body = Account), (status = "default", body = ErrorBody)),
)]
async fn restore(
    of: OfAccount,
    Given(given): Given<RestoredName>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let name = given.name.as_deref().map(wording::name).transpose()?;
    let sets = of.gathered_shares()?;
    let set = sets.first().ok_or(Failure::NoSharesYet)?;
    let combined = set.combine()?;
    let phrase = warren_account::Mnemonic::encode(&combined.seed);
    let account = accounts::bring_back(&of.session, phrase.expose(), name)?;
    of.db().with(|db| db.drop_returned_shares())?;
    Ok((StatusCode::CREATED, Json(account)))
}

fn person(id: &str) -> Result<AccountId, Failure> {
    id.parse().map_err(|_| Failure::NoAccountId)
}

fn people(ids: &[String]) -> Result<Vec<AccountId>, Failure> {
    ids.iter().map(|id| person(id)).collect()
}

impl From<database::GivenShare> for GivenShare {
    fn from(given: database::GivenShare) -> Self {
        Self {
            friend: given.friend.to_string(),
            set: given.set,
            number: given.number,
            threshold: given.threshold,
            given_at: given.given_at,
            kept_at: given.kept_at,
        }
    }
}

impl From<database::HeldShare> for HeldShare {
    fn from(held: database::HeldShare) -> Self {
        Self {
            owner: held.owner.to_string(),
            set: held.share.set,
            number: held.share.number,
            threshold: held.share.threshold,
            received_at: held.received_at,
        }
    }
}
