//! Friends' orders and the dead man's switch, as they meet the real program: its daemon, locked or not,
//! and its commands without one.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;
use warren_account::Account;
use warren_client::Messenger;
use warren_client::database::{Purpose, SealedCopy, Task};
use warren_client::tripwire::{TripwireFile, inbox_id};
use warren_client::vault::Cost;
use warren_crypto::SystemEntropy;
use warren_lock::Moment;
use warren_lock::tripwire::order::Action;
use warren_lock::tripwire::{FriendShare, Heard, Order, Verifier};
use warren_message::content::tripwire::{CarriedOrder, TripwireMessage};
use warren_message::{Content, Kind, seal_direct};
use warren_wire::limits::MESSAGE_TTL;
use warren_wire::{AccountId, Millis, Namespace};

use crate::daemon::{Daemon, eventually, unasked};
use crate::device::Device;
use crate::network::Place;

const HOUR: Millis = 60 * 60 * 1_000;
/// Bytes of a piece of a file that must be gone.
const PIECE: usize = 16;

fn home(device: &Device) -> PathBuf {
    device.folder().join("device")
}

fn tripwire(device: &Device) -> TripwireFile {
    TripwireFile::of(&home(device)).unwrap()
}

fn inbox(device: &Device) -> AccountId {
    inbox_id(&tripwire(device).read().unwrap()).unwrap()
}

