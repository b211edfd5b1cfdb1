//! Where the programs under test lie: beside this test, built from the same tree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    // target/PROFILE/deps/TEST
    let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Chosen like this, dependencies have the features that the tests' own build gave them, and
    // none is compiled twice.
    build.args(["build", "--quiet", "--locked", "--workspace", "--bins", "--tests"]);
    if folder.ends_with("release") {
        build.arg("--release");
    }
    build.env("CARGO_TARGET_DIR", folder.parent().unwrap());
    assert!(build.status().unwrap().success(), "the programs under test do not build");
    folder
});

/// The program with this name, newly built where the tree changed.
pub fn program(name: &str) -> PathBuf {
    FOLDER.join(name)
}
