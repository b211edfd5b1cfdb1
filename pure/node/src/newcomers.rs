//! Nodes that announced themselves and have proved nothing yet: few, and out of the way of the others.

use std::collections::BTreeMap;

use warren_wire::NodeId;
use warren_wire::directory::{NodeRecord, Standing};

use crate::reachability::{AnnounceError, Observation};

/// The most newcomers altogether.
pub(crate) const MOST_NEWCOMERS: usize = 1_000;
/// The most that one sender announced.
pub(crate) const MOST_OF_SENDER: usize = 4;

/// One newcomer.
#[derive(Debug, Clone)]
struct Newcomer {
    observation: Observation,
    sender: Option<Vec<u8>>,
    /// Whether it announced itself since it was last tried.
    is_due: bool,
}

/// All newcomers. One that failed its try is kept, so that it can be told, until its place is wanted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Newcomers {
    nodes: BTreeMap<NodeId, Newcomer>,
}

impl Newcomers {
    /// Takes a newcomer, or a newer announcement of one. `sender` is where it came from, in bytes that
    /// mean nothing here; `None` is not counted.
    ///
    /// # Errors
    /// Where the sender, or all of them, have as many that are still to be tried as they may.
    pub(crate) fn announce(
        &mut self,
        fresh: Observation,
        sender: Option<&[u8]>,
    ) -> Result<Standing, AnnounceError> {
        let id = fresh.record.id;
        if let Some(known) = self.nodes.get_mut(&id) {
            if known.observation.published < fresh.published {
                known.observation = known.observation.renewed(fresh);
                known.is_due = true;
            }
            return Ok(known.observation.standing());
        }
        if sender.is_some() {
            let is_of_sender = |newcomer: &Newcomer| newcomer.sender.as_deref() == sender;
            self.make_room(MOST_OF_SENDER, is_of_sender).ok_or(AnnounceError::TooMany)?;
        }
        self.make_room(MOST_NEWCOMERS, |_| true).ok_or(AnnounceError::Full)?;
        let standing = fresh.standing();
        let sender = sender.map(<[u8]>::to_vec);
        self.nodes.insert(id, Newcomer { observation: fresh, sender, is_due: true });
        Ok(standing)
    }

    /// Where there are as many as may be, one that failed its try leaves; `None` where none has.
    fn make_room(&mut self, most: usize, counts: impl Fn(&Newcomer) -> bool) -> Option<()> {
        let mut counted = self.nodes.iter().filter(|(_, newcomer)| counts(newcomer));
        if counted.clone().count() < most {
            return Some(());
        }
        let failed = counted.find(|(_, newcomer)| !newcomer.is_due).map(|(id, _)| *id)?;
        self.nodes.remove(&failed).map(|_| ())
    }

    /// Whom to try: each once for every announcement.
    pub(crate) fn to_try(&self) -> Vec<NodeRecord> {
        let due = self.nodes.values().filter(|newcomer| newcomer.is_due);
        due.map(|newcomer| newcomer.observation.record.clone()).collect()
    }

    /// Notes a try. A newcomer that was reached leaves, and is what is known of it.
    pub(crate) fn note(&mut self, tried: &NodeRecord, reached: bool) -> Option<Observation> {
        let newcomer = self.nodes.get_mut(&tried.id)?;
        newcomer.observation.note(tried, reached).then_some(())?;
        newcomer.is_due = false;
        if !reached {
            return None;
        }
        self.nodes.remove(&tried.id).map(|newcomer| newcomer.observation)
    }

    /// What is known of one.
    pub(crate) fn get(&self, id: &NodeId) -> Option<&Observation> {
        self.nodes.get(id).map(|newcomer| &newcomer.observation)
    }

    /// Forgets those for which this does not hold.
    pub(crate) fn retain(&mut self, holds: impl Fn(&Observation) -> bool) {
        self.nodes.retain(|_, newcomer| holds(&newcomer.observation));
    }
}
