//! The embedded engine shows every behaviour an engine must show, also when it is opened again.

#![expect(clippy::unwrap_used, reason = "what a test needs must succeed")]

use std::path::Path;
use std::sync::Arc;

use warren_store::{EmbeddedStore, MailStore, Options, Query};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

const NOW: Millis = 1_700_000_000_000;

fn open(folder: &Path) -> Arc<dyn MailStore> {
    Arc::new(EmbeddedStore::open(folder, Options { reserve: 0 }).unwrap())
}

warren_store::conformance_tests!({
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    (folder, store)
});

warren_store::conformance_properties!(
    12,
    tempfile::tempdir().unwrap(),
    async |folder: &tempfile::TempDir| open(folder.path())
);

fn message(n: u32) -> MessageRecord {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&n.to_be_bytes());
    MessageRecord {
        owner: owner(),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes(hash),
        timestamp: NOW,
        expiry: NOW + 1_000_000,
        data: n.to_be_bytes().repeat(500),
        stored: Stamp::at(NOW),
        proof: None,
    }
}

fn owner() -> AccountId {
    AccountId::from_bytes(&[5; 33]).unwrap()
}

fn everything() -> Query {
    let namespace = Namespace::DIRECT;
    Query {
        owner: owner(),
        namespace,
        after: None,
        max_count: None,
        max_size: usize::MAX,
        newest_first: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_after_dropping_without_closing() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let store = open(folder.path());
        assert_eq!(store.counts().await.unwrap().messages, u64::from(round) * 100);
        let mut tasks = tokio::task::JoinSet::new();
        for n in round * 100..(round + 1) * 100 {
            let store = Arc::clone(&store);
            tasks.spawn(async move { store.store(message(n), NOW).await });
        }
        for outcome in tasks.join_all().await {
            assert!(!outcome.unwrap().already);
        }
    }
    let page = open(folder.path()).retrieve(everything(), NOW).await.unwrap();
    let mut hashes: Vec<_> = page.messages.iter().map(|message| message.hash).collect();
    assert!(hashes[..100].iter().all(|hash| (0..100).any(|n| message(n).hash == *hash)));
    hashes.sort_unstable();
    let expected: Vec<_> = (0..300).map(|n| message(n).hash).collect();
    assert!(hashes == expected);
}

#[tokio::test]
async fn a_store_nobody_waits_for_is_still_made() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut storing = Box::pin(store.store(message(1), NOW));
    // Polled once, so that the command is on its way, and then given up.
    let polled = std::future::poll_fn(|context| {
        std::task::Poll::Ready(storing.as_mut().poll(context).is_ready())
    });
    polled.await;
    drop(storing);
    store.close().await;
    assert_eq!(open(folder.path()).counts().await.unwrap().messages, 1);
}
