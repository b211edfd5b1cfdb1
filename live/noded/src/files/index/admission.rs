//! Which uploads in parts may begin, and which others give way to them.

use std::collections::HashSet;

use redb::{ReadableTable, ReadableTableMetadata};
use warren_wire::Millis;

use super::{FilesError, GARBAGE, Index, IndexFault, Object, ObjectName, PARTS, UPLOADS};
use crate::files::claims::Limit;

/// An upload in parts that is to begin, and what there is for it and the others.
pub(in crate::files) struct Beginning {
    pub(in crate::files) object: ObjectName,
    /// How many bytes there will be.
    pub(in crate::files) length: u64,
    /// How long the file will live.
    pub(in crate::files) lifetime: Millis,
    /// When the upload is given up.
    pub(in crate::files) expires: Millis,
    /// What bounds it.
    pub(in crate::files) limits: Vec<Limit>,
    /// Others that end before this had no byte for long.
    pub(in crate::files) idle: Millis,
    /// Uploads that a request writes to.
    pub(in crate::files) busy: HashSet<ObjectName>,
}

/// An upload that goes on.
struct Known {
    object: ObjectName,
    length: u64,
    expires: Millis,
    /// How many of its bytes are there.
    brought: u64,
}

/// What the uploads under one limit take.
struct Load<'a> {
    limit: &'a Limit,
    uploads: u64,
    promised: u64,
}

impl<'a> Load<'a> {
    fn of(limit: &'a Limit, known: &[Known]) -> Self {
        let mut load = Self { limit, uploads: 0, promised: 0 };
        for upload in known.iter().filter(|upload| limit.covers(&upload.object)) {
            load.uploads += 1;
            load.promised = load.promised.saturating_add(upload.missing());
        }
        load
    }

    /// Why there is no place or room for one more.
    fn problem(&self, length: u64) -> Option<FilesError> {
        if self.uploads >= self.limit.places {
            return Some(FilesError::Busy);
        }
        (self.promised.saturating_add(length) > self.limit.room).then_some(FilesError::Full)
    }
}

impl Known {
    const fn missing(&self) -> u64 {
        self.length.saturating_sub(self.brought)
    }
}

impl Index {
    /// Notes an upload in parts; gives the uploads that go on besides. Where a limit leaves no place
    /// or room, those under it give way that have the fewest bytes: any without a byte, since to
    /// announce an upload costs its client nothing, and else those that had none for long.
    ///
    /// # Errors
    /// Where there is no place or room even so; then nothing gives way.
    pub(in crate::files) fn begin_upload(
        &self,
        new: &Beginning,
    ) -> Result<HashSet<ObjectName>, FilesError> {
        self.change(|change| {
            let mut uploads = ask!(change.open_table(UPLOADS));
            let mut known = resumable(&uploads)?;
            // Those that come in one request have a place among all.
            let whole = ask!(uploads.len()).saturating_sub(u64::try_from(known.len()).unwrap_or(0));
            let loads = |known: &[Known]| -> Vec<Load<'_>> {
                let mut loads: Vec<_> =
                    new.limits.iter().map(|limit| Load::of(limit, known)).collect();
                for load in loads.iter_mut().filter(|load| load.limit.of.is_none()) {
                    load.uploads = load.uploads.saturating_add(whole);
                }
                loads
            };
            if problem(&loads(&known), new.length).is_some() {
                let parts = ask!(change.open_table(PARTS));
                for upload in &mut known {
                    upload.brought = brought(&parts, upload.object)?;
                }
                known.sort_by_key(|upload| (upload.brought, upload.expires));
                let given_up = give_way(new, &known, loads(&known))?;
                let mut garbage = ask!(change.open_table(GARBAGE));
                for object in &given_up {
                    ask!(uploads.remove(object.as_bytes()));
                    ask!(garbage.insert(object.as_bytes(), ()));
                }
                known.retain(|upload| !given_up.contains(&upload.object));
            }
            let value = (new.length, new.lifetime, new.expires, true);
            ask!(uploads.insert(new.object.as_bytes(), value));
            Ok(known.into_iter().map(|upload| upload.object).collect())
        })
    }
}

fn resumable(
    uploads: &impl ReadableTable<Object, (u64, u64, u64, bool)>,
) -> Result<Vec<Known>, FilesError> {
    let mut known = Vec::new();
    for upload in ask!(uploads.iter()) {
        let (object, upload) = ask!(upload);
        let (length, _, expires, resumable) = upload.value();
        if resumable {
            let object = ObjectName::from_bytes(*object.value());
            known.push(Known { object, length, expires, brought: 0 });
        }
    }
    Ok(known)
}

fn brought(
    parts: &impl ReadableTable<(Object, u64), u64>,
    object: ObjectName,
) -> Result<u64, FilesError> {
    let name = object.as_bytes();
    let mut brought = 0_u64;
    for part in ask!(parts.range((name, 0)..=(name, u64::MAX))) {
        let (_, length) = ask!(part);
        brought = brought.saturating_add(length.value());
    }
    Ok(brought)
}

fn problem(loads: &[Load<'_>], length: u64) -> Option<FilesError> {
    loads.iter().find_map(|load| load.problem(length))
}

/// Which uploads give way, the first of `known` first.
fn give_way(
    new: &Beginning,
    known: &[Known],
    mut loads: Vec<Load<'_>>,
) -> Result<HashSet<ObjectName>, FilesError> {
    let mut given_up = HashSet::new();
    for upload in known {
        let is_idle = upload.brought == 0 || upload.expires < new.idle;
        let eases = |load: &Load<'_>| {
            load.limit.covers(&upload.object) && load.problem(new.length).is_some()
        };
        if !is_idle || new.busy.contains(&upload.object) || !loads.iter().any(eases) {
            continue;
        }
        for load in loads.iter_mut().filter(|load| load.limit.covers(&upload.object)) {
            load.uploads = load.uploads.saturating_sub(1);
            load.promised = load.promised.saturating_sub(upload.missing());
        }
        given_up.insert(upload.object);
    }
    problem(&loads, new.length).map_or(Ok(given_up), Err)
}
