//! The messages inside objects, in protobuf.
//!
//! A table is one list for each of its columns, so that a row costs what its numbers need.

use prost::Message;

/// What a snapshot holds.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct SnapshotMessage {
    /// Of this format.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// Grows with every snapshot of the archive.
    #[prost(uint64, tag = "2")]
    pub sequence: u64,
    /// Which device, 16 random bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub device: Vec<u8>,
    /// When, in milliseconds since the Unix epoch.
    #[prost(uint64, tag = "4")]
    pub created: u64,
    /// The name of the newest snapshot at that time.
    #[prost(bytes = "vec", optional, tag = "5")]
    pub previous: Option<Vec<u8>>,
    /// What wrote it.
    #[prost(string, tag = "6")]
    pub program: String,
    /// Names of packs, one after the other.
    #[prost(bytes = "vec", tag = "7")]
    pub pack_names: Vec<u8>,
    /// Their sizes at the place.
    #[prost(uint64, repeated, tag = "8")]
    pub pack_sizes: Vec<u64>,
    /// Ids of chunks, one after the other.
    #[prost(bytes = "vec", tag = "9")]
    pub chunk_ids: Vec<u8>,
    /// In which pack each lies.
    #[prost(uint32, repeated, tag = "10")]
    pub chunk_packs: Vec<u32>,
    /// From which byte on.
    #[prost(uint32, repeated, tag = "11")]
    pub chunk_offsets: Vec<u32>,
    /// In how many bytes.
    #[prost(uint32, repeated, tag = "12")]
    pub chunk_stored: Vec<u32>,
    /// How: 0 as it is, 1 in a zstd frame.
    #[prost(uint32, repeated, tag = "13")]
    pub chunk_compressions: Vec<u32>,
    /// How many bytes they are.
    #[prost(uint32, repeated, tag = "14")]
    pub chunk_lengths: Vec<u32>,
    /// What was backed up.
    #[prost(message, repeated, tag = "15")]
    pub parts: Vec<PartMessage>,
}

/// What a snapshot says of a part.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct PartMessage {
    /// What reads it.
    #[prost(string, tag = "1")]
    pub kind: String,
    /// Which of its kind.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Of its kind's format.
    #[prost(uint32, tag = "3")]
    pub version: u32,
    /// Bytes.
    #[prost(uint64, tag = "4")]
    pub size: u64,
    /// What its source was like, so that it need not be read again.
    #[prost(bytes = "vec", tag = "5")]
    pub state: Vec<u8>,
    /// Its chunks, as places in the table.
    #[prost(uint32, repeated, tag = "6")]
    pub chunks: Vec<u32>,
    /// Of its kind, name, version, size, and the ids of its chunks.
    #[prost(bytes = "vec", tag = "7")]
    pub hash: Vec<u8>,
}

/// What a lock holds.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct LockMessage {
    /// Who writes.
    #[prost(bytes = "vec", tag = "1")]
    pub device: Vec<u8>,
    /// When they last said so, in milliseconds since the Unix epoch.
    #[prost(uint64, tag = "2")]
    pub said: u64,
}

/// What a device notes of a pack that is at the place while no snapshot names it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct JournalMessage {
    /// The pack's name.
    #[prost(bytes = "vec", tag = "1")]
    pub pack: Vec<u8>,
    /// Its size there.
    #[prost(uint64, tag = "2")]
    pub size: u64,
    /// Its chunks: a table as in a snapshot, without the column of packs.
    #[prost(bytes = "vec", tag = "3")]
    pub chunk_ids: Vec<u8>,
    /// From which byte on.
    #[prost(uint32, repeated, tag = "4")]
    pub chunk_offsets: Vec<u32>,
    /// In how many bytes.
    #[prost(uint32, repeated, tag = "5")]
    pub chunk_stored: Vec<u32>,
    /// How.
    #[prost(uint32, repeated, tag = "6")]
    pub chunk_compressions: Vec<u32>,
    /// How many bytes they are.
    #[prost(uint32, repeated, tag = "7")]
    pub chunk_lengths: Vec<u32>,
}
