//! One mailbox within one transaction: what of it was read, what jobs make of it, and what of it
//! changed. The rules are those of [`crate::union`]; [`crate::MemoryStore`] does the same to a whole
//! mailbox.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use warren_wire::record::{Item, ItemId, MessageRecord, Order};
use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::StoreError;
use crate::quota::Held;
use crate::replacements;
use crate::revocations::{Revocations, is_access};
use crate::shapes::{Applied, Merged, Stored};
use crate::union::{self, Facts, Ruling, order_end};

/// A message that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) facts: Facts,
    pub(super) arrival: i64,
    /// Where bytes and proof come from; `None` where they are in the database.
    pub(super) source: Option<&'a MessageRecord>,
}

/// What of a mailbox was read, and what became of it.
#[derive(Debug, Default)]
pub(super) struct Mailbox<'a> {
    pub(super) rows: BTreeMap<MessageHash, Row<'a>>,
    /// As they were read, with the expiry that all orders made of it.
    read: BTreeMap<MessageHash, (Facts, Millis)>,
    broad: Vec<(ItemId, Ruling)>,
    named: HashMap<MessageHash, Vec<(ItemId, Ruling)>>,
    orders: BTreeMap<ItemId, Order>,
    /// Orders to be written.
    pub(super) noted: BTreeMap<ItemId, Order>,
    /// What is kept of the orders, where some are to come.
    pub(super) held: Held,
    /// Orders to be removed, which are for whole drawers or on subaccounts.
    pub(super) forgotten: BTreeSet<ItemId>,
    /// How many places in the order of arrival the lock took, and the last of them.
    pub(super) arrivals: i64,
}

/// The name of an order whatever its stamp.
pub(super) fn name(owner: &AccountId, proof: &[u8]) -> Result<ItemId, StoreError> {
    Ok(Item::order(owner, Stamp(0), proof)?.id)
}

impl<'a> Mailbox<'a> {
    pub(super) fn add_row(&mut self, facts: Facts, arrival: i64, effective: Millis) {
        self.rows.insert(facts.hash, Row { facts, arrival, source: None });
        self.read.insert(facts.hash, (facts, effective));
    }

    pub(super) fn add_ruling(&mut self, name: ItemId, ruling: Ruling) {
        match ruling.hash {
            None => self.broad.push((name, ruling)),
            Some(hash) => self.named.entry(hash).or_default().push((name, ruling)),
        }
    }

    pub(super) fn add_order(&mut self, name: ItemId, order: Order) {
        self.orders.insert(name, order);
    }

    fn rulings(&self, hash: &MessageHash) -> Vec<Ruling> {
        let named = self.named.get(hash).into_iter().flatten();
        self.broad.iter().chain(named).map(|(_, ruling)| *ruling).collect()
    }

    /// When a message expires, all orders considered.
    pub(super) fn expiry(&self, facts: &Facts) -> Millis {
        union::expiry(facts, &self.rulings(&facts.hash))
    }

    fn revocations(&self) -> Revocations {
        Revocations::of(self.orders.values())
    }

    /// When the greater message expires that fills the drawer of another and has not expired.
    fn greater(&self, facts: &Facts, now: Millis) -> Option<Millis> {
        let rivals = self.rows.values().map(|kept| kept.facts).filter(|kept| kept.is_rival(facts));
        let mut greater = rivals.filter(|rival| rival.rank() > facts.rank());
        greater.find_map(|rival| Some(self.expiry(&rival)).filter(|expiry| *expiry > now))
    }

    /// Keeps a message, and nothing that it replaces.
    fn keep(&mut self, row: Row<'a>) {
        self.rows.retain(|_, kept| !kept.facts.is_rival(&row.facts));
        self.rows.insert(row.facts.hash, row);
    }

    /// Keeps what a message did to its drawer, and does it.
    fn note_replacement(&mut self, message: &MessageRecord, now: Millis) -> Result<(), StoreError> {
        if let Some(order) = message.replacement().filter(|order| order_end(order.stamp) > now) {
            let (order, changed) = self.note(order)?;
            if changed {
                self.remove_dead(&union::rulings(&order));
            }
        }
        Ok(())
    }

