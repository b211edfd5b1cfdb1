//! A device whose account a daemon keeps at work: asked by commands and over its socket, stopped,
//! killed and started again.

use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::Child;

use crate::device::Device;

/// How long something may take that takes a moment where the machine has nothing else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is looked whether something has come about.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// A device with a daemon.
pub struct AtWork {
    device: Device,
    /// What it is called where something goes wrong.
    what: String,
    daemon: Option<Child>,
}

impl AtWork {
    /// A new device with a new account, at work.
    pub async fn new(seed: &str, name: &str) -> Self {
        let device = Device::new(seed, name).await;
        Self::begun(device, &format!("{name}'s phone")).await
    }

    /// A new device with an account that its words bring back, at work.
    pub async fn restored(seed: &str, what: &str, words: &str) -> Self {
        Self::begun(Device::restored_by_words_alone(seed, words).await, what).await
    }

    /// A device, at work.
    pub async fn begun(device: Device, what: &str) -> Self {
        let mut begun = Self { device, what: what.to_owned(), daemon: None };
        begun.start().await;
        begun
    }

    /// The account's id.
    pub fn id(&self) -> &str {
        &self.device.id
    }

    /// The account's recovery words.
    pub fn words(&self) -> &str {
        &self.device.words
    }

    /// What the device is called where something goes wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The home of `warren`.
    pub fn home(&self) -> PathBuf {
        self.device.home()
    }

    /// Starts the daemon, which does not run, and waits until it answers.
    pub async fn start(&mut self) {
        let log = self.device.folder().join("daemon.log");
        let log = File::options().create(true).append(true).open(log).unwrap();
        let mut command = self.device.command(&["--json", "daemon", "run"]);
        let mut daemon = command.stderr(log).spawn().unwrap();
        let mut line = String::new();
        let mut printed = BufReader::new(daemon.stdout.take().unwrap());
        let announced = tokio::time::timeout(PATIENCE, printed.read_line(&mut line)).await;
        announced.unwrap_or_else(|_| panic!("{}: the daemon does not start", self.what)).unwrap();
        assert!(line.starts_with('{'), "{}: {line}{}", self.what, self.log());
        self.daemon = Some(daemon);
    }

    /// Tells the daemon to stop, and waits for its end.
    pub async fn stop(&mut self) {
        self.json(&["daemon", "stop"]).await;
        let ended = self.daemon.take().unwrap().wait().await.unwrap();
        assert_eq!(ended.code(), Some(0), "{}: {}", self.what, self.log());
    }

    /// SIGKILL: the daemon gets no chance to do anything.
    pub async fn kill(&mut self) {
        self.daemon.take().unwrap().kill().await.unwrap();
    }

    /// Loses the device with everything on it; one that has nothing but the words takes its place.
    pub async fn lose_and_restore(&mut self) {
        self.kill().await;
        self.device.lose_and_restore().await;
        self.start().await;
    }

    /// Runs a command that must succeed and gives its JSON.
    pub async fn json(&self, arguments: &[&str]) -> Value {
        self.device.json(arguments, "").await
    }

    /// As [`AtWork::json`], with something else in the environment.
    pub async fn json_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Value {
        let mut command = self.device.command(&[&["--json"], arguments].concat());
        let output = command.envs(environment.iter().copied()).output().await.unwrap();
        assert!(output.status.success(), "{}: {arguments:?}", self.what);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that may fail; what it printed.
    pub async fn try_json(&self, arguments: &[&str]) -> String {
        self.device.run(&[&["--json"], arguments].concat(), "").await.1
    }

    /// Runs a command that must fail; the code of its error.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        self.refused_with(1, arguments).await
    }

    /// As [`AtWork::refused`], with another exit code.
    pub async fn refused_with(&self, exit: i32, arguments: &[&str]) -> String {
        let (code, printed) = self.device.run(&[&["--json"], arguments].concat(), "").await;
        assert_eq!(code, exit, "{}: {arguments:?}: {printed}", self.what);
        let error: Value = serde_json::from_str(&printed).unwrap();
        error["error"]["code"].as_str().unwrap().to_owned()
    }

    /// Asks the API for something below the account.
    pub async fn get(&self, path: &str) -> Value {
        self.ask("GET", path, "").await
    }

    /// Gives the API something below the account.
    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", path, &body.to_string()).await
    }

    /// Looks again and again until there is something to be seen.
    pub async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(seen) = look(self).await {
                return seen;
            }
            assert!(began.elapsed() < PATIENCE, "{}: not in time: {what}", self.what);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks again and again until a part of an answer is as expected.
    pub async fn until_is(&self, path: &str, pointer: &str, expected: impl Into<Value>) {
        let expected = expected.into();
        let began = Instant::now();
        loop {
            let answer = self.try_ask("GET", path, "").await.1;
            if answer.pointer(pointer) == Some(&expected) {
                return;
            }
            let late = began.elapsed() > PATIENCE;
            assert!(!late, "{}: {path} {pointer} is not {expected}: {answer}", self.what);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let (status, answer) = self.try_ask(method, path, body).await;
        let done = (200..300).contains(&status);
        assert!(done, "{}: {method} {path}: {status} {answer}", self.what);
        answer
    }

    /// Asks over the daemon's socket; the status and the answer, null where it has none.
    async fn try_ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = UnixStream::connect(self.device.home().join("api.sock")).await.unwrap();
        let head = format!(
            "{method} /v1/accounts/{}/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.id(),
            body.len(),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        match stream.read_to_string(&mut answer).await {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => {}
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.device.folder().join("daemon.log")).unwrap_or_default()
    }
}
