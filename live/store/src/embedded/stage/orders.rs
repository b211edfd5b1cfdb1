//! Carrying orders out, and keeping them.

use std::collections::BTreeSet;

use warren_crypto::hash::blake2b;
use warren_wire::record::{Change, Drawers, Item, Order};
use warren_wire::{Access, AccountId, Millis, Stamp};

use super::{ORDER, Stage};
use crate::StoreError;
use crate::embedded::keys::{Name, Scope};
use crate::embedded::tables::Space;
use crate::embedded::values::{NameEntry, OrderEntry, decode_ruling, encode_ruling};
use crate::quota::Held;
use crate::replacements;
use crate::revocations::{Revocations, is_access};
use crate::shapes::{Applied, Merged};
use crate::union::{self, Rule, Ruling, order_end};

/// The name of an order in its mailbox.
pub(in crate::embedded) fn name_of(order: &Order) -> Result<Name, StoreError> {
    Ok(Name { owner: order.owner, name: blake2b(&[&order.proof])? })
}

const fn scope_of(ruling: &Ruling) -> Scope {
    match ruling.hash {
        Some(hash) => Scope::Message(hash),
        None => Scope::Drawers,
    }
}

impl Stage<'_> {
    /// See [`crate::MailStore::apply`].
    pub(in crate::embedded) fn apply(
        &mut self,
        order: Order,
        now: Millis,
    ) -> Result<Applied, StoreError> {
        let mut applied = Applied::default();
        if !self.has_room(&order, Held::takes)? {
            return Err(StoreError::TooManyOrders);
        }
        let (order, _) = self.keep_order(order)?;
        if is_access(&order.change) {
            let revocations = Revocations::of(&self.access_orders(&order.owner)?);
            applied.overruled = revocations.overruling(&order);
        }
        for (name, entry) in self.concerned(&order, &union::rulings(&order))? {
            if entry.effective <= now {
                self.remove_message(name, &entry);
            }
        }
        self.carry_out(&order, now, &mut applied)?;
        applied.sort();
        Ok(applied)
    }

    /// See [`crate::MailStore::merge`].
    pub(in crate::embedded) fn merge_order(
        &mut self,
        order: Order,
        now: Millis,
    ) -> Result<Merged, StoreError> {
        if order_end(order.stamp) <= now && !self.would_hold(&order)? {
            return Ok(Merged::Refused);
        }
        if !self.has_room(&order, Held::takes_from_member)? {
            return Ok(Merged::Refused);
        }
        let (order, changed) = self.keep_order(order)?;
        if !changed {
            return Ok(Merged::Known);
        }
        self.carry_out(&order, now, &mut Applied::default())?;
        Ok(Merged::New)
    }

    /// Whether an order is kept already, or its owner has room for it.
    fn has_room(
        &self,
        order: &Order,
        takes: impl Fn(Held, &Order) -> bool,
    ) -> Result<bool, StoreError> {
        let held = self.standing(&order.owner)?.unwrap_or_default().held;
        Ok(takes(held, order) || self.order(&name_of(order)?)?.is_some())
    }

    /// Keeps an order under the stamp that counts; that order, and whether this changed anything.
    pub(super) fn keep_order(&mut self, mut order: Order) -> Result<(Order, bool), StoreError> {
        let name = name_of(&order)?;
        let known = self.order(&name)?;
        if let Some(known) = &known {
            order.stamp = union::joined_stamp(&order.change, known.order.stamp, order.stamp);
            if order.stamp == known.order.stamp {
                return Ok((known.order.clone(), false));
            }
        }
        if self.collapse(&name, &order)? {
            if let Some(known) = &known {
                self.remove_order(name, known)?;
            }
            return Ok((order, false));
        }
        let end = order_end(order.stamp);
        let id = Item::order(&order.owner, order.stamp, &order.proof)?.id;
        self.put_order(name, &OrderEntry { end, id, order: order.clone() }, known.as_ref());
        self.put_effects(name, &order)?;
        let mut standing = self.standing(&order.owner)?.unwrap_or_default();
        standing.latest = standing.latest.max(order.stamp);
        if known.is_none() {
            standing.orders = standing.orders.saturating_add(1);
            self.state.orders = self.state.orders.saturating_add(1);
        }
        let held = known.map_or(standing.held, |known| standing.held.without(&known.order));
        standing.held = held.with(&order);
        let mut surplus = Vec::new();
        if is_access(&order.change) {
            let orders = self.access_orders(&order.owner)?;
            let revocations = Revocations::of(&orders);
            standing.revoked = revocations.tokens();
            self.hold_orders(&orders, &revocations)?;
            for spare in revocations.surplus(&orders) {
                surplus.push(name_of(spare)?);
            }
        }
        self.set_standing(&order.owner, &standing);
        surplus.extend(self.surplus_replacements(&order)?);
        for name in &surplus {
            if let Some(entry) = self.order(name)? {
                self.remove_order(*name, &entry)?;
            }
        }
        let is_surplus = surplus.contains(&name);
        Ok((order, !is_surplus))
    }

    /// The replacements that are too many beside this order, which is kept already.
    fn surplus_replacements(&self, order: &Order) -> Result<Vec<Name>, StoreError> {
        if !matches!(order.change, Change::Replace(..)) {
            return Ok(Vec::new());
        }
        let mut rulings = Vec::new();
        for (key, bytes) in
            self.range(Space::Effects, Scope::Drawers.bounds(&order.owner), usize::MAX)?
        {
            let digest = key.last_chunk().copied().unwrap_or_default();
            rulings.push((Name { owner: order.owner, name: digest }, decode_ruling(None, &bytes)?));
        }
        let id = |name: &Name| {
            let missing = || StoreError::Corrupt("what an order does has no order".into());
            let order = self.order(name)?.ok_or_else(missing)?.order;
            Ok::<_, StoreError>(Item::order(&order.owner, Stamp(0), &order.proof)?.id)
        };
        replacements::surplus(rulings, id)
    }

    /// Forgets the orders beside which this one leaves nothing to do; or says that there is one beside
    /// which this one has nothing to do.
    fn collapse(&mut self, name: &Name, order: &Order) -> Result<bool, StoreError> {
        let own = union::rulings(order);
        let Some(own) = own.first().filter(|own| own.hash.is_none()) else { return Ok(false) };
        let mut outdone = Vec::new();
        for (key, bytes) in
            self.range(Space::Effects, Scope::Drawers.bounds(&order.owner), usize::MAX)?
        {
            let digest = key.last_chunk().copied().unwrap_or_default();
            let other = decode_ruling(None, &bytes)?;
            if digest == name.name {
                continue;
            }
            if union::outdoes(&other, own) {
                return Ok(true);
            }
            if union::outdoes(own, &other) {
                outdone.push(Name { owner: order.owner, name: digest });
            }
        }
        for name in outdone {
            if let Some(entry) = self.order(&name)? {
                self.remove_order(name, &entry)?;
            }
        }
        Ok(false)
    }

    fn order(&self, name: &Name) -> Result<Option<OrderEntry>, StoreError> {
        let bytes = self.get(Space::Orders, &name.encode())?;
        Ok(bytes.map(|bytes| OrderEntry::decode(name.owner, &bytes)).transpose()?)
    }

    fn put_order(&mut self, name: Name, entry: &OrderEntry, old: Option<&OrderEntry>) {
        self.put(Space::Orders, name.encode(), entry.encode());
        if let Some(old) = old {
            self.remove_expiry(old.end, name);
        }
        if entry.end != Millis::MAX {
            self.put_expiry(entry.end, name, ORDER);
        }
    }

    fn put_effects(&mut self, name: Name, order: &Order) -> Result<(), StoreError> {
        if is_access(&order.change) {
            self.put(Space::Effects, Scope::Access.key(&order.owner, &name.name), []);
        }
        let mut seen = BTreeSet::new();
        for ruling in union::rulings(order) {
            let key = scope_of(&ruling).key(&order.owner, &name.name);
            let mut ruling = ruling;
            // Of two rules of one order for one message the one counts that comes last by `Rule`'s
            // order, or, where they shorten, the one that comes first.
            if !seen.insert(ruling.hash)
                && let Some(bytes) = self.get(Space::Effects, &key)?
            {
                let other = decode_ruling(ruling.hash, &bytes)?.rule;
                ruling.rule = match ruling.rule {
                    Rule::Shorten(_) => ruling.rule.min(other),
                    _ => ruling.rule.max(other),
                };
            }
            self.put(Space::Effects, key, encode_ruling(&ruling));
        }
        Ok(())
    }

    /// The orders on subaccounts.
    fn access_orders(&self, owner: &AccountId) -> Result<Vec<Order>, StoreError> {
        let mut orders = Vec::new();
        for (key, _) in self.range(Space::Effects, Scope::Access.bounds(owner), usize::MAX)? {
            let digest = key.last_chunk().copied().unwrap_or_default();
            if let Some(entry) = self.order(&Name { owner: *owner, name: digest })? {
                orders.push(entry.order);
            }
        }
        Ok(orders)
    }

    fn would_hold(&self, order: &Order) -> Result<bool, StoreError> {
        if !is_access(&order.change) {
            return Ok(false);
        }
        let mut orders = self.access_orders(&order.owner)?;
        orders.push(order.clone());
        Ok(Revocations::of(&orders).hold(order))
    }

    /// Gives orders on subaccounts no end as long as they hold a word that counts.
    fn hold_orders(
        &mut self,
        orders: &[Order],
        revocations: &Revocations,
    ) -> Result<(), StoreError> {
        for order in orders {
            let name = name_of(order)?;
            let end = if revocations.hold(order) { Millis::MAX } else { order_end(order.stamp) };
            if let Some(old) = self.order(&name)?
                && old.end != end
            {
                self.put_order(name, &OrderEntry { end, ..old.clone() }, Some(&old));
            }
        }
        Ok(())
    }

    /// Does to messages what an order says, which is kept already.
    pub(super) fn carry_out(
        &mut self,
        order: &Order,
        now: Millis,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        let own = union::rulings(order);
        let broad = self.rulings_in(&order.owner, Scope::Drawers)?;
        for (name, entry) in self.concerned(order, &own)? {
            let facts = entry.facts(name.hash());
            let was_served = entry.effective > now;
            let mut rulings = self.rulings_in(&order.owner, Scope::Message(facts.hash))?;
            rulings.extend(&broad);
            if union::removed_by(&facts, &rulings).is_some() {
                self.remove_message(name, &entry);
                if was_served {
                    applied.deleted.push((facts.namespace, facts.hash));
                }
                continue;
            }
            let effective = union::expiry(&facts, &rulings);
            if effective != entry.effective {
                self.move_expiry(name, &entry, effective)?;
            }
            if was_served {
                applied.note_kept(&facts, &own, entry.effective, effective);
            }
        }
        Ok(())
    }

    /// The messages that an order is for, leaving stamps aside.
    fn concerned(
        &self,
        order: &Order,
        own: &[Ruling],
    ) -> Result<Vec<(Name, NameEntry)>, StoreError> {
        let mut found = Vec::new();
        if let [Ruling { hash: None, drawers: Drawers::One(namespace), .. }] = own
            && namespace.access() == Access::PublicOutbox
        {
            return self.in_drawer(&order.owner, *namespace);
        }
        if own.iter().any(|ruling| ruling.hash.is_none()) {
            let all = Name::of_owner(&order.owner);
            for (key, bytes) in self.range(Space::Names, all, usize::MAX)? {
                let (name, entry) = (Name::decode(&key)?, NameEntry::decode(&bytes)?);
                if own.iter().any(|ruling| ruling.concerns(&entry.facts(name.hash()))) {
                    found.push((name, entry));
                }
            }
        } else {
            let hashes: BTreeSet<_> = own.iter().filter_map(|ruling| ruling.hash).collect();
            for hash in hashes {
                let name = Name::message(order.owner, hash);
                found.extend(self.entry(&name)?.map(|entry| (name, entry)));
            }
        }
        Ok(found)
    }

    /// Forgets an order, and nothing that it did.
    pub(super) fn remove_order(
        &mut self,
        name: Name,
        entry: &OrderEntry,
    ) -> Result<(), StoreError> {
        let owner = &entry.order.owner;
        self.remove(Space::Orders, name.encode());
        self.remove_expiry(entry.end, name);
        if is_access(&entry.order.change) {
            self.remove(Space::Effects, Scope::Access.key(owner, &name.name));
        }
        for ruling in union::rulings(&entry.order) {
            self.remove(Space::Effects, scope_of(&ruling).key(owner, &name.name));
        }
        let mut standing = self.standing(owner)?.unwrap_or_default();
        standing.orders = standing.orders.saturating_sub(1);
        standing.held = standing.held.without(&entry.order);
        self.state.orders = self.state.orders.saturating_sub(1);
        self.set_standing(owner, &standing);
        Ok(())
    }

    /// The order of this name, if it is there.
    pub(super) fn order_named(&self, name: &Name) -> Result<Option<OrderEntry>, StoreError> {
        self.order(name)
    }
}
