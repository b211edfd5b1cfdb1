//! Keeping files, giving them, letting them go.

use std::collections::HashSet;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use warren_wire::file::FileHasher;
use warren_wire::limits::SECOND;
use warren_wire::{FileId, Millis};

use super::claims::Claims;
use super::content::{Content, ObjectName};
use super::error::FilesError;
use super::index::{FileRecord, Finished, Index};
use super::intake::{Intake, PART_BYTES, Then};
use super::options::FilesOptions;
use crate::node::now;

/// How long a request waits for a reader or writer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often files that expired are let go.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// How many files one step of a sweep lets go.
const SWEEP: usize = 256;
/// How long the name of a finished upload leads to its file.
pub(super) const REMEMBERED: Millis = 24 * 60 * 60 * SECOND;

/// A file that was just kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub id: FileId,
    /// When it goes.
    pub expires: Millis,
}

/// The files of one node.
pub struct FileServer {
    pub(super) options: FilesOptions,
    pub(super) content: Content,
    index: Arc<Index>,
    /// Bytes that are kept or being written.
    used: AtomicU64,
    writers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
    /// Uploads that a request writes to.
    pub(super) locked: Mutex<HashSet<ObjectName>>,
    /// Who began which of the uploads in parts.
    pub(super) claims: tokio::sync::Mutex<Claims>,
    /// Objects whose request went away, with the bytes that were counted for them.
    orphans: Mutex<Vec<ObjectName>>,
}

impl FileServer {
    /// Opens the index in `data` and the content where the options say. What an earlier process was
    /// writing when it ended is let go.
    ///
    /// # Errors
    /// Where either is not to be had.
    pub async fn open(data: &Path, options: FilesOptions) -> Result<Self, FilesError> {
        crate::private_file::create_folder(data)?;
        let folder = data.to_owned();
        let opening = move || {
            let index = Index::open(&folder)?;
            index.expire_uploads(now(), &HashSet::new(), true)?;
            let used = index.used()?;
            Ok::<_, FilesError>((index, used))
        };
        let opened = tokio::task::spawn_blocking(opening).await;
        let (index, used) = opened.map_err(|_| FilesError::Internal)??;
        Ok(Self {
            content: Content::open(&options).await?,
            index: Arc::new(index),
            used: AtomicU64::new(used),
            writers: Arc::new(Semaphore::new(options.writers)),
            readers: Arc::new(Semaphore::new(options.readers)),
            locked: Mutex::default(),
            claims: tokio::sync::Mutex::default(),
            orphans: Mutex::default(),
            options,
        })
    }

