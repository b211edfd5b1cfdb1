//! Conversations with session-python, a client that nobody here wrote, through our nodes.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;

/// session-python, pointed at one network. Every call is a process of its own, so nothing but the
/// recovery words goes from one call to the next.
struct Python {
    interpreter: PathBuf,
    /// `IP:PORT` of the directory.
    seed: String,
}

/// An account of session-python.
struct PythonAccount {
    /// Its recovery words.
    words: String,
    /// Its Account ID.
    id: String,
}

/// A message that session-python read.
#[derive(Debug, PartialEq, Eq)]
struct PythonMessage {
    /// Account ID of the sender.
    from: String,
    /// What it says.
    text: String,
    /// For copies of messages sent: the account they went to.
    copy_to: Option<String>,
    /// Its name on the nodes.
    hash: String,
}

impl Python {
    /// Takes the interpreter that `make test` set up.
    fn new(network: &LocalNetwork) -> Self {
        let seed = network.seed_url().trim_start_matches("http://").to_owned();
        Self { interpreter: interpreter(), seed }
    }

    /// Makes an account.
    async fn account(&self) -> PythonAccount {
        let answer = self.ask(json!({ "command": "new" })).await;
        PythonAccount { words: text(&answer["words"]), id: text(&answer["id"]) }
    }

    /// Sends a message; gives its name on the nodes.
    async fn send(&self, from: &PythonAccount, to: &str, body: &str) -> String {
        let question = json!({ "command": "send", "words": from.words, "to": to, "text": body });
        text(&self.ask(question).await["hash"])
    }

    /// Reads everything the account's swarm holds for it.
    async fn poll(&self, account: &PythonAccount) -> Vec<PythonMessage> {
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
    async fn delete(&self, account: &PythonAccount, hash: &str) {
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

/// A network, and the folder that goes with it.
async fn start(nodes: usize) -> (LocalNetwork, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let plan = Plan { nodes, data: data.path().to_owned(), seed_port: 0, node_port: 0 };
    (LocalNetwork::start(&plan).await.unwrap(), data)
}

/// What an account got from others, without the copies of what it sent itself.
fn received(messages: Vec<PythonMessage>) -> Vec<(String, String)> {
    let others = messages.into_iter().filter(|message| message.copy_to.is_none());
    others.map(|message| (message.from, message.text)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_accounts_of_session_python_talk_through_our_nodes() {
    // Two swarms, so that the client has to find the right one.
    let (network, _data) = start(14).await;
    let python = Python::new(&network);
    let (alice, bob) = (python.account().await, python.account().await);

    python.send(&alice, &bob.id, "hello from Alice").await;
    python.send(&alice, &bob.id, "and again, \u{1f407}").await;
    python.send(&bob, &alice.id, "hello from Bob").await;

    let from_alice = |text: &str| (alice.id.clone(), text.to_owned());
    let got = received(python.poll(&bob).await);
    assert_eq!(got, [from_alice("hello from Alice"), from_alice("and again, \u{1f407}")]);
    let got = python.poll(&alice).await;
    let copies: Vec<_> = got.iter().filter(|message| message.copy_to.is_some()).collect();
    assert_eq!(copies.len(), 2);
    assert!(copies.iter().all(|copy| copy.copy_to.as_deref() == Some(bob.id.as_str())));
    assert_eq!(received(got), [(bob.id.clone(), "hello from Bob".to_owned())]);
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_python_deletes_its_messages_from_our_nodes() {
    let (network, _data) = start(7).await;
    let python = Python::new(&network);
    let alice = python.account().await;
    let hash = python.send(&alice, &alice.id, "a note to myself").await;
    python.send(&alice, &alice.id, "another").await;
    assert!(python.poll(&alice).await.iter().any(|message| message.hash == hash));
    python.delete(&alice, &hash).await;
    let left = python.poll(&alice).await;
    assert!(left.iter().all(|message| message.hash != hash));
    assert!(left.iter().any(|message| message.text == "another"));
    network.stop().await;
}
