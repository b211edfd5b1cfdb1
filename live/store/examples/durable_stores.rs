//! Measures durable stores, 64 tasks with 1 KiB each: `durable_stores [folder or URL] [seconds]`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use warren_store::{StoreError, location};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Namespace, Stamp};

const TASKS: u64 = 64;
const NOW: u64 = 1_700_000_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let place = arguments.next().unwrap_or_else(|| std::env::temp_dir().display().to_string());
    let seconds = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let (_folder, store) = if location::is_database(&place) {
        (None, warren_store::open(&place).await?)
    } else {
        let folder = tempfile::tempdir_in(place)?;
        let mail = folder.path().join("mail").display().to_string();
        (Some(folder), warren_store::open(&mail).await?)
    };
    let begun = Instant::now();
    let end = begun + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..TASKS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut slowest = Duration::ZERO;
            let mut count = 0_u64;
            while Instant::now() < end {
                let message = message(task, count)?;
                let asked = Instant::now();
                store.store(message, NOW).await?;
                slowest = slowest.max(asked.elapsed());
                count += 1;
            }
            Ok::<_, StoreError>((count, slowest))
        });
    }
    let mut stored = 0;
    let mut slowest = Duration::ZERO;
    for outcome in tasks.join_all().await {
        let (count, slow) = outcome?;
        stored += count;
        slowest = slowest.max(slow);
    }
    let rate = u128::from(stored) * 1_000 / begun.elapsed().as_millis().max(1);
    println!("{stored} durable stores of 1 KiB from {TASKS} tasks: {rate}/s, slowest {slowest:?}");
    store.close().await;
    Ok(())
}

fn message(task: u64, count: u64) -> Result<MessageRecord, StoreError> {
    // Spread as hashes are, each once.
    let mixed = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    let hash = [mixed(count), task.to_be_bytes(), mixed(task), count.to_be_bytes()].concat();
    let hash = hash.try_into().map_err(|_| StoreError::Engine("a hash has 32 bytes".into()))?;
    let owner = [&[5_u8][..], &mixed(task * 16 + count % 16).repeat(4)].concat();
    let owner = AccountId::from_bytes(&owner).map_err(|e| StoreError::Engine(e.to_string()))?;
    Ok(MessageRecord {
        owner,
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes(hash),
        timestamp: NOW,
        expiry: NOW + 1_000 * (count % 1_000) + 1,
        data: mixed(count).repeat(128),
        stored: Stamp::at(NOW),
        proof: None,
    })
}
