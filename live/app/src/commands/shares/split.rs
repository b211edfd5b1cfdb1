//! `warren shares split`: the words are printed once, QR codes are written to a folder.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::json;

use crate::api::shares::{OneShare, Split, SplitPhrase};
use crate::cli::SplitArgs;
use crate::commands::account::numbered_words;
use crate::crash::write_new;
use crate::failure::Failure;
use crate::qr::Code;
use crate::start::Start;
use crate::terminal_text;

pub(super) async fn split(start: &Start, args: &SplitArgs) -> Result<(), Failure> {
    let account = start.account().await?;
    if let Some(folder) = &args.qr {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::Path { path: folder.clone(), error })?;
    }
    let how = Split { threshold: args.threshold, shares: args.shares };
    let split: SplitPhrase = account.send(Method::POST, "shares", &how).await?;
    let mut files = Vec::new();
    for share in &split.shares {
        if let Some(folder) = &args.qr {
            files.extend(write_codes(folder, &split, share)?);
        }
    }
    let value = json!({
        "set": split.set, "threshold": split.threshold, "shares": split.shares,
        "files": files.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
    });
    start.output.result(&value, text(&split, args.show_qr, &files)?)
}

fn text(split: &SplitPhrase, with_codes: bool, files: &[PathBuf]) -> Result<String, Failure> {
    let (count, threshold) = (split.shares.len(), split.threshold);
    let mut text = format!(
        "The recovery words are split into {count} shares. Any {threshold} of them bring the account \
         back; fewer say\nnothing of it. They are shown this once and kept nowhere.\n"
    );
    for share in &split.shares {
        // Writing to a String does not fail.
        let _ = write!(text, "\nShare {} of {count}, any {threshold} bring it back", share.number);
        text.push_str(&numbered_words(&share.words));
        text.push('\n');
        if with_codes {
            text.push_str(&code(share)?.to_terminal());
            text.push('\n');
        }
    }
    let _ = write!(
        text,
        "\nWrite each down on a paper of its own. All begin with '{}': that is the name of the set.\n\n\
         - Whoever brings {threshold} of them together has your account, with all that it will ever hold. \
         Choose\n  people who do not know of each other, or who would not agree against you.\n\
         - A share cannot be taken back. Splitting again makes another set, and this one stays good.\n\
         - Lose more than {} and they bring nothing back: keep the recovery words themselves, too.",
        split.set,
        count - usize::from(threshold),
    );
    if !files.is_empty() {
        let _ = write!(
            text,
            "\n- The QR codes are the shares themselves, and they are now files. Print or hand them over, \
             then\n  delete them: {}",
            files
                .iter()
                .map(|path| terminal_text::line(&path.display().to_string()))
                .collect::<Vec<_>>()
                .join(" ")
        );
    }
    Ok(text)
}

fn code(share: &OneShare) -> Result<Code, Failure> {
    Code::new(&share.qr).map_err(|error| Failure::BadRequest(error.to_string()))
}

/// Writes the drawing and the picture of a share, for its owner alone, over no other file.
fn write_codes(
    folder: &Path,
    split: &SplitPhrase,
    share: &OneShare,
) -> Result<[PathBuf; 2], Failure> {
    let code = code(share)?;
    let png = code.to_png().map_err(|error| Failure::BadRequest(error.to_string()))?;
    let name = format!("{}-share-{}", split.set.replace(' ', "-"), share.number);
    let paths = ["svg", "png"].map(|ending| folder.join(format!("{name}.{ending}")));
    for (path, bytes) in paths.iter().zip([code.to_svg().as_bytes(), png.as_slice()]) {
        write_new(path, bytes).map_err(|error| Failure::Path { path: path.clone(), error })?;
    }
    Ok(paths)
}
