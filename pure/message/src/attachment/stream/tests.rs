//! Checks the deterministic format by the sizes and behaviours that libsession's tests demand.

use proptest::prelude::*;
use serde::Deserialize;
use warren_crypto::hash::sha256;

use super::*;

/// libsession's `tests/test_attachment_encrypt.cpp`: bytes of a file, and bytes stored.
const SIZES: [(u64, u64); 22] = [
    (0, 4_096),
    (1, 4_096),
    (2, 4_096),
    (10, 4_096),
    (100, 4_096),
    (1_000, 4_096),
    (2_000, 4_096),
    (4_000, 4_096),
    (4_053, 4_096),
    (4_054, 8_192),
    (8_149, 8_192),
    (8_150, 12_288),
    (33_333, 36_864),
    (60_000, 61_440),
    (261_982, 262_144),
    (261_983, 270_336),
    (523_990, 524_288),
    (523_991, 540_672),
    (6_543_210, 6_553_600),
    (10_000_000, 10_223_616),
    (10_218_286, 10_223_616),
    (25_000_000, 25_165_824),
];

fn file(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7).to_le_bytes()[0]).collect()
}

fn seed(first: u8) -> Secret<32> {
    let mut bytes = [0x23; 32];
    bytes[0] = first;
    Secret::take(&mut bytes)
}

fn derive(seed: &Secret<32>, domain: Domain, data: &[u8]) -> DerivedKey {
    let mut hasher = KeyHasher::new(seed, domain).unwrap();
    hasher.update(data);
    hasher.finish().unwrap()
}

fn seal_in_pieces(derived: DerivedKey, data: &[u8], piece: usize) -> Vec<u8> {
    let mut writer = Writer::new(derived);
    let mut stored = Vec::new();
    for mut input in data.chunks(piece).chain([[].as_slice()]) {
        while let Some(out) = writer.next(&mut input).unwrap() {
            assert!(out.len() <= SEALED_BYTES);
            stored.extend(out);
        }
    }
    writer.finish().unwrap();
    stored
}

fn seal(first: u8, data: &[u8]) -> (Vec<u8>, Secret<32>) {
    let derived = derive(&seed(first), Domain::Attachment, data);
    let key = derived.key().duplicate();
    (seal_in_pieces(derived, data, data.len().max(1)), key)
}

fn open_in_pieces(key: &Secret<32>, stored: &[u8], piece: usize) -> Result<Vec<u8>, FileError> {
    let mut reader = Reader::new(key.duplicate());
    let mut plain = Vec::new();
    for mut input in stored.chunks(piece) {
        while let Some(out) = reader.next(&mut input)? {
            assert!(out.len() <= CHUNK_BYTES);
            plain.extend(out);
        }
    }
    plain.extend(reader.finish()?);
    Ok(plain)
}

fn open(key: &Secret<32>, stored: &[u8]) -> Result<Vec<u8>, FileError> {
    open_in_pieces(key, stored, stored.len().max(1))
}

#[test]
fn what_is_stored_has_the_sizes_of_libsession() {
    for (size, stored) in SIZES {
        assert_eq!(stored_len(size), stored, "{size}");
    }
    assert_eq!(stored_len(MAX_REGULAR_BYTES), 10_223_616);
}

#[test]
fn files_of_the_published_sizes_come_back_whole_and_equal_files_are_stored_equal() {
    for (size, stored_size) in SIZES.into_iter().filter(|(size, _)| *size < 600_000) {
        let data = file(usize::try_from(size).unwrap());
        let (stored, key) = seal(1, &data);
        assert_eq!(stored.len() as u64, stored_size);
        assert_eq!(stored, seal(1, &data).0);
        assert!(open(&key, &stored).unwrap() == data, "{size}");
    }
}

#[test]
fn a_file_is_the_same_however_it_is_cut() {
    for size in [0, 1, 4_054, 33_333, 2 * CHUNK_BYTES] {
        let data = file(size);
        let (stored, key) = seal(4, &data);
        for piece in [1, 2, 41, 4_096, CHUNK_BYTES, SEALED_BYTES] {
            let derived = derive(&seed(4), Domain::Attachment, &data);
            assert!(seal_in_pieces(derived, &data, piece) == stored, "{size} by {piece}");
            assert!(open_in_pieces(&key, &stored, piece).unwrap() == data, "{size} by {piece}");
        }
    }
}

#[test]
fn sender_purpose_and_content_each_lead_to_another_key() {
    let mut data = file(50_000);
    let (stored, key) = seal(1, &data);
    let other_sender = derive(&seed(2), Domain::Attachment, &data);
    let other_purpose = derive(&seed(1), Domain::ProfilePicture, &data);
    data[43_210] ^= 1;
    let other_content = derive(&seed(1), Domain::Attachment, &data);
    for other in [other_sender, other_purpose, other_content] {
        assert_ne!(other.key(), &key);
        assert_eq!(open(other.key(), &stored), Err(FileError::Corrupt));
        let sealed = seal_in_pieces(other, &data, 4_096);
        assert_eq!(sealed.len(), stored.len());
        assert_eq!(open(&key, &sealed), Err(FileError::Corrupt));
    }
}

