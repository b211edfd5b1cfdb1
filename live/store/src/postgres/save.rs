//! The second half of a transaction: what became of the mailboxes, and the commit.

use tokio_postgres::types::ToSql;
use warren_wire::record::{Drawers, Item, Order};
use warren_wire::{AccountId, Millis, NodeId, swarm};

use super::batch::State;
use super::change;
use super::load::{rule_columns, share_column};
use super::mailbox::Row;
use super::number::to_column;
use super::pool::Lease;
use super::trouble::Trouble;
use crate::revocations::is_access;
use crate::union;

/// Makes of any transaction one that writes: its commit waits for the standbys even where all else
/// was there before.
const TOUCH: &str = "UPDATE writer SET seen = $2 WHERE id = $1";

const DELETE: &str = "DELETE FROM message WHERE (owner, hash) IN \
     (SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[]))";

const FORGET: &str = "DELETE FROM owner_order WHERE (owner, name) IN \
     (SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[]))";

/// Those that are forgotten are for whole drawers.
const UNRULE: &str = "DELETE FROM ruling WHERE hash = ''::BYTEA AND (owner, name) IN \
     (SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[]))";

const INSERT: &str = "INSERT INTO message (owner, hash, namespace, arrival, sent, stored, expiry, \
     effective, position, item, size, data, proof) \
     SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::SMALLINT[], $4::BIGINT[], $5::BIGINT[], \
     $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::BIGINT[], $10::BYTEA[], $11::INTEGER[], \
     $12::BYTEA[], $13::BYTEA[]) \
     ON CONFLICT (owner, hash) DO UPDATE SET namespace = excluded.namespace, \
     arrival = excluded.arrival, sent = excluded.sent, stored = excluded.stored, \
     expiry = excluded.expiry, effective = excluded.effective, item = excluded.item, \
     size = excluded.size, data = excluded.data, proof = excluded.proof";

const UPDATE: &str = "UPDATE message m SET namespace = w.namespace, sent = w.sent, \
     stored = w.stored, expiry = w.expiry, effective = w.effective, item = w.item \
     FROM (SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::SMALLINT[], $4::BIGINT[], \
     $5::BIGINT[], $6::BIGINT[], $7::BIGINT[], $8::BYTEA[])) \
     AS w (owner, hash, namespace, sent, stored, expiry, effective, item) \
     WHERE m.owner = w.owner AND m.hash = w.hash";

const ORDERS: &str = "INSERT INTO owner_order \
     (owner, name, stamp, position, item, access, share, change, proof) \
     SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[], $5::BYTEA[], \
     $6::BOOLEAN[], $7::SMALLINT[], $8::BYTEA[], $9::BYTEA[]) \
     ON CONFLICT (owner, name) DO UPDATE SET stamp = excluded.stamp, item = excluded.item, \
     share = excluded.share, change = excluded.change";

const RULINGS: &str = "INSERT INTO ruling (owner, hash, name, place, stamp, namespace, rule, till) \
     SELECT * FROM unnest($1::BYTEA[], $2::BYTEA[], $3::BYTEA[], $4::INTEGER[], $5::BIGINT[], \
     $6::SMALLINT[], $7::SMALLINT[], $8::BIGINT[]) \
     ON CONFLICT (owner, hash, name, place) DO UPDATE SET stamp = excluded.stamp, \
     namespace = excluded.namespace, rule = excluded.rule, till = excluded.till";

/// Counts on in the peer's row, so that numbers follow the order of commits.
const NOTES: &str = "WITH peer AS (INSERT INTO missed_peer (peer, noted) VALUES ($1, $2) \
     ON CONFLICT (peer) DO UPDATE SET noted = missed_peer.noted + excluded.noted \
     RETURNING noted) \
     INSERT INTO missed (peer, number, position, stamp, item) \
     SELECT $1, peer.noted - $2 + w.place, w.position, w.stamp, w.item \
     FROM peer, unnest($3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::BYTEA[]) \
     AS w (place, position, stamp, item)";

