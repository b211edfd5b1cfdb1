//! Reports of faults in the program: written beside the vault, redacted before they are written, and sent
//! nowhere.
//!
//! A report is read while the home is locked, and a fault may happen then, so it is not encrypted. It
//! therefore holds nothing that comes from the person: the version, the kind of machine, the place in the
//! source, and the names of the functions that were at work. What the fault said of itself is kept only
//! where it is a literal of the source; a text that was put together while the program ran may name
//! anything, and only its length is kept. Neither time nor thread is.

use std::backtrace::Backtrace;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod redact;

use redact::{place, symbols};

/// The folder of the reports, in the home.
const FOLDER: &str = "crashes";
/// The most reports that are kept; further faults leave none until some are deleted.
const MOST: u32 = 32;
/// The most bytes of a report that is read.
const MOST_BYTES: u64 = 256 * 1024;

/// A report, as it lies on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The version of the program.
    pub version: String,
    /// The kind of machine: `linux x86_64`.
    pub machine: String,
    /// Where in the source: file and line, without the folders of whoever built it.
    pub place: String,
    /// What the fault said, where that is a literal of the source; else how long it was.
    pub message: String,
    /// The functions that were at work, the innermost first.
    pub functions: Vec<String>,
}

impl Report {
    fn new(fault: &PanicHookInfo<'_>, backtrace: &Backtrace) -> Self {
        let payload = fault.payload();
        let message =
            match (payload.downcast_ref::<&'static str>(), payload.downcast_ref::<String>()) {
                (Some(literal), _) => (*literal).to_owned(),
                (None, Some(text)) => format!("({} bytes, not kept)", text.len()),
                (None, None) => "(not a text)".to_owned(),
            };
        let at = fault.location();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            machine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            place: at.map(|at| place(at.file(), at.line())).unwrap_or_default(),
            message,
            functions: symbols(&backtrace.to_string()),
        }
    }
}

/// Has every fault from here on leave a report in a home, if that exists, and say on stderr where it
/// happened and nothing else.
pub fn install(home: PathBuf) {
    panic::set_hook(Box::new(move |fault| {
        let report = Report::new(fault, &Backtrace::force_capture());
        let kept = keep(&home, &report).unwrap_or_default();
        let note = kept.map_or_else(String::new, |number| {
            format!(" `warren crash show {number}` shows what is kept of it on this device.")
        });
        let text = format!("warren: a fault in the program, at {}.{note}", report.place);
        // A closed stderr is no reason to fail once more.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }));
}

/// Writes a report under the next free number; `None` where there is no home, or no more room.
fn keep(home: &Path, report: &Report) -> io::Result<Option<u32>> {
    if !home.is_dir() {
        return Ok(None);
    }
    let folder = home.join(FOLDER);
    make_private(&folder)?;
    let text = serde_json::to_vec_pretty(report)?;
    for number in 1..=MOST {
        match write_new(&path(home, number), &text) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            written => return written.map(|()| Some(number)),
        }
    }
    Ok(None)
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file for its owner alone, over no other.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn path(home: &Path, number: u32) -> PathBuf {
    home.join(FOLDER).join(format!("{number}.json"))
}

/// The numbers of the reports in a home, the smallest first.
///
/// # Errors
/// Where the folder is there and cannot be read.
pub fn list(home: &Path) -> io::Result<Vec<u32>> {
    let entries = match fs::read_dir(home.join(FOLDER)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let number: Option<u32> =
            name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// A report, and its text as it lies on the disk.
///
/// # Errors
/// Where there is none of the number, or it is damaged.
pub fn read(home: &Path, number: u32) -> io::Result<(Report, String)> {
    let path = path(home, number);
    if fs::metadata(&path)?.len() > MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let text = fs::read_to_string(path)?;
    Ok((serde_json::from_str(&text)?, text))
}

/// Deletes a report.
///
/// # Errors
/// Where there is none of the number, or the disk fails.
pub fn delete(home: &Path, number: u32) -> io::Result<()> {
    fs::remove_file(path(home, number))
}
