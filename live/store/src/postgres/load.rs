//! The first half of a transaction: locks, and what must be known of the mailboxes.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use warren_wire::record::{Drawers, ItemId, Order};
use warren_wire::{AccountId, MessageHash, Namespace, Stamp, swarm};

use super::batch::State;
use super::change;
use super::mailbox::Need;
use super::number::{from_column, to_column};
use super::pool::Lease;
use super::read::ask_on;
use super::trouble::Trouble;
use crate::StoreError;
use crate::quota::{Amount, Share};
use crate::union::{Facts, Rule, Ruling};

pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// No row comes back where the batch was committed before.
const BATCH: &str = "INSERT INTO writer (id, batch, seen) VALUES ($1, $2, $3) \
     ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, seen = excluded.seen \
     WHERE writer.batch < excluded.batch RETURNING batch";

/// Owners come sorted, so that two transactions never wait for each other.
pub(super) const LOCK: &str = "INSERT INTO mailbox (owner, position, arrivals) \
     SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BIGINT[]) \
     ON CONFLICT (owner) DO UPDATE SET arrivals = mailbox.arrivals + excluded.arrivals \
     RETURNING owner, arrivals";

const BY_HASH: &str = "SELECT m.owner, m.hash, m.namespace, m.arrival, m.sent, m.stored, \
     m.expiry, m.effective \
     FROM unnest($1::BYTEA[], $2::BYTEA[]) AS w (owner, hash) \
     JOIN message m ON m.owner = w.owner AND m.hash = w.hash";

const BY_DRAWER: &str = "SELECT m.owner, m.hash, m.namespace, m.arrival, m.sent, m.stored, \
     m.expiry, m.effective \
     FROM unnest($1::BYTEA[], $2::SMALLINT[], $3::BOOLEAN[]) AS w (owner, namespace, whole) \
     JOIN message m ON m.owner = w.owner AND (w.whole OR m.namespace = w.namespace)";

/// Those for drawers, for the messages named, and for the messages of drawers.
const RULINGS: &str = "SELECT r.owner, r.hash, r.name, r.stamp, r.namespace, r.rule, r.till \
     FROM ruling r WHERE r.owner = ANY($1) AND r.hash = ''::BYTEA \
     UNION SELECT r.owner, r.hash, r.name, r.stamp, r.namespace, r.rule, r.till \
     FROM unnest($2::BYTEA[], $3::BYTEA[]) AS w (owner, hash) \
     JOIN ruling r ON r.owner = w.owner AND r.hash = w.hash \
     UNION SELECT r.owner, r.hash, r.name, r.stamp, r.namespace, r.rule, r.till \
     FROM unnest($4::BYTEA[], $5::SMALLINT[], $6::BOOLEAN[]) AS w (owner, namespace, whole) \
     JOIN message m ON m.owner = w.owner AND (w.whole OR m.namespace = w.namespace) \
     JOIN ruling r ON r.owner = m.owner AND r.hash = m.hash";

const ORDERS: &str = "SELECT o.owner, o.name, o.stamp, o.change, o.proof \
     FROM unnest($1::BYTEA[], $2::BYTEA[]) AS w (owner, name) \
     JOIN owner_order o ON o.owner = w.owner AND o.name = w.name \
     UNION SELECT o.owner, o.name, o.stamp, o.change, o.proof \
     FROM owner_order o WHERE o.owner = ANY($3) AND o.access";

const HELD: &str = "SELECT owner, share, COUNT(*) AS orders, SUM(length(proof))::BIGINT AS bytes \
     FROM owner_order WHERE owner = ANY($1) GROUP BY owner, share";

/// The needs of all mailboxes, as columns.
#[derive(Default)]
struct Columns {
    owners: Vec<Vec<u8>>,
    positions: Vec<i64>,
    arrivals: Vec<i64>,
    hash_owners: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
    drawer_owners: Vec<Vec<u8>>,
    drawers: Vec<i16>,
    wholes: Vec<bool>,
    order_owners: Vec<Vec<u8>>,
    orders: Vec<Vec<u8>>,
    access: Vec<Vec<u8>>,
}

