//! Parts come back: packs are read in the order they are needed, and every chunk is held against its
//! name before anybody sees it.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::StreamExt;
use tokio::sync::mpsc::{self, Receiver};
use warren_archive::snapshot::Part;
use warren_archive::{ArchiveKeys, Kind, ObjectName, Snapshot, chunk, object, pack};

use crate::archive::Archive;
use crate::error::BackupError;
use crate::part::Restorer;
use crate::progress::{Progress, Stage, Watcher};

/// How many packs are read at once.
const READ_AT_ONCE: usize = 3;
/// How many opened packs are held.
const HELD: usize = 6;

/// An opened pack, or why there is none.
type Opened = (ObjectName, Result<Vec<u8>, BackupError>);

/// Parts that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// How many.
    pub parts: usize,
    /// How many bytes they are.
    pub bytes: u64,
}

impl Archive {
    /// Gives the parts that `restorer` wants to it, in the order of the snapshot.
    ///
    /// # Errors
    /// [`BackupError::Part`] at the first part that is damaged; those before it were given.
    pub async fn restore(
        &self,
        snapshot: &Snapshot,
        mut restorer: Box<dyn Restorer>,
    ) -> Result<Restored, BackupError> {
        let wanted: Vec<Part> =
            snapshot.parts().iter().filter(|part| restorer.wants(part)).cloned().collect();
        let order = order(snapshot, &wanted);
        let (opened, packs) = mpsc::channel(1);
        let reading = async {
            let reads = futures_util::stream::iter(order).map(async |name| {
                let pack = self.clone().open_pack(name).await;
                (name, pack)
            });
            let mut reads = reads.buffered(READ_AT_ONCE);
            while let Some(pack) = reads.next().await {
                if opened.send(pack).await.is_err() {
                    break;
                }
            }
            drop(opened);
        };
        let giving = Giving {
            keys: Arc::clone(&self.keys),
            snapshot: snapshot.clone(),
            packs,
            held: VecDeque::new(),
            watcher: Arc::clone(&self.watcher),
            done: 0,
            total: wanted.iter().map(|part| part.size).sum(),
        };
        let giving = tokio::task::spawn_blocking(move || giving.give(&wanted, restorer.as_mut()));
        let ((), restored) = tokio::join!(reading, giving);
        restored.map_err(|_| BackupError::Stopped)?
    }

    /// Reads and opens a pack.
    pub(crate) async fn open_pack(self, name: ObjectName) -> Result<Vec<u8>, BackupError> {
        let sealed = self.place.get(Kind::Pack, &name).await?;
        let sealed = sealed.ok_or(BackupError::NotKept(name))?;
        let keys = Arc::clone(&self.keys);
        let opening =
            tokio::task::spawn_blocking(move || object::open(&keys, Kind::Pack, &name, &sealed));
        Ok(opening.await.map_err(|_| BackupError::Stopped)??)
    }
}

/// The packs in the order they are needed; one that is not held any more stands there again.
fn order(snapshot: &Snapshot, parts: &[Part]) -> Vec<ObjectName> {
    let (mut order, mut held) = (Vec::new(), VecDeque::new());
    let ids = parts.iter().flat_map(|part| &part.chunks);
    for place in ids.filter_map(|id| snapshot.place(id)) {
        if !held.contains(&place.pack) {
            order.push(place.pack);
            hold(&mut held, place.pack);
        }
    }
    order
}

fn hold<T>(held: &mut VecDeque<T>, one: T) {
    if held.len() == HELD {
        held.pop_front();
    }
    held.push_back(one);
}

/// Gives parts on a thread of its own.
struct Giving {
    keys: Arc<ArchiveKeys>,
    snapshot: Snapshot,
    packs: Receiver<Opened>,
    held: VecDeque<(ObjectName, Vec<u8>)>,
    watcher: Watcher,
    done: u64,
    total: u64,
}

impl Giving {
    fn give(mut self, parts: &[Part], to: &mut dyn Restorer) -> Result<Restored, BackupError> {
        for part in parts {
            let given = |error| BackupError::Given {
                kind: part.kind.clone(),
                name: part.name.clone(),
                error,
            };
            to.begin(part).map_err(given)?;
            for at in 0..part.chunks.len() {
                let bytes = self.chunk(part, at)?;
                to.write(&bytes).map_err(given)?;
                self.done = self.done.saturating_add(bytes.len() as u64);
                let (done, total) = (self.done, self.total);
                (self.watcher)(Progress { stage: Stage::Restoring, done, total });
            }
            to.end(part).map_err(given)?;
        }
        Ok(Restored { parts: parts.len(), bytes: self.done })
    }

    fn chunk(&mut self, part: &Part, at: usize) -> Result<Vec<u8>, BackupError> {
        let damaged = |reason: String| BackupError::Part {
            kind: part.kind.clone(),
            name: part.name.clone(),
            reason,
        };
        let nowhere = || damaged("a chunk of it is nowhere".to_owned());
        let id = part.chunks.get(at).ok_or_else(nowhere)?;
        let place = *self.snapshot.place(id).ok_or_else(nowhere)?;
        let content = match self.held.iter().position(|(name, _)| *name == place.pack) {
            Some(at) => self.held.get(at),
            None => {
                let (name, opened) = self.packs.blocking_recv().ok_or(BackupError::Stopped)?;
                let opened = opened.map_err(|error| match error {
                    BackupError::Place(_) | BackupError::Stopped => error,
                    BackupError::NotKept(name) => damaged(format!("object {name} is gone")),
                    error => damaged(format!("object {name}: {error}")),
                })?;
                hold(&mut self.held, (name, opened));
                self.held.back().filter(|(name, _)| *name == place.pack)
            }
        };
        let (_, content) = content.ok_or(BackupError::Stopped)?;
        let length = usize::try_from(place.length).map_err(|_| BackupError::Stopped)?;
        let lying = pack::slice(content, place.lying).ok_or_else(nowhere)?;
        let restored = chunk::restore(&self.keys, id, length, lying, place.lying.compression);
        restored.map_err(|error| damaged(format!("object {}: {error}", place.pack)))
    }
}
