//! What is kept, until when, and in which object: a small database, one transaction for each change.
//!
//! ```text
//! files     name -> size, uploaded, expires, object      expiries   (expires, name)
//! parts     (object, offset) -> length                   garbage    object
//! uploads   object -> length, lifetime, expires, kind    done       object -> name, until
//! ```
//!
//! An object is in `uploads` before its first byte is written, then in `files`, and in `garbage`
//! before its first byte is removed: whatever the process was doing when it died, no object is lost
//! sight of.

use std::collections::HashSet;
use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use warren_wire::file::FILE_ID_BYTES;
use warren_wire::{FileId, Millis};

use super::content::ObjectName;
use super::error::{FilesError, IndexFault};

type Name = &'static [u8; FILE_ID_BYTES];
type Object = &'static [u8; 16];

const FILES: TableDefinition<Name, (u64, u64, u64, [u8; 16])> = TableDefinition::new("files");
const EXPIRIES: TableDefinition<(u64, Name), ()> = TableDefinition::new("expiries");
const PARTS: TableDefinition<(Object, u64), u64> = TableDefinition::new("parts");
const GARBAGE: TableDefinition<Object, ()> = TableDefinition::new("garbage");
const UPLOADS: TableDefinition<Object, (u64, u64, u64, bool)> = TableDefinition::new("uploads");
const DONE: TableDefinition<Object, ([u8; FILE_ID_BYTES], u64)> = TableDefinition::new("done");

/// How much of the database is kept in memory.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// A file that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord {
    /// Bytes.
    pub size: u64,
    /// When it was last uploaded.
    pub uploaded: Millis,
    /// When it goes.
    pub expires: Millis,
    pub(super) object: ObjectName,
}

impl std::fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ObjectName(..)")
    }
}

/// An upload that goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Upload {
    /// How many bytes there will be.
    pub(super) length: u64,
    /// How many there are.
    pub(super) offset: u64,
    /// How long the file will live.
    pub(super) lifetime: Millis,
    /// When the upload is given up.
    pub(super) expires: Millis,
}

/// What became of an upload's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UploadState {
    Open(Upload),
    Done(FileId),
}

/// Content that is whole and becomes a file.
pub(super) struct Finished<'a> {
    pub(super) object: ObjectName,
    pub(super) id: FileId,
    pub(super) size: u64,
    pub(super) lifetime: Millis,
    /// Offsets and lengths that are not noted yet.
    pub(super) parts: &'a [(u64, u64)],
    /// Whether an object that the index names is missing, so that this one takes its place.
    pub(super) replace: bool,
    /// Until when the upload's name leads to the file.
    pub(super) remembered: Option<Millis>,
}

macro_rules! ask {
    ($step:expr) => {
        $step.map_err(IndexFault)?
    };
}

mod admission;
pub(super) use admission::Beginning;

/// The open database. Its methods wait for the disk: they are for threads that may.
pub(super) struct Index {
    database: Database,
}

impl Index {
    /// Opens the database, or makes it under another name first, so that no half of one is found.
    pub(super) fn open(folder: &Path) -> Result<Self, FilesError> {
        let (path, unfinished) = (folder.join("files.redb"), folder.join("files.redb.new"));
        if !path.try_exists()? {
            match std::fs::remove_file(&unfinished) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
            let index = Self { database: ask!(Database::builder().create(&unfinished)) };
            index.change(|change| {
                ask!(change.open_table(FILES));
                ask!(change.open_table(EXPIRIES));
                ask!(change.open_table(PARTS));
                ask!(change.open_table(GARBAGE));
                ask!(change.open_table(UPLOADS));
                ask!(change.open_table(DONE));
                Ok(())
            })?;
            drop(index);
            std::fs::rename(&unfinished, &path)?;
            std::fs::File::open(folder)?.sync_all()?;
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        Ok(Self { database: ask!(builder.open(&path)) })
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&WriteTransaction) -> Result<T, FilesError>,
    ) -> Result<T, FilesError> {
        let transaction = ask!(self.database.begin_write());
        let result = change(&transaction)?;
        ask!(transaction.commit());
        Ok(result)
    }

    /// Bytes of all parts together.
    pub(super) fn used(&self) -> Result<u64, FilesError> {
        let view = ask!(self.database.begin_read());
        let parts = ask!(view.open_table(PARTS));
        let mut used = 0_u64;
        for part in ask!(parts.iter()) {
            let (_, length) = ask!(part);
            used = used.saturating_add(length.value());
        }
        Ok(used)
    }