    /// See [`crate::MailStore::store`].
    pub(super) fn store(
        &mut self,
        message: &'a MessageRecord,
        arrival: i64,
        now: Millis,
    ) -> Result<Stored, StoreError> {
        let rulings = self.rulings(&message.hash);
        let new = Facts::of(message);
        let mut row = Row { facts: new, arrival, source: Some(message) };
        let old = self.rows.remove(&message.hash);
        let old = old.filter(|old| union::expiry(&old.facts, &rulings) > now);
        if let Some(old) = old {
            let own: Vec<_> = rulings.iter().filter(|one| one.concerns(&new)).copied().collect();
            row.facts = old.facts.renew(&new, &own);
            row.arrival = old.arrival;
            if old.facts.stored >= message.stored {
                row.source = old.source;
            }
        }
        let greater = self.greater(&row.facts, now);
        let overruled = union::removed_by(&row.facts, &rulings).filter(|_| greater.is_none());
        if overruled.is_some() {
            return Ok(Stored { expiry: message.expiry, already: false, overruled });
        }
        if greater.is_none() {
            self.keep(row);
            self.note_replacement(message, now)?;
        }
        let expiry = greater.unwrap_or_else(|| union::expiry(&row.facts, &rulings));
        Ok(Stored { expiry, already: old.is_some() || greater.is_some(), overruled: None })
    }

    /// See [`crate::MailStore::merge`].
    pub(super) fn merge_message(
        &mut self,
        message: &'a MessageRecord,
        arrival: i64,
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
        message: &'a MessageRecord,
        arrival: i64,
        now: Millis,
    ) -> (Merged, bool) {
        let rulings = self.rulings(&message.hash);
        let new = Facts::of(message);
        let mut row = Row { facts: new, arrival, source: Some(message) };
        let new_serves = union::expiry(&new, &rulings) > now;
        let serves = |old: &Row<'_>| union::expiry(&old.facts, &rulings) > now;
        // What has expired counts as absent where the other has not.
        let old = self.rows.get(&message.hash).copied();
        let old = old.filter(|old| serves(old) || !new_serves);
        match old {
            None => {
                self.rows.remove(&message.hash);
            }
            Some(old) => {
                row.facts = old.facts.join(&new);
                row.arrival = old.arrival;
                if old.facts.outlasts(&new) {
                    row.source = old.source;
                }
            }
        }
        if union::removed_by(&row.facts, &rulings).is_some() {
            self.rows.remove(&message.hash);
            return (Merged::Refused, true);
        }
        let expiry = union::expiry(&row.facts, &rulings);
        if old.is_none() && expiry <= now && row.facts.expiry <= now {
            return (Merged::Refused, true);
        }
        if self.greater(&row.facts, now).is_some() {
            return (Merged::Refused, false);
        }
        self.keep(row);
        let merged = if old.as_ref().is_some_and(serves) {
            Merged::Known
        } else if expiry > now {
            Merged::New
        } else {
            Merged::Refused
        };
        (merged, true)
    }

    /// Forgets an order for whole drawers or on subaccounts.
    fn forget(&mut self, name: ItemId) {
        self.broad.retain(|(of, _)| *of != name);
        if let Some(order) = self.orders.remove(&name) {
            self.held = self.held.without(&order);
        }
        self.noted.remove(&name);
        self.forgotten.insert(name);
    }

    /// Keeps an order under the stamp that counts; that order, and whether this changed anything.
    fn note(&mut self, mut order: Order) -> Result<(Order, bool), StoreError> {
        let name = name(&order.owner, &order.proof)?;
        if let Some(known) = self.orders.get(&name) {
            order.stamp = union::joined_stamp(&order.change, known.stamp, order.stamp);
            if order.stamp == known.stamp {
                return Ok((known.clone(), false));
            }
        }
        let rulings = union::rulings(&order);
        if rulings.iter().any(|own| self.broad.iter().any(|(_, it)| union::outdoes(it, own))) {
            if self.orders.contains_key(&name) {
                self.forget(name);
            }
            return Ok((order, false));
        }
        let outdone = |it| rulings.iter().any(|own| union::outdoes(own, it));
        let outdone: Vec<_> =
            self.broad.iter().filter(|(_, it)| outdone(it)).map(|(name, _)| *name).collect();
        for name in outdone {
            self.forget(name);
        }
        self.forgotten.remove(&name);
        self.broad.retain(|(of, _)| *of != name);
        for ruling in &rulings {
            if let Some(named) = ruling.hash.and_then(|hash| self.named.get_mut(&hash)) {
                named.retain(|(of, _)| *of != name);
            }
        }
        for ruling in rulings {
            self.add_ruling(name, ruling);
        }
        let old = self.orders.insert(name, order.clone());
        self.held = old.map_or(self.held, |old| self.held.without(&old)).with(&order);
        self.noted.insert(name, order.clone());
        let mut surplus =
            replacements::surplus(self.broad.iter().copied(), |name| Ok::<_, StoreError>(*name))?;
        if is_access(&order.change) {
            let orders = self.orders.values().filter(|order| is_access(&order.change));
            let orders: Vec<_> = orders.cloned().collect();
            for spare in Revocations::of(&orders).surplus(&orders) {
                surplus.push(self::name(&spare.owner, &spare.proof)?);
            }
        }
        for spare in &surplus {
            self.forget(*spare);
        }
        let is_kept = !surplus.contains(&name);
        Ok((order, is_kept))
    }

