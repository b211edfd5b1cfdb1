//! One mailbox: its messages by arrival, its orders, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};

use warren_wire::record::{Item, MessageRecord, Order, Record};
use warren_wire::{MessageHash, Millis, Stamp};

use crate::StoreError;
use crate::quota::Held;
use crate::replacements;
use crate::revocations::{Revocations, is_access};
use crate::shapes::{Applied, Counts, Merged, Page, Query, Room, Stored, StoredMessage};
use crate::union::{self, Facts, Ruling, order_end};

/// What is kept for one owner.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    /// By place in the order of arrival; each hash once.
    messages: BTreeMap<u64, MessageRecord>,
    /// By proof.
    orders: BTreeMap<Vec<u8>, Order>,
}

/// The item of a record.
pub(super) fn item(record: &Record) -> Result<Item, StoreError> {
    Ok(match record {
        Record::Message(m) => Item::message(&m.owner, m.namespace, &m.hash, m.stored, m.expiry)?,
        Record::Order(order) => Item::order(&order.owner, order.stamp, &order.proof)?,
    })
}

/// What a record counts for in the size of an answer.
pub(super) fn size(record: &Record) -> usize {
    match record {
        Record::Message(m) => m.data.len() + m.proof.as_ref().map_or(0, Vec::len),
        Record::Order(order) => order.proof.len(),
    }
}

impl Mailbox {
    fn rulings(&self) -> Vec<Ruling> {
        self.orders.values().flat_map(union::rulings).collect()
    }

    pub(super) fn revocations(&self) -> Revocations {
        Revocations::of(self.orders.values())
    }

    fn held(&self) -> Held {
        Held::of(self.orders.values())
    }

    /// When a message expires, all orders considered.
    fn expiry(&self, message: &MessageRecord) -> Millis {
        union::expiry(&Facts::of(message), &self.rulings())
    }

    fn place(&self, hash: MessageHash) -> Option<u64> {
        self.messages.iter().find(|(_, kept)| kept.hash == hash).map(|(place, _)| *place)
    }

    /// When the greater message expires that fills the drawer of another and has not expired.
    fn greater(&self, facts: &Facts, now: Millis) -> Option<Millis> {
        let rivals = self.messages.values().filter(|kept| Facts::of(kept).is_rival(facts));
        let mut greater = rivals.filter(|kept| Facts::of(kept).rank() > facts.rank());
        greater.find_map(|kept| Some(self.expiry(kept)).filter(|expiry| *expiry > now))
    }

    /// Keeps `message` with these facts at `place`, and nothing that it replaces.
    fn keep(&mut self, message: &MessageRecord, facts: Facts, place: u64) {
        self.messages.retain(|_, kept| !Facts::of(kept).is_rival(&facts));
        let Facts { timestamp, stored, expiry, .. } = facts;
        let kept = MessageRecord { timestamp, stored, expiry, ..message.clone() };
        self.messages.insert(place, kept);
    }

    /// Keeps what a message did to its drawer.
    fn note_replacement(&mut self, message: &MessageRecord, now: Millis) -> Result<(), StoreError> {
        if let Some(order) = message.replacement()
            && order_end(order.stamp) > now
            && self.note(order)?.1
        {
            self.remove_dead();
        }
        Ok(())
    }

    /// See [`crate::MailStore::store`].
    pub(super) fn store(
        &mut self,
        message: &MessageRecord,
        arrival: u64,
        now: Millis,
    ) -> Result<Stored, StoreError> {
        let rulings = self.rulings();
        let mut facts = Facts::of(message);
        let mut place = arrival;
        let mut already = false;
        let mut source = message.clone();
        if let Some(old_place) = self.place(message.hash)
            && let Some(old) = self.messages.remove(&old_place)
            && self.expiry(&old) > now
        {
            let own: Vec<_> = rulings.iter().filter(|r| r.concerns(&facts)).copied().collect();
            facts = Facts::of(&old).renew(&facts, &own);
            place = old_place;
            already = true;
            if old.stored >= message.stored {
                source = old;
            }
        }
        let greater = self.greater(&facts, now);
        let overruled = union::removed_by(&facts, &rulings).filter(|_| greater.is_none());
        if overruled.is_some() {
            return Ok(Stored { expiry: message.expiry, already: false, overruled });
        }
        if greater.is_none() {
            self.keep(&source, facts, place);
            self.note_replacement(message, now)?;
        }
        let expiry = greater.unwrap_or_else(|| union::expiry(&facts, &rulings));
        Ok(Stored { expiry, already: already || greater.is_some(), overruled: None })
    }

