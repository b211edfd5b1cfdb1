//! Random sequences of operations, on which an engine must agree with the plain one in memory.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use warren_wire::record::{
    Change, Drawers, ExpireMode, MessageRecord, Order, Positions, Record, SubaccountToken,
};
use warren_wire::{Access, AccountId, MessageHash, Millis, Namespace, NodeId, Stamp, swarm};

use super::{NOW, Outcome, Store, account};
use crate::union::ORDER_LIFE;
use crate::{MailStore, MemoryStore, Query};

/// How many mailboxes, bodies of messages and subaccounts there are: few, so that they meet.
const OWNERS: u8 = 2;
const BODIES: u8 = 5;
const TOKENS: u8 = 4;
/// How far expiries and stamps lie from the beginning, at most.
const LIFE: Millis = 100;
const NAMESPACES: [i16; 3] = [-1, 0, 2];

/// Something done to a store.
#[derive(Clone)]
pub enum Operation {
    /// [`MailStore::store`]
    Store(MessageRecord),
    /// [`MailStore::apply`]
    Apply(Order),
    /// [`MailStore::merge`]
    Merge(Vec<Record>),
    /// [`MailStore::retrieve`]
    Retrieve(Query),
    /// [`MailStore::expiries`] of some
    Expiries(AccountId, Vec<MessageHash>),
    /// [`MailStore::expire`]
    Expire,
    /// [`MailStore::drop_positions`] of one owner
    Drop(AccountId),
    /// [`MailStore::note_missed`]: all items there are
    Note(NodeId),
    /// [`MailStore::forget_missed`]
    Forget(NodeId, u64),
    /// Time goes on.
    Wait(Millis),
    /// The store is closed and opened.
    Reopen,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(message) => write!(f, "Store({})", Brief(message)),
            Self::Apply(order) => write!(f, "Apply({})", Brief(order)),
            Self::Merge(records) => {
                f.write_str("Merge")?;
                let one = |record: &Record| match record {
                    Record::Message(message) => Brief(message).to_string(),
                    Record::Order(order) => Brief(order).to_string(),
                };
                f.debug_list().entries(records.iter().map(one)).finish()
            }
            Self::Retrieve(query) => query.fmt(f),
            Self::Expiries(owner, hashes) => {
                write!(f, "Expiries({:?}, {hashes:?})", owner.key_bytes().first())
            }
            Self::Expire => f.write_str("Expire"),
            Self::Drop(owner) => write!(f, "Drop({:?})", owner.key_bytes().first()),
            Self::Note(peer) => write!(f, "Note({:?})", peer.as_bytes().first()),
            Self::Forget(peer, through) => {
                write!(f, "Forget({:?}, {through})", peer.as_bytes().first())
            }
            Self::Wait(time) => write!(f, "Wait({time})"),
            Self::Reopen => f.write_str("Reopen"),
        }
    }
}

/// A record in few words, times from the beginning.
struct Brief<'a, T>(&'a T);

/// A stamp as milliseconds from the beginning, and its count.
fn brief_stamp(stamp: Stamp) -> String {
    format!("{}.{}", stamp.time().cast_signed() - NOW.cast_signed(), stamp.0 & 0xffff)
}

impl fmt::Display for Brief<'_, MessageRecord> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let m = self.0;
        write!(
            f,
            "message of {:?} in {}, body {:?}, timestamp +{}, expiry +{}, stored +{}",
            m.owner.key_bytes().first(),
            m.namespace,
            m.hash.as_bytes().first(),
            m.timestamp.wrapping_sub(NOW),
            m.expiry.cast_signed() - NOW.cast_signed(),
            brief_stamp(m.stored),
        )
    }
}

impl fmt::Display for Brief<'_, Order> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = self.0.owner.key_bytes();
        let (stamp, change) = (brief_stamp(self.0.stamp), &self.0.change);
        write!(f, "order of {:?} at +{stamp}: {change:?}", owner.first())
    }
}

/// Does the same to a store and to the plain one in memory, and compares every answer and, after
/// each, all that can be observed. `open` opens the store, empty the first time and then with what
/// was in it.
pub async fn agrees(operations: &[Operation], open: impl AsyncFn() -> Store) -> Outcome {
    let mut store = open().await;
    let model = MemoryStore::default();
    let mut now = NOW;
    for operation in operations {
        match operation {
            Operation::Wait(time) => now += time,
            Operation::Reopen => {
                store.close().await;
                store = open().await;
            }
            other => does_the_same(other, &store, &model, now).await?,
        }
        looks_the_same(&store, &model, now)
            .await
            .inspect_err(|error| panic!("{error} after {operation:?}"))?;
    }
    store.close().await;
    Ok(())
}

