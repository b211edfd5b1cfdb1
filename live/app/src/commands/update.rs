//! `warren update check`: whether a signed manifest tells of a newer release.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use warren_client::Device;
use warren_client::update::{MOST_BYTES, Manifest};
use warren_message::attachment::url::FileUrl;

use crate::api::updates::{self, RELEASE_KEY, RUNNING};
use crate::cli::{UpdateCheckArgs, UpdateCommand};
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::wording::local_time;

/// Carries the command out.
///
/// # Errors
/// Where the manifest cannot be fetched or is not to be believed.
pub async fn run(start: &Start, command: &UpdateCommand) -> Result<Exit, Failure> {
    match command {
        UpdateCommand::Check(args) => check(start, args, RELEASE_KEY).await,
        UpdateCommand::Publish { file, days } => publish(start, file, *days).await,
    }
    .map(|()| Exit::Done)
}

async fn publish(start: &Start, file: &Path, days: u64) -> Result<(), Failure> {
    let device = start.device()?;
    let content = bytes(&device, &file.to_string_lossy()).await?;
    let account = device.accounts()?.first().map(|account| account.id.to_string());
    let messenger = device.messenger(account.as_deref())?;
    let ttl = days.saturating_mul(24 * 60 * 60);
    let url = Box::pin(messenger.publish_public(content, ttl)).await?;
    start.output.result(&json!({ "url": url.as_str() }), url.as_str())
}

/// Checks a manifest with a key, which tests choose.
///
/// # Errors
/// As [`run`].
pub async fn check(
    start: &Start,
    args: &UpdateCheckArgs,
    key: Option<&str>,
) -> Result<(), Failure> {
    let key = updates::key(key)?;
    let mut device = start.device()?;
    let signature = signature_of(args)?;
    let content = bytes(&device, &args.from).await?;
    let signature = bytes(&device, &signature).await?;
    let signature = String::from_utf8_lossy(&signature);
    let now = warren_client::Clock::default().now();
    let manifest = device.check_release(&content, &signature, &key, now)?;
    report(start, &manifest)
}

fn report(start: &Start, manifest: &Manifest) -> Result<(), Failure> {
    let newer = manifest.is_newer_than(RUNNING).unwrap_or(false);
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let file = manifest.file_for(&platform);
    let text = if !newer {
        format!("You run {RUNNING}; the newest release is {}.", manifest.version)
    } else {
        let file = file.map_or_else(
            || format!("It has no file for {platform}."),
            |file| format!("{}\n  SHA-256  {}\n  {} bytes", file.name, file.sha256, file.size),
        );
        format!(
            "Version {} is newer than {RUNNING}, which you run.\n\n{file}\n\nThis holds until {}.",
            manifest.version,
            local_time(manifest.expires),
        )
    };
    let value = json!({
        "running": RUNNING, "newest": manifest.version, "newer": newer, "number": manifest.number,
        "expires": manifest.expires, "file": file,
    });
    start.output.result(&value, text)
}

fn signature_of(args: &UpdateCheckArgs) -> Result<String, Failure> {
    match &args.signature {
        Some(signature) => Ok(signature.clone()),
        None if FileUrl::parse(&args.from).is_none() => Ok(format!("{}.minisig", args.from)),
        None => Err(Failure::Usage("an address needs --signature with its signature's".to_owned())),
    }
}

/// A file of this device, or one at a file server, through the onion.
async fn bytes(device: &Device, from: &str) -> Result<Vec<u8>, Failure> {
    let Some(url) = FileUrl::parse(from) else {
        let path = PathBuf::from(from);
        let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(|error| Failure::Path { path, error })?;
        return Ok(bytes);
    };
    let accounts = device.accounts()?;
    let account = accounts.first().map(|account| account.id.to_string());
    let messenger = device.messenger(account.as_deref())?;
    Ok(Box::pin(messenger.fetch_public(&url)).await?)
}
