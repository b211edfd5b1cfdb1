//! A few power cuts at every run of the tests; `make power-cuts` makes more.

#![allow(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::Command;

fn cut(subject: &str, cuts: usize) {
    // A memory file system, where there is one, makes copies cheap.
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let output = Command::new(env!("CARGO_BIN_EXE_warren-power"))
        .args(["cut", subject, "--cuts", &cuts.to_string(), "--scratch"])
        .arg(scratch)
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    println!("{text}{errors}");
    assert!(output.status.success(), "{text}{errors}");
}

#[test]
fn the_embedded_engine_loses_nothing() {
    cut("warren", 15);
}

#[test]
fn a_persons_database_loses_nothing_shows_nothing_twice_and_sends_nothing_again() {
    cut("client", 8);
}

#[test]
fn a_log_that_is_synced_loses_nothing_and_one_that_is_not_does() {
    cut("log", 3);
    cut("unsynced", 3);
}
