//! `warren wipe`: everything on this device destroyed, and what the network keeps.

use axum::http::Method;

use crate::api::Api;
use crate::api::session::Home;
use crate::api::wipe::{CONFIRMATION, Wipe, Wiped, WipedAccount};
use crate::cli::WipeArgs;
use crate::failure::{Exit, Failure};
use crate::passphrase::confirmation;
use crate::start::Start;
use crate::wording::count;

/// Carries the command out.
///
/// # Errors
/// Where it is not confirmed, there is nothing to wipe, or the network cannot be reached.
pub async fn run(start: &Start, args: &WipeArgs) -> Result<Exit, Failure> {
    let home = start.home()?;
    if !warren_client::Device::exists(&home) {
        return Err(Failure::NoHome(home));
    }
    let confirm = match &args.confirm {
        Some(confirm) => confirm.clone(),
        None => asked(args.network)?,
    };
    if confirm != CONFIRMATION {
        return Err(Failure::WipeNotConfirmed);
    }
    let api = match Api::of_daemon(&home).await {
        Some(api) => api,
        None if args.network => start.api().await?,
        None => Api::here(Home::locked(home)),
    };
    let asked = Wipe { confirm, network: args.network, even_offline: args.even_offline };
    let wiped: Wiped = api.send(Method::POST, "wipe", &asked).await?;
    let value = serde_json::to_value(&wiped).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, text(&wiped))?;
    Ok(exit(&wiped))
}

/// How the program ends.
pub(super) fn exit(wiped: &Wiped) -> Exit {
    let is_whole = wiped.data && wiped.accounts.iter().all(|account| account.error.is_none());
    if is_whole { Exit::Done } else { Exit::Failed }
}

fn asked(network: bool) -> Result<String, Failure> {
    let what = if network { "on this device and in the network" } else { "on this device" };
    let prompt = format!(
        "This destroys everything {what}: accounts, messages, files. Only recovery words and backups\n\
         bring anything back. Type the word {CONFIRMATION} to do it: "
    );
    confirmation(&prompt)?.ok_or(Failure::WipeNotConfirmed)
}

/// What was reached, for a person.
pub(super) fn text(wiped: &Wiped) -> String {
    let mut lines = vec!["The keys are destroyed: nothing that was here can be read.".to_owned()];
    lines.push(match wiped.data {
        true => "Everything on this device is deleted.".to_owned(),
        false => "Not everything could be deleted yet: any command goes on with it.".to_owned(),
    });
    lines.extend(wiped.accounts.iter().map(account_text));
    lines.join("\n")
}

fn account_text(account: &WipedAccount) -> String {
    let id = &account.account_id;
    match &account.error {
        Some(error) => format!("The network keeps the mail of {id}: {error}"),
        None => format!(
            "{} of {} deleted the mail of {id}.",
            account.done,
            count(account.members, "member")
        ),
    }
}