impl Columns {
    fn of(needs: &BTreeMap<AccountId, Need>) -> Self {
        let mut columns = Self::default();
        for (owner, need) in needs {
            columns.add(owner, need);
        }
        columns
    }

    fn add(&mut self, owner: &AccountId, need: &Need) {
        let owner_bytes = || owner.as_bytes().to_vec();
        self.owners.push(owner_bytes());
        self.positions.push(to_column(swarm::position(owner)));
        self.arrivals.push(need.arrivals);
        for hash in &need.hashes {
            self.hash_owners.push(owner_bytes());
            self.hashes.push(hash.as_bytes().to_vec());
        }
        let mut drawer = |namespace: Namespace, whole| {
            self.drawer_owners.push(owner_bytes());
            self.drawers.push(namespace.number());
            self.wholes.push(whole);
        };
        if need.whole {
            drawer(Namespace::DIRECT, true);
        } else {
            need.drawers.iter().for_each(|namespace| drawer(*namespace, false));
        }
        for name in &need.orders {
            self.order_owners.push(owner_bytes());
            self.orders.push(name.to_vec());
        }
        if need.access {
            self.access.push(owner_bytes());
        }
    }
}

/// Rows of a statement that is skipped where it could find nothing.
async fn ask(
    lease: &Lease,
    wanted: bool,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Trouble> {
    if wanted { ask_on(lease, statement, parameters).await } else { Ok(Vec::new()) }
}

/// Begins a transaction and reads what jobs need; says whether the batch is not committed yet.
pub(super) async fn begin<'a>(
    lease: &Lease,
    writer: &[u8; 16],
    batch: i64,
    seen: i64,
    needs: &BTreeMap<AccountId, Need>,
) -> Result<(State<'a>, bool), Trouble> {
    let columns = Columns::of(needs);
    let client = lease.client()?;
    let id = writer.as_slice();
    let c = &columns;
    let locked = !c.owners.is_empty();
    let drawers = !c.drawers.is_empty();
    // All are sent before the first is answered; the database takes them one after the other.
    let (begun, fresh, locks, by_hash, by_drawer, rulings, orders, held) = tokio::join!(
        biased;
        client.batch_execute(BEGIN),
        async { ask(lease, true, BATCH, &[&id, &batch, &seen]).await },
        async { ask(lease, locked, LOCK, &[&c.owners, &c.positions, &c.arrivals]).await },
        async { ask(lease, !c.hashes.is_empty(), BY_HASH, &[&c.hash_owners, &c.hashes]).await },
        async { ask(lease, drawers, BY_DRAWER, &[&c.drawer_owners, &c.drawers, &c.wholes]).await },
        async { ask(
            lease,
            locked,
            RULINGS,
            &[&c.owners, &c.hash_owners, &c.hashes, &c.drawer_owners, &c.drawers, &c.wholes],
        ).await },
        async { ask(
            lease,
            !c.orders.is_empty() || !c.access.is_empty(),
            ORDERS,
            &[&c.order_owners, &c.orders, &c.access],
        ).await },
        async { ask(lease, !c.orders.is_empty(), HELD, &[&c.order_owners]).await },
    );
    begun?;
    let fresh = !fresh?.is_empty();
    let mut state = State::default();
    for row in locks? {
        let owner = owner(&row)?;
        let last: i64 = row.try_get("arrivals")?;
        let taken = needs.get(&owner).map_or(0, |need| need.arrivals);
        state.mailbox(&owner).arrivals = last.saturating_sub(taken);
    }
    for row in by_hash?.into_iter().chain(by_drawer?) {
        let (facts, effective) = (facts(&row)?, from_column(row.try_get("effective")?));
        state.mailbox(&owner(&row)?).add_row(facts, row.try_get("arrival")?, effective);
    }
    for row in rulings? {
        state.mailbox(&owner(&row)?).add_ruling(self::id(&row, "name")?, ruling(&row)?);
    }
    for row in orders? {
        let order = order(&row)?;
        state.mailbox(&order.owner).add_order(self::id(&row, "name")?, order);
    }
    for row in held? {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let (orders, bytes) = (count(row.try_get("orders")?), count(row.try_get("bytes")?));
        if let Some(share) = share(row.try_get("share")?) {
            *state.mailbox(&owner(&row)?).held.share(share) = Amount { orders, bytes };
        }
    }
    Ok((state, fresh))
}

