//! Random operations, done to an engine and to the one in memory, whose answers must be the same.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use warren_store::{MailStore, MemoryStore, Query};
use warren_wire::limits::DAY;
use warren_wire::record::{
    Change, Drawers, ExpireMode, Item, MessageRecord, Order, Positions, Record, SubaccountToken,
};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, NodeId, Stamp, swarm};

const NOW: Millis = 1_700_000_000_000;
const NAMESPACES: [i16; 3] = [-1, 0, 2];
const OWNERS: u8 = 3;

/// A message, its times relative to when it is used.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    owner: u8,
    namespace: i16,
    body: u8,
    sent: u64,
    life: u64,
    age: u64,
    signed: bool,
}

/// One of the orders, which say the same whenever they come.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    owner: u8,
    number: u8,
    age: u64,
}

/// Something done to a store.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Store(Mail),
    Apply(Command),
    Merge(Vec<Result<Mail, Command>>),
    Retrieve {
        owner: u8,
        namespace: i16,
        after: Option<u8>,
        count: Option<usize>,
        size: usize,
        newest: bool,
    },
    Expiries(u8, Option<Vec<u8>>),
    Records {
        owner: u8,
        step: usize,
    },
    Drop(u8),
    Note(u8, u8),
    Forget(u8, usize),
    Expire,
    Wait(Millis),
}

fn owner(n: u8) -> AccountId {
    AccountId::from_bytes(&[&[5][..], &[n; 25], &[7; 7]].concat()).unwrap()
}

fn name(namespace: i16, body: u8) -> MessageHash {
    let mut hash = [body; 32];
    hash[..2].copy_from_slice(&namespace.to_be_bytes());
    MessageHash::from_bytes(hash)
}

const fn peer(n: u8) -> NodeId {
    NodeId::from_bytes([n; 32])
}

fn at(position: u64) -> Positions {
    Positions { first: position, last: position }
}

impl Mail {
    fn record(&self, now: Millis) -> MessageRecord {
        MessageRecord {
            owner: owner(self.owner),
            namespace: Namespace::new(self.namespace),
            hash: name(self.namespace, self.body),
            timestamp: NOW + self.sent,
            expiry: now + self.life,
            stored: Stamp(Stamp::at(now + 5 - self.age).0 + self.sent),
            data: vec![self.body; usize::from(self.body) * 400],
            proof: self.signed.then(|| vec![self.body, 1]),
        }
    }
}

impl Command {
    fn order(&self, now: Millis) -> Order {
        Order {
            owner: owner(self.owner),
            stamp: Stamp::at(now + 5 - self.age),
            change: change(self.number),
            proof: vec![self.number, 0xaa],
        }
    }
}

/// What the order of a number does.
fn change(number: u8) -> Change {
    let namespace = NAMESPACES[usize::from(number) % 3];
    let body = number % 5;
    let hash = name(namespace, body);
    let all = if number.is_multiple_of(2) {
        Drawers::All
    } else {
        Drawers::One(Namespace::new(namespace))
    };
    let time = NOW + u64::from(number);
    let token = |n: u8| SubaccountToken([n % 4; 36]);
    let mode =
        [ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten][usize::from(number / 8) % 3];
    match number % 8 {
        0 => Change::Delete(vec![hash, name(0, body)]),
        1 => Change::DeleteAll(all),
        2 => Change::DeleteBefore(all, NOW + u64::from(number % 4)),
        3 | 4 => Change::Expire(vec![(hash, time), (name(2, body), time + 40)], mode),
        5 => Change::ExpireAll(all, time),
        6 => Change::Revoke(vec![token(number / 8), token(number / 8 + 1)]),
        _ => Change::Unrevoke(vec![token(number / 8)]),
    }
}

fn mails() -> impl Strategy<Value = Mail> {
    (
        0..OWNERS,
        select(NAMESPACES.as_slice()),
        0..5_u8,
        0..4_u64,
        0..100_u64,
        0..10_u64,
        any::<bool>(),
    )
        .prop_map(|(owner, namespace, body, sent, life, age, signed)| Mail {
            owner,
            namespace,
            body,
            sent,
            life,
            age,
            signed,
        })
}

fn commands() -> impl Strategy<Value = Command> {
    let age = prop_oneof![8 => 0..10_u64, 1 => Just(32 * DAY)];
    (0..OWNERS, 0..48_u8, age).prop_map(|(owner, number, age)| Command { owner, number, age })
}

/// Sequences of operations on few enough messages that they meet.
pub(crate) fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let records = vec(prop_oneof![3 => mails().prop_map(Ok), 1 => commands().prop_map(Err)], 0..6);
    let retrieve = (
        0..OWNERS,
        select(NAMESPACES.as_slice()),
        proptest::option::of(0..5_u8),
        proptest::option::of(0..4_usize),
        prop_oneof![Just(usize::MAX), 0..4_000_usize],
        any::<bool>(),
    );
    let operation = prop_oneof![
        12 => mails().prop_map(Operation::Store),
        6 => commands().prop_map(Operation::Apply),
        6 => records.prop_map(Operation::Merge),
        4 => retrieve.prop_map(|(owner, namespace, after, count, size, newest)| {
            Operation::Retrieve { owner, namespace, after, count, size, newest }
        }),
        2 => (0..OWNERS, proptest::option::of(vec(0..5_u8, 0..4)))
            .prop_map(|(owner, bodies)| Operation::Expiries(owner, bodies)),
        2 => (0..OWNERS, 1..4_usize).prop_map(|(owner, step)| Operation::Records { owner, step }),
        1 => (0..OWNERS).prop_map(Operation::Drop),
        1 => (0..3_u8, 0..4_u8).prop_map(|(peer, count)| Operation::Note(peer, count)),
        1 => (0..3_u8, 0..4_usize).prop_map(|(peer, count)| Operation::Forget(peer, count)),
        2 => Just(Operation::Expire),
        5 => prop_oneof![9 => 0..20_u64, 1 => Just(32 * DAY)].prop_map(Operation::Wait),
    ];
    vec(operation, 1..most)
}

