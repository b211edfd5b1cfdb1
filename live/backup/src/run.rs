//! A backup: what is new is written, and then a snapshot that names everything.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinSet;
use warren_archive::snapshot::{Part, Place, Written};
use warren_archive::{ChunkId, Kind, ObjectName, Snapshot, object};
use warren_crypto::SystemEntropy;

use crate::archive::{Archive, Found};
use crate::error::{BackupError, PartFailure};
use crate::packing::{Full, Packer};
use crate::part::PartSource;
use crate::progress::Stage;

/// How many packs are written at once.
const WRITTEN_AT_ONCE: usize = 4;

/// What is to be backed up.
pub struct Work {
    /// The parts, made one after the other.
    pub parts: Box<dyn Iterator<Item = Result<PartSource, PartFailure>> + Send>,
    /// The kinds of parts that this program backs up. Parts of other kinds are carried along from this
    /// device's snapshot before, unchanged.
    pub kinds: &'static [&'static str],
    /// The snapshot this device was restored from, where it has none of its own yet.
    pub base: Option<ObjectName>,
    /// The highest number of a snapshot that this device knows of.
    pub known_sequence: u64,
    /// About how many bytes there are.
    pub total: u64,
    /// What writes it, as the snapshot says.
    pub program: String,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The snapshot's name.
    pub snapshot: ObjectName,
    /// Its number.
    pub sequence: u64,
    /// How many parts it has.
    pub parts: usize,
    /// How many of them were as before, and not read.
    pub unchanged: usize,
    /// How many bytes they are.
    pub bytes: u64,
    /// How many bytes were written to the place, padding included.
    pub written: u64,
    /// Where the place showed an older state than it did: the highest number found.
    pub rolled_back_to: Option<u64>,
    /// Snapshots that cannot be read.
    pub unreadable: Vec<ObjectName>,
}

/// Everything at the place that a backup may build on.
struct Ground {
    before: Option<Snapshot>,
    places: HashMap<ChunkId, Place>,
    sizes: HashMap<ObjectName, u64>,
    newest: Option<(ObjectName, u64)>,
    unreadable: Vec<ObjectName>,
}

impl Archive {
    /// Makes a backup. Where it fails or is dropped, the snapshots before are as they were, and what
    /// was written is taken up by the next run.
    ///
    /// # Errors
    /// Where another writer is at work, a part cannot be read, or the place fails.
    pub async fn run(&self, work: Work) -> Result<Made, BackupError> {
        let held = self.lock().await?;
        let made = self.write(&held, work).await;
        // A note that stays is one of this device, which it passes over.
        let _ = held.release().await;
        made
    }

    async fn write(&self, held: &crate::lock::Held, work: Work) -> Result<Made, BackupError> {
        let ground = self.ground(work.base).await?;
        let (kinds, known_sequence, program) =
            (work.kinds, work.known_sequence, work.program.clone());
        let found = ground.newest.map_or(0, |(_, sequence)| sequence);
        let sequence = found.max(known_sequence).saturating_add(1);
        let mut snapshot = Snapshot::new(sequence, self.device, self.now(), &program);
        snapshot.previous = ground.newest.map(|(name, _)| name);

        let (full, packs) = mpsc::channel(1);
        let packing = self.packing(work, &ground, full);
        let writing = self.write_packs(packs);
        let (packed, written) = tokio::join!(packing, writing);
        // Why writing stopped says more than that it did.
        let new = written?;
        let (parts, places, unchanged) = packed?;

        let mut sizes = ground.sizes;
        sizes.extend(new.iter().copied());
        let find = |id: &ChunkId| {
            let place = *places.get(id)?;
            Some((place, *sizes.get(&place.pack)?))
        };
        let carried = ground.before.iter().flat_map(Snapshot::parts);
        let carried = carried.filter(|part| !kinds.contains(&part.kind.as_str()));
        for part in parts.into_iter().chain(carried.cloned()) {
            snapshot.add(part, find)?;
        }
        held.check().await?;
        let content = snapshot.encode(&self.keys)?;
        let (name, sealed) = self.put_new(Kind::Snapshot, &content).await?;
        if let Some(memory) = &self.memory {
            memory.keep(&name, &sealed)?;
            memory.forget_notes()?;
        }
        let written = new.iter().map(|(_, size)| size).sum::<u64>() + sealed.len() as u64;
        Ok(Made {
            snapshot: name,
            sequence,
            parts: snapshot.parts().len(),
            unchanged,
            bytes: snapshot.parts().iter().map(|part| part.size).sum(),
            written,
            rolled_back_to: (found < known_sequence).then_some(found),
            unreadable: ground.unreadable,
        })
    }

