//! `warren picture`: set, taken away, written out.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use axum::http::Method;
use serde_json::json;

use super::message::report;
use crate::api::AccountApi;
use crate::cli::PictureCommand;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::people;
use crate::start::Start;
use crate::terminal_text;

/// Carries the command out.
///
/// # Errors
/// Where the file is no image, a group is not led, there is no picture, or where one is set the
/// network cannot be reached.
pub async fn run(start: &Start, command: PictureCommand) -> Result<Exit, Failure> {
    let account = start.account().await?;
    let output = start.output;
    match command {
        PictureCommand::Set { file, group } => set(&account, output, &file, group.as_deref()).await,
        PictureCommand::Remove { group } => {
            let id = whose(&account, group.as_deref()).await?;
            account.tell(Method::DELETE, &format!("pictures/{id}"), &()).await?;
            let value = json!({ "picture_of": id, "done": "remove" });
            report(&account, output, value, "The picture is gone.").await
        }
        PictureCommand::Get { who, out } => {
            let id = match who {
                Some(who) => account.find(who.trim()).await?.account_id,
                None => account.account.account_id.clone(),
            };
            get(&account, output, &id, &out).await
        }
    }
}

/// The group's id, or the account's own.
async fn whose(account: &AccountApi, group: Option<&str>) -> Result<String, Failure> {
    match group {
        Some(group) => people::group(account, group).await,
        None => Ok(account.account.account_id.clone()),
    }
}

async fn set(
    account: &AccountApi,
    output: Output,
    path: &Path,
    group: Option<&str>,
) -> Result<Exit, Failure> {
    let trouble = |error| Failure::Path { path: path.to_owned(), error };
    let file = File::open(path).map_err(trouble)?;
    if !file.metadata().map_err(trouble)?.is_file() {
        return Err(trouble(io::Error::other("it is no file")));
    }
    let id = whose(account, group).await?;
    account.put_file(&format!("pictures/{id}"), file).await?;
    let value = json!({ "picture_of": id, "done": "set" });
    report(account, output, value, "The picture is set.").await
}

async fn get(account: &AccountApi, output: Output, id: &str, out: &Path) -> Result<Exit, Failure> {
    let trouble = |error| Failure::Path { path: out.to_owned(), error };
    let mut file = OpenOptions::new().write(true).create_new(true).open(out).map_err(trouble)?;
    let written = account.download(&format!("pictures/{id}"), &mut file, out).await;
    if let Err(failure) = written.and_then(|()| file.sync_all().map_err(trouble)) {
        // The failure is what is told.
        let _ = fs::remove_file(out);
        return Err(failure);
    }
    let shown = out.display().to_string();
    let value = json!({ "picture_of": id, "path": shown });
    output.result(&value, format!("Saved {}", terminal_text::line(&shown)))?;
    Ok(Exit::Done)
}
