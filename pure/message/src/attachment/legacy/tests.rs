//! Checks the older format against session-desktop's vector, and that no altered file is whole.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::test_entropy::Seeded;

#[derive(Deserialize)]
struct Vectors {
    legacy: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    keys: String,
    digest: String,
    stored: String,
    plaintext: String,
    padded: usize,
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("../../../../../spec/vectors/attachment.json");
    serde_json::from_str::<Vectors>(text).unwrap().legacy
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn open(
    key: &FileKey,
    size: Option<u64>,
    stored: &[u8],
    piece: usize,
) -> Result<Vec<u8>, FileError> {
    let FileKey::Legacy { keys, digest } = key else { panic!("a key of the other format") };
    let mut reader = Reader::new(keys, *digest, size).unwrap();
    let mut plain = Vec::new();
    for piece in stored.chunks(piece) {
        plain.extend(reader.push(piece)?);
    }
    plain.extend(reader.finish()?);
    Ok(plain)
}

fn seal(data: &[u8], piece: usize) -> (Vec<u8>, FileKey) {
    let mut writer = Writer::new(&mut Seeded(1)).unwrap();
    let mut stored = Vec::new();
    for piece in data.chunks(piece) {
        stored.extend(writer.push(piece).unwrap());
    }
    let key = writer.finish(|rest| stored.extend(rest)).unwrap();
    (stored, key)
}

#[test]
fn the_published_file_opens_with_and_without_its_padding() {
    for vector in vectors() {
        let (keys, digest) = (Secret::take(&mut bytes(&vector.keys)), bytes(&vector.digest));
        let key = FileKey::Legacy { keys, digest };
        let stored = hex::decode(&vector.stored).unwrap();
        let plaintext = vector.plaintext.as_bytes();
        for piece in [1, 16, 31, stored.len()] {
            let padded = open(&key, None, &stored, piece).unwrap();
            assert_eq!((padded.len(), padded.starts_with(plaintext)), (vector.padded, true));
            let size = Some(plaintext.len() as u64);
            assert_eq!(open(&key, size, &stored, piece).unwrap(), plaintext);
        }
    }
}

#[test]
fn the_published_file_comes_out_bit_for_bit() {
    for vector in vectors() {
        let stored = hex::decode(&vector.stored).unwrap();
        let iv = *stored.first_chunk().unwrap();
        let keys = Secret::take(&mut bytes(&vector.keys));
        let mut writer = Writer::with(keys.duplicate(), iv).unwrap();
        let mut ours = writer.push(vector.plaintext.as_bytes()).unwrap();
        let key = writer.finish(|rest| ours.extend(rest)).unwrap();
        assert_eq!(hex::encode(ours), vector.stored);
        assert_eq!(key, FileKey::Legacy { keys, digest: bytes(&vector.digest) });
    }
}

#[test]
fn another_digest_or_key_opens_nothing() {
    let (stored, key) = seal(b"hello", 5);
    let FileKey::Legacy { keys, digest } = &key else { panic!() };
    let other = FileKey::Legacy { keys: keys.duplicate(), digest: [0; 32] };
    assert_eq!(open(&other, None, &stored, 99), Err(FileError::Corrupt));
    let other = FileKey::Legacy { keys: Secret::take(&mut [1; 64]), digest: *digest };
    assert_eq!(open(&other, None, &stored, 99), Err(FileError::Corrupt));
}

#[test]
fn sizes_grow_by_a_twentieth_and_not_over_what_a_server_takes() {
    for (size, padded) in [(0, 541), (541, 541), (9_999_999, 10_000_000), (10_000_000, 10_000_000)]
    {
        assert_eq!(padded_len(size), padded, "{size}");
    }
    assert!(padded_len(10_000_001) > 10_000_001);
}

proptest! {
    #[test]
    fn padding_covers_a_file_and_a_twentieth_at_most(size in 0_u64..1_000_000_000_000) {
        let padded = padded_len(size);
        prop_assert!(padded >= size && padded <= (size + size / 19).max(541));
    }

    #[test]
    fn a_file_comes_back_however_it_is_cut(data: Vec<u8>, a in 1_usize..200, b in 1_usize..200) {
        let (stored, key) = seal(&data, a);
        prop_assert_eq!(open(&key, Some(data.len() as u64), &stored, b).unwrap(), data);
    }

    #[test]
    fn one_bit_altered_anywhere_is_noticed(data: Vec<u8>, at: prop::sample::Index, bit in 0_u8..8) {
        let (mut stored, key) = seal(&data, 64);
        let at = at.index(stored.len());
        stored[at] ^= 1 << bit;
        prop_assert_eq!(open(&key, None, &stored, 64), Err(FileError::Corrupt));
    }

    #[test]
    fn a_file_cut_short_or_gone_on_with_is_refused(data: Vec<u8>, at: prop::sample::Index, more: u8) {
        let (mut stored, key) = seal(&data, 64);
        let cut = &stored[..at.index(stored.len())];
        prop_assert_eq!(open(&key, None, cut, 64), Err(FileError::Corrupt));
        stored.push(more);
        prop_assert_eq!(open(&key, None, &stored, 64), Err(FileError::Corrupt));
    }

    #[test]
    fn any_bytes_open_to_an_error(bytes: Vec<u8>, piece in 1_usize..100) {
        let key = FileKey::Legacy { keys: Secret::take(&mut [1; 64]), digest: [0; 32] };
        prop_assert!(open(&key, None, &bytes, piece).is_err());
    }
}
