//! `warren sync`: sends what waits, fetches what is new, tells the owner's other devices what changed.

use axum::http::Method;
use serde_json::json;

use crate::api::network::{Sync, Synced};
use crate::api::outbox::Outbox;
use crate::failure::{Exit, Failure};
use crate::orders;
use crate::start::Start;
use crate::wording::count;

/// Carries the command out.
///
/// # Errors
/// Where something else than the network fails.
pub async fn run(start: &Start, now: bool) -> Result<Exit, Failure> {
    if now {
        return orders::carry_out().await;
    }
    let account = start.account().await?;
    let (new, is_offline) = match account.send(Method::POST, "sync", &Sync::default()).await {
        Ok(Synced { new }) => (new, false),
        Err(failure) if failure.spares_what_is_here() => {
            start.output.warning(failure.code(), &failure.to_string());
            (0, true)
        }
        Err(failure) => return Err(failure),
    };
    let Outbox { waiting, .. } = account.get("outbox").await?;
    let waits = waiting.len();
    let value = json!({ "new": new, "waiting": waits, "reached": !is_offline });
    let text = format!("{} new, {} waiting.", count(new, "message"), count(waits, "message"));
    start.output.result(&value, text)?;
    Ok(match (is_offline, waits) {
        (true, _) => Exit::Offline,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Waiting,
    })
}
