//! What was acknowledged to a process that is then killed is there when the store is opened.

#![expect(clippy::unwrap_used, reason = "what a test needs must succeed")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use warren_store::{EmbeddedStore, MailStore, Options, Query};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

const NOW: Millis = 1_700_000_000_000;
const FOLDER: &str = "WARREN_STORE_TEST_FOLDER";
const FIRST: &str = "WARREN_STORE_TEST_FIRST";

fn open(folder: &Path) -> EmbeddedStore {
    EmbeddedStore::open(folder, Options { reserve: 0 }).unwrap()
}

fn message(n: u32) -> MessageRecord {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&n.to_be_bytes());
    MessageRecord {
        owner: AccountId::from_bytes(&[5; 33]).unwrap(),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes(hash),
        timestamp: NOW,
        expiry: NOW + 1_000_000,
        data: n.to_be_bytes().repeat(300),
        stored: Stamp::at(NOW),
        proof: None,
    }
}

/// Not a test of its own: what the killed process does. Without the variables it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_stores_until_it_is_killed() {
    let (Some(folder), Ok(first)) = (std::env::var_os(FOLDER), std::env::var(FIRST)) else {
        return;
    };
    let store = Arc::new(open(Path::new(&folder)));
    let next = Arc::new(AtomicU32::new(first.parse().unwrap()));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (store, next) = (Arc::clone(&store), Arc::clone(&next));
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                store.store(message(n), NOW).await.unwrap();
                let line = format!("acknowledged {n}\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
            }
        });
    }
    tasks.join_all().await;
}

/// Starts the child, kills it after so many acknowledgements, and returns all it gave.
fn run_and_kill(folder: &Path, first: u32, after: usize) -> Vec<u32> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_stores_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        // The harness may have begun the line.
        if let Some((_, number)) = line.split_once("acknowledged ") {
            acknowledged.push(number.parse().unwrap());
            if acknowledged.len() == after {
                child.kill().unwrap();
            }
        }
    }
    assert!(!child.wait().unwrap().success());
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for (round, after) in (0..).zip([1, 30, 200, 700]) {
        let before = acknowledged.len();
        acknowledged.extend(run_and_kill(folder.path(), round * 100_000, after));
        assert!(acknowledged.len() >= before + after);

        let store = open(folder.path());
        let namespace = Namespace::DIRECT;
        let owner = message(0).owner;
        let query = Query {
            owner,
            namespace,
            after: None,
            max_count: None,
            max_size: usize::MAX,
            newest_first: false,
        };
        let page = store.retrieve(query, NOW).await.unwrap();
        assert_eq!(store.counts().await.unwrap().messages, page.messages.len() as u64);
        for n in &acknowledged {
            let expected = message(*n);
            let found = page.messages.iter().filter(|found| found.hash == expected.hash);
            let data: Vec<_> = found.map(|found| &found.data).collect();
            assert_eq!(data, [&expected.data], "message {n} is there once");
        }
    }
}
