//! Records of a dump: written, and read piece by piece.

use std::io::{self, Write};

use rusqlite::types::Value;

use super::DumpError;

/// The longest record that is read, in bytes.
const MOST_BYTES: usize = 256 << 20;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Version = 1,
    Table = 2,
    RowsOf = 3,
    Row = 4,
    Afterwards = 5,
    End = 6,
}

const KINDS: [Kind; 6] =
    [Kind::Version, Kind::Table, Kind::RowsOf, Kind::Row, Kind::Afterwards, Kind::End];

/// Writes records.
pub(super) struct RecordWriter<'a> {
    to: &'a mut dyn Write,
    buffer: Vec<u8>,
}

/// A record that is being put together.
pub(super) struct Record<'a, 'b>(&'a mut RecordWriter<'b>);

impl<'b> RecordWriter<'b> {
    pub(super) fn new(to: &'b mut dyn Write) -> Self {
        Self { to, buffer: Vec::new() }
    }

    pub(super) fn begin<'a>(&'a mut self, kind: Kind) -> Record<'a, 'b> {
        self.buffer.clear();
        self.buffer.push(kind as u8);
        Record(self)
    }
}

impl Record<'_, '_> {
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.0.buffer.extend_from_slice(bytes);
        self
    }

    pub(super) fn counted(self, bytes: &[u8]) -> Self {
        // SQLite holds no value of 2 GiB.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.bytes(&length.to_le_bytes()).bytes(bytes)
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.counted(text.as_bytes())
    }

    pub(super) fn end(self) -> io::Result<()> {
        let length = u32::try_from(self.0.buffer.len()).map_err(io::Error::other)?;
        self.0.to.write_all(&length.to_le_bytes())?;
        self.0.to.write_all(&self.0.buffer)
    }
}

/// Reads records from bytes that come piece by piece.
#[derive(Debug, Default)]
pub(super) struct RecordReader {
    buffer: Vec<u8>,
    at: usize,
}

impl RecordReader {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing is left over.
    pub(super) const fn is_empty(&self) -> bool {
        self.at == self.buffer.len()
    }

    /// The next record; `None` where it is not whole yet.
    pub(super) fn next(&mut self) -> Result<Option<(Kind, Body<'_>)>, DumpError> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        if length > MOST_BYTES {
            return Err(DumpError::Content("a record is too long"));
        }
        let Some(record) = rest.get(..length) else { return Ok(None) };
        self.at += 4 + length;
        let (kind, body) = record.split_first().ok_or(DumpError::Content("an empty record"))?;
        let kind = KINDS.into_iter().find(|known| *known as u8 == *kind);
        Ok(Some((kind.ok_or(DumpError::Content("an unknown record"))?, Body(body))))
    }
}

/// The rest of a record.
#[derive(Debug)]
pub(super) struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], DumpError> {
        let (head, rest) =
            self.0.split_first_chunk().ok_or(DumpError::Content("a record is too short"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn counted(&mut self) -> Result<&'a [u8], DumpError> {
        let length = usize::try_from(u32::from_le_bytes(self.array()?)).unwrap_or(usize::MAX);
        let (head, rest) =
            self.0.split_at_checked(length).ok_or(DumpError::Content("a record is too short"))?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, DumpError> {
        str::from_utf8(self.counted()?).map_err(|_| DumpError::Content("a text is none"))
    }

    pub(super) fn value(&mut self) -> Result<Value, DumpError> {
        let [kind] = self.array()?;
        Ok(match kind {
            0 => Value::Null,
            1 => Value::Integer(i64::from_le_bytes(self.array()?)),
            2 => Value::Real(f64::from_le_bytes(self.array()?)),
            3 => Value::Text(self.text()?.to_owned()),
            4 => Value::Blob(self.counted()?.to_vec()),
            _ => return Err(DumpError::Content("an unknown value")),
        })
    }
}
