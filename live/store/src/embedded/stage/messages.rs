//! Storing, merging and removing messages.

use warren_wire::record::{Item, MessageRecord};
use warren_wire::{AccountId, Millis, Namespace};

use super::{MESSAGE, Stage};
use crate::StoreError;
use crate::embedded::keys::{MessageKey, Name};
use crate::embedded::tables::Space;
use crate::embedded::values::{MessageValue, NameEntry};
use crate::shapes::{Applied, Merged, Stored};
use crate::union::{self, Facts, order_end};

/// Where a message is to lie, and what is to be said of it.
struct Placed<'a> {
    name: Name,
    facts: Facts,
    effective: Millis,
    /// The entry that it takes over the place of.
    old: Option<NameEntry>,
    /// The one whose proof counts; `None`: the one that lies there.
    source: Option<&'a MessageRecord>,
}

/// When the greater one expires of the messages that compete with this one for their drawer.
fn greater(rivals: &[(Name, NameEntry)], facts: &Facts, now: Millis) -> Option<Millis> {
    let greater = |(name, rival): &&(Name, NameEntry)| {
        rival.facts(name.hash()).rank() > facts.rank() && rival.effective > now
    };
    rivals.iter().find(greater).map(|(_, rival)| rival.effective)
}

impl Stage<'_> {
    /// See [`crate::MailStore::store`].
    pub(in crate::embedded) fn store(
        &mut self,
        message: &MessageRecord,
        now: Millis,
    ) -> Result<Stored, StoreError> {
        let name = Name::message(message.owner, message.hash);
        let new = Facts::of(message);
        let old = self.entry(&name)?;
        let oldest = old.map_or(new.stored, |old| old.stored.min(new.stored));
        let rulings = self.rulings(&name.owner, new.hash, oldest)?;
        let live = old.filter(|old| old.effective > now);
        if live.is_none()
            && let Some(expired) = old
        {
            self.remove_message(name, &expired);
        }
        let facts = live.map_or(new, |old| old.facts(new.hash).renew(&new, &rulings));
        let rivals = self.rivals(&name.owner, &facts)?;
        if let Some(expiry) = greater(&rivals, &facts, now) {
            return Ok(Stored { expiry, already: true, overruled: None });
        }
        let overruled = union::removed_by(&facts, &rulings);
        if overruled.is_some() {
            if let Some(live) = live {
                self.remove_message(name, &live);
            }
            return Ok(Stored { expiry: message.expiry, already: false, overruled });
        }
        for (name, rival) in rivals {
            self.remove_message(name, &rival);
        }
        let effective = union::expiry(&facts, &rulings);
        let source = live.is_none_or(|live| live.stored < new.stored).then_some(message);
        self.place(&Placed { name, facts, effective, old: live, source })?;
        self.note_replacement(message, now)?;
        Ok(Stored { expiry: effective, already: live.is_some(), overruled: None })
    }

    /// See [`crate::MailStore::merge`].
    pub(in crate::embedded) fn merge_message(
        &mut self,
        message: &MessageRecord,
        now: Millis,
    ) -> Result<Merged, StoreError> {
        let (merged, replaces) = self.merge_alone(message, now)?;
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
        now: Millis,
    ) -> Result<(Merged, bool), StoreError> {
        let name = Name::message(message.owner, message.hash);
        let new = Facts::of(message);
        let mut old = self.entry(&name)?;
        let oldest = old.map_or(new.stored, |old| old.stored.min(new.stored));
        let rulings = self.rulings(&name.owner, new.hash, oldest)?;
        let was_served = old.is_some_and(|old| old.effective > now);
        // What has expired counts as absent where the other has not.
        if let Some(expired) = old
            && !was_served
            && union::expiry(&new, &rulings) > now
        {
            self.remove_message(name, &expired);
            old = None;
        }
        let facts = old.map_or(new, |old| old.facts(new.hash).join(&new));
        if union::removed_by(&facts, &rulings).is_some() {
            if let Some(old) = old {
                self.remove_message(name, &old);
            }
            return Ok((Merged::Refused, true));
        }
        let effective = union::expiry(&facts, &rulings);
        let expired = old.is_none() && effective <= now && facts.expiry <= now;
        let rivals = self.rivals(&name.owner, &facts)?;
        if expired {
            return Ok((Merged::Refused, true));
        }
        if greater(&rivals, &facts, now).is_some() {
            return Ok((Merged::Refused, false));
        }
        for (name, rival) in rivals {
            self.remove_message(name, &rival);
        }
        let is_old = old.is_some_and(|old| old.facts(new.hash).outlasts(&new));
        let source = (!is_old).then_some(message);
        self.place(&Placed { name, facts, effective, old, source })?;
        let merged = if was_served {
            Merged::Known
        } else if effective > now {
            Merged::New
        } else {
            Merged::Refused
        };
        Ok((merged, true))
    }

    /// The other messages of the drawer, if it is one of one message.
    fn rivals(
        &self,
        owner: &AccountId,
        facts: &Facts,
    ) -> Result<Vec<(Name, NameEntry)>, StoreError> {
        if !facts.in_outbox() {
            return Ok(Vec::new());
        }
        let mut all = self.in_drawer(owner, facts.namespace)?;
        all.retain(|(name, _)| name.hash() != facts.hash);
        Ok(all)
    }

    /// The messages of a drawer, all of which is read: one that holds few.
    pub(super) fn in_drawer(
        &self,
        owner: &AccountId,
        namespace: Namespace,
    ) -> Result<Vec<(Name, NameEntry)>, StoreError> {
        let mut all = Vec::new();
        for (_, bytes) in
            self.range(Space::Messages, MessageKey::drawer(*owner, namespace), usize::MAX)?
        {
            let name = Name::message(*owner, MessageValue::decode(&bytes)?.hash);
            all.push((name, self.known(&name)?));
        }
        Ok(all)
    }

    /// Keeps what a message did to its drawer, and does it.
    fn note_replacement(&mut self, message: &MessageRecord, now: Millis) -> Result<(), StoreError> {
        let Some(order) = message.replacement().filter(|order| order_end(order.stamp) > now) else {
            return Ok(());
        };
        let (order, changed) = self.keep_order(order)?;
        if changed { self.carry_out(&order, now, &mut Applied::default()) } else { Ok(()) }
    }

    /// The entry of a message that is there.
    fn known(&self, name: &Name) -> Result<NameEntry, StoreError> {
        let missing = || StoreError::Corrupt("a message has no name".into());
        self.entry(name)?.ok_or_else(missing)
    }

    fn place(&mut self, placed: &Placed<'_>) -> Result<(), StoreError> {
        let Placed { name, facts, effective, old, source } = *placed;
        let same = |old: NameEntry| old.facts(facts.hash) == facts && old.effective == effective;
        if old.is_some_and(same) {
            return Ok(());
        }
        let sequence = old.map_or(self.state.next_sequence, |old| old.sequence);
        if let Some(source) = source {
            let key = MessageKey { owner: name.owner, namespace: facts.namespace, sequence };
            let value = MessageValue::new(source, &facts, effective).encode();
            self.put(Space::Messages, key.encode(), value);
        }
        let Facts { namespace, timestamp, stored, expiry, .. } = facts;
        let id = match old {
            Some(old) if (old.stored, old.expiry) == (stored, expiry) => old.id,
            _ => Item::message(&name.owner, namespace, &facts.hash, stored, expiry)?.id,
        };
        let entry = NameEntry { namespace, sequence, timestamp, stored, expiry, effective, id };
        self.put(Space::Names, name.encode(), entry.encode());
        match old {
            Some(old) if old.effective == effective => {}
            Some(old) => {
                self.remove_expiry(old.effective, name);
                self.put_expiry(effective, name, MESSAGE);
            }
            None => {
                self.put_expiry(effective, name, MESSAGE);
                self.state.next_sequence = sequence.saturating_add(1);
                self.state.messages = self.state.messages.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Moves the expiry of a message as orders have it.
    pub(super) fn move_expiry(
        &mut self,
        name: Name,
        entry: &NameEntry,
        effective: Millis,
    ) -> Result<(), StoreError> {
        let facts = entry.facts(name.hash());
        self.place(&Placed { name, facts, effective, old: Some(*entry), source: None })
    }

    pub(super) fn remove_message(&mut self, name: Name, entry: &NameEntry) {
        let NameEntry { namespace, sequence, .. } = *entry;
        let key = MessageKey { owner: name.owner, namespace, sequence };
        self.remove(Space::Messages, key.encode());
        self.remove(Space::Names, name.encode());
        self.remove_expiry(entry.effective, name);
        self.state.messages = self.state.messages.saturating_sub(1);
    }
}
