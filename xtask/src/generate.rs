//! What is written from the code and checked in: the API's description, and types of it for apps.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::typescript;

/// The description, in OpenAPI.
pub const DESCRIPTION: &str = "docs/api/openapi.json";
/// The types, in TypeScript.
pub const TYPES: &str = "web/api/warren.ts";

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// `warren` cannot be built or run.
    #[error("`cargo run -p warren -- api openapi` failed: build it first and read its errors")]
    Warren,
    /// Cargo cannot be run, or a file not be written.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The description is none.
    #[error(transparent)]
    Types(#[from] typescript::TypesError),
}

/// Writes both files below `root`, and gives their names.
///
/// # Errors
/// Where the program cannot be built or the disk fails.
pub fn generate(root: &Path) -> Result<[&'static str; 2], GenerateError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["run", "-q", "-p", "warren", "--", "api", "openapi"];
    let ran = Command::new(&cargo).args(arguments).current_dir(root).output();
    let ran = ran.map_err(|error| GenerateError::File { path: cargo.into(), error })?;
    if !ran.status.success() {
        return Err(GenerateError::Warren);
    }
    let description = String::from_utf8_lossy(&ran.stdout);
    let types = typescript::types(&description)?;
    write(&root.join(DESCRIPTION), &description)?;
    write(&root.join(TYPES), &types)?;
    Ok([DESCRIPTION, TYPES])
}

fn write(path: &Path, text: &str) -> Result<(), GenerateError> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| GenerateError::File { path: path.to_owned(), error })
}
