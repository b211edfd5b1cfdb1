//! Files at rest: what is written is read, from anywhere, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::attachments::store::FileStore;

const PIECE: u64 = PIECE_BYTES as u64;

fn content(size: usize) -> Vec<u8> {
    (0..=250).cycle().take(size).collect()
}

fn put(folder: &Path, content: &[u8]) -> (FileStore, StoredFile) {
    let store = FileStore::new(folder.to_owned());
    let file = store.put(content).unwrap();
    (store, file)
}

#[test]
fn content_of_any_size_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    for size in [0, 1, PIECE_BYTES - 8, PIECE_BYTES - 7, PIECE_BYTES, 5 * PIECE_BYTES + 3] {
        let (store, file) = put(folder.path(), &content(size));
        let mut read = Vec::new();
        store.open(&file).unwrap().read_to_end(&mut read).unwrap();
        assert!(read == content(size), "{size}");
        assert_eq!(file.size, size as u64);
    }
}

#[test]
fn sizes_are_rounded_so_that_they_tell_little() {
    assert_eq!([0, 1, PIECE - 8, PIECE - 7].map(chunk_count), [1, 1, 1, 2]);
    let sizes: std::collections::BTreeSet<_> = (0..4_000).map(|n| chunk_count(n * PIECE)).collect();
    assert!(sizes.len() < 120, "{}", sizes.len());
    for size in (0..200_000_000).step_by(999_983) {
        let (needed, padded) = (size + 8, chunk_count(size) * PIECE);
        assert!(padded >= needed && padded <= needed + needed / 8 + 2 * PIECE, "{size}");
    }
}

#[test]
fn a_flipped_bit_a_missing_chunk_and_a_swapped_one_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = put(folder.path(), &content(3 * PIECE_BYTES));
    let path = folder.path().join(file.name.as_str());
    let whole = fs::read(&path).unwrap();
    let reads = || {
        let mut reader = store.open(&file).map_err(|error| error.to_string())?;
        io::copy(&mut reader, &mut io::sink()).map_err(|error| error.to_string())
    };
    assert_eq!(reads(), Ok(3 * PIECE));
    for at in [0, 30, CHUNK_BYTES - 1, CHUNK_BYTES, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&path, altered).unwrap();
        assert!(reads().is_err(), "byte {at}");
    }
    fs::write(&path, &whole[..whole.len() - CHUNK_BYTES]).unwrap();
    assert!(reads().is_err());
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(reads().is_err());
    let mut swapped = whole.clone();
    swapped.rotate_left(CHUNK_BYTES);
    fs::write(&path, swapped).unwrap();
    assert!(reads().is_err());
    let mut twice = whole.clone();
    twice.copy_within(..CHUNK_BYTES, CHUNK_BYTES);
    fs::write(&path, twice).unwrap();
    assert!(reads().is_err());
}

#[test]
fn another_key_or_size_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = put(folder.path(), b"content");
    let other = StoredFile { key: Secret::random(&mut SystemEntropy), ..file.clone() };
    assert!(matches!(store.open(&other), Err(AttachmentError::Damaged)));
    let other = StoredFile { size: 6, ..file.clone() };
    assert!(matches!(store.open(&other), Err(AttachmentError::Damaged)));
    let other = StoredFile { size: u64::MAX, ..file };
    assert!(matches!(store.open(&other), Err(AttachmentError::Damaged)));
}

#[test]
fn the_same_content_is_sealed_differently_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (_, one) = put(folder.path(), b"content");
    let (_, other) = put(folder.path(), b"content");
    let read = |file: &StoredFile| fs::read(folder.path().join(file.name.as_str())).unwrap();
    assert!(read(&one) != read(&other));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_part_is_read_as_it_was_written(
        size in 0_usize..4 * PIECE_BYTES,
        parts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..70_000), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let content = content(size);
        let (store, file) = put(folder.path(), &content);
        let mut reader = store.open(&file).unwrap();
        for (at, length) in parts {
            let at = at.index(size + 10);
            reader.seek(SeekFrom::Start(at as u64)).unwrap();
            let mut read = Vec::new();
            reader.by_ref().take(length as u64).read_to_end(&mut read).unwrap();
            let expected = content.get(at..).unwrap_or_default();
            prop_assert!(read == expected[..length.min(expected.len())]);
        }
    }
}