    /// See [`crate::MailStore::merge`].
    pub(super) fn merge_message(
        &mut self,
        message: &MessageRecord,
        arrival: u64,
        now: Millis,
    ) -> Result<Merged, StoreError> {
        let (merged, replaces) = self.merge_alone(message, arrival, now);
        if replaces {
            self.note_replacement(message, now)?;
        }
        Ok(merged)
    }

    /// What became of a message, and whether it replaces others: not where one that is served
    /// outranks it.
    fn merge_alone(
        &mut self,
        message: &MessageRecord,
        arrival: u64,
        now: Millis,
    ) -> (Merged, bool) {
        let rulings = self.rulings();
        let new = Facts::of(message);
        let new_expiry = union::expiry(&new, &rulings);
        let old = self.place(message.hash).and_then(|place| {
            let old = self.messages.get(&place)?;
            Some((place, old.clone(), self.expiry(old)))
        });
        let was_served = matches!(&old, Some((_, _, old_expiry)) if *old_expiry > now);
        // What has expired counts as absent where the other has not.
        let old = old.filter(|(place, _, old_expiry)| {
            let stays = *old_expiry > now || new_expiry <= now;
            if !stays {
                self.messages.remove(place);
            }
            stays
        });
        let (facts, place, source) = match &old {
            None => (new, arrival, message),
            Some((place, old, _)) => {
                let joined = Facts::of(old).join(&new);
                let source = if Facts::of(old).outlasts(&new) { old } else { message };
                (joined, *place, source)
            }
        };
        if union::removed_by(&facts, &rulings).is_some() {
            self.messages.remove(&place);
            return (Merged::Refused, true);
        }
        let expiry = union::expiry(&facts, &rulings);
        if old.is_none() && expiry <= now && facts.expiry <= now {
            return (Merged::Refused, true);
        }
        if self.greater(&facts, now).is_some() {
            return (Merged::Refused, false);
        }
        self.keep(source, facts, place);
        let merged = if was_served {
            Merged::Known
        } else if expiry > now {
            Merged::New
        } else {
            Merged::Refused
        };
        (merged, true)
    }

    /// Keeps an order under the stamp that counts; that order, and whether this changed anything.
    fn note(&mut self, mut order: Order) -> Result<(Order, bool), StoreError> {
        if let Some(known) = self.orders.get(&order.proof) {
            order.stamp = union::joined_stamp(&order.change, known.stamp, order.stamp);
            if order.stamp == known.stamp {
                return Ok((known.clone(), false));
            }
        }
        self.orders.insert(order.proof.clone(), order.clone());
        let all: Vec<_> = self.rulings().into_iter().filter(|one| one.hash.is_none()).collect();
        self.orders.retain(|_, kept| {
            let own = union::rulings(kept);
            !own.iter().any(|own| all.iter().any(|other| union::outdoes(other, own)))
        });
        let rulings = self.orders.values().flat_map(|order| {
            union::rulings(order).into_iter().map(|ruling| (order.proof.clone(), ruling))
        });
        let id = |proof: &Vec<u8>| Item::order(&order.owner, Stamp(0), proof).map(|item| item.id);
        for proof in replacements::surplus(rulings, id)? {
            self.orders.remove(&proof);
        }
        if is_access(&order.change) {
            let orders = self.orders.values().filter(|order| is_access(&order.change));
            let orders: Vec<_> = orders.cloned().collect();
            for spare in Revocations::of(&orders).surplus(&orders) {
                self.orders.remove(&spare.proof);
            }
        }
        let is_kept = self.orders.contains_key(&order.proof);
        Ok((order, is_kept))
    }

    /// See [`crate::MailStore::merge`].
    pub(super) fn merge_order(&mut self, order: Order, now: Millis) -> Result<Merged, StoreError> {
        let mut orders: Vec<_> = self.orders.values().cloned().collect();
        orders.push(order.clone());
        let counts = is_access(&order.change) && Revocations::of(&orders).hold(&order);
        if order_end(order.stamp) <= now && !counts {
            return Ok(Merged::Refused);
        }
        if !self.orders.contains_key(&order.proof) && !self.held().takes_from_member(&order) {
            return Ok(Merged::Refused);
        }
        let (_, changed) = self.note(order)?;
        self.remove_dead();
        Ok(if changed { Merged::New } else { Merged::Known })
    }

    fn remove_dead(&mut self) -> Vec<MessageRecord> {
        let rulings = self.rulings();
        self.messages
            .extract_if(.., |_, kept| union::removed_by(&Facts::of(kept), &rulings).is_some())
            .map(|(_, kept)| kept)
            .collect()
    }

