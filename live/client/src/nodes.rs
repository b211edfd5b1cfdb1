//! The list of nodes: in memory, in the database, or from the directory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use warren_transport::{Seed, SeedError};
use warren_wire::Millis;
use warren_wire::directory::{ListError, NodeList, UnverifiedList};
use warren_wire::limits::{DAY, SECOND};

use crate::database::CachedNodeList;
use crate::error::ClientError;
use crate::messenger::{Messenger, now};

/// After so long the directory is asked for a newer list.
const FRESH_FOR: Millis = 2 * 60 * 60 * SECOND;
/// So long a list is used where the directory does not answer.
const USABLE_FOR: Millis = 2 * DAY;
/// A node may provoke a question to the directory no more often than this.
const LEAST_PAUSE: Duration = Duration::from_secs(120);

/// What an account knows of the nodes while it is at work.
pub(crate) struct Nodes {
    seed: Option<Seed>,
    known: Option<Known>,
    refreshed: Option<Instant>,
}

#[derive(Clone)]
struct Known {
    list: Arc<NodeList>,
    fetched_at: Millis,
}

impl Known {
    /// How old the list is; as old as can be where the clock ran backwards since.
    fn age(&self) -> Millis {
        now().checked_sub(self.fetched_at).unwrap_or(Millis::MAX)
    }
}

impl Nodes {
    pub(crate) const fn new(seed: Option<Seed>) -> Self {
        Self { seed, known: None, refreshed: None }
    }
}

impl Messenger {
    /// All nodes. The directory is asked where the list is old, and not missed where it is silent.
    pub(crate) async fn nodes(&mut self) -> Result<Arc<NodeList>, ClientError> {
        if self.nodes.known.is_none() {
            self.nodes.known = self.kept_nodes()?;
        }
        let known = self.nodes.known.clone();
        match known {
            Some(known) if known.age() < FRESH_FOR => Ok(known.list),
            Some(known) if known.age() < USABLE_FOR => {
                self.renew_nodes().await?;
                Ok(self.nodes.known.as_ref().map_or(known.list, |known| Arc::clone(&known.list)))
            }
            _ => self.refresh_nodes().await,
        }
    }

    /// The list of an earlier run, its signature checked again.
    fn kept_nodes(&self) -> Result<Option<Known>, ClientError> {
        let seed = self.nodes.seed.as_ref().ok_or(ClientError::NoSeed)?;
        let Some(kept) = self.db.node_list()? else { return Ok(None) };
        let list = serde_json::from_str::<UnverifiedList>(&kept.list)
            .ok()
            .and_then(|signed| seed.check(&signed).ok());
        Ok(list.map(|list| Known { list: Arc::new(list), fetched_at: kept.fetched_at }))
    }

    /// Asks the directory and keeps its list, unless it is older than one seen before.
    pub(crate) async fn refresh_nodes(&mut self) -> Result<Arc<NodeList>, ClientError> {
        let seed = self.nodes.seed.clone().ok_or(ClientError::NoSeed)?;
        self.nodes.refreshed = Some(Instant::now());
        let (list, signed) = seed.fetch().await?;
        let issued = signed.issued().map_err(SeedError::from)?;
        let seen = match self.db.node_list()? {
            // A list of another network says nothing about this one.
            Some(kept) if self.kept_nodes()?.is_some() => kept.issued,
            _ => 0,
        };
        if issued < seen {
            return Err(SeedError::from(ListError::RolledBack).into());
        }
        let fetched_at = now();
        let text = serde_json::to_string(&signed).map_err(|_| ListError::Malformed);
        let text = text.map_err(SeedError::from)?;
        self.db.set_node_list(&CachedNodeList { list: text, fetched_at, issued })?;
        let list = Arc::new(list);
        self.nodes.known = Some(Known { list: Arc::clone(&list), fetched_at });
        Ok(list)
    }

    /// Asks the directory where that was not done lately; whether another list came of it.
    pub(crate) async fn renew_nodes(&mut self) -> Result<bool, ClientError> {
        if self.nodes.refreshed.is_some_and(|last| last.elapsed() < LEAST_PAUSE) {
            return Ok(false);
        }
        let before = self.nodes.known.as_ref().map(|known| Arc::clone(&known.list));
        match self.refresh_nodes().await {
            Ok(list) => Ok(before.is_none_or(|before| before != list)),
            Err(error) if error.is_network() => Ok(false),
            Err(error) => Err(error),
        }
    }
}
