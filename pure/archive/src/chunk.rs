//! Where a stream is cut, what a chunk is called, and how it is compressed.
//!
//! FastCDC (Xia et al., 2020) cuts where the content says, so that what is inserted in the middle of a
//! part changes the chunks around it alone. Its table is drawn from the archive's key. Such keyed
//! cutting alone does not hide content from whoever sees the lengths of chunks (Alexeev et al.,
//! "Chunking Attacks on File Backup Services using Content-Defined Chunking", 2025): so nobody sees
//! them, they stand inside sealed packs.

use std::fmt;

use fastcdc::v2020::{FastCDC, Normalization};
use warren_crypto::hash::blake2b_keyed;

use crate::{ArchiveError, ArchiveKeys};

/// Fewer bytes are cut off at the end of a part alone.
pub const LEAST: usize = 128 * 1024;
/// What a chunk has on average, in bytes.
pub const AVERAGE: usize = 512 * 1024;
/// No chunk has more bytes.
pub const MOST: usize = 2 * 1024 * 1024;
/// What zstd spends on a chunk.
const LEVEL: i32 = 3;

/// What a chunk is called: `BLAKE2b-32(key = chunk ids, content)`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChunkId([u8; Self::BYTES]);

impl ChunkId {
    /// Bytes of an id.
    pub const BYTES: usize = 32;

    /// The id of a content.
    ///
    /// # Errors
    /// Never; the hash library's result is passed on.
    pub fn of(keys: &ArchiveKeys, content: &[u8]) -> Result<Self, ArchiveError> {
        Ok(Self(blake2b_keyed(keys.chunk_ids.expose(), &[content])?))
    }

    /// An id of these bytes.
    pub const fn of_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Debug for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Cuts streams.
#[derive(Debug, Clone, Copy)]
pub struct Cutter {
    seed: u64,
}

impl Cutter {
    /// Cuts as this archive does.
    pub fn new(keys: &ArchiveKeys) -> Self {
        Self { seed: keys.cutting_seed() }
    }

    /// The lengths of the chunks that a window of a stream begins with.
    ///
    /// A window that is not the `last` of its stream ends within a chunk: what the lengths leave over
    /// begins the next window. One of more than [`MOST`] bytes has at least one chunk.
    pub fn cut(&self, window: &[u8], last: bool) -> Vec<usize> {
        if window.is_empty() {
            return Vec::new();
        }
        let chunks = FastCDC::with_level_and_seed(
            window,
            LEAST,
            AVERAGE,
            MOST,
            Normalization::Level1,
            self.seed,
        );
        let chunks = chunks.map(|chunk| (chunk.offset + chunk.length, chunk.length));
        chunks.filter(|(end, _)| last || *end < window.len()).map(|(_, length)| length).collect()
    }
}

/// How a chunk lies in its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is: it was sealed already, or would not shrink.
    None,
    /// A zstd frame.
    Zstd,
}

/// Compresses a chunk, where that makes it smaller by a twentieth.
pub fn compress(content: &[u8]) -> Option<Vec<u8>> {
    let compressed = zstd::bulk::compress(content, LEVEL).ok()?;
    (compressed.len() < content.len() - content.len() / 20).then_some(compressed)
}

/// Brings a chunk back from how it lies, and holds it against its id.
///
/// # Errors
/// Where it is not the chunk of this id and length.
pub fn restore(
    keys: &ArchiveKeys,
    id: &ChunkId,
    length: usize,
    lying: &[u8],
    compression: Compression,
) -> Result<Vec<u8>, ArchiveError> {
    let content = match compression {
        Compression::None => lying.to_vec(),
        Compression::Zstd if length <= MOST => zstd::bulk::decompress(lying, length)
            .map_err(|_| ArchiveError::Content("a chunk does not decompress"))?,
        Compression::Zstd => return Err(ArchiveError::Content("a chunk is too large")),
    };
    if content.len() == length && ChunkId::of(keys, &content)? == *id {
        Ok(content)
    } else {
        Err(ArchiveError::Content("a chunk is not what it is called"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use warren_crypto::Secret;
    use warren_crypto::expand::expand;

    use super::*;

    fn keys(byte: u8) -> ArchiveKeys {
        ArchiveKeys::of_seed(&Secret::take(&mut [byte; 32])).unwrap()
    }

    fn noise(bytes: usize) -> Vec<u8> {
        expand(&Secret::take(&mut [9; 32]), bytes)
    }

    fn ids(keys: &ArchiveKeys, mut content: &[u8]) -> Vec<ChunkId> {
        let mut ids = Vec::new();
        for length in Cutter::new(keys).cut(content, true) {
            let (chunk, rest) = content.split_at(length);
            ids.push(ChunkId::of(keys, chunk).unwrap());
            content = rest;
        }
        ids
    }

    #[test]
    fn an_insertion_changes_the_chunks_around_it_alone() {
        let content = noise(8 << 20);
        let mut changed = content.clone();
        changed.splice(3 << 20..3 << 20, *b"inserted");
        let (before, after) = (ids(&keys(1), &content), ids(&keys(1), &changed));
        let new = after.iter().filter(|id| !before.contains(id)).count();
        assert!(before.len() >= 8, "{}", before.len());
        assert!((1..=2).contains(&new), "{new} of {}", after.len());
    }

    #[test]
    fn another_key_cuts_elsewhere() {
        let content = noise(8 << 20);
        assert_ne!(
            Cutter::new(&keys(1)).cut(&content, true),
            Cutter::new(&keys(2)).cut(&content, true)
        );
    }

    #[test]
    fn windows_give_the_chunks_of_the_whole() {
        let content = noise(9 << 20);
        let cutter = Cutter::new(&keys(1));
        let (mut at, mut lengths) = (0, Vec::new());
        while at < content.len() {
            let end = (at + (5 << 20)).min(content.len());
            for length in cutter.cut(&content[at..end], end == content.len()) {
                lengths.push(length);
                at += length;
            }
        }
        assert_eq!(lengths, cutter.cut(&content, true));
    }

    #[test]
    fn a_chunk_that_does_not_shrink_lies_as_it_is() {
        assert_eq!(compress(&noise(4096)), None);
        assert_eq!(compress(b""), None);
        assert!(compress(&[0; 4096]).unwrap().len() < 100);
    }

    proptest! {
        #[test]
        fn a_chunk_comes_back_or_is_refused(content: Vec<u8>, other: Vec<u8>) {
            let keys = keys(1);
            let id = ChunkId::of(&keys, &content).unwrap();
            let (lying, how) = match compress(&content) {
                Some(small) => (small, Compression::Zstd),
                None => (content.clone(), Compression::None),
            };
            prop_assert_eq!(&restore(&keys, &id, content.len(), &lying, how).unwrap(), &content);
            for how in [Compression::None, Compression::Zstd] {
                let read = restore(&keys, &id, content.len(), &other, how);
                prop_assert_eq!(read.is_ok(), how == Compression::None && other == content);
            }
        }
    }
}
