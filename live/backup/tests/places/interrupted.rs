//! Backups that are stopped halfway, two writers at once, and a place that goes back in time.

use std::fs;
use std::time::Duration;

use warren_backup::error::PartFailure;
use warren_backup::verify::Depth;
use warren_backup::{BackupError, PartSource};

use crate::archives::{archive, restored};
use crate::folder::{files, place};
use crate::parts::{Parts, noise, sample, source, work};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_fails_halfway_is_no_snapshot_and_the_next_goes_on() {
    let ((folder, target), memory) = (place(), tempfile::tempdir().unwrap());
    let archive = archive(&target, 1).with_memory(memory.path()).unwrap();
    let old = Parts::from([("x".to_owned(), b"as it was".to_vec())]);
    archive.run(work(&old)).await.unwrap();

    let large = noise(3, 20 << 20);
    let mut failing = work(&Parts::new());
    let sources: [Result<PartSource, PartFailure>; 2] =
        [Ok(source("large", &large)), Err("the disk was pulled out".into())];
    failing.parts = Box::new(sources.into_iter());
    let error = archive.run(failing).await.unwrap_err();
    assert!(error.to_string().contains("the disk was pulled out"), "{error}");
    assert!(files(folder.path()).len() >= 4);

    // The last good one restores, and nothing claims to be a newer one.
    let (_, newest) = archive.snapshot(None).await.unwrap();
    assert_eq!((newest.sequence, restored(&archive, &newest).await.unwrap()), (1, old));

    // What was written counts.
    let parts = Parts::from([("large".to_owned(), large)]);
    let made = archive.run(work(&parts)).await.unwrap();
    assert!(made.written < 10 << 20, "{made:?}");
    assert!(archive.verify(Depth::Bytes, 2).await.unwrap().is_good());
    let (_, newest) = archive.snapshot(None).await.unwrap();
    assert!(restored(&archive, &newest).await.unwrap() == parts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_dropped_at_any_moment_leaves_the_last_good_one() {
    let ((_folder, target), memory) = (place(), tempfile::tempdir().unwrap());
    let archive = archive(&target, 1).with_memory(memory.path()).unwrap();
    let old = Parts::from([("x".to_owned(), noise(1, 1000))]);
    archive.run(work(&old)).await.unwrap();
    let new = Parts::from([("y".to_owned(), noise(2, 18 << 20))]);
    for wait in [1, 5, 20, 50, 100, 200] {
        let stopped = tokio::time::timeout(Duration::from_millis(wait), archive.run(work(&new)));
        let done = stopped.await.is_ok();
        let (_, newest) = archive.snapshot(None).await.unwrap();
        let expected = if done || newest.part("test", "y").is_some() { &new } else { &old };
        assert!(&restored(&archive, &newest).await.unwrap() == expected, "{wait} ms");
        archive.unlock().await.unwrap();
    }
    archive.run(work(&new)).await.unwrap();
    assert!(archive.verify(Depth::Bytes, 0).await.unwrap().is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_writer_gives_way_and_a_dead_one_does_not_block_for_ever() {
    let (folder, target) = place();
    let (mine, theirs) = (archive(&target, 1), archive(&target, 2));
    let (begun, go) = (tokio::sync::Notify::new(), std::sync::mpsc::channel::<()>());
    let begun = std::sync::Arc::new(begun);
    let mut slow = work(&Parts::new());
    let (told, wait) = (std::sync::Arc::clone(&begun), go.1);
    let mut parts = vec![Ok(source("x", b"x"))].into_iter();
    slow.parts = Box::new(std::iter::from_fn(move || {
        told.notify_one();
        wait.recv().unwrap();
        parts.next()
    }));
    let running = tokio::spawn({
        let mine = mine.clone();
        async move { mine.run(slow).await }
    });
    begun.notified().await;
    let error = theirs.run(work(&sample())).await.unwrap_err();
    assert!(matches!(error, BackupError::Locked { .. }), "{error}");
    let error = theirs.prune(Default::default(), false).await.unwrap_err();
    assert!(matches!(error, BackupError::Locked { .. }), "{error}");
    // The first dies without a word; half an hour later nobody waits for it.
    running.abort();
    drop(go.0);
    let late = std::sync::Arc::new(|| 1_700_000_000_000 + 40 * 60 * 1000);
    let place = warren_backup::Place::open(&target, &crate::archives::keys()).unwrap();
    let late = warren_backup::Archive::new(crate::archives::keys(), place, [2; 16], late);
    late.run(work(&Parts::new())).await.unwrap();
    let left = files(folder.path());
    assert_eq!(left.len(), 1, "a snapshot and no lock: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_of_one_device_do_not_write_at_once() {
    let ((_folder, target), memory) = (place(), tempfile::tempdir().unwrap());
    let archive = archive(&target, 1).with_memory(memory.path()).unwrap();
    let (told, begun) = tokio::sync::oneshot::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let mut slow = work(&Parts::new());
    let mut told = Some(told);
    slow.parts = Box::new(std::iter::from_fn(move || {
        told.take().map(|told| told.send(()));
        wait.recv().ok();
        None
    }));
    let first = archive.clone();
    let running = tokio::spawn(async move { first.run(slow).await });
    begun.await.unwrap();
    let error = archive.run(work(&Parts::new())).await.unwrap_err();
    assert!(matches!(error, BackupError::Busy), "{error}");
    drop(go);
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_went_back_in_time_is_noticed() {
    let (folder, target) = place();
    let archive = archive(&target, 1);
    let mut parts = sample();
    archive.run(work(&parts)).await.unwrap();
    let before = files(folder.path());
    parts.insert("new".to_owned(), noise(7, 500_000));
    let newest = archive.run(work(&parts)).await.unwrap();
    for file in files(folder.path()).iter().filter(|file| !before.contains(file)) {
        fs::remove_file(file).unwrap();
    }
    let verified = archive.verify(Depth::Bytes, newest.sequence).await.unwrap();
    assert!(!verified.is_good());
    assert!(matches!(verified.rolled_back, Some(BackupError::RolledBack { found: 1, known: 2 })));
    // A new backup says so, and its number is higher than any before.
    let mut again = work(&parts);
    again.known_sequence = newest.sequence;
    let made = archive.run(again).await.unwrap();
    assert_eq!((made.sequence, made.rolled_back_to), (3, Some(1)));
}