pub(super) fn owner(row: &Row) -> Result<AccountId, Trouble> {
    let bytes: &[u8] = row.try_get("owner")?;
    AccountId::from_bytes(bytes).map_err(|_| damaged("an owner"))
}

pub(super) fn damaged(what: &str) -> Trouble {
    StoreError::Corrupt(format!("{what} in the database")).into()
}

/// 32 bytes of a row.
pub(super) fn id(row: &Row, column: &str) -> Result<ItemId, Trouble> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| damaged("a name"))
}

/// The facts of a message.
pub(super) fn facts(row: &Row) -> Result<Facts, Trouble> {
    Ok(Facts {
        namespace: Namespace::new(row.try_get("namespace")?),
        hash: MessageHash::from_bytes(id(row, "hash")?),
        timestamp: from_column(row.try_get("sent")?),
        stored: Stamp(from_column(row.try_get("stored")?)),
        expiry: from_column(row.try_get("expiry")?),
    })
}

/// An order, from owner, stamp, change and proof.
pub(super) fn order(row: &Row) -> Result<Order, Trouble> {
    Ok(Order {
        owner: owner(row)?,
        stamp: Stamp(from_column(row.try_get("stamp")?)),
        change: change::decode(row.try_get("change")?)?,
        proof: row.try_get("proof")?,
    })
}

/// What an order is counted against, as a column.
pub(super) fn share_column(order: &Order) -> i16 {
    match Share::of(order) {
        Some(Share::Owner) => 0,
        Some(Share::Subaccounts) => 1,
        None => 2,
    }
}

const fn share(column: i16) -> Option<Share> {
    match column {
        0 => Some(Share::Owner),
        1 => Some(Share::Subaccounts),
        _ => None,
    }
}

/// A rule as two columns.
pub(super) const fn rule_columns(rule: Rule) -> (i16, i64) {
    match rule {
        Rule::Remove => (0, 0),
        Rule::RemoveUpTo(till) => (1, to_column(till)),
        Rule::Set(till) => (2, to_column(till)),
        Rule::Extend(till) => (3, to_column(till)),
        Rule::Shorten(till) => (4, to_column(till)),
        Rule::Replace(till) => (5, to_column(till)),
    }
}

fn ruling(row: &Row) -> Result<Ruling, Trouble> {
    let hash: &[u8] = row.try_get("hash")?;
    let namespace: Option<i16> = row.try_get("namespace")?;
    let till = from_column(row.try_get("till")?);
    Ok(Ruling {
        stamp: Stamp(from_column(row.try_get("stamp")?)),
        hash: if hash.is_empty() { None } else { Some(MessageHash::from_bytes(id(row, "hash")?)) },
        drawers: namespace.map_or(Drawers::All, |number| Drawers::One(Namespace::new(number))),
        rule: match row.try_get::<_, i16>("rule")? {
            0 => Rule::Remove,
            1 => Rule::RemoveUpTo(till),
            2 => Rule::Set(till),
            3 => Rule::Extend(till),
            4 => Rule::Shorten(till),
            5 => Rule::Replace(till),
            _ => return Err(damaged("a ruling")),
        },
    })
}
