//! A border: what is backed up, tried and wiped comes back on the other side, and nothing is wiped that
//! would not.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;
use warren_e2e::Place;

use crate::daemon::{Daemon, unasked};
use crate::device::{Device, Ended, signal};
use crate::network;

/// What must be found on no wiped disk.
const CANARY: &str = "the archive is under the third stone";

fn left(device: &Device) -> usize {
    fs::read_dir(device.folder().join("device")).map_or(0, Iterator::count)
}

/// Whether a text lies in any file of a folder.
fn holds(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, text);
        }
        // A socket cannot be read.
        let found = |bytes: Vec<u8>| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        fs::read(&path).is_ok_and(found)
    })
}

/// A device with an account, a contact and a backup in a folder beside the home; its words and the place.
fn prepared() -> (Device, String, String) {
    let device = Device::new();
    let made = device.run(&["--json", "account", "create", "--name", "alice"]).with_code(0).json();
    let friend = Device::new().run(&["--json", "account", "create"]).with_code(0).json();
    let friend = friend["account_id"].as_str().unwrap();
    device.run(&["contacts", "add", friend, "--name", "bob"]).with_code(0);
    let place = device.folder().join("place");
    fs::create_dir(&place).unwrap();
    let place = place.to_str().unwrap().to_owned();
    device.run(&["backup", "init", "--folder", &place]).with_code(0);
    (device, made["mnemonic"].as_str().unwrap().to_owned(), place)
}

const SURE: [&str; 4] = ["--json", "border", "--words-known", "--yes"];

/// Still there, with all it had.
#[track_caller]
fn is_untouched(device: &Device) {
    let contacts = device.run(&["--json", "contacts"]).with_code(0);
    assert!(contacts.stdout.contains("bob"), "{contacts:?}");
    assert!(!device.folder().join("device/backup/trial").exists());
}

