//! The deterministic format: a stream of authenticated chunks under a key that follows from the file.
//!
//! ```text
//! header24 || key32 = BLAKE2b-56(file, key = sender seed32, personal = domain)
//! stored            = 'S' || header24 || secretstream(key32, header24, 00...00 01 || file)
//! ```
//!
//! The stream is cut into chunks of 32 KiB, each 17 bytes longer once sealed; the last one says that
//! it is. The same sender storing the same file again stores the same bytes, so that one copy is
//! kept; nobody else can tell what a file is by storing it themselves, as they lack the seed.
//!
//! The key must be known before the first byte goes out, so a file is read twice: once through
//! [`KeyHasher`], once through [`Writer`]. Source: libsession-util `src/attachments.cpp`.

use std::fmt;

use warren_crypto::incremental::PersonalBlake2b;
use warren_crypto::secretstream::{HEADER_BYTES, OVERHEAD_BYTES, Pull, Push};
use warren_crypto::{CryptoError, Secret};

use super::FileError;

/// Bytes of plaintext in a full chunk.
pub const CHUNK_BYTES: usize = 32_768;
/// Bytes of a full chunk once sealed.
const SEALED_BYTES: usize = CHUNK_BYTES + OVERHEAD_BYTES;
/// The first byte of a file in this format.
const FORMAT: u8 = b'S';
/// Bytes before the first chunk.
const PREFIX_BYTES: usize = 1 + HEADER_BYTES;
/// Bytes that a key is derived as: the header, then the key.
const DERIVED_BYTES: usize = HEADER_BYTES + 32;
/// What stands between the padding and the file.
const MARK: u8 = 0x01;
/// The largest file that Session's file server takes once it is encrypted.
pub const MAX_REGULAR_BYTES: u64 = 10_218_286;

/// What a file is for. The same file for another use has another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// Beside a message.
    Attachment,
    /// A picture of a profile or a group.
    ProfilePicture,
}

impl Domain {
    const fn personal(self) -> &'static [u8; 16] {
        match self {
            Self::Attachment => b"SessionAttachmnt",
            Self::ProfilePicture => b"Session_Prof_Pic",
        }
    }
}

/// The sealed size of a stream of `plain` bytes, chunks and all, without what stands before it.
const fn sealed_len(plain: u64) -> u64 {
    plain + plain.div_ceil(CHUNK_BYTES as u64) * OVERHEAD_BYTES as u64
}

/// How many bytes of padding stand before a file of `size` bytes, the mark among them.
///
/// What is stored is rounded up to a multiple of a 32nd of the power of two below it, and to 4 KiB at
/// least, so that a size tells little. Bytes of padding that fill a chunk of their own bring its
/// overhead along, which is taken off again. (Of files above 32 GiB, libsession's sum is now and then
/// one overhead short of the multiple. This one is the same, as equal files must be stored equal.)
pub fn padding_len(size: u64) -> u64 {
    let (chunk, overhead, sealed) =
        (CHUNK_BYTES as u64, OVERHEAD_BYTES as u64, SEALED_BYTES as u64);
    let least = PREFIX_BYTES as u64 + sealed_len(size) + 1;
    let step = (1 << least.max(131_072).ilog2()) >> 5;
    let padding = least.next_multiple_of(step) - least + 1;
    let room = size.next_multiple_of(chunk) - size;
    let spilled = u64::from(padding % sealed > room);
    padding - (padding / sealed + spilled) * overhead
}

/// How many bytes are stored of a file of `size` bytes.
pub fn stored_len(size: u64) -> u64 {
    PREFIX_BYTES as u64 + sealed_len(size + padding_len(size))
}

/// Derives the key of a file from all of it.
pub struct KeyHasher {
    hash: PersonalBlake2b<DERIVED_BYTES>,
    size: u64,
}

impl KeyHasher {
    /// Starts, with the seed of the account that sends the file.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn new(seed: &Secret<32>, domain: Domain) -> Result<Self, CryptoError> {
        Ok(Self { hash: PersonalBlake2b::new(seed, domain.personal())?, size: 0 })
    }

    /// Takes the next piece of the file in.
    pub fn update(&mut self, piece: &[u8]) {
        self.hash.update(piece);
        self.size += piece.len() as u64;
    }

    /// What the file is to be encrypted with.
    ///
    /// # Errors
    /// Never; the library's result is passed on.
    pub fn finish(self) -> Result<DerivedKey, CryptoError> {
        let derived = self.hash.finish()?;
        let (header, key) = derived.expose().split_first_chunk().ok_or(CryptoError)?;
        let key = Secret::from_slice(key).ok_or(CryptoError)?;
        Ok(DerivedKey { header: *header, key, size: self.size })
    }
}

/// The key of one file, which encrypts no other.
pub struct DerivedKey {
    header: [u8; HEADER_BYTES],
    key: Secret<32>,
    size: u64,
}

impl DerivedKey {
    /// What opens the file, for the message that points to it.
    pub fn key(&self) -> &Secret<32> {
        &self.key
    }

    /// How many bytes the file has.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Encrypts a file, in the second of two readings.
pub struct Writer {
    stream: Push,
    /// What comes before the chunks, until it was given out.
    prefix: Option<Vec<u8>>,
    /// Bytes of padding still to come, the mark among them.
    padding: u64,
    /// Bytes of the file still to come.
    left: u64,
    /// The chunk that is being filled.
    chunk: Vec<u8>,
    done: bool,
}

impl Writer {
    /// Starts with a key that was derived from the same file. It is used up: nothing else may be
    /// encrypted with it.
    pub fn new(derived: DerivedKey) -> Self {
        let DerivedKey { header, key, size } = derived;
        Self {
            stream: Push::new(&key, &header),
            prefix: Some([[FORMAT].as_slice(), &header].concat()),
            padding: padding_len(size),
            left: size,
            chunk: Vec::with_capacity(CHUNK_BYTES),
            done: false,
        }
    }

