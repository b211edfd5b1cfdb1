//! An archive at a place: its snapshots, and what this device remembers of it.

use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use warren_archive::snapshot::DeviceId;
use warren_archive::{ArchiveKeys, Kind, ObjectName, Snapshot, UncheckedSnapshot, object};
use warren_crypto::SystemEntropy;
use warren_wire::Millis;

use crate::error::BackupError;
use crate::memory::Memory;
use crate::place::Place;
use crate::progress::{Progress, Stage, Watcher, unwatched};

/// How many snapshots are read at once.
const READ_AT_ONCE: usize = 8;

/// Tells the time, in milliseconds since the Unix epoch.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// An archive.
#[derive(Clone)]
pub struct Archive {
    pub(crate) keys: Arc<ArchiveKeys>,
    pub(crate) place: Place,
    pub(crate) device: DeviceId,
    pub(crate) memory: Option<Arc<Memory>>,
    pub(crate) clock: Clock,
    pub(crate) watcher: Watcher,
}

/// A snapshot that is at the place, readable or not.
#[derive(Debug)]
pub struct Found {
    /// Its name.
    pub name: ObjectName,
    /// What it says.
    pub snapshot: Result<Snapshot, BackupError>,
}

impl Archive {
    /// An archive that `device` reads and writes. Nothing is asked of the place.
    pub fn new(keys: ArchiveKeys, place: Place, device: DeviceId, clock: Clock) -> Self {
        let (keys, watcher) = (Arc::new(keys), unwatched());
        Self { keys, place, device, memory: None, clock, watcher }
    }

    /// Keeps a journal and a copy of the newest snapshot in a folder of this device.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn with_memory(self, folder: &Path) -> Result<Self, BackupError> {
        let memory = Some(Arc::new(Memory::open(folder, &self.keys)?));
        Ok(Self { memory, ..self })
    }

    /// Tells `watcher` how far things get.
    #[must_use]
    pub fn watched_by(self, watcher: Watcher) -> Self {
        Self { watcher, ..self }
    }

    /// All snapshots, oldest first, those that cannot be read last.
    ///
    /// # Errors
    /// Where the place fails. A snapshot that cannot be read is no error.
    pub async fn snapshots(&self) -> Result<Vec<Found>, BackupError> {
        self.tell(Stage::Looking, 0, 0);
        let names = self.place.list(Kind::Snapshot).await?;
        let kept = self.memory.as_ref().and_then(|memory| memory.kept());
        let found = futures_util::stream::iter(names.into_keys()).map(async |name| {
            let sealed = match &kept {
                Some((kept, sealed)) if *kept == name => Some(sealed.clone()),
                _ => self.place.get(Kind::Snapshot, &name).await?,
            };
            // Removed since it was listed.
            let Some(sealed) = sealed else { return Ok(None) };
            Ok::<_, BackupError>(Some(Found { name, snapshot: self.read(&name, &sealed) }))
        });
        let found = found.buffer_unordered(READ_AT_ONCE).try_filter_map(async |found| Ok(found));
        let mut found: Vec<Found> = found.try_collect().await?;
        found.sort_by_key(|found| match &found.snapshot {
            Ok(snapshot) => (false, snapshot.sequence, snapshot.created, found.name),
            Err(_) => (true, 0, 0, found.name),
        });
        Ok(found)
    }

    fn read(&self, name: &ObjectName, sealed: &[u8]) -> Result<Snapshot, BackupError> {
        let opened = object::open(&self.keys, Kind::Snapshot, name, sealed);
        let read = opened.and_then(|content| UncheckedSnapshot(&content).check(&self.keys));
        read.map_err(|error| BackupError::Snapshot { name: *name, error })
    }

    /// The snapshot of a name, or of the beginning of one; the newest that can be read where none is
    /// given.
    ///
    /// # Errors
    /// Where there is none, or it is damaged, or the place fails.
    pub async fn snapshot(
        &self,
        name: Option<&str>,
    ) -> Result<(ObjectName, Snapshot), BackupError> {
        let mut found = self.snapshots().await?;
        if found.is_empty() {
            return Err(BackupError::Nothing);
        }
        let Some(wanted) = name else {
            let readable = |found: Found| Ok((found.name, found.snapshot?));
            let at = found.iter().rposition(|found| found.snapshot.is_ok());
            return readable(found.swap_remove(at.unwrap_or(0)));
        };
        found.retain(|found| found.name.to_string().starts_with(wanted));
        match (found.pop(), found.is_empty()) {
            (Some(found), true) => Ok((found.name, found.snapshot?)),
            _ => Err(BackupError::NoSuchSnapshot),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        (self.clock)()
    }

    pub(crate) fn tell(&self, stage: Stage, done: u64, total: u64) {
        (self.watcher)(Progress { stage, done, total });
    }

    /// Writes an object under a fresh name.
    pub(crate) async fn put_new(
        &self,
        kind: Kind,
        content: &[u8],
    ) -> Result<(ObjectName, Vec<u8>), BackupError> {
        let name = ObjectName::random(&mut SystemEntropy);
        let sealed = object::seal(&self.keys, kind, &name, content, &mut SystemEntropy)?;
        self.place.put(kind, &name, sealed.clone()).await?;
        Ok((name, sealed))
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Archive(..)")
    }
}