/// The story over a place at a server: two accounts, mail and a file; wiped; back on another machine.
fn crosses(place: &Place) {
    let nodes = network::Place::new();
    let network = nodes.up();
    let (alice, alice_id) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    alice.run(&["account", "create", "--name", "pseudonym"]).with_code(0);
    let as_alice = |arguments: &[&str]| alice.run(&[&["--account", "alice"], arguments].concat());
    as_alice(&["contacts", "add", &bob_id, "--name", "bob"]).with_code(0);
    bob.run(&["send", &alice_id, CANARY]).with_code(0);
    let file = alice.folder().join("plan.txt");
    fs::write(&file, "a plan of the archive").unwrap();
    as_alice(&["send", "bob", "--file", file.to_str().unwrap(), "look"]).with_code(0);
    fs::remove_file(&file).unwrap();
    as_alice(&["read"]).with_code(0);
    let shown = as_alice(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
    let words = shown["mnemonic"].as_str().unwrap().to_owned();
    let described = alice.folder().join("place.json");
    fs::write(&described, place.described.to_string()).unwrap();
    let init = ["backup", "init", "--place", described.to_str().unwrap()];
    as_alice(&init).with_code(0);
    fs::remove_file(&described).unwrap();

    let crossed = alice.run(&SURE).with_code(0).json();
    let told = crossed.to_string();
    for secret in ["swordfish", "a secret", &words] {
        assert!(!told.contains(secret), "{told}");
    }
    let (report, wiped) = (&crossed["report"], &crossed["wiped"]);
    assert_eq!((&wiped["keys"], &wiped["data"]), (&true.into(), &true.into()));
    let account = &report["accounts"][0];
    assert_eq!((&account["name"], &account["messages"]), (&"alice".into(), &2.into()), "{report}");
    assert_eq!((&account["files"], &account["file_bytes"]), (&1.into(), &21.into()), "{report}");
    assert_eq!(report["accounts"][1]["name"], "pseudonym");
    assert_eq!(left(&alice), 0);
    for text in [CANARY, words.as_str(), &alice_id, "a plan of the archive"] {
        assert!(!holds(alice.folder(), text), "{text}");
    }
    bob.run(&["send", &alice_id, "sent while you were away"]).with_code(0);

    // What the report says to type and to carry is enough.
    let other = Device::on(network.seed());
    let mut carried: Value = place_file(report);
    for field in report["places"][0]["carry"].as_array().unwrap() {
        let field = field.as_str().unwrap();
        assert_eq!(carried[field], "...");
        carried[field] = place.described[field].clone();
    }
    fs::write(other.folder().join("place.json"), carried.to_string()).unwrap();
    let typed = report["places"][0]["command"].as_str().unwrap();
    let typed: Vec<&str> = typed.split(' ').skip(1).collect();
    let mut restore = other.command(&typed);
    restore.current_dir(other.folder()).stdin(Stdio::piped());
    let mut child = restore.spawn().unwrap();
    child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
    Ended::from(child.wait_with_output().unwrap()).with_code(0);
    let as_alice = |arguments: &[&str]| other.run(&[&["--account", "alice"], arguments].concat());
    as_alice(&["read"]).with_code(0);
    let all = as_alice(&["--json", "read", "--all"]).with_code(0).json_lines();
    let texts: Vec<&str> = all.iter().filter_map(|one| one["text"].as_str()).collect();
    assert_eq!(texts, [CANARY, "look", "sent while you were away"]);
    let accounts = other.run(&["--json", "account", "list"]).with_code(0);
    assert!(accounts.stdout.contains("pseudonym"), "{accounts:?}");
    let number = all[1]["message_id"].to_string();
    let out = other.folder().join("out");
    fs::create_dir(&out).unwrap();
    as_alice(&["files", "get", &number, "--out", out.to_str().unwrap()]).with_code(0);
    assert!(holds(&out, "a plan of the archive"));
}

fn place_file(report: &Value) -> Value {
    serde_json::from_str(report["places"][0]["place_file"].as_str().unwrap()).unwrap()
}

#[test]
fn who_crosses_with_a_backup_on_webdav_loses_nothing_and_carries_nothing() {
    let Some(place) = Place::webdav() else { return };
    crosses(&place);
}

#[test]
fn who_crosses_with_a_backup_on_s3_loses_nothing_and_carries_nothing() {
    let Some(place) = Place::s3() else { return };
    crosses(&place);
}

#[test]
fn a_damaged_place_wipes_nothing() {
    let (device, words, place) = prepared();
    device.run(&["backup", "run"]).with_code(0);
    let folder = fs::read_dir(&place).unwrap().next().unwrap().unwrap().path();
    for entry in fs::read_dir(folder.join("0")).unwrap() {
        let pack = fs::read_dir(entry.unwrap().path()).unwrap().next().unwrap().unwrap().path();
        let mut bytes = fs::read(&pack).unwrap();
        bytes[100] ^= 1;
        fs::write(pack, bytes).unwrap();
    }
    assert_eq!(device.run(&SURE).with_code(1).error_code(), "backup_damaged");
    is_untouched(&device);
    fs::rename(&place, device.folder().join("unplugged")).unwrap();
    assert_eq!(device.run(&SURE).with_code(1).error_code(), "backup_target");
    is_untouched(&device);

    // A second place that is whole does not make up for one that is not, unless it is chosen.
    let whole = device.folder().join("whole");
    fs::create_dir(&whole).unwrap();
    let whole = whole.to_str().unwrap();
    device.run(&["backup", "init", "--backup", "second", "--folder", whole]).with_code(0);
    assert_eq!(device.run(&SURE).with_code(1).error_code(), "backup_target");
    is_untouched(&device);
    device.run(&[&SURE[..], &["--backup", "second"]].concat()).with_code(0);
    assert_eq!(left(&device), 0);
    let other = Device::new();
    let restore = ["backup", "restore", "--folder", whole];
    other.run_with_input(&restore, &words).with_code(0);
    is_untouched(&other);
}

#[test]
fn nothing_is_wiped_where_an_account_is_in_no_backup_or_nobody_can_be_asked() {
    let (device, _, _) = prepared();
    let code = |arguments: &[&str]| {
        let ended = device.run(&[&["--json", "border"], arguments].concat()).with_code(1);
        is_untouched(&device);
        ended.error_code()
    };
    assert_eq!(code(&[]), "not_confirmed");
    assert_eq!(code(&["--words-known"]), "not_confirmed");
    assert_eq!(code(&["--yes"]), "not_confirmed");
    assert_eq!(code(&["--words-known", "--yes", "--backup", "other"]), "backup_not_set_up");
    let within = device.folder().join("device");
    let within = within.to_str().unwrap();
    device.run(&["backup", "init", "--backup", "within", "--folder", within]).with_code(0);
    assert_eq!(code(&["--words-known", "--yes"]), "place_in_home");
    device.run(&["backup", "forget", "--backup", "within"]).with_code(0);

    let dry = device.run(&["--json", "border", "--dry-run"]).with_code(0).json();
    assert_eq!(
        (&dry["wiped"], &dry["report"]["accounts"][0]["contacts"]),
        (&Value::Null, &1.into())
    );
    is_untouched(&device);
    let text = device.run(&["border", "--dry-run"]).with_code(0).stdout;
    assert!(text.contains("warren backup restore --folder"), "{text}");

    let only = device.folder().join("only");
    fs::create_dir(&only).unwrap();
    device.run(&["backup", "forget"]).with_code(0);
    let init = ["backup", "init", "--only", "alice", "--folder", only.to_str().unwrap()];
    device.run(&init).with_code(0);
    device.run(&["account", "create", "--name", "other"]).with_code(0);
    let border = ["border", "--words-known", "--yes"];
    let uncovered = device.run(&[&["--json"], &border[..]].concat()).with_code(1);
    assert_eq!(uncovered.error_code(), "not_in_backup");
    assert!(uncovered.stderr.contains("other"), "{uncovered:?}");
    let without = [&["--json"], &border[..], &["--without", "other"]].concat();
    let crossed = device.run(&without).with_code(0).json();
    assert_eq!(crossed["report"]["lost"][0]["name"], "other");
    assert_eq!(left(&device), 0);
}

#[test]
fn beside_a_daemon_it_works_and_the_daemon_ends() {
    let (device, words, place) = prepared();
    let mut daemon = Daemon::start(&device, &[]);
    let crossed = unasked(&device, &SURE).with_code(0).json();
    assert_eq!(crossed["report"]["accounts"][0]["contacts"], 1);
    assert_eq!(daemon.child.wait().unwrap().code(), Some(0));
    assert_eq!(left(&device), 0);
    let other = Device::new();
    let restore = ["backup", "restore", "--folder", &place];
    other.run_with_input(&restore, &words).with_code(0);
    is_untouched(&other);
}

/// A person at a terminal, with `script` between; `None` where that is not installed.
struct Person {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Person {
    fn sits_at(device: &Device, arguments: &str) -> Option<Self> {
        if !Path::new("/usr/bin/script").exists() {
            eprintln!("NOT TESTED: `script` is not installed");
            return None;
        }
        let program = device.command(&[]);
        let typed = format!("exec '{}' {arguments}", program.get_program().to_str().unwrap());
        let mut command = Command::new("/usr/bin/script");
        command.args(["-qfec", &typed, "/dev/null"]).env_clear();
        let settings = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
        command.envs(settings).env("SHELL", "/bin/sh");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (keys, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { child, keys, screen, seen: String::new() })
    }

    /// Reads on until a text stands there; what stands before it.
    fn waits_for(&mut self, text: &str) -> String {
        let mut piece = [0; 4096];
        loop {
            if let Some((before, after)) = self.seen.split_once(text) {
                let (before, after) = (before.to_owned(), after.to_owned());
                self.seen = after;
                return before;
            }
            let count = self.screen.read(&mut piece).unwrap();
            assert!(count > 0, "no {text:?} in {:?}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    }

    fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types the words that are asked for.
    fn types_words(&mut self, phrase: &str) {
        self.waits_for("Words ");
        let numbers = self.waits_for(" of the recovery words of 'alice'");
        self.waits_for(": ");
        let phrase: Vec<&str> = phrase.split(' ').collect();
        let words = numbers.split(", ").map(|at| phrase[at.parse::<usize>().unwrap() - 1]);
        let words: Vec<&str> = words.collect();
        self.types(&format!("{}\n", words.join(" ")));
    }

    fn leaves(mut self) -> (Option<i32>, String) {
        drop(self.keys);
        self.screen.read_to_string(&mut self.seen).unwrap();
        (self.child.wait().unwrap().code(), self.seen)
    }
}

#[test]
fn a_no_a_ctrl_c_and_wrong_words_wipe_nothing_and_the_right_ones_do() {
    let (device, words, place) = prepared();
    let Some(mut person) = Person::sits_at(&device, "border") else { return };
    person.types_words(&words);
    person.waits_for("to do it: ");
    person.types("no\n");
    let (code, seen) = person.leaves();
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains("nothing was wiped"), "{seen}");
    is_untouched(&device);

    let mut person = Person::sits_at(&device, "border").unwrap();
    person.types_words(&words);
    person.waits_for("to do it: ");
    person.types("\x03");
    let (code, seen) = person.leaves();
    assert_eq!(code, Some(130), "{seen}");
    is_untouched(&device);

    let mut person = Person::sits_at(&device, "border --yes").unwrap();
    for _ in 0..3 {
        person.waits_for("of the recovery words of 'alice': ");
        person.types("abbey abbey abbey\n");
    }
    let (code, seen) = person.leaves();
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains("nothing was wiped"), "{seen}");
    is_untouched(&device);

    let mut person = Person::sits_at(&device, "border").unwrap();
    let report = person.waits_for("On the other side");
    assert!(report.contains("alice  0 conversations, 0 messages, 1 contact"), "{report}");
    person.types_words(&words);
    person.waits_for("to do it: ");
    person.types("wipe\n");
    let (code, seen) = person.leaves();
    assert_eq!(code, Some(0), "{seen}");
    assert_eq!(left(&device), 0);
    let other = Device::new();
    other.run_with_input(&["backup", "restore", "--folder", &place], &words).with_code(0);
    is_untouched(&other);
}

#[test]
fn an_interrupt_while_it_is_backed_up_and_tried_wipes_nothing() {
    let (device, _, _) = prepared();
    for (name, daemon) in [("alone", false), ("beside", true)] {
        // A place that never answers.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let place = serde_json::json!({ "type": "webdav", "endpoint": endpoint }).to_string();
        let init = ["backup", "init", "--backup", name, "--place", "-"];
        device.run_with_input(&init, &place).with_code(0);
        let _daemon = daemon.then(|| Daemon::start(&device, &[]));
        let child = device.command(&[&SURE[..], &["--backup", name]].concat()).spawn().unwrap();
        let _asked = listener.accept().unwrap();
        signal(&child, "INT");
        let ended = Ended::from(child.wait_with_output().unwrap()).with_code(130);
        assert_eq!(ended.error_code(), "interrupted");
        is_untouched(&device);
    }
}
