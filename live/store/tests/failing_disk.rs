//! A disk that takes no writes for a while: stores are refused, reads go on, and the engine goes
//! on by itself once it takes writes again.
//!
//! The disk is played by the limit on the size of files, whose signal a shell ignores for the
//! process that runs under it; so the test starts itself again under a shell.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "what a test needs must succeed")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use warren_store::{EmbeddedStore, MailStore, Options, Query, StoreError};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

const NOW: Millis = 1_700_000_000_000;
const FOLDER: &str = "WARREN_STORE_TEST_FAILING";

fn message(n: u8) -> MessageRecord {
    MessageRecord {
        owner: AccountId::from_bytes(&[5; 33]).unwrap(),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes([n; 32]),
        timestamp: NOW,
        expiry: NOW + 1_000,
        stored: Stamp::at(NOW),
        data: vec![n; 9_000],
        proof: None,
    }
}

async fn found(store: &EmbeddedStore) -> Vec<MessageHash> {
    let query = Query {
        owner: message(1).owner,
        namespace: Namespace::DIRECT,
        after: None,
        max_count: None,
        max_size: usize::MAX,
        newest_first: false,
    };
    let page = store.retrieve(query, NOW).await.unwrap();
    page.messages.into_iter().map(|message| message.hash).collect()
}

/// No file may grow beyond so many bytes.
fn limit(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

/// Not a test of its own: what the process under the shell does. Without the variable it does
/// nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_meets_a_failing_disk() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = EmbeddedStore::open(Path::new(&folder), Options { reserve: 0 }).unwrap();
    let [first, second, third] = [1, 2, 3].map(|n| message(n).hash);
    store.store(message(1), NOW).await.unwrap();
    limit(Some(4_096));
    for _ in 0..3 {
        let refused = store.store(message(2), NOW).await;
        assert!(matches!(refused, Err(StoreError::Engine(_))), "{refused:?}");
        assert_eq!(found(&store).await, [first]);
    }
    limit(None);
    let begun = Instant::now();
    while let Err(error) = store.store(message(3), NOW).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(found(&store).await.contains(&third));
    store.store(message(2), NOW).await.unwrap();
    store.close().await;
    let store = EmbeddedStore::open(Path::new(&folder), Options { reserve: 0 }).unwrap();
    let mut all = found(&store).await;
    all.sort_unstable();
    assert_eq!(all, [first, second, third]);
    assert_eq!(store.counts().await.unwrap().messages, 3);
}

#[test]
fn the_engine_goes_on_by_itself_after_the_disk_failed() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" --exact child_meets_a_failing_disk --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}{errors}");
}
