//! Parts become packs: read, cut, named, compressed, each chunk once.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use warren_archive::chunk::{self, Compression, Cutter};
use warren_archive::pack::{Lying, Pack};
use warren_archive::snapshot::{Part, Place, Written};
use warren_archive::{ArchiveError, ArchiveKeys, ChunkId, ObjectName, object, size};
use warren_crypto::SystemEntropy;

use crate::error::BackupError;
use crate::part::PartSource;

/// How much of a part is held before it is cut.
const WINDOW: usize = 8 * 1024 * 1024;

/// A pack to be sealed and written.
pub(crate) struct Full {
    pub(crate) content: Vec<u8>,
    pub(crate) written: Written,
}

/// Makes packs. Works on one thread, and hands each pack over when it is full.
pub(crate) struct Packer {
    keys: Arc<ArchiveKeys>,
    cutter: Cutter,
    /// Every chunk at the place, and those on their way there.
    known: HashMap<ChunkId, Place>,
    pack: Pack,
    name: ObjectName,
    chunks: Vec<(ChunkId, Lying, u32)>,
    full: Sender<Full>,
    read: u64,
    progress: Box<dyn Fn(u64) + Send>,
}

impl Packer {
    pub(crate) fn new(
        keys: Arc<ArchiveKeys>,
        known: HashMap<ChunkId, Place>,
        full: Sender<Full>,
        progress: Box<dyn Fn(u64) + Send>,
    ) -> Self {
        let cutter = Cutter::new(&keys);
        let name = ObjectName::random(&mut SystemEntropy);
        let (pack, chunks, read) = (Pack::default(), Vec::new(), 0);
        Self { keys, cutter, known, pack, name, chunks, full, read, progress }
    }

    /// Reads a part and packs what is new of it.
    pub(crate) fn part(&mut self, source: PartSource) -> Result<Part, BackupError> {
        let PartSource { kind, name, version, state, sealed, write, .. } = source;
        let mut cutting = Cutting {
            packer: self,
            sealed,
            window: Vec::with_capacity(WINDOW + chunk::MOST),
            chunks: Vec::new(),
            size: 0,
            failure: None,
        };
        let outcome = write(&mut cutting).map_err(|error| (cutting.failure.take(), error));
        if let Err((failure, error)) = outcome {
            return Err(failure.unwrap_or(BackupError::Given { kind, name, error }));
        }
        cutting.cut(true)?;
        let Cutting { chunks, size, .. } = cutting;
        Ok(Part { kind, name, version, size, state, chunks })
    }

    /// Counts a part that needs no reading.
    pub(crate) fn skip(&mut self, part: &Part) {
        self.advance(part.size);
    }

    /// Hands the last pack over, and gives where every chunk lies.
    pub(crate) fn finish(mut self) -> Result<HashMap<ChunkId, Place>, BackupError> {
        self.hand_over()?;
        Ok(self.known)
    }

    fn advance(&mut self, bytes: u64) {
        self.read = self.read.saturating_add(bytes);
        (self.progress)(self.read);
    }

    fn chunk(&mut self, content: &[u8], sealed: bool) -> Result<ChunkId, BackupError> {
        let id = ChunkId::of(&self.keys, content)?;
        if self.known.contains_key(&id) {
            return Ok(id);
        }
        let compressed = if sealed { None } else { chunk::compress(content) };
        let (stored, compression) = match &compressed {
            Some(compressed) => (compressed.as_slice(), Compression::Zstd),
            None => (content, Compression::None),
        };
        let lying = match self.pack.add(stored, compression) {
            Some(lying) => lying,
            None => {
                self.hand_over()?;
                let lying = self.pack.add(stored, compression);
                lying.ok_or(ArchiveError::Content("a chunk does not fit into a pack"))?
            }
        };
        let length = u32::try_from(content.len());
        let length = length.map_err(|_| ArchiveError::Content("a chunk is too large"))?;
        self.chunks.push((id, lying, length));
        self.known.insert(id, Place { pack: self.name, lying, length });
        Ok(id)
    }

    fn hand_over(&mut self) -> Result<(), BackupError> {
        if self.pack.is_empty() {
            return Ok(());
        }
        let content = std::mem::take(&mut self.pack).into_content();
        let name = std::mem::replace(&mut self.name, ObjectName::random(&mut SystemEntropy));
        let bytes = size::padded(content.len() + object::OVERHEAD);
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(u64::MAX);
        let chunks = std::mem::take(&mut self.chunks);
        let full = Full { content, written: Written { pack: name, size: bytes, chunks } };
        // Nobody listens: writing failed, and says why itself.
        self.full.blocking_send(full).map_err(|_| BackupError::Stopped)
    }
}

/// A part on its way through the packer.
struct Cutting<'a> {
    packer: &'a mut Packer,
    sealed: bool,
    window: Vec<u8>,
    chunks: Vec<ChunkId>,
    size: u64,
    failure: Option<BackupError>,
}

impl Cutting<'_> {
    fn cut(&mut self, last: bool) -> Result<(), BackupError> {
        let mut rest = self.window.as_slice();
        for length in self.packer.cutter.cut(rest, last) {
            let Some((content, after)) = rest.split_at_checked(length) else { break };
            self.chunks.push(self.packer.chunk(content, self.sealed)?);
            rest = after;
        }
        let done = self.window.len() - rest.len();
        self.window.drain(..done);
        let done = u64::try_from(done).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(done);
        self.packer.advance(done);
        Ok(())
    }
}

impl Write for Cutting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = WINDOW.saturating_sub(self.window.len()).min(bytes.len());
        self.window.extend_from_slice(bytes.get(..room).unwrap_or_default());
        if self.window.len() >= WINDOW
            && let Err(error) = self.cut(false)
        {
            let told = io::Error::other(error.to_string());
            self.failure = Some(error);
            return Err(told);
        }
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