    /// See [`crate::MailStore::apply`].
    pub(super) fn apply(&mut self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        if !self.orders.contains_key(&order.proof) && !self.held().takes(&order) {
            return Err(StoreError::TooManyOrders);
        }
        let before: BTreeMap<MessageHash, Millis> =
            self.messages.values().map(|kept| (kept.hash, self.expiry(kept))).collect();
        let was_served = |hash: &MessageHash| before.get(hash).is_some_and(|expiry| *expiry > now);
        let (order, _) = self.note(order)?;
        let own = union::rulings(&order);
        self.messages.retain(|_, kept| {
            let facts = Facts::of(kept);
            was_served(&kept.hash) || !own.iter().any(|ruling| ruling.concerns(&facts))
        });
        let mut applied =
            Applied { overruled: self.revocations().overruling(&order), ..Applied::default() };
        for gone in self.remove_dead() {
            if was_served(&gone.hash) {
                applied.deleted.push((gone.namespace, gone.hash));
            }
        }
        for kept in self.messages.values().filter(|kept| was_served(&kept.hash)) {
            let before = before.get(&kept.hash).copied().unwrap_or_default();
            applied.note_kept(&Facts::of(kept), &own, before, self.expiry(kept));
        }
        applied.sort();
        Ok(applied)
    }

    /// See [`crate::MailStore::retrieve`].
    pub(super) fn page(&self, query: &Query, now: Millis) -> Page {
        let mut drawer: Vec<_> = self
            .messages
            .values()
            .filter(|kept| kept.namespace == query.namespace && self.expiry(kept) > now)
            .collect();
        if query.newest_first {
            drawer.reverse();
        }
        let last = drawer.iter().position(|kept| Some(kept.hash) == query.after);
        let mut room = Room::of(query);
        let mut page = Page::default();
        for kept in drawer.into_iter().skip(last.map_or(0, |last| last + 1)) {
            if !room.take(kept.data.len()) {
                page.more = true;
                break;
            }
            page.messages.push(StoredMessage {
                hash: kept.hash,
                timestamp: kept.timestamp,
                expiry: self.expiry(kept),
                data: kept.data.clone(),
            });
        }
        page
    }

    /// See [`crate::MailStore::expiries`].
    pub(super) fn expiries(
        &self,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Vec<(MessageHash, Millis)> {
        let served: BTreeMap<_, _> = self
            .messages
            .values()
            .map(|kept| (kept.hash, self.expiry(kept)))
            .filter(|(_, expiry)| *expiry > now)
            .collect();
        let Some(hashes) = hashes else { return served.into_iter().collect() };
        let mut seen = BTreeSet::new();
        hashes
            .into_iter()
            .filter(|hash| seen.insert(*hash))
            .filter_map(|hash| Some((hash, *served.get(&hash)?)))
            .collect()
    }

    /// All that is kept, whether it expired or not.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> {
        let messages = self.messages.values().cloned().map(Record::Message);
        messages.chain(self.orders.values().cloned().map(Record::Order))
    }

    /// The messages that are served, by arrival, then the orders, by stamp.
    pub(super) fn live_records(&self, now: Millis) -> impl Iterator<Item = Record> {
        let served = self.messages.values().filter(move |kept| self.expiry(kept) > now);
        let mut orders: Vec<_> = self.kept_orders(now).cloned().collect();
        orders.sort_by(|a, b| (a.stamp, &a.proof).cmp(&(b.stamp, &b.proof)));
        served.cloned().map(Record::Message).chain(orders.into_iter().map(Record::Order))
    }

    fn kept_orders(&self, now: Millis) -> impl Iterator<Item = &Order> {
        let revocations = self.revocations();
        self.orders
            .values()
            .filter(move |order| order_end(order.stamp) > now || revocations.hold(order))
    }

    /// Removes what is past its time; says how many messages that were.
    pub(super) fn expire(&mut self, now: Millis) -> usize {
        let rulings = self.rulings();
        let before = self.messages.len();
        self.messages.retain(|_, kept| union::expiry(&Facts::of(kept), &rulings) > now);
        let orders = self.kept_orders(now).map(|order| (order.proof.clone(), order.clone()));
        self.orders = orders.collect();
        before - self.messages.len()
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |len| u64::try_from(len).unwrap_or(u64::MAX);
        Counts { messages: count(self.messages.len()), orders: count(self.orders.len()) }
    }
}
