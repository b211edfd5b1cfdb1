//! `warren files`: the files of a message, listed, fetched and written out.

use std::io;
use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::json;
use tempfile::NamedTempFile;

use crate::api::AccountApi;
use crate::api::files::{File, FileState};
use crate::api::messages::Message;
use crate::cli::FilesCommand;
use crate::failure::{Exit, Failure};
use crate::start::Start;
use crate::stop::Stop;
use crate::terminal_text::{self, is_hostile};

/// The most bytes of a name that files are written out under.
const MOST_NAME_BYTES: usize = 200;

/// Carries the command out.
///
/// # Errors
/// Where there is no such message, a file cannot be fetched, or the folder cannot be written to.
pub async fn run(start: &Start, command: FilesCommand) -> Result<Exit, Failure> {
    let account = start.account().await?;
    match command {
        FilesCommand::List(which) => list(start, &account, which.number).await,
        FilesCommand::Get { which, out, only } => {
            let folder = out.unwrap_or_else(|| PathBuf::from("."));
            let mut stop = Stop::listen().map_err(Failure::Terminal)?;
            tokio::select! {
                biased;
                () = stop.asked() => Err(Failure::Interrupted),
                done = get(start, &account, which.number, &folder, &only) => done,
            }
        }
        FilesCommand::Cancel(which) => cancel(start, &account, which.number).await,
    }
}

async fn files(account: &AccountApi, message: i64) -> Result<Vec<File>, Failure> {
    let message: Message = account.get(&format!("messages/{message}")).await?;
    Ok(message.files)
}

async fn list(start: &Start, account: &AccountApi, message: i64) -> Result<Exit, Failure> {
    let files = files(account, message).await?;
    let mut lines: Vec<String> = files.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("This message has no files.".to_owned());
    }
    start.output.result(&json!({ "message_id": message, "files": files }), lines.join("\n"))?;
    Ok(Exit::Done)
}

async fn cancel(start: &Start, account: &AccountApi, message: i64) -> Result<Exit, Failure> {
    let mut cancelled: Vec<File> = Vec::new();
    for file in files(account, message).await? {
        let path = format!("files/{}/cancel", file.file_id);
        cancelled.push(account.send(Method::POST, &path, &()).await?);
    }
    let lines: Vec<String> = cancelled.iter().map(line).collect();
    start.output.result(&json!({ "message_id": message, "files": cancelled }), lines.join("\n"))?;
    Ok(Exit::Done)
}

async fn get(
    start: &Start,
    account: &AccountApi,
    message: i64,
    folder: &Path,
    only: &[u32],
) -> Result<Exit, Failure> {
    let mut files = files(account, message).await?;
    files.retain(|file| only.is_empty() || only.contains(&file.position));
    let mut written = Vec::new();
    for file in files {
        let file = fetched(account, file).await?;
        let path = write_out(account, &file, folder).await?;
        let shown = path.display().to_string();
        start.output.text(format!("Saved {}", terminal_text::line(&shown)))?;
        let mut value = serde_json::to_value(&file).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("path".to_owned(), shown.into());
        }
        written.push(value);
    }
    if start.output.is_json() {
        start.output.result(&json!({ "message_id": message, "files": written }), "")?;
    } else if written.is_empty() {
        start.output.text("There are no such files.")?;
    }
    Ok(Exit::Done)
}

/// The file, once it is here. One request takes a while at most, the file may take longer.
async fn fetched(account: &AccountApi, file: File) -> Result<File, Failure> {
    if matches!(file.state, FileState::Here | FileState::Uploading) {
        return Ok(file);
    }
    let path = format!("files/{}/fetch", file.file_id);
    loop {
        match account.send(Method::POST, &path, &()).await {
            Err(failure) if failure.code() == "too_slow" => {}
            fetched => return fetched,
        }
    }
}

/// Writes a file out beside what is in the folder. What is broken off leaves nothing there.
async fn write_out(account: &AccountApi, file: &File, folder: &Path) -> Result<PathBuf, Failure> {
    let trouble = |error| Failure::Path { path: folder.to_owned(), error };
    let mut beside = NamedTempFile::with_prefix_in(".warren-", folder).map_err(trouble)?;
    let content = format!("files/{}/content", file.file_id);
    account.download(&content, beside.as_file_mut(), folder).await?;
    beside.as_file().sync_all().map_err(trouble)?;
    let name = safe_name(file);
    for number in 1_u32.. {
        let path = folder.join(numbered(&name, number));
        match beside.persist_noclobber(&path) {
            Ok(_) => return Ok(path),
            Err(taken) if taken.error.kind() == io::ErrorKind::AlreadyExists => beside = taken.file,
            Err(failed) => return Err(trouble(failed.error)),
        }
    }
    Err(trouble(io::ErrorKind::AlreadyExists.into()))
}

