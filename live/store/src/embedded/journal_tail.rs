//! Cuts off the last batch of a fjall journal where a power cut tore it.
//!
//! fjall 3.1 drops a last batch whose end is missing, but refuses to open where all of the batch's
//! frame is there and some of its bytes are not: disks write the pages of one fsync in any order,
//! and journals are sparse files, so a page may be missing in the middle. Such a batch was never
//! acknowledged, for its fsync did not return, and no other can follow it. Where anything does
//! follow, the damage is another one and the journal is left as it is.
//!
//! Framing (fjall 3.1.13, `journal/entry.rs`), little-endian: start `1, items u32, seqno u64`;
//! item `2, type u8, compression u8, keyspace u64, key length u16, value length u32, length on
//! disk u32, key, value`; clear `4, keyspace u64`; end `3, XXH3-64 of the items and clears, "FJL",
//! 3`.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::StoreError;

/// What was found at the end of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    /// A torn batch, which is cut off.
    Cut,
    /// Nothing to repair.
    Whole,
}

/// Looks at the newest journal in a database folder and cuts off a torn last batch.
pub(super) fn repair(database: &Path) -> Result<Tail, StoreError> {
    let Some(path) = newest_journal(database)? else { return Ok(Tail::Whole) };
    let bytes = fs::read(&path)?;
    match find_torn(&bytes) {
        Found::Nothing => Ok(Tail::Whole),
        Found::Damage => Err(StoreError::Corrupt("the journal, before its end".into())),
        Found::TornAt(keep) => {
            let file = File::options().write(true).open(&path)?;
            file.set_len(u64::try_from(keep).unwrap_or(u64::MAX))?;
            file.sync_all()?;
            Ok(Tail::Cut)
        }
    }
}

fn newest_journal(database: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
            newest = newest.max(number.map(|number| (number, path)));
        }
    }
    Ok(newest.map(|(_, path)| path))
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    TornAt(usize),
    Damage,
}

fn find_torn(bytes: &[u8]) -> Found {
    let mut rest = bytes;
    while let Some(batch) = Batch::read(rest) {
        if !batch.sound {
            let nothing_follows = batch.after.iter().all(|byte| *byte == 0);
            let keep = bytes.len() - rest.len();
            return if nothing_follows { Found::TornAt(keep) } else { Found::Damage };
        }
        rest = batch.after;
    }
    Found::Nothing
}

struct Batch<'a> {
    sound: bool,
    after: &'a [u8],
}

impl<'a> Batch<'a> {
    /// Reads a batch whose frame is whole.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (start, items) = bytes.split_first_chunk::<13>()?;
        let [1, count @ ..] = start else { return None };
        let (count, _seqno) = count.split_first_chunk::<4>()?;
        let mut rest = items;
        for _ in 0..u32::from_le_bytes(*count) {
            rest = after_item(rest)?;
        }
        let body = items.get(..items.len() - rest.len())?;
        let (end, after) = rest.split_first_chunk::<13>()?;
        let [3, checksum @ .., b'F', b'J', b'L', 3] = end else { return None };
        let checksum = u64::from_le_bytes(*checksum.first_chunk()?);
        Some(Self { sound: xxh3_64(body) == checksum, after })
    }
}

fn after_item(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first()?;
    match tag {
        2 => {
            let (_type_compression_keyspace, rest) = rest.split_first_chunk::<10>()?;
            let (key, rest) = rest.split_first_chunk::<2>()?;
            let (_value, rest) = rest.split_first_chunk::<4>()?;
            let (on_disk, rest) = rest.split_first_chunk::<4>()?;
            let rest = rest.get(usize::from(u16::from_le_bytes(*key))..)?;
            rest.get(usize::try_from(u32::from_le_bytes(*on_disk)).ok()?..)
        }
        4 => rest.get(8..),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fjall::{CompressionType, Database, KeyspaceCreateOptions, PersistMode};
    use proptest::prelude::*;

    use super::*;

    /// A database with two batches of three items each, and the bounds of the second in the
    /// journal.
    fn two_batches(path: &Path) -> (PathBuf, usize, usize) {
        let database = open(path).unwrap();
        let keyspace = database.keyspace("k", KeyspaceCreateOptions::default).unwrap();
        for batch in 0..2_u8 {
            let mut writes = database.batch().durability(Some(PersistMode::SyncAll));
            for item in 0..3_u8 {
                writes.insert(&keyspace, [batch, item], vec![0xa0 | item; 5_000]);
            }
            writes.commit().unwrap();
        }
        drop((keyspace, database));
        let journal = newest_journal(path).unwrap().unwrap();
        let bytes = fs::read(&journal).unwrap();
        let first = bytes.len() - Batch::read(&bytes).unwrap().after.len();
        let second = bytes.len() - Batch::read(&bytes[first..]).unwrap().after.len();
        (journal, first, second)
    }

    fn open(path: &Path) -> fjall::Result<Database> {
        Database::builder(path).journal_compression(CompressionType::None).open()
    }

    fn zero(journal: &Path, from: usize, to: usize) {
        let mut bytes = fs::read(journal).unwrap();
        bytes[from..to].fill(0);
        fs::write(journal, bytes).unwrap();
    }

    fn items(path: &Path) -> usize {
        let database = open(path).unwrap();
        let keyspace = database.keyspace("k", KeyspaceCreateOptions::default).unwrap();
        keyspace.iter().count()
    }

    #[test]
    fn a_last_batch_with_a_missing_page_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, first, _) = two_batches(folder.path());
        zero(&journal, first + 1_000, first + 4_096);
        assert!(open(folder.path()).is_err(), "fjall opens it by itself: this module can go");
        assert_eq!(repair(folder.path()), Ok(Tail::Cut));
        assert_eq!(items(folder.path()), 3);
    }

    #[test]
    fn a_damaged_batch_before_the_last_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, first, _) = two_batches(folder.path());
        zero(&journal, first - 2_000, first - 1_000);
        let before = fs::read(&journal).unwrap();
        assert!(matches!(repair(folder.path()), Err(StoreError::Corrupt(_))));
        assert!(before == fs::read(&journal).unwrap());
    }

    #[test]
    fn a_whole_journal_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, ..) = two_batches(folder.path());
        let before = fs::read(&journal).unwrap();
        assert_eq!(repair(folder.path()), Ok(Tail::Whole));
        assert!(before == fs::read(&journal).unwrap());
        assert_eq!(items(folder.path()), 6);
    }

    #[test]
    fn wherever_a_page_of_the_last_batch_is_missing_the_first_batch_opens() {
        let folder = tempfile::tempdir().unwrap();
        let (journal, first, second) = two_batches(folder.path());
        let whole = fs::read(&journal).unwrap();
        for page in (0..second).step_by(4_096) {
            if page + 4_096 > first {
                fs::write(&journal, &whole).unwrap();
                zero(&journal, page.max(first), (page + 4_096).min(second));
                let opened = open(folder.path()).map(drop);
                if opened.is_err() {
                    repair(folder.path()).unwrap();
                }
                assert_eq!(items(folder.path()), 3, "page at {page}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_to_a_finding(bytes: Vec<u8>) {
            let _ = find_torn(&bytes);
        }
    }
}