    /// Opens as [`FileServer::open`] does, and sweeps for as long as somebody holds it.
    ///
    /// # Errors
    /// As [`FileServer::open`].
    pub async fn start(data: &Path, options: FilesOptions) -> Result<Arc<Self>, FilesError> {
        let files = Arc::new(Self::open(data, options).await?);
        let held = Arc::downgrade(&files);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(SWEEP_INTERVAL);
            loop {
                interval.tick().await;
                let Some(files) = held.upgrade() else { return };
                if let Err(error) = files.sweep().await {
                    tracing::error!(%error, "files that expired cannot be removed");
                }
            }
        });
        Ok(files)
    }

    /// Bytes that all files take.
    pub fn used_bytes(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Asks the index on a thread that may wait.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Index) -> Result<T, FilesError> + Send + 'static,
    ) -> Result<T, FilesError> {
        let index = Arc::clone(&self.index);
        let answer = tokio::task::spawn_blocking(move || question(&index)).await;
        answer.map_err(|_| FilesError::Internal)?
    }

    /// Keeps a file that comes in one request. `announced` is the length that its client names.
    ///
    /// # Errors
    /// Where it is empty, too large or incomplete, or there is no room for it.
    pub async fn keep(
        &self,
        body: Body,
        announced: Option<u64>,
        lifetime: Millis,
    ) -> Result<Kept, FilesError> {
        if let Some(length) = announced {
            self.check_size(length)?;
        }
        let _writer = self.writer().await?;
        self.check_room(announced.unwrap_or(1))?;
        let mut draft = Draft::begin(self, lifetime).await?;
        let mut intake = Intake::new(body);
        let mut hasher = FileHasher::new().map_err(|_| FilesError::Internal)?;
        loop {
            let part = intake.next(PART_BYTES).await;
            if draft.size + size(&part.bytes) > self.options.largest_bytes {
                return Err(FilesError::Size);
            }
            hasher.update(&part.bytes);
            draft.write(part.bytes).await?;
            match part.then {
                Then::More => {}
                Then::End => break,
                Then::Broken(error) => return Err(error),
            }
        }
        self.check_size(draft.size)?;
        let id = hasher.finish().map_err(|_| FilesError::Internal)?;
        draft.finish(id, lifetime).await
    }

    /// A file that has not expired.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub async fn find(&self, id: FileId) -> Result<FileRecord, FilesError> {
        let file = self.ask(move |index| index.file(&id)).await?;
        file.filter(|file| file.expires > now()).ok_or(FilesError::NotFound)
    }

    /// Prolongs a file's life.
    ///
    /// # Errors
    /// Where there is no such file.
    pub async fn extend(&self, id: FileId, lifetime: Millis) -> Result<FileRecord, FilesError> {
        let extended = self.ask(move |index| index.extend(&id, lifetime, now())).await?;
        extended.ok_or(FilesError::NotFound)
    }

    /// Bytes of a file as they are read. The first of them are read before this returns, so that a
    /// file whose content is gone is not found.
    ///
    /// # Errors
    /// Where the content is gone or all readers are taken.
    pub async fn read(&self, file: &FileRecord, range: Range<u64>) -> Result<Body, FilesError> {
        let reader = self.reader().await?;
        let mut bytes = Box::pin(self.stream(file.object, range).await?);
        let first = bytes.try_next().await?;
        let rest = stream::iter(first.map(Ok)).chain(bytes);
        let held = rest.map(move |chunk| {
            let _held = &reader;
            chunk.map_err(|error| {
                tracing::error!(%error, "a file's content cannot be read");
                io::Error::other(error)
            })
        });
        Ok(Body::from_stream(held))
    }

    /// The bytes of an object, part after part.
    pub(super) async fn stream(
        &self,
        object: ObjectName,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, FilesError>> + Send + 'static + use<>, FilesError>
    {
        let parts = self.ask(move |index| index.parts(object)).await?;
        let content = self.content.clone();
        let wanted = parts.into_iter().filter_map(move |(offset, length)| {
            let first = range.start.max(offset);
            let end = range.end.min(offset.saturating_add(length));
            (first < end).then(|| (offset, first - offset..end - offset))
        });
        let read = move |(offset, range)| {
            let content = content.clone();
            async move { content.read(object, offset, range).await }
        };
        Ok(stream::iter(wanted).then(read).try_flatten())
    }

    /// Writes one part and counts its bytes.
    pub(super) async fn write(
        &self,
        object: ObjectName,
        offset: u64,
        part: Bytes,
    ) -> Result<(), FilesError> {
        let length = size(&part);
        self.check_room(length)?;
        self.used.fetch_add(length, Ordering::Relaxed);
        let written = self.content.write(object, offset, part).await;
        if written.is_err() {
            self.release(length);
        }
        written
    }

    pub(super) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Makes whole content a file.
    pub(super) async fn settle(&self, new: Whole) -> Result<Kept, FilesError> {
        let Whole { object, id, size, lifetime, parts, remembered } = new;
        // Who removes content by hand is helped by the next upload.
        let replace = match self.ask(move |index| index.file(&id)).await? {
            None => false,
            Some(known) => !self.content.has(known.object).await?,
        };
        let finish = move |index: &Index| {
            let parts = &parts;
            let new = Finished { object, id, size, lifetime, parts, replace, remembered };
            index.finish(&new, now())
        };
        let kept = self.ask(finish).await?;
        Ok(Kept { id, expires: kept.expires })
    }

    /// Whether a file of this size may be kept at all.
    pub(super) fn check_size(&self, length: u64) -> Result<(), FilesError> {
        let allowed = 1..=self.options.largest_bytes;
        if allowed.contains(&length) { Ok(()) } else { Err(FilesError::Size) }
    }

    /// Whether there is room for so many bytes more.
    pub(super) fn check_room(&self, length: u64) -> Result<(), FilesError> {
        let wanted = self.used_bytes().saturating_add(length);
        let spare = self.options.spare_bytes.saturating_add(length);
        let disk_is_full = self.content.free_bytes().is_some_and(|free| free < spare);
        match wanted > self.options.quota_bytes || disk_is_full {
            true => Err(FilesError::Full),
            false => Ok(()),
        }
    }

    pub(super) async fn writer(&self) -> Result<OwnedSemaphorePermit, FilesError> {
        admit(&self.writers).await
    }

    pub(super) async fn reader(&self) -> Result<OwnedSemaphorePermit, FilesError> {
        admit(&self.readers).await
    }

    /// Lets files and uploads go whose time is over, and removes the content of what was let go.
    ///
    /// # Errors
    /// Where index or content fail; the next sweep goes on.
    pub async fn sweep(&self) -> Result<(), FilesError> {
        let orphans =
            std::mem::take(&mut *self.orphans.lock().unwrap_or_else(PoisonError::into_inner));
        for object in orphans {
            self.ask(move |index| index.abandon(object)).await?;
        }
        let busy = self.busy();
        self.ask(move |index| index.expire_uploads(now(), &busy, false)).await?;
        while self.ask(|index| index.expire_files(now(), SWEEP)).await? == SWEEP {}
        loop {
            let garbage = self.ask(|index| index.garbage(SWEEP)).await?;
            for object in &garbage {
                let object = *object;
                self.content.remove(object).await?;
                let freed = self.ask(move |index| index.forget(object)).await?;
                self.release(freed);
            }
            if garbage.len() < SWEEP {
                return Ok(());
            }
        }
    }
}