async fn does_the_same(
    operation: &Operation,
    store: &Store,
    model: &MemoryStore,
    now: Millis,
) -> Outcome {
    macro_rules! same {
        ($call:ident($($argument:expr),*)) => {
            assert_eq!(
                store.$call($($argument),*).await?,
                model.$call($($argument),*).await?,
                "{operation:?}"
            )
        };
    }
    match operation {
        Operation::Store(message) => same!(store(message.clone(), now)),
        Operation::Apply(order) => same!(apply(order.clone(), now)),
        Operation::Merge(records) => same!(merge(records.clone(), now)),
        Operation::Retrieve(query) => same!(retrieve(*query, now)),
        Operation::Expiries(owner, hashes) => same!(expiries(*owner, Some(hashes.clone()), now)),
        Operation::Expire => same!(expire(now)),
        Operation::Drop(owner) => {
            let position = swarm::position(owner);
            same!(drop_positions(Positions { first: position, last: position }));
        }
        Operation::Note(peer) => {
            let items = model.items(Positions::ALL, now).await?;
            same!(note_missed(*peer, items.clone()));
        }
        Operation::Forget(peer, at) => {
            // Numbers only have to grow: the one at the same place is forgotten through.
            let place = usize::try_from(*at).unwrap_or(usize::MAX);
            let number = |notes: &[(u64, _)]| notes.get(place).map_or(u64::MAX, |note| note.0);
            let through = number(&store.missed(*peer, usize::MAX).await?);
            store.forget_missed(*peer, through).await?;
            let through = number(&model.missed(*peer, usize::MAX).await?);
            model.forget_missed(*peer, through).await?;
        }
        Operation::Wait(_) | Operation::Reopen => {}
    }
    Ok(())
}

/// Compares all that can be observed.
///
/// # Panics
/// Where something differs.
pub async fn looks_the_same(store: &Store, model: &dyn MailStore, now: Millis) -> Outcome {
    for query in drawers() {
        assert_eq!(store.retrieve(query, now).await?, model.retrieve(query, now).await?);
    }
    assert_eq!(store.counts().await?, model.counts().await?);
    same_union(&**store, model, now).await?;
    for peer in PEERS {
        let without_numbers = |notes: Vec<(u64, _)>| {
            assert!(notes.is_sorted_by_key(|note| note.0));
            notes.into_iter().map(|note| note.1).collect::<Vec<_>>()
        };
        let (here, there) =
            (store.missed(peer, usize::MAX).await?, model.missed(peer, usize::MAX).await?);
        assert_eq!(without_numbers(here), without_numbers(there));
    }
    for owner in owners() {
        assert_eq!(store.mailbox(owner, now).await?, model.mailbox(owner, now).await?);
    }
    let items = model.items(Positions::ALL, now).await?;
    assert_eq!(store.records(items.clone()).await?, model.records(items).await?);
    Ok(())
}

/// Compares what must not depend on the order in which things arrived.
///
/// # Panics
/// Where something differs.
pub async fn same_union(one: &dyn MailStore, other: &dyn MailStore, now: Millis) -> Outcome {
    for owner in owners() {
        assert_eq!(
            one.expiries(owner, None, now).await?,
            other.expiries(owner, None, now).await?,
            "expiries"
        );
        assert_eq!(one.revoked(owner).await?, other.revoked(owner).await?, "revoked");
        let position = swarm::position(&owner);
        let here = Positions { first: position, last: position };
        assert_eq!(one.items(here, now).await?, other.items(here, now).await?, "items");
    }
    assert_eq!(
        one.items(Positions::ALL, now).await?,
        other.items(Positions::ALL, now).await?,
        "all items"
    );
    Ok(())
}

const PEERS: [NodeId; 2] = [NodeId::from_bytes([1; 32]), NodeId::from_bytes([2; 32])];

fn owners() -> impl Iterator<Item = AccountId> {
    (0..OWNERS).map(owner)
}

/// Not [`account`]: all bytes alike lie at position 0.
fn owner(n: u8) -> AccountId {
    let mut bytes = *account(n).as_bytes();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1 + n;
    }
    AccountId::from_bytes(&bytes).unwrap_or_else(|_| account(n))
}

