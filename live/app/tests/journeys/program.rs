//! The program itself: the demo, help, completions, pipes that close.

use std::io::{BufRead, BufReader};

use crate::device::{Device, signal};
use crate::network::Place;

#[test]
fn the_demo_holds_and_leaves_nothing_behind() {
    let device = Device::new();
    let shown = device.run(&["demo"]).with_code(0);
    assert_eq!(shown.stderr, "");
    assert!(shown.stdout.contains("Every step held"), "{shown:?}");
    let left: Vec<_> = std::fs::read_dir(device.folder()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_demo_runs_on_a_given_network_and_prints_json() {
    let place = Place::new();
    let network = place.up();
    let shown = Device::on(network.seed()).run(&["--json", "demo"]).with_code(0).json();
    assert_eq!(shown["ok"], true);
    assert_eq!(shown["steps"].as_array().unwrap().len(), 10);
}

#[test]
fn a_demo_that_fails_says_so_and_leaves_nothing_behind() {
    let device = Device::on(&format!("http://127.0.0.1:9#{}", "00".repeat(32)));
    let failed = device.run(&["--json", "demo"]).with_code(1);
    assert_eq!(failed.stdout, "");
    failed.error_code();
    assert!(std::fs::read_dir(device.folder()).unwrap().next().is_none());
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let device = Device::new();
    let mut demo = device.command(&["demo"]).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("A network starts")));
    signal(&demo, "INT");
    assert_eq!(lines.find(|line| line.contains("Every step held")), None);
    assert_eq!(demo.wait().unwrap().code(), Some(130));
    assert!(std::fs::read_dir(device.folder()).unwrap().next().is_none());
}

#[test]
fn help_lists_the_exit_codes_and_mistakes_are_told_in_the_form_asked_for() {
    let device = Device::new();
    let help = device.run(&["--help"]).with_code(0);
    assert!(help.stdout.contains("Exit codes:"), "{help:?}");
    let mistake = device.run(&["sned"]).with_code(2);
    assert!(mistake.stderr.contains("send"), "{mistake:?}");
    assert_eq!(device.run(&["--json", "sned"]).with_code(2).error_code(), "usage");
}

#[test]
fn completions_and_manual_pages_are_made() {
    let device = Device::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(device.run(&["completions", shell]).with_code(0).stdout.contains("warren"));
    }
    assert!(device.run(&["man", "-"]).with_code(0).stdout.contains(".TH warren"));
    let folder = device.folder().join("man");
    device.run(&["man", folder.to_str().unwrap()]).with_code(0);
    assert!(folder.join("warren-send.1").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let device = Device::new();
    let mut child = device.command(&["completions", "bash"]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
}

#[test]
fn a_build_without_a_release_key_believes_no_manifest_and_reports_of_faults_are_listed() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let manifest = device.folder().join("manifest.json");
    let check = ["--json", "update", "check", "--from", manifest.to_str().unwrap()];
    assert_eq!(device.run(&check).with_code(1).error_code(), "update");
    let none = device.run(&["--json", "crash", "list"]).with_code(0).json();
    assert_eq!(none["reports"].as_array().unwrap().len(), 0);
    let missing = device.run(&["--json", "crash", "show", "1"]).with_code(1);
    assert_eq!(missing.error_code(), "no_report");
}
