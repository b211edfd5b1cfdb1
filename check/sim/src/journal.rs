//! What was asked of the swarm and acknowledged, and what therefore must be there in the end.

use std::collections::{BTreeMap, BTreeSet};

use warren_wire::limits::CLOCK_TOLERANCE;
use warren_wire::{MessageHash, Millis};

use crate::people::Wish;

/// One thing that was asked for. Times are those of the right clock.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Whose mailbox.
    pub(crate) person: usize,
    /// What.
    pub(crate) wish: Wish,
    /// The message it is about; none for all of them.
    pub(crate) hash: Option<MessageHash>,
    pub(crate) begun: Millis,
    pub(crate) ended: Millis,
    /// The members that were asked.
    pub(crate) through: Vec<usize>,
    /// Whether a member said that it is done. Else it may be done, or be done later.
    pub(crate) agreed: bool,
}

/// A message that lives no longer than clocks may differ may count as expired by the stamp of an order
/// that would move its expiry: the answer then says so, and the expiry stays.
const SHORT_LIFE: Millis = 2 * CLOCK_TOLERANCE;

/// All that was asked for in a run.
#[derive(Debug, Default)]
pub(crate) struct Journal(Vec<Asked>);

/// What must hold for a message in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It must be there.
    Kept,
    /// It must not be there.
    Gone,
    /// Both will do: something was not acknowledged, or two things were asked for at once.
    Open,
}

impl Asked {
    fn removes(&self) -> bool {
        matches!(self.wish, Wish::Delete(_) | Wish::DeleteAll)
    }

    fn told(&self) -> String {
        let what = match &self.wish {
            Wish::Store(_, ttl) => format!("store for {ttl} ms"),
            Wish::Delete(_) => "delete".to_owned(),
            Wish::DeleteAll => "delete all".to_owned(),
            Wish::Expire(_, expiry) => format!("expire at {expiry}"),
        };
        let agreed = if self.agreed { "acknowledged" } else { "not acknowledged" };
        format!("{} to {}: {what} through {:?}, {agreed}", self.begun, self.ended, self.through)
    }

    /// The expiry that it asks for.
    fn expiry(&self) -> Option<Millis> {
        match self.wish {
            Wish::Store(_, ttl) => Some(self.begun + ttl),
            Wish::Expire(_, expiry) => Some(expiry),
            Wish::Delete(_) | Wish::DeleteAll => None,
        }
    }

    fn concerns(&self, person: usize, hash: &MessageHash) -> bool {
        self.person == person && self.hash.is_none_or(|own| own == *hash)
    }
}

impl Journal {
    pub(crate) fn note(&mut self, asked: Asked) {
        self.0.push(asked);
    }

    /// All that was asked for a message, in words.
    pub(crate) fn story(&self, person: usize, hash: &MessageHash) -> String {
        let about = self.0.iter().filter(|asked| asked.concerns(person, hash));
        about.map(|asked| format!("\n  {}", asked.told())).collect()
    }

    /// How many requests were acknowledged.
    pub(crate) fn agreed(&self) -> usize {
        self.0.iter().filter(|asked| asked.agreed).count()
    }

    /// Every message that was ever to be stored.
    pub(crate) fn messages(&self) -> BTreeSet<(usize, MessageHash)> {
        let stores = self.0.iter().filter(|asked| matches!(asked.wish, Wish::Store(..)));
        stores.filter_map(|asked| Some((asked.person, asked.hash?))).collect()
    }

    /// Messages whose store was acknowledged and that nobody asked to remove yet.
    pub(crate) fn standing(&self) -> Vec<(usize, MessageHash, Vec<u8>)> {
        let mut standing: BTreeMap<(usize, MessageHash), Vec<u8>> = BTreeMap::new();
        for asked in &self.0 {
            match (&asked.wish, asked.hash) {
                (Wish::Store(data, _), Some(hash)) if asked.agreed => {
                    standing.insert((asked.person, hash), data.clone());
                }
                (Wish::Delete(_), Some(hash)) => drop(standing.remove(&(asked.person, hash))),
                (Wish::DeleteAll, _) => standing.retain(|(person, _), _| *person != asked.person),
                _ => {}
            }
        }
        standing.into_iter().map(|((person, hash), data)| (person, hash, data)).collect()
    }

    /// Messages that were stored and then removed, and not stored again since.
    pub(crate) fn deleted(&self) -> Vec<(usize, Vec<u8>)> {
        let gone = |person: usize, hash: &MessageHash| {
            let about = || self.0.iter().filter(|asked| asked.concerns(person, hash));
            let stored = |asked: &&Asked| matches!(asked.wish, Wish::Store(..));
            let last = about().filter(stored).map(|store| store.ended).max();
            about().any(|asked| asked.agreed && asked.removes() && last < Some(asked.begun))
        };
        let stores = self.0.iter().filter_map(|asked| match (&asked.wish, asked.hash) {
            (Wish::Store(data, _), Some(hash)) => Some((asked.person, hash, data)),
            _ => None,
        });
        stores
            .filter(|(person, hash, _)| gone(*person, hash))
            .map(|(person, _, data)| (person, data.clone()))
            .collect()
    }

    /// What must hold for a message in the end.
    pub(crate) fn verdict(&self, person: usize, hash: &MessageHash, now: Millis) -> Verdict {
        let about = || self.0.iter().filter(|asked| asked.concerns(person, hash));
        if let Some(latest) = about().filter_map(Asked::expiry).max()
            && latest < now
        {
            return Verdict::Gone;
        }
        if about().filter_map(Asked::expiry).any(|expiry| expiry < now) {
            return Verdict::Open;
        }
        let stores: Vec<&Asked> =
            about().filter(|asked| matches!(asked.wish, Wish::Store(..))).collect();
        let removals: Vec<&Asked> = about().filter(|asked| asked.removes()).collect();
        let settled = removals.iter().all(|removal| removal.agreed);
        let survives = |store: &&&Asked| {
            let before = |removal: &&Asked| removal.ended < store.begun;
            store.agreed && settled && removals.iter().all(before)
        };
        if stores.iter().any(|store| survives(&store)) {
            return Verdict::Kept;
        }
        let ends_all = |removal: &&Asked| {
            // Where two members were asked, the first may still bring what it took in with a clock
            // that is ahead.
            let after = |store: &&Asked| {
                store.agreed && store.through.len() == 1 && store.ended < removal.begun
            };
            removal.agreed && stores.iter().all(after)
        };
        if removals.iter().any(ends_all) { Verdict::Gone } else { Verdict::Open }
    }

    /// When a message must expire, where that is certain: one store, and moves one after the other,
    /// all acknowledged.
    pub(crate) fn expiry(&self, person: usize, hash: &MessageHash) -> Option<Millis> {
        let about: Vec<&Asked> = self
            .0
            .iter()
            .filter(|asked| asked.hash == Some(*hash) && asked.person == person)
            .collect();
        let in_turn = about.windows(2).all(|pair| matches!(pair, [a, b] if a.ended < b.begun));
        let stores = about.iter().filter(|asked| matches!(asked.wish, Wish::Store(..))).count();
        let short = |asked: &&&Asked| {
            asked.expiry().is_some_and(|expiry| expiry < asked.ended + SHORT_LIFE)
        };
        if stores != 1
            || !in_turn
            || about.iter().any(|asked| short(&asked))
            || !about.iter().all(|asked| asked.agreed)
        {
            return None;
        }
        about.iter().rev().find_map(|asked| asked.expiry())
    }
}
