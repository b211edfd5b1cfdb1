//! A file at rest: sealed in chunks, so that any part of it can be read without the rest.
//!
//! ```text
//! file  = chunk || chunk || ...                                        32 KiB each
//! chunk = nonce24 || XChaCha20-Poly1305(key, nonce, piece, "warren file v1" || number || last)
//! piece || piece || ... = content || 00...00 || u64le(bytes of content)
//! ```
//!
//! The key is the file's own. Number (`u64le`) and mark of the last chunk are under its tag: chunks
//! cannot be swapped, dropped or cut off. A random nonce of 24 bytes allows a chunk to be written
//! again, as after an interruption, with something else in it.
//!
//! The number of chunks is rounded up as Padmé has it (Nikitin et al., *Reducing Metadata Leakage from
//! Encrypted Files and Communication with PURBs*, 2019), by 12 % at most: of a size little more is told
//! than its magnitude.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use warren_crypto::aead::{TAG_BYTES, XCHACHA_NONCE_BYTES, xchacha_open, xchacha_seal};
use warren_crypto::entropy::random;
use warren_crypto::{Secret, SystemEntropy};

use super::error::AttachmentError;
use super::part::Part;
use super::store::StoredFile;

/// Bytes of a chunk on the disk.
pub(super) const CHUNK_BYTES: usize = 32_768;
/// Bytes of content in a chunk.
pub(super) const PIECE_BYTES: usize = CHUNK_BYTES - XCHACHA_NONCE_BYTES - TAG_BYTES;
/// Bytes at the end that say how long the content is.
const LENGTH_BYTES: usize = 8;
const LABEL: &[u8] = b"warren file v1";

/// How many chunks hold `size` bytes of content, padding included.
fn chunk_count(size: u64) -> u64 {
    let needed = size.saturating_add(LENGTH_BYTES as u64).div_ceil(PIECE_BYTES as u64);
    let exponent = needed.ilog2();
    let kept = exponent.checked_ilog2().map_or(0, |bits| bits + 1);
    needed.next_multiple_of(1 << exponent.saturating_sub(kept))
}

fn associated(number: u64, last: bool) -> Vec<u8> {
    [LABEL, &number.to_le_bytes(), &[u8::from(last)]].concat()
}

fn seal(key: &Secret<32>, number: u64, last: bool, piece: &[u8]) -> io::Result<Vec<u8>> {
    let nonce = random::<XCHACHA_NONCE_BYTES>(&mut SystemEntropy);
    let sealed = xchacha_seal(key, &nonce, piece, &associated(number, last));
    let sealed = sealed.map_err(|_| io::Error::other("a chunk could not be sealed"))?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Writes a file at rest. Nothing of it is there under its name before [`SealedWriter::finish`].
pub struct SealedWriter {
    part: Part,
    key: Secret<32>,
    piece: Vec<u8>,
    chunks: u64,
}

impl SealedWriter {
    /// Goes on behind the chunks that `part` has.
    pub(super) fn new(part: Part, key: Secret<32>, chunks: u64) -> Self {
        Self { part, key, piece: Vec::with_capacity(PIECE_BYTES), chunks }
    }

    /// Bytes of content so far.
    pub fn size(&self) -> u64 {
        self.chunks * PIECE_BYTES as u64 + self.piece.len() as u64
    }

    /// Bytes of content that an interruption leaves: those in whole chunks.
    pub(super) fn durable(&self) -> u64 {
        self.chunks * PIECE_BYTES as u64
    }

    /// What is left where this writer goes away before it has finished: all chunks, or nothing.
    pub(super) fn keep_when_dropped(&mut self, keep: bool) {
        self.part.keep_when_dropped(keep);
    }

    /// Makes the file: on the disk, under its name, whole.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn finish(mut self) -> Result<StoredFile, AttachmentError> {
        let size = self.size();
        let chunks = chunk_count(size);
        if self.piece.len() + LENGTH_BYTES > PIECE_BYTES {
            self.pad(PIECE_BYTES);
            self.write_chunk(false)?;
        }
        while self.chunks + 1 < chunks {
            self.pad(PIECE_BYTES);
            self.write_chunk(false)?;
        }
        self.pad(PIECE_BYTES - LENGTH_BYTES);
        self.piece.extend_from_slice(&size.to_le_bytes());
        self.write_chunk(true)?;
        let name = self.part.finish()?;
        Ok(StoredFile { name, key: self.key, size })
    }

    fn pad(&mut self, length: usize) {
        self.piece.resize(length, 0);
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        let chunk = seal(&self.key, self.chunks, last, &self.piece)?;
        self.part.file().write_all(&chunk)?;
        self.chunks += 1;
        self.piece.clear();
        Ok(())
    }
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE_BYTES {
            self.write_chunk(false)?;
        }
        let room = PIECE_BYTES - self.piece.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Does nothing: [`SealedWriter::finish`] brings all to the disk.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a file at rest, any part of it, with one chunk in memory.
pub struct SealedReader {
    file: File,
    key: Secret<32>,
    chunks: u64,
    size: u64,
    position: u64,
    /// The chunk that was read last.
    piece: Option<(u64, Vec<u8>)>,
}

impl SealedReader {
    /// Opens a file whose end is where it should be.
    pub(super) fn new(file: File, stored: &StoredFile) -> Result<Self, AttachmentError> {
        let chunks = chunk_count(stored.size);
        if Some(file.metadata()?.len()) != chunks.checked_mul(CHUNK_BYTES as u64) {
            return Err(AttachmentError::Damaged);
        }
        let (key, size) = (stored.key.duplicate(), stored.size);
        let mut reader = Self { file, key, chunks, size, position: 0, piece: None };
        let end = reader.piece(chunks - 1)?;
        if !end.ends_with(&size.to_le_bytes()) {
            return Err(AttachmentError::Damaged);
        }
        Ok(reader)
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.size
    }

    fn piece(&mut self, number: u64) -> io::Result<&[u8]> {
        let known = self.piece.take().filter(|(known, _)| *known == number);
        let piece = match known {
            Some((_, piece)) => piece,
            None => self.read_piece(number)?,
        };
        Ok(&self.piece.insert((number, piece)).1)
    }

    fn read_piece(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK_BYTES];
        self.file.seek(SeekFrom::Start(number * CHUNK_BYTES as u64))?;
        self.file.read_exact(&mut chunk)?;
        let last = number + 1 == self.chunks;
        let (nonce, sealed) = chunk.split_first_chunk().ok_or_else(damaged)?;
        xchacha_open(&self.key, nonce, sealed, &associated(number, last)).map_err(|_| damaged())
    }
}

/// What [`AttachmentError`] takes for [`AttachmentError::Damaged`].
fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a file on this device was altered")
}

impl Read for SealedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.size.saturating_sub(self.position);
        if left == 0 || out.is_empty() {
            return Ok(0);
        }
        let (number, within) =
            (self.position / PIECE_BYTES as u64, self.position % PIECE_BYTES as u64);
        let within = usize::try_from(within).map_err(|_| damaged())?;
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let piece = self.piece(number)?.get(within..).unwrap_or_default();
        let count = out.len().min(piece.len()).min(left);
        for (to, from) in out.iter_mut().zip(piece.iter().take(count)) {
            *to = *from;
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for SealedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.size.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "before the beginning");
        self.position = position.ok_or_else(before)?;
        Ok(self.position)
    }
}

impl fmt::Debug for SealedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedWriter(..)")
    }
}

impl fmt::Debug for SealedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedReader(..)")
    }
}

#[cfg(test)]
mod tests;
