//! The daemon as a process of its own: its socket, its port, its end, and what it keeps to itself.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::device::{Device, Ended, PASSPHRASE, signal};
use crate::network::Place;

/// How long something may take that takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that runs; killed with its value.
pub(crate) struct Daemon {
    pub(crate) child: Child,
    announced: Value,
    log: PathBuf,
}

impl Daemon {
    pub(crate) fn start(device: &Device, arguments: &[&str]) -> Self {
        Self::spawn(device, device.command(&[&["--json", "daemon", "run"], arguments].concat()))
    }

    pub(crate) fn spawn(device: &Device, mut command: Command) -> Self {
        let log = device.folder().join("daemon.log");
        command.env("WARREN_LOG", "trace").stderr(File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let announced = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("no start: {line}{}", fs::read_to_string(&log).unwrap()));
        Self { child, announced, log }
    }

    pub(crate) fn address(&self) -> &str {
        self.announced["listen"].as_str().unwrap()
    }

    pub(crate) fn token(&self) -> String {
        let path = self.announced["token_file"].as_str().unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::read_to_string(path).unwrap().trim().to_owned()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command of somebody who gives no passphrase, which only a daemon makes possible.
pub(crate) fn unasked(device: &Device, arguments: &[&str]) -> Ended {
    device.command(arguments).env_remove("WARREN_PASSPHRASE").output().unwrap().into()
}

/// Asks the API of a daemon that listens on loopback; the status and the answer.
pub(crate) fn asked(daemon: &Daemon, method: &str, path: &str, body: &[u8]) -> (u16, Value) {
    let mut stream = TcpStream::connect(daemon.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (host, token, bytes) = (daemon.address(), daemon.token(), body.len());
    write!(
        stream,
        "{method} /v1/{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {bytes}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn a_file_that_was_handed_in_waits_for_its_message_over_a_restart() {
    let place = Place::new();
    let network = place.up();
    let (alice, id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let daemon = Daemon::start(&alice, &["--listen", "127.0.0.1:0"]);
    let files = format!("accounts/{id}/files?name=plan.txt&caption=tomorrow");
    let (status, handed_in) = asked(&daemon, "POST", &files, b"the plan");
    assert_eq!(status, 201, "{handed_in}");
    let spare = asked(&daemon, "POST", &files, b"another").1["draft_id"].clone();
    daemon.kill();

    let daemon = Daemon::start(&alice, &["--listen", "127.0.0.1:0"]);
    let drafts = format!("accounts/{id}/drafts/{spare}");
    assert_eq!(asked(&daemon, "DELETE", &drafts, b"").0, 204);
    let new = |draft: &Value| {
        let new = serde_json::json!({ "to": bob_id, "text": "", "files": [draft] });
        asked(&daemon, "POST", &format!("accounts/{id}/messages"), new.to_string().as_bytes())
    };
    let (status, gone) = new(&spare);
    assert_eq!((status, &gone["error"]["code"]), (404, &"no_such_draft".into()));
    let (status, message) = new(&handed_in["draft_id"]);
    assert_eq!((status, &message["files"][0]["caption"]), (201, &"tomorrow".into()), "{message}");
    let arrived = || {
        bob.run(&["read"]).with_code(0);
        let all = bob.run(&["--json", "read", "--all"]).with_code(0).json_lines();
        all.iter().any(|one| one["files"][0]["name"] == "plan.txt")
    };
    eventually("the file arrives", arrived);
}

/// One request as it stands on the wire: the status and all that came behind it.
pub(crate) fn raw(address: &str, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

#[expect(clippy::disallowed_methods, reason = "this thread runs no executor")]
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn commands_give_the_same_answers_with_and_without_a_daemon() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    alice.run(&["contacts", "add", &bob_id, "--name", "Bob"]).with_code(0);
    alice.run(&["send", "bob", "from before"]).with_code(0);
    bob.run(&["send", &alice_id, "an answer"]).with_code(0);
    alice.run(&["read"]).with_code(0);
    let commands: [&[&str]; 9] = [
        &["account", "show"],
        &["account", "list"],
        &["account", "notifications"],
        &["contacts"],
        &["outbox"],
        &["outbox", "retry"],
        &["read", "--all"],
        &["send", "nobody", "x"],
        &["--account", "carol", "account", "show"],
    ];
    let answers = || {
        let run = |json: &[&str], command: &[&str]| {
            let ended = unasked(&alice, &[json, command].concat());
            (ended.code, ended.stdout, ended.stderr)
        };
        let both = commands.iter().flat_map(|one| [run(&[], one), run(&["--json"], one)]);
        both.collect::<Vec<_>>()
    };
    let asked = |command: &&[&str]| alice.run(command).code;
    let codes: Vec<_> = commands.iter().map(asked).collect();
    let daemon = Daemon::start(&alice, &[]);
    let through = answers();
    assert_eq!(codes, through.iter().step_by(2).map(|one| one.0).collect::<Vec<_>>());
    signal(&daemon.child, "TERM");
    eventually("it ends", || unasked(&alice, &["account", "list"]).code == Some(5));
    for (at, command) in commands.iter().enumerate() {
        for (json, offset) in [(&[][..], 0), (&["--json"][..], 1)] {
            let ended = alice.run(&[json, command].concat());
            assert_eq!((ended.code, ended.stdout, ended.stderr), through[2 * at + offset]);
        }
    }
}

#[test]
fn a_daemon_fetches_and_sends_by_itself_and_tells_of_it() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let daemon = Daemon::start(&bob, &[]);
    let socket = daemon.announced["socket"].as_str().unwrap().to_owned();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let stream = UnixStream::connect(&socket).await.unwrap();
        let asked = tokio_tungstenite::client_async("ws://localhost/v1/events", stream).await;
        let (mut events, _) = asked.unwrap();
        alice.run(&["send", &bob_id, "while nobody asks"]).with_code(0);
        let mut event = async |name: &str| loop {
            let frame = tokio::time::timeout(PATIENCE, events.next()).await.expect(name);
            let text = frame.unwrap().unwrap().into_text().unwrap();
            let event: Value = serde_json::from_str(&text).unwrap();
            if event["event"] == name {
                return event;
            }
        };
        let new = event("message_new").await;
        assert_eq!(
            (new["account"].as_str(), new["conversation"].as_str()),
            (Some(&*bob_id), Some(&*alice_id))
        );
        network.stop("INT").with_code(0);
        unasked(&bob, &["send", &alice_id, "later"]).with_code(3);
        assert_eq!(event("delivery").await["state"], "waiting");
        let network = place.up();
        let delivered = async { while event("delivery").await["state"] != "delivered" {} };
        tokio::time::timeout(2 * PATIENCE, delivered).await.expect("sent without being asked");
        drop(network);
        unasked(&bob, &["daemon", "lock"]).with_code(0);
        event("locked").await;
    });
}

#[test]
fn over_loopback_only_the_token_at_our_own_name_opens_anything() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let (address, token) = (daemon.address(), daemon.token());
    let port = address.rsplit(':').next().unwrap();
    let bearer = format!("Authorization: Bearer {token}");
    let get = "GET /v1/accounts HTTP/1.1";
    for host in [address.to_owned(), format!("localhost:{port}"), format!("[::1]:{port}")] {
        let (status, answer) = raw(address, &format!("{get}\r\nHost: {host}\r\n{bearer}"));
        assert_eq!(status, 200, "{answer}");
        assert!(answer.contains("\"account_id\":\"05"), "{answer}");
        assert!(!answer.to_lowercase().contains("access-control"), "{answer}");
    }
    let wrong = "Authorization: Bearer ".to_owned() + &"ab".repeat(32);
    let socket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let events = format!("GET /v1/events HTTP/1.1\r\nHost: {address}\r\n{socket}");
    let refused = [
        format!("{get}\r\nHost: {address}"),
        format!("{get}\r\nHost: {address}\r\n{wrong}"),
        format!("{get}\r\nHost: rebound.example:{port}\r\n{bearer}"),
        format!("{get}\r\nHost: {address}\r\nOrigin: https://evil.example\r\n{bearer}"),
        format!("{get}\r\nHost: {address}\r\nOrigin: null\r\n{bearer}"),
        format!("GET /v1/nothing HTTP/1.1\r\nHost: {address}"),
        format!("OPTIONS /v1/accounts HTTP/1.1\r\nHost: {address}\r\nOrigin: https://evil.example"),
        events.clone(),
        format!("{events}\r\nOrigin: https://evil.example\r\n{bearer}"),
    ];
    for head in refused {
        let (status, answer) = raw(address, &head);
        assert_eq!(status, 403, "{head}: {answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "");
        let told = ["content-length", "date", "connection"];
        let names = head.lines().skip(1).map(|line| line.split(':').next().unwrap());
        assert!(names.clone().all(|name| told.contains(&name)), "{head}");
    }
    let outside = device.run(&["--json", "daemon", "run", "--listen", "0.0.0.0:0"]).with_code(1);
    assert_eq!(outside.error_code(), "daemon_runs");
}

#[test]
fn errors_have_codes_and_requests_have_limits() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let daemon = Daemon::start(&device, &["--listen", "127.0.0.1:0"]);
    let (address, token) = (daemon.address(), daemon.token());
    let ask = |line: &str, more: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}");
        let (status, answer) = raw(address, &format!("{head}{more}"));
        let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["error"]["message"].is_string(), "{body}");
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    };
    let code = |status: u16, code: &str| (status, code.to_owned());
    let json = "\r\nContent-Type: application/json";
    let nobody = format!("GET /v1/accounts/05{}", "ab".repeat(32));
    assert_eq!(ask("GET /v1/nothing", ""), code(404, "no_such_endpoint"));
    assert_eq!(ask("GET /v1/accounts/05", ""), code(400, "bad_account_id"));
    assert_eq!(ask(&nobody, ""), code(404, "unknown_account"));
    assert_eq!(ask("POST /v1/accounts", json), code(400, "bad_request"));
    let large = format!("{json}\r\nContent-Length: 2000000");
    assert_eq!(ask("POST /v1/accounts", &large), code(413, "too_much_input"));
}

