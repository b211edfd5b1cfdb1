//! What is only read: pages, expiries, items, records.

use std::collections::BTreeMap;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId, Stamp};

use super::load::{damaged, facts, id, order, owner};
use super::number::{from_column, to_column};
use super::pool::{Lease, Pool};
use super::trouble::Trouble;
use crate::mail::{RECORDS_BYTES, RECORDS_ITEMS};
use crate::revocations::Revocations;
use crate::shapes::{Counts, Page, Query, Room, StoredMessage, wire_size};
use crate::union::ORDER_LIFE;

const FORWARD: &str = "SELECT arrival, size FROM message \
     WHERE owner = $1 AND namespace = $2 AND effective > $3 AND arrival > COALESCE(\
     (SELECT arrival FROM message WHERE owner = $1 AND hash = $4 AND namespace = $2 \
     AND effective > $3), 0) ORDER BY arrival LIMIT $5";

const BACKWARD: &str = "SELECT arrival, size FROM message \
     WHERE owner = $1 AND namespace = $2 AND effective > $3 AND arrival < COALESCE(\
     (SELECT arrival FROM message WHERE owner = $1 AND hash = $4 AND namespace = $2 \
     AND effective > $3), 9223372036854775807) ORDER BY arrival DESC LIMIT $5";

const PAGE: &str = "SELECT hash, sent, effective, data FROM message \
     WHERE owner = $1 AND namespace = $2 AND effective > $3 AND arrival = ANY($4) \
     ORDER BY arrival";

const MESSAGE: &str = "owner, hash, namespace, sent, stored, expiry, data, proof";

/// The stamp from which on orders are kept for their age alone.
pub(super) fn kept_from(now: Millis) -> i64 {
    to_column(now.checked_sub(ORDER_LIFE).map_or(0, |time| Stamp::at(time + 1).0))
}

