//! The configuration: its example, its layers, what is said of a bad one, and `check-config`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use warren_noded::Identity;
use warren_noded::config::{Config, ConfigError, Loaded};

use crate::network::TestNetwork;
use crate::program::{PROGRAM, Processes};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/warren-node.toml");

/// The example with its optional keys set: those commented out without a space.
fn complete_example() -> String {
    let text = std::fs::read_to_string(EXAMPLE).unwrap();
    let set = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => rest.to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(set).collect::<Vec<_>>().join("\n")
}

fn written(text: &str) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warren-node.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn refusal(text: &str) -> String {
    let (_folder, path) = written(text);
    Loaded::read(Some(&path), Vec::new()).unwrap_err().to_string()
}

fn check_config(path: &Path, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(["check-config", "--json", "--config"]).arg(path).env_remove("WARREN_LOG");
    command.envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn the_example_holds_every_key_and_the_defaults() {
    let example = Loaded::read(Some(Path::new(EXAMPLE)), Vec::new()).unwrap().config;
    let defaults = Config::default();
    assert_eq!(example.limits, defaults.limits);
    assert_eq!(example.log, defaults.log);
    assert_eq!(example.metrics, defaults.metrics);
    assert_eq!(example.drain, defaults.drain);
    assert_eq!(example.problems(), []);

    let (_folder, path) = written(&complete_example());
    let complete = Loaded::read(Some(&path), Vec::new()).unwrap();
    for (key, _, source) in complete.effective() {
        assert!(source.to_string().contains("warren-node.toml:"), "{key} is not in the example");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_told_by_its_place() {
    let unknown = refusal("data = \"x\"\n[limits]\nclient_brust = 5\n");
    assert!(unknown.contains("warren-node.toml:3:1: unknown field `client_brust`"), "{unknown}");
    let wrong = refusal("[log]\nformat = \"xml\"\n");
    assert!(wrong.contains("warren-node.toml:2:10: unknown variant `xml`"), "{wrong}");
    let zero = refusal("[limits]\n\n  client_burst = 0\n");
    assert!(zero.contains(":3:18: invalid value: integer `0`"), "{zero}");
    let syntax = refusal("data = \n");
    assert!(syntax.contains("warren-node.toml:1:"), "{syntax}");
    let password = refusal("[store]\nurl = 7\n\nfile = \"postgres://u:secret@h/db\"\n");
    assert!(!password.contains("secret"), "{password}");
    let password = refusal("[log]\nformat = \"postgres://u:secret@h/db\"\n");
    assert!(password.contains("format") || password.contains("variant"), "{password}");
    assert!(!password.contains("secret"), "{password}");
}

#[test]
fn values_that_cannot_work_are_all_named_at_once() {
    let (_folder, path) =
        written("data = \"x\"\n[metrics]\nlisten = \"0.0.0.0:9\"\n[limits.proof]\nbits = 60\n");
    let loaded = Loaded::read(Some(&path), Vec::new()).unwrap();
    let Err(ConfigError::Problems(problems)) = loaded.require_sound() else { panic!() };
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[0].starts_with("list.file (default): say which list"), "{problems:?}");
    assert!(problems[1].contains("warren-node.toml:3:1): 0.0.0.0:9 is not loopback"));
    assert!(problems[2].contains("limits.proof.bits"));
}

#[test]
fn a_check_tells_each_value_and_its_source_and_hides_passwords() {
    let url = "postgres://warren:hunter2@127.0.0.1:1/mail";
    let (folder, path) = written("[log]\nlevel = \"debug\"\n[limits]\nclient_burst = 7\n");
    let data = folder.path().join("data");
    let environment = [
        ("WARREN_NODE_DATA", data.to_str().unwrap()),
        ("WARREN_NODE_LIMITS__CLIENT_BURST", "9"),
        ("WARREN_NODE_STORE__URL", url),
        ("WARREN_NODE_FILES__STORE", "s3://key:hunter2@mail/files"),
        ("WARREN_NODE_FILES__S3_ENDPOINT", "https://key:hunter2@s3.example"),
        ("WARREN_NODE_LIST__AUTHORITY", "http://proxy:hunter2@192.0.2.9:22023#00"),
        ("WARREN_NODE_EXIT__HOSTS", "[\"http://key:hunter2@host\"]"),
    ];
    let output = check_config(&path, &environment);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    let report: Value = serde_json::from_str(&text).unwrap();
    let effective = |key: &str| {
        let entry = &report["effective"][key];
        (entry["value"].clone(), entry["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(effective("limits.client_burst").0, 9);
    let variable = "environment WARREN_NODE_LIMITS__CLIENT_BURST";
    assert_eq!(effective("limits.client_burst").1, variable);
    assert_eq!(effective("store.url").0, "(hidden)");
    assert_eq!(effective("files.s3_endpoint").0, "https://(hidden)@s3.example");
    assert_eq!(effective("log.level").0, "debug");
    assert!(effective("log.level").1.ends_with("warren-node.toml:2:1"));
    assert_eq!(effective("log.format"), ("text".into(), "default".to_owned()));
    let findings = report["findings"].to_string();
    assert!(findings.contains("make it with `warren-node init`"), "{findings}");
    assert!(findings.contains("no server of the database takes writes"), "{findings}");
    assert_eq!(report["runs"], false);

    let wrong = [("WARREN_NODE_LIMITS__CLIENT_BURST", "many")];
    let output = check_config(&path, &wrong);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("WARREN_NODE_LIMITS__CLIENT_BURST: invalid type"), "{text}");
}

#[tokio::test]
async fn a_check_of_a_node_that_could_run_says_so() {
    let nodes = Processes::start(2).await;
    nodes.signal(0, "TERM").await;
    let data = nodes.path("node-1");
    let list = nodes.path("nodes.json");
    let text = format!("data = {data:?}\n[list]\nfile = {list:?}\n");
    let (_folder, path) = written(&text);
    // Its port may still be held: that is a warning.
    let output = check_config(&path, &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(report["runs"], true);
    let findings = report["findings"].to_string();
    assert!(findings.contains("1 of 1 other nodes of the list were reached"), "{findings}");

    let identity = data.join("identity.json");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&identity, open).unwrap();
    let output = check_config(&path, &[]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report["findings"].to_string().contains("chmod 600"), "{report}");
}

#[tokio::test]
async fn a_check_asks_the_authorities_for_a_list_that_enough_keys_signed() {
    let network = TestNetwork::start(4);
    let folder = tempfile::tempdir().unwrap();
    let seed = network.seed();
    let key = seed.split_once('#').unwrap().1.to_owned();
    let other = "ab".repeat(32);
    for (keys, level) in [(key.as_str(), "ok"), (other.as_str(), "warning")] {
        let seed = format!("{},http://127.0.0.1:1#{keys}", network.seed_url());
        let text = format!("data = {:?}\n[list]\nauthority = {seed:?}\n", folder.path());
        let (_folder, path) = written(&text);
        let output = check_config(&path, &[]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["findings"].as_array().unwrap();
        let of = |finding: &&Value| finding["key"] == "list.authority";
        let said: Vec<&Value> = findings.iter().filter(of).collect();
        let last = said.last().unwrap();
        assert_eq!(last["level"], level, "{said:?}");
        let count = usize::from(level == "ok");
        let text = format!("{count} of 2 authorities have a list that enough keys signed");
        assert_eq!(last["text"], text.as_str(), "{said:?}");
        assert_eq!(said.len(), 3 - count, "{said:?}");
        assert!(said.iter().all(|finding| finding["level"] != "error"), "{said:?}");
    }
}

#[tokio::test]
async fn a_node_that_follows_a_directory_needs_no_list_to_begin_with() {
    let network = TestNetwork::start(4);
    let folder = tempfile::tempdir().unwrap();
    Identity::load_or_create(folder.path()).unwrap();
    let list = folder.path().join("nodes.json");
    let text = format!(
        "data = {:?}\nadvertise = \"127.0.0.1:1\"\n[list]\nauthority = {:?}\nfile = {list:?}\n",
        folder.path(),
        network.seed(),
    );
    let (_folder, path) = written(&text);
    let findings = || {
        let output = check_config(&path, &[("WARREN_NODE_LISTEN", "127.0.0.1:0")]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &report["runs"]), (Some(0), &true.into()), "{report}");
        report["findings"].to_string()
    };
    let said = findings();
    assert!(said.contains("no list is kept yet"), "{said}");
    // Folders beside the node's own are tried.
    let nowhere = "/proc/no-folder-can-be-made-here";
    let keys = [("WARREN_NODE_STORE__URL", nowhere), ("WARREN_NODE_FILES__STORE", nowhere)];
    let output = check_config(&path, &keys);
    assert_eq!(output.status.code(), Some(1));
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(report.matches("/proc cannot be written").count(), 2, "{report}");
    // What is kept of another directory is not used, and keeps the node from nothing.
    std::fs::write(&list, "{}").unwrap();
    let said = findings();
    assert!(said.contains("the list of an earlier run is not used"), "{said}");
}