#[test]
fn one_home_has_one_daemon_and_a_killed_one_leaves_nothing_in_the_way() {
    let device = Device::new();
    assert_eq!(device.run(&["--json", "daemon", "run"]).with_code(1).error_code(), "no_account");
    device.run(&["account", "create", "--name", "alice"]).with_code(0);
    device.run(&["daemon", "status"]).with_code(1);
    let outside = device.run(&["--json", "daemon", "run", "--listen", "0.0.0.0:0"]).with_code(1);
    assert_eq!(outside.error_code(), "not_loopback");

    let daemon = Daemon::start(&device, &[]);
    let second = device.run(&["--json", "daemon", "run"]).with_code(1);
    assert_eq!(second.error_code(), "daemon_runs");
    assert!(second.stderr.contains(&daemon.child.id().to_string()), "{second:?}");
    assert_eq!(unasked(&device, &["--json", "daemon", "status"]).json()["accounts"], 1);
    daemon.kill();

    device.run(&["daemon", "status"]).with_code(1);
    device.run(&["account", "list"]).with_code(0);
    let mut daemon = Daemon::start(&device, &[]);
    unasked(&device, &["account", "create", "--name", "bob"]).with_code(0);
    assert_eq!(unasked(&device, &["--json", "daemon", "status"]).json()["accounts"], 2);
    unasked(&device, &["account", "remove", "bob", "--yes"]).with_code(0);
    unasked(&device, &["daemon", "stop"]).with_code(0);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    let socket = daemon.announced["socket"].as_str().unwrap();
    assert!(!fs::exists(socket).unwrap());
}

