//! Reading a page of a drawer from one consistent view of the database.

use fjall::Readable;
use warren_wire::{AccountId, MessageHash, Millis};

use super::keys::{HashEntry, HashKey, MessageKey, Record};
use super::tables::{Tables, drawer};
use crate::StoreError;
use crate::mail::{Page, Query, StoredMessage, wire_size};

/// See [`crate::MailStore::retrieve`].
pub(super) fn retrieve(tables: &Tables, query: &Query, now: Millis) -> Result<Page, StoreError> {
    let view = tables.database.snapshot();
    let (mut first, last) = drawer(query.owner, query.namespace);
    if let Some(hash) = query.after
        && let Some(entry) = known(tables, &view, query.owner, hash)?
        && entry.namespace == query.namespace
        && entry.expiry > now
    {
        first = MessageKey { sequence: entry.sequence.saturating_add(1), ..first };
    }
    let mut room = Room { count: query.max_count, size: query.max_size, first: true };
    let mut page = Page::default();
    for item in view.range(&tables.messages, first.encode()..=last.encode()) {
        let value = item.value()?;
        let record = Record::decode(&value)?;
        if record.expiry <= now {
            continue;
        }
        if !room.take(wire_size(record.data.len())) {
            page.more = true;
            break;
        }
        page.messages.push(StoredMessage {
            hash: record.hash,
            timestamp: record.timestamp,
            expiry: record.expiry,
            data: record.data.to_vec(),
        });
    }
    Ok(page)
}

fn known(
    tables: &Tables,
    view: &fjall::Snapshot,
    owner: AccountId,
    hash: MessageHash,
) -> Result<Option<HashEntry>, StoreError> {
    let bytes = view.get(&tables.hashes, HashKey { owner, hash }.encode())?;
    Ok(bytes.map(|bytes| HashEntry::decode(&bytes)).transpose()?)
}

/// What still fits on the page.
struct Room {
    count: Option<usize>,
    size: usize,
    first: bool,
}

impl Room {
    /// Takes room for a message of this size, if there is any. The first fits whatever its size.
    fn take(&mut self, size: usize) -> bool {
        let fits = self.count != Some(0) && (self.first || size <= self.size);
        if fits {
            self.count = self.count.map(|count| count.saturating_sub(1));
            self.size = self.size.saturating_sub(size);
            self.first = false;
        }
        fits
    }
}
