//! What a device held at one time: parts, the chunks they are made of, the packs these lie in.

use std::collections::{HashMap, HashSet};

use prost::Message;
use warren_crypto::hash::blake2b_keyed;
use warren_wire::Millis;

use crate::chunk::{self, ChunkId, Compression};
use crate::object::ObjectName;
use crate::pack::{Lying, ROOM};
use crate::wire::{JournalMessage, PartMessage, SnapshotMessage};
use crate::{ArchiveError, ArchiveKeys};

/// The version written here.
pub const VERSION: u32 = 1;
/// The longest name or kind of a part, in bytes.
pub const MOST_NAME_BYTES: usize = 512;

/// Which device: 16 random bytes, drawn when it is first backed up.
pub type DeviceId = [u8; 16];

/// A chunk, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The pack.
    pub pack: ObjectName,
    /// Where in it.
    pub lying: Lying,
    /// Bytes of the chunk itself.
    pub length: u32,
}

/// Something that was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What reads it.
    pub kind: String,
    /// Which of its kind.
    pub name: String,
    /// Of its kind's format.
    pub version: u32,
    /// Bytes.
    pub size: u64,
    /// What its source was like, so that it need not be read again where that is the same.
    pub state: Vec<u8>,
    /// The chunks it is made of, in order.
    pub chunks: Vec<ChunkId>,
}

/// What a device held at one time. Whole: every chunk of every part has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Grows with every snapshot of the archive.
    pub sequence: u64,
    /// Which device.
    pub device: DeviceId,
    /// When.
    pub created: Millis,
    /// The newest snapshot of the archive at that time.
    pub previous: Option<ObjectName>,
    /// What wrote it.
    pub program: String,
    parts: Vec<Part>,
    /// Kind and name of each part.
    names: HashSet<(String, String)>,
    places: HashMap<ChunkId, Place>,
    packs: HashMap<ObjectName, u64>,
}

/// The content of a snapshot's object, which may be anything.
pub struct UncheckedSnapshot<'a>(pub &'a [u8]);

impl Snapshot {
    /// An empty one.
    pub fn new(sequence: u64, device: DeviceId, created: Millis, program: &str) -> Self {
        Self {
            sequence,
            device,
            created,
            previous: None,
            program: program.to_owned(),
            parts: Vec::new(),
            names: HashSet::new(),
            places: HashMap::new(),
            packs: HashMap::new(),
        }
    }

    /// What was backed up.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part of a kind and a name.
    pub fn part(&self, kind: &str, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.kind == kind && part.name == name)
    }

    /// Where a chunk lies.
    pub fn place(&self, id: &ChunkId) -> Option<&Place> {
        self.places.get(id)
    }

    /// Every chunk and where it lies.
    pub fn places(&self) -> impl Iterator<Item = (&ChunkId, &Place)> {
        self.places.iter()
    }

    /// Every pack it needs, with its size at the place.
    pub fn packs(&self) -> impl Iterator<Item = (ObjectName, u64)> {
        self.packs.iter().map(|(name, size)| (*name, *size))
    }

    /// The names of the parts that have a chunk in one of these packs.
    pub fn parts_in(&self, packs: &HashSet<ObjectName>) -> Vec<&Part> {
        let lies_there =
            |id: &ChunkId| self.place(id).is_some_and(|place| packs.contains(&place.pack));
        self.parts.iter().filter(|part| part.chunks.iter().any(lies_there)).collect()
    }

    /// Adds a part whose chunks lie where `find` says, with the size of each pack.
    ///
    /// # Errors
    /// Where a chunk has no place, or a part of that name is there.
    pub fn add(
        &mut self,
        part: Part,
        find: impl Fn(&ChunkId) -> Option<(Place, u64)>,
    ) -> Result<(), ArchiveError> {
        let name = (part.kind.clone(), part.name.clone());
        if self.names.contains(&name) {
            return Err(ArchiveError::Content("two parts have one name"));
        }
        for id in &part.chunks {
            if !self.places.contains_key(id) {
                let (place, size) =
                    find(id).ok_or(ArchiveError::Content("a chunk of a part is nowhere"))?;
                self.places.insert(*id, place);
                self.packs.insert(place.pack, size);
            }
        }
        self.names.insert(name);
        self.parts.push(part);
        Ok(())
    }

    /// The content of its object.
    ///
    /// # Errors
    /// Where there are more chunks than numbers for them.
    pub fn encode(&self, keys: &ArchiveKeys) -> Result<Vec<u8>, ArchiveError> {
        let mut message = SnapshotMessage {
            version: VERSION,
            sequence: self.sequence,
            device: self.device.to_vec(),
            created: self.created,
            previous: self.previous.map(|name| name.as_bytes().to_vec()),
            program: self.program.clone(),
            ..SnapshotMessage::default()
        };
        let mut pack_numbers = HashMap::new();
        let mut chunk_numbers = HashMap::new();
        for part in &self.parts {
            let mut chunks = Vec::with_capacity(part.chunks.len());
            for id in &part.chunks {
                let number = match chunk_numbers.get(id) {
                    Some(number) => *number,
                    None => {
                        let number = number(chunk_numbers.len())?;
                        chunk_numbers.insert(*id, number);
                        self.write_chunk(&mut message, &mut pack_numbers, id)?;
                        number
                    }
                };
                chunks.push(number);
            }
            message.parts.push(PartMessage {
                kind: part.kind.clone(),
                name: part.name.clone(),
                version: part.version,
                size: part.size,
                state: part.state.clone(),
                chunks,
                hash: part_hash(keys, part)?.to_vec(),
            });
        }
        Ok(message.encode_to_vec())
    }

    fn write_chunk(
        &self,
        message: &mut SnapshotMessage,
        pack_numbers: &mut HashMap<ObjectName, u32>,
        id: &ChunkId,
    ) -> Result<(), ArchiveError> {
        let nowhere = ArchiveError::Content("a chunk of a part is nowhere");
        let place = self.place(id).ok_or(nowhere)?;
        let pack = match pack_numbers.get(&place.pack) {
            Some(number) => *number,
            None => {
                let number = number(pack_numbers.len())?;
                pack_numbers.insert(place.pack, number);
                message.pack_names.extend_from_slice(place.pack.as_bytes());
                message.pack_sizes.push(*self.packs.get(&place.pack).ok_or(nowhere)?);
                number
            }
        };
        message.chunk_ids.extend_from_slice(id.as_bytes());
        message.chunk_packs.push(pack);
        message.chunk_offsets.push(place.lying.offset);
        message.chunk_stored.push(place.lying.stored);
        message.chunk_compressions.push(compression_number(place.lying.compression));
        message.chunk_lengths.push(place.length);
        Ok(())
    }
}