/// The name that its author gave, with nothing in it that leads elsewhere, hides or misleads.
fn safe_name(file: &File) -> String {
    let name = file.name.as_deref().unwrap_or_default();
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_bad = |character| {
        is_hostile(character) || [':', '*', '?', '"', '<', '>', '|'].contains(&character)
    };
    let name: String = last.chars().map(|one| if is_bad(one) { '_' } else { one }).collect();
    let name = name.trim_start_matches(['.', ' ']).trim_end_matches(['.', ' ']);
    let (stem, ending) = split(name);
    let room = MOST_NAME_BYTES.saturating_sub(ending.len());
    let stem = stem.get(..stem.floor_char_boundary(room)).unwrap_or_default();
    let short = format!("{stem}{ending}");
    if short.is_empty() { format!("file-{}", file.file_id) } else { short }
}

/// A name before its ending, and the ending with its dot; a long one is none.
fn split(name: &str) -> (&str, &str) {
    let at = name.rfind('.').filter(|at| *at > 0 && name.len() - at <= 16);
    at.map_or((name, ""), |at| name.split_at(at))
}

fn numbered(name: &str, number: u32) -> String {
    let (stem, ending) = split(name);
    if number == 1 { name.to_owned() } else { format!("{stem} ({number}){ending}") }
}

/// One file for people: `0  photo.jpg  image/jpeg, 1024 bytes, not fetched yet`.
pub(super) fn line(file: &File) -> String {
    let state = match file.state {
        FileState::Offered => "not fetched yet",
        FileState::Downloading => "partly fetched",
        FileState::Here => "here",
        FileState::Failed => "failed",
        FileState::Uploading => "being sent",
        FileState::Expired => "gone from the server",
    };
    let name = terminal_text::line(file.name.as_deref().unwrap_or("(no name)"));
    let kind = terminal_text::line(&file.media_type);
    let mut line = format!("{}  {name}  {kind}, {} bytes, {state}", file.position, file.size);
    if let Some(caption) = &file.caption {
        line.push_str(&format!(": \"{}\"", terminal_text::line(caption)));
    }
    if let Some(reason) = &file.failure {
        line.push_str(&format!(": {}", terminal_text::line(reason)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::files::FileKind;

    fn named(name: Option<&str>) -> File {
        File {
            file_id: 7,
            message_id: 1,
            position: 0,
            kind: FileKind::File,
            media_type: "text/plain".to_owned(),
            name: name.map(str::to_owned),
            caption: None,
            size: 1,
            width: None,
            height: None,
            duration: None,
            state: FileState::Here,
            progress: 1,
            failure: None,
            has_thumbnail: false,
        }
    }

    #[test]
    fn a_senders_name_leads_nowhere_and_hides_nothing() {
        let safe = |name| safe_name(&named(Some(name)));
        assert_eq!(safe("photo.jpg"), "photo.jpg");
        assert_eq!(safe("../../.ssh/authorized_keys"), "authorized_keys");
        assert_eq!(safe("..\\..\\autoexec.bat"), "autoexec.bat");
        assert_eq!(safe(".bashrc"), "bashrc");
        assert_eq!(safe("a\u{202e}gpj.exe"), "a_gpj.exe");
        assert_eq!(safe("a\nb: c?"), "a_b_ c_");
        for nothing in ["", "..", "/", "dir/", " . "] {
            assert_eq!(safe(nothing), "file-7", "{nothing:?}");
        }
        assert_eq!(safe_name(&named(None)), "file-7");
        let long = safe(&format!("{}.jpg", "ß".repeat(300)));
        assert!(long.len() <= MOST_NAME_BYTES && long.ends_with("ß.jpg"), "{long}");
    }

    #[test]
    fn what_is_in_the_way_is_stepped_around() {
        assert_eq!(numbered("photo.jpg", 1), "photo.jpg");
        assert_eq!(numbered("photo.jpg", 2), "photo (2).jpg");
        assert_eq!(numbered("photo", 3), "photo (3)");
    }
}