/// Messages as columns; where `data` is filled, with their bytes.
#[derive(Default)]
struct Messages<'a> {
    owner: Vec<&'a [u8]>,
    hash: Vec<Vec<u8>>,
    namespace: Vec<i16>,
    arrival: Vec<i64>,
    sent: Vec<i64>,
    stored: Vec<i64>,
    expiry: Vec<i64>,
    effective: Vec<i64>,
    position: Vec<i64>,
    item: Vec<Vec<u8>>,
    size: Vec<i32>,
    data: Vec<&'a [u8]>,
    proof: Vec<Option<&'a [u8]>>,
}

impl<'a> Messages<'a> {
    fn add(
        &mut self,
        owner: &'a AccountId,
        row: &Row<'a>,
        effective: Millis,
    ) -> Result<(), Trouble> {
        let facts = &row.facts;
        let item = Item::message(owner, facts.namespace, &facts.hash, facts.stored, facts.expiry)?;
        self.owner.push(owner.as_bytes());
        self.hash.push(facts.hash.as_bytes().to_vec());
        self.namespace.push(facts.namespace.number());
        self.arrival.push(row.arrival);
        self.sent.push(to_column(facts.timestamp));
        self.stored.push(to_column(facts.stored.0));
        self.expiry.push(to_column(facts.expiry));
        self.effective.push(to_column(effective));
        self.position.push(to_column(item.position));
        self.item.push(item.id.to_vec());
        if let Some(source) = row.source {
            self.size.push(i32::try_from(source.data.len()).unwrap_or(i32::MAX));
            self.data.push(&source.data);
            self.proof.push(source.proof.as_deref());
        }
        Ok(())
    }
}

/// Orders and what they rule, as columns.
#[derive(Default)]
struct Orders {
    owner: Vec<Vec<u8>>,
    name: Vec<Vec<u8>>,
    stamp: Vec<i64>,
    position: Vec<i64>,
    item: Vec<Vec<u8>>,
    access: Vec<bool>,
    share: Vec<i16>,
    change: Vec<Vec<u8>>,
    proof: Vec<Vec<u8>>,
    ruling_owner: Vec<Vec<u8>>,
    ruling_hash: Vec<Vec<u8>>,
    ruling_name: Vec<Vec<u8>>,
    ruling_place: Vec<i32>,
    ruling_stamp: Vec<i64>,
    ruling_namespace: Vec<Option<i16>>,
    rule: Vec<i16>,
    till: Vec<i64>,
}

impl Orders {
    fn add(&mut self, name: &[u8], order: &Order) -> Result<(), Trouble> {
        let owner = order.owner.as_bytes();
        let item = Item::order(&order.owner, order.stamp, &order.proof)?;
        self.owner.push(owner.to_vec());
        self.name.push(name.to_vec());
        self.stamp.push(to_column(order.stamp.0));
        self.position.push(to_column(swarm::position(&order.owner)));
        self.item.push(item.id.to_vec());
        self.access.push(is_access(&order.change));
        self.share.push(share_column(order));
        self.change.push(change::encode(&order.change));
        self.proof.push(order.proof.clone());
        for (place, ruling) in (0..).zip(union::rulings(order)) {
            let (rule, till) = rule_columns(ruling.rule);
            self.ruling_owner.push(owner.to_vec());
            self.ruling_hash.push(ruling.hash.map_or_else(Vec::new, |h| h.as_bytes().to_vec()));
            self.ruling_name.push(name.to_vec());
            self.ruling_place.push(place);
            self.ruling_stamp.push(to_column(ruling.stamp.0));
            self.ruling_namespace.push(match ruling.drawers {
                Drawers::One(namespace) => Some(namespace.number()),
                Drawers::All => None,
            });
            self.rule.push(rule);
            self.till.push(till);
        }
        Ok(())
    }
}

