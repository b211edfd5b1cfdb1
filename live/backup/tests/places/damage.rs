//! Whatever befalls what lies at a place, it is noticed, and the part it hits is named.

use std::fs;
use std::path::{Path, PathBuf};

use warren_archive::{Kind, ObjectName};
use warren_backup::verify::Depth;
use warren_backup::{Archive, BackupError};

use crate::archives::{archive, keys, restored};
use crate::folder::{files, place};
use crate::parts::{Parts, noise, work};

fn of_kind(folder: &Path, kind: Kind) -> Vec<PathBuf> {
    let folder = folder.join(keys().folder()).join(kind.folder());
    if folder.exists() { files(&folder) } else { Vec::new() }
}

/// Two snapshots: the first of `old`, the second of `old` and `new`, each in a pack of its own.
async fn two(folder: &Path, archive: &Archive) -> (PathBuf, PathBuf) {
    let mut parts = Parts::from([("old".to_owned(), noise(1, 3000))]);
    archive.run(work(&parts)).await.unwrap();
    let first = of_kind(folder, Kind::Pack).remove(0);
    parts.insert("new".to_owned(), noise(2, 3000));
    archive.run(work(&parts)).await.unwrap();
    let second = of_kind(folder, Kind::Pack).into_iter().find(|pack| *pack != first).unwrap();
    (first, second)
}

/// The names of the parts that a verification finds damaged.
async fn hit(archive: &Archive, depth: Depth) -> Vec<String> {
    let verified = archive.verify(depth, 0).await.unwrap();
    verified.damaged.into_iter().map(|damage| format!("{}/{}", damage.kind, damage.name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_anywhere_in_a_small_backup_is_noticed() {
    let (folder, target) = place();
    let archive = archive(&target, 1);
    archive.run(work(&Parts::from([("x".to_owned(), noise(1, 300))]))).await.unwrap();
    let mut flips = 0;
    for file in files(folder.path()) {
        let good = fs::read(&file).unwrap();
        // Every bit of a sealed object is flipped in warren-archive's own tests.
        for at in (0..good.len()).step_by(509) {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&file, bad).unwrap();
            assert!(!archive.verify(Depth::Bytes, 0).await.unwrap().is_good(), "{at}");
            flips += 1;
        }
        fs::write(&file, good).unwrap();
    }
    assert!(flips > 60 && archive.verify(Depth::Bytes, 0).await.unwrap().is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_pack_is_named_by_its_part_and_the_last_good_snapshot_restores() {
    let (folder, target) = place();
    let archive = archive(&target, 1);
    let (_, second) = two(folder.path(), &archive).await;
    let good = fs::read(&second).unwrap();
    let mut flipped = good.clone();
    flipped[9000] ^= 4;
    let cut = good[..good.len() / 2].to_vec();
    for bad in [flipped, cut, Vec::new()] {
        let seen_by_size = bad.len() != good.len();
        fs::write(&second, &bad).unwrap();
        assert_eq!(hit(&archive, Depth::Bytes).await, ["test/new"]);
        assert_eq!(hit(&archive, Depth::Names).await.len(), usize::from(seen_by_size));
        let (_, newest) = archive.snapshot(None).await.unwrap();
        let error = restored(&archive, &newest).await.unwrap_err();
        assert!(error.to_string().starts_with("the part test/new is damaged"), "{error}");
        assert_eq!(archive.check_presence(&newest).await.is_err(), seen_by_size);
        let good = archive.verify(Depth::Bytes, 0).await.unwrap().good;
        let (_, last_good) = archive.snapshot(Some(&good[0].to_string())).await.unwrap();
        let old = Parts::from([("old".to_owned(), noise(1, 3000))]);
        assert_eq!(restored(&archive, &last_good).await.unwrap(), old);
    }
    fs::remove_file(&second).unwrap();
    assert_eq!(hit(&archive, Depth::Names).await, ["test/new"]);

    // The next backup writes anew what is gone.
    let parts = [("old", 1), ("new", 2)].map(|(name, n)| (name.to_owned(), noise(n, 3000)));
    archive.run(work(&parts.clone().into())).await.unwrap();
    let (_, newest) = archive.snapshot(None).await.unwrap();
    assert_eq!(restored(&archive, &newest).await.unwrap(), Parts::from(parts));
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_two_times_do_not_mix() {
    let (folder, target) = place();
    let archive = archive(&target, 1);
    let (first, second) = two(folder.path(), &archive).await;
    // A pack in the place of another.
    let good = fs::read(&second).unwrap();
    fs::copy(&first, &second).unwrap();
    assert_eq!(hit(&archive, Depth::Bytes).await, ["test/new"]);
    fs::write(&second, good).unwrap();
    // A snapshot in the place of another: it does not open under that name.
    let snapshots = of_kind(folder.path(), Kind::Snapshot);
    fs::copy(&snapshots[0], &snapshots[1]).unwrap();
    let verified = archive.verify(Depth::Bytes, 2).await.unwrap();
    assert_eq!((verified.snapshots, verified.unreadable.len()), (1, 1));
    assert!(!verified.is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_written_snapshot_is_named_and_keeps_a_prune_from_removing_anything() {
    let (folder, target) = place();
    let archive = archive(&target, 1);
    two(folder.path(), &archive).await;
    let name = ObjectName::of_bytes([5; 16]);
    let snapshots = of_kind(folder.path(), Kind::Snapshot);
    let half = fs::read(&snapshots[0]).unwrap()[..5000].to_vec();
    fs::write(snapshots[0].with_file_name(name.to_string()), half).unwrap();

    let (_, newest) = archive.snapshot(None).await.unwrap();
    assert_eq!(newest.sequence, 2, "the last good one is the newest");
    assert_eq!(restored(&archive, &newest).await.unwrap().len(), 2);
    let error = archive.snapshot(Some(&name.to_string())).await.unwrap_err();
    assert!(matches!(error, BackupError::Snapshot { name: named, .. } if named == name), "{error}");

    let packs = of_kind(folder.path(), Kind::Pack).len();
    let error = archive.prune(Default::default(), false).await.unwrap_err();
    assert!(
        matches!(&error, BackupError::UnreadableSnapshots(names) if *names == [name]),
        "{error}"
    );
    assert_eq!(of_kind(folder.path(), Kind::Pack).len(), packs);
    let pruned = archive.prune(Default::default(), true).await.unwrap();
    assert_eq!((pruned.snapshots, pruned.packs), (1, 0));
    assert!(archive.verify(Depth::Bytes, 2).await.unwrap().is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn other_words_lead_to_nothing() {
    let (_folder, target) = place();
    let archive = archive(&target, 1);
    archive.run(work(&Parts::new())).await.unwrap();
    let seed = warren_crypto::Secret::take(&mut [2; 32]);
    let keys = warren_archive::ArchiveKeys::of_seed(&seed).unwrap();
    let place = warren_backup::Place::open(&target, &keys).unwrap();
    let other = Archive::new(keys, place, [1; 16], std::sync::Arc::new(|| 0));
    assert!(matches!(other.snapshot(None).await, Err(BackupError::Nothing)));
}
