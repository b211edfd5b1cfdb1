//! What goes into a storage engine and what comes out of it.

use warren_wire::{AccountId, MessageHash, Millis, Namespace, Stamp};

use crate::union::{Facts, Rule, Ruling};

/// What became of a message to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// When the message expires that is kept, all orders considered; where none is kept, what the
    /// store asked for.
    pub expiry: Millis,
    /// Whether nothing new was kept: the message was there, or a newer one in its stead (public
    /// outbox).
    pub already: bool,
    /// The stamp of a later order that removes the message: nothing was kept. A coordinator repeats
    /// the store with a greater stamp.
    pub overruled: Option<Stamp>,
}

/// What an order did to messages. Those that had expired count as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// What was removed, ordered by namespace, then hash.
    pub deleted: Vec<(Namespace, MessageHash)>,
    /// What expires now when the order says, ordered by namespace, then hash. Where the order sets
    /// an expiry this is every message that it reached, also one that expired then before; else
    /// those whose expiry changed.
    pub updated: Vec<(Namespace, MessageHash, Millis)>,
    /// Messages named, or covered, that are there and whose expiry is not the order's doing, and
    /// what it is; ordered by hash.
    pub unchanged: Vec<(MessageHash, Millis)>,
    /// The greatest stamp of what came after the order and withstands it: a named message stored
    /// later, a later word on a named subaccount. A coordinator repeats the order with a greater
    /// stamp.
    pub overruled: Option<Stamp>,
}

impl Applied {
    /// Notes what an order did to a message that was served before it and is still there. `own` are
    /// the order's rulings; the expiry was `before` and is `after`.
    pub fn note_kept(&mut self, facts: &Facts, own: &[Ruling], before: Millis, after: Millis) {
        let concerning = || own.iter().filter(|ruling| ruling.concerns(facts));
        let Some(ruling) = concerning().max_by_key(|ruling| ruling.rule) else { return };
        let withstands = match ruling.rule {
            Rule::Remove => ruling.stamp < facts.stored,
            Rule::RemoveUpTo(_) | Rule::Replace(_) => return,
            Rule::Set(_) | Rule::Extend(_) | Rule::Shorten(_) => ruling.stamp <= facts.stored,
        };
        if withstands && ruling.hash.is_some() {
            self.overruled = self.overruled.max(Some(facts.stored));
        }
        let moved = match ruling.rule {
            Rule::Remove | Rule::RemoveUpTo(_) | Rule::Replace(_) => return,
            Rule::Set(to) => !withstands && after == to,
            Rule::Extend(_) | Rule::Shorten(_) => !withstands && after != before,
        };
        if moved {
            self.updated.push((facts.namespace, facts.hash, after));
        } else {
            self.unchanged.push((facts.hash, after));
        }
    }

    /// Puts everything in its order.
    pub fn sort(&mut self) {
        self.deleted.sort_unstable();
        self.updated.sort_unstable();
        self.unchanged.sort_unstable();
    }
}

/// What a merge did with one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merged {
    /// A message that is served from here on (tell those who wait for it), or an order that was
    /// not known, or not under that stamp, and is carried out.
    New,
    /// Known, or changes no more than the stamp or the expiry of what is served.
    Known,
    /// Overruled, expired, too old, or replaced: not served.
    Refused,
}

/// Which messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query {
    /// Whose mailbox.
    pub owner: AccountId,
    /// Which drawer of it.
    pub namespace: Namespace,
    /// The last message the reader has. Where the drawer does not hold it, reading starts at the
    /// beginning.
    pub after: Option<MessageHash>,
    /// The most messages to return.
    pub max_count: Option<usize>,
    /// The most bytes to return, as [`StoredMessage::wire_size`] counts them. The first message
    /// is returned whatever its size.
    pub max_size: usize,
    /// Whether to read from the newest to the oldest; `after` is then the oldest message the reader
    /// has.
    pub newest_first: bool,
}

/// A message as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its name.
    pub hash: MessageHash,
    /// What the sender says of when it was sent.
    pub timestamp: Millis,
    /// From when on it is no longer served, all orders considered.
    pub expiry: Millis,
    /// The bytes.
    pub data: Vec<u8>,
}

impl StoredMessage {
    /// What the message counts for in a reply: see [`wire_size`].
    pub const fn wire_size(&self) -> usize {
        wire_size(self.data.len())
    }
}

/// What a message with so many bytes of data counts for in a reply: 100 for its frame, 43 for its
/// hash, and the data as base64 without padding (wire spec, section 4).
pub const fn wire_size(data_len: usize) -> usize {
    data_len.saturating_mul(4).saturating_div(3).saturating_add(100 + 43)
}

/// Some of the messages of a drawer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// In the order in which they arrived, or the reverse where that was asked for.
    pub messages: Vec<StoredMessage>,
    /// Whether more follow the last one.
    pub more: bool,
}

/// What still fits on a page: every engine fills pages by it.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    count: Option<usize>,
    size: usize,
    first: bool,
}

impl Room {
    /// The room of an empty page.
    pub const fn of(query: &Query) -> Self {
        Self { count: query.max_count, size: query.max_size, first: true }
    }

    /// Takes room for a message with so many bytes of data, if there is any. The first fits
    /// whatever its size, unless no message is wanted at all.
    pub fn take(&mut self, data_len: usize) -> bool {
        let size = wire_size(data_len);
        let fits = self.count != Some(0) && (self.first || size <= self.size);
        if fits {
            self.count = self.count.map(|count| count.saturating_sub(1));
            self.size = self.size.saturating_sub(size);
            self.first = false;
        }
        fits
    }
}

/// How much an engine holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages, among them those past their expiry that were not swept yet.
    pub messages: u64,
    /// Owners' orders, among them those past their time that were not swept yet.
    pub orders: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_counted_without_padding() {
        assert_eq!(wire_size(0), 143);
        assert_eq!(wire_size(1), 144);
        assert_eq!(wire_size(2), 145);
        assert_eq!(wire_size(3), 147);
        assert_eq!(wire_size(70_000), 143 + 93_333);
    }
}