async fn run(
    lease: &Lease,
    wanted: bool,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<u64, Trouble> {
    if !wanted {
        return Ok(0);
    }
    let client = lease.client()?;
    let statement = client.prepare_cached(statement).await?;
    Ok(client.execute(&statement, parameters).await?)
}

/// Notes what peers missed.
async fn note(lease: &Lease, peer: &NodeId, items: &[Item]) -> Result<u64, Trouble> {
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let places: Vec<i64> = (1..=count).collect();
    let positions: Vec<_> = items.iter().map(|item| to_column(item.position)).collect();
    let stamps: Vec<_> = items.iter().map(|item| to_column(item.stamp.0)).collect();
    let ids: Vec<_> = items.iter().map(|item| item.id.to_vec()).collect();
    let peer = peer.as_bytes().as_slice();
    run(lease, count > 0, NOTES, &[&peer, &count, &places, &positions, &stamps, &ids]).await
}

/// Writes what changed and commits.
pub(super) async fn commit(
    lease: &Lease,
    writer: &[u8; 16],
    seen: i64,
    state: &State<'_>,
) -> Result<(), Trouble> {
    let (mut gone_owner, mut gone_hash) = (Vec::new(), Vec::new());
    let (mut spent_owner, mut spent_name) = (Vec::new(), Vec::new());
    let (mut new, mut changed, mut orders) =
        (Messages::default(), Messages::default(), Orders::default());
    for (owner, mailbox) in &state.mailboxes {
        for hash in mailbox.removed() {
            gone_owner.push(owner.as_bytes().as_slice());
            gone_hash.push(hash.as_bytes().as_slice());
        }
        for name in &mailbox.forgotten {
            spent_owner.push(owner.as_bytes().as_slice());
            spent_name.push(name.as_slice());
        }
        for (row, effective) in mailbox.changed() {
            let columns = if row.source.is_some() { &mut new } else { &mut changed };
            columns.add(owner, row, effective)?;
        }
        for (name, order) in &mailbox.noted {
            orders.add(name, order)?;
        }
    }
    let (n, c, o) = (&new, &changed, &orders);
    let id = writer.as_slice();
    let notes = async {
        for (peer, items) in &state.missed {
            note(lease, peer, items).await?;
        }
        Ok::<_, Trouble>(())
    };
    // All are sent before the first is answered.
    let spent = !spent_name.is_empty();
    let (touched, deleted, forgotten, unruled, inserted, updated, ordered, ruled) = tokio::join!(
        biased;
        async { run(lease, true, TOUCH, &[&id, &seen]).await },
        async { run(lease, !gone_hash.is_empty(), DELETE, &[&gone_owner, &gone_hash]).await },
        async { run(lease, spent, FORGET, &[&spent_owner, &spent_name]).await },
        async { run(lease, spent, UNRULE, &[&spent_owner, &spent_name]).await },
        async { run(
            lease,
            !n.hash.is_empty(),
            INSERT,
            &[
                &n.owner, &n.hash, &n.namespace, &n.arrival, &n.sent, &n.stored, &n.expiry,
                &n.effective, &n.position, &n.item, &n.size, &n.data, &n.proof,
            ],
        ).await },
        async { run(
            lease,
            !c.hash.is_empty(),
            UPDATE,
            &[
                &c.owner, &c.hash, &c.namespace, &c.sent, &c.stored, &c.expiry, &c.effective,
                &c.item,
            ],
        ).await },
        async { run(
            lease,
            !o.owner.is_empty(),
            ORDERS,
            &[
                &o.owner, &o.name, &o.stamp, &o.position, &o.item, &o.access, &o.share,
                &o.change, &o.proof,
            ],
        ).await },
        async { run(
            lease,
            !o.ruling_owner.is_empty(),
            RULINGS,
            &[
                &o.ruling_owner, &o.ruling_hash, &o.ruling_name, &o.ruling_place, &o.ruling_stamp,
                &o.ruling_namespace, &o.rule, &o.till,
            ],
        ).await },
    );
    for outcome in [touched, deleted, forgotten, unruled, inserted, updated, ordered, ruled] {
        outcome?;
    }
    notes.await?;
    Ok(lease.client()?.batch_execute("COMMIT").await?)
}