    /// Notes an object before its first byte is written, whose bytes come in one request and are of
    /// no use if that breaks off. It has no end of its own: either its request ends it, or the
    /// process's start.
    pub(super) fn begin(&self, object: ObjectName, lifetime: Millis) -> Result<(), FilesError> {
        self.change(|change| {
            let mut uploads = ask!(change.open_table(UPLOADS));
            ask!(uploads.insert(object.as_bytes(), (0, lifetime, Millis::MAX, false)));
            Ok(())
        })
    }

    /// Notes a part that is written; the upload lives on until `expires`.
    pub(super) fn add_part(
        &self,
        object: ObjectName,
        offset: u64,
        length: u64,
        expires: Millis,
    ) -> Result<(), FilesError> {
        self.change(|change| {
            let mut uploads = ask!(change.open_table(UPLOADS));
            let known = ask!(uploads.get(object.as_bytes())).map(|upload| upload.value());
            let (whole, lifetime, _, kind) = known.ok_or(FilesError::NotFound)?;
            ask!(uploads.insert(object.as_bytes(), (whole, lifetime, expires, kind)));
            let mut parts = ask!(change.open_table(PARTS));
            ask!(parts.insert((object.as_bytes(), offset), length));
            Ok(())
        })
    }

    /// An upload that a client may go on with, or the file it became.
    pub(super) fn upload(&self, object: ObjectName) -> Result<Option<UploadState>, FilesError> {
        let view = ask!(self.database.begin_read());
        let done = ask!(view.open_table(DONE));
        if let Some(done) = ask!(done.get(object.as_bytes())) {
            return Ok(Some(UploadState::Done(FileId::from_bytes(done.value().0))));
        }
        let uploads = ask!(view.open_table(UPLOADS));
        let Some(upload) = ask!(uploads.get(object.as_bytes())) else { return Ok(None) };
        let (length, lifetime, expires, resumable) = upload.value();
        if !resumable {
            return Ok(None);
        }
        let offset = self.parts(object)?.iter().map(|(_, length)| length).sum();
        Ok(Some(UploadState::Open(Upload { length, offset, lifetime, expires })))
    }

    /// The parts of an object, in order: offset and length.
    pub(super) fn parts(&self, object: ObjectName) -> Result<Vec<(u64, u64)>, FilesError> {
        let view = ask!(self.database.begin_read());
        let parts = ask!(view.open_table(PARTS));
        let name = object.as_bytes();
        let mut found = Vec::new();
        for part in ask!(parts.range((name, 0)..=(name, u64::MAX))) {
            let (key, length) = ask!(part);
            found.push((key.value().1, length.value()));
        }
        Ok(found)
    }

    /// A file, expired or not.
    pub(super) fn file(&self, id: &FileId) -> Result<Option<FileRecord>, FilesError> {
        let view = ask!(self.database.begin_read());
        let files = ask!(view.open_table(FILES));
        Ok(ask!(files.get(id.as_bytes())).map(|file| record(file.value())))
    }

    /// Makes whole content a file. Where the file is kept already its life is prolonged, and the new
    /// object is garbage. An object that is no upload, for it is a file already or was given up, is
    /// not found.
    pub(super) fn finish(&self, new: &Finished<'_>, now: Millis) -> Result<FileRecord, FilesError> {
        self.change(|change| {
            let object = new.object.as_bytes();
            let mut parts = ask!(change.open_table(PARTS));
            for (offset, length) in new.parts {
                ask!(parts.insert((object, *offset), *length));
            }
            if ask!(ask!(change.open_table(UPLOADS)).remove(object)).is_none() {
                return Err(FilesError::NotFound);
            }
            if let Some(until) = new.remembered {
                ask!(ask!(change.open_table(DONE)).insert(object, (*new.id.as_bytes(), until)));
            }
            let expires = now.saturating_add(new.lifetime);
            let fresh = FileRecord { size: new.size, uploaded: now, expires, object: new.object };
            let known = ask!(ask!(change.open_table(FILES)).get(new.id.as_bytes()))
                .map(|file| record(file.value()));
            let kept = match known {
                None => fresh,
                Some(known) => {
                    let expires = known.expires.max(expires);
                    let (kept, garbage) = match new.replace {
                        true => (new.object, known.object),
                        false => (known.object, new.object),
                    };
                    ask!(ask!(change.open_table(GARBAGE)).insert(garbage.as_bytes(), ()));
                    FileRecord { expires, object: kept, ..fresh }
                }
            };
            put(change, &new.id, known, &kept)?;
            Ok(kept)
        })
    }