fn entries(device: &Device) -> Vec<String> {
    let entries = fs::read_dir(home(device)).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A daemon that nobody gave a code.
fn start_locked(device: &Device) -> Daemon {
    let mut command = device.command(&["--json", "daemon", "run", "--locked"]);
    command.env_remove("WARREN_PASSPHRASE");
    Daemon::spawn(device, command)
}

/// Puts a set into the tripwire, of whose friends any `threshold` wipe.
fn arm(device: &Device, threshold: u8, count: u8) -> Vec<FriendShare> {
    let (verifier, shares) = Verifier::draw(threshold, count, &mut SystemEntropy).unwrap();
    let armed = tripwire(device).change(|tripwire| tripwire.arm(5, &verifier, &mut SystemEntropy));
    armed.unwrap();
    shares
}

/// Somebody who sends what friends' apps send.
struct Friend {
    messenger: Messenger,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Friend {
    fn on(seed: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("friend");
        let mut device = warren_client::Device::create(&home, "friend", Cost::LEAST).unwrap();
        device.use_seed(&seed.parse().unwrap()).unwrap();
        device.create_account("friend", None).unwrap();
        let messenger = device.messenger(None).unwrap();
        Self { messenger, runtime: Runtime::new().unwrap(), _folder: folder }
    }

    fn order(&self, to: AccountId, share: &FriendShare, action: Action) {
        let entropy = &mut SystemEntropy;
        let order = TripwireMessage::Order(CarriedOrder(Order::of(share, action)));
        let content = Content::from(Kind::Tripwire(order));
        let (thrown_away, now) = (Account::random(entropy).unwrap(), self.messenger.now());
        let data = seal_direct(&thrown_away, &to, &content, now, now, entropy).unwrap();
        let copy = SealedCopy {
            purpose: Purpose::Recipient,
            target: to,
            namespace: Namespace::DIRECT,
            data,
            timestamp: now,
            ttl: MESSAGE_TTL,
        };
        let task = Task::Store { message: None, copy };
        self.messenger.db().with(|db| db.add_job(&task, &[], now)).unwrap();
        self.runtime.block_on(self.messenger.deliver_all()).unwrap();
    }
}

/// What must not be found in a home once it is wiped.
struct Canaries(Vec<Vec<u8>>);

impl Canaries {
    /// Plants names and words, and takes pieces of the slots and of the tripwire.
    fn plant(device: &Device) -> Self {
        let peer = format!("05{:064x}", 4242);
        let contact = ["contacts", "add", &peer, "--name", "Canary Contact"];
        device.run(&contact).with_code(0);
        device.run(&["send", &peer, "the canary sings"]).with_code(0);
        let words = device.run(&["--json", "account", "show", "--mnemonic"]).with_code(0).json();
        let words = words["mnemonic"].as_str().unwrap().to_owned();
        let mut found: Vec<Vec<u8>> =
            ["canary-account", "Canary Contact", "the canary sings", &words]
                .map(|text| text.as_bytes().to_vec())
                .into();
        let pieces = |name: &str, from: usize, to: usize| {
            let bytes = fs::read(home(device).join(name)).unwrap();
            bytes[from..to].chunks(PIECE).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        found.extend(pieces("slots", 1024, 3584));
        found.extend(pieces("tripwire", 16, 48));
        found.extend(pieces("tripwire", 1152, 7552));
        Self(found)
    }

    /// How many are in the files of a folder.
    fn under(&self, folder: &Path) -> usize {
        let mut count = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                count += self.under(&path);
            } else if let Ok(bytes) = fs::read(&path) {
                let is_in =
                    |canary: &&Vec<u8>| bytes.windows(canary.len()).any(|at| at == **canary);
                count += self.0.iter().filter(is_in).count();
            }
        }
        count
    }
}

fn is_wiped(device: &Device) -> bool {
    !home(device).join("slots").exists() && home(device).join("tripwire").exists()
}

#[test]
fn a_locked_home_is_wiped_by_its_friends_and_its_daemon_goes_on_as_that_of_a_fresh_install() {
    let place = Place::new();
    let network = place.up();
    let (device, _) = Device::with_account(network.seed(), "canary-account");
    let shares = arm(&device, 2, 3);
    let canaries = Canaries::plant(&device);
    assert!(canaries.under(&home(&device)) > 100, "they are found where they are");
    let friend = Friend::on(network.seed());
    let daemon = start_locked(&device);
    let was = inbox(&device);
    friend.order(was, &shares[1], Action::Test);
    friend.order(was, &shares[1], Action::Wipe);
    let one_more_is_enough = || {
        let mut read = tripwire(&device).read().unwrap();
        read.hear(&Order::of(&shares[2], Action::Wipe)) == Heard::Wipe
    };
    eventually("the share is kept", one_more_is_enough);
    assert!(home(&device).join("slots").exists(), "one of two is not enough");

    friend.order(was, &shares[2], Action::Wipe);
    eventually("it is wiped", || is_wiped(&device));
    eventually("it answers", || unasked(&device, &["daemon", "status"]).code == Some(0));
    assert_eq!(canaries.under(device.folder()), 0);
    assert!(inbox(&device) != was);

    let fresh = Device::on(network.seed());
    let other = start_locked(&fresh);
    assert_eq!(entries(&device), entries(&fresh));
    for command in [
        &["account", "list"][..],
        &["unlock"],
        &["lock"],
        &["lock", "show"],
        &["read"],
        &["--json", "account", "list"],
    ] {
        let [one, other] = [&device, &fresh].map(|device| {
            let ended = device.run(command);
            (ended.code, ended.stdout, ended.stderr)
        });
        assert_eq!(one, other, "{command:?}");
    }
    drop(other);

    // The order once more does nothing to whoever begins anew.
    device.run(&["account", "create", "--name", "anew"]).with_code(0);
    device.run(&["unlock"]).with_code(0);
    assert!(unasked(&device, &["account", "list"]).with_code(0).stdout.contains("anew"));
    for share in &shares {
        friend.order(was, share, Action::Wipe);
        friend.order(inbox(&device), share, Action::Wipe);
    }
    let share = arm(&device, 1, 1).remove(0);
    friend.order(inbox(&device), &share, Action::Wipe);
    eventually("it is wiped again by its own", || is_wiped(&device));
    drop(daemon);
}

#[test]
fn an_order_also_wipes_what_is_open_and_what_has_no_daemon() {
    let place = Place::new();
    let network = place.up();
    let friend = Friend::on(network.seed());
    let (open, _) = Device::with_account(network.seed(), "canary-account");
    let share = arm(&open, 1, 1).remove(0);
    let canaries = Canaries::plant(&open);
    let daemon = Daemon::start(&open, &[]);
    friend.order(inbox(&open), &share, Action::Wipe);
    eventually("it is wiped", || is_wiped(&open));
    let listed = || unasked(&open, &["--json", "account", "list"]);
    eventually("it answers as one without a vault", || {
        let listed = listed();
        listed.code == Some(1) && listed.error_code() == "no_vault"
    });
    assert_eq!(canaries.under(open.folder()), 0);
    drop(daemon);

    let (alone, _) = Device::with_account(network.seed(), "canary-account");
    let share = arm(&alone, 1, 1).remove(0);
    alone.run(&["sync"]).with_code(0);
    friend.order(inbox(&alone), &share, Action::Test);
    alone.run(&["sync"]).with_code(0);
    friend.order(inbox(&alone), &share, Action::Wipe);
    let wiped = alone.run(&["--json", "sync"]).with_code(1);
    assert_eq!(wiped.error_code(), "no_vault");
    assert!(!home(&alone).join("slots").exists());
    assert_eq!(alone.run(&["--json", "account", "list"]).error_code(), "no_account");
}

#[test]
fn a_daemon_wipes_what_nobody_unlocked_for_its_term_once_the_network_says_so_too() {
    let place = Place::new();
    let network = place.up();
    let unlocked_long_ago = |device: &Device, network: &str| {
        let file = tripwire(device);
        let unlocked = file.change(|tripwire| {
            tripwire.set_term(2)?;
            tripwire.set_network(network)?;
            let now = warren_client::Clock::default().now();
            tripwire.note_unlocked(now - 3 * HOUR, Moment { boot: [7; 16], since: 0 });
            Ok(())
        });
        unlocked.unwrap();
    };
    let (reached, _) = Device::with_account(network.seed(), "canary-account");
    let (cut_off, _) = Device::with_account(network.seed(), "canary-account");
    unlocked_long_ago(&reached, network.seed());
    let nobody = format!("http://127.0.0.1:1#{:064x}", 1);
    unlocked_long_ago(&cut_off, &nobody);
    let daemons = [&reached, &cut_off].map(start_locked);
    eventually("it is wiped", || is_wiped(&reached));
    assert!(home(&cut_off).join("slots").exists(), "its clock alone may have been set");
    drop(daemons);
    cut_off.run(&["account", "list"]).with_code(0);
}

#[test]
fn friends_test_a_device_are_told_once_it_is_unlocked_and_wipe_it_while_it_is_locked() {
    let place = Place::new();
    let network = place.up();
    let (ann, ann_id) = Device::with_account(network.seed(), "ann");
    let (bob, bob_id) = Device::with_account(network.seed(), "bob");
    ann.run(&["contacts", "add", &bob_id, "--name", "Bob"]).with_code(0);
    bob.run(&["contacts", "add", &ann_id, "--name", "Ann"]).with_code(0);
    bob.run(&["send", "Ann", "hello"]).with_code(0);
    ann.run(&["sync"]).with_code(0);
    ann.run(&["friends", "trust", "Bob", "--threshold", "1", "--device", "desk"]).with_code(0);
    ann.run(&["sync"]).with_code(0);
    bob.run(&["sync"]).with_code(0);
    let daemon = start_locked(&ann);
    bob.run(&["friends", "test", "Ann"]).with_code(0);
    bob.run(&["sync"]).with_code(0);
    let heard = |device: &Device| {
        device.run(&["sync"]).with_code(0);
        let shown = device.run(&["--json", "friends", "list"]).with_code(0);
        shown.stdout.contains("heard_at\":1")
    };
    assert!(!heard(&bob), "nobody has unlocked it");
    ann.run(&["unlock"]).with_code(0);
    eventually("Bob is told", || heard(&bob));
    ann.run(&["lock"]).with_code(0);

    let announced = bob.run(&["--json", "friends", "wipe", "Ann"]).with_code(0).json();
    assert!(home(&ann).join("slots").exists(), "one step is none");
    let code = announced["code"].as_str().unwrap();
    bob.run(&["friends", "wipe", "Ann", "--confirm", code]).with_code(0);
    bob.run(&["sync"]).with_code(0);
    eventually("it is wiped", || is_wiped(&ann));
    drop(daemon);
}
