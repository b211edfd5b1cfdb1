//! Uploads in parts, which survive a broken connection and a restart of the node.
//!
//! Every part of 4 MiB, and what a connection brought before it broke, is durable and noted before
//! anything says so. When all bytes are there they are read once more to name the file.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::TryStreamExt;
use warren_wire::file::FileHasher;
use warren_wire::limits::SECOND;
use warren_wire::{FileId, Millis};

use super::content::ObjectName;
use super::error::FilesError;
use super::index::{Beginning, Index, Upload, UploadState};
use super::intake::{Intake, PART_BYTES, Then};
use super::server::{FileServer, Kept, REMEMBERED, Whole, size};
use crate::held::Share;
use crate::node::now;

/// How long an upload without a byte waits for the first; after so long without another it gives way
/// to new ones where there is no place for them.
const EMPTY_TTL: Millis = 10 * 60 * SECOND;

/// How far an upload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Some bytes are missing.
    Open {
        /// Bytes there are.
        offset: u64,
        /// Bytes there will be.
        length: u64,
        /// When the upload is given up.
        expires: Millis,
    },
    /// It became this file.
    Done {
        /// The file.
        file: Kept,
        /// Its bytes.
        length: u64,
    },
}

/// The right to write to an upload, for one request at a time.
pub(super) struct Lock<'a> {
    locked: &'a Mutex<HashSet<ObjectName>>,
    object: ObjectName,
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.object);
    }
}

impl FileServer {
    /// Begins an upload of so many bytes, on somebody's account. Gives its name, which is all that a client needs to go on,
    /// and when it is given up.
    ///
    /// # Errors
    /// Where the size is none that is kept, or there is no place or room beside the uploads that go on.
    pub async fn create(
        &self,
        length: u64,
        lifetime: Millis,
        who: Share,
    ) -> Result<(ObjectName, Millis), FilesError> {
        self.check_size(length)?;
        self.check_room(length)?;
        let object = ObjectName::new();
        let expires = self.upload_end().min(now().saturating_add(EMPTY_TTL));
        // One after the other, so that none begins beside its client's share.
        let mut claims = self.claims.lock().await;
        let room = self.options.quota_bytes.saturating_sub(self.used_bytes());
        let beginning = Beginning {
            object,
            length,
            lifetime,
            expires,
            limits: claims.limits(who, &self.options, room),
            idle: self.upload_end().saturating_sub(EMPTY_TTL),
            busy: self.busy(),
        };
        let others = self.ask(move |index| index.begin_upload(&beginning)).await?;
        claims.claim(object, who, &others);
        Ok((object, expires))
    }

    /// How far an upload has come. One that has all its bytes becomes a file here, where the request
    /// that brought the last of them did not come to that; what is begun goes on where the asker has
    /// gone away.
    ///
    /// # Errors
    /// Where there is no such upload, or another request makes a file of it.
    pub async fn progress(self: &Arc<Self>, object: ObjectName) -> Result<Progress, FilesError> {
        let files = Arc::clone(self);
        let progress = async move {
            match files.state(object).await? {
                UploadState::Done(id) => files.done(id).await,
                UploadState::Open(upload) if upload.offset == upload.length => {
                    files.complete_rest(object).await
                }
                UploadState::Open(upload) => Ok(open(&upload, upload.offset)),
            }
        };
        tokio::spawn(progress).await.map_err(|_| FilesError::Internal)?
    }

    /// Makes a file of an upload, where it is none yet once nobody else writes to it.
    pub(super) async fn complete_rest(&self, object: ObjectName) -> Result<Progress, FilesError> {
        let _lock = self.lock(object)?;
        match self.state(object).await? {
            UploadState::Done(id) => self.done(id).await,
            UploadState::Open(upload) => self.complete(object, &upload).await,
        }
    }

    /// Takes more bytes, from `offset` on; `announced` is how many the client says there are. Those that came before a connection broke are kept.
    ///
    /// # Errors
    /// Where there is no such upload, it stands elsewhere, another request writes to it, more bytes
    /// come than it has, the body breaks off, or there is no room.
    pub async fn append(
        self: &Arc<Self>,
        object: ObjectName,
        offset: u64,
        body: Body,
        announced: Option<u64>,
    ) -> Result<Progress, FilesError> {
        let _lock = self.lock(object)?;
        let upload = match self.state(object).await? {
            UploadState::Open(upload) if upload.offset == offset => upload,
            UploadState::Open(_) | UploadState::Done(_) => return Err(FilesError::Offset),
        };
        if announced.is_some_and(|length| offset.saturating_add(length) > upload.length) {
            return Err(FilesError::Size);
        }
        let _writer = self.writer().await?;
        let offset = self.take_in(object, &upload, body).await?;
        match offset == upload.length {
            true => self.complete(object, &upload).await,
            false if offset == upload.offset => Ok(open(&upload, offset)),
            false => Ok(open(&Upload { expires: self.upload_end(), ..upload }, offset)),
        }
    }

