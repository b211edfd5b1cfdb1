//! `warren lock` and `warren unlock`: keys out of memory and back, other codes, and what they do.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use warren_client::vault::Cost;
use warren_client::vault::calibrate::time_of;
use warren_lock::odds::{pins, time_to_try};

use crate::api::Api;
use crate::api::lock::{
    AutoLockChange, Binding, CodeGiven, DuressSet, GuessCost, Kind, Lock, LockSettings, NewCode,
    NewDuress, WipeAfter,
};
use crate::cli::{DuressCommand, KindArgs, LockCommand, Switch};
use crate::commands::code_kind;
use crate::commands::daemon::running;
use crate::failure::{Exit, Failure};
use crate::passphrase::{self, SecretText};
use crate::start::Start;
use crate::wording::count;

/// Machines of somebody who can afford them.
const MANY_MACHINES: u32 = 1_000;

/// Carries the command out.
///
/// # Errors
/// Where the present code is wrong, the new one cannot be one, or no daemon runs that could lock.
pub async fn run(start: &Start, command: Option<LockCommand>) -> Result<Exit, Failure> {
    match command {
        None => now(start).await,
        Some(LockCommand::Show) => show(start).await,
        Some(LockCommand::Set { kind }) => set(start, &kind).await,
        Some(LockCommand::Calibrate) => calibrate(start).await,
        Some(LockCommand::Auto { idle, suspend }) => auto(start, idle.as_deref(), suspend).await,
        Some(LockCommand::WipeAfter { count }) => wipe_after(start, &count).await,
        Some(LockCommand::Bind) => bind(start, true).await,
        Some(LockCommand::Unbind) => bind(start, false).await,
        Some(LockCommand::Duress(command)) => duress(start, &command).await,
    }
}

/// Drops the daemon's keys.
///
/// # Errors
/// Where no daemon runs.
pub async fn now(start: &Start) -> Result<Exit, Failure> {
    running(start).await?.tell(Method::POST, "lock", &()).await?;
    let text = "Locked: the keys are out of memory. `warren unlock` brings them back.";
    start.output.result(&json!({ "locked": true }), text)?;
    Ok(Exit::Done)
}

/// Unlocks the daemon.
///
/// # Errors
/// Where no daemon runs or the code is wrong.
pub async fn unlock(start: &Start) -> Result<Exit, Failure> {
    let api = running(start).await?;
    let given = CodeGiven { code: start.passphrase()?.expose().to_owned() };
    api.tell(Method::POST, "unlock", &given).await?;
    start.output.result(&json!({ "locked": false }), "Unlocked.")?;
    Ok(Exit::Done)
}

