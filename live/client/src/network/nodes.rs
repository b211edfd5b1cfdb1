//! The list of nodes: in memory, in the database, or from the directory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use warren_transport::{Seed, SeedError};
use warren_wire::Millis;
use warren_wire::directory::{ListError, ListHeader, NodeList, UnverifiedList};
use warren_wire::limits::SECOND;

use crate::database::CachedNodeList;
use crate::error::ClientError;
use crate::messenger::now;

use super::Network;

/// So long a list that was fetched is taken for the newest, whatever it says of itself.
const FRESH_FOR: Millis = 2 * 60 * 60 * SECOND;
/// A node may provoke a question to the directory no more often than this.
const LEAST_PAUSE: Duration = Duration::from_secs(120);

/// What an account knows of the nodes while it is at work.
pub(crate) struct Nodes {
    seed: Option<Seed>,
    seen: Mutex<Seen>,
    /// Held by who asks the directory, so that those who want the same wait for one answer.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    known: Option<Known>,
    /// When the directory was asked last ...
    refreshed: Option<Instant>,
    /// ... and when it answered.
    answered: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    list: Arc<NodeList>,
    header: ListHeader,
    fetched_at: Millis,
}

impl Known {
    /// Whether there is no need to ask for a newer one.
    fn is_fresh(&self, now: Millis) -> bool {
        // Where the clock ran backwards since, the list is as old as can be.
        let age = now.checked_sub(self.fetched_at).unwrap_or(Millis::MAX);
        age < FRESH_FOR || (age < Millis::MAX && now < self.header.times.fresh_until)
    }
}

impl Nodes {
    pub(crate) fn new(seed: Option<Seed>) -> Self {
        Self { seed, seen: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered_since(&self, then: Instant) -> bool {
        self.seen().answered.is_some_and(|answered| answered >= then)
    }

    fn known(&self) -> Option<Known> {
        self.seen().known.clone()
    }
}

impl Network {
    /// All nodes. The directory is asked where the list is old, and not missed where it is silent,
    /// until the list has expired.
    pub(crate) async fn nodes(&self) -> Result<Arc<NodeList>, ClientError> {
        if self.nodes.known().is_none() {
            let kept = self.kept_nodes()?;
            self.nodes.seen().known = kept;
        }
        let now = now();
        match self.nodes.known() {
            None => self.refresh_nodes().await,
            Some(known) if known.header.check_time(now).is_err() => {
                self.refresh_nodes().await.map_err(|error| match error {
                    ClientError::Seed(error) => SeedError::Outdated(Box::new(error)).into(),
                    other => other,
                })
            }
            Some(known) if known.is_fresh(now) => Ok(known.list),
            Some(known) => {
                self.renew_nodes().await?;
                Ok(self.nodes.known().unwrap_or(known).list)
            }
        }
    }

    /// When the newest list that was seen since the start was signed: it is no earlier than that,
    /// whatever this device's clock says. `None` before there was one.
    pub(crate) fn listed_at(&self) -> Option<Millis> {
        self.nodes.known().map(|known| known.header.times.valid_after)
    }

    /// The list of an earlier run, its signatures checked again.
    fn kept_nodes(&self) -> Result<Option<Known>, ClientError> {
        let seed = self.nodes.seed.as_ref().ok_or(ClientError::NoSeed)?;
        let kept = self.db.with(|db| db.node_list(&seed.keys().id()))?;
        let Some(kept) = kept else { return Ok(None) };
        let list = serde_json::from_str::<UnverifiedList>(&kept.list)
            .ok()
            .and_then(|signed| seed.check(&signed).ok());
        Ok(list.map(|list| Known {
            list: list.nodes,
            header: list.header,
            fetched_at: kept.fetched_at,
        }))
    }

    /// Asks the directory and keeps its list, unless it is older than one seen before.
    pub(crate) async fn refresh_nodes(&self) -> Result<Arc<NodeList>, ClientError> {
        let seed = self.nodes.seed.clone().ok_or(ClientError::NoSeed)?;
        let came = Instant::now();
        let _turn = self.nodes.asking.lock().await;
        if let Some(known) = self.nodes.known().filter(|_| self.nodes.answered_since(came)) {
            return Ok(known.list);
        }
        self.nodes.seen().refreshed = Some(Instant::now());
        // Another process of this person's may have seen a newer one than this.
        let seen = self.kept_nodes()?.map(|known| known.header);
        let (list, signed) = seed.fetch(seen.as_ref(), now()).await?;
        let fetched_at = now();
        let text = serde_json::to_string(&signed).map_err(|_| ListError::Malformed);
        let kept = CachedNodeList { list: text.map_err(SeedError::from)?, fetched_at };
        self.db.with(|db| db.set_node_list(&seed.keys().id(), &kept))?;
        let known = Known { list: list.nodes, header: list.header, fetched_at };
        let list = Arc::clone(&known.list);
        let mut seen = self.nodes.seen();
        seen.known = Some(known);
        seen.answered = Some(Instant::now());
        Ok(list)
    }

    /// Asks the directory where that was not done lately; whether another list came of it.
    pub(crate) async fn renew_nodes(&self) -> Result<bool, ClientError> {
        let refreshed = self.nodes.seen().refreshed;
        if refreshed.is_some_and(|last| last.elapsed() < LEAST_PAUSE) {
            return Ok(false);
        }
        let before = self.nodes.known().map(|known| known.list);
        match self.refresh_nodes().await {
            Ok(list) => Ok(before.is_none_or(|before| before != list)),
            Err(error) if error.is_network() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