impl UncheckedSnapshot<'_> {
    /// Reads the content of an object that opened.
    ///
    /// # Errors
    /// Where it is of a newer version, or not a whole snapshot.
    pub fn check(&self, keys: &ArchiveKeys) -> Result<Snapshot, ArchiveError> {
        let message =
            SnapshotMessage::decode(self.0).map_err(|_| ArchiveError::Content("no protobuf"))?;
        if message.version != VERSION {
            let found = message.version;
            return Err(ArchiveError::Newer { found, known: VERSION });
        }
        let packs = packs_of(&message)?;
        let chunks = chunks_of(&message, &packs)?;
        let (mut parts, mut names) = (Vec::with_capacity(message.parts.len()), HashSet::new());
        for part in message.parts {
            if !names.insert((part.kind.clone(), part.name.clone())) {
                return Err(ArchiveError::Content("two parts have one name"));
            }
            parts.push(part_of(keys, part, &chunks)?);
        }
        let name = |bytes: Vec<u8>| bytes.try_into().map(ObjectName::of_bytes);
        let previous = message.previous.map(name).transpose();
        Ok(Snapshot {
            sequence: message.sequence,
            device: message.device.try_into().map_err(|_| ArchiveError::Content("no device"))?,
            created: message.created,
            previous: previous.map_err(|_| ArchiveError::Content("no name"))?,
            program: message.program,
            parts,
            names,
            places: chunks.into_iter().collect(),
            packs: packs.into_iter().collect(),
        })
    }
}

fn packs_of(message: &SnapshotMessage) -> Result<Vec<(ObjectName, u64)>, ArchiveError> {
    let (names, rest) = message.pack_names.as_chunks::<{ ObjectName::BYTES }>();
    if !rest.is_empty() || names.len() != message.pack_sizes.len() {
        return Err(ArchiveError::Content("the table of packs is uneven"));
    }
    let names = names.iter().copied().map(ObjectName::of_bytes);
    let packs: Vec<_> = names.zip(message.pack_sizes.iter().copied()).collect();
    let distinct: HashSet<_> = packs.iter().map(|(name, _)| *name).collect();
    if distinct.len() == packs.len() {
        Ok(packs)
    } else {
        Err(ArchiveError::Content("a pack twice"))
    }
}

fn chunks_of(
    message: &SnapshotMessage,
    packs: &[(ObjectName, u64)],
) -> Result<Vec<(ChunkId, Place)>, ArchiveError> {
    let columns = Columns {
        ids: &message.chunk_ids,
        offsets: &message.chunk_offsets,
        stored: &message.chunk_stored,
        compressions: &message.chunk_compressions,
        lengths: &message.chunk_lengths,
    };
    let rows = columns.rows()?;
    if rows.len() != message.chunk_packs.len() {
        return Err(ArchiveError::Content("the table of chunks is uneven"));
    }
    let places = rows.into_iter().zip(&message.chunk_packs).map(|((id, lying, length), pack)| {
        let pack = usize::try_from(*pack).ok().and_then(|pack| packs.get(pack));
        let (pack, _) = *pack.ok_or(ArchiveError::Content("a chunk in no pack"))?;
        Ok((id, Place { pack, lying, length }))
    });
    places.collect()
}

