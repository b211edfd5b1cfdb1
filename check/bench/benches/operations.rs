//! The same operations under criterion, for watching one of them while it is worked on.
//!
//! `cargo bench -p warren-bench` runs all, `cargo bench -p warren-bench -- onion` those with onion
//! in their name. The table with opponents beside them is `make bench`.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]
#![allow(clippy::unwrap_used, reason = "a measurement stops at the first surprise")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use warren_account::{Account, Mnemonic};
use warren_client::Device;
use warren_client::vault::Cost;
use warren_crypto::SystemEntropy;
use warren_crypto::x25519::SecretKey;
use warren_message::{Content, open_direct, seal_direct};
use warren_noded::LocalNetwork;
use warren_noded::local_network::Plan;
use warren_onion::{Cipher, Hop, build, peel};
use warren_store::{EmbeddedStore, MailStore, Options, Query};
use warren_wire::record::MessageRecord;
use warren_wire::{MessageHash, Namespace, NodeId, Stamp};

const NOW: u64 = 1_700_000_000_000;
const HOUR: u64 = 3_600_000;

fn account() -> Account {
    Account::random(&mut SystemEntropy).unwrap()
}

fn mnemonic(c: &mut Criterion) {
    let phrase = account().mnemonic().expose().to_owned();
    c.bench_function("mnemonic/read 13 words", |b| b.iter(|| Mnemonic::parse(&phrase).unwrap()));
    let account = account();
    c.bench_function("mnemonic/write 13 words", |b| b.iter(|| account.mnemonic()));
}

fn message(c: &mut Criterion) {
    let (sender, recipient) = (account(), account());
    let to = recipient.id();
    let content = Content::text("x".repeat(1_024)).unwrap();
    let seal = || seal_direct(&sender, &to, &content, NOW, NOW, &mut SystemEntropy).unwrap();
    c.bench_function("message/seal 1 KiB", |b| b.iter(seal));
    let sealed = seal();
    c.bench_function("message/open 1 KiB", |b| {
        b.iter(|| open_direct(&recipient, &sealed).unwrap());
    });
}

fn onion(c: &mut Criterion) {
    let keys: Vec<SecretKey> =
        (0..4).map(|_| SecretKey::random(&mut SystemEntropy).unwrap()).collect();
    let hops: Vec<Hop> = keys
        .iter()
        .map(|key| Hop {
            id: NodeId::from_bytes(*key.public_key().as_bytes()),
            key: key.public_key(),
        })
        .collect();
    let (destination, path) = hops.split_last().unwrap();
    let payload = vec![7; 2_048];
    for (name, cipher) in [("xchacha20", Cipher::XChaCha20), ("aes-gcm", Cipher::AesGcm)] {
        let wrap = || build(path, destination, &payload, cipher, &mut SystemEntropy).unwrap();
        c.bench_function(&format!("onion/build 3 hops, {name}"), |b| b.iter(wrap));
        let built = wrap();
        let guard = keys.first().unwrap();
        c.bench_function(&format!("onion/peel, {name}"), |b| {
            b.iter(|| peel(&built.packet, guard).unwrap());
        });
    }
}

fn store(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(&folder.path().join("mail"), Options::default()).unwrap();
    let owner = account().id();
    let mut number = 0_u64;
    let mut group = c.benchmark_group("store");
    group.throughput(Throughput::Elements(1)).sample_size(20);
    group.bench_function("store 1 KiB, one after the other", |b| {
        b.iter(|| {
            number += 1;
            let mut data = vec![7; 1_024];
            data.extend(number.to_be_bytes());
            let hash = MessageHash::compute(&owner, Namespace::DIRECT, &data).unwrap();
            let message = MessageRecord {
                owner,
                namespace: Namespace::DIRECT,
                hash,
                timestamp: NOW,
                expiry: NOW + HOUR,
                data,
                stored: Stamp::at(NOW),
                proof: None,
            };
            runtime.block_on(store.store(message, NOW)).unwrap()
        });
    });
    let query = Query {
        owner,
        namespace: Namespace::DIRECT,
        after: None,
        max_count: Some(20),
        max_size: usize::MAX,
        newest_first: false,
    };
    group.bench_function("retrieve 20 x 1 KiB", |b| {
        b.iter(|| runtime.block_on(store.retrieve(query, NOW)).unwrap());
    });
    group.finish();
    runtime.block_on(store.close());
}

fn conversation(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("network");
    let plan = Plan { nodes: 7, data, seed_port: 0, node_port: 0 };
    let network = runtime.block_on(LocalNetwork::start(&plan)).unwrap();
    let person = |name: &str| {
        let mut device = Device::create(&folder.path().join(name), "x", Cost::LEAST).unwrap();
        device.use_seed(&network.seed().parse().unwrap()).unwrap();
        device.create_account(name, None).unwrap();
        device.messenger(None).unwrap()
    };
    let (alice, bob) = (person("alice"), person("bob"));
    let to = bob.account().id;
    let mut group = c.benchmark_group("conversation");
    group.sample_size(20);
    group.bench_function("send to read through 3 hops", |b| {
        b.iter(|| {
            runtime.block_on(async {
                alice.send(&to, "hello").await.unwrap();
                while bob.receive().await.unwrap() == 0 {}
            });
        });
    });
    group.finish();
    runtime.block_on(network.stop());
}

criterion_group!(operations, mnemonic, message, onion, store, conversation);
criterion_main!(operations);
