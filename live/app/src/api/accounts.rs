//! Accounts on this device: create, restore, show, list, change, remove.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use warren_client::database::AccountEntry;
use warren_client::{Device, Event, NotificationMode};
use warren_wire::AccountId;

use super::extract::{Given, InSession, OfAccount};
use super::failure::ErrorBody;
use super::session::{Home, Session};
use crate::failure::Failure;
use crate::wording;

/// What an account is called where nobody says.
const DEFAULT_NAME: &str = "main";

pub(super) fn routes() -> OpenApiRouter<Arc<Home>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(restore))
        .routes(routes!(show, change, remove))
        .routes(routes!(words))
}

/// An account on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its id, 66 hexadecimal digits.
    pub account_id: String,
    /// What it is called here.
    pub name: String,
    /// What the people it writes to are told; absent where they are told nothing.
    pub display_name: Option<String>,
    /// When it came onto this device.
    pub created: u64,
    /// How soon its owner wants to hear of new messages.
    pub notifications: NotificationMode,
}

/// The accounts on this device, in the order they came.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Accounts {
    /// The accounts.
    pub accounts: Vec<Account>,
}

/// What a new account is called.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct NewAccount {
    /// Its name here, which the people it writes to are told too. Without one it is called `main`
    /// here and they are told nothing.
    pub name: Option<String>,
}

/// An account, and the recovery words that are the account.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct CreatedAccount {
    /// The account.
    pub account: Account,
    /// Thirteen words. Whoever has them has the account.
    pub mnemonic: String,
}

/// Recovery words.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Words {
    /// Thirteen words. Whoever has them has the account.
    pub mnemonic: String,
}

/// What brings an account back.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct RestoredAccount {
    /// Its name here, as for a new one.
    pub name: Option<String>,
    /// Its thirteen recovery words.
    pub mnemonic: String,
}

/// What changes of an account; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct AccountChange {
    /// Its name on this device.
    pub name: Option<String>,
    /// How soon its owner wants to hear of new messages.
    pub notifications: Option<NotificationMode>,
}

/// Lists the accounts.
#[utoipa::path(
    get, path = "/accounts", tag = "accounts",
    responses((status = 200, body = Accounts), (status = "default", body = ErrorBody)),
)]
async fn list(InSession(session): InSession) -> Result<Json<Accounts>, Failure> {
    let accounts = session.device(|device| {
        let entries = device.accounts()?;
        entries.into_iter().map(|entry| account(device, entry)).collect::<Result<_, Failure>>()
    })?;
    Ok(Json(Accounts { accounts }))
}

/// Creates an account.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts", request_body = NewAccount,
    responses((status = 201, body = CreatedAccount), (status = "default", body = ErrorBody)),
)]
async fn create(
    InSession(session): InSession,
    Given(new): Given<NewAccount>,
) -> Result<(StatusCode, Json<CreatedAccount>), Failure> {
    let name = new.name.as_deref().map(wording::name).transpose()?;
    let (account, mnemonic) = session.device(|device| {
        let label = free_name(device, name)?;
        let (entry, mnemonic) = device.create_account(&label, name)?;
        Ok::<_, Failure>((account(device, entry)?, mnemonic.expose().to_owned()))
    })?;
    begin(&session, &account)?;
    Ok((StatusCode::CREATED, Json(CreatedAccount { account, mnemonic })))
}

/// Brings an account back from its recovery words.
#[utoipa::path(
    post, path = "/accounts/restore", tag = "accounts", request_body = RestoredAccount,
    responses((status = 201, body = Account), (status = "default", body = ErrorBody)),
)]
async fn restore(
    InSession(session): InSession,
    Given(given): Given<RestoredAccount>,
) -> Result<(StatusCode, Json<Account>), Failure> {
    let name = given.name.as_deref().map(wording::name).transpose()?;
    let account = bring_back(&session, &given.mnemonic, name)?;
    Ok((StatusCode::CREATED, Json(account)))
}

/// Brings an account onto this device and puts it to work.
pub(super) fn bring_back(
    session: &Session,
    mnemonic: &str,
    name: Option<&str>,
) -> Result<Account, Failure> {
    let account = session.device(|device| {
        let label = free_name(device, name)?;
        let entry = device.restore_account(mnemonic, &label, name)?;
        account(device, entry)
    })?;
    begin(session, &account)?;
    Ok(account)
}

/// Shows an account.
#[utoipa::path(
    get, path = "/accounts/{account}", tag = "accounts",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Account), (status = "default", body = ErrorBody)),
)]
async fn show(of: OfAccount) -> Result<Json<Account>, Failure> {
    found(&of.session, of.account().id).map(Json)
}

