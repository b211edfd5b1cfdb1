//! What can be found in the memory of a daemon, searched as somebody would who may read all of it.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::Command;

use warren_account::{Mnemonic, Seed};
use warren_client::vault::{Subkey, Vault};

use crate::daemon::{Daemon, eventually, unasked};
use crate::device::{Device, PASSPHRASE};
use crate::network::Place;

/// What a search looks for.
struct Needle {
    what: &'static str,
    bytes: Vec<u8>,
}

fn needle(what: &'static str, bytes: &[u8]) -> Needle {
    Needle { what, bytes: bytes.to_vec() }
}

/// Where the needles stand in the writable memory of a process: which, in which region, at which
/// address. `None` where the memory cannot be read, as by whoever is not root.
fn found(daemon: &Daemon, needles: &[Needle]) -> Option<Vec<(&'static str, String)>> {
    let process = format!("/proc/{}", daemon.child.id());
    let maps = fs::read_to_string(format!("{process}/maps")).ok()?;
    let memory = File::open(format!("{process}/mem")).ok()?;
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_whitespace().next()?.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let mut bytes = vec![0; usize::try_from(number(to) - number(from)).unwrap()];
        if memory.read_exact_at(&mut bytes, number(from)).is_err() {
            continue;
        }
        let region = line.split_whitespace().nth(5).unwrap_or("anonymous");
        for Needle { what, bytes: needle } in needles {
            let hits = bytes.windows(needle.len()).enumerate();
            let hits = hits.filter(|(_, window)| window == needle);
            all.extend(hits.map(|(at, _)| (*what, format!("{region} {from} + {at:#x}"))));
        }
    }
    Some(all)
}

fn holds(found: &[(&'static str, String)], what: &str) -> bool {
    found.iter().any(|(name, _)| *name == what)
}

/// Fails where a needle stays. Tasks that were under way when the daemon was locked end within moments.
fn assert_gone(daemon: &Daemon, needles: &[Needle]) {
    let mut left = Vec::new();
    let is_gone = || {
        left = found(daemon, needles).unwrap();
        left.is_empty()
    };
    let gone = std::panic::catch_unwind(AssertUnwindSafe(|| eventually("all is gone", is_gone)));
    assert!(gone.is_ok(), "{left:?}");
}

/// The keys and the code of a device, and the seed of an account on it.
fn keys(device: &Device, seed: &Seed) -> Vec<Needle> {
    let vault = Vault::unlock(&device.folder().join("device"), PASSPHRASE).unwrap();
    let Seed::Short(seed) = seed else { panic!("thirteen words") };
    vec![
        needle("seed", seed.expose()),
        needle("seed in digits", hex::encode(seed.expose()).as_bytes()),
        needle("code", PASSPHRASE.as_bytes()),
        needle("key of the index", vault.subkey(Subkey::Index).unwrap().expose()),
        needle("key of profiles", vault.subkey(Subkey::BrowserProfiles).unwrap().expose()),
    ]
}

#[test]
fn no_copy_of_a_key_is_left_in_the_memory_of_a_daemon_that_is_locked() {
    let device = Device::new();
    let made = device.run(&["--json", "account", "create"]).with_code(0).json();
    let seed = Mnemonic::parse(made["mnemonic"].as_str().unwrap()).unwrap();
    let needles = keys(&device, &seed);
    // With its code in the environment, which lies in a process's memory as well.
    let daemon = Daemon::start(&device, &[]);
    for _ in 0..2 {
        device.run(&["unlock"]).with_code(0);
        // The recovery words go through the API, and with them the seed.
        unasked(&device, &["account", "show", "--mnemonic"]).with_code(0);
        let Some(open) = found(&daemon, &needles) else { return };
        assert!(holds(&open, "seed"), "the search finds what is there: {open:?}");
        device.run(&["lock"]).with_code(0);
        assert_gone(&daemon, &needles);
    }
}

#[test]
fn nothing_that_was_said_is_left_in_the_memory_of_a_daemon_that_is_locked() {
    const SAID: &str = "the planted words of a letter";
    const FILE: &[u8] = b"the planted bytes of a file, which are longer than a line";
    let place = Place::new();
    let network = place.up();
    let (alice, _) = Device::with_account(network.seed(), "alice");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    let path = alice.folder().join("plan.txt");
    fs::write(&path, FILE).unwrap();
    alice.run(&["send", &bob_id, SAID, "--file", path.to_str().unwrap()]).with_code(0);
    let daemon = Daemon::start(&bob, &[]);
    let needles = [needle("words", SAID.as_bytes()), needle("file", FILE)];
    let read = || unasked(&bob, &["read", "--all"]).with_code(0).stdout;
    eventually("the letter arrives", || read().contains(SAID));
    let Some(open) = found(&daemon, &needles) else { return };
    assert!(holds(&open, "words"), "the search finds what is there: {open:?}");
    bob.run(&["lock"]).with_code(0);
    assert_gone(&daemon, &needles);
}

#[test]
fn a_daemon_dumps_no_core_and_hands_its_memory_to_nobody_of_its_user() {
    let device = Device::new();
    device.run(&["account", "create"]).with_code(0);
    if !given_away(&device) {
        return;
    }
    let mut command = device.command(&["--json", "daemon", "run"]);
    as_its_owner(&mut command, &device);
    let daemon = Daemon::spawn(&device, command);
    let process = format!("/proc/{}", daemon.child.id());
    let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let values: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(values, ["0", "0"], "{core}");
    // The kernel gives root what belongs to a process that is not to be dumped.
    assert_eq!(fs::metadata(format!("{process}/mem")).unwrap().uid(), 0);
}

/// Has the device belong to somebody who is not root; whether the program can run so.
fn given_away(device: &Device) -> bool {
    const NOBODY: u32 = 65_534;
    fn give(path: &Path) {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| give(&entry.unwrap().path()));
        }
    }
    if fs::metadata(device.folder()).unwrap().uid() != 0 {
        return true;
    }
    give(device.folder());
    let mut version = device.command(&["--version"]);
    as_its_owner(&mut version, device);
    // The folder in which it was built may be closed to others.
    version.output().is_ok_and(|ended| ended.status.success())
}

fn as_its_owner(command: &mut Command, device: &Device) {
    let owner = fs::metadata(device.folder()).unwrap();
    command.uid(owner.uid()).gid(owner.gid());
}
