//! Reading from one consistent view of the database.

use std::collections::{BTreeSet, HashMap};

use fjall::{Readable, Slice, Snapshot};
use warren_wire::record::{Item, Positions, Record, SubaccountToken};
use warren_wire::{AccountId, MessageHash, Millis, NodeId, swarm};

use super::keys::{Bounds, MessageKey, Name, note_key, note_number};
use super::tables::{Space, Tables};
use super::values::{MessageValue, NameEntry, OrderEntry, Standing, decode_item};
use crate::StoreError;
use crate::mail::{RECORDS_BYTES, RECORDS_ITEMS};
use crate::shapes::{Page, Query, Room, StoredMessage};

/// A view of the database as it was at one moment.
pub(super) struct View<'a> {
    tables: &'a Tables,
    snapshot: Snapshot,
}

/// Where the record of an item lies.
#[derive(Debug, Clone, Copy)]
enum Place {
    Message(MessageKey),
    Order(Name),
}

impl<'a> View<'a> {
    pub(super) fn of(tables: &'a Tables) -> Self {
        Self { tables, snapshot: tables.database.snapshot() }
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, StoreError> {
        Ok(self.snapshot.get(self.tables.space(space), key)?)
    }

    fn range(&self, space: Space, (first, last): Bounds) -> fjall::Iter {
        self.snapshot.range(self.tables.space(space), first..=last)
    }

    fn entry(&self, name: &Name) -> Result<Option<NameEntry>, StoreError> {
        let bytes = self.get(Space::Names, &name.encode())?;
        Ok(bytes.map(|bytes| NameEntry::decode(&bytes)).transpose()?)
    }

    /// What is known of a message that is there.
    fn known(&self, owner: AccountId, hash: MessageHash) -> Result<NameEntry, StoreError> {
        let missing = || StoreError::Corrupt("a message has no name".into());
        self.entry(&Name::message(owner, hash))?.ok_or_else(missing)
    }

    /// See [`crate::MailStore::retrieve`].
    pub(super) fn retrieve(&self, query: &Query, now: Millis) -> Result<Page, StoreError> {
        let mut room = Room::of(query);
        let mut page = Page::default();
        let range = self.range(Space::Messages, self.wanted(query, now)?);
        let (forwards, backwards) =
            if query.newest_first { (None, Some(range.rev())) } else { (Some(range), None) };
        for item in forwards.into_iter().flatten().chain(backwards.into_iter().flatten()) {
            let value = item.value()?;
            let message = MessageValue::decode(&value)?;
            let known = self.known(query.owner, message.hash)?;
            if known.effective <= now {
                continue;
            }
            if !room.take(message.data.len()) {
                page.more = true;
                break;
            }
            page.messages.push(StoredMessage {
                hash: message.hash,
                timestamp: known.timestamp,
                expiry: known.effective,
                data: message.data.to_vec(),
            });
        }
        Ok(page)
    }

    /// The part of a drawer that the reader does not have.
    fn wanted(&self, query: &Query, now: Millis) -> Result<Bounds, StoreError> {
        let Query { owner, namespace, .. } = *query;
        let (mut first, mut last) = MessageKey::drawer(owner, namespace);
        if let Some(hash) = query.after
            && let Some(entry) = self.entry(&Name::message(owner, hash))?
            && entry.namespace == namespace
            && entry.effective > now
        {
            let key = |sequence| MessageKey { owner, namespace, sequence }.encode();
            if !query.newest_first {
                first = key(entry.sequence.saturating_add(1));
            } else if let Some(older) = entry.sequence.checked_sub(1) {
                last = key(older);
            } else {
                // Nothing is older than the first: a range of one message that is not there.
                (first, last) = (key(u64::MAX), key(u64::MAX));
            }
        }
        Ok((first, last))
    }

    /// See [`crate::MailStore::expiries`].
    pub(super) fn expiries(
        &self,
        owner: AccountId,
        hashes: Option<Vec<MessageHash>>,
        now: Millis,
    ) -> Result<Vec<(MessageHash, Millis)>, StoreError> {
        let mut found = Vec::new();
        let Some(hashes) = hashes else {
            for item in self.range(Space::Names, Name::of_owner(&owner)) {
                let (key, value) = item.into_inner()?;
                found.push((Name::decode(&key)?.hash(), NameEntry::decode(&value)?.effective));
            }
            found.retain(|(_, expiry)| *expiry > now);
            return Ok(found);
        };
        let mut seen = BTreeSet::new();
        for hash in hashes.into_iter().filter(|hash| seen.insert(*hash)) {
            let entry = self.entry(&Name::message(owner, hash))?;
            found.extend(entry.map(|entry| (hash, entry.effective)));
        }
        found.retain(|(_, expiry)| *expiry > now);
        Ok(found)
    }

    /// See [`crate::MailStore::revoked`].
    pub(super) fn revoked(&self, owner: &AccountId) -> Result<Vec<SubaccountToken>, StoreError> {
        let bytes = self.get(Space::Owners, owner.as_bytes())?;
        let standing = bytes.map(|bytes| Standing::decode(&bytes)).transpose()?;
        Ok(standing.unwrap_or_default().revoked)
    }

    /// See [`crate::MailStore::some_items`].
    pub(super) fn items(
        &self,
        positions: Positions,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        for item in self.range(Space::Names, Name::at(positions)) {
            if items.len() >= limit {
                break;
            }
            let (key, value) = item.into_inner()?;
            let entry = NameEntry::decode(&value)?;
            if entry.effective > now {
                items.push(entry.item(&Name::decode(&key)?.owner));
            }
        }
        for item in self.range(Space::Orders, Name::at(positions)) {
            if items.len() >= limit {
                break;
            }
            let (key, value) = item.into_inner()?;
            let (stamp, end, id) = OrderEntry::head(&value)?;
            if end > now {
                let position = swarm::position(&Name::decode(&key)?.owner);
                items.push(Item { position, stamp, id });
            }
        }
        items.sort_unstable_by_key(|item| (item.stamp, item.id));
        Ok(items)
    }

    /// See [`crate::MailStore::records`].
    pub(super) fn records(&self, items: &[Item]) -> Result<(Vec<Record>, usize), StoreError> {
        let items = items.get(..RECORDS_ITEMS).unwrap_or(items);
        let places = self.places(items)?;
        let (mut records, mut looked_at, mut size) = (Vec::new(), 0_usize, 0_usize);
        for item in items {
            if size >= RECORDS_BYTES {
                break;
            }
            looked_at = looked_at.saturating_add(1);
            let Some(place) = places.get(item) else { continue };
            if let Some((record, bytes)) = self.record(place)? {
                records.push(record);
                size = size.saturating_add(bytes);
            }
        }
        Ok((records, looked_at))
    }

    /// Where the records of items lie, those that are there.
    fn places(&self, items: &[Item]) -> Result<HashMap<Item, Place>, StoreError> {
        let sought: BTreeSet<_> = items.iter().copied().collect();
        let positions: BTreeSet<_> = items.iter().map(|item| item.position).collect();
        let mut places = HashMap::with_capacity(items.len());
        for position in positions {
            let here = Positions { first: position, last: position };
            for item in self.range(Space::Names, Name::at(here)) {
                let (key, value) = item.into_inner()?;
                let (name, entry) = (Name::decode(&key)?, NameEntry::decode(&value)?);
                let item = Item { position, stamp: entry.stored, id: entry.id };
                if sought.contains(&item) {
                    let NameEntry { namespace, sequence, .. } = entry;
                    let key = MessageKey { owner: name.owner, namespace, sequence };
                    places.insert(item, Place::Message(key));
                }
            }
            for item in self.range(Space::Orders, Name::at(here)) {
                let (key, value) = item.into_inner()?;
                let (stamp, _, id) = OrderEntry::head(&value)?;
                let item = Item { position, stamp, id };
                if sought.contains(&item) {
                    places.insert(item, Place::Order(Name::decode(&key)?));
                }
            }
        }
        Ok(places)
    }

    /// A record, and how many bytes it counts for.
    fn record(&self, place: &Place) -> Result<Option<(Record, usize)>, StoreError> {
        let (space, key) = match place {
            Place::Message(key) => (Space::Messages, key.encode()),
            Place::Order(name) => (Space::Orders, name.encode()),
        };
        let Some(bytes) = self.get(space, &key)? else { return Ok(None) };
        let record = match place {
            Place::Message(MessageKey { owner, .. }) => {
                let message = MessageValue::decode(&bytes)?;
                let known = self.known(*owner, message.hash)?;
                Record::Message(message.record(*owner, &known))
            }
            Place::Order(name) => Record::Order(OrderEntry::decode(name.owner, &bytes)?.order),
        };
        Ok(Some((record, bytes.len())))
    }

    /// See [`crate::MailStore::mailbox`].
    pub(super) fn mailbox(&self, owner: AccountId, now: Millis) -> Result<Vec<Record>, StoreError> {
        let mut keys = Vec::new();
        for item in self.range(Space::Names, Name::of_owner(&owner)) {
            let NameEntry { namespace, sequence, effective, .. } =
                NameEntry::decode(&item.value()?)?;
            if effective > now {
                keys.push(MessageKey { owner, namespace, sequence });
            }
        }
        keys.sort_unstable_by_key(|key| key.sequence);
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            records.extend(self.record(&Place::Message(key))?.map(|(record, _)| record));
        }
        let mut orders = Vec::new();
        for item in self.range(Space::Orders, Name::of_owner(&owner)) {
            let entry = OrderEntry::decode(owner, &item.value()?)?;
            if entry.end > now {
                orders.push(entry.order);
            }
        }
        orders.sort_unstable_by(|a, b| (a.stamp, &a.proof).cmp(&(b.stamp, &b.proof)));
        records.extend(orders.into_iter().map(Record::Order));
        Ok(records)
    }

    /// See [`crate::MailStore::missed`].
    pub(super) fn missed(
        &self,
        peer: &NodeId,
        limit: usize,
    ) -> Result<Vec<(u64, Item)>, StoreError> {
        let all = (note_key(peer, 0), note_key(peer, u64::MAX));
        let note = |item: fjall::Guard| {
            let (key, value) = item.into_inner()?;
            Ok((note_number(&key)?, decode_item(&value)?))
        };
        self.range(Space::Missed, all).take(limit).map(note).collect()
    }
}
