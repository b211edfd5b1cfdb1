//! One person's device: a home of its own, and `warren` run on it.

use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use crate::programs::program;

/// No command here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// A device with one account; its folder is deleted with it.
pub struct Device {
    home: TempDir,
    seed: String,
    /// The account's id.
    pub id: String,
    /// Its recovery words.
    pub words: String,
}

impl Device {
    /// A new device with a new account.
    pub async fn new(seed: &str, name: &str) -> Self {
        let mut device = Self::empty(seed);
        device.create(name).await;
        device
    }

    /// As [`Device::new`], with everything in a folder on another disk.
    pub async fn new_on(disk: &Path, seed: &str, name: &str) -> Self {
        let mut device = Self { home: tempfile::tempdir_in(disk).unwrap(), ..Self::empty(seed) };
        device.create(name).await;
        device
    }

    /// As [`Device::restored_by_words_alone`], with everything in a folder on another disk.
    pub async fn restored_on(disk: &Path, seed: &str, words: &str) -> Self {
        let mut device = Self { home: tempfile::tempdir_in(disk).unwrap(), ..Self::empty(seed) };
        device.restore(words, &[]).await;
        device
    }

    /// A new device on which there is nothing.
    pub fn empty(seed: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, seed: seed.to_owned(), id: String::new(), words: String::new() }
    }

    /// A new device with an account that its words bring back.
    pub async fn restored(seed: &str, name: &str, words: &str) -> Self {
        let mut device = Self::empty(seed);
        device.restore(words, &["--name", name]).await;
        device
    }

    /// A new device with an account that its words bring back, and nothing else.
    pub async fn restored_by_words_alone(seed: &str, words: &str) -> Self {
        let mut device = Self::empty(seed);
        device.restore(words, &[]).await;
        device
    }

    /// Loses everything on the device, and has the words bring its account back.
    pub async fn lose_and_restore(&mut self) {
        self.home = tempfile::tempdir().unwrap();
        let words = self.words.clone();
        self.restore(&words, &[]).await;
    }

    async fn restore(&mut self, words: &str, options: &[&str]) {
        let restore = [&["account", "restore"], options].concat();
        let back = self.json(&restore, words).await;
        self.id = back["account_id"].as_str().unwrap().to_owned();
        self.words = words.to_owned();
    }

    async fn create(&mut self, name: &str) {
        let made = self.json(&["account", "create", "--name", name], "").await;
        self.id = made["account_id"].as_str().unwrap().to_owned();
        self.words = made["mnemonic"].as_str().unwrap().to_owned();
    }

    /// Sends a message; the exit code of `warren send`: 0 delivered, 3 waiting.
    pub async fn send(&self, to: &str, text: &str) -> i32 {
        self.run(&["send", to, "-"], text).await.0
    }

    /// Everything on the device after fetching, oldest first: author's id and text.
    pub async fn messages(&self) -> Vec<(String, String)> {
        let (code, printed) = self.run(&["--json", "read", "--all"], "").await;
        assert!(matches!(code, 0 | 4), "exit code {code}: {printed}");
        printed
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .map(|message| {
                let own = message["direction"] == "outgoing";
                let author = if own { self.id.clone() } else { text(&message["peer"]) };
                (author, text(&message["text"]))
            })
            .collect()
    }

    /// The hops in use, the first one first: their node ids.
    pub async fn path(&self) -> Vec<String> {
        let path = self.json(&["path"], "").await;
        path["hops"].as_array().unwrap().iter().map(|hop| text(&hop["node_id"])).collect()
    }

    /// Runs a command that must succeed and gives its JSON.
    pub async fn json(&self, arguments: &[&str], input: &str) -> Value {
        let (code, printed) = self.run(&[&["--json"], arguments].concat(), input).await;
        assert_eq!(code, 0, "{arguments:?}: {printed}");
        serde_json::from_str(&printed).unwrap()
    }

    /// Where everything of this device lies.
    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// The home of `warren`.
    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// `warren` on this device. What it prints is read; it is killed with its process.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program("warren"));
        command
            .args(arguments)
            .env("WARREN_HOME", self.home())
            .env("WARREN_PASSPHRASE", "correct horse battery staple")
            .env("WARREN_GUESS_COST", "least")
            .env("WARREN_SEED", &self.seed)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs `warren`; its exit code and what it printed.
    pub async fn run(&self, arguments: &[&str], input: &str) -> (i32, String) {
        // Not on the device's disk: nobody types into a file.
        let mut given = tempfile::tempfile().unwrap();
        given.write_all(input.as_bytes()).unwrap();
        given.rewind().unwrap();
        let output = self.command(arguments).stdin(given).stderr(Stdio::piped()).output();
        let output = tokio::time::timeout(PATIENCE, output).await.expect("warren hangs").unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        let code = output.status.code().unwrap();
        (code, if code == 0 { printed } else { printed + &complaint })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