fn part_of(
    keys: &ArchiveKeys,
    message: PartMessage,
    chunks: &[(ChunkId, Place)],
) -> Result<Part, ArchiveError> {
    if message.kind.len() > MOST_NAME_BYTES || message.name.len() > MOST_NAME_BYTES {
        return Err(ArchiveError::Content("the name of a part is too long"));
    }
    let (mut ids, mut size) = (Vec::with_capacity(message.chunks.len()), 0_u64);
    for number in message.chunks {
        let chunk = usize::try_from(number).ok().and_then(|number| chunks.get(number));
        let (id, place) = chunk.ok_or(ArchiveError::Content("a part of a chunk that is not"))?;
        ids.push(*id);
        size = size.saturating_add(u64::from(place.length));
    }
    let part = Part {
        kind: message.kind,
        name: message.name,
        version: message.version,
        size: message.size,
        state: message.state,
        chunks: ids,
    };
    if size != part.size || part_hash(keys, &part)?.as_slice() != message.hash {
        return Err(ArchiveError::Content("a part is not the sum of its chunks"));
    }
    Ok(part)
}

/// `BLAKE2b-32(key = chunk ids, "part" || kind || 0 || name || 0 || version || size || ids)`.
fn part_hash(keys: &ArchiveKeys, part: &Part) -> Result<[u8; 32], ArchiveError> {
    let (version, size) = (part.version.to_le_bytes(), part.size.to_le_bytes());
    let head: [&[u8]; 7] =
        [b"part", part.kind.as_bytes(), &[0], part.name.as_bytes(), &[0], &version, &size];
    let ids = part.chunks.iter().map(|id| id.as_bytes().as_slice());
    let pieces: Vec<&[u8]> = head.into_iter().chain(ids).collect();
    Ok(blake2b_keyed(keys.chunk_ids.expose(), &pieces)?)
}

/// A pack at the place that no snapshot names yet: what a device notes for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its name.
    pub pack: ObjectName,
    /// Its size at the place.
    pub size: u64,
    /// What lies in it.
    pub chunks: Vec<(ChunkId, Lying, u32)>,
}

impl Written {
    /// The content of a journal's entry.
    pub fn encode(&self) -> Vec<u8> {
        let mut message = JournalMessage {
            pack: self.pack.as_bytes().to_vec(),
            size: self.size,
            ..JournalMessage::default()
        };
        for (id, lying, length) in &self.chunks {
            message.chunk_ids.extend_from_slice(id.as_bytes());
            message.chunk_offsets.push(lying.offset);
            message.chunk_stored.push(lying.stored);
            message.chunk_compressions.push(compression_number(lying.compression));
            message.chunk_lengths.push(*length);
        }
        message.encode_to_vec()
    }

    /// Reads an entry that opened.
    ///
    /// # Errors
    /// Where it is none.
    pub fn decode(content: &[u8]) -> Result<Self, ArchiveError> {
        let message =
            JournalMessage::decode(content).map_err(|_| ArchiveError::Content("no protobuf"))?;
        let columns = Columns {
            ids: &message.chunk_ids,
            offsets: &message.chunk_offsets,
            stored: &message.chunk_stored,
            compressions: &message.chunk_compressions,
            lengths: &message.chunk_lengths,
        };
        let chunks = columns.rows()?;
        let pack = message.pack.try_into().map(ObjectName::of_bytes);
        let pack = pack.map_err(|_| ArchiveError::Content("no name"))?;
        Ok(Self { pack, size: message.size, chunks })
    }
}

/// A table of chunks.
struct Columns<'a> {
    ids: &'a [u8],
    offsets: &'a [u32],
    stored: &'a [u32],
    compressions: &'a [u32],
    lengths: &'a [u32],
}

impl Columns<'_> {
    fn rows(&self) -> Result<Vec<(ChunkId, Lying, u32)>, ArchiveError> {
        let (ids, rest) = self.ids.as_chunks::<{ ChunkId::BYTES }>();
        let columns = [self.offsets, self.stored, self.compressions, self.lengths];
        if !rest.is_empty() || columns.iter().any(|column| column.len() != ids.len()) {
            return Err(ArchiveError::Content("the table of chunks is uneven"));
        }
        let numbers = self.offsets.iter().zip(self.stored).zip(self.compressions).zip(self.lengths);
        let rows = ids.iter().zip(numbers).map(|(id, (((offset, stored), how), length))| {
            let end = u64::from(*offset) + u64::from(*stored);
            let fits = end <= ROOM as u64 && u64::from(*length) <= chunk::MOST as u64;
            let compression = match how {
                0 => Compression::None,
                1 => Compression::Zstd,
                _ => return Err(ArchiveError::Content("a compression that is not known")),
            };
            if !fits {
                return Err(ArchiveError::Content("a chunk does not fit into a pack"));
            }
            let lying = Lying { offset: *offset, stored: *stored, compression };
            Ok((ChunkId::of_bytes(*id), lying, *length))
        });
        rows.collect()
    }
}

const fn compression_number(compression: Compression) -> u32 {
    match compression {
        Compression::None => 0,
        Compression::Zstd => 1,
    }
}

fn number(count: usize) -> Result<u32, ArchiveError> {
    u32::try_from(count).map_err(|_| ArchiveError::Content("there are too many chunks"))
}

#[cfg(test)]
mod tests;
