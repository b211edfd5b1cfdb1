//! Behaviours of the databases as a whole.

mod contacts;
mod conversations;
mod crash;
mod draft_files;
mod dump;
mod duplicates;
mod expiry;
mod index;
mod jobs;
mod many_processes;
mod network_state;
mod outbox;
mod pages;
mod pictures;
mod search;
mod secrecy;
mod signals;
mod tombstones;
mod tripwires;
mod unread;
mod upkeep;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use warren_crypto::x25519::PublicKey;
use warren_crypto::{Secret, SystemEntropy};
use warren_wire::{AccountId, MessageHash, Namespace};

use super::*;
use crate::vault::{Cost, Vault};

/// The passphrase of every vault here.
const PASSPHRASE: &str = "a passphrase for tests";

/// A home directory with one account in it.
struct Device {
    home: TempDir,
    vault: Vault,
    index: Index,
}

impl Device {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let vault =
            Vault::create(home.path(), PASSPHRASE, Cost::LEAST, &mut SystemEntropy).unwrap();
        let index = Index::open(&vault).unwrap();
        index.add_account(&person(0), "me", None, seed(0), 1, &mut SystemEntropy).unwrap();
        Self { home, vault, index }
    }

    fn keys(&self) -> AccountKeys {
        self.index.account(&person(0)).unwrap()
    }

    fn db(&self) -> AccountDb {
        AccountDb::open(&self.vault, &self.keys()).unwrap()
    }

    fn file(&self) -> PathBuf {
        self.vault.home().database_file(&self.keys().file)
    }
}

/// Opens the account of a home directory that another process made.
fn open_home(home: &Path) -> AccountDb {
    let vault = Vault::unlock(home, PASSPHRASE).unwrap();
    let keys = Index::open(&vault).unwrap().account(&person(0)).unwrap();
    AccountDb::open(&vault, &keys).unwrap()
}

fn person(number: u8) -> AccountId {
    AccountId::person(&PublicKey::from_bytes([number ^ 0xa5; 32]))
}

fn seed(number: u8) -> Secret<32> {
    Secret::take(&mut [number ^ 0x3c; 32])
}

fn hash(number: u8) -> MessageHash {
    MessageHash::from_bytes([number; 32])
}

fn fetched(number: u8, peer: u8, direction: Direction, timestamp: u64) -> Fetched {
    Fetched {
        hash: hash(number),
        fingerprint: [number; 32],
        conversation: person(peer),
        author: if direction == Direction::Outgoing { person(0) } else { person(peer) },
        direction,
        content: Content::Text(format!("message {number}")),
        details: Details::default(),
        sender_name: None,
        timestamp,
        received_at: timestamp + 1,
    }
}

fn copy(purpose: Purpose, peer: u8, data: &[u8]) -> SealedCopy {
    SealedCopy {
        purpose,
        target: if purpose == Purpose::Sync { person(0) } else { person(peer) },
        namespace: Namespace::DIRECT,
        data: data.to_vec(),
        timestamp: 10,
        ttl: 1_000,
    }
}

fn outgoing<'a>(
    peer: u8,
    content: &'a Content,
    timestamp: u64,
    copies: &'a [SealedCopy],
) -> NewOutgoing<'a> {
    const NOTHING: &Details = &Details {
        quote: None,
        preview: None,
        mentions_me: false,
        expiry: None,
        attachments: Vec::new(),
    };
    let conversation = person(peer);
    NewOutgoing { conversation, content, details: NOTHING, timestamp, now: timestamp, copies }
}

/// What person `sender` does at `sent_at` to the message of person `author` of a time, in the
/// conversation with the author.
fn signal(author: u8, sender: u8, timestamp: u64, sent_at: u64, change: Change) -> Signal {
    let (author, sender) = (person(author), person(sender));
    Signal { conversation: Some(author), author, timestamp, sender, sent_at, change }
}

/// Queues a message with a copy for the recipient and one for the own mailbox.
fn queue(db: &mut AccountDb, peer: u8, body: &str, timestamp: u64) -> MessageId {
    let copies = [copy(Purpose::Recipient, peer, b"sealed"), copy(Purpose::Sync, peer, b"own")];
    let content = Content::Text(body.to_owned());
    db.queue_message(&outgoing(peer, &content, timestamp, &copies)).unwrap()
}

/// Runs one ignored test of this crate in a process of its own, with the home directory told in
/// its environment.
fn child(test: &str, home: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", &format!("database::tests::{test}"), "--ignored", "--nocapture"])
        .env("WARREN_TEST_HOME", home);
    command
}

/// The home directory a child was told; `None` where nobody started it as a child.
fn told_home() -> Option<PathBuf> {
    std::env::var_os("WARREN_TEST_HOME").map(PathBuf::from)
}