/// Asks once, and settles the lease.
async fn ask(
    lease: Lease,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Trouble> {
    let outcome = ask_on(&lease, statement, parameters).await;
    lease.settle(outcome)
}

pub(super) async fn ask_on(
    lease: &Lease,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<Row>, Trouble> {
    let client = lease.client()?;
    let statement = client.prepare_cached(statement).await?;
    Ok(client.query(&statement, parameters).await?)
}

/// See [`crate::MailStore::retrieve`].
pub(super) async fn page(pool: &Pool, query: &Query, now: Millis) -> Result<Page, Trouble> {
    let lease = pool.lend().await?;
    let owner = query.owner.as_bytes().as_slice();
    let namespace = query.namespace.number();
    let now = to_column(now);
    let after = query.after.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec());
    let by_size = query.max_size / wire_size(0) + 2;
    let most = query.max_count.map_or(by_size, |count| by_size.min(count.saturating_add(1)));
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = if query.newest_first { BACKWARD } else { FORWARD };
    let outcome = async {
        let sizes = ask_on(&lease, statement, &[&owner, &namespace, &now, &after, &most]).await?;
        let mut room = Room::of(query);
        let mut chosen: Vec<i64> = Vec::new();
        for row in &sizes {
            let size: i32 = row.try_get("size")?;
            if !room.take(usize::try_from(size).unwrap_or_default()) {
                break;
            }
            chosen.push(row.try_get("arrival")?);
        }
        let more = chosen.len() < sizes.len();
        if chosen.is_empty() {
            return Ok((Vec::new(), more));
        }
        Ok((ask_on(&lease, PAGE, &[&owner, &namespace, &now, &chosen]).await?, more))
    }
    .await;
    let (rows, more) = lease.settle(outcome)?;
    let messages = rows.iter().map(|row| {
        Ok(StoredMessage {
            hash: MessageHash::from_bytes(id(row, "hash")?),
            timestamp: from_column(row.try_get("sent")?),
            expiry: from_column(row.try_get("effective")?),
            data: row.try_get("data")?,
        })
    });
    let mut messages = messages.collect::<Result<Vec<_>, Trouble>>()?;
    if query.newest_first {
        messages.reverse();
    }
    Ok(Page { messages, more })
}

/// See [`crate::MailStore::expiries`].
pub(super) async fn expiries(
    pool: &Pool,
    owner: &AccountId,
    hashes: Option<&[MessageHash]>,
    now: Millis,
) -> Result<Vec<(MessageHash, Millis)>, Trouble> {
    let owner = owner.as_bytes().as_slice();
    let now = to_column(now);
    let lease = pool.lend().await?;
    let rows = if let Some(hashes) = hashes {
        let names: Vec<_> = hashes.iter().map(|hash| hash.as_bytes().as_slice()).collect();
        let statement = "SELECT hash, effective FROM message \
             WHERE owner = $1 AND effective > $2 AND hash = ANY($3)";
        ask(lease, statement, &[&owner, &now, &names]).await?
    } else {
        let statement = "SELECT hash, effective FROM message WHERE owner = $1 AND effective > $2";
        ask(lease, statement, &[&owner, &now]).await?
    };
    let mut found = BTreeMap::new();
    for row in &rows {
        let hash = MessageHash::from_bytes(id(row, "hash")?);
        found.insert(hash, from_column(row.try_get("effective")?));
    }
    let Some(hashes) = hashes else { return Ok(found.into_iter().collect()) };
    Ok(hashes.iter().filter_map(|hash| found.remove_entry(hash)).collect())
}

/// See [`crate::MailStore::revoked`].
pub(super) async fn revoked(
    pool: &Pool,
    owner: &AccountId,
) -> Result<Vec<SubaccountToken>, Trouble> {
    let statement = "SELECT owner, stamp, change, proof FROM owner_order \
         WHERE owner = $1 AND access";
    let rows = ask(pool.lend().await?, statement, &[&owner.as_bytes().as_slice()]).await?;
    let orders = rows.iter().map(order).collect::<Result<Vec<_>, _>>()?;
    Ok(Revocations::of(&orders).tokens())
}

/// Orders on subaccounts past their age that still count, with their items' names. `owners` are
/// those of which there are such orders.
pub(super) async fn old_words(
    lease: &Lease,
    owners: &[Vec<u8>],
    now: Millis,
) -> Result<Vec<(Order, bool)>, Trouble> {
    if owners.is_empty() {
        return Ok(Vec::new());
    }
    let statement = "SELECT owner, stamp, change, proof FROM owner_order \
         WHERE owner = ANY($1) AND access";
    let rows = ask_on(lease, statement, &[&owners]).await?;
    let mut by_owner: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for row in &rows {
        let order = order(row)?;
        by_owner.entry(order.owner).or_default().push(order);
    }
    let kept_from = Stamp(from_column(kept_from(now)));
    let judged = by_owner.into_values().flat_map(|orders| {
        let revocations = Revocations::of(&orders);
        orders.into_iter().filter(move |order| order.stamp < kept_from).map(move |order| {
            let counts = revocations.hold(&order);
            (order, counts)
        })
    });
    Ok(judged.collect())
}

/// See [`crate::MailStore::some_items`].
pub(super) async fn items(
    pool: &Pool,
    positions: Positions,
    limit: usize,
    now: Millis,
) -> Result<Vec<Item>, Trouble> {
    let lease = pool.lend().await?;
    let stretch = (to_column(positions.first), to_column(positions.last));
    let statement = "SELECT position, stored AS stamp, item FROM message \
         WHERE position BETWEEN $1 AND $2 AND effective > $3 \
         UNION ALL SELECT position, stamp, item FROM owner_order \
         WHERE position BETWEEN $1 AND $2 AND stamp >= $4 LIMIT $5";
    let kept = kept_from(now);
    let most = i64::try_from(limit).unwrap_or(i64::MAX);
    let parameters: [&(dyn ToSql + Sync); 5] =
        [&stretch.0, &stretch.1, &to_column(now), &kept, &most];
    let rows = ask_on(&lease, statement, &parameters).await?;
    let mut items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    let statement = "SELECT DISTINCT owner FROM owner_order \
         WHERE position BETWEEN $1 AND $2 AND stamp < $3 AND access";
    let owners = ask_on(&lease, statement, &[&stretch.0, &stretch.1, &kept]).await?;
    let owners = owners.iter().map(|row| row.try_get(0)).collect::<Result<Vec<_>, _>>()?;
    for (order, counts) in old_words(&lease, &owners, now).await? {
        if counts {
            items.push(Item::order(&order.owner, order.stamp, &order.proof)?);
        }
    }
    lease.give_back();
    items.truncate(limit);
    items.sort_unstable_by_key(|item| (item.stamp, item.id));
    Ok(items)
}

fn item(row: &Row) -> Result<Item, Trouble> {
    Ok(Item {
        position: from_column(row.try_get("position")?),
        stamp: Stamp(from_column(row.try_get("stamp")?)),
        id: id(row, "item")?,
    })
}

/// See [`crate::MailStore::records`].
pub(super) async fn records(pool: &Pool, items: &[Item]) -> Result<(Vec<Record>, usize), Trouble> {
    let items = items.get(..RECORDS_ITEMS).unwrap_or(items);
    let lease = pool.lend().await?;
    let sizes = "SELECT w.place, m.size + COALESCE(length(m.proof), 0) AS size \
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[]) \
         AS w (place, position, stamp, item) JOIN message m \
         ON m.position = w.position AND m.stored = w.stamp AND m.item = w.item \
         UNION ALL SELECT w.place, length(o.proof) AS size \
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[]) \
         AS w (place, position, stamp, item) JOIN owner_order o \
         ON o.position = w.position AND o.stamp = w.stamp AND o.item = w.item";
    let found = columns(&lease, sizes, items).await?;
    let mut by_place = BTreeMap::new();
    for row in &found {
        let size: i32 = row.try_get("size")?;
        by_place.insert(row.try_get::<_, i64>("place")?, usize::try_from(size).unwrap_or_default());
    }
    let (mut looked_at, mut bytes) = (0, 0);
    for place in (0_i64..).take(items.len()) {
        if bytes >= RECORDS_BYTES {
            break;
        }
        bytes += by_place.get(&place).copied().unwrap_or_default();
        looked_at += 1;
    }
    let wanted = items.get(..looked_at).unwrap_or(items);
    let messages = "SELECT w.place, m.owner, m.hash, m.namespace, m.sent, m.stored, m.expiry, \
         m.data, m.proof FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[]) \
         AS w (place, position, stamp, item) JOIN message m \
         ON m.position = w.position AND m.stored = w.stamp AND m.item = w.item";
    let orders = "SELECT w.place, o.owner, o.stamp, o.change, o.proof \
         FROM unnest($1::BIGINT[], $2::BIGINT[], $3::BIGINT[], $4::BYTEA[]) \
         AS w (place, position, stamp, item) JOIN owner_order o \
         ON o.position = w.position AND o.stamp = w.stamp AND o.item = w.item";
    let mut records = BTreeMap::new();
    for row in columns(&lease, messages, wanted).await? {
        records.insert(row.try_get::<_, i64>("place")?, Record::Message(message(&row)?));
    }
    for row in columns(&lease, orders, wanted).await? {
        records.insert(row.try_get("place")?, Record::Order(order(&row)?));
    }
    lease.give_back();
    Ok((records.into_values().collect(), looked_at))
}

/// Asks for items, each with its place among them.
async fn columns(lease: &Lease, statement: &str, items: &[Item]) -> Result<Vec<Row>, Trouble> {
    let places: Vec<i64> = (0..).take(items.len()).collect();
    let positions: Vec<_> = items.iter().map(|item| to_column(item.position)).collect();
    let stamps: Vec<_> = items.iter().map(|item| to_column(item.stamp.0)).collect();
    let names: Vec<_> = items.iter().map(|item| item.id.as_slice()).collect();
    ask_on(lease, statement, &[&places, &positions, &stamps, &names]).await
}

fn message(row: &Row) -> Result<MessageRecord, Trouble> {
    let facts = facts(row)?;
    Ok(MessageRecord {
        owner: owner(row)?,
        namespace: facts.namespace,
        hash: facts.hash,
        timestamp: facts.timestamp,
        expiry: facts.expiry,
        stored: facts.stored,
        data: row.try_get("data")?,
        proof: row.try_get("proof")?,
    })
}

/// See [`crate::MailStore::mailbox`].
pub(super) async fn mailbox(
    pool: &Pool,
    owner: &AccountId,
    now: Millis,
) -> Result<Vec<Record>, Trouble> {
    let lease = pool.lend().await?;
    let bytes = owner.as_bytes().as_slice();
    let statement = format!(
        "SELECT {MESSAGE} FROM message WHERE owner = $1 AND effective > $2 ORDER BY arrival"
    );
    let rows = ask_on(&lease, &statement, &[&bytes, &to_column(now)]).await?;
    let mut records =
        rows.iter().map(|row| message(row).map(Record::Message)).collect::<Result<Vec<_>, _>>()?;
    let statement = "SELECT owner, stamp, change, proof FROM owner_order WHERE owner = $1 \
         ORDER BY stamp, proof";
    let rows = ask_on(&lease, statement, &[&bytes]).await?;
    lease.give_back();
    let orders = rows.iter().map(order).collect::<Result<Vec<_>, _>>()?;
    let revocations = Revocations::of(&orders);
    let kept_from = Stamp(from_column(kept_from(now)));
    let kept = |order: &Order| order.stamp >= kept_from || revocations.hold(order);
    records.extend(orders.into_iter().filter(kept).map(Record::Order));
    Ok(records)
}

/// See [`crate::MailStore::missed`].
pub(super) async fn missed(
    pool: &Pool,
    peer: &NodeId,
    limit: usize,
) -> Result<Vec<(u64, Item)>, Trouble> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let statement = "SELECT number, position, stamp, item FROM missed WHERE peer = $1 \
         ORDER BY number LIMIT $2";
    let rows = ask(pool.lend().await?, statement, &[&peer.as_bytes().as_slice(), &limit]).await?;
    let note = |row: &Row| {
        let number: i64 = row.try_get("number")?;
        Ok((u64::try_from(number).map_err(|_| damaged("a note's number"))?, item(row)?))
    };
    rows.iter().map(note).collect()
}

/// See [`crate::MailStore::counts`].
pub(super) async fn counts(pool: &Pool) -> Result<Counts, Trouble> {
    let statement = "SELECT (SELECT COUNT(*) FROM message), (SELECT COUNT(*) FROM owner_order)";
    let rows = ask(pool.lend().await?, statement, &[]).await?;
    let row = rows.first().ok_or_else(|| damaged("a count"))?;
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    Ok(Counts { messages: count(row.try_get(0)?), orders: count(row.try_get(1)?) })
}
