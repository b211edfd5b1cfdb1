//! `warren friends`: who can wipe this device, and whose devices can be wiped from here.

use crate::api::AccountApi;
use crate::cli::{FriendsCommand as Do, TheirDevice};
use crate::failure::{Exit, Failure};
use crate::people;
use crate::start::Start;

mod dead_man;
mod list;
mod theirs;
mod trust;

/// Carries the command out.
///
/// # Errors
/// Where somebody is no contact, the numbers make no sense, there is no such set or device, or a code
/// is another one or too old. A network that cannot be reached is no error: what is to be sent waits.
pub async fn run(start: &Start, command: &Do) -> Result<Exit, Failure> {
    match command {
        Do::Trust(args) => trust::trust(start, args).await,
        Do::List => list::list(start).await,
        Do::Revoke(which) => trust::revoke(start, &which.set).await,
        Do::Reissue(which) => trust::reissue(start, &which.set).await,
        Do::Drop(whose) => theirs::let_go(start, whose).await,
        Do::Test(whose) => theirs::test(start, whose).await,
        Do::Wipe(args) => theirs::wipe(start, args).await,
        Do::DeadMan(args) => dead_man::dead_man(start, args).await,
    }
}

/// Whose device: a contact's, or for `me` another one of the account's own.
async fn owner(account: &AccountApi, whose: &TheirDevice) -> Result<String, Failure> {
    if whose.person.trim() == "me" {
        return Ok(account.account.account_id.clone());
    }
    Ok(people::peer(account, &whose.person).await?.account_id)
}

/// How the owner of a device is shown.
async fn owner_shown(account: &AccountApi, owner: &str) -> Result<String, Failure> {
    if owner == account.account.account_id {
        return Ok("you".to_owned());
    }
    people::shown(account, owner).await
}