    /// Prolongs a file's life; it is never shortened.
    pub(super) fn extend(
        &self,
        id: &FileId,
        lifetime: Millis,
        now: Millis,
    ) -> Result<Option<FileRecord>, FilesError> {
        self.change(|change| {
            let known = ask!(ask!(change.open_table(FILES)).get(id.as_bytes()))
                .map(|file| record(file.value()))
                .filter(|file| file.expires > now);
            let Some(known) = known else { return Ok(None) };
            let expires = known.expires.max(now.saturating_add(lifetime));
            let kept = FileRecord { expires, ..known };
            put(change, id, Some(known), &kept)?;
            Ok(Some(kept))
        })
    }

    /// Gives an upload up.
    pub(super) fn abandon(&self, object: ObjectName) -> Result<(), FilesError> {
        self.change(|change| {
            let removed =
                ask!(ask!(change.open_table(UPLOADS)).remove(object.as_bytes())).is_some();
            if removed {
                ask!(ask!(change.open_table(GARBAGE)).insert(object.as_bytes(), ()));
            }
            Ok(())
        })
    }

    /// Makes garbage of up to so many files that have expired; how many there were.
    pub(super) fn expire_files(&self, now: Millis, limit: usize) -> Result<usize, FilesError> {
        self.change(|change| {
            let mut expiries = ask!(change.open_table(EXPIRIES));
            let mut files = ask!(change.open_table(FILES));
            let mut garbage = ask!(change.open_table(GARBAGE));
            for count in 0..limit {
                let first = ask!(expiries.first()).map(|(key, _)| {
                    let (expires, name) = key.value();
                    (expires, *name)
                });
                let Some((expires, name)) = first.filter(|(expires, _)| *expires <= now) else {
                    return Ok(count);
                };
                ask!(expiries.remove((expires, &name)));
                if let Some(file) = ask!(files.remove(&name)) {
                    ask!(garbage.insert(record(file.value()).object.as_bytes(), ()));
                }
            }
            Ok(limit)
        })
    }

    /// Makes garbage of uploads that were given up: those past their time that no request writes to,
    /// and at the start all that came in one request. Forgets what finished uploads became.
    pub(super) fn expire_uploads(
        &self,
        now: Millis,
        busy: &HashSet<ObjectName>,
        at_start: bool,
    ) -> Result<(), FilesError> {
        self.change(|change| {
            let mut garbage = ask!(change.open_table(GARBAGE));
            let mut uploads = ask!(change.open_table(UPLOADS));
            let mut over = Vec::new();
            for upload in ask!(uploads.iter()) {
                let (object, upload) = ask!(upload);
                let (_, _, expires, resumable) = upload.value();
                let idle = !busy.contains(&ObjectName::from_bytes(*object.value()));
                if (expires <= now && idle) || (at_start && !resumable) {
                    over.push(*object.value());
                }
            }
            for object in over {
                ask!(uploads.remove(&object));
                ask!(garbage.insert(&object, ()));
            }
            let mut done = ask!(change.open_table(DONE));
            ask!(done.retain(|_, (_, until)| until > now));
            Ok(())
        })
    }

    /// Up to so many objects whose content is to be removed.
    pub(super) fn garbage(&self, limit: usize) -> Result<Vec<ObjectName>, FilesError> {
        let view = ask!(self.database.begin_read());
        let garbage = ask!(view.open_table(GARBAGE));
        let mut found = Vec::new();
        for object in ask!(garbage.iter()).take(limit) {
            let (object, _) = ask!(object);
            found.push(ObjectName::from_bytes(*object.value()));
        }
        Ok(found)
    }

    /// Forgets an object whose content is removed; how many bytes it had.
    pub(super) fn forget(&self, object: ObjectName) -> Result<u64, FilesError> {
        let known = self.parts(object)?;
        self.change(|change| {
            let mut parts = ask!(change.open_table(PARTS));
            for (offset, _) in &known {
                ask!(parts.remove((object.as_bytes(), *offset)));
            }
            ask!(ask!(change.open_table(GARBAGE)).remove(object.as_bytes()));
            Ok(known.iter().map(|(_, length)| length).sum())
        })
    }
}

fn record((size, uploaded, expires, object): (u64, u64, u64, [u8; 16])) -> FileRecord {
    FileRecord { size, uploaded, expires, object: ObjectName::from_bytes(object) }
}

/// Writes a file's entry, and its place in the order of expiry.
fn put(
    change: &WriteTransaction,
    id: &FileId,
    known: Option<FileRecord>,
    kept: &FileRecord,
) -> Result<(), FilesError> {
    let mut expiries = ask!(change.open_table(EXPIRIES));
    if let Some(known) = known {
        ask!(expiries.remove((known.expires, id.as_bytes())));
    }
    ask!(expiries.insert((kept.expires, id.as_bytes()), ()));
    let value = (kept.size, kept.uploaded, kept.expires, *kept.object.as_bytes());
    ask!(ask!(change.open_table(FILES)).insert(id.as_bytes(), value));
    Ok(())
}
