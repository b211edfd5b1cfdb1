//! A store as simple as can be, and random operations on which an engine must agree with it.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use warren_wire::{AccountId, MessageHash, Millis, Namespace};

use super::{NOW, Outcome, Store, account};
use crate::mail::wire_size;
use crate::{NewMessage, Page, Query, Stored, StoredMessage};

/// Something done to a store.
#[derive(Clone)]
pub enum Operation {
    /// [`crate::MailStore::store`]
    Store(NewMessage),
    /// [`crate::MailStore::retrieve`]
    Retrieve(Query),
    /// [`crate::MailStore::delete`]
    Delete(AccountId, Vec<MessageHash>),
    /// [`crate::MailStore::expire`]
    Expire,
    /// Time goes on.
    Wait(Millis),
    /// The store is closed and opened.
    Reopen,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(new) => write!(
                f,
                "Store(owner {:?}, namespace {}, hash {}, timestamp +{}, expiry +{}, {} bytes)",
                new.owner.key_bytes().first(),
                new.namespace,
                new.hash,
                new.timestamp.wrapping_sub(NOW),
                new.expiry.wrapping_sub(NOW),
                new.data.len(),
            ),
            Self::Retrieve(query) => query.fmt(f),
            Self::Delete(owner, hashes) => {
                write!(f, "Delete(owner {:?}, {hashes:?})", owner.key_bytes().first())
            }
            Self::Expire => f.write_str("Expire"),
            Self::Wait(time) => write!(f, "Wait({time})"),
            Self::Reopen => f.write_str("Reopen"),
        }
    }
}

/// What a store should hold, by order of arrival.
#[derive(Default)]
pub struct Model {
    arrived: u64,
    kept: BTreeMap<u64, NewMessage>,
}

impl Model {
    /// See [`crate::MailStore::store`].
    pub fn store(&mut self, new: &NewMessage, now: Millis) -> Stored {
        let same = |kept: &NewMessage| (kept.owner, kept.hash) == (new.owner, new.hash);
        if let Some(kept) = self.kept.values_mut().find(|kept| same(kept) && kept.expiry > now) {
            kept.expiry = kept.expiry.max(new.expiry);
            return Stored { expiry: kept.expiry, already: true };
        }
        let drawer = (new.owner, new.namespace);
        let rank = (new.timestamp, new.hash);
        let rival = |kept: &NewMessage| new.replaces_all && (kept.owner, kept.namespace) == drawer;
        let newer = self
            .kept
            .values()
            .find(|kept| rival(kept) && kept.expiry > now && (kept.timestamp, kept.hash) > rank);
        if let Some(newer) = newer {
            return Stored { expiry: newer.expiry, already: true };
        }
        self.kept.retain(|_, kept| !same(kept) && !rival(kept));
        self.arrived += 1;
        self.kept.insert(self.arrived, new.clone());
        Stored { expiry: new.expiry, already: false }
    }

    /// See [`crate::MailStore::retrieve`].
    pub fn retrieve(&self, query: &Query, now: Millis) -> Page {
        let drawer: Vec<_> = self
            .kept
            .values()
            .filter(|kept| (kept.owner, kept.namespace) == (query.owner, query.namespace))
            .filter(|kept| kept.expiry > now)
            .collect();
        let last = drawer.iter().position(|kept| Some(kept.hash) == query.after);
        let mut page = Page::default();
        let mut size = 0;
        for kept in drawer.into_iter().skip(last.map_or(0, |last| last + 1)) {
            size += wire_size(kept.data.len());
            let over = size > query.max_size && !page.messages.is_empty();
            if over || Some(page.messages.len()) == query.max_count {
                page.more = true;
                break;
            }
            let NewMessage { hash, timestamp, expiry, data, .. } = kept.clone();
            page.messages.push(StoredMessage { hash, timestamp, expiry, data });
        }
        page
    }

    /// See [`crate::MailStore::delete`].
    pub fn delete(&mut self, owner: AccountId, hashes: &[MessageHash]) -> Vec<MessageHash> {
        let mut gone = Vec::new();
        for hash in hashes {
            let before = self.kept.len();
            self.kept.retain(|_, kept| (kept.owner, kept.hash) != (owner, *hash));
            if self.kept.len() < before {
                gone.push(*hash);
            }
        }
        gone
    }

    /// See [`crate::MailStore::expire`].
    pub fn expire(&mut self, now: Millis) -> usize {
        let before = self.kept.len();
        self.kept.retain(|_, kept| kept.expiry > now);
        before - self.kept.len()
    }

