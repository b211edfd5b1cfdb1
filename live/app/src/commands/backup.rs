//! `warren backup`: set up, made, listed, verified, brought back, pruned, scheduled.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use warren_client::backup::{
    BackupError, BackupSettings, Depth, Job, Progress, Progresses, Restoring, Retention, Target,
    Verified,
};
use warren_client::vault::Cost;
use warren_client::{ClientError, Device};

use crate::api::work::WorkStage;
use crate::cli::{BackupCommand, BackupName, Every, KeepArgs, PlaceArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::passphrase;
use crate::start::Start;
use crate::stop::Stop;
use crate::wording::{count, json_time, local_time};

/// Where a description of a place may stand.
const VARIABLE: &str = "WARREN_BACKUP_PLACE";
/// The longest description of a place, in bytes.
const MOST_PLACE_BYTES: u64 = 64 * 1024;
/// How long a place may take to be given back after Ctrl-C.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Carries the command out.
///
/// # Errors
/// Where the place, the home or the passphrase does not do.
pub async fn run(start: &Start, command: BackupCommand) -> Result<Exit, Failure> {
    match command {
        BackupCommand::Init { place, name, only, keep } => init(start, &place, &name, &only, &keep),
        BackupCommand::Run(name) => make(start, &name).await,
        BackupCommand::List(name) => list(start, &name).await,
        BackupCommand::Verify { name, bytes } => return verify(start, &name, bytes).await,
        BackupCommand::Restore { place, snapshot } => {
            restore(start, &place, snapshot.as_deref()).await
        }
        BackupCommand::Prune { name, drop_damaged, keep } => {
            prune(start, &name, drop_damaged, &keep).await
        }
        BackupCommand::Schedule { every, name } => schedule(start, &name, every),
        BackupCommand::Forget(name) => {
            start.device()?.forget_backup(&name.name)?;
            let value = json!({ "backup": name.name });
            start.output.result(&value, "Forgotten here. What lies at the place stays there.")
        }
    }
    .map(|()| Exit::Done)
}

fn init(
    start: &Start,
    place: &PlaceArgs,
    name: &BackupName,
    only: &[String],
    keep: &KeepArgs,
) -> Result<(), Failure> {
    let target = target(place)?;
    let device = start.device()?;
    if device.backups()?.contains_key(&name.name) {
        return Err(Failure::BackupExists(name.name.clone()));
    }
    let find = |which: &str| device.account(Some(which));
    let only = only.iter().map(|which| Ok(find(which)?.id.to_string()));
    let only = only.collect::<Result<Vec<_>, ClientError>>()?;
    let key = match (start.account_name(), only.first()) {
        (Some(which), _) => device.account(Some(which))?,
        (None, Some(first)) => device.account(Some(first))?,
        (None, None) => {
            let accounts = device.accounts()?;
            accounts.into_iter().next().ok_or(ClientError::NoAccount)?
        }
    };
    let accounts = (!only.is_empty()).then_some(only);
    let mut settings = BackupSettings::new(target, &key.id, accounts);
    settings.retention = kept(settings.retention, keep);
    let value = settings_json(&name.name, &settings);
    let text = format!(
        "The backup '{}' goes to {}.\nThe recovery words of the account '{}' open it, and nothing \
         else does: have them on paper.\n`warren backup run` makes it.",
        name.name,
        settings.target.describe(),
        crate::terminal_text::line(&key.label),
    );
    device.set_backup(&name.name, settings)?;
    start.output.result(&value, text)
}

async fn make(start: &Start, name: &BackupName) -> Result<(), Failure> {
    let device = start.device()?;
    let mut job = job(start, &device, name)?;
    let at = job.now();
    let made = {
        let mut stop = Stop::listen().map_err(Failure::Terminal)?;
        tokio::select! {
            made = job.run() => Some(made?),
            () = stop.asked() => None,
        }
    };
    let Some(made) = made else {
        // Whoever comes next need not wait for a dead writer.
        let _ = tokio::time::timeout(GIVE_BACK, job.unlock()).await;
        return Err(Failure::BackupInterrupted);
    };
    device.note_backup(&name.name, &made, at)?;
    for unreadable in &made.unreadable {
        let message = format!("the snapshot {unreadable} cannot be read: `warren backup verify`");
        start.output.warning("backup_damaged", &message);
    }
    if let Some(found) = made.rolled_back_to {
        let known = job.settings().sequence;
        let error = BackupError::RolledBack { found, known };
        start.output.warning(error.code(), &error.to_string());
    }
    let value = json!({
        "snapshot": made.snapshot.to_string(), "number": made.sequence, "parts": made.parts,
        "unchanged": made.unchanged, "bytes": made.bytes, "written": made.written,
        "created": json_time(at),
    });
    let text = format!(
        "Backed up: {}, {} unchanged, {}. Written and read back: {}.\n  Snapshot  {}",
        count(made.parts, "part"),
        made.unchanged,
        size(made.bytes),
        size(made.written),
        made.snapshot,
    );
    start.output.result(&value, text)
}

async fn list(start: &Start, name: &BackupName) -> Result<(), Failure> {
    let device = start.device()?;
    let backups = device.backups()?;
    if backups.is_empty() {
        let text = "No backup is set up: `warren backup init` does it.";
        return start.output.result(&json!({ "backups": [] }), text);
    }
    let mut lines: Vec<String> = backups
        .iter()
        .map(|(name, settings)| format!("{name}  {}", settings.target.describe()))
        .collect();
    let all: Vec<Value> = backups.iter().map(|(name, one)| settings_json(name, one)).collect();
    let found = job(start, &device, name)?.snapshots().await?;
    let mut snapshots = Vec::new();
    for one in found {
        let name = one.name.to_string();
        match one.snapshot {
            Ok(snapshot) => {
                let bytes = snapshot.parts().iter().map(|part| part.size).sum::<u64>();
                let device = hex::encode(snapshot.device.get(..4).unwrap_or_default());
                lines.push(format!(
                    "  {name}  {}  {}, {}, device {device}",
                    local_time(snapshot.created),
                    count(snapshot.parts().len(), "part"),
                    size(bytes),
                ));
                snapshots.push(json!({
                    "snapshot": name, "number": snapshot.sequence, "device": device,
                    "created": json_time(snapshot.created), "parts": snapshot.parts().len(),
                    "bytes": bytes, "program": snapshot.program, "damaged": false,
                }));
            }
            Err(error) => {
                lines.push(format!("  {name}  damaged: {error}"));
                snapshots.push(json!({ "snapshot": name, "damaged": true }));
            }
        }
    }
    start.output.result(&json!({ "backups": all, "snapshots": snapshots }), lines.join("\n"))
}

async fn verify(start: &Start, name: &BackupName, bytes: bool) -> Result<Exit, Failure> {
    let device = start.device()?;
    let depth = if bytes { Depth::Bytes } else { Depth::Names };
    let verified = job(start, &device, name)?.verify(depth).await?;
    let damaged: Vec<Value> = verified
        .damaged
        .iter()
        .map(|one| {
            let snapshot = one.snapshot.to_string();
            json!({ "snapshot": snapshot, "kind": one.kind, "name": one.name })
        })
        .collect();
    let value = json!({
        "good": verified.is_good(), "snapshots": verified.snapshots, "objects": verified.packs,
        "bytes": verified.bytes, "damaged": damaged,
        "unreadable": verified.unreadable.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "rolled_back": verified.rolled_back.as_ref().map(ToString::to_string),
        "good_snapshots": verified.good.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    start.output.result(&value, verified_text(&verified, bytes))?;
    Ok(if verified.is_good() { Exit::Done } else { Exit::Failed })
}

fn verified_text(verified: &Verified, bytes: bool) -> String {
    let seen = format!(
        "{}, {}, {}",
        count(verified.snapshots, "snapshot"),
        count(verified.packs, "object"),
        size(verified.bytes),
    );
    if verified.is_good() {
        return if bytes {
            format!("Everything is there, and every byte is as it was written: {seen}.")
        } else {
            format!("Everything is there: {seen}. With --bytes every byte is read, too.")
        };
    }
    let mut lines = vec![format!("The backup is damaged. Seen: {seen}.")];
    lines.extend(verified.rolled_back.iter().map(ToString::to_string));
    lines.extend(verified.unreadable.iter().map(ToString::to_string));
    lines.extend(verified.damaged.iter().map(|one| {
        format!("the part {}/{} of snapshot {} is damaged", one.kind, one.name, one.snapshot)
    }));
    lines.push(match verified.good.last() {
        Some(good) => format!("The newest snapshot that is whole: {good}"),
        None => "No snapshot is whole.".to_owned(),
    });
    lines.push("`warren backup run` writes what is missing anew.".to_owned());
    lines.join("\n")
}

async fn restore(start: &Start, place: &PlaceArgs, snapshot: Option<&str>) -> Result<(), Failure> {
    if place.place.as_deref().is_some_and(|path| path == Path::new("-")) {
        let words = "the recovery words come on stdin: give the place in a file".to_owned();
        return Err(Failure::Usage(words));
    }
    let (home, target) = (start.home()?, target(place)?);
    let words = passphrase::recovery_words()?;
    let progresses = progresses(start.output);
    let found = Restoring::find(words.expose(), &target, snapshot).await?.watched_by(progresses);
    let passphrase =
        if Device::exists(&home) { start.passphrase()? } else { start.new_passphrase()? };
    let restoring = found.run(&home, passphrase.expose(), Cost::DEFAULT);
    let restored = {
        let mut stop = Stop::listen().map_err(Failure::Terminal)?;
        tokio::select! {
            restored = restoring => restored?,
            () = stop.asked() => return Err(Failure::RestoreInterrupted),
        }
    };
    let device = Device::unlock(&home, passphrase.expose())?;
    let accounts = device.accounts()?;
    let value = json!({
        "snapshot": found.name(), "created": json_time(found.snapshot().created),
        "parts": restored.parts, "bytes": restored.bytes,
        "accounts": accounts.iter().map(|one| one.id.to_string()).collect::<Vec<_>>(),
    });
    let text = format!(
        "This device is back as it was on {}: {}, {}.\nWhat waited to be sent then is marked as not \
         sent; `warren read --all` fetches what came since.",
        local_time(found.snapshot().created),
        count(accounts.len(), "account"),
        size(restored.bytes),
    );
    start.output.result(&value, text)
}

async fn prune(
    start: &Start,
    name: &BackupName,
    drop_damaged: bool,
    keep: &KeepArgs,
) -> Result<(), Failure> {
    let device = start.device()?;
    let mut settings = device.backup(&name.name)?;
    let retention = kept(settings.retention, keep);
    if retention != settings.retention {
        settings.retention = retention;
        device.set_backup(&name.name, settings)?;
    }
    let pruned = job(start, &device, name)?.prune(drop_damaged).await?;
    let value = json!({
        "kept": pruned.kept, "removed": pruned.snapshots, "objects": pruned.packs,
        "bytes": pruned.bytes,
    });
    let text = format!(
        "{} removed and {}; {} stay.",
        count(pruned.snapshots, "snapshot"),
        size(pruned.bytes),
        pruned.kept,
    );
    start.output.result(&value, text)
}

fn schedule(start: &Start, name: &BackupName, every: Option<Every>) -> Result<(), Failure> {
    let device = start.device()?;
    let mut settings = device.backup(&name.name)?;
    if let Some(every) = every {
        settings.every = match every {
            Every::Off => None,
            Every::Seconds(seconds) => Some(u64::from(seconds) * 1000),
        };
        device.set_backup(&name.name, settings.clone())?;
    }
    let text = match settings.every {
        None => "The daemon makes no backups by itself.".to_owned(),
        Some(every) => format!(
            "A daemon that runs and is unlocked backs up every {:.1} hours.",
            Duration::from_millis(every).as_secs_f64() / 3600.0,
        ),
    };
    start.output.result(&settings_json(&name.name, &settings), text)
}

fn job(start: &Start, device: &Device, name: &BackupName) -> Result<Job, Failure> {
    Ok(device.backup_job(&name.name)?.watched_by(progresses(start.output)))
}

fn kept(retention: Retention, keep: &KeepArgs) -> Retention {
    Retention {
        last: keep.keep_last.unwrap_or(retention.last),
        daily: keep.keep_daily.unwrap_or(retention.daily),
        weekly: keep.keep_weekly.unwrap_or(retention.weekly),
        monthly: keep.keep_monthly.unwrap_or(retention.monthly),
    }
}

fn settings_json(name: &str, settings: &BackupSettings) -> Value {
    json!({
        "backup": name, "place": settings.target.describe(), "key_account": settings.key_account,
        "accounts": settings.accounts, "keep": settings.retention,
        "every_seconds": settings.every.map(|every| every / 1000),
        "last": settings.last.as_ref().map(|last| json!({
            "at": json_time(last.at), "snapshot": last.snapshot,
        })),
    })
}

/// The place that was described. What it says is a secret, and no error repeats it.
fn target(place: &PlaceArgs) -> Result<Target, Failure> {
    if let Some(folder) = &place.folder {
        let failed = |error| Failure::Path { path: folder.clone(), error };
        if !std::fs::metadata(folder).map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::NotADirectory.into()));
        }
        let path = std::path::absolute(folder).map_err(failed)?;
        let path = path.to_str().ok_or_else(|| Failure::Usage("the folder is not UTF-8".into()))?;
        return Ok(Target::Folder { path: path.to_owned() });
    }
    let text = match &place.place {
        Some(path) if path == Path::new("-") => {
            bounded(std::io::stdin().lock()).map_err(Failure::Stdin)?
        }
        Some(path) => std::fs::File::open(path)
            .and_then(bounded)
            .map_err(|error| Failure::Path { path: path.clone(), error })?,
        None => std::env::var(VARIABLE).map_err(|_| Failure::NoBackupPlace)?,
    };
    serde_json::from_str(&text).map_err(|error| {
        // serde's words may repeat a value.
        let place = format!("line {}, column {}", error.line(), error.column());
        Failure::BackupPlace(place)
    })
}

fn bounded(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MOST_PLACE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Tells how far it got on a bar.
fn progresses(output: Output) -> Progresses {
    let bar = bar(output);
    Arc::new(move |progress: Progress| {
        show(&bar, progress.stage.into(), progress.done, progress.total);
    })
}

/// A bar on stderr, where that is a terminal and nobody asked for JSON.
pub(super) fn bar(output: Output) -> ProgressBar {
    let target =
        if output.is_json() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(None, target);
    let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent:>3}%  {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// Shows how far it got.
pub(super) fn show(bar: &ProgressBar, stage: WorkStage, done: u64, total: u64) {
    bar.set_message(match stage {
        WorkStage::Looking => "Looking",
        WorkStage::Writing => "Writing",
        WorkStage::Checking => "Checking",
        WorkStage::Restoring => "Restoring",
        WorkStage::Removing => "Removing",
    });
    bar.set_length(total.max(done));
    bar.set_position(done);
}

/// Bytes for a person.
pub(super) fn size(bytes: u64) -> String {
    indicatif::HumanBytes(bytes).to_string()
}