#[test]
fn a_file_cut_short_or_gone_on_with_is_never_whole() {
    let (stored, key) = seal(1, &file(2 * CHUNK_BYTES));
    let chunk_ends = [PREFIX_BYTES + SEALED_BYTES, PREFIX_BYTES + 2 * SEALED_BYTES];
    for length in
        [0, 1, PREFIX_BYTES, PREFIX_BYTES + 17, stored.len() - 1].into_iter().chain(chunk_ends)
    {
        assert_eq!(open(&key, &stored[..length]), Err(FileError::Corrupt), "{length}");
    }
    for more in [vec![0; 1], vec![0; 18], vec![0; SEALED_BYTES]] {
        let longer = [stored.clone(), more].concat();
        assert_eq!(open(&key, &longer), Err(FileError::Corrupt));
    }
}

#[test]
fn chunks_out_of_their_order_are_refused() {
    let (stored, key) = seal(1, &file(4 * CHUNK_BYTES));
    let (prefix, chunks) = stored.split_at(PREFIX_BYTES);
    let mut chunks: Vec<_> = chunks.chunks(SEALED_BYTES).collect();
    chunks.swap(1, 2);
    let swapped = [prefix, &chunks.concat()].concat();
    assert_eq!(open(&key, &swapped), Err(FileError::Corrupt));
}

#[test]
fn padding_of_anything_but_zeros_is_refused_and_so_is_a_file_of_padding_alone() {
    for chunk in [[0, 2, 1].as_slice(), &[9], &[0, 0, 0]] {
        let (key, header) = (seed(1), [5; HEADER_BYTES]);
        let sealed = Push::new(&key, &header).push(chunk, true).unwrap();
        let stored = [[FORMAT].as_slice(), &header, &sealed].concat();
        assert_eq!(open(&key, &stored), Err(FileError::Corrupt));
    }
}

#[test]
fn a_file_that_changed_between_its_readings_is_not_stored() {
    let data = file(100);
    let longer = derive(&seed(1), Domain::Attachment, &data[..99]);
    let mut writer = Writer::new(longer);
    let mut input = data.as_slice();
    assert!(writer.next(&mut input).unwrap().is_some());
    assert_eq!(writer.next(&mut input), Err(FileError::Changed));
    let shorter = derive(&seed(1), Domain::Attachment, &data);
    let mut writer = Writer::new(shorter);
    let mut input = &data[..99];
    while writer.next(&mut input).unwrap().is_some() {}
    assert_eq!(writer.finish(), Err(FileError::Changed));
}

#[derive(Deserialize)]
struct Vectors {
    seed: String,
    stream: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    domain: String,
    size: usize,
    key: String,
    stored_bytes: usize,
    stored_sha256: String,
}

#[test]
fn another_implementation_stores_the_same_bytes() {
    let text = include_str!("../../../../../spec/vectors/attachment.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    let seed = Secret::from_slice(&hex::decode(vectors.seed).unwrap()).unwrap();
    assert_eq!(vectors.stream.len(), 16);
    for vector in vectors.stream {
        let domain = match vector.domain.as_str() {
            "attachment" => Domain::Attachment,
            _ => Domain::ProfilePicture,
        };
        let data = file(vector.size);
        let derived = derive(&seed, domain, &data);
        assert_eq!(hex::encode(derived.key().expose()), vector.key);
        let stored = seal_in_pieces(derived, &data, 10_000);
        assert_eq!(stored.len(), vector.stored_bytes);
        assert_eq!(hex::encode(sha256(&stored)), vector.stored_sha256, "{}", vector.size);
    }
}

proptest! {
    #[test]
    fn what_is_stored_is_rounded_up(bits in 0_u32..34, low: u64) {
        let size = (1 << bits) | (low & ((1 << bits) - 1));
        let stored = stored_len(size);
        let step = |length: u64| (1_u64 << length.max(131_072).ilog2()) >> 5;
        // The step is that of the size before rounding.
        prop_assert!([stored, stored - 1].iter().any(|of| stored.is_multiple_of(step(*of))));
        prop_assert!(stored > size && stored - size < size / 15 + 4_200);
    }

    #[test]
    fn no_size_is_too_large_to_be_foretold(size in 0_u64..(1 << 60)) {
        prop_assert!(padding_len(size) >= 1 && stored_len(size) > size);
    }

    #[test]
    fn one_bit_altered_anywhere_is_noticed(
        size in 0_usize..70_000,
        at: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let (mut stored, key) = seal(1, &file(size));
        let at = at.index(stored.len());
        stored[at] ^= 1 << bit;
        prop_assert_eq!(open(&key, &stored), Err(FileError::Corrupt));
    }

    #[test]
    fn any_bytes_open_to_an_error(bytes: Vec<u8>, piece in 1_usize..100) {
        let tagged = [b"S".as_slice(), &bytes].concat();
        prop_assert!(open_in_pieces(&seed(1), &bytes, piece).is_err());
        prop_assert!(open_in_pieces(&seed(1), &tagged, piece).is_err());
    }
}
