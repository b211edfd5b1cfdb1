//! Reading a page of a drawer from one consistent view of the database.

use fjall::Readable;
use warren_wire::{AccountId, MessageHash, Millis};

use super::keys::{HashEntry, HashKey, MessageKey, Record};
use super::tables::{Tables, drawer};
use crate::StoreError;
use crate::shapes::{Page, Query, Room, StoredMessage};

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
    let mut room = Room::of(query);
    let mut page = Page::default();
    for item in view.range(&tables.messages, first.encode()..=last.encode()) {
        let value = item.value()?;
        let record = Record::decode(&value)?;
        if record.expiry <= now {
            continue;
        }
        if !room.take(record.data.len()) {
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
