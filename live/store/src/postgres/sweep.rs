//! What is removed in passing: the expired, what other nodes keep, notes that were passed on.
//!
//! As all that changes a mailbox, each step locks the mailboxes concerned, a few at a time.

use std::collections::BTreeSet;

use tokio_postgres::types::ToSql;
use warren_wire::record::Positions;
use warren_wire::{AccountId, Millis, NodeId, swarm};

use super::batch::seen;
use super::load::{BEGIN, LOCK, owner};
use super::number::to_column;
use super::pool::{Lease, Pool};
use super::read::{ask_on, kept_from, old_words};
use super::trouble::Trouble;

/// How many mailboxes one transaction locks at most.
const AT_ONCE: i64 = 500;

/// A writer that was not seen for a day has ended.
const WRITER_LIFE: i64 = 24 * 60 * 60 * 1000;

const DUE: &str = "SELECT owner FROM (\
     SELECT owner FROM message WHERE effective <= $1 \
     UNION SELECT owner FROM owner_order WHERE stamp < $2 AND NOT access) AS due LIMIT $3";

const EMPTY: &str = "DELETE FROM mailbox WHERE owner = ANY($1) \
     AND NOT EXISTS (SELECT 1 FROM message m WHERE m.owner = mailbox.owner) \
     AND NOT EXISTS (SELECT 1 FROM owner_order o WHERE o.owner = mailbox.owner)";

/// How a step ended.
pub(super) struct Step {
    /// How many messages, or messages and orders, it removed.
    pub(super) removed: u64,
    /// Whether there is more to do.
    pub(super) more: bool,
}

/// The owners of some rows.
async fn owners(
    lease: &Lease,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<BTreeSet<AccountId>, Trouble> {
    ask_on(lease, statement, parameters).await?.iter().map(owner).collect()
}

async fn run(
    lease: &Lease,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, Trouble> {
    let client = lease.client()?;
    let statement = client.prepare_cached(statement).await?;
    Ok(client.execute(&statement, parameters).await?)
}

/// Begins a transaction that holds these mailboxes; their owners, as a column.
async fn hold(lease: &Lease, owners: &BTreeSet<AccountId>) -> Result<Vec<Vec<u8>>, Trouble> {
    lease.client()?.batch_execute(BEGIN).await?;
    let column: Vec<_> = owners.iter().map(|owner| owner.as_bytes().to_vec()).collect();
    let positions: Vec<_> = owners.iter().map(|owner| to_column(swarm::position(owner))).collect();
    let none = vec![0_i64; owners.len()];
    run(lease, LOCK, &[&column, &positions, &none]).await?;
    Ok(column)
}

/// One step of [`crate::MailStore::expire`].
pub(super) async fn expire(pool: &Pool, now: Millis) -> Result<Step, Trouble> {
    let lease = pool.lend().await?;
    let outcome = expire_on(&lease, now).await;
    lease.settle(outcome)
}

async fn expire_on(lease: &Lease, now: Millis) -> Result<Step, Trouble> {
    let (due, kept) = (to_column(now), kept_from(now));
    let mut some = owners(lease, DUE, &[&due, &kept, &AT_ONCE]).await?;
    let statement = "SELECT DISTINCT owner FROM owner_order WHERE stamp < $1 AND access";
    let with_words = owners(lease, statement, &[&kept]).await?;
    let with_words: Vec<_> = with_words.iter().map(|owner| owner.as_bytes().to_vec()).collect();
    let spent: Vec<_> = old_words(lease, &with_words, now)
        .await?
        .into_iter()
        .filter_map(|(order, counts)| (!counts).then_some(order))
        .take(usize::try_from(AT_ONCE).unwrap_or_default())
        .collect();
    some.extend(spent.iter().map(|order| order.owner));
    let writers = "DELETE FROM writer WHERE seen < $1";
    run(lease, writers, &[&seen().saturating_sub(WRITER_LIFE)]).await?;
    if some.is_empty() {
        return Ok(Step { removed: 0, more: false });
    }
    let some = hold(lease, &some).await?;
    let messages = "DELETE FROM message WHERE owner = ANY($1) AND effective <= $2";
    let removed = run(lease, messages, &[&some, &due]).await?;
    let rulings = "DELETE FROM ruling WHERE owner = ANY($1) AND stamp < $2";
    run(lease, rulings, &[&some, &kept]).await?;
    let orders = "DELETE FROM owner_order WHERE owner = ANY($1) AND stamp < $2 AND NOT access";
    run(lease, orders, &[&some, &kept]).await?;
    for order in &spent {
        let one = "DELETE FROM owner_order WHERE owner = $1 AND proof = $2 AND stamp = $3";
        let owner = order.owner.as_bytes().as_slice();
        run(lease, one, &[&owner, &order.proof, &to_column(order.stamp.0)]).await?;
    }
    run(lease, EMPTY, &[&some]).await?;
    lease.client()?.batch_execute("COMMIT").await?;
    Ok(Step { removed, more: true })
}

/// One step of [`crate::MailStore::drop_positions`].
pub(super) async fn drop_positions(pool: &Pool, positions: Positions) -> Result<Step, Trouble> {
    let lease = pool.lend().await?;
    let outcome = drop_on(&lease, positions).await;
    lease.settle(outcome)
}

async fn drop_on(lease: &Lease, positions: Positions) -> Result<Step, Trouble> {
    let (first, last) = (to_column(positions.first), to_column(positions.last));
    let statement = "SELECT owner FROM mailbox WHERE position BETWEEN $1 AND $2 LIMIT $3";
    let some = owners(lease, statement, &[&first, &last, &AT_ONCE]).await?;
    if some.is_empty() {
        return Ok(Step { removed: 0, more: false });
    }
    let some = hold(lease, &some).await?;
    let mut removed = run(lease, "DELETE FROM message WHERE owner = ANY($1)", &[&some]).await?;
    removed += run(lease, "DELETE FROM owner_order WHERE owner = ANY($1)", &[&some]).await?;
    run(lease, "DELETE FROM ruling WHERE owner = ANY($1)", &[&some]).await?;
    run(lease, "DELETE FROM mailbox WHERE owner = ANY($1)", &[&some]).await?;
    lease.client()?.batch_execute("COMMIT").await?;
    Ok(Step { removed, more: true })
}

/// See [`crate::MailStore::forget_missed`].
pub(super) async fn forget(pool: &Pool, peer: &NodeId, through: u64) -> Result<(), Trouble> {
    let through = i64::try_from(through).unwrap_or(i64::MAX);
    let lease = pool.lend().await?;
    let statement = "DELETE FROM missed WHERE peer = $1 AND number <= $2";
    let outcome = run(&lease, statement, &[&peer.as_bytes().as_slice(), &through]).await;
    lease.settle(outcome).map(drop)
}
