//! `warren friends list`.

use crate::api::AccountApi;
use crate::api::friends::{FriendState, Friends, HeldDevice, TrustedFriend, TrustedSet};
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::terminal_text;
use crate::wording::local_time;

pub(super) async fn list(start: &Start) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let all: Friends = account.get("friends").await?;
    let mut lines = Vec::new();
    if all.sets.is_empty() {
        lines.push(
            "Nobody can wipe this device: `warren friends trust` chooses friends.".to_owned(),
        );
    }
    for set in &all.sets {
        lines.push(set_line(set));
        for friend in &set.friends {
            lines.push(friend_line(&account, friend).await?);
        }
    }
    lines.push(String::new());
    if all.devices.is_empty() {
        lines.push("Nobody trusts you with a device.".to_owned());
    } else {
        lines.push("Devices you can wipe:".to_owned());
    }
    for device in &all.devices {
        lines.push(device_line(&account, device).await?);
    }
    let value = serde_json::to_value(&all).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, lines.join("\n"))?;
    Ok(Exit::Done)
}

fn set_line(set: &TrustedSet) -> String {
    let device = terminal_text::line(&set.device);
    let who = match (set.threshold, set.friends.len()) {
        (1, 1) => "one friend".to_owned(),
        (k, n) => format!("any {k} of {n} friends"),
    };
    let set_name = &set.set;
    let since = local_time(set.created);
    if set.here {
        format!("{set_name}  {who} can wipe this device ('{device}'), since {since}:")
    } else {
        format!(
            "{set_name}  {who} could wipe another device ('{device}'), and not this one; `warren \
             friends reissue` gives them shares for this one:"
        )
    }
}

async fn friend_line(account: &AccountApi, friend: &TrustedFriend) -> Result<String, Failure> {
    let name = match super::owner_shown(account, &friend.friend).await? {
        own if own == "you" => "your other devices".to_owned(),
        name => name,
    };
    let state = match (friend.state, friend.since) {
        (FriendState::Taken, Some(since)) => format!("taken {}", local_time(since)),
        (FriendState::Declined, Some(since)) => {
            format!("not kept since {}: cannot wipe", local_time(since))
        }
        _ => "not yet confirmed: do not count on it".to_owned(),
    };
    let tested = friend.tested_at.map(|at| format!(", last test heard of {}", local_time(at)));
    Ok(format!("  {}  {name}  {state}{}", friend.number, tested.unwrap_or_default()))
}

async fn device_line(account: &AccountApi, held: &HeldDevice) -> Result<String, Failure> {
    let owner = super::owner_shown(account, &held.owner).await?;
    let device = terminal_text::line(&held.device);
    let how = match held.threshold {
        1 => "alone".to_owned(),
        k => format!("together with others, {k} of {}", held.count),
    };
    let tested = match (held.heard_at, held.test_sent_at) {
        (Some(heard), _) => format!(", heard your test of {}", local_time(heard)),
        (None, Some(sent)) => format!(", test sent {} and not answered", local_time(sent)),
        (None, None) => ", never tested".to_owned(),
    };
    let ordered = held.ordered_at.map(|at| format!(", WIPE ORDERED {}", local_time(at)));
    let set = &held.set;
    Ok(format!("  {owner}  '{device}'  {how}  set {set}{tested}{}", ordered.unwrap_or_default()))
}