    /// The next piece to store, of one chunk at most, taking from `input` what it needs. `None`
    /// where it needs more of the file, or all was given out.
    ///
    /// # Errors
    /// [`FileError::Changed`] where the file is longer than it was.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FileError> {
        if let Some(prefix) = self.prefix.take() {
            return Ok(Some(prefix));
        }
        self.pad();
        self.fill(input)?;
        let last = self.padding == 0 && self.left == 0;
        if self.done || (!last && self.chunk.len() < CHUNK_BYTES) {
            return Ok(None);
        }
        let sealed = self.stream.push(&self.chunk, last)?;
        self.chunk.clear();
        self.done = last;
        Ok(Some(sealed))
    }

    /// Says that the file has ended.
    ///
    /// # Errors
    /// [`FileError::Changed`] where the file is shorter than it was.
    pub fn finish(self) -> Result<(), FileError> {
        if self.done { Ok(()) } else { Err(FileError::Changed) }
    }

    fn pad(&mut self) {
        let room = CHUNK_BYTES - self.chunk.len();
        let count = usize::try_from(self.padding).unwrap_or(usize::MAX).min(room);
        self.chunk.resize(self.chunk.len() + count, 0);
        self.padding -= count as u64;
        if let (true, 0, Some(end)) = (count > 0, self.padding, self.chunk.last_mut()) {
            *end = MARK;
        }
    }

    fn fill(&mut self, input: &mut &[u8]) -> Result<(), FileError> {
        if input.len() as u64 > self.left {
            return Err(FileError::Changed);
        }
        let room = CHUNK_BYTES - self.chunk.len();
        let (taken, rest) = input.split_at_checked(room).unwrap_or((input, &[]));
        self.chunk.extend_from_slice(taken);
        self.left -= taken.len() as u64;
        *input = rest;
        Ok(())
    }
}

/// Opens a file.
///
/// Each chunk that is given out is true and the next one. Whether the file ends there is known only
/// when [`Reader::finish`] has said so.
pub struct Reader {
    key: Secret<32>,
    stream: Option<Pull>,
    buffer: Vec<u8>,
    in_padding: bool,
    ended: bool,
}

impl Reader {
    /// Starts with the key of the message that points to the file.
    pub fn new(key: Secret<32>) -> Self {
        Self { key, stream: None, buffer: Vec::new(), in_padding: true, ended: false }
    }

    /// The next piece of the file, of one chunk at most, taking from `input` (what is stored) what it
    /// needs. A piece of padding is empty. `None` where more input is needed.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] at the first chunk that does not fit.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Vec<u8>>, FileError> {
        if self.stream.is_none() && !self.start(input)? {
            return Ok(None);
        }
        if !self.gather(input, SEALED_BYTES) {
            return Ok(None);
        }
        self.open_chunk().map(Some)
    }

    /// The last piece of the file. Only with it is the file whole.
    ///
    /// # Errors
    /// [`FileError::Corrupt`] where the file was cut short, or the end does not fit.
    pub fn finish(mut self) -> Result<Vec<u8>, FileError> {
        let rest = if self.buffer.is_empty() { Vec::new() } else { self.open_chunk()? };
        if self.ended && !self.in_padding { Ok(rest) } else { Err(FileError::Corrupt) }
    }

    /// Moves input over until the buffer holds `wanted` bytes; whether it does.
    fn gather(&mut self, input: &mut &[u8], wanted: usize) -> bool {
        let missing = wanted.saturating_sub(self.buffer.len());
        let (taken, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
        self.buffer.extend_from_slice(taken);
        *input = rest;
        self.buffer.len() == wanted
    }

    /// Reads what comes before the chunks; whether it was all there.
    fn start(&mut self, input: &mut &[u8]) -> Result<bool, FileError> {
        if !self.gather(input, PREFIX_BYTES) {
            return Ok(false);
        }
        let (format, header) = self.buffer.split_first().ok_or(FileError::Corrupt)?;
        if *format != FORMAT {
            return Err(FileError::Corrupt);
        }
        let header = header.try_into().map_err(|_| FileError::Corrupt)?;
        self.stream = Some(Pull::new(&self.key, header)?);
        self.buffer.clear();
        Ok(true)
    }

    fn open_chunk(&mut self) -> Result<Vec<u8>, FileError> {
        let stream = self.stream.as_mut().ok_or(FileError::Corrupt)?;
        // No writer makes a chunk of nothing.
        if self.ended || self.buffer.len() <= OVERHEAD_BYTES {
            return Err(FileError::Corrupt);
        }
        let (mut plain, last) = stream.pull(&self.buffer)?;
        self.buffer.clear();
        self.ended = last;
        if self.in_padding {
            match plain.iter().position(|byte| *byte != 0) {
                None => plain.clear(),
                Some(at) if plain.get(at) == Some(&MARK) => {
                    plain.drain(..=at);
                    self.in_padding = false;
                }
                Some(_) => return Err(FileError::Corrupt),
            }
        }
        Ok(plain)
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stream::Reader(..)")
    }
}

#[cfg(test)]
mod tests;
