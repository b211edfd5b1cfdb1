//! What storing and reading cost in a store that is full, beside the same engine nearly empty.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use warren_store::{EmbeddedStore, MailStore, Options};
use warren_wire::AccountId;
use warren_wire::record::Record;

use crate::contest::{self, Contestant};
use crate::row::Basis;
use crate::store::{MAILBOX, NOW, account, message, retrieve_all, store_all};
use crate::{Effort, Outcome, Row};

/// How many messages the nearly empty store holds.
const FEW: usize = 10_000;
/// How many messages are put in at once.
const BATCH: usize = 1_000;
const NEARLY_EMPTY: &str = "the same with 10^4 messages";

/// A store with so many messages, mailboxes of 20.
struct Filled {
    store: Arc<EmbeddedStore>,
    owners: Arc<[AccountId]>,
}

/// Measures storing and reading with [`Effort::full_store`] messages in a store, in folders under
/// `scratch`.
///
/// # Errors
/// Where the disk fails, or what was stored is not there.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let small = fill(&runtime, &folder.path().join("few"), FEW)?;
    let large = fill(&runtime, &folder.path().join("many"), effort.full_store)?;
    let store = |filled: &Filled, count| runtime.block_on(store_all(&filled.store, count));
    let stored = contest::of_bursts(
        effort.with_rounds(7),
        vec![
            Contestant::burst("warren", |count| store(&large, count)),
            Contestant::burst(NEARLY_EMPTY, |count| store(&small, count)),
        ],
    )?;
    let read = |filled: &Filled, count| {
        runtime.block_on(retrieve_all(&filled.store, &filled.owners, count))
    };
    let retrieved = contest::of_bursts(
        effort.with_rounds(7),
        vec![
            Contestant::burst("warren", |count| read(&large, count)),
            Contestant::burst(NEARLY_EMPTY, |count| read(&small, count)),
        ],
    )?;
    for filled in [small, large] {
        runtime.block_on(filled.store.close());
    }
    let what = format!("a store of {} x 1 KiB, 64 tasks", effort.full_store);
    Ok(vec![
        Row::of_contest("store-growth", what.as_str(), Basis::Rate, &stored),
        Row::of_contest("retrieve-growth", what, Basis::Rate, &retrieved),
    ])
}

/// Fills a store: every mailbox gets a message in turn, so that what is read lies apart.
fn fill(runtime: &Runtime, folder: &Path, count: usize) -> Outcome<Filled> {
    let store = Arc::new(EmbeddedStore::open(folder, Options::default())?);
    // Apart from those that are stored to.
    let first = 1_000_000;
    let owners = first..first + count / MAILBOX;
    for batch in 0..count / BATCH {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let record = |n: usize| Ok(Record::Message(message(first + n % owners.len())?));
        let records = numbers.map(record).collect::<Outcome<Vec<_>>>()?;
        runtime.block_on(store.merge(records, NOW))?;
    }
    let owners = owners.map(account).collect::<Outcome<_>>()?;
    Ok(Filled { store, owners })
}
