//! The embedded engine: 32 tasks that store, and delete half of it again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::JoinSet;
use warren_store::{EmbeddedStore, MailStore, Options, Query};
use warren_wire::record::{Change, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::load::Said;
use crate::numbers::{data, is_deleted, mix};
use crate::{Failure, Outcome};

const TASKS: u64 = 32;
const OWNERS: u64 = 50;
const NOW: Millis = 1_700_000_000_000;
const DAY: Millis = 24 * 60 * 60 * 1_000;

fn open(folder: &Path) -> Outcome<EmbeddedStore> {
    Ok(EmbeddedStore::open(&folder.join("mail"), Options { reserve: 0 })?)
}

fn owner(number: u64) -> Outcome<AccountId> {
    let key = mix(number % OWNERS).to_be_bytes().repeat(4);
    Ok(AccountId::from_bytes(&[&[5], key.as_slice()].concat())?)
}

fn hash(number: u64) -> MessageHash {
    let mut hash = [0x5a; 32];
    if let Some(start) = hash.first_chunk_mut() {
        *start = number.to_be_bytes();
    }
    MessageHash::from_bytes(hash)
}

fn message(number: u64) -> Outcome<MessageRecord> {
    Ok(MessageRecord {
        owner: owner(number)?,
        namespace: Namespace::DIRECT,
        hash: hash(number),
        timestamp: NOW,
        expiry: NOW + 14 * DAY,
        stored: Stamp::at(NOW),
        data: data(number),
        proof: None,
    })
}

/// Stores without end.
pub(crate) fn load(folder: &Path, first: u64) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Arc::new(open(folder)?);
    let next = Arc::new(AtomicU64::new(first));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(work(Arc::clone(&store), Arc::clone(&next)));
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    })
}

async fn work(store: Arc<EmbeddedStore>, next: Arc<AtomicU64>) -> Outcome<()> {
    let mut stored: Vec<u64> = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        store.store(message(number)?, NOW).await?;
        Said::Stored(number).print()?;
        stored.push(number);
        if stored.len() == 16 {
            delete(&store, &stored).await?;
            stored.clear();
        }
    }
}

/// Deletes some of what was stored, owner by owner.
async fn delete(store: &EmbeddedStore, stored: &[u64]) -> Outcome<()> {
    for number in stored.iter().copied().filter(|number| is_deleted(*number)) {
        Said::Deleting(number).print()?;
        let order = Order {
            owner: owner(number)?,
            stamp: Stamp::at(NOW + 1),
            change: Change::Delete(vec![hash(number)]),
            proof: number.to_be_bytes().to_vec(),
        };
        store.apply(order, NOW).await?;
        Said::Deleted(number).print()?;
    }
    Ok(())
}

/// Opens the store and reads all of it.
pub(crate) fn list(folder: &Path) -> Outcome<Vec<u64>> {
    let store = open(folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let mut numbers = Vec::new();
        for number in 0..OWNERS {
            let query = Query {
                owner: owner(number)?,
                namespace: Namespace::DIRECT,
                after: None,
                max_count: None,
                max_size: usize::MAX,
                newest_first: false,
            };
            for kept in store.retrieve(query, NOW).await?.messages {
                let number =
                    u64::from_be_bytes(*kept.hash.as_bytes().first_chunk().ok_or("a hash")?);
                if kept.data != data(number) {
                    return Err(format!("message {number} is not what was stored").into());
                }
                numbers.push(number);
            }
        }
        let counted = store.counts().await?.messages;
        if usize::try_from(counted) != Ok(numbers.len()) {
            return Err(format!("{counted} messages are counted, {} read", numbers.len()).into());
        }
        // What was recovered can be gone on with.
        let other = MessageRecord { hash: hash(u64::MAX), ..message(0)? };
        store.store(other, NOW).await?;
        store.close().await;
        Ok::<_, Failure>(numbers)
    })
}