/// Asks for each drawer that [`operations`] use, from either end.
fn drawers() -> impl Iterator<Item = Query> {
    owners().flat_map(|owner| {
        NAMESPACES.into_iter().flat_map(move |namespace| {
            [false, true].map(|newest_first| Query {
                owner,
                namespace: Namespace::new(namespace),
                after: None,
                max_count: None,
                max_size: usize::MAX,
                newest_first,
            })
        })
    })
}

/// Sequences of at most so many operations.
pub fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let hashes = vec(hashes(NAMESPACES.as_slice()), 0..4);
    let owner_of = (0..OWNERS).prop_map(owner);
    let operation = prop_oneof![
        10 => messages(NAMESPACES.as_slice(), LIFE).prop_map(Operation::Store),
        6 => orders(NAMESPACES.as_slice()).prop_map(Operation::Apply),
        6 => vec(records(NAMESPACES.as_slice()), 0..6).prop_map(Operation::Merge),
        1 => antichains().prop_map(Operation::Merge),
        3 => queries().prop_map(Operation::Retrieve),
        1 => (owner_of.clone(), hashes).prop_map(|(owner, h)| Operation::Expiries(owner, h)),
        2 => Just(Operation::Expire),
        1 => owner_of.prop_map(Operation::Drop),
        1 => select(PEERS.as_slice()).prop_map(Operation::Note),
        1 => (select(PEERS.as_slice()), 0..6_u64)
            .prop_map(|(peer, at)| Operation::Forget(peer, at)),
        4 => (0..20_u64).prop_map(Operation::Wait),
        1 => Just(Operation::Wait(ORDER_LIFE - 10)),
        1 => Just(Operation::Reopen),
    ];
    vec(operation, 1..most)
}

/// Sets of records for [`super::convergence::any_order_gives_the_same`]: what members may come to know
/// in any order.
pub fn unions(most: usize) -> impl Strategy<Value = Vec<Record>> {
    let record = prop_oneof![
        3 => messages(all_drawers(), LIFE).prop_map(|message| {
            let [body, ..] = *message.hash.as_bytes();
            // It has not expired, for what has is not taken in; and a later store has no earlier
            // expiry, for the one of a record that was removed between the two may stay: see there.
            let since = message.stored.0 - Stamp::at(NOW - 4).0;
            let steps = 2 * (since >> 16) + (since & 1);
            let timestamp = if message.namespace.access() == Access::PublicOutbox {
                // Whoever replaces a message says that the new one is newer.
                NOW + steps * u64::from(BODIES) + u64::from(body)
            } else {
                // A message has one timestamp where its sender does not contradict himself.
                NOW + u64::from(body % 4)
            };
            let expiry = NOW + LIFE + 8 * steps + message.expiry % 8;
            Record::Message(MessageRecord { timestamp, expiry, ..message })
        }),
        2 => orders(all_drawers()).prop_map(|mut order| {
            // Of these the earlier stamp counts, but what the later one removed is gone.
            if matches!(order.change, Change::DeleteAll(_)) {
                order.proof.extend_from_slice(&order.stamp.0.to_be_bytes());
            }
            Record::Order(order)
        }),
    ];
    vec(record, 0..most)
}

/// As [`unions`], public outboxes and contradictory senders among them.
pub fn records(namespaces: &'static [i16]) -> impl Strategy<Value = Record> {
    prop_oneof![
        3 => messages(namespaces, LIFE).prop_map(Record::Message),
        2 => orders(namespaces).prop_map(Record::Order),
    ]
}

/// What a message did to a public outbox, or that message, which has expired: by drops of its
/// timestamp and steps of its stamp.
fn replacing(drops: u8, steps: u8, proof: u8, is_order: bool) -> Record {
    let [namespace, ..] = NAMESPACES;
    let message = MessageRecord {
        owner: owner(0),
        namespace: Namespace::new(namespace),
        hash: hash(namespace, BODIES + drops),
        timestamp: NOW + 200 - u64::from(drops),
        expiry: NOW - 4,
        stored: Stamp(Stamp::at(NOW - 4).0 + u64::from(steps)),
        data: vec![drops],
        proof: Some(vec![proof]),
    };
    match message.replacement() {
        Some(order) if is_order => Record::Order(order),
        _ => Record::Message(message),
    }
}

/// More messages than are remembered that each replaced something else in one drawer: their
/// timestamps fall while their stamps rise, in whatever order, and two each differ in nothing else
/// than what proves them.
pub fn antichains() -> impl Strategy<Value = Vec<Record>> {
    let which = (0..30_u8, 40..80_u8, any::<bool>());
    let all = which.prop_map(|(from, count, in_pairs)| {
        let one = |n: u8| {
            let step = if in_pairs { n / 2 } else { n };
            replacing(step, step, n % 2, !n.is_multiple_of(3))
        };
        (from..from + count).map(one).collect::<Vec<_>>()
    });
    all.prop_shuffle()
}

