//! A file at rest turned into what a server stores, and back, piece by piece.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use warren_crypto::expand::expand;
use warren_crypto::{Entropy, Secret};
use warren_message::attachment::pointer::FileKey;
use warren_message::attachment::stream::{Domain, KeyHasher};
use warren_message::attachment::{FileError, legacy, picture, stream};
use warren_message::content::profile::Picture;
use warren_wire::FileId;
use warren_wire::file::FileHasher;

use super::error::AttachmentError;
use super::sealed::{SealedReader, SealedWriter};
use super::store::{FileStore, StoredFile};

/// Bytes of a file that are in memory at a time.
const PIECE_BYTES: usize = 32_768;
/// What the older format draws: two keys and a vector.
const LEGACY_DRAWN: usize = 64 + 16;
/// What the older format adds: a vector and a code.
const LEGACY_FRAME: u64 = 16 + 32;

/// How a file is encrypted for its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Deterministic: the same file of one sender is stored once.
    #[default]
    Stream,
    /// The same, for a picture of a profile or a group.
    StreamPicture,
    /// The older one, for recipients who know no other.
    Legacy,
}

impl Format {
    /// How many bytes a server stores of a file of `size` bytes.
    pub fn stored_len(self, size: u64) -> u64 {
        match self {
            Self::Stream | Self::StreamPicture => stream::stored_len(size),
            Self::Legacy => (legacy::padded_len(size) / 16 + 1) * 16 + LEGACY_FRAME,
        }
    }
}

/// Gives out what 32 random bytes expand to, so that an upload that is gone on with encrypts the same.
struct Replay(std::vec::IntoIter<u8>);

impl Entropy for Replay {
    fn fill(&mut self, out: &mut [u8]) {
        for (to, from) in out.iter_mut().zip(&mut self.0) {
            *to = from;
        }
    }
}

enum Cipher {
    Stream(Box<stream::Writer>),
    Legacy(Box<legacy::Writer>),
}

/// Encrypts a file at rest for its way.
pub(super) struct Encrypter {
    plain: SealedReader,
    cipher: Option<Cipher>,
    /// What was encrypted and not given out.
    ready: Vec<u8>,
    /// Known from the start or at the end.
    key: Option<FileKey>,
    hasher: Option<FileHasher>,
    id: Option<FileId>,
}

impl Encrypter {
    /// Starts. `seed` is the account's, from which the keys of the deterministic format follow;
    /// `drawn` is 32 random bytes of this upload, from which those of the older one do.
    pub(super) fn new(
        mut plain: SealedReader,
        format: Format,
        seed: &Secret<32>,
        drawn: &Secret<32>,
    ) -> Result<Self, AttachmentError> {
        let (cipher, key) = match format {
            Format::Legacy => {
                let mut replay = Replay(expand(drawn, LEGACY_DRAWN).into_iter());
                let writer = legacy::Writer::new(&mut replay).map_err(FileError::from)?;
                (Cipher::Legacy(Box::new(writer)), None)
            }
            Format::Stream => stream_cipher(&mut plain, seed, Domain::Attachment)?,
            Format::StreamPicture => stream_cipher(&mut plain, seed, Domain::ProfilePicture)?,
        };
        let hasher = Some(FileHasher::new().map_err(FileError::from)?);
        Ok(Self { plain, cipher: Some(cipher), ready: Vec::new(), key, hasher, id: None })
    }

    /// The next bytes to store: so many, or fewer at the end.
    pub(super) fn next(&mut self, count: usize) -> Result<Vec<u8>, AttachmentError> {
        while self.ready.len() < count && self.cipher.is_some() {
            self.encrypt_piece()?;
        }
        let rest = self.ready.split_off(count.min(self.ready.len()));
        Ok(std::mem::replace(&mut self.ready, rest))
    }

    /// Passes bytes over that the server has.
    pub(super) fn skip(&mut self, mut count: u64) -> Result<(), AttachmentError> {
        while count > 0 {
            let step = usize::try_from(count).unwrap_or(usize::MAX).min(PIECE_BYTES);
            if self.next(step)?.len() < step {
                return Err(AttachmentError::Nonsense);
            }
            count -= step as u64;
        }
        Ok(())
    }

