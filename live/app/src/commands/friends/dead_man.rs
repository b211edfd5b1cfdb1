//! `warren friends dead-man`.

use axum::http::Method;

use crate::api::friends::DeadMan;
use crate::cli::DeadManArgs;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::wording::count;

const DAY: u32 = 24;

pub(super) async fn dead_man(start: &Start, args: &DeadManArgs) -> Result<Exit, Failure> {
    let api = start.api().await?;
    let chosen = match (args.days, args.hours) {
        _ if args.off.is_some() => Some(0),
        (Some(0), _) | (_, Some(0)) => {
            return Err(Failure::Value("the term is at least one hour: `off` takes it away"));
        }
        (Some(days), _) => Some(days.saturating_mul(DAY)),
        (None, hours) => hours,
    };
    let set: DeadMan = match chosen {
        Some(hours) => api.send(Method::PUT, "dead-man", &DeadMan { hours }).await?,
        None => api.get("dead-man").await?,
    };
    let value = serde_json::to_value(set).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, text(set.hours))?;
    Ok(Exit::Done)
}

fn text(hours: u32) -> String {
    if hours == 0 {
        return "This device does not wipe itself, however long nobody unlocks it.".to_owned();
    }
    let term = match hours.checked_rem(DAY) {
        Some(0) => count(usize::try_from(hours / DAY).unwrap_or_default(), "day"),
        _ => count(usize::try_from(hours).unwrap_or_default(), "hour"),
    };
    format!(
        "This device wipes itself once nobody has unlocked it for {term}, if its daemon runs then or is \
         started\nlater. A clock that was set does not do it. The term itself can be read by whoever looks \
         into this\ndevice's files, also while it is locked."
    )
}