async fn admit(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, FilesError> {
    match timeout(PATIENCE, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(FilesError::Busy),
    }
}

pub(super) fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// Content that is whole.
pub(super) struct Whole {
    pub(super) object: ObjectName,
    pub(super) id: FileId,
    pub(super) size: u64,
    pub(super) lifetime: Millis,
    /// Offsets and lengths that the index does not know.
    pub(super) parts: Vec<(u64, u64)>,
    pub(super) remembered: Option<Millis>,
}

/// An object that one request writes. Where the request ends before the object is a file, however it
/// ends, the next sweep removes it.
struct Draft<'a> {
    files: &'a FileServer,
    object: ObjectName,
    parts: Vec<(u64, u64)>,
    size: u64,
    settled: bool,
}

impl<'a> Draft<'a> {
    async fn begin(files: &'a FileServer, lifetime: Millis) -> Result<Self, FilesError> {
        let draft =
            Self { files, object: ObjectName::new(), parts: Vec::new(), size: 0, settled: false };
        let object = draft.object;
        files.ask(move |index| index.begin(object, lifetime)).await?;
        Ok(draft)
    }

    async fn write(&mut self, part: Bytes) -> Result<(), FilesError> {
        let length = size(&part);
        if length > 0 {
            self.files.write(self.object, self.size, part).await?;
            self.parts.push((self.size, length));
            self.size += length;
        }
        Ok(())
    }

    async fn finish(mut self, id: FileId, lifetime: Millis) -> Result<Kept, FilesError> {
        let parts = self.parts.clone();
        let (object, size) = (self.object, self.size);
        let whole = Whole { object, id, size, lifetime, parts, remembered: None };
        let kept = self.files.settle(whole).await;
        self.settled = kept.is_ok();
        kept
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.files.release(self.size);
            let orphans = &self.files.orphans;
            orphans.lock().unwrap_or_else(PoisonError::into_inner).push(self.object);
        }
    }
}