async fn show(start: &Start) -> Result<Exit, Failure> {
    let lock: Lock = start.api().await?.get("lock").await?;
    let inside = lock.settings.as_ref().map_or_else(
        || "It is locked: the rest is told to whoever unlocks it.".to_owned(),
        settings_text,
    );
    let text = format!(
        "A guess at the code costs {} passes over {} MiB (Argon2id){}.\n{inside}",
        lock.passes,
        lock.memory_kib / 1024,
        if lock.bound { ", and this machine's TPM" } else { "" },
    );
    let value = serde_json::to_value(&lock).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

fn settings_text(settings: &LockSettings) -> String {
    let idle = match settings.idle_seconds {
        0 => "does not lock by itself when idle".to_owned(),
        seconds => {
            format!("locks after {} without a request", in_words(Duration::from_secs(seconds)))
        }
    };
    let suspend = if settings.on_suspend { "once the machine slept" } else { "not after sleep" };
    let wipe = match settings.wipe_after {
        0 => "Wrong codes wipe nothing.".to_owned(),
        count => format!("{count} wrong codes in a row wipe everything."),
    };
    format!("The daemon {idle}, and {suspend}.\n{wipe}")
}

async fn set(start: &Start, args: &KindArgs) -> Result<Exit, Failure> {
    let kind = code_kind::of(args)?;
    let (api, code) = start.api_with_code().await?;
    let new = new_code(args, "The new code")?;
    let given = NewCode { code: owned(&code), kind, new: owned(&new) };
    api.tell(Method::PUT, "lock/code", &given).await?;
    let (value, odds) = odds(&api).await?;
    let mut text = "The code is changed.".to_owned();
    if kind == Kind::Pin {
        text.push_str("\n\n");
        text.push_str(&odds);
    }
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

/// What a PIN is worth against whoever copied the disk.
async fn odds(api: &Api) -> Result<(serde_json::Value, String), Failure> {
    let lock: Lock = api.get("lock").await?;
    let cost = Cost { passes: lock.passes, memory_kib: lock.memory_kib };
    let measured = tokio::task::spawn_blocking(move || time_of(cost)).await;
    let guess = measured.map_err(|_| Failure::Interrupted)?;
    let rate = 1.0 / guess.as_secs_f64().max(f64::EPSILON);
    let mut text = format!(
        "Whoever copies this disk can guess without waiting. One processor core like this one tries\n\
         {rate:.1} codes a second; all PINs of so many digits take it, and a thousand of them:\n"
    );
    let mut times = Vec::new();
    for digits in [4, 6, 8] {
        let alone = time_to_try(pins(digits), guess, 1);
        let many = time_to_try(pins(digits), guess, MANY_MACHINES);
        text.push_str(&format!("\n  {digits} digits   {:<14} {}", in_words(alone), in_words(many)));
        times.push(json!({ "digits": digits, "seconds": alone.as_secs() }));
    }
    text.push_str(
        "\n\nA passphrase of six random words holds. At this device itself wrong codes must wait.",
    );
    Ok((json!({ "changed": true, "guesses_per_second": rate, "pins": times }), text))
}

async fn calibrate(start: &Start) -> Result<Exit, Failure> {
    let (api, code) = start.api_with_code().await?;
    let given = CodeGiven { code: owned(&code) };
    let cost: GuessCost = api.send(Method::POST, "lock/calibrate", &given).await?;
    let text = format!(
        "A guess costs {} passes over {} MiB, {} ms here. The present code is under it; any other code \
         is gone and is set anew.",
        cost.passes,
        cost.memory_kib / 1024,
        cost.time
    );
    let value = serde_json::to_value(&cost).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, text)?;
    Ok(Exit::Done)
}

async fn auto(start: &Start, idle: Option<&str>, suspend: Option<Switch>) -> Result<Exit, Failure> {
    const WHAT: &str = "--idle takes a number of minutes, or the word never";
    let minutes = |text: &str| match text {
        "never" => Ok(0),
        text => text.parse::<u64>().ok().filter(|minutes| *minutes > 0).ok_or(Failure::Value(WHAT)),
    };
    let minutes = idle.map(minutes).transpose()?;
    let change = AutoLockChange {
        idle_seconds: minutes.map(|minutes| minutes.saturating_mul(60)),
        on_suspend: suspend.map(|suspend| suspend == Switch::On),
    };
    let api = start.api().await?;
    let settings: LockSettings = api.send(Method::PATCH, "lock/auto", &change).await?;
    let value = serde_json::to_value(&settings).map_err(|_| Failure::DaemonTrouble)?;
    start.output.result(&value, settings_text(&settings))?;
    Ok(Exit::Done)
}

async fn wipe_after(start: &Start, count: &str) -> Result<Exit, Failure> {
    const WHAT: &str = "wipe-after takes a number of wrong codes, or the word never";
    let count = match count {
        "never" => 0,
        text => text.parse().ok().filter(|count| *count > 0).ok_or(Failure::Value(WHAT))?,
    };
    let (api, code) = start.api_with_code().await?;
    api.tell(Method::PUT, "lock/wipe-after", &WipeAfter { code: owned(&code), count }).await?;
    let text = match count {
        0 => "Wrong codes wipe nothing.".to_owned(),
        count => format!("{count} wrong codes in a row wipe everything, for good."),
    };
    start.output.result(&json!({ "wipe_after": count }), text)?;
    Ok(Exit::Done)
}

async fn bind(start: &Start, bound: bool) -> Result<Exit, Failure> {
    let (api, code) = start.api_with_code().await?;
    api.tell(Method::PUT, "lock/binding", &Binding { code: owned(&code), bound }).await?;
    let text = if bound {
        "The code works with this machine's TPM alone. Keep recovery words or a backup: where this \
         machine breaks, nothing else opens what is here."
    } else {
        "The code works without a TPM."
    };
    start.output.result(&json!({ "bound": bound }), text)?;
    Ok(Exit::Done)
}

async fn duress(start: &Start, command: &DuressCommand) -> Result<Exit, Failure> {
    match command {
        DuressCommand::Set { kind: args, beyond } => {
            let kind = code_kind::of(args)?;
            let (api, code) = start.api_with_code().await?;
            let new = new_code(args, "The duress code")?;
            let given = NewDuress {
                code: owned(&code),
                kind,
                new: owned(&new),
                tell_devices: beyond.tell_devices,
                delete_mail: beyond.delete_mail,
            };
            let set: DuressSet = api.send(Method::PUT, "lock/duress", &given).await?;
            let value = json!({ "set": true, "devices": set.devices, "mailboxes": set.mailboxes });
            start.output.result(&value, duress_text(&set))?;
        }
        DuressCommand::Remove => {
            let (api, code) = start.api_with_code().await?;
            api.tell(Method::POST, "lock/duress/remove", &CodeGiven { code: owned(&code) }).await?;
            start.output.result(&json!({ "set": false }), "There is no duress code.")?;
        }
    }
    Ok(Exit::Done)
}

fn duress_text(set: &DuressSet) -> String {
    let mut text =
        "The duress code is set. Typed in place of the other, it destroys everything here at \
                    once and for good."
            .to_owned();
    if set.devices > 0 {
        text.push_str(&format!("\nIt wipes {}, too.", count(set.devices, "other device")));
    }
    if set.mailboxes > 0 {
        let accounts = count(set.mailboxes, "account");
        text.push_str(&format!("\nIt deletes the mail of {accounts} from the network, too."));
    }
    if set.devices + set.mailboxes > 0 {
        text.push_str(
            "\nWhoever learns it, and has a copy of this disk from before, can do that as well.",
        );
    }
    text
}

fn new_code(args: &KindArgs, what: &str) -> Result<SecretText, Failure> {
    passphrase::new_code(args.new_code_file.as_deref(), what)
}

fn owned(text: &SecretText) -> String {
    text.expose().to_owned()
}

/// A time for a person, in the largest unit that fits.
fn in_words(time: Duration) -> String {
    const UNITS: [(&str, u64); 5] =
        [("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let seconds = time.as_secs();
    let fits = UNITS.into_iter().find(|(_, unit)| seconds >= *unit);
    let Some((name, unit)) = fits else { return "under a second".to_owned() };
    count(usize::try_from(seconds / unit).unwrap_or(usize::MAX), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_largest_unit_that_fits() {
        let words = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(words(0), "under a second");
        assert_eq!(words(1), "1 second");
        assert_eq!(words(7_200), "2 hours");
        assert_eq!(words(86_400 * 400), "1 year");
    }
}