    /// What opens the file, and the id that content-addressing servers give it.
    pub(super) fn finish(mut self) -> Result<(FileKey, FileId), AttachmentError> {
        while self.cipher.is_some() {
            self.encrypt_piece()?;
            self.ready.clear();
        }
        let both = self.key.zip(self.id);
        both.ok_or(AttachmentError::Corrupt(FileError::Changed))
    }

    fn encrypt_piece(&mut self) -> Result<(), AttachmentError> {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        self.plain.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return self.end();
        }
        match &mut self.cipher {
            Some(Cipher::Legacy(writer)) => {
                let sealed = writer.push(&piece).map_err(FileError::from)?;
                self.give(&sealed);
            }
            Some(Cipher::Stream(writer)) => {
                let mut sealed = Vec::new();
                let mut input = piece.as_slice();
                while let Some(chunk) = writer.next(&mut input)? {
                    sealed.extend_from_slice(&chunk);
                }
                self.give(&sealed);
            }
            None => {}
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), AttachmentError> {
        match self.cipher.take() {
            Some(Cipher::Legacy(writer)) => {
                let mut sealed = Vec::new();
                let key = writer
                    .finish(|piece| sealed.extend_from_slice(&piece))
                    .map_err(FileError::from)?;
                self.key = Some(key);
                self.give(&sealed);
            }
            Some(Cipher::Stream(mut writer)) => {
                // A file of nothing still has its padding.
                let mut sealed = Vec::new();
                while let Some(chunk) = writer.next(&mut [].as_slice())? {
                    sealed.extend(chunk);
                }
                writer.finish()?;
                self.give(&sealed);
            }
            None => {}
        }
        if let Some(hasher) = self.hasher.take() {
            self.id = Some(hasher.finish().map_err(FileError::from)?);
        }
        Ok(())
    }

    fn give(&mut self, sealed: &[u8]) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(sealed);
        }
        self.ready.extend_from_slice(sealed);
    }
}

/// Reads the file once for its key, which the second reading encrypts it with.
fn stream_cipher(
    plain: &mut SealedReader,
    seed: &Secret<32>,
    domain: Domain,
) -> Result<(Cipher, Option<FileKey>), AttachmentError> {
    let mut hasher = KeyHasher::new(seed, domain).map_err(FileError::from)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = plain.read(&mut piece)?;
        if count == 0 {
            break;
        }
        hasher.update(piece.get(..count).unwrap_or_default());
    }
    std::io::Seek::rewind(plain)?;
    let derived = hasher.finish().map_err(FileError::from)?;
    let key = FileKey::Stream(derived.key().duplicate());
    Ok((Cipher::Stream(Box::new(stream::Writer::new(derived))), Some(key)))
}

/// Opens what a server stored into a file at rest, which is there only where all of it is true.
pub(super) fn open(
    store: &FileStore,
    stored: &StoredFile,
    key: &FileKey,
    size: Option<u64>,
) -> Result<StoredFile, AttachmentError> {
    let mut sealed = store.open(stored)?;
    let mut plain = store.create()?;
    match key {
        FileKey::Legacy { keys, digest } => {
            let reader = legacy::Reader::new(keys, *digest, size).map_err(FileError::from)?;
            open_legacy(&mut sealed, reader, &mut plain)?;
        }
        FileKey::Stream(key) => {
            open_stream(&mut sealed, stream::Reader::new(key.duplicate()), &mut plain)?;
        }
    }
    plain.finish()
}

/// Opens a picture in the format of older clients, which fits into memory.
pub(super) fn open_picture(
    store: &FileStore,
    stored: &StoredFile,
    picture: &Picture,
) -> Result<StoredFile, AttachmentError> {
    let mut sealed = Vec::new();
    store.open(stored)?.read_to_end(&mut sealed)?;
    store.put(&picture::open_legacy(picture, &sealed)?)
}

fn open_legacy(
    sealed: &mut SealedReader,
    mut reader: legacy::Reader,
    plain: &mut SealedWriter,
) -> Result<(), AttachmentError> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = sealed.read(&mut piece)?;
        if count == 0 {
            break;
        }
        plain.write_all(&reader.push(piece.get(..count).unwrap_or_default())?)?;
    }
    // Before this nothing is known to be true; where it fails, the writer takes all away.
    plain.write_all(&reader.finish()?)?;
    Ok(())
}