#[test]
fn a_locked_daemon_does_nothing_until_it_is_unlocked() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    let _daemon = Daemon::start(&device, &[]);
    device.run(&["daemon", "lock"]).with_code(0);
    assert_eq!(
        unasked(&device, &["--json", "account", "list"]).with_code(1).error_code(),
        "locked"
    );
    assert_eq!(device.run(&["--json", "daemon", "status"]).json()["locked"], true);
    let mut wrong: Command = device.command(&["--json", "daemon", "unlock"]);
    let wrong = Ended::from(wrong.env("WARREN_PASSPHRASE", "swordfish").output().unwrap());
    assert_eq!(wrong.with_code(5).error_code(), "wrong_passphrase");
    device.run(&["daemon", "unlock"]).with_code(0);
    unasked(&device, &["account", "list"]).with_code(0);
}

#[test]
fn the_log_holds_neither_content_nor_people_nor_keys() {
    let place = Place::new();
    let network = place.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let daemon = Daemon::start(&alice, &["--listen", "127.0.0.1:0"]);
    let (address, token) = (daemon.address(), daemon.token());
    let head = format!("GET /v1/accounts/{alice_id} HTTP/1.1\r\nHost: {address}\r\n");
    assert_eq!(raw(address, &format!("{head}Authorization: Bearer {token}")).0, 200);
    let sent = alice.command(&["send", &bob_id]).stdin(Stdio::piped()).spawn();
    let mut sent = sent.unwrap();
    sent.stdin.take().unwrap().write_all(b"a secret between us").unwrap();
    assert_eq!(sent.wait().unwrap().code(), Some(0));
    bob.run(&["send", &alice_id, "another secret"]).with_code(0);
    eventually("it arrives", || alice.texts(&["--all"]).len() == 2);
    let shown = alice.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let words = shown["mnemonic"].as_str().unwrap().to_owned();
    let log = fs::read_to_string(&daemon.log).unwrap().to_lowercase();
    for secret in [
        "a secret between us",
        "another secret",
        &alice_id,
        &alice_id[2..],
        &bob_id,
        &bob_id[2..],
        &token,
        PASSPHRASE,
        &words,
    ] {
        assert!(!log.contains(&secret.to_lowercase()), "{secret} in {log}");
    }
}
