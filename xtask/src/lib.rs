//! Chores of the workspace: `tidy`, the house rules that neither the compiler nor clippy can state,
//! and `generate`, files that are written from the code.
//!
//! `tidy` is run as `cargo xtask tidy`, and as a test in `cargo test -p xtask`, so that a broken rule fails
//! the build with a list of places and what to do at each.

pub mod generate;
pub mod tidy;
pub mod typescript;

use std::path::Path;

/// The root of the repository this crate was built in.
pub fn repository_root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
