//! A node's storage engine, 64 tasks at once, beside an append-only log, redis and Session's
//! schema.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use warren_crypto::{SystemEntropy, entropy};
use warren_store::{EmbeddedStore, MailStore, Options, Query};
use warren_wire::limits::{MAX_RETRIEVE_BYTES, MESSAGE_TTL};
use warren_wire::record::MessageRecord;
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::contest::{self, Contestant};
use crate::redis::{REDIS, Redis};
use crate::row::{Basis, Goal};
use crate::store_opponents::{AppendLog, SessionTables};
use crate::{Effort, Outcome, Row};

/// How many ask at the same time.
pub(crate) const TASKS: usize = 64;
/// Bytes of each message.
pub(crate) const MESSAGE_BYTES: usize = 1_024;
/// How many mailboxes share the messages.
const OWNERS: usize = 1_000;
/// How many messages lie in a mailbox that is read.
pub(crate) const MAILBOX: usize = 20;
pub(crate) const NOW: Millis = 1_700_000_000_000;
const LOG: &str = "floor: log, append + fdatasync by group";
const SESSION: &str = "Session's schema, WAL NORMAL, not durable";

/// Measures storing, and reading mailboxes of 20 messages, in a folder under `scratch`.
///
/// # Errors
/// Where the disk fails, or what was stored is not there.
pub fn rows(effort: Effort, scratch: &Path) -> Outcome<Vec<Row>> {
    let folder = tempfile::tempdir_in(scratch)?;
    let runtime = Runtime::new()?;
    let store = Arc::new(EmbeddedStore::open(&folder.path().join("mail"), Options::default())?);
    let mut session = SessionTables::open(&folder.path().join("session.db"))?;
    let stored = store_row(effort, &runtime, &store, &mut session, folder.path())?;
    let read = retrieve_row(effort, &runtime, &store, &mut session)?;
    runtime.block_on(store.close());
    Ok(vec![stored, read])
}

fn store_row(
    effort: Effort,
    runtime: &Runtime,
    store: &Arc<EmbeddedStore>,
    session: &mut SessionTables,
    folder: &Path,
) -> Outcome<Row> {
    let log = Arc::new(AppendLog::open(&folder.join("log"))?);
    let redis = runtime.block_on(Redis::start(&folder.join("redis")))?;
    let mut contestants = vec![
        Contestant::burst("warren", |count| runtime.block_on(store_all(store, count))),
        Contestant::burst(LOG, |count| runtime.block_on(append_all(&log, count))),
        Contestant::burst(SESSION, |count| {
            (0..count).try_for_each(|at| session.store(&message(at % OWNERS)?))
        }),
    ];
    if let Some(redis) = &redis {
        let store = |count| runtime.block_on(redis.store_all(count));
        contestants.push(Contestant::burst(REDIS, store).with_process(redis.id()));
    }
    let results = contest::of_bursts(effort.with_rounds(9), contestants)?;
    Ok(Row::of_contest("store", "1 KiB, durable, 64 tasks", Basis::Rate, &results)
        .with_goal(LOG, Goal::at_least("P5", 0.5))
        .with_goal(REDIS, Goal::at_least("P5", 1.2))
        .with_goal(SESSION, Goal::at_least("P7", 1.3)))
}

fn retrieve_row(
    effort: Effort,
    runtime: &Runtime,
    store: &Arc<EmbeddedStore>,
    session: &mut SessionTables,
) -> Outcome<Row> {
    let owners = OWNERS..OWNERS + TASKS;
    for owner in owners.clone() {
        for _ in 0..MAILBOX {
            let message = message(owner)?;
            session.store(&message)?;
            runtime.block_on(store.store(message, NOW))?;
        }
    }
    let owners: Arc<[AccountId]> = owners.map(account).collect::<Outcome<_>>()?;
    let results = contest::of_bursts(
        effort.with_rounds(9),
        vec![
            Contestant::burst("warren", |count| {
                runtime.block_on(retrieve_all(store, &owners, count))
            }),
            Contestant::burst(SESSION, |count| {
                (0..count)
                    .try_for_each(|at| expect_mailbox(session.retrieve(&owner(&owners, at)?, NOW)?))
            }),
        ],
    )?;
    Ok(Row::of_contest("retrieve", "mailbox of 20 x 1 KiB, 64 tasks", Basis::Rate, &results))
}

pub(crate) async fn store_all(store: &Arc<EmbeddedStore>, count: usize) -> Outcome<()> {
    side_by_side(store, count, |store, at| async move {
        Ok(store.store(message(at % OWNERS)?, NOW).await.map(|_| ())?)
    })
    .await
}

async fn append_all(log: &Arc<AppendLog>, count: usize) -> Outcome<()> {
    side_by_side(log, count, |log, at| async move { log.append(message(at % OWNERS)?).await }).await
}

pub(crate) async fn retrieve_all(
    store: &Arc<EmbeddedStore>,
    owners: &Arc<[AccountId]>,
    count: usize,
) -> Outcome<()> {
    let context = (Arc::clone(store), Arc::clone(owners));
    side_by_side(&context, count, |(store, owners), at| async move {
        let query = Query {
            owner: owner(&owners, at)?,
            namespace: Namespace::DIRECT,
            after: None,
            max_count: None,
            max_size: MAX_RETRIEVE_BYTES,
            newest_first: false,
        };
        expect_mailbox(store.retrieve(query, NOW).await?.messages.len())
    })
    .await
}

/// The owner of the mailbox that the operation of this number reads.
fn owner(owners: &[AccountId], at: usize) -> Outcome<AccountId> {
    Ok(owners.get(at % owners.len().max(1)).copied().ok_or("no mailbox to read")?)
}

fn expect_mailbox(found: usize) -> Outcome<()> {
    if found == MAILBOX { Ok(()) } else { Err(format!("{found} messages of {MAILBOX}").into()) }
}

/// Carries out operations, each with its number, of which [`TASKS`] are under way at any time;
/// each gets what they share.
pub(crate) async fn side_by_side<S, F>(
    shared: &S,
    count: usize,
    operation: fn(S, usize) -> F,
) -> Outcome<()>
where
    S: Clone + Send + 'static,
    F: Future<Output = Outcome<()>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for task in 0..TASKS.min(count) {
        let shared = shared.clone();
        tasks.spawn(async move {
            for at in (task..count).step_by(TASKS) {
                operation(shared.clone(), at).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// A mailbox by its number.
pub(crate) fn account(number: usize) -> Outcome<AccountId> {
    let mut bytes = [0; 33];
    let [prefix, rest @ ..] = &mut bytes;
    *prefix = 0x05;
    for (to, from) in rest.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    Ok(AccountId::from_bytes(&bytes)?)
}

/// A message that was not there before.
pub(crate) fn message(owner: usize) -> Outcome<MessageRecord> {
    let unique: [u8; 32] = entropy::random(&mut SystemEntropy);
    Ok(MessageRecord {
        owner: account(owner)?,
        namespace: Namespace::DIRECT,
        hash: MessageHash::from_bytes(unique),
        timestamp: NOW,
        expiry: NOW + MESSAGE_TTL,
        data: unique.repeat(MESSAGE_BYTES / unique.len()),
        stored: Stamp::at(NOW),
        proof: None,
    })
}
