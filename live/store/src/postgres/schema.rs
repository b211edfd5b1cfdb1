//! The tables, and how a database comes to have them.
//!
//! Only what PostgreSQL, CockroachDB and YugabyteDB all have. Unsigned numbers are shifted into
//! signed columns (see `number`): `stored`, `expiry`, `effective`, `sent`, `stamp`, `position`,
//! `till`.

use super::pool::Pool;
use super::trouble::Trouble;
use crate::StoreError;
use tokio_postgres::error::SqlState;

/// The newest format this version knows.
pub(super) const VERSION: u32 = 2;

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS warren_schema \
     (name TEXT PRIMARY KEY, version BIGINT NOT NULL)";

/// What makes each format of the one before. Every statement may run again, also beside another
/// process that runs it.
const STEPS: [&[&str]; 2] = [
    &[
        // Whoever writes to a mailbox locks its row first and counts arrivals in it: so they are
        // numbered in the order of their commits.
        "CREATE TABLE IF NOT EXISTS mailbox (
        owner BYTEA PRIMARY KEY, position BIGINT NOT NULL, arrivals BIGINT NOT NULL)",
        "CREATE INDEX IF NOT EXISTS mailbox_position ON mailbox (position, owner)",
        // `expiry` is what the record says, `effective` what follows with all orders.
        "CREATE TABLE IF NOT EXISTS message (
        owner BYTEA NOT NULL, hash BYTEA NOT NULL, namespace SMALLINT NOT NULL,
        arrival BIGINT NOT NULL, sent BIGINT NOT NULL, stored BIGINT NOT NULL,
        expiry BIGINT NOT NULL, effective BIGINT NOT NULL, position BIGINT NOT NULL,
        item BYTEA NOT NULL, size INTEGER NOT NULL, data BYTEA NOT NULL, proof BYTEA,
        PRIMARY KEY (owner, hash))",
        "CREATE INDEX IF NOT EXISTS message_arrival ON message (owner, namespace, arrival)",
        "CREATE INDEX IF NOT EXISTS message_item ON message (position, stored, item, effective)",
        "CREATE INDEX IF NOT EXISTS message_effective ON message (effective, owner)",
        // `name` is the order's, whatever its stamp; `access` says that it is on subaccounts.
        "CREATE TABLE IF NOT EXISTS owner_order (
        owner BYTEA NOT NULL, name BYTEA NOT NULL, stamp BIGINT NOT NULL,
        position BIGINT NOT NULL, item BYTEA NOT NULL, access BOOLEAN NOT NULL,
        change BYTEA NOT NULL, proof BYTEA NOT NULL,
        PRIMARY KEY (owner, name))",
        "CREATE INDEX IF NOT EXISTS owner_order_item ON owner_order (position, stamp, item)",
        "CREATE INDEX IF NOT EXISTS owner_order_age ON owner_order (stamp, owner)",
        // What orders rule, by message; `hash` is empty where it is for drawers, and `namespace` is
        // missing where it is for all.
        "CREATE TABLE IF NOT EXISTS ruling (
        owner BYTEA NOT NULL, hash BYTEA NOT NULL, name BYTEA NOT NULL, place INTEGER NOT NULL,
        stamp BIGINT NOT NULL, namespace SMALLINT, rule SMALLINT NOT NULL, till BIGINT NOT NULL,
        PRIMARY KEY (owner, hash, name, place))",
        "CREATE INDEX IF NOT EXISTS ruling_age ON ruling (stamp, owner)",
        "CREATE TABLE IF NOT EXISTS missed_peer (peer BYTEA PRIMARY KEY, noted BIGINT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS missed (
        peer BYTEA NOT NULL, number BIGINT NOT NULL, position BIGINT NOT NULL,
        stamp BIGINT NOT NULL, item BYTEA NOT NULL,
        PRIMARY KEY (peer, number))",
        // The last batch that each writer committed: a commit without an answer is looked up here.
        "CREATE TABLE IF NOT EXISTS writer (
        id BYTEA PRIMARY KEY, batch BIGINT NOT NULL, seen BIGINT NOT NULL)",
    ],
    &[
        // What an order is counted against: 0 what its owner may have, 1 what the owner's subaccounts
        // may, 2 neither.
        "ALTER TABLE owner_order ADD COLUMN IF NOT EXISTS share SMALLINT NOT NULL DEFAULT 0",
    ],
];

/// Makes the tables, or those that an older version did not have.
///
/// # Errors
/// [`StoreError::Newer`] where a newer version made them.
pub(super) async fn migrate(pool: &Pool) -> Result<(), Trouble> {
    let lease = pool.lend().await?;
    let outcome = bring_up(lease.client()?).await.map_err(|error| {
        let beside = beside_another(&error);
        let trouble = Trouble::from(error);
        match trouble {
            // Another process makes the same table at this moment.
            Trouble::Final(error) if beside => Trouble::Passing(error.to_string()),
            other => other,
        }
    });
    let found = lease.settle(outcome)?;
    if found > i64::from(VERSION) {
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        return Err(StoreError::Newer { found, known: VERSION }.into());
    }
    Ok(())
}

fn beside_another(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [
            SqlState::UNIQUE_VIOLATION,
            SqlState::DUPLICATE_TABLE,
            SqlState::DUPLICATE_OBJECT,
            SqlState::DUPLICATE_COLUMN,
            SqlState::UNDEFINED_TABLE,
        ]
        .contains(code)
    })
}

async fn bring_up(client: &tokio_postgres::Client) -> Result<i64, tokio_postgres::Error> {
    client.batch_execute(VERSIONS).await?;
    let read = "SELECT version FROM warren_schema WHERE name = 'mail'";
    let found: i64 = client.query_opt(read, &[]).await?.map_or(Ok(0), |row| row.try_get(0))?;
    let done = usize::try_from(found).unwrap_or_default();
    if done >= STEPS.len() {
        return Ok(found);
    }
    for step in STEPS.get(done..).unwrap_or_default() {
        for statement in *step {
            client.batch_execute(statement).await?;
        }
    }
    // A newer version may have come first: its number stays.
    let write = "INSERT INTO warren_schema (name, version) VALUES ('mail', $1) \
         ON CONFLICT (name) DO UPDATE SET version = excluded.version \
         WHERE warren_schema.version < excluded.version";
    client.execute(write, &[&i64::from(VERSION)]).await?;
    client.query_one(read, &[]).await?.try_get(0)
}
