//! Snapshots come back as they were, and no bytes are taken for one that is not whole.

use proptest::prelude::*;
use warren_crypto::Secret;

use super::*;

fn keys() -> ArchiveKeys {
    ArchiveKeys::of_seed(&Secret::take(&mut [1; 32])).unwrap()
}

fn place(pack: u8, offset: u32, stored: u32) -> (Place, u64) {
    let lying = Lying { offset, stored, compression: Compression::Zstd };
    (Place { pack: ObjectName::of_bytes([pack; 16]), lying, length: stored * 2 }, 16_384)
}

fn part(name: &str, chunks: &[(u8, u32)]) -> Part {
    Part {
        kind: "test".to_owned(),
        name: name.to_owned(),
        version: 1,
        size: chunks.iter().map(|(_, stored)| u64::from(*stored) * 2).sum(),
        state: b"as it was".to_vec(),
        chunks: chunks.iter().map(|(id, _)| ChunkId::of_bytes([*id; 32])).collect(),
    }
}

/// Two parts that share a chunk, in two packs.
fn sample() -> Snapshot {
    let mut snapshot = Snapshot::new(7, [2; 16], 1_700_000_000_000, "a test");
    snapshot.previous = Some(ObjectName::of_bytes([9; 16]));
    let find = |id: &ChunkId| match id.as_bytes()[0] {
        1 => Some(place(1, 0, 10)),
        2 => Some(place(1, 10, 20)),
        3 => Some(place(2, 0, 30)),
        _ => None,
    };
    snapshot.add(part("a", &[(1, 10), (2, 20)]), find).unwrap();
    snapshot.add(part("b", &[(2, 20), (3, 30), (2, 20)]), find).unwrap();
    snapshot
}

fn message() -> SnapshotMessage {
    SnapshotMessage::decode(sample().encode(&keys()).unwrap().as_slice()).unwrap()
}

fn refused(change: impl FnOnce(&mut SnapshotMessage)) -> ArchiveError {
    let mut message = message();
    change(&mut message);
    UncheckedSnapshot(&message.encode_to_vec()).check(&keys()).unwrap_err()
}

#[test]
fn a_snapshot_comes_back_and_knows_what_a_pack_is_needed_for() {
    let snapshot = sample();
    let read = UncheckedSnapshot(&snapshot.encode(&keys()).unwrap()).check(&keys()).unwrap();
    assert_eq!(read, snapshot);
    let hit = |pack: u8| {
        let packs = HashSet::from([ObjectName::of_bytes([pack; 16])]);
        read.parts_in(&packs).iter().map(|part| part.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!((hit(1), hit(2)), (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn a_part_of_an_unknown_kind_is_carried_into_the_next_snapshot_unchanged() {
    let old = sample();
    let carried = old.part("test", "b").unwrap().clone();
    let mut new = Snapshot::new(8, [2; 16], 1, "older");
    let find = |id: &ChunkId| {
        let place = *old.place(id)?;
        let (_, size) = old.packs().find(|(name, _)| *name == place.pack)?;
        Some((place, size))
    };
    new.add(carried.clone(), find).unwrap();
    let read = UncheckedSnapshot(&new.encode(&keys()).unwrap()).check(&keys()).unwrap();
    assert_eq!(read.part("test", "b"), Some(&carried));
    assert_eq!(new.add(carried, find), Err(ArchiveError::Content("two parts have one name")));
}

#[test]
fn what_is_not_whole_is_refused() {
    let newer = refused(|message| message.version = 2);
    assert_eq!(newer, ArchiveError::Newer { found: 2, known: 1 });
    for change in [
        |m: &mut SnapshotMessage| m.pack_sizes.truncate(1),
        |m: &mut SnapshotMessage| m.pack_names.truncate(31),
        |m: &mut SnapshotMessage| m.pack_names = [1; 32].to_vec(),
        |m: &mut SnapshotMessage| m.chunk_ids.truncate(90),
        |m: &mut SnapshotMessage| m.chunk_offsets[0] = u32::MAX,
        |m: &mut SnapshotMessage| m.chunk_lengths[0] = u32::MAX,
        |m: &mut SnapshotMessage| m.chunk_lengths[0] += 1,
        |m: &mut SnapshotMessage| m.chunk_packs[0] = 2,
        |m: &mut SnapshotMessage| m.chunk_packs.truncate(1),
        |m: &mut SnapshotMessage| m.chunk_compressions[0] = 9,
        |m: &mut SnapshotMessage| m.device.truncate(15),
        |m: &mut SnapshotMessage| m.previous = Some(vec![1]),
        |m: &mut SnapshotMessage| m.parts[0].name = "b".to_owned(),
        |m: &mut SnapshotMessage| m.parts[0].name = "c".repeat(MOST_NAME_BYTES + 1),
        |m: &mut SnapshotMessage| m.parts[0].chunks[0] = 3,
        |m: &mut SnapshotMessage| m.parts[0].chunks.swap(0, 1),
        |m: &mut SnapshotMessage| m.parts[0].version = 2,
        |m: &mut SnapshotMessage| m.parts[0].hash[0] ^= 1,
    ] {
        assert!(matches!(refused(change), ArchiveError::Content(_)));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_snapshot_or_an_error(bytes: Vec<u8>) {
        let _ = UncheckedSnapshot(&bytes).check(&keys());
        let _ = Written::decode(&bytes);
    }

    #[test]
    fn an_altered_snapshot_is_a_whole_one_or_an_error(at: prop::sample::Index, byte: u8) {
        let mut bytes = sample().encode(&keys()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = UncheckedSnapshot(&bytes).check(&keys()) {
            let ids = read.parts().iter().flat_map(|part| &part.chunks);
            prop_assert!(ids.into_iter().all(|id| read.place(id).is_some()));
        }
    }

    #[test]
    fn a_note_of_a_written_pack_comes_back(size: u64, stored in prop::collection::vec(0_u32..1000, 0..20)) {
        let chunks = stored.iter().map(|stored| {
            let lying = Lying { offset: *stored, stored: *stored, compression: Compression::None };
            (ChunkId::of_bytes([3; 32]), lying, *stored)
        });
        let written = Written { pack: ObjectName::of_bytes([1; 16]), size, chunks: chunks.collect() };
        prop_assert_eq!(Written::decode(&written.encode()).unwrap(), written);
    }
}