    /// See [`crate::MailStore::merge`].
    pub(super) fn merge_order(&mut self, order: Order, now: Millis) -> Result<Merged, StoreError> {
        let known = self.orders.contains_key(&name(&order.owner, &order.proof)?);
        if order_end(order.stamp) <= now {
            let all = self.orders.values().chain(std::iter::once(&order));
            let counts = is_access(&order.change) && Revocations::of(all).hold(&order);
            if !counts {
                return Ok(Merged::Refused);
            }
        }
        if !known && !self.held.takes_from_member(&order) {
            return Ok(Merged::Refused);
        }
        let (order, changed) = self.note(order)?;
        self.remove_dead(&union::rulings(&order));
        Ok(if changed { Merged::New } else { Merged::Known })
    }

    /// Removes what the rulings, or others, remove of the messages that they are for.
    fn remove_dead(&mut self, own: &[Ruling]) -> Vec<Facts> {
        let dead: Vec<_> = self
            .rows
            .values()
            .map(|kept| kept.facts)
            .filter(|facts| own.iter().any(|ruling| ruling.concerns(facts)))
            .filter(|facts| union::removed_by(facts, &self.rulings(&facts.hash)).is_some())
            .collect();
        for facts in &dead {
            self.rows.remove(&facts.hash);
        }
        dead
    }

    /// See [`crate::MailStore::apply`].
    pub(super) fn apply(&mut self, order: Order, now: Millis) -> Result<Applied, StoreError> {
        let known = self.orders.contains_key(&name(&order.owner, &order.proof)?);
        if !known && !self.held.takes(&order) {
            return Err(StoreError::TooManyOrders);
        }
        let before: BTreeMap<_, _> = self
            .rows
            .values()
            .map(|kept| (kept.facts.hash, self.expiry(&kept.facts)))
            .filter(|(_, expiry)| *expiry > now)
            .collect();
        let (order, _) = self.note(order)?;
        let own = union::rulings(&order);
        self.rows.retain(|hash, kept| {
            before.contains_key(hash) || !own.iter().any(|ruling| ruling.concerns(&kept.facts))
        });
        let overruled = self.revocations().overruling(&order);
        let mut applied = Applied { overruled, ..Applied::default() };
        for gone in self.remove_dead(&own) {
            if before.contains_key(&gone.hash) {
                applied.deleted.push((gone.namespace, gone.hash));
            }
        }
        for kept in self.rows.values() {
            if let Some(before) = before.get(&kept.facts.hash) {
                applied.note_kept(&kept.facts, &own, *before, self.expiry(&kept.facts));
            }
        }
        applied.sort();
        Ok(applied)
    }

    /// The messages that were read and are there no more.
    pub(super) fn removed(&self) -> impl Iterator<Item = &MessageHash> {
        self.read.keys().filter(|hash| !self.rows.contains_key(*hash))
    }

    /// The messages that are not as they were read, and when they expire, all orders considered.
    pub(super) fn changed(&self) -> impl Iterator<Item = (&Row<'a>, Millis)> {
        self.rows.values().filter_map(|row| {
            let effective = self.expiry(&row.facts);
            let same = self.read.get(&row.facts.hash) == Some(&(row.facts, effective));
            (row.source.is_some() || !same).then_some((row, effective))
        })
    }
}

/// What of a mailbox has to be read before jobs can be carried out on it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) hashes: BTreeSet<MessageHash>,
    pub(super) drawers: BTreeSet<Namespace>,
    /// All messages of the mailbox.
    pub(super) whole: bool,
    /// The stamps of these orders.
    pub(super) orders: BTreeSet<ItemId>,
    /// All orders on subaccounts.
    pub(super) access: bool,
    /// How many messages may arrive.
    pub(super) arrivals: i64,
}

impl Need {
    pub(super) fn message(&mut self, message: &MessageRecord) -> Result<(), StoreError> {
        self.arrivals += 1;
        self.hashes.insert(message.hash);
        message.replacement().map_or(Ok(()), |order| self.order(&order))?;
        if Facts::of(message).in_outbox() {
            self.drawers.insert(message.namespace);
        }
        Ok(())
    }

    pub(super) fn order(&mut self, order: &Order) -> Result<(), StoreError> {
        use warren_wire::record::Drawers;
        self.orders.insert(name(&order.owner, &order.proof)?);
        self.access |= is_access(&order.change);
        for ruling in union::rulings(order) {
            match (ruling.hash, ruling.drawers) {
                (Some(hash), _) => drop(self.hashes.insert(hash)),
                (None, Drawers::One(namespace)) => drop(self.drawers.insert(namespace)),
                (None, Drawers::All) => self.whole = true,
            }
        }
        Ok(())
    }
}
