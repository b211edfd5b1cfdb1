//! session-python, a client that nobody here wrote, as a process for each call.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// session-python, pointed at one network. Every call is a process of its own, so nothing but the
/// recovery words goes from one call to the next.
pub struct Python {
    interpreter: PathBuf,
    /// `IP:PORT` of the directory.
    seed: String,
}

/// An account of session-python.
pub struct PythonAccount {
    /// Its recovery words.
    pub words: String,
    /// Its Account ID.
    pub id: String,
}

/// A message that session-python read.
#[derive(Debug, PartialEq, Eq)]
pub struct PythonMessage {
    /// Account ID of the sender.
    pub from: String,
    /// What it says.
    pub text: String,
    /// For copies of messages sent: the account they went to.
    pub copy_to: Option<String>,
    /// Its name on the nodes.
    pub hash: String,
}

impl Python {
    /// Takes the interpreter that `make test` set up.
    pub fn new(seed_url: &str) -> Self {
        let seed = seed_url.trim_start_matches("http://").to_owned();
        Self { interpreter: interpreter(), seed }
    }

    /// Makes an account to which session-python can write, see [`Python::can_write_to`].
    pub async fn account(&self) -> PythonAccount {
        loop {
            let answer = self.ask(json!({ "command": "new" })).await;
            let account = PythonAccount { words: text(&answer["words"]), id: text(&answer["id"]) };
            if Self::can_write_to(&account.id) {
                return account;
            }
        }
    }

    /// Whether session-python can write to an account. It takes every leading byte 05 for the prefix of
    /// an id, so that of a key that begins with 05 a byte is missing.
    pub fn can_write_to(id: &str) -> bool {
        !id.starts_with("0505")
    }

    /// Sends a message; gives its name on the nodes.
    pub async fn send(&self, from: &PythonAccount, to: &str, body: &str) -> String {
        let question = json!({ "command": "send", "words": from.words, "to": to, "text": body });
        text(&self.ask(question).await["hash"])
    }

    /// Reads everything the account's swarm holds for it.
    pub async fn poll(&self, account: &PythonAccount) -> Vec<PythonMessage> {
        let answer = self.ask(json!({ "command": "poll", "words": account.words })).await;
        let read = |message: &Value| PythonMessage {
            from: text(&message["from"]),
            text: text(&message["text"]),
            copy_to: message["copy_of_message_to"].as_str().map(str::to_owned),
            hash: text(&message["hash"]),
        };
        answer["messages"].as_array().unwrap().iter().map(read).collect()
    }

    /// Deletes a message from the account's swarm.
    pub async fn delete(&self, account: &PythonAccount, hash: &str) {
        self.ask(json!({ "command": "delete", "words": account.words, "hash": hash })).await;
    }

    async fn ask(&self, question: Value) -> Value {
        let mut child = Command::new(&self.interpreter)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python/client.py"))
            .arg(&self.seed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.interpreter.display()));
        let mut input = child.stdin.take().unwrap();
        input.write_all(question.to_string().as_bytes()).await.unwrap();
        drop(input);
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// The interpreter with session-python in it. Its absence fails the test: what is skipped in
/// silence is not tested.
fn interpreter() -> PathBuf {
    if let Some(path) = std::env::var_os("WARREN_E2E_PYTHON") {
        return path.into();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".venv/bin/python");
    assert!(
        path.exists(),
        "there is no Python with session-python: `make test` sets it up in check/e2e/.venv, or \
         name one in WARREN_E2E_PYTHON"
    );
    path
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
