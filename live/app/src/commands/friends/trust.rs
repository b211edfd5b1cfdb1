//! `warren friends trust`, `revoke` and `reissue`.

use axum::http::Method;
use serde_json::json;

use crate::api::AccountApi;
use crate::api::friends::{Friends, NewTrust, TrustedSet};
use crate::cli::TrustArgs;
use crate::commands::message::report;
use crate::failure::{Exit, Failure};
use crate::people;
use crate::start::Start;
use crate::wording::count;

pub(super) async fn trust(start: &Start, args: &TrustArgs) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let friends = people::all(&account, &args.friends).await?;
    let several = friends.len() + usize::from(args.own_devices) > 1;
    let how = NewTrust {
        friends,
        own_devices: args.own_devices,
        threshold: args.threshold.unwrap_or(if several { 2 } else { 1 }),
        device: args.device.clone(),
    };
    let made: TrustedSet = account.send(Method::POST, "friends/sets", &how).await?;
    let text = format!(
        "{} offered a share. {}\n\n  {}\n\nIt counts once their apps have taken it: `warren friends \
         list` shows who has. What they wipe comes back\nfrom recovery words and backups alone. Keep \
         the daemon running: a device that does not listen is not\nwiped. While this device is locked, \
         nothing on it names them. Sets that were made before go on:\n`warren friends revoke` ends one.",
        count(made.friends.len(), "friend"),
        who_can(&made),
        made.set,
    );
    warn(start, &made);
    let value = json!({ "set": made });
    report(&account, start.output, value, &text).await
}

fn who_can(set: &TrustedSet) -> String {
    match (set.threshold, set.friends.len()) {
        (1, 1) => "They alone can wipe this device.".to_owned(),
        (1, _) => "Each of them alone can wipe this device.".to_owned(),
        (k, _) => format!("Any {k} of them together can wipe this device."),
    }
}

fn warn(start: &Start, set: &TrustedSet) {
    if set.threshold == 1 {
        start.output.warning(
            "one_is_enough",
            "one friend alone can wipe this device at any time, and so can whoever takes that friend's \
             device while it is open: with --threshold 2 it takes two",
        );
    }
}

pub(super) async fn revoke(start: &Start, set: &str) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let set = named(&account, set).await?;
    account.tell(Method::DELETE, &format!("friends/sets/{}", set.set), &()).await?;
    let text = format!(
        "The set {} is revoked: its shares do nothing any more. {} told.",
        set.set,
        count(set.friends.len(), "friend")
    );
    report(&account, start.output, json!({ "revoked": set.set }), &text).await
}

pub(super) async fn reissue(start: &Start, set: &str) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let old = named(&account, set).await?;
    let path = format!("friends/sets/{}/reissue", old.set);
    let made: TrustedSet = account.send(Method::POST, &path, &()).await?;
    let text = format!(
        "{} offered a new share in the place of the set {}, which is revoked. {}\n\n  {}",
        count(made.friends.len(), "friend"),
        old.set,
        who_can(&made),
        made.set,
    );
    warn(start, &made);
    let value = json!({ "set": made, "revoked": old.set });
    report(&account, start.output, value, &text).await
}

/// The set whose name begins so.
async fn named(account: &AccountApi, beginning: &str) -> Result<TrustedSet, Failure> {
    let Friends { mut sets, .. } = account.get("friends").await?;
    let beginning = beginning.trim().to_ascii_lowercase();
    sets.retain(|set| !beginning.is_empty() && set.set.starts_with(&beginning));
    match sets.len() {
        0 | 1 => sets.pop().ok_or(warren_client::ClientError::NoTrustedSet.into()),
        _ => Err(Failure::Value("several sets begin so: type more of the name")),
    }
}
