//! The people an account knows by name.

use std::sync::Arc;

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::{self, AccountDb, DatabaseError};
use warren_wire::{AccountId, AccountKind};

use super::extract::{Asked, Given, OfAccount, OfPeer};
use super::failure::ErrorBody;
use super::groups;
use super::session::Home;
use crate::failure::Failure;
use crate::wording;

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(find))
        .routes(routes!(show, put, change, remove))
}

/// A person an account knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Their Account ID.
    pub account_id: String,
    /// What the owner of the account calls them.
    pub name: Option<String>,
    /// What they call themselves, as anybody could; absent where they never said.
    pub calls_themselves: Option<String>,
    /// Whether the owner wants their messages.
    pub approved: bool,
    /// Whether nothing of theirs is kept.
    pub blocked: bool,
    /// Where their picture is; another one means that it changed. Absent where they have none. What it
    /// shows, `pictures` says once it was fetched.
    pub picture: Option<String>,
}

/// Contacts, by the name that is shown.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Contacts {
    /// The contacts.
    pub contacts: Vec<Contact>,
}

/// Whom a text means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// Their Account ID.
    pub account_id: String,
    /// What is known of them; absent for a stranger.
    pub contact: Option<Contact>,
    /// The name of a group, as its admins call it; absent for a person.
    pub group: Option<String>,
}

/// A name to look for.
#[derive(Debug, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Who {
    /// A contact's name, an Account ID, or a group's name or id.
    pub who: String,
}

/// What a contact is to be called.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ContactName {
    /// What the owner of the account calls them. No two contacts share one.
    pub name: String,
}

/// What changes of a contact; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ContactChange {
    /// What the owner of the account calls them.
    pub name: Option<String>,
    /// Whether the owner wants their messages.
    pub approved: Option<bool>,
    /// Whether nothing of theirs is kept. A stranger may be blocked, too.
    pub blocked: Option<bool>,
}

/// Lists the contacts.
#[utoipa::path(
    get, path = "/accounts/{account}/contacts", tag = "contacts",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Contacts), (status = "default", body = ErrorBody)),
)]
async fn list(of: OfAccount) -> Result<Json<Contacts>, Failure> {
    let contacts = of.db().with(|db| db.contacts())?;
    Ok(Json(Contacts { contacts: contacts.into_iter().map(Contact::from).collect() }))
}

/// Whom a name or an Account ID means. What the owner calls people goes before what they call
/// themselves, and that before the names of groups.
#[utoipa::path(
    get, path = "/accounts/{account}/find", tag = "contacts",
    params(("account" = String, Path, description = "Account ID"), Who),
    responses((status = 200, body = Found), (status = "default", body = ErrorBody)),
)]
async fn find(of: OfAccount, Asked(Who { who }): Asked<Who>) -> Result<Json<Found>, Failure> {
    of.db().with(|db| {
        let id = match db.find_peer(who.trim()) {
            Err(DatabaseError::UnknownContact) => groups::called(db, who.trim())?,
            found => found?,
        };
        let contact = db.contact(&id)?.map(Contact::from);
        let group = db.group(&id)?.map(|group| group.name);
        Ok(Json(Found { account_id: id.to_string(), contact, group }))
    })
}

/// Shows a contact.
#[utoipa::path(
    get, path = "/accounts/{account}/contacts/{peer}", tag = "contacts",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the contact's Account ID"),
    ),
    responses((status = 200, body = Contact), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount, OfPeer(peer): OfPeer) -> Result<Json<Contact>, Failure> {
    of.db().with(|db| known(db, &peer)).map(Json)
}

/// Gives an Account ID a name, and makes a contact of it.
#[utoipa::path(
    put, path = "/accounts/{account}/contacts/{peer}", tag = "contacts",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the contact's Account ID"),
    ),
    request_body = ContactName,
    responses((status = 200, body = Contact), (status = "default", body = ErrorBody)),
)]
async fn put(
    of: OfAccount,
    OfPeer(id): OfPeer,
    Given(given): Given<ContactName>,
) -> Result<Json<Contact>, Failure> {
    if id.kind() != AccountKind::Person {
        return Err(Failure::NoAccountId);
    }
    of.set_nickname(&id, Some(wording::name(&given.name)?))?;
    of.db().with(|db| known(db, &id)).map(Json)
}

/// Changes a contact.
#[utoipa::path(
    patch, path = "/accounts/{account}/contacts/{peer}", tag = "contacts",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the contact's Account ID"),
    ),
    request_body = ContactChange,
    responses((status = 200, body = Contact), (status = "default", body = ErrorBody)),
)]
async fn change(
    of: OfAccount,
    OfPeer(peer): OfPeer,
    Given(change): Given<ContactChange>,
) -> Result<Json<Contact>, Failure> {
    let name = change.name.as_deref().map(wording::name).transpose()?;
    if change.blocked.is_none() {
        of.db().with(|db| known(db, &peer))?;
    }
    if let Some(blocked) = change.blocked {
        of.set_blocked(&peer, blocked)?;
    }
    if let Some(name) = name {
        of.set_nickname(&peer, Some(name))?;
    }
    match change.approved {
        Some(true) => of.accept_request(&peer)?,
        Some(false) => of.withdraw_approval(&peer)?,
        None => {}
    }
    of.db().with(|db| known(db, &peer)).map(Json)
}

/// Forgets a contact. Messages stay.
#[utoipa::path(
    delete, path = "/accounts/{account}/contacts/{peer}", tag = "contacts",
    params(
        ("account" = String, Path, description = "Account ID"),
        ("peer" = String, Path, description = "the contact's Account ID"),
    ),
    responses((status = 200, body = Contact), (status = "default", body = ErrorBody)),
)]
async fn remove(of: OfAccount, OfPeer(peer): OfPeer) -> Result<Json<Contact>, Failure> {
    let contact = of.db().with(|db| known(db, &peer))?;
    of.remove_contact(&peer)?;
    Ok(Json(contact))
}

fn known(db: &AccountDb, id: &AccountId) -> Result<Contact, Failure> {
    Ok(db.contact(id)?.ok_or(DatabaseError::UnknownContact)?.into())
}

impl From<database::Contact> for Contact {
    fn from(contact: database::Contact) -> Self {
        Self {
            account_id: contact.id.to_string(),
            name: contact.petname,
            calls_themselves: Some(contact.name).filter(|name| !name.is_empty()),
            approved: contact.approved,
            blocked: contact.blocked,
            picture: contact.picture.map(|picture| picture.url),
        }
    }
}
