//! Shares of a recovery phrase: split, and brought together again. What passes between friends is in
//! [`super::recovery`].

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_account::{Account as Keys, Collection, Mnemonic, Share};
use warren_client::ClientError;

use super::extract::{Given, InSession, OfAccount};
use super::failure::ErrorBody;
use super::session::Home;
use crate::failure::Failure;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new().routes(routes!(split)).routes(routes!(combine))
}

/// How a recovery phrase is to be split.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Split {
    /// How many shares bring it back, at least 2.
    pub threshold: u8,
    /// How many shares there are to be, at most 16.
    pub shares: u8,
}

/// The shares of a recovery phrase. They are kept nowhere: whoever asked shows them once.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SplitPhrase {
    /// The two words that each share of the set begins with.
    pub set: String,
    /// How many of them bring the phrase back.
    pub threshold: u8,
    /// The shares.
    pub shares: Vec<OneShare>,
}

/// A share. Any `threshold` of a set are the account; fewer say nothing of it.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct OneShare {
    /// Which of its set, from 1.
    pub number: u8,
    /// Its words, as SLIP-0039 has them.
    pub words: String,
    /// The text of its QR code.
    pub qr: String,
}

/// Shares that came together.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct GivenShares {
    /// The words of each.
    pub shares: Vec<String>,
}

/// What shares give, once there are enough.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Gathered {
    /// The two words that each share of the set begins with.
    pub set: String,
    /// How many shares there are.
    pub have: usize,
    /// How many it takes.
    pub need: usize,
    /// The account they bring back; absent while there are too few.
    pub account_id: Option<String>,
    /// Its recovery words; absent while there are too few.
    pub mnemonic: Option<String>,
    /// Which shares, from 1, do not go with those that gave the words: somebody altered them.
    pub misfits: Vec<usize>,
}

/// Splits the recovery words into shares, which are shown once and kept nowhere.
#[utoipa::path(
    post, path = "/accounts/{account}/shares", tag = "shares", request_body = Split,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = SplitPhrase), (status = "default", body = ErrorBody)),
)]
async fn split(of: OfAccount, Given(how): Given<Split>) -> Result<Json<SplitPhrase>, Failure> {
    let id = of.account().id.to_string();
    let (threshold, count) = (how.threshold, how.shares);
    let shares = of.session.device(|device| device.split_phrase(&id, threshold, count))?;
    let set = shares.first().map(|share| share.set().name()).unwrap_or_default();
    Ok(Json(SplitPhrase { set, threshold, shares: shares.iter().map(OneShare::from).collect() }))
}

/// Brings shares together: says how many are missing, or gives the recovery words. Nothing is kept.
#[utoipa::path(
    post, path = "/shares/combine", tag = "shares", request_body = GivenShares,
    responses((status = 200, body = Gathered), (status = "default", body = ErrorBody)),
)]
async fn combine(
    InSession(_session): InSession,
    Given(given): Given<GivenShares>,
) -> Result<Json<Gathered>, Failure> {
    let mut collection = Collection::default();
    for (text, position) in given.shares.iter().zip(1..) {
        let share = Share::parse(text).map_err(|error| Failure::Share { position, error })?;
        collection.add(share).map_err(|error| Failure::OddShare { position, error })?;
    }
    gathered(&collection).map(Json)
}

/// What a collection gives so far.
///
/// # Errors
/// Where there are enough shares and they do not belong together, or there is none.
pub fn gathered(collection: &Collection) -> Result<Gathered, Failure> {
    let set = collection.set().map(warren_account::shares::Set::name).unwrap_or_default();
    let (have, need) = (collection.have(), collection.need().unwrap_or_default());
    if have > 0 && !collection.is_complete() {
        let nothing = (None, None, Vec::new());
        let (account_id, mnemonic, misfits) = nothing;
        return Ok(Gathered { set, have, need, account_id, mnemonic, misfits });
    }
    let combined = collection.combine()?;
    let account = Keys::from_seed(&combined.seed).map_err(ClientError::from)?;
    let mnemonic = Some(Mnemonic::encode(&combined.seed).expose().to_owned());
    let account_id = Some(account.id().to_string());
    Ok(Gathered { set, have, need, account_id, mnemonic, misfits: combined.misfits })
}

impl From<&Share> for OneShare {
    fn from(share: &Share) -> Self {
        let words = share.words();
        Self { number: share.number(), words: words.expose().to_owned(), qr: words.to_qr_text() }
    }
}
