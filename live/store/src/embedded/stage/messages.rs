//! Storing, merging and removing messages.

use warren_wire::record::{Item, MessageRecord};
use warren_wire::{AccountId, Millis};

use super::{MESSAGE, Stage};
use crate::StoreError;
use crate::embedded::keys::{MessageKey, Name};
use crate::embedded::tables::Space;
use crate::embedded::values::{MessageValue, NameEntry};
use crate::shapes::{Merged, Stored};
use crate::union::{self, Facts};

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
        let overruled = union::removed_by(&facts, &rulings);
        if overruled.is_some() {
            if let Some(live) = live {
                self.remove_message(name, &live);
            }
            return Ok(Stored { expiry: message.expiry, already: false, overruled });
        }
        if let Some(expiry) = self.make_room(&name.owner, &facts, now)? {
            return Ok(Stored { expiry, already: true, overruled: None });
        }
        let effective = union::expiry(&facts, &rulings);
        let source = live.is_none_or(|live| live.stored < new.stored).then_some(message);
        self.place(&Placed { name, facts, effective, old: live, source })?;
        Ok(Stored { expiry: effective, already: live.is_some(), overruled: None })
    }

    /// See [`crate::MailStore::merge`].
    pub(in crate::embedded) fn merge_message(
        &mut self,
        message: &MessageRecord,
        now: Millis,
    ) -> Result<Merged, StoreError> {
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
            return Ok(Merged::Refused);
        }
        let effective = union::expiry(&facts, &rulings);
        let expired = old.is_none() && effective <= now && facts.expiry <= now;
        if expired || self.make_room(&name.owner, &facts, now)?.is_some() {
            return Ok(Merged::Refused);
        }
        let is_old = old.is_some_and(|old| old.facts(new.hash).outlasts(&new));
        let source = (!is_old).then_some(message);
        self.place(&Placed { name, facts, effective, old, source })?;
        Ok(if was_served {
            Merged::Known
        } else if effective > now {
            Merged::New
        } else {
            Merged::Refused
        })
    }

    /// Removes what a message replaces, if it is for a drawer of one; or gives the expiry of the
    /// greater one that stays.
    fn make_room(
        &mut self,
        owner: &AccountId,
        facts: &Facts,
        now: Millis,
    ) -> Result<Option<Millis>, StoreError> {
        if !facts.in_outbox() {
            return Ok(None);
        }
        let drawer = MessageKey::drawer(*owner, facts.namespace);
        let mut rivals = Vec::new();
        for (_, bytes) in self.range(Space::Messages, drawer, usize::MAX)? {
            let rival = MessageValue::decode(&bytes)?.hash;
            if rival != facts.hash {
                let name = Name::message(*owner, rival);
                rivals.push((name, self.known(&name)?));
            }
        }
        let greater = |(name, rival): &&(Name, NameEntry)| {
            rival.facts(name.hash()).rank() > facts.rank() && rival.effective > now
        };
        if let Some((_, rival)) = rivals.iter().find(greater) {
            return Ok(Some(rival.effective));
        }
        for (name, rival) in rivals {
            self.remove_message(name, &rival);
        }
        Ok(None)
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
