//! Records given to other members and taken from them, every one checked as the request it was.

use std::sync::Arc;

use warren_node::accept::{accept, give};
use warren_node::clock;
use warren_store::{Merged, StoreError};
use warren_wire::record::{Item, ItemId, MessageRecord, Positions, Record, UncheckedRecord};
use warren_wire::rpc::member::{MAX_RECORDS, Taken};
use warren_wire::{AccountId, NodeId, swarm};

use super::member::Member;
use super::writing::tell;

/// How many records are checked before others get their turn.
const CHECKED_AT_ONCE: usize = 32;
/// The most items whose records are remembered as not believed.
const MOST_REFUSED: usize = 65_536;

/// What became of records that a node gave.
#[derive(Debug, Default)]
pub(super) struct Took {
    /// Of each of them, in order.
    pub(super) taken: Vec<Taken>,
    /// Whether this node's clock or list had one refused, so that it may be taken another time.
    pub(super) may_be_taken_yet: bool,
}

impl Member {
    /// The records of the first of these items, written, and how many items that were.
    pub(super) async fn given(
        &self,
        mut items: Vec<Item>,
    ) -> Result<(Vec<Vec<u8>>, usize), StoreError> {
        items.truncate(MAX_RECORDS);
        let (mut records, count) = self.store.records(items).await?;
        // Orders first: a message may be alive by them alone.
        records.sort_by_key(|record| matches!(record, Record::Message(_)));
        let written = records.into_iter().filter_map(|it| give(it)?.encode().ok()).collect();
        Ok((written, count))
    }

    /// Checks and keeps records. Those outside of the stretches are refused, and those of mailboxes
    /// that the giver may not give.
    pub(super) async fn take(
        &self,
        written: Vec<Vec<u8>>,
        stretches: &[Positions],
        may_give: impl Fn(&AccountId) -> bool,
    ) -> Result<Took, StoreError> {
        self.note_whether_empty().await;
        let writing = self.begin_writing();
        let now = self.now();
        let mut all = Vec::with_capacity(written.len());
        let mut records = Vec::new();
        let mut may_be_taken_yet = false;
        for (number, bytes) in written.into_iter().enumerate() {
            if number % CHECKED_AT_ONCE == CHECKED_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let unchecked = UncheckedRecord::decode(&bytes).ok();
            may_be_taken_yet |=
                unchecked.as_ref().is_some_and(|it| clock::admit(it.stamp, now).is_err());
            let record = unchecked.and_then(|it| accept(&it, now).ok());
            let owner = record.as_ref().map(Record::owner);
            let kept_here = owner.is_some_and(|owner| {
                let at = swarm::position(owner);
                let asked_for = stretches.iter().any(|stretch| stretch.contain(at));
                let may_change = writing.may_change(owner);
                may_be_taken_yet |= !may_change;
                asked_for && may_change && may_give(owner)
            });
            all.push(if kept_here { None } else { Some(Taken::Refused) });
            records.extend(record.filter(|_| kept_here));
        }
        let messages: Vec<Option<MessageRecord>> = records.iter().map(message_of).collect();
        for record in &records {
            let _ = self.observe(stamp_of(record));
        }
        let (store, arrivals) = (Arc::clone(&self.store), Arc::clone(&self.arrivals));
        let work = async move {
            let merged = store.merge(records, now).await?;
            for (merged, message) in merged.iter().zip(&messages) {
                if let (Merged::New, Some(message)) = (merged, message) {
                    tell(&*arrivals, message, message.expiry);
                }
            }
            Ok(merged)
        };
        let mut merged = writing.carry_through(work).await?.into_iter();
        let taken = all.into_iter().map(|refused| {
            refused.or_else(|| {
                let refused = merged.next()? == Merged::Refused;
                Some(if refused { Taken::Dead } else { Taken::Kept })
            })
        });
        let taken = taken.map(|taken| taken.unwrap_or(Taken::Refused)).collect();
        Ok(Took { taken, may_be_taken_yet })
    }

    /// Remembers items whose records are not worth asking this node for again: others may have them
    /// as they are.
    pub(super) fn refuse(&self, giver: NodeId, ids: impl IntoIterator<Item = ItemId>) {
        let mut state = self.state();
        if state.refused.len() > MOST_REFUSED {
            state.refused.clear();
        }
        state.refused.extend(ids.into_iter().map(|id| (giver, id)));
    }
}

fn message_of(record: &Record) -> Option<MessageRecord> {
    match record {
        Record::Message(message) => Some(message.clone()),
        Record::Order(_) => None,
    }
}

const fn stamp_of(record: &Record) -> warren_wire::Stamp {
    match record {
        Record::Message(message) => message.stored,
        Record::Order(order) => order.stamp,
    }
}