/// One of [`antichains`], or one that outdoes some of them.
pub fn replacements() -> impl Strategy<Value = Record> {
    (0..110_u8, 0..110_u8, 0..2_u8, any::<bool>())
        .prop_map(|(drops, steps, proof, is_order)| replacing(drops, steps, proof, is_order))
}

/// All drawers, for [`records`].
pub const fn all_drawers() -> &'static [i16] {
    NAMESPACES.as_slice()
}

fn hash(namespace: i16, body: u8) -> MessageHash {
    let mut hash = [body; 32];
    if let Some(end) = hash.last_chunk_mut() {
        *end = namespace.to_be_bytes();
    }
    MessageHash::from_bytes(hash)
}

fn hashes(namespaces: &'static [i16]) -> impl Strategy<Value = MessageHash> {
    (select(namespaces), 0..BODIES).prop_map(|(namespace, body)| hash(namespace, body))
}

/// Few milliseconds and counts, so that stamps are often the same.
fn stamps() -> impl Strategy<Value = Stamp> {
    (0..8_u64, 0..2_u64).prop_map(|(time, count)| Stamp(Stamp::at(NOW - 4 + time).0 + count))
}

fn messages(namespaces: &'static [i16], life: Millis) -> impl Strategy<Value = MessageRecord> {
    let proof = proptest::option::of(vec(any::<u8>(), 0..3));
    (0..OWNERS, select(namespaces), 0..BODIES, 0..4_u64, 0..life, stamps(), proof).prop_map(
        |(n, namespace, body, timestamp, life, stored, proof)| MessageRecord {
            owner: owner(n),
            namespace: Namespace::new(namespace),
            hash: hash(namespace, body),
            timestamp: NOW + timestamp,
            expiry: NOW + life,
            stored,
            data: vec![body; usize::from(body) * 400],
            proof,
        },
    )
}

fn drawers_of(namespaces: &'static [i16]) -> impl Strategy<Value = Drawers> {
    let one = select(namespaces).prop_map(|number| Drawers::One(Namespace::new(number)));
    prop_oneof![Just(Drawers::All), one]
}

fn changes(namespaces: &'static [i16]) -> impl Strategy<Value = Change> {
    let modes = [ExpireMode::Set, ExpireMode::Extend, ExpireMode::Shorten];
    let expiries = vec((hashes(namespaces), NOW..NOW + 3 * LIFE), 1..3);
    let tokens = || vec((0..TOKENS).prop_map(|n| SubaccountToken([n; 36])), 1..3);
    prop_oneof![
        4 => vec(hashes(namespaces), 0..3).prop_map(Change::Delete),
        1 => drawers_of(namespaces).prop_map(Change::DeleteAll),
        1 => (drawers_of(namespaces), NOW..NOW + 4)
            .prop_map(|(drawers, last)| Change::DeleteBefore(drawers, last)),
        4 => (expiries, select(modes.to_vec()))
            .prop_map(|(expiries, mode)| Change::Expire(expiries, mode)),
        1 => (drawers_of(namespaces), NOW..NOW + 3 * LIFE)
            .prop_map(|(drawers, to)| Change::ExpireAll(drawers, to)),
        1 => tokens().prop_map(Change::Revoke),
        1 => tokens().prop_map(Change::Unrevoke),
    ]
}

fn orders(namespaces: &'static [i16]) -> impl Strategy<Value = Order> {
    (0..OWNERS, stamps(), changes(namespaces)).prop_map(|(n, stamp, change)| {
        // The same change is the same request, under whatever stamp.
        let proof = format!("{change:?}").into_bytes();
        Order { owner: owner(n), stamp, change, proof }
    })
}

fn queries() -> impl Strategy<Value = Query> {
    let count = proptest::option::of(0..4_usize);
    let size = prop_oneof![Just(usize::MAX), 0..4_000_usize];
    let after = proptest::option::of(hashes(NAMESPACES.as_slice()));
    (0..OWNERS, select(NAMESPACES.as_slice()), after, count, size, any::<bool>()).prop_map(
        |(n, namespace, after, max_count, max_size, newest_first)| Query {
            owner: owner(n),
            namespace: Namespace::new(namespace),
            after,
            max_count,
            max_size,
            newest_first,
        },
    )
}
