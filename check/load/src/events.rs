//! What was asked of the swarm and what it acknowledged, one line of JSON each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use warren_wire::Millis;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A message was left.
    Store,
    /// It was deleted.
    Delete,
    /// Its expiry was moved.
    Expire,
}

/// One thing that was asked of the swarm.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Number of the mailbox.
    pub mailbox: usize,
    /// What was asked for.
    pub kind: Kind,
    /// The message.
    pub hash: String,
    /// The expiry that was asked for; 0 for a deletion.
    pub expiry: Millis,
    /// Whether a node said that it is done. Where none did, it may be done or not.
    pub acknowledged: bool,
}

/// A file of events, written line by line.
pub(crate) struct Journal(Mutex<std::fs::File>);

impl Journal {
    /// Opens the file; lines are appended.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::File::options().create(true).append(true).open(path)?;
        Ok(Self(Mutex::new(file)))
    }

    /// Writes one line.
    pub(crate) fn note(&self, event: &Event) -> anyhow::Result<()> {
        let line = serde_json::to_string(event)? + "\n";
        let mut file = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(file.write_all(line.as_bytes())?)
    }
}

/// What must hold for one message after all is healed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fate {
    /// A store of it was acknowledged.
    pub stored: bool,
    /// A deletion was asked for.
    pub deletion_asked: bool,
    /// A deletion was acknowledged.
    pub deleted: bool,
    /// The expiry that the last acknowledged request set, where no later one is in doubt.
    pub expiry: Option<Millis>,
}

/// Every message that was asked for: by mailbox and hash.
pub(crate) type Fates = BTreeMap<(usize, String), Fate>;

/// Reads a file of events.
pub(crate) fn read(path: &Path) -> anyhow::Result<Fates> {
    let mut fates = Fates::new();
    for line in BufReader::new(std::fs::File::open(path)?).lines() {
        let event: Event = serde_json::from_str(&line?)?;
        let fate = fates.entry((event.mailbox, event.hash)).or_default();
        match event.kind {
            Kind::Store => {
                fate.stored |= event.acknowledged;
                fate.expiry = event.acknowledged.then_some(event.expiry);
            }
            Kind::Expire => fate.expiry = event.acknowledged.then_some(event.expiry),
            Kind::Delete => {
                fate.deletion_asked = true;
                fate.deleted |= event.acknowledged;
            }
        }
    }
    Ok(fates)
}
