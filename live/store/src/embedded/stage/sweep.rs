//! Removing what is past its time, or on a stretch of the ring; and the notes for members.

use warren_wire::record::{Item, Positions};
use warren_wire::{Millis, NodeId};

use super::{MESSAGE, Stage};
use crate::StoreError;
use crate::embedded::keys::{ExpiryKey, Name, note_key};
use crate::embedded::tables::Space;
use crate::embedded::values::{NameEntry, OrderEntry, encode_item};

/// What one batch of a longer removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::embedded) struct Swept {
    /// How many messages are gone.
    pub(in crate::embedded) messages: usize,
    /// How many orders are gone.
    pub(in crate::embedded) orders: usize,
    /// Whether some may be left.
    pub(in crate::embedded) more: bool,
}

impl Stage<'_> {
    /// Removes at most `limit` of what is to be removed by `now`.
    pub(in crate::embedded) fn sweep(
        &mut self,
        now: Millis,
        limit: usize,
    ) -> Result<Swept, StoreError> {
        if now < self.swept_to {
            return Ok(Swept::default());
        }
        let due = self.range(Space::Expiries, ExpiryKey::between(self.swept_to, now), limit)?;
        let mut swept = Swept { more: due.len() == limit, ..Swept::default() };
        for (key, kind) in due {
            let ExpiryKey { time, name } = ExpiryKey::decode(&key)?;
            self.remove(Space::Expiries, key);
            if *kind == MESSAGE {
                if let Some(entry) = self.entry(&name)?.filter(|entry| entry.effective == time) {
                    self.remove_message(name, &entry);
                    swept.messages = swept.messages.saturating_add(1);
                }
            } else if let Some(entry) = self.order_named(&name)?.filter(|entry| entry.end == time) {
                self.remove_order(name, &entry)?;
                swept.orders = swept.orders.saturating_add(1);
            }
        }
        if !swept.more {
            self.swept_to = now;
        }
        Ok(swept)
    }

    /// Removes at most `limit` messages and as many orders on a stretch of the ring.
    pub(in crate::embedded) fn drop_positions(
        &mut self,
        positions: Positions,
        limit: usize,
    ) -> Result<Swept, StoreError> {
        let messages = self.range(Space::Names, Name::at(positions), limit)?;
        let orders = self.range(Space::Orders, Name::at(positions), limit)?;
        for (key, bytes) in &messages {
            self.remove_message(Name::decode(key)?, &NameEntry::decode(bytes)?);
        }
        for (key, bytes) in &orders {
            let name = Name::decode(key)?;
            self.remove_order(name, &OrderEntry::decode(name.owner, bytes)?)?;
        }
        let more = messages.len() == limit || orders.len() == limit;
        Ok(Swept { messages: messages.len(), orders: orders.len(), more })
    }

    /// See [`crate::MailStore::note_missed`].
    pub(in crate::embedded) fn note_missed(&mut self, peer: &NodeId, items: &[Item]) {
        for item in items {
            self.put(Space::Missed, note_key(peer, self.state.next_note), encode_item(item));
            self.state.next_note = self.state.next_note.saturating_add(1);
        }
    }

    /// Forgets at most `limit` notes up to and with a number; whether some may be left.
    pub(in crate::embedded) fn forget_missed(
        &mut self,
        peer: &NodeId,
        through: u64,
        limit: usize,
    ) -> Result<bool, StoreError> {
        let bounds = (note_key(peer, 0), note_key(peer, through));
        let notes = self.range(Space::Missed, bounds, limit)?;
        let more = notes.len() == limit;
        for (key, _) in notes {
            self.remove(Space::Missed, key);
        }
        Ok(more)
    }
}
