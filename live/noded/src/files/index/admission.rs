//! Which uploads in parts may begin, and which empty ones give way to them.

use std::collections::HashSet;

use redb::{ReadableTable, ReadableTableMetadata};
use warren_wire::Millis;

use super::{FilesError, GARBAGE, Index, IndexFault, ObjectName, PARTS, UPLOADS};

/// An upload in parts that is to begin, and what there is for it and the others.
pub(in crate::files) struct Beginning {
    pub(in crate::files) object: ObjectName,
    /// How many bytes there will be.
    pub(in crate::files) length: u64,
    /// How long the file will live.
    pub(in crate::files) lifetime: Millis,
    /// When the upload is given up.
    pub(in crate::files) expires: Millis,
    /// The most uploads that go on.
    pub(in crate::files) places: u64,
    /// How many bytes all uploads together may still bring.
    pub(in crate::files) room: u64,
    /// Uploads that a request writes to.
    pub(in crate::files) busy: HashSet<ObjectName>,
}

impl Index {
    /// Notes an upload in parts. Where there is no place or room for it, those give way that nobody
    /// brought a byte for, the oldest first: to announce an upload costs its client nothing.
    ///
    /// # Errors
    /// Where there is none even so; then nothing gives way.
    pub(in crate::files) fn begin_upload(&self, new: &Beginning) -> Result<(), FilesError> {
        self.change(|change| {
            let mut uploads = ask!(change.open_table(UPLOADS));
            let mut garbage = ask!(change.open_table(GARBAGE));
            let parts = ask!(change.open_table(PARTS));
            let mut known = Vec::new();
            for upload in ask!(uploads.iter()) {
                let (object, upload) = ask!(upload);
                let (length, _, expires, resumable) = upload.value();
                if resumable {
                    known.push((expires, *object.value(), length));
                }
            }
            known.sort_unstable();

            let lengths = known.iter().map(|(_, _, length)| *length);
            let mut promised = lengths.fold(new.length, u64::saturating_add);
            if promised > new.room {
                for (_, object, _) in &known {
                    for part in ask!(parts.range((object, 0)..=(object, u64::MAX))) {
                        let (_, length) = ask!(part);
                        promised = promised.saturating_sub(length.value());
                    }
                }
            }
            let mut others = ask!(uploads.len());
            for (_, object, length) in &known {
                if others < new.places && promised <= new.room {
                    break;
                }
                let busy = new.busy.contains(&ObjectName::from_bytes(*object));
                if busy || ask!(parts.range((object, 0)..=(object, u64::MAX))).next().is_some() {
                    continue;
                }
                ask!(uploads.remove(object));
                ask!(garbage.insert(object, ()));
                others = others.saturating_sub(1);
                promised = promised.saturating_sub(*length);
            }
            if others >= new.places {
                return Err(FilesError::Busy);
            }
            if promised > new.room {
                return Err(FilesError::Full);
            }
            let value = (new.length, new.lifetime, new.expires, true);
            ask!(uploads.insert(new.object.as_bytes(), value));
            Ok(())
        })
    }
}
