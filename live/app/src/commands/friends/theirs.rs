//! `warren friends drop`, `test` and `wipe`: devices of others.

use axum::http::Method;
use serde_json::json;

use crate::api::AccountApi;
use crate::api::friends::{AnnouncedWipe, ConfirmedWipe, OrderedWipe, ShareCount, WhichDevice};
use crate::cli::{FriendsWipeArgs, TheirDevice};
use crate::commands::message::report;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::terminal_text;
use crate::wording::{count, local_time};

pub(super) async fn let_go(start: &Start, whose: &TheirDevice) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let owner = super::owner(&account, whose).await?;
    let path = asking(&format!("friends/devices/{owner}"), whose)?;
    let ShareCount { shares } = account.send(Method::DELETE, &path, &()).await?;
    let text =
        format!("{} deleted. They are told that you cannot wipe it.", count(shares, "share"));
    report(&account, start.output, json!({ "owner": owner, "shares": shares }), &text).await
}

pub(super) async fn test(start: &Start, whose: &TheirDevice) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let owner = super::owner(&account, whose).await?;
    let which = WhichDevice { device: whose.device.clone() };
    let path = format!("friends/devices/{owner}/test");
    let ShareCount { shares } = account.send(Method::POST, &path, &which).await?;
    let text = format!(
        "{} sent, which wipe nothing. The device answers once its owner has unlocked it: `warren friends \
         list`\nshows when it heard you.",
        count(shares, "test")
    );
    report(&account, start.output, json!({ "owner": owner, "tests": shares }), &text).await
}

pub(super) async fn wipe(start: &Start, args: &FriendsWipeArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let owner = super::owner(&account, &args.whose).await?;
    match &args.confirm {
        _ if args.stop => stop(start, &account, &owner, &args.whose).await,
        Some(code) => confirm(start, &account, &owner, code).await,
        None => announce(start, &account, &owner, &args.whose).await,
    }
}

async fn announce(
    start: &Start,
    account: &AccountApi,
    owner: &str,
    whose: &TheirDevice,
) -> Result<Exit, Failure> {
    let which = WhichDevice { device: whose.device.clone() };
    let path = format!("friends/devices/{owner}/wipe");
    let announced: AnnouncedWipe = account.send(Method::POST, &path, &which).await?;
    let name = match super::owner_shown(account, owner).await? {
        own if own == "you" => "your".to_owned(),
        name => format!("{name}'s"),
    };
    let first = announced.devices.first().ok_or(Failure::DaemonTrouble)?;
    let device = terminal_text::line(&first.device);
    let alone = announced.devices.iter().any(|held| held.threshold == 1);
    let how = if alone {
        "You alone are enough: it is wiped as soon as it hears you.".to_owned()
    } else {
        let need = announced.devices.iter().map(|held| held.threshold).min().unwrap_or_default();
        format!("It takes {need} friends: it is wiped as soon as so many have ordered it.")
    };
    let text = format!(
        "This destroys everything on {name} device '{device}': accounts, messages, files, locked or not.\n\
         Nobody can undo it, neither you nor they. What they have not written down or backed up\n\
         elsewhere is gone. {how}\n\
         The order is repeated for 60 days, or until you --stop it. Call them first if you can.\n\n\
         To do it, within ten minutes:\n\n  warren friends wipe {} --confirm {}",
        terminal_text::line(&whose.person),
        announced.code,
    );
    let value = serde_json::to_value(&announced).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

async fn confirm(
    start: &Start,
    account: &AccountApi,
    owner: &str,
    code: &str,
) -> Result<Exit, Failure> {
    let path = format!("friends/devices/{owner}/wipe/confirm");
    let confirmed = ConfirmedWipe { code: code.to_owned() };
    let ordered: OrderedWipe = account.send(Method::POST, &path, &confirmed).await?;
    let until = ordered.devices.first().and_then(|held| held.ordered_until).map(local_time);
    let text = format!(
        "The wipe is ordered. The device obeys when it next reaches the network, and tells nobody. The \
         order is\nrepeated until {}, whenever this program runs; --stop ends that.",
        until.unwrap_or_default()
    );
    let value = json!({ "owner": owner, "ordered": ordered.devices });
    report(account, start.output, value, &text).await
}

async fn stop(
    start: &Start,
    account: &AccountApi,
    owner: &str,
    whose: &TheirDevice,
) -> Result<Exit, Failure> {
    let path = asking(&format!("friends/devices/{owner}/wipe"), whose)?;
    let ShareCount { shares } = account.send(Method::DELETE, &path, &()).await?;
    let text = "The order is repeated no more. What was sent stays in the network for up to two weeks: a \
                device that hears it\nby then is wiped nevertheless, unless its owner revokes your share.";
    start.output.result(&json!({ "owner": owner, "stopped": shares }), text)?;
    Ok(Exit::Done)
}

/// A path with the device that was named.
fn asking(path: &str, whose: &TheirDevice) -> Result<String, Failure> {
    let which = WhichDevice { device: whose.device.clone() };
    let query = serde_urlencoded::to_string(&which).map_err(|_| Failure::DaemonTrouble)?;
    Ok(format!("{path}?{query}"))
}