/// Does the same to the stores, in turn, and to one in memory, and compares every answer.
pub(crate) async fn agrees(operations: &[Operation], stores: &[Arc<dyn MailStore>]) {
    let model = MemoryStore::default();
    let mut now = NOW;
    for (turn, operation) in operations.iter().enumerate() {
        let store = &*stores[turn % stores.len()];
        let said = format!("{turn}: {operation:?}");
        match operation {
            Operation::Store(mail) => {
                let ours = store.store(mail.record(now), now).await;
                assert_eq!(ours, model.store(mail.record(now), now).await, "{said}");
            }
            Operation::Apply(command) => {
                let ours = store.apply(command.order(now), now).await;
                assert_eq!(ours, model.apply(command.order(now), now).await, "{said}");
            }
            Operation::Merge(records) => {
                let records: Vec<_> = records
                    .iter()
                    .map(|one| match one {
                        Ok(mail) => Record::Message(mail.record(now)),
                        Err(command) => Record::Order(command.order(now)),
                    })
                    .collect();
                let ours = store.merge(records.clone(), now).await;
                assert_eq!(ours, model.merge(records, now).await, "{said}");
            }
            Operation::Retrieve { owner: n, namespace, after, count, size, newest } => {
                let query = Query {
                    owner: owner(*n),
                    namespace: Namespace::new(*namespace),
                    after: after.map(|body| name(*namespace, body)),
                    max_count: *count,
                    max_size: *size,
                    newest_first: *newest,
                };
                let ours = store.retrieve(query, now).await;
                assert_eq!(ours, model.retrieve(query, now).await, "{said}");
            }
            Operation::Expiries(n, bodies) => {
                let hashes = bodies.as_ref().map(|bodies| {
                    bodies
                        .iter()
                        .flat_map(|body| NAMESPACES.map(|space| name(space, *body)))
                        .collect()
                });
                let ours = store.expiries(owner(*n), hashes.clone(), now).await;
                assert_eq!(ours, model.expiries(owner(*n), hashes, now).await, "{said}");
            }
            Operation::Records { owner: n, step } => {
                let here = at(swarm::position(&owner(*n)));
                let items = model.items(here, now).await.unwrap().into_iter().step_by(*step);
                let gone = Item { position: here.first, stamp: Stamp(3), id: [9; 32] };
                let items: Vec<_> = items.chain([gone]).collect();
                let ours = store.records(items.clone()).await;
                assert_eq!(ours, model.records(items).await, "{said}");
            }
            Operation::Drop(n) => {
                let here = at(swarm::position(&owner(*n)));
                let ours = store.drop_positions(here).await;
                assert_eq!(ours, model.drop_positions(here).await, "{said}");
            }
            Operation::Note(n, count) => {
                let item = |k: u8| Item {
                    position: u64::MAX - u64::from(k),
                    stamp: Stamp(now),
                    id: [k; 32],
                };
                let items: Vec<_> = (0..*count).map(item).collect();
                store.note_missed(peer(*n), items.clone()).await.unwrap();
                model.note_missed(peer(*n), items).await.unwrap();
            }
            Operation::Forget(n, count) => {
                let through = async |store: &dyn MailStore| {
                    let notes = store.missed(peer(*n), *count).await.unwrap();
                    notes.last().map_or(0, |(number, _)| *number)
                };
                store.forget_missed(peer(*n), through(store).await).await.unwrap();
                model.forget_missed(peer(*n), through(&model).await).await.unwrap();
            }
            Operation::Expire => {
                assert_eq!(store.expire(now).await, model.expire(now).await, "{said}");
            }
            Operation::Wait(time) => now += time,
        }
        same(store, &model, now, &said).await;
    }
    for store in stores {
        store.forget_missed(peer(0), u64::MAX).await.unwrap();
        assert_eq!(store.missed(peer(0), 10).await, Ok(Vec::new()));
        store.close().await;
    }
}

/// Compares all that can be read.
async fn same(store: &dyn MailStore, model: &MemoryStore, now: Millis, said: &str) {
    assert_eq!(store.counts().await, model.counts().await, "{said}");
    let all = Positions::ALL;
    assert_eq!(store.items(all, now).await, model.items(all, now).await, "{said}");
    for owner in (0..OWNERS).map(owner) {
        assert_eq!(store.mailbox(owner, now).await, model.mailbox(owner, now).await, "{said}");
        assert_eq!(store.revoked(owner).await, model.revoked(owner).await, "{said}");
    }
    for peer in (0..3).map(peer) {
        let items = async |store: &dyn MailStore| {
            let notes = store.missed(peer, 100).await.unwrap();
            assert!(notes.is_sorted_by_key(|(number, _)| *number), "{said}");
            notes.into_iter().map(|(_, item)| item).collect::<Vec<_>>()
        };
        assert_eq!(items(store).await, items(model).await, "{said}");
    }
}
