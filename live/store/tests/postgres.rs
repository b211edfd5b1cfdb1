//! The engine on PostgreSQL shows every behaviour an engine must show, and agrees with the one in
//! memory whatever is done to both, also where several processes write to one database.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod database;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use database::proxy::{Fault, Proxy};
use database::{Database, compare, shared};
use proptest::prelude::*;
use warren_store::postgres::{Options, PostgresStore};
use warren_store::{MailStore, StoreError};
use warren_wire::record::{Change, Item, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId, Stamp};

const NOW: Millis = 1_700_000_000_000;

/// Few connections, since many tests run at once.
const OPTIONS: Options = Options {
    connections: 3,
    writers: 2,
    patience: Duration::from_secs(30),
    attempt: Duration::from_secs(20),
};

async fn open(url: &str) -> Arc<dyn MailStore> {
    Arc::new(PostgresStore::open(url, OPTIONS).await.unwrap())
}

warren_store::conformance_tests!({
    let store = open(&shared().empty().await).await;
    ((), store)
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_location_with_a_scheme_opens_the_database() {
    let store = warren_store::open(&shared().empty().await).await.unwrap();
    assert!(store.is_shared());
    assert_eq!(store.counts().await.unwrap(), warren_store::Counts::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_newer_version_are_left_alone() {
    let url = shared().empty().await;
    open(&url).await.close().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("UPDATE warren_schema SET version = 99").await.unwrap();
    let refused = PostgresStore::open(&url, OPTIONS).await.err();
    assert_eq!(refused, Some(StoreError::Newer { found: 99, known: 2 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_make_the_tables_at_once_agree() {
    let url = shared().empty().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = url.clone();
        tasks.spawn(async move { PostgresStore::open(&url, OPTIONS).await.map(drop) });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable() {
    let patience = Duration::from_millis(300);
    let options = Options { patience, ..OPTIONS };
    let refused = PostgresStore::open("postgres://node@127.0.0.1:1/mail", options).await.err();
    assert!(matches!(refused, Some(StoreError::Unavailable(_))), "{refused:?}");
}

fn message() -> MessageRecord {
    MessageRecord {
        owner: AccountId::from_bytes(&[5; 33]).unwrap(),
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes([1; 32]),
        timestamp: NOW,
        expiry: NOW + 1000,
        stored: Stamp::at(NOW),
        data: vec![7; 100],
        proof: None,
    }
}

/// Stores, deletes and notes, when the answers to the commits do not come back.
async fn store_with(fault: Fault) {
    let proxy = Proxy::to(&shared().empty().await).await;
    let options = Options { attempt: Duration::from_secs(2), ..OPTIONS };
    let store = PostgresStore::open(&proxy.url, options).await.unwrap();
    let new = message();
    proxy.fail(fault);
    let stored = store.store(new.clone(), NOW).await.unwrap();
    assert!(proxy.failed(), "the commit went through the proxy");
    assert!(!stored.already, "the store is told what the first commit did");
    let change = Change::Delete(vec![new.hash]);
    let order = Order { owner: new.owner, stamp: Stamp::at(NOW), change, proof: vec![1] };
    proxy.fail(fault);
    let applied = store.apply(order, NOW).await.unwrap();
    assert!(proxy.failed());
    assert_eq!(applied.deleted, [(new.namespace, new.hash)]);
    let item = Item { position: 1, stamp: Stamp(2), id: [3; 32] };
    proxy.fail(fault);
    store.note_missed(NodeId::from_bytes([4; 32]), vec![item]).await.unwrap();
    assert_eq!(store.missed(NodeId::from_bytes([4; 32]), 9).await, Ok(vec![(1, item)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_done_once() {
    store_with(Fault::Cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_never_answered_is_done_once() {
    store_with(Fault::Hold).await;
}

/// Says that a test is over, also where it fails: a thread that goes on keeps it from ending.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Where somebody ends the wait for a standby, the server says that the commit is done, and warns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_no_standby_has_is_not_acknowledged() {
    let own = Arc::new(Database::start(&["--single"]));
    let (attempt, patience) = (Duration::from_secs(2), Duration::from_secs(5));
    let options = Options { attempt, patience, ..OPTIONS };
    let store = PostgresStore::open(own.url(), options).await.unwrap();
    own.script("sql", &["ALTER SYSTEM SET synchronous_standby_names = 'nobody'"]);
    own.script("sql", &["SELECT pg_reload_conf()"]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let over = Over(Arc::default());
    let canceller = tokio::task::spawn_blocking({
        let (own, over) = (Arc::clone(&own), Arc::clone(&over.0));
        move || {
            let cancel = "SELECT COUNT(pg_cancel_backend(pid)) FROM pg_stat_activity \
                 WHERE wait_event = 'SyncRep'";
            let mut cancelled = 0;
            while !over.load(Ordering::Relaxed) {
                cancelled += own.script("sql", &[cancel]).parse::<u32>().unwrap();
            }
            cancelled
        }
    });
    let unanswered = store.store(message(), NOW).await;
    assert!(matches!(unanswered, Err(StoreError::Unavailable(_))), "{unanswered:?}");
    // It is there, and whoever finds it there has to wait for a standby as well.
    assert_eq!(store.counts().await.unwrap().messages, 1);
    let unanswered = store.store(message(), NOW).await;
    assert!(matches!(unanswered, Err(StoreError::Unavailable(_))), "{unanswered:?}");
    drop(over);
    assert!(canceller.await.unwrap() > 1, "waits were ended");
    own.script("sql", &["ALTER SYSTEM RESET synchronous_standby_names"]);
    own.script("sql", &["SELECT pg_reload_conf()"]);
    let patient = Options { patience: Duration::from_secs(60), ..options };
    let store = PostgresStore::open(own.url(), patient).await.unwrap();
    assert!(store.store(message(), NOW).await.unwrap().already);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_connection_checks_the_certificate() {
    let url = shared().script("url", &["--tls"]);
    let store = PostgresStore::open(&url, OPTIONS).await.unwrap();
    assert_eq!(store.counts().await.unwrap().orders, 0);
    // The system's certificates do not vouch for the test's.
    let (url, _) = url.split_once("&sslrootcert=").unwrap();
    let options = Options { patience: Duration::from_millis(500), ..OPTIONS };
    let refused = PostgresStore::open(url, options).await.err().unwrap().to_string();
    assert!(refused.contains("certificate"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Two processes on one database, in turn, do what one store in memory does.
    #[test]
    fn agrees_with_the_engine_in_memory(operations in compare::operations(60)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let url = shared().empty().await;
            let stores = [open(&url).await, open(&url).await];
            compare::agrees(&operations, &stores).await;
        });
    }
}
