//! Plants secrets in faults and finds none of them in what is kept.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::fs;
use std::panic::catch_unwind;
use std::process::Command;

use warren::crash;

/// What no report may hold.
const SECRETS: [&str; 7] = [
    "05aa65c0ffee00112233445566778899aabbccddeeff00112233445566778895aa74",
    "puffin lexicon tawny",
    "meet me at the old bridge",
    "hunter2 passphrase",
    "203.0.113.77",
    "0badc0de0badc0de0badc0de0badc0de",
    "PLANTED_IN_A_THREAD",
];

fn fault(home: &str) {
    let all = SECRETS.join(" | ");
    let _ = catch_unwind(|| panic!("{all} in {home}/device"));
    let refused: Result<(), String> = std::hint::black_box(Err(all.clone()));
    let _ = catch_unwind(|| refused.unwrap());
    let _ = catch_unwind(|| std::panic::panic_any(SECRETS.map(str::to_owned)));
    let name = "PLANTED_IN_A_THREAD".to_owned();
    let thread = std::thread::Builder::new().name(name).spawn(|| panic!("a literal of the source"));
    let _ = thread.unwrap().join();
}

/// The hook is the whole process's, so the faults happen in one of their own: this test, run again.
#[test]
fn secrets_in_faults_reach_neither_the_report_nor_stderr() {
    const CHILD: &str = "WARREN_TEST_FAULTS_IN";
    if let Ok(home) = std::env::var(CHILD) {
        crash::install(home.clone().into());
        fault(&home);
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let name = "secrets_in_faults_reach_neither_the_report_nor_stderr";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, home.path())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&child.stderr).into_owned();
    assert_eq!(crash::list(home.path()).unwrap(), [1, 2, 3, 4], "{stderr}");
    let mut shown = stderr;
    for number in 1..=4 {
        let (report, text) = crash::read(home.path(), number).unwrap();
        assert!(report.place.starts_with("live/app/tests/crash.rs:"), "{report:?}");
        assert!(report.functions.iter().any(|name| name.contains("crash::fault")), "{text}");
        shown.push_str(&text);
    }
    assert_eq!(crash::read(home.path(), 4).unwrap().0.message, "a literal of the source");
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let path = home.path().to_str().unwrap();
    assert!(!shown.contains(path), "{shown}");

    crash::delete(home.path(), 2).unwrap();
    assert_eq!(crash::list(home.path()).unwrap(), [1, 3, 4]);
    assert!(crash::read(home.path(), 2).is_err());
    fs::write(home.path().join("crashes/3.json"), "{").unwrap();
    assert!(crash::read(home.path(), 3).is_err());
}

#[test]
fn without_a_home_there_is_nothing_to_list() {
    let none = tempfile::tempdir().unwrap().path().join("none");
    assert_eq!(crash::list(&none).unwrap(), Vec::<u32>::new());
    assert!(!none.exists());
}
