//! libsession for Rust, a client library that nobody here wrote, as a process that carries out
//! commands.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command as AsyncCommand};

/// No command takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// libsession, pointed at one network. What it keeps between commands is its nodes and paths, and
/// configurations by name; keys come with each command.
pub struct Libsession {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// An account of libsession.
pub struct LibsessionAccount {
    /// Its seed of 32 bytes, as hexadecimal digits.
    pub seed: String,
    /// Its Account ID.
    pub id: String,
    /// Its Ed25519 key, as hexadecimal digits.
    pub ed25519: String,
}

impl Libsession {
    /// Starts it for the network of a directory; commands that need none work without one, too.
    pub fn start(seed_url: &str) -> Self {
        let mut process = AsyncCommand::new(&*PROGRAM)
            .arg(seed_url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { input: process.stdin.take().unwrap(), output, _process: process }
    }

    /// Has a command carried out.
    ///
    /// # Errors
    /// What is wrong, in libsession's words.
    pub async fn try_ask(&mut self, question: &Value) -> Result<Value, String> {
        self.input.write_all(format!("{question}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let line = line.expect("libsession hangs").unwrap().expect("libsession ended");
        let mut answer: Value = serde_json::from_str(&line).unwrap();
        match answer["error"].take() {
            Value::String(error) => Err(error),
            _ => Ok(answer["ok"].take()),
        }
    }

    /// Has a command carried out that must succeed.
    pub async fn ask(&mut self, question: Value) -> Value {
        let answer = self.try_ask(&question).await;
        answer.unwrap_or_else(|error| panic!("{}: {error}", question["command"]))
    }

    /// Makes an account.
    pub async fn account(&mut self) -> LibsessionAccount {
        let made = self.ask(json!({ "command": "account" })).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        LibsessionAccount { seed: text("seed"), id: text("id"), ed25519: text("ed25519") }
    }
}

/// The program that links libsession. It is no part of the workspace, for libsession is under the GPL.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    // target/PROFILE/deps/TEST
    let target = test.ancestors().nth(3).unwrap().join("libsession");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("libsession/Cargo.toml");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
    build.env("CARGO_TARGET_DIR", &target);
    // What cargo tells this test of its package would have dependencies built once more.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            build.env_remove(&*name);
        }
    }
    assert!(
        build.status().unwrap().success(),
        "the program that links libsession does not build; it needs protoc, which `make test` sets up"
    );
    target.join("debug/warren-e2e-libsession")
});
