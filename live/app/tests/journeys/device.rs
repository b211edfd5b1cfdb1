//! One person's device: a home of its own, and the program run on it.

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The passphrase of every device here.
pub(crate) const PASSPHRASE: &str = "correct horse battery staple";

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Fails where the exit code is another.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON objects on stdout, one a line.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The code of the JSON error on stderr.
    #[track_caller]
    pub(crate) fn error_code(&self) -> String {
        let value: Value = serde_json::from_str(self.stderr.trim()).unwrap();
        assert!(value["error"]["message"].is_string(), "{self:?}");
        value["error"]["code"].as_str().unwrap().to_owned()
    }
}

/// A device; its folder is deleted with it.
pub(crate) struct Device {
    folder: TempDir,
    seed: Option<String>,
}

impl Device {
    /// A device with nothing on it, that knows no network.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), seed: None }
    }

    /// A device with one account on a network; and the account's id.
    pub(crate) fn with_account(seed: &str, name: &str) -> (Self, String) {
        let device = Self { seed: Some(seed.to_owned()), ..Self::new() };
        let made = device.run(&["--json", "account", "create", "--name", name]).with_code(0);
        let id = made.json()["account_id"].as_str().unwrap().to_owned();
        (device, id)
    }

    /// The same network, nothing else.
    pub(crate) fn on(seed: &str) -> Self {
        Self { seed: Some(seed.to_owned()), ..Self::new() }
    }

    /// The folder everything of this device lies in.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The program, with an environment that names this device and nothing of the tester's.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warren"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TMPDIR", self.folder.path())
            .env("TZ", "UTC")
            .env("WARREN_HOME", self.folder.path().join("device"))
            .env("WARREN_PASSPHRASE", PASSPHRASE)
            .env("WARREN_GUESS_COST", "least")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(seed) = &self.seed {
            command.env("WARREN_SEED", seed);
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the program with something on stdin.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that refuses early reads nothing.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        child.wait_with_output().unwrap().into()
    }

    /// The texts that `read` shows.
    pub(crate) fn texts(&self, arguments: &[&str]) -> Vec<String> {
        let read = self.run(&[&["--json", "read"], arguments].concat()).with_code(0);
        let lines = read.json_lines();
        lines.iter().filter_map(|line| line["text"].as_str().map(str::to_owned)).collect()
    }
}

/// Sends a signal, as a terminal or a service manager does.
pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}
