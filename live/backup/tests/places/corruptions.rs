//! Whatever somebody does to the bytes of a backup, however often: each is noticed, and nothing wrong
//! comes back. `BACKUP_CORRUPTIONS` says how many, `BACKUP_CORRUPTIONS_FROM` which is the first; each
//! follows from its number alone.

use std::fs;
use std::path::{Path, PathBuf};

use warren_archive::{Kind, Snapshot};
use warren_backup::Archive;
use warren_backup::verify::Depth;
use warren_crypto::Secret;
use warren_crypto::expand::expand;

use crate::archives::{archive, keys, restored};
use crate::folder::{files, place};
use crate::parts::{Parts, noise, work};

/// How many every run of the tests makes.
const FEW: u64 = 300;
/// How many snapshots there are, each with a pack of its own.
const SNAPSHOTS: u8 = 3;

fn told(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Draws that follow from a number.
struct Draws {
    bytes: Vec<u8>,
    used: usize,
}

impl Draws {
    fn of(number: u64) -> Self {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        Self { bytes: expand(&Secret::take(&mut seed), 256), used: 0 }
    }

    /// One of so many.
    fn below(&mut self, count: usize) -> usize {
        let chunk = self.bytes[self.used..self.used + 8].try_into().unwrap();
        self.used += 8;
        usize::try_from(u64::from_le_bytes(chunk) % count as u64).unwrap()
    }
}

/// An object at the place: where, of which kind, and what it is to be.
struct Object {
    path: PathBuf,
    is_snapshot: bool,
    good: Vec<u8>,
}

/// A backup of three times, whose objects can be put back.
struct Backup {
    archive: Archive,
    parts: Parts,
    newest: Snapshot,
    objects: Vec<Object>,
    /// Of them, the newest snapshot.
    newest_at: usize,
    /// Objects of the same keys from another history.
    foreign: Vec<Vec<u8>>,
}

impl Backup {
    async fn make(folder: &Path, archive: Archive, foreign: Vec<Vec<u8>>) -> Self {
        let mut parts = Parts::new();
        let mut newest_path = PathBuf::new();
        for time in 1..=SNAPSHOTS {
            parts.insert(format!("part {time}"), noise(time, 3000));
            let made = archive.run(work(&parts)).await.unwrap();
            newest_path = snapshots(folder).join(made.snapshot.to_string());
        }
        let paths = files(folder);
        let newest_at = paths.iter().position(|path| *path == newest_path).unwrap();
        let object = |path: PathBuf| Object {
            is_snapshot: path.starts_with(snapshots(folder)),
            good: fs::read(&path).unwrap(),
            path,
        };
        let objects: Vec<_> = paths.into_iter().map(object).collect();
        assert_eq!(objects.len(), 2 * usize::from(SNAPSHOTS));
        let (_, newest) = archive.snapshot(None).await.unwrap();
        Self { archive, parts, newest, objects, newest_at, foreign }
    }

    /// Damages one object, or the whole place; what was done, and to which. `None` where the draw
    /// changes nothing.
    fn damage(&self, draws: &mut Draws) -> Option<(&'static str, usize)> {
        let mut at = draws.below(self.objects.len());
        let object = &self.objects[at];
        let mut bytes = object.good.clone();
        let from = draws.below(bytes.len());
        let length = 1 + draws.below((bytes.len() - from).min(4096));
        let what = match draws.below(11) {
            0..3 => {
                bytes[from] ^= 1 << draws.below(8);
                "a bit turned"
            }
            3 => {
                bytes[from..from + length]
                    .copy_from_slice(&expand(&Secret::take(&mut [9; 32]), length));
                "bytes overwritten"
            }
            4 => {
                bytes[from..from + length].fill(0);
                "bytes zeroed"
            }
            5 => {
                bytes.truncate(from);
                "cut short"
            }
            6 => {
                bytes.extend(vec![0; length]);
                "bytes appended"
            }
            7 => {
                bytes.rotate_left(from);
                "halves exchanged"
            }
            8 => {
                let other = &self.objects[draws.below(self.objects.len())];
                bytes.clone_from(&other.good);
                "another object in its place"
            }
            9 => {
                bytes.clone_from(&self.foreign[draws.below(self.foreign.len())]);
                "an object of another backup in its place"
            }
            _ => {
                // An older snapshot may be gone: it was pruned, and nothing needs it.
                if object.is_snapshot {
                    at = self.newest_at;
                }
                fs::remove_file(&self.objects[at].path).unwrap();
                return Some(("removed", at));
            }
        };
        fs::write(&object.path, &bytes).unwrap();
        (bytes != object.good).then_some((what, at))
    }

    fn mend(&self, at: usize) {
        fs::write(&self.objects[at].path, &self.objects[at].good).unwrap();
    }

    async fn is_good(&self) -> bool {
        let known = u64::from(SNAPSHOTS);
        self.archive.verify(Depth::Bytes, known).await.unwrap().is_good()
    }

    /// That what was remembered of the newest snapshot brings everything back as it was, or nothing.
    async fn check_restored(&self, what: &str) {
        if let Ok(parts) = restored(&self.archive, &self.newest).await {
            assert!(parts == self.parts, "{what}: something else came back");
        }
    }
}

fn snapshots(folder: &Path) -> PathBuf {
    folder.join(keys().folder()).join(Kind::Snapshot.folder())
}

/// The objects of another history of the same account.
async fn foreign() -> Vec<Vec<u8>> {
    let (folder, target) = place();
    let archive = archive(&target, 2);
    archive.run(work(&Parts::from([("part 1".to_owned(), noise(7, 3000))]))).await.unwrap();
    files(folder.path()).iter().map(|path| fs::read(path).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_corruption_truncation_and_rollback_is_refused() {
    let (folder, target) = place();
    let backup = Backup::make(folder.path(), archive(&target, 1), foreign().await).await;
    assert!(backup.is_good().await);
    let (first, count) = (told("BACKUP_CORRUPTIONS_FROM", 0), told("BACKUP_CORRUPTIONS", FEW));
    let mut made = 0;
    for number in first..first + count {
        let damage = backup.damage(&mut Draws::of(number));
        if let Some((what, at)) = damage {
            let path = backup.objects[at].path.display();
            let what = format!("corruption {number}, {what}, at {path}");
            assert!(!backup.is_good().await, "{what}: not noticed");
            backup.check_restored(&what).await;
            backup.mend(at);
            made += 1;
            if made % 10_000 == 0 {
                println!("{made} corruptions refused");
            }
        }
    }
    println!("{made} corruptions, all refused");
    assert!(made * 10 > count * 9, "{made} of {count} changed anything");
    assert!(backup.is_good().await && backup.objects.iter().any(|object| object.is_snapshot));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_set_back_to_any_earlier_time_is_refused() {
    let (folder, target) = place();
    let backup = Backup::make(folder.path(), archive(&target, 1), Vec::new()).await;
    let mut by_age: Vec<_> = Vec::new();
    for (at, object) in backup.objects.iter().enumerate().filter(|(_, one)| one.is_snapshot) {
        let name = object.path.file_name().unwrap().to_str().unwrap();
        let (_, snapshot) = backup.archive.snapshot(Some(name)).await.unwrap();
        by_age.push((snapshot.sequence, at));
    }
    by_age.sort_unstable();
    for (sequence, at) in by_age.into_iter().skip(1).rev() {
        fs::remove_file(&backup.objects[at].path).unwrap();
        let verified = backup.archive.verify(Depth::Bytes, u64::from(SNAPSHOTS)).await.unwrap();
        assert!(verified.rolled_back.is_some(), "back before {sequence}");
    }
}
