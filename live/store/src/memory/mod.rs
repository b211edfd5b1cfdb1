//! The engine that keeps everything in memory: for simulations, and the model that all engines are
//! compared with. It does what the rules in [`crate::union`] say as plainly as can be, and the same
//! calls always give the same answers.

mod mailbox;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use warren_wire::record::{Item, MessageRecord, Order, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId, swarm};

use self::mailbox::Mailbox;
use crate::StoreError;
use crate::mail::{MailStore, RECORDS_BYTES, RECORDS_ITEMS};
use crate::shapes::{Applied, Counts, Merged, Page, Query, Stored};
use crate::union::orders_first;

/// A store that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// The place in the order of arrival that comes next.
    arrived: u64,
    /// By position on the ring, then by owner.
    mailboxes: BTreeMap<(u64, AccountId), Mailbox>,
    /// The number of the note that comes next.
    noted: u64,
    missed: BTreeMap<(NodeId, u64), Item>,
}

impl State {
    fn mailbox(&self, owner: &AccountId) -> Option<&Mailbox> {
        self.mailboxes.get(&(swarm::position(owner), *owner))
    }

    fn mailbox_mut(&mut self, owner: &AccountId) -> &mut Mailbox {
        self.mailboxes.entry((swarm::position(owner), *owner)).or_default()
    }

    const fn arrival(&mut self) -> u64 {
        self.arrived += 1;
        self.arrived
    }

    fn at(&self, positions: Positions) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes
            .iter()
            .filter(move |((position, _), _)| positions.contain(*position))
            .map(|(_, mailbox)| mailbox)
    }

    fn record(&self, item: &Item) -> Result<Option<Record>, StoreError> {
        let here = Positions { first: item.position, last: item.position };
        for mailbox in self.at(here) {
            for record in mailbox.records() {
                if mailbox::item(&record)? == *item {
                    return Ok(Some(record));
                }
            }
        }
        Ok(None)
    }
}

impl MemoryStore {
    /// Hands the state to `act` unless the store was closed.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(StoreError::Closed) } else { Ok(act(&mut state)) }
    }
}

#[async_trait]
impl MailStore for MemoryStore {
    async fn store(&self, message: MessageRecord, now: Millis) -> Result<Stored, StoreError> {
        self.with(|state| {
            let arrival = state.arrival();
            state.mailbox_mut(&message.owner).store(&message, arrival, now)
        })?
    }

    async fn retrieve(&self, query: Query, now: Millis) -> Result<Page, StoreError> {
        self.with(|state| {
            state.mailbox(&query.owner).map_or_else(Page::default, |found| found.page(&query, now))
        })
    }

    async fn apply(&self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        self.with(|state| state.mailbox_mut(&order.owner).apply(order, now))?
    }

    async fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        self.with(|state| {
            state.mailbox(&owner).map_or_else(Vec::new, |found| found.expiries(hashes, now))
        })
    }

    async fn revoked(&self, owner: AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        self.with(|state| {
            state.mailbox(&owner).map_or_else(Vec::new, |found| found.revocations().tokens())
        })
    }

    async fn some_items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        self.with(|state| {
            let mut items = Vec::new();
            for mailbox in state.at(positions) {
                if items.len() >= limit {
                    break;
                }
                for record in mailbox.live_records(now) {
                    items.push(mailbox::item(&record)?);
                }
            }
            items.truncate(limit);
            items.sort_unstable_by_key(|item| (item.stamp, item.id));
            Ok(items)
        })?
    }

    async fn records(&self, items: Vec<Item>) -> Result<(Vec<Record>, usize), StoreError> {
        self.with(|state| {
            let (mut records, mut looked_at, mut size) = (Vec::new(), 0, 0);
            for item in items.iter().take(RECORDS_ITEMS) {
                if size >= RECORDS_BYTES {
                    break;
                }
                if let Some(record) = state.record(item)? {
                    size += mailbox::size(&record);
                    records.push(record);
                }
                looked_at += 1;
            }
            Ok((records, looked_at))
        })?
    }

    async fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        self.with(|state| {
            state
                .mailbox(&owner)
                .map_or_else(Vec::new, |mailbox| mailbox.live_records(now).collect())
        })
    }

    async fn merge(&self, records: Vec<Record>, now: Millis) -> Result<Vec<Merged>, StoreError> {
        self.with(|state| {
            orders_first(records, |record| match record {
                Record::Message(message) => {
                    let arrival = state.arrival();
                    state.mailbox_mut(&message.owner).merge_message(&message, arrival, now)
                }
                Record::Order(order) => state.mailbox_mut(&order.owner).merge_order(order, now),
            })
        })?
    }

    async fn drop_positions(&self, positions: Positions) -> Result<u64, StoreError> {
        self.with(|state| {
            let counts = state.at(positions).map(Mailbox::counts);
            let dropped = counts.map(|counts| counts.messages + counts.orders).sum();
            state.mailboxes.retain(|(position, _), _| !positions.contain(*position));
            dropped
        })
    }

    async fn note_missed(&self, peer: NodeId, items: Vec<Item>) -> Result<(), StoreError> {
        self.with(|state| {
            for item in items {
                state.noted += 1;
                state.missed.insert((peer, state.noted), item);
            }
        })
    }

    async fn missed(&self, peer: NodeId, limit: usize) -> Result<Vec<(u64, Item)>, StoreError> {
        self.with(|state| {
            let notes = state.missed.range((peer, 0)..=(peer, u64::MAX));
            notes.take(limit).map(|((_, number), item)| (*number, *item)).collect()
        })
    }

    async fn forget_missed(&self, peer: NodeId, through: u64) -> Result<(), StoreError> {
        self.with(|state| {
            state.missed.retain(|(whose, number), _| *whose != peer || *number > through);
        })
    }

    async fn expire(&self, now: Millis) -> Result<usize, StoreError> {
        self.with(|state| {
            let removed = state.mailboxes.values_mut().map(|mailbox| mailbox.expire(now)).sum();
            state.mailboxes.retain(|_, mailbox| mailbox.counts() != Counts::default());
            removed
        })
    }

    async fn counts(&self) -> Result<Counts, StoreError> {
        self.with(|state| {
            state.mailboxes.values().map(Mailbox::counts).fold(Counts::default(), |sum, counts| {
                Counts {
                    messages: sum.messages + counts.messages,
                    orders: sum.orders + counts.orders,
                }
            })
        })
    }

    async fn close(&self) {
        // Closing twice does no harm.
        let _ = self.with(|state| state.closed = true);
    }
}