    /// How many messages there are.
    pub fn len(&self) -> u64 {
        u64::try_from(self.kept.len()).unwrap_or(u64::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

/// Does the same to a store and to the model, and compares every answer. `open` opens the store,
/// empty the first time and then with what was in it.
pub async fn agrees(operations: &[Operation], open: impl AsyncFn() -> Store) -> Outcome {
    let mut store = open().await;
    let mut model = Model::default();
    let mut now = NOW;
    for operation in operations {
        match operation {
            Operation::Store(new) => {
                let stored = store.store(new.clone(), now).await?;
                assert_eq!(stored, model.store(new, now), "{operation:?}");
            }
            Operation::Retrieve(query) => {
                let page = store.retrieve(*query, now).await?;
                assert_eq!(page, model.retrieve(query, now), "{operation:?}");
            }
            Operation::Delete(owner, hashes) => {
                let gone = store.delete(*owner, hashes.clone()).await?;
                assert_eq!(gone, model.delete(*owner, hashes), "{operation:?}");
            }
            Operation::Expire => {
                assert_eq!(store.expire(now).await?, model.expire(now));
            }
            Operation::Wait(time) => now += time,
            Operation::Reopen => {
                store.close().await;
                store = open().await;
            }
        }
        assert_eq!(store.counts().await?.messages, model.len(), "{operation:?}");
    }
    for query in drawers() {
        assert_eq!(store.retrieve(query, now).await?, model.retrieve(&query, now));
    }
    store.close().await;
    Ok(())
}

/// Asks for each drawer that [`operations`] use.
pub fn drawers() -> impl Iterator<Item = Query> {
    let max_size = usize::MAX;
    (0..OWNERS).flat_map(move |owner| {
        NAMESPACES.map(|namespace| Query {
            owner: account(owner),
            namespace: Namespace::new(namespace),
            after: None,
            max_count: None,
            max_size,
        })
    })
}

const OWNERS: u8 = 2;
const NAMESPACES: [i16; 3] = [-1, 0, 2];

/// Sequences of at most so many operations, on few enough messages that they meet.
pub fn operations(most: usize) -> impl Strategy<Value = Vec<Operation>> {
    let operation = prop_oneof![
        12 => stores().prop_map(Operation::Store),
        4 => queries().prop_map(Operation::Retrieve),
        3 => (0..OWNERS, vec(names(), 0..4))
            .prop_map(|(owner, hashes)| Operation::Delete(account(owner), hashes)),
        2 => Just(Operation::Expire),
        4 => (0..20_u64).prop_map(Operation::Wait),
        1 => Just(Operation::Reopen),
    ];
    vec(operation, 1..most)
}

fn name(namespace: i16, body: u8) -> MessageHash {
    let mut hash = [body; 32];
    if let Some(end) = hash.last_chunk_mut() {
        *end = namespace.to_be_bytes();
    }
    MessageHash::from_bytes(hash)
}

fn names() -> impl Strategy<Value = MessageHash> {
    let namespace = proptest::sample::select(NAMESPACES.as_slice());
    (namespace, 0..6_u8).prop_map(|(namespace, body)| name(namespace, body))
}

/// A message to be kept, of which -1 is the drawer that holds one.
pub fn stores() -> impl Strategy<Value = NewMessage> {
    let namespace = proptest::sample::select(NAMESPACES.as_slice());
    (0..OWNERS, namespace, 0..6_u8, 0..4_u64, 0..100_u64).prop_map(
        |(owner, namespace, body, timestamp, life)| NewMessage {
            owner: account(owner),
            namespace: Namespace::new(namespace),
            hash: name(namespace, body),
            timestamp: NOW + timestamp,
            expiry: NOW + life,
            data: vec![body; usize::from(body) * 400],
            replaces_all: namespace == -1,
        },
    )
}

fn queries() -> impl Strategy<Value = Query> {
    let namespace = proptest::sample::select(NAMESPACES.as_slice());
    let count = proptest::option::of(0..4_usize);
    let size = prop_oneof![Just(usize::MAX), 0..4_000_usize];
    (0..OWNERS, namespace, proptest::option::of(names()), count, size).prop_map(
        |(owner, namespace, after, max_count, max_size)| Query {
            owner: account(owner),
            namespace: Namespace::new(namespace),
            after,
            max_count,
            max_size,
        },
    )
}
