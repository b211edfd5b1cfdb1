//! A batch of writes in the making: each sees those before it, and all become durable at once.
//!
//! | module | what |
//! |---|---|
//! | `messages` | storing, merging and removing messages |
//! | `orders` | carrying orders out |
//! | `sweep` | removing what is past its time, or on a stretch of the ring; notes for members |

mod messages;
mod orders;
mod sweep;

use std::collections::BTreeMap;
use std::ops::Bound;

use fjall::{OwnedWriteBatch, PersistMode, Slice};
use warren_wire::{AccountId, MessageHash, Millis, Stamp};

use super::keys::{Bounds, ExpiryKey, Name, STATE_KEY, Scope};
use super::tables::{Space, Tables};
use super::values::{NameEntry, Standing, State, decode_ruling};
use crate::StoreError;
use crate::union::Ruling;

/// A message and an order in `expiries`.
const MESSAGE: [u8; 1] = [0];
const ORDER: [u8; 1] = [1];

/// Values over what one keyspace holds; `None` where a key is removed.
type Layer = BTreeMap<Vec<u8>, Option<Slice>>;

/// Where writing leaves off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Progress {
    pub(super) state: State,
    /// Nothing that is kept is to be removed before this.
    pub(super) swept_to: Millis,
}

/// Writes that lie over what the database holds.
pub(super) struct Stage<'a> {
    tables: &'a Tables,
    state: State,
    swept_to: Millis,
    layers: [Layer; Space::ALL.len()],
    /// What [`Stage::attempt`] puts back where its work fails, the last first.
    undo: Vec<(Space, Vec<u8>, Option<Option<Slice>>)>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(tables: &'a Tables, progress: Progress) -> Self {
        let Progress { state, swept_to } = progress;
        let (layers, undo) = Default::default();
        Self { tables, state, swept_to, layers, undo }
    }

    /// Does one caller's work; where it fails, the stage is as it was.
    pub(super) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.undo.clear();
        let before = self.state;
        let outcome = work(self);
        if outcome.is_err() {
            self.state = before;
            while let Some((space, key, old)) = self.undo.pop() {
                let layer = self.layer_mut(space);
                match old {
                    Some(old) => layer.insert(key, old),
                    None => layer.remove(&key),
                };
            }
        }
        outcome
    }

    /// Makes the writes durable, all or none; returns where they leave off.
    pub(super) fn commit(self) -> Result<Progress, StoreError> {
        let progress = Progress { state: self.state, swept_to: self.swept_to };
        let items: usize = self.layers.iter().map(BTreeMap::len).sum();
        if items == 0 {
            return Ok(progress);
        }
        let tables = self.tables;
        let mut batch = OwnedWriteBatch::with_capacity(tables.database.clone(), items + 1)
            .durability(Some(PersistMode::SyncAll));
        for (space, layer) in Space::ALL.into_iter().zip(self.layers) {
            let keyspace = tables.space(space);
            for (key, value) in layer {
                match value {
                    Some(value) => batch.insert(keyspace, key, value),
                    None => batch.remove(keyspace, key),
                }
            }
        }
        batch.insert(&tables.meta, STATE_KEY, self.state.encode());
        batch.commit()?;
        Ok(progress)
    }

    #[expect(clippy::indexing_slicing, reason = "there is a layer for every space")]
    const fn layer(&self, space: Space) -> &Layer {
        &self.layers[space as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "there is a layer for every space")]
    const fn layer_mut(&mut self, space: Space) -> &mut Layer {
        &mut self.layers[space as usize]
    }

    /// How many keys of a keyspace are to be written.
    #[cfg(test)]
    pub(super) fn writes(&self, space: Space) -> usize {
        self.layer(space).len()
    }

    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Slice>, StoreError> {
        match self.layer(space).get(key) {
            Some(staged) => Ok(staged.clone()),
            None => Ok(self.tables.space(space).get(key)?),
        }
    }

    fn set(&mut self, space: Space, key: Vec<u8>, value: Option<Slice>) {
        let old = self.layer_mut(space).insert(key.clone(), value);
        self.undo.push((space, key, old));
    }

    fn put(&mut self, space: Space, key: Vec<u8>, value: impl Into<Slice>) {
        self.set(space, key, Some(value.into()));
    }

    fn remove(&mut self, space: Space, key: Vec<u8>) {
        self.set(space, key, None);
    }

    /// The first entries of a range, at most so many.
    fn range(
        &self,
        space: Space,
        (first, last): Bounds,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Slice)>, StoreError> {
        let bounds = (Bound::Included(first.as_slice()), Bound::Included(last.as_slice()));
        let staged: Vec<_> = self.layer(space).range::<[u8], _>(bounds).collect();
        // Of those in the table at most as many are hidden as are staged.
        let in_table = limit.saturating_add(staged.len());
        let mut merged = BTreeMap::new();
        for item in
            self.tables.space(space).range(first.as_slice()..=last.as_slice()).take(in_table)
        {
            let (key, value) = item.into_inner()?;
            merged.insert(key.to_vec(), value);
        }
        for (key, value) in staged {
            match value {
                Some(value) => merged.insert(key.clone(), value.clone()),
                None => merged.remove(key),
            };
        }
        Ok(merged.into_iter().take(limit).collect())
    }

    fn entry(&self, name: &Name) -> Result<Option<NameEntry>, StoreError> {
        let bytes = self.get(Space::Names, &name.encode())?;
        Ok(bytes.map(|bytes| NameEntry::decode(&bytes)).transpose()?)
    }

    fn standing(&self, owner: &AccountId) -> Result<Option<Standing>, StoreError> {
        let bytes = self.get(Space::Owners, owner.as_bytes())?;
        Ok(bytes.map(|bytes| Standing::decode(&bytes)).transpose()?)
    }

    fn set_standing(&mut self, owner: &AccountId, standing: &Standing) {
        let key = owner.as_bytes().to_vec();
        if standing.orders == 0 {
            self.remove(Space::Owners, key);
        } else {
            self.put(Space::Owners, key, standing.encode());
        }
    }

    /// What orders rule for a message whose records have stamps of `oldest` or later.
    fn rulings(
        &self,
        owner: &AccountId,
        hash: MessageHash,
        oldest: Stamp,
    ) -> Result<Vec<Ruling>, StoreError> {
        let Some(standing) = self.standing(owner)? else { return Ok(Vec::new()) };
        let mut rulings = self.rulings_in(owner, Scope::Message(hash))?;
        // Hardly any owner has orders later than what is just being stored, and earlier ones for
        // whole drawers only take back what others gave this message.
        if standing.latest >= oldest || !rulings.is_empty() {
            rulings.extend(self.rulings_in(owner, Scope::Drawers)?);
        }
        Ok(rulings)
    }

    fn rulings_in(&self, owner: &AccountId, scope: Scope) -> Result<Vec<Ruling>, StoreError> {
        let hash = match scope {
            Scope::Message(hash) => Some(hash),
            Scope::Drawers | Scope::Access => None,
        };
        let found = self.range(Space::Effects, scope.bounds(owner), usize::MAX)?;
        found.iter().map(|(_, bytes)| Ok(decode_ruling(hash, bytes)?)).collect()
    }

    fn put_expiry(&mut self, time: Millis, name: Name, kind: [u8; 1]) {
        self.swept_to = self.swept_to.min(time);
        self.put(Space::Expiries, ExpiryKey { time, name }.encode(), kind);
    }

    fn remove_expiry(&mut self, time: Millis, name: Name) {
        self.remove(Space::Expiries, ExpiryKey { time, name }.encode());
    }
}
