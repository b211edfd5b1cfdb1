//! A home full of things that must not be found, and the program run on a copy of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use warren_e2e::disk::Disk;
use warren_e2e::programs::program;

use crate::cuts::{Cut, Way};

/// The code of the home.
pub(crate) const REAL: &str = "a code that opens what is real";
/// The code that destroys.
pub(crate) const DURESS: &str = "2580";
const WRONG: &str = "no code at all";
const NOBODY: &str = "http://127.0.0.1:1#\
    0000000000000000000000000000000000000000000000000000000000000001";
/// How many accounts are planted, and contacts and messages in each.
const ACCOUNTS: usize = 3;
const PLANTED: usize = 3;
/// How long one run of the program may take, traced or not.
const LONGEST_RUN: &str = "60";
/// How long a home may refuse codes: an unlock that was killed counts as a wrong code, and after the
/// three that a cut and the two after it can kill, the next waits five seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A program that is ended where it does not end by itself.
fn bounded() -> Command {
    let mut timeout = Command::new("timeout");
    timeout.args(["--kill-after=5", LONGEST_RUN]);
    timeout
}

fn ended(command: &mut Command) -> Ended {
    /// What `timeout` ends with where it had to step in.
    const TOO_LONG: i32 = 124;
    let ended = Ended::from(command.output().unwrap());
    assert_ne!(ended.code, Some(TOO_LONG), "{command:?} did not end: {ended:?}");
    ended
}

/// A home that is copied for every cut.
pub(crate) struct Template {
    home: Home,
    /// The accounts' names.
    pub(crate) names: Vec<String>,
    /// Texts and names that were planted.
    pub(crate) texts: Vec<String>,
    /// The accounts' recovery words.
    pub(crate) words: Vec<String>,
}

impl Template {
    pub(crate) fn make(scratch: &Path) -> Self {
        let home = Home(scratch.join("template"));
        let (mut names, mut texts, mut words) = (Vec::new(), Vec::new(), Vec::new());
        for account in 0..ACCOUNTS {
            let name = format!("planted-account-{account}");
            let made = home.run(REAL, &["--json", "account", "create", "--name", &name]);
            let made: Value = serde_json::from_str(&made.stdout).expect("an account");
            words.push(made["mnemonic"].as_str().unwrap().to_owned());
            for number in 0..PLANTED {
                let id = format!("05{:064x}", 4096 + account * PLANTED + number);
                let contact = format!("planted contact {account} {number}");
                let of = ["--account", &name];
                let add = ["contacts", "add", &id, "--name", &contact];
                assert_eq!(home.run(REAL, &[&of[..], &add].concat()).code, Some(0));
                let text = format!("the planted words of message {account} {number}");
                let send = ["--seed", NOBODY, "send", &id, &text];
                home.run(REAL, &[&of[..], &send].concat());
                texts.extend([contact, text]);
            }
            names.push(name);
        }
        let sent = home.run(REAL, &["--json", "--account", &names[0], "read", "--all"]);
        assert!(sent.stdout.contains(&texts[1]), "messages were planted: {sent:?}");
        let mut duress = home.command(REAL, &["lock", "duress", "set", "--pin"]);
        let set = ended(duress.env("WARREN_NEW_CODE", DURESS));
        assert_eq!(set.code, Some(0), "{set:?}");
        texts.extend(names.clone());
        Self { home, names, texts, words }
    }

    pub(crate) fn slots(&self) -> Vec<u8> {
        self.home.slots()
    }

    pub(crate) fn tripwire(&self) -> Vec<u8> {
        fs::read(self.home.0.join("tripwire")).unwrap()
    }

    /// Puts a copy of the home onto a disk, durably.
    pub(crate) fn put_on(&self, disk: &Disk) -> Home {
        let home = self.copy(disk.folder().join("home"));
        disk.sync();
        home
    }

    /// Copies the home.
    pub(crate) fn copy(&self, to: PathBuf) -> Home {
        let copied = Command::new("cp").arg("-a").arg(&self.home.0).arg(&to).status();
        assert!(copied.unwrap().success());
        Home(to)
    }
}

/// A home directory.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn slots(&self) -> Vec<u8> {
        fs::read(self.0.join("slots")).unwrap_or_default()
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub(crate) fn databases(&self) -> usize {
        let data = fs::read_dir(self.0.join("data")).unwrap();
        data.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "db"))
            .count()
    }

    fn command(&self, code: &str, arguments: &[&str]) -> Command {
        let mut command = bounded();
        command.arg(program("warren"));
        self.prepared(command, code, arguments)
    }

    fn prepared(&self, mut command: Command, code: &str, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .env("WARREN_HOME", &self.0)
            .env("WARREN_PASSPHRASE", code)
            .env("WARREN_GUESS_COST", "least")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program, and waits where wrong codes and cuts before it make it wait.
    pub(crate) fn run(&self, code: &str, arguments: &[&str]) -> Ended {
        let began = Instant::now();
        loop {
            let ended = ended(&mut self.command(code, arguments));
            if !ended.stderr.contains("too_soon") && !ended.stderr.contains("too many wrong codes")
            {
                return ended;
            }
            assert!(began.elapsed() < LONGEST_WAIT, "codes are still refused: {ended:?}");
            std::thread::park_timeout(Duration::from_millis(500));
        }
    }

    /// What the way does, under strace with these options.
    pub(crate) fn under_strace(&self, way: Way, options: &[&str]) -> Ended {
        let (code, arguments): (_, &[&str]) = match way {
            Way::Wipe => (REAL, &["wipe", "--confirm", "wipe"]),
            Way::Duress => (DURESS, &["account", "list"]),
            Way::WrongCode => {
                let after = self.run(REAL, &["lock", "wipe-after", "1"]);
                assert!(after.code.is_some());
                (WRONG, &["account", "list"])
            }
        };
        let mut strace = bounded();
        strace.args(["strace", "-f", "-qq"]).args(options).arg(program("warren"));
        ended(&mut self.prepared(strace, code, arguments))
    }

    pub(crate) fn cut(&self, cut: &Cut) {
        let kill = format!("inject={}:signal=SIGKILL:when={}", cut.call, cut.at);
        self.under_strace(cut.way, &["-o", "/dev/null", "-e", &kill]);
    }

    /// How often the busiest thread of an undisturbed run makes each system call.
    pub(crate) fn calls(&self, way: Way, log: &Path) -> BTreeMap<String, usize> {
        let to = log.to_str().unwrap();
        self.under_strace(way, &["-o", to]);
        let mut of_threads: BTreeMap<(String, String), usize> = BTreeMap::new();
        for line in fs::read_to_string(log).unwrap().lines() {
            let Some((thread, rest)) = line.split_once(' ') else { continue };
            let Some((call, _)) = rest.trim_start().split_once('(') else { continue };
            if call.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                *of_threads.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
            }
        }
        let mut busiest = BTreeMap::new();
        for ((call, _), count) in of_threads {
            let most: &mut usize = busiest.entry(call).or_default();
            *most = count.max(*most);
        }
        busiest
    }
}