    /// Writes a body's parts; where the upload stands then.
    async fn take_in(
        &self,
        object: ObjectName,
        upload: &Upload,
        body: Body,
    ) -> Result<u64, FilesError> {
        let mut intake = Intake::new(body);
        let mut offset = upload.offset;
        loop {
            let part = intake.next(PART_BYTES).await;
            let length = size(&part.bytes);
            if offset + length > upload.length {
                return Err(FilesError::Size);
            }
            if length > 0 {
                let (at, expires) = (offset, self.upload_end());
                self.write(object, at, part.bytes).await?;
                let noted = move |index: &Index| index.add_part(object, at, length, expires);
                if let Err(error) = self.ask(noted).await {
                    return Err(self.take_back(object, length, error).await);
                }
                offset += length;
            }
            match part.then {
                Then::More => {}
                Then::End => return Ok(offset),
                Then::Broken(error) => return Err(error),
            }
        }
    }

    /// Lets go of a part that is written and not noted. Where the upload is given up its object may be
    /// forgotten already, and nothing else would remove the part; otherwise the part goes with it.
    async fn take_back(&self, object: ObjectName, length: u64, error: FilesError) -> FilesError {
        self.release(length);
        if matches!(error, FilesError::NotFound)
            && let Err(error) = self.content.remove(object).await
        {
            tracing::error!(%error, "a part of an upload that was given up cannot be removed");
        }
        error
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// Where there is no such upload, or a request writes to it.
    pub async fn cancel(&self, object: ObjectName) -> Result<(), FilesError> {
        let _lock = self.lock(object)?;
        match self.state(object).await? {
            UploadState::Open(_) => self.ask(move |index| index.abandon(object)).await,
            UploadState::Done(_) => Err(FilesError::NotFound),
        }
    }

    async fn state(&self, object: ObjectName) -> Result<UploadState, FilesError> {
        let state = self.ask(move |index| index.upload(object)).await?;
        match state {
            Some(UploadState::Open(upload)) if upload.expires <= now() => Err(FilesError::NotFound),
            other => other.ok_or(FilesError::NotFound),
        }
    }

    async fn complete(&self, object: ObjectName, upload: &Upload) -> Result<Progress, FilesError> {
        let mut hasher = FileHasher::new().map_err(|_| FilesError::Internal)?;
        let mut bytes = Box::pin(self.stream(object, 0..upload.length).await?);
        let mut read = 0;
        while let Some(chunk) = bytes.try_next().await? {
            hasher.update(&chunk);
            read += size(&chunk);
        }
        if read != upload.length {
            tracing::error!("the content of an upload has another length than was written");
            return Err(FilesError::Internal);
        }
        let whole = Whole {
            object,
            id: hasher.finish().map_err(|_| FilesError::Internal)?,
            size: upload.length,
            lifetime: upload.lifetime,
            parts: Vec::new(),
            remembered: Some(now().saturating_add(REMEMBERED)),
        };
        let file = self.settle(whole).await?;
        Ok(Progress::Done { file, length: upload.length })
    }

    async fn done(&self, id: FileId) -> Result<Progress, FilesError> {
        let file = self.find(id).await?;
        Ok(Progress::Done { file: Kept { id, expires: file.expires }, length: file.size })
    }

    pub(super) fn lock(&self, object: ObjectName) -> Result<Lock<'_>, FilesError> {
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        match locked.insert(object) {
            true => Ok(Lock { locked: &self.locked, object }),
            false => Err(FilesError::Locked),
        }
    }

    /// Uploads that a request writes to.
    pub(super) fn busy(&self) -> HashSet<ObjectName> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn upload_end(&self) -> Millis {
        now().saturating_add(self.options.upload_ttl_seconds.saturating_mul(SECOND))
    }
}

const fn open(upload: &Upload, offset: u64) -> Progress {
    Progress::Open { offset, length: upload.length, expires: upload.expires }
}
