//! What is not needed goes: snapshots first, then packs that none of the others names.

use std::collections::{BTreeMap, HashSet};

use futures_util::{StreamExt, TryStreamExt};
use warren_archive::retention::Retention;
use warren_archive::snapshot::DeviceId;
use warren_archive::{ArchiveError, Kind, ObjectName, Snapshot};

use crate::archive::{Archive, Found};
use crate::error::BackupError;
use crate::progress::Stage;

/// How many objects are removed at once.
const REMOVED_AT_ONCE: usize = 16;

/// What went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Snapshots that stay.
    pub kept: usize,
    /// Snapshots that went.
    pub snapshots: usize,
    /// Packs that went.
    pub packs: usize,
    /// Bytes of these.
    pub bytes: u64,
}

impl Archive {
    /// Removes snapshots that `retention` does not keep, of each device by itself, and packs that no
    /// snapshot needs.
    ///
    /// Where a snapshot cannot be read, nothing is removed, unless `drop_damaged` gives it up.
    ///
    /// # Errors
    /// Where another writer is at work, a snapshot cannot be read, or the place fails.
    pub async fn prune(
        &self,
        retention: Retention,
        drop_damaged: bool,
    ) -> Result<Pruned, BackupError> {
        let held = self.lock().await?;
        let pruned = self.remove_unneeded(&held, retention, drop_damaged).await;
        // A note that stays is one of this device, which it passes over.
        let _ = held.release().await;
        pruned
    }

    async fn remove_unneeded(
        &self,
        held: &crate::lock::Held,
        retention: Retention,
        drop_damaged: bool,
    ) -> Result<Pruned, BackupError> {
        let (mut readable, mut unreadable) = (Vec::new(), Vec::new());
        for Found { name, snapshot } in self.snapshots().await? {
            match snapshot {
                Ok(snapshot) => readable.push((name, snapshot)),
                // A newer program made it and can read it: not to be given up here.
                Err(error @ BackupError::Snapshot { error: ArchiveError::Newer { .. }, .. }) => {
                    return Err(error);
                }
                Err(BackupError::Snapshot { .. }) => unreadable.push(name),
                Err(error) => return Err(error),
            }
        }
        if !unreadable.is_empty() && !drop_damaged {
            return Err(BackupError::UnreadableSnapshots(unreadable));
        }
        let going = going(&readable, retention);
        readable.retain(|(name, _)| !going.contains(name));
        let needed: HashSet<ObjectName> = readable
            .iter()
            .flat_map(|(_, snapshot)| snapshot.packs())
            .map(|(name, _)| name)
            .collect();
        let mut unneeded = self.place.list(Kind::Pack).await?;
        unneeded.retain(|name, _| !needed.contains(name));

        // A snapshot goes before what it needs, so none is ever left without.
        held.check().await?;
        let snapshots: Vec<_> = going.into_iter().chain(unreadable).collect();
        self.remove_all(Kind::Snapshot, &snapshots).await?;
        held.check().await?;
        let packs: Vec<_> = unneeded.keys().copied().collect();
        self.remove_all(Kind::Pack, &packs).await?;
        if let Some(memory) = &self.memory {
            memory.forget_notes()?;
        }
        Ok(Pruned {
            kept: readable.len(),
            snapshots: snapshots.len(),
            packs: packs.len(),
            bytes: unneeded.values().sum(),
        })
    }

    async fn remove_all(&self, kind: Kind, names: &[ObjectName]) -> Result<(), BackupError> {
        let total = names.len() as u64;
        let removing = futures_util::stream::iter(names.to_vec());
        let removing = removing.map(async |name| self.place.remove(kind, &name).await);
        let removing = removing.buffer_unordered(REMOVED_AT_ONCE);
        let done = removing.try_fold(0, async |done, ()| {
            self.tell(Stage::Removing, done + 1, total);
            Ok(done + 1)
        });
        done.await.map(drop)
    }
}

fn going(snapshots: &[(ObjectName, Snapshot)], retention: Retention) -> HashSet<ObjectName> {
    let mut devices = BTreeMap::<DeviceId, Vec<(ObjectName, u64)>>::new();
    for (name, snapshot) in snapshots {
        devices.entry(snapshot.device).or_default().push((*name, snapshot.created));
    }
    let mut going = HashSet::new();
    for of_device in devices.values() {
        let times: Vec<u64> = of_device.iter().map(|(_, created)| *created).collect();
        let kept = retention.kept(&times);
        let others = of_device.iter().enumerate().filter(|(at, _)| !kept.contains(at));
        going.extend(others.map(|(_, (name, _))| *name));
    }
    going
}
