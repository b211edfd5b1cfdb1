//! The loss of the primary under load: nothing acknowledged is lost, nothing deleted returns, and
//! writers go on by themselves.
//!
//! `WARREN_FAILOVERS` says how many primaries are lost, one by default. In turn they are killed;
//! stopped, as a machine that hangs, and let go on when another has taken over; and left running
//! without their Patroni, as one that is cut off from the others and believes to be the primary.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod database;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use database::Database;
use tokio::task::JoinSet;
use warren_store::postgres::{Options, PostgresStore};
use warren_store::{MailStore, Query};
use warren_wire::record::{Change, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

const NOW: Millis = 1_700_000_000_000;
/// As many processes with as many writers each.
const PROCESSES: u16 = 2;
const WRITERS: u16 = 8;
const OWNERS: u16 = 5;
/// Every so many messages, the writer deletes the one before.
const DELETE_EVERY: u32 = 7;

fn owner(n: u16) -> AccountId {
    AccountId::from_bytes(&[&[5][..], &n.to_be_bytes().repeat(16)].concat()).unwrap()
}

/// The name of a writer's message: by it the writer and the number are known again.
fn name(writer: u16, number: u32) -> MessageHash {
    let mut hash = [0x77; 32];
    hash[..2].copy_from_slice(&writer.to_be_bytes());
    hash[2..6].copy_from_slice(&number.to_be_bytes());
    MessageHash::from_bytes(hash)
}

fn message(writer: u16, number: u32) -> MessageRecord {
    MessageRecord {
        owner: owner(writer % OWNERS),
        namespace: Namespace::DIRECT,
        hash: name(writer, number),
        timestamp: NOW,
        expiry: NOW + 1_000_000,
        stored: Stamp(Stamp::at(NOW).0 + u64::from(number)),
        data: vec![0x5c; 2_600],
        proof: None,
    }
}

/// What one writer was told.
#[derive(Default)]
struct Acknowledged {
    stored: Vec<u32>,
    deleted: BTreeSet<u32>,
    longest: Duration,
}

/// What all writers share.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    count: AtomicU64,
}

async fn write(store: Arc<PostgresStore>, load: Arc<Load>, writer: u16) -> (u16, Acknowledged) {
    let mut told = Acknowledged::default();
    for number in 0.. {
        if load.over.load(Ordering::Relaxed) {
            break;
        }
        let begun = Instant::now();
        let stored = store.store(message(writer, number), NOW).await.unwrap();
        // Also where the answer to a commit was lost and the commit repeated.
        assert!(!stored.already, "message {number} of writer {writer} was stored once");
        told.stored.push(number);
        if number % DELETE_EVERY == 1 {
            let change = Change::Delete(vec![name(writer, number - 1)]);
            let proof = name(writer, number).as_bytes().to_vec();
            let stamp = Stamp(Stamp::at(NOW).0 + u64::from(number));
            let order = Order { owner: owner(writer % OWNERS), stamp, change, proof };
            let applied = store.apply(order, NOW).await.unwrap();
            assert_eq!(applied.deleted, [(Namespace::DIRECT, name(writer, number - 1))]);
            told.deleted.insert(number - 1);
        }
        told.longest = told.longest.max(begun.elapsed());
        load.count.fetch_add(1, Ordering::Relaxed);
    }
    (writer, told)
}

/// Waits until the writers were told of so many more messages.
async fn go_on(load: &Load, more: u64) {
    let goal = load.count.load(Ordering::Relaxed) + more;
    let begun = Instant::now();
    while load.count.load(Ordering::Relaxed) < goal {
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(120), "writers stand still for {waited:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until another member than this is the primary.
async fn another(cluster: &Database, name: &str) {
    let begun = Instant::now();
    let is_leader = |line: &str| line.contains("leader") && !line.starts_with(name);
    while !cluster.script("status", &[]).lines().any(is_leader) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody takes over from {name}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn lose_primary(cluster: &Database, load: &Load, round: usize) {
    let begun = Instant::now();
    let how = ["kill-primary", "freeze-primary", "freeze-patroni"][round % 3];
    let name = cluster.script(how, &[]);
    if how == "freeze-patroni" {
        another(cluster, &name).await;
    }
    // What was under way when it went may still be answered.
    tokio::time::sleep(Duration::from_millis(500)).await;
    go_on(load, 200).await;
    let count = load.count.load(Ordering::Relaxed);
    println!("round {round}: {how} {name}, written again after {:?} ({count})", begun.elapsed());
    cluster.script("thaw", &[]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.script("up", &[]);
    go_on(load, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_with_the_primary() {
    let rounds = std::env::var("WARREN_FAILOVERS").map_or(1, |text| text.parse().unwrap());
    let cluster = Database::start(&database::FAST);
    let options = Options { patience: Duration::from_secs(90), ..Options::default() };
    let load = Arc::new(Load::default());
    let mut writers = JoinSet::new();
    for process in 0..PROCESSES {
        let store = PostgresStore::open(cluster.url(), options).await.unwrap();
        let store = Arc::new(store);
        for n in 0..WRITERS {
            writers.spawn(write(Arc::clone(&store), Arc::clone(&load), process * WRITERS + n));
        }
    }
    go_on(&load, 200).await;
    for round in 0..rounds {
        lose_primary(&cluster, &load, round).await;
    }
    load.over.store(true, Ordering::Relaxed);
    let told: BTreeMap<_, _> = writers.join_all().await.into_iter().collect();

    // The one that takes over now has to hold everything alone.
    println!("{} killed before all is read", cluster.script("kill-primary", &[]));
    let store = PostgresStore::open(cluster.url(), options).await.unwrap();
    let mut found: BTreeMap<u16, Vec<u32>> = BTreeMap::new();
    for n in 0..OWNERS {
        for message in everything(&store, owner(n)).await {
            let hash = message.as_bytes();
            let writer = u16::from_be_bytes(hash[..2].try_into().unwrap());
            let number = u32::from_be_bytes(hash[2..6].try_into().unwrap());
            found.entry(writer).or_default().push(number);
        }
    }
    for (writer, told) in &told {
        // In the order in which they were acknowledged, and nothing that was deleted.
        let expected: Vec<_> =
            told.stored.iter().filter(|number| !told.deleted.contains(number)).copied().collect();
        assert!(found.get(writer) == Some(&expected), "writer {writer}");
    }
    let stored: usize = told.values().map(|told| told.stored.len()).sum();
    let deleted: usize = told.values().map(|told| told.deleted.len()).sum();
    let longest = told.values().map(|told| told.longest).max().unwrap_or_default();
    println!("{stored} acknowledged, {deleted} deleted, the longest wait was {longest:?}");
}

/// Names of all messages, in the order of arrival.
async fn everything(store: &PostgresStore, owner: AccountId) -> Vec<MessageHash> {
    let mut names: Vec<MessageHash> = Vec::new();
    loop {
        let query = Query {
            owner,
            namespace: Namespace::DIRECT,
            after: names.last().copied(),
            max_count: None,
            max_size: 4_000_000,
            newest_first: false,
        };
        let page = store.retrieve(query, NOW).await.unwrap();
        names.extend(page.messages.iter().map(|message| message.hash));
        if !page.more {
            return names;
        }
    }
}
