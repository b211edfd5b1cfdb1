//! What an archive does at any place, however it is reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use warren_archive::retention::Retention;
use warren_archive::{ArchiveKeys, Snapshot};
use warren_backup::verify::Depth;
use warren_backup::{Archive, BackupError, Place, Target};
use warren_crypto::Secret;

use crate::parts::{Parts, Taker, noise, sample, work};

/// The keys of the only account of these tests.
pub(crate) fn keys() -> ArchiveKeys {
    ArchiveKeys::of_seed(&Secret::take(&mut [1; 32])).unwrap()
}

/// An archive whose clock goes on by a second whenever it is asked.
pub(crate) fn archive(target: &Target, device: u8) -> Archive {
    let clock = AtomicU64::new(1_700_000_000_000);
    let clock = Arc::new(move || clock.fetch_add(1000, Ordering::Relaxed));
    Archive::new(keys(), Place::open(target, &keys()).unwrap(), [device; 16], clock)
}

/// All parts of a snapshot.
pub(crate) async fn restored(archive: &Archive, snapshot: &Snapshot) -> Result<Parts, BackupError> {
    let taker = Taker::default();
    archive.restore(snapshot, Box::new(taker.clone())).await?;
    Ok(taker.parts())
}

/// The story of an archive: made, changed, restored, verified, pruned, by one device and another.
pub(crate) async fn lives(target: &Target) {
    let archive = archive(target, 1);
    assert!(matches!(archive.snapshot(None).await, Err(BackupError::Nothing)));
    let mut parts = sample();
    let first = archive.run(work(&parts)).await.unwrap();
    let size: u64 = parts.values().map(|bytes| bytes.len() as u64).sum();
    assert_eq!((first.sequence, first.parts, first.unchanged, first.bytes), (1, 4, 0, size));
    assert!(first.written > 9 << 20 && first.written < size + (8 << 20), "{first:?}");

    // Unchanged, nothing but a snapshot is written.
    let second = archive.run(work(&parts)).await.unwrap();
    assert_eq!((second.sequence, second.unchanged), (2, 4));
    assert!(second.written <= 32 << 10, "{second:?}");

    // An insertion costs the chunks around it.
    let before = parts.clone();
    parts.get_mut("a-large").unwrap().splice(4 << 20..4 << 20, *b"inserted");
    parts.insert("e-new".to_owned(), noise(2, 100_000));
    let third = archive.run(work(&parts)).await.unwrap();
    assert_eq!((third.parts, third.unchanged), (5, 3));
    assert!(third.written <= 5 << 20, "{third:?}");

    // Any of them comes back, without anything this device knew.
    let other = self::archive(target, 2);
    let (name, newest) = other.snapshot(None).await.unwrap();
    assert_eq!((name, newest.previous), (third.snapshot, Some(second.snapshot)));
    other.check_presence(&newest).await.unwrap();
    assert!(restored(&other, &newest).await.unwrap() == parts);
    let (_, oldest) = other.snapshot(Some(&first.snapshot.to_string()[..12])).await.unwrap();
    assert!(restored(&other, &oldest).await.unwrap() == before);

    let verified = archive.verify(Depth::Bytes, 3).await.unwrap();
    assert!(verified.is_good(), "{verified:?}");
    assert_eq!((verified.snapshots, verified.good.len()), (3, 3));

    // Another device shares chunks and is not pruned with the first.
    let shared = other.run(work(&before)).await.unwrap();
    assert!(shared.written <= 32 << 10, "{shared:?}");
    let retention = Retention { last: 1, daily: 0, weekly: 0, monthly: 0 };
    let pruned = archive.prune(retention, false).await.unwrap();
    assert_eq!((pruned.kept, pruned.snapshots, pruned.packs), (2, 2, 0));
    let (_, own) = archive.snapshot(Some(&third.snapshot.to_string())).await.unwrap();
    assert!(restored(&archive, &own).await.unwrap() == parts);
    let (_, theirs) = archive.snapshot(Some(&shared.snapshot.to_string())).await.unwrap();
    assert!(restored(&archive, &theirs).await.unwrap() == before);

    // What nothing needs any more goes.
    let fourth = archive.run(work(&Parts::from([("x".to_owned(), noise(9, 9))]))).await.unwrap();
    other.run(work(&Parts::new())).await.unwrap();
    let pruned = archive.prune(retention, false).await.unwrap();
    assert!(pruned.packs >= 2 && pruned.bytes > 9 << 20, "{pruned:?}");
    let verified = archive.verify(Depth::Bytes, fourth.sequence).await.unwrap();
    assert!(verified.is_good() && verified.packs == 1, "{verified:?}");
}