fn open_stream(
    sealed: &mut SealedReader,
    mut reader: stream::Reader,
    plain: &mut SealedWriter,
) -> Result<(), AttachmentError> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = sealed.read(&mut piece)?;
        if count == 0 {
            break;
        }
        let mut input = piece.get(..count).unwrap_or_default();
        while let Some(opened) = reader.next(&mut input)? {
            plain.write_all(&opened)?;
        }
    }
    plain.write_all(&reader.finish()?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use super::*;

    fn encrypt(
        store: &FileStore,
        file: &StoredFile,
        format: Format,
        step: usize,
    ) -> (Vec<u8>, FileKey) {
        let (seed, drawn) = (Secret::take(&mut [1; 32]), Secret::take(&mut [2; 32]));
        let mut encrypter =
            Encrypter::new(store.open(file).unwrap(), format, &seed, &drawn).unwrap();
        let mut sealed = Vec::new();
        loop {
            let part = encrypter.next(step).unwrap();
            if part.is_empty() {
                break;
            }
            sealed.extend(part);
        }
        let (key, id) = encrypter.finish().unwrap();
        assert_eq!(id, FileId::of(&sealed).unwrap());
        (sealed, key)
    }

    #[test]
    fn files_of_any_size_travel_in_every_format_and_are_announced_with_their_length() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().to_owned());
        for size in [0, 1, 541, 32_767, 32_768, 300_000] {
            let content = vec![7; size];
            let file = store.put(&content).unwrap();
            for format in [Format::Stream, Format::StreamPicture, Format::Legacy] {
                let (sealed, key) = encrypt(&store, &file, format, 10_000);
                assert_eq!(sealed.len() as u64, format.stored_len(size as u64), "{format:?}");
                let stored = store.put(&sealed).unwrap();
                let opened = open(&store, &stored, &key, Some(size as u64)).unwrap();
                let mut read = Vec::new();
                store.open(&opened).unwrap().read_to_end(&mut read).unwrap();
                assert!(read == content, "{size} {format:?}");
            }
        }
    }

    #[test]
    fn an_upload_that_is_gone_on_with_encrypts_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().to_owned());
        let file = store.put(&[7; 100_000]).unwrap();
        for format in [Format::Stream, Format::Legacy] {
            let (whole, key) = encrypt(&store, &file, format, usize::MAX);
            let (again, key_again) = encrypt(&store, &file, format, 999);
            assert!(whole == again && key == key_again, "{format:?}");
        }
    }

    #[test]
    fn a_picture_of_an_older_client_opens_and_an_altered_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().to_owned());
        let key = Secret::take(&mut [5; 32]);
        let sealed = warren_crypto::aead::gcm_seal(&key, &[6; 12], b"picture").unwrap();
        let mut sealed = [[6; 12].as_slice(), &sealed].concat();
        let picture = Picture::new("http://h/file/1", key).unwrap();
        let stored = store.put(&sealed).unwrap();
        let opened = open_picture(&store, &stored, &picture).unwrap();
        let mut read = Vec::new();
        store.open(&opened).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, b"picture");
        sealed[14] ^= 1;
        let stored = store.put(&sealed).unwrap();
        let refused = open_picture(&store, &stored, &picture);
        assert!(matches!(refused, Err(AttachmentError::Corrupt(_))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_was_altered_or_cut_short_is_refused_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().to_owned());
        let file = store.put(&[7; 100_000]).unwrap();
        for format in [Format::Stream, Format::Legacy] {
            let (sealed, key) = encrypt(&store, &file, format, usize::MAX);
            let mut flipped = sealed.clone();
            flipped[70_000] ^= 1;
            let lies =
                [flipped, sealed[..sealed.len() - 1].to_vec(), sealed[..60].to_vec(), vec![]];
            for lie in lies {
                let stored = store.put(&lie).unwrap();
                let before = std::fs::read_dir(folder.path()).unwrap().count();
                let opened = open(&store, &stored, &key, Some(100_000));
                assert!(matches!(opened, Err(AttachmentError::Corrupt(_))), "{format:?}");
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), before);
            }
        }
    }
}
