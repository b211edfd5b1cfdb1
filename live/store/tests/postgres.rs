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
use std::time::Duration;

use database::{compare, single};
use proptest::prelude::*;
use warren_store::postgres::{Options, PostgresStore};
use warren_store::{MailStore, StoreError};

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
    let store = open(&single().empty().await).await;
    ((), store)
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_location_with_a_scheme_opens_the_database() {
    let store = warren_store::open(&single().empty().await).await.unwrap();
    assert!(store.is_shared());
    assert_eq!(store.counts().await.unwrap(), warren_store::Counts::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_a_newer_version_are_left_alone() {
    let url = single().empty().await;
    open(&url).await.close().await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("UPDATE warren_schema SET version = 99").await.unwrap();
    let refused = PostgresStore::open(&url, OPTIONS).await.err();
    assert_eq!(refused, Some(StoreError::Newer { found: 99, known: 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_make_the_tables_at_once_agree() {
    let url = single().empty().await;
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Two processes on one database, in turn, do what one store in memory does.
    #[test]
    fn agrees_with_the_engine_in_memory(operations in compare::operations(60)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let url = single().empty().await;
            let stores = [open(&url).await, open(&url).await];
            compare::agrees(&operations, &stores).await;
        });
    }
}