    /// What lies at the place already. A pack that is not there, or not whole, is not built on.
    async fn ground(&self, base: Option<ObjectName>) -> Result<Ground, BackupError> {
        let sizes = self.place.list(Kind::Pack).await?;
        let mut ground = Ground {
            before: None,
            places: HashMap::new(),
            sizes,
            newest: None,
            unreadable: Vec::new(),
        };
        for Found { name, snapshot } in self.snapshots().await? {
            let Ok(snapshot) = snapshot else {
                ground.unreadable.push(name);
                continue;
            };
            let packs: HashMap<_, _> = snapshot.packs().collect();
            let whole = |pack: &ObjectName| ground.sizes.get(pack) == packs.get(pack);
            let places = snapshot.places().filter(|(_, place)| whole(&place.pack));
            ground.places.extend(places.map(|(id, place)| (*id, *place)));
            ground.newest = Some((name, snapshot.sequence));
            let is_base = ground.before.is_none() && Some(name) == base;
            if snapshot.device == self.device || is_base {
                ground.before = Some(snapshot);
            }
        }
        for written in self.noted()? {
            if ground.sizes.get(&written.pack) == Some(&written.size) {
                let place = |(id, lying, length)| (id, Place { pack: written.pack, lying, length });
                ground.places.extend(written.chunks.into_iter().map(place));
            }
        }
        Ok(ground)
    }

    fn noted(&self) -> Result<Vec<Written>, BackupError> {
        let Some(memory) = &self.memory else { return Ok(Vec::new()) };
        let entries = memory.noted()?.into_iter().filter_map(|(name, sealed)| {
            let content = object::open(&self.keys, Kind::Journal, &name, &sealed).ok()?;
            Written::decode(&content).ok()
        });
        Ok(entries.collect())
    }

    /// Reads the parts on a thread of its own.
    async fn packing(
        &self,
        work: Work,
        ground: &Ground,
        full: mpsc::Sender<Full>,
    ) -> Result<(Vec<Part>, HashMap<ChunkId, Place>, usize), BackupError> {
        let places = ground.places.clone();
        let before: HashMap<(String, String), Part> = ground
            .before
            .iter()
            .flat_map(Snapshot::parts)
            .filter(|part| part.chunks.iter().all(|id| places.contains_key(id)))
            .map(|part| ((part.kind.clone(), part.name.clone()), part.clone()))
            .collect();
        let (watcher, total) = (Arc::clone(&self.watcher), work.total);
        let progress = Box::new(move |done| {
            watcher(crate::Progress { stage: Stage::Writing, done, total });
        });
        let mut packer = Packer::new(Arc::clone(&self.keys), places, full, progress);
        let packing = tokio::task::spawn_blocking(move || {
            let (mut parts, mut unchanged) = (Vec::new(), 0);
            for source in work.parts {
                let source = source.map_err(|error| BackupError::Given {
                    kind: "device".to_owned(),
                    name: "parts".to_owned(),
                    error,
                })?;
                match before.get(&(source.kind.clone(), source.name.clone())) {
                    Some(old) if is_same(old, &source) => {
                        packer.skip(old);
                        parts.push(old.clone());
                        unchanged += 1;
                    }
                    _ => parts.push(packer.part(source)?),
                }
            }
            Ok((parts, packer.finish()?, unchanged))
        });
        packing.await.map_err(|_| BackupError::Stopped)?
    }

    /// Seals and writes packs, some at once, and notes each when it is there.
    async fn write_packs(
        &self,
        mut packs: Receiver<Full>,
    ) -> Result<HashSet<(ObjectName, u64)>, BackupError> {
        let (mut writing, mut written) = (JoinSet::new(), HashSet::new());
        loop {
            while writing.len() >= WRITTEN_AT_ONCE {
                written.extend(joined(writing.join_next().await)?);
            }
            let Some(full) = packs.recv().await else { break };
            writing.spawn(self.clone().write_pack(full));
        }
        while let Some(done) = writing.join_next().await {
            written.extend(joined(Some(done))?);
        }
        Ok(written)
    }

    async fn write_pack(self, full: Full) -> Result<(ObjectName, u64), BackupError> {
        let Full { content, written } = full;
        let (keys, name) = (Arc::clone(&self.keys), written.pack);
        let sealing = tokio::task::spawn_blocking(move || {
            object::seal(&keys, Kind::Pack, &name, &content, &mut SystemEntropy)
        });
        let sealed = sealing.await.map_err(|_| BackupError::Stopped)??;
        self.place.put(Kind::Pack, &name, sealed).await?;
        if let Some(memory) = &self.memory {
            let noted = written.encode();
            let noted = object::seal(&self.keys, Kind::Journal, &name, &noted, &mut SystemEntropy)?;
            let memory = Arc::clone(memory);
            let noting = tokio::task::spawn_blocking(move || memory.note(&name, &noted));
            noting.await.map_err(|_| BackupError::Stopped)??;
        }
        Ok((name, written.size))
    }
}

fn is_same(old: &Part, source: &PartSource) -> bool {
    !source.state.is_empty() && old.state == source.state && old.version == source.version
}

type Joined<T> = Option<Result<Result<T, BackupError>, tokio::task::JoinError>>;

fn joined<T>(done: Joined<T>) -> Result<Option<T>, BackupError> {
    done.map(|done| done.map_err(|_| BackupError::Stopped)?).transpose()
}
