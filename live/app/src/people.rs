//! Whom a person means by what they typed.

use warren_wire::{AccountId, AccountKind};

use crate::api::AccountApi;
use crate::api::contacts::Found;
use crate::failure::Failure;
use crate::terminal_text;
use crate::wording;

/// Whom a person means by a contact's name or an Account ID.
///
/// # Errors
/// Where no contact fits.
pub async fn peer(account: &AccountApi, text: &str) -> Result<Found, Failure> {
    let found = account.find(text.trim()).await?;
    let id: AccountId = found.account_id.parse().map_err(|_| Failure::NoAccountId)?;
    if id.kind() == AccountKind::Person { Ok(found) } else { Err(Failure::NoAccountId) }
}

/// Whom a message goes to: an Account ID, or the owner's own name for a contact.
///
/// What somebody calls themselves is not enough: anybody could take a message that was meant for
/// somebody else of that name.
///
/// # Errors
/// Where no contact fits.
pub async fn recipient(account: &AccountApi, text: &str) -> Result<Found, Failure> {
    let text = text.trim();
    let found = peer(account, text).await?;
    let is_id = text.parse::<AccountId>().is_ok();
    if is_id || found.contact.as_ref().is_some_and(|contact| contact.name.is_some()) {
        return Ok(found);
    }
    Err(Failure::NotYourName { name: terminal_text::line(text), id: found.account_id })
}

/// How somebody is shown, looked up; safe for a terminal.
///
/// # Errors
/// Where the API fails.
pub async fn shown(account: &AccountApi, id: &str) -> Result<String, Failure> {
    let contact = account.find(id).await?.contact;
    Ok(wording::person_shown(id, contact.as_ref()))
}