/// Changes how an account is called here and how soon its owner wants to hear.
#[utoipa::path(
    patch, path = "/accounts/{account}", tag = "accounts", request_body = AccountChange,
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Account), (status = "default", body = ErrorBody)),
)]
async fn change(
    of: OfAccount,
    Given(change): Given<AccountChange>,
) -> Result<Json<Account>, Failure> {
    let id = of.account().id;
    if let Some(name) = change.name.as_deref().map(wording::name).transpose()? {
        of.session.device(|device| {
            let is_other = |entry: &AccountEntry| entry.id != id && is_called(entry, name);
            if device.accounts()?.iter().any(is_other) {
                return Err(Failure::NameTaken(name.to_owned()));
            }
            Ok(device.label_account(&id, name)?)
        })?;
    }
    if let Some(mode) = change.notifications {
        of.session.device(|device| device.use_notification_mode(&id, mode))?;
        of.session.use_mode(&id, mode);
    }
    of.publish(Event::AccountChanged);
    found(&of.session, id).map(Json)
}

/// Takes an account and its messages off this device. Only its recovery words bring it back.
#[utoipa::path(
    delete, path = "/accounts/{account}", tag = "accounts",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Account), (status = "default", body = ErrorBody)),
)]
async fn remove(of: OfAccount) -> Result<Json<Account>, Failure> {
    let id = of.account().id;
    let account = found(&of.session, id)?;
    of.session.close(&id);
    of.session.device(|device| device.remove_account(&id.to_string()))?;
    of.publish(Event::AccountChanged);
    Ok(Json(account))
}

/// Shows the recovery words. Whoever has them has the account.
#[utoipa::path(
    get, path = "/accounts/{account}/mnemonic", tag = "accounts",
    params(("account" = String, Path, description = "Account ID")),
    responses((status = 200, body = Words), (status = "default", body = ErrorBody)),
)]
async fn words(of: OfAccount) -> Result<Json<Words>, Failure> {
    let id = of.account().id.to_string();
    let mnemonic = of.session.device(|device| device.mnemonic(&id))?;
    Ok(Json(Words { mnemonic: mnemonic.expose().to_owned() }))
}

/// Opens a new account, and tells of it.
fn begin(session: &Session, account: &Account) -> Result<(), Failure> {
    let id = account.account_id.parse().map_err(|_| Failure::NoAccountId)?;
    session.messenger(&id)?.publish(Event::AccountChanged);
    Ok(())
}

fn found(session: &Session, id: AccountId) -> Result<Account, Failure> {
    session.device(|device| {
        let mut entries = device.accounts()?.into_iter();
        let entry = entries.find(|entry| entry.id == id);
        let entry = entry.ok_or(warren_client::database::DatabaseError::UnknownAccount)?;
        account(device, entry)
    })
}

fn account(device: &Device, entry: AccountEntry) -> Result<Account, Failure> {
    let notifications = device.notification_mode(&entry.id)?;
    Ok(Account {
        account_id: entry.id.to_string(),
        name: entry.label,
        // Another device may have chosen it.
        display_name: device.display_name(&entry.id)?,
        created: entry.created,
        notifications,
    })
}

fn is_called(entry: &AccountEntry, name: &str) -> bool {
    entry.label.eq_ignore_ascii_case(name)
}

/// The chosen name, or `main`, `main-2` and so on.
fn free_name(device: &Device, chosen: Option<&str>) -> Result<String, Failure> {
    let entries = device.accounts()?;
    let is_free = |name: &str| !entries.iter().any(|entry| is_called(entry, name));
    if let Some(chosen) = chosen {
        return if is_free(chosen) {
            Ok(chosen.to_owned())
        } else {
            Err(Failure::NameTaken(chosen.to_owned()))
        };
    }
    let numbered = (2..).map(|number| format!("{DEFAULT_NAME}-{number}"));
    let mut names = std::iter::once(DEFAULT_NAME.to_owned()).chain(numbered);
    Ok(names.find(|name| is_free(name)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use warren_client::vault::Cost;

    use super::*;

    #[test]
    fn accounts_without_a_chosen_name_get_different_ones() {
        let home = tempfile::tempdir().unwrap();
        let mut device = Device::create(home.path(), "x", Cost::LEAST).unwrap();
        for expected in ["main", "main-2", "main-3"] {
            let name = free_name(&device, None).unwrap();
            assert_eq!(name, expected);
            device.create_account(&name, None).unwrap();
        }
        assert!(matches!(free_name(&device, Some("MAIN")), Err(Failure::NameTaken(_))));
    }
}
