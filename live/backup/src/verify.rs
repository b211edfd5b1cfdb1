//! Whether everything is there, and what is hit where it is not, by name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt;
use warren_archive::snapshot::Place;
use warren_archive::{ArchiveKeys, ChunkId, Kind, ObjectName, Snapshot, chunk, pack};

use crate::archive::{Archive, Found};
use crate::error::BackupError;
use crate::progress::Stage;

/// How many packs are held at once.
const READ_AT_ONCE: usize = 4;

/// How thoroughly to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Every snapshot is opened, and every pack is there in its size.
    Names,
    /// Every byte is read, too.
    Bytes,
}

/// A part that would not come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Of which snapshot.
    pub snapshot: ObjectName,
    /// What reads it.
    pub kind: String,
    /// Which.
    pub name: String,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Verified {
    /// Snapshots that can be read.
    pub snapshots: usize,
    /// Packs that they need.
    pub packs: usize,
    /// Bytes of these.
    pub bytes: u64,
    /// Snapshots that cannot be read, and why.
    pub unreadable: Vec<BackupError>,
    /// Parts that would not come back.
    pub damaged: Vec<Damage>,
    /// Snapshots of which everything comes back, oldest first.
    pub good: Vec<ObjectName>,
    /// The place shows an older state than this device knows.
    pub rolled_back: Option<BackupError>,
}

impl Verified {
    /// Whether nothing is wrong.
    pub const fn is_good(&self) -> bool {
        self.unreadable.is_empty() && self.damaged.is_empty() && self.rolled_back.is_none()
    }
}

type Chunks = Vec<(ChunkId, Place)>;

impl Archive {
    /// Looks whether everything is there. `known_sequence` is the highest number of a snapshot that
    /// this device knows of.
    ///
    /// # Errors
    /// Where the place fails, or holds nothing. What is damaged is no error.
    pub async fn verify(&self, depth: Depth, known_sequence: u64) -> Result<Verified, BackupError> {
        let mut verified = Verified::default();
        let mut readable = Vec::new();
        for Found { name, snapshot } in self.snapshots().await? {
            match snapshot {
                Ok(snapshot) => readable.push((name, snapshot)),
                Err(error) => verified.unreadable.push(error),
            }
        }
        if readable.is_empty() && verified.unreadable.is_empty() {
            return Err(BackupError::Nothing);
        }
        let found = readable.iter().map(|(_, snapshot)| snapshot.sequence).max().unwrap_or(0);
        if found < known_sequence {
            verified.rolled_back = Some(BackupError::RolledBack { found, known: known_sequence });
        }
        verified.snapshots = readable.len();
        let (mut sizes, mut chunks) = (HashMap::new(), HashMap::<ObjectName, Chunks>::new());
        for (_, snapshot) in &readable {
            sizes.extend(snapshot.packs());
            for (id, place) in snapshot.places() {
                chunks.entry(place.pack).or_default().push((*id, *place));
            }
        }
        verified.packs = sizes.len();
        verified.bytes = sizes.values().sum();
        let bad = self.bad_packs(depth, &sizes, chunks).await?;
        for (name, snapshot) in &readable {
            let damaged = damage(*name, snapshot, &bad);
            if damaged.is_empty() {
                verified.good.push(*name);
            }
            verified.damaged.extend(damaged);
        }
        Ok(verified)
    }

    /// That all packs of a snapshot are there in their sizes.
    ///
    /// # Errors
    /// [`BackupError::Part`] for the first part that would not come back.
    pub async fn check_presence(&self, snapshot: &Snapshot) -> Result<(), BackupError> {
        let there = self.place.list(Kind::Pack).await?;
        let bad = snapshot.packs().filter(|(name, size)| there.get(name) != Some(size));
        let bad: HashSet<_> = bad.map(|(name, _)| name).collect();
        match snapshot.parts_in(&bad).first() {
            None => Ok(()),
            Some(part) => Err(BackupError::Part {
                kind: part.kind.clone(),
                name: part.name.clone(),
                reason: "what it is made of is not all at the place".to_owned(),
            }),
        }
    }

    async fn bad_packs(
        &self,
        depth: Depth,
        sizes: &HashMap<ObjectName, u64>,
        mut chunks: HashMap<ObjectName, Chunks>,
    ) -> Result<HashSet<ObjectName>, BackupError> {
        let there = self.place.list(Kind::Pack).await?;
        let bad = sizes.iter().filter(|(name, size)| there.get(*name) != Some(size));
        let mut bad: HashSet<ObjectName> = bad.map(|(name, _)| *name).collect();
        if depth == Depth::Names {
            return Ok(bad);
        }
        let total = sizes.values().sum();
        let mut done = 0;
        chunks.retain(|name, _| !bad.contains(name));
        let reads = futures_util::stream::iter(chunks).map(async |(name, chunks)| {
            let is_good = self.holds_all(name, chunks).await?;
            Ok::<_, BackupError>((name, is_good))
        });
        let mut reads = reads.buffer_unordered(READ_AT_ONCE);
        while let Some(read) = reads.next().await {
            let (name, is_good) = read?;
            done += sizes.get(&name).copied().unwrap_or_default();
            self.tell(Stage::Checking, done, total);
            if !is_good {
                bad.insert(name);
            }
        }
        Ok(bad)
    }

    async fn holds_all(&self, name: ObjectName, chunks: Chunks) -> Result<bool, BackupError> {
        let keys = Arc::clone(&self.keys);
        let content = match self.clone().open_pack(name).await {
            Err(BackupError::Archive(_) | BackupError::NotKept(_)) => return Ok(false),
            content => content?,
        };
        let checking = tokio::task::spawn_blocking(move || {
            chunks.iter().all(|(id, place)| holds(&keys, &content, id, place))
        });
        checking.await.map_err(|_| BackupError::Stopped)
    }
}

fn holds(keys: &ArchiveKeys, content: &[u8], id: &ChunkId, place: &Place) -> bool {
    let lying = pack::slice(content, place.lying);
    let length = usize::try_from(place.length).ok();
    let restored = lying
        .zip(length)
        .map(|(lying, length)| chunk::restore(keys, id, length, lying, place.lying.compression));
    restored.is_some_and(|restored| restored.is_ok())
}

fn damage(name: ObjectName, snapshot: &Snapshot, bad: &HashSet<ObjectName>) -> Vec<Damage> {
    let parts = snapshot.parts_in(bad).into_iter();
    parts
        .map(|part| Damage { snapshot: name, kind: part.kind.clone(), name: part.name.clone() })
        .collect()
}
